"""Choose the target of each promised objective; the default where none is declared."""

from collections.abc import Iterable

from contractwatch.model.base.objective import Objective, Target


def targets_of(declared: Iterable[Target], promised: frozenset[Objective]) -> tuple[Target, ...]:
    """Return the target of each promised objective and of their composite, in enumeration order.

    A declared target of an objective that is not promised is left out; of two for one objective
    the stricter stands.
    """
    chosen: dict[Objective, Target] = {}
    for target in declared:
        known = chosen.get(target.objective)
        if known is None or target.ratio > known.ratio:
            chosen[target.objective] = target
    wanted = promised | {Objective.CONFORMANCE}
    return tuple(
        chosen.get(objective, Target(objective)) for objective in Objective if objective in wanted
    )
