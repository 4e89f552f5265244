"""Status of a product in one word: kept, at risk, breached or unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contractwatch.model.base.objective import Objective, ObjectiveState, Standing
from contractwatch.model.record.incident import Cause, Incident, Phase
from contractwatch.model.record.product import ProductRecord
from contractwatch.slo.ledger import as_of


class StatusWord(StrEnum):
    """Status of a product; kept only if every promised objective is known to be good.

    At risk: every one is good now, but a breach is open or recovering: a ratio below its promise,
    a promise of severity warning, or an end that is not confirmed yet.
    """

    KEPT = "kept"
    AT_RISK = "at risk"
    BREACHED = "breached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProductStatus:
    """Status of a product, since when it holds, and the objectives that cause it.

    `since` is None for a product of which there is no record at all. `at_risk` are the objectives
    whose breach is open or recovering while nothing is bad or unknown.
    """

    word: StatusWord
    since: datetime | None
    breached: tuple[Objective, ...] = ()
    unknown: tuple[Objective, ...] = ()
    at_risk: tuple[Objective, ...] = ()


_ACTIVE = frozenset({Phase.OPEN, Phase.RECOVERING})

_STATES = {
    StatusWord.KEPT: ObjectiveState.GOOD,
    StatusWord.BREACHED: ObjectiveState.BAD,
    StatusWord.UNKNOWN: ObjectiveState.UNKNOWN,
}


def status_of(record: ProductRecord, *, now: datetime) -> ProductStatus:
    """Return the status of a product as of `now`, live between two runs.

    Breached if any promised objective is bad; else unknown if any is unknown, or none is known to
    be good; else at risk if a breach is open or recovering; else kept.
    """
    live = live_standings((line.standing for line in record.lines), now=now)
    parts = {o: s for o, s in live.items() if o is not Objective.CONFORMANCE}
    breached = _in_state(parts, ObjectiveState.BAD)
    unknown = _in_state(parts, ObjectiveState.UNKNOWN)
    word = StatusWord.KEPT
    if breached:
        word = StatusWord.BREACHED
    elif unknown or not _in_state(parts, ObjectiveState.GOOD):
        word = StatusWord.UNKNOWN
    elif troubles := active_breaches(record):
        since = min(incident.since for incident in troubles)
        risky = tuple(dict.fromkeys(incident.objective for incident in troubles))
        return ProductStatus(StatusWord.AT_RISK, since, at_risk=risky)
    return ProductStatus(word, _since(word, live, parts), breached, unknown)


def live_standings(standings: Iterable[Standing], *, now: datetime) -> Mapping[Objective, Standing]:
    """Return each objective's standing with its state and `since` as of `now`."""
    return {standing.objective: as_of(standing, now) for standing in standings}


def active_breaches(record: ProductRecord) -> tuple[Incident, ...]:
    """Return the reported breaches that are not over: open or recovering."""
    return tuple(
        incident
        for incident in record.incidents
        if incident.cause is Cause.BREACH and incident.phase in _ACTIVE
    )


def _in_state(parts: Mapping[Objective, Standing], state: ObjectiveState) -> tuple[Objective, ...]:
    return tuple(objective for objective, s in parts.items() if s.state is state)


def _since(
    word: StatusWord, live: Mapping[Objective, Standing], parts: Mapping[Objective, Standing]
) -> datetime | None:
    """Return since when the status holds; by the composite, or else by its parts."""
    composite = live.get(Objective.CONFORMANCE)
    if composite is not None and composite.state is _STATES[word]:
        return composite.since
    dates = [s.since for s in parts.values() if s.state is _STATES[word]]
    if not dates:
        return None
    return max(dates) if word is StatusWord.KEPT else min(dates)
