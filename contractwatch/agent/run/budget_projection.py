"""Project budgets and costs to the end of a run, for messages sent before it is saved."""

from collections.abc import Iterable, Mapping

from contractwatch.model.base.objective import Budget, Objective, Standing, StateSeconds, Target
from contractwatch.model.record.incident import Cause, Transition
from contractwatch.model.record.product import LedgerEntry, LedgerLine
from contractwatch.slo.budget import budget_of, seconds_in


def budget_projection(
    before: Iterable[LedgerLine], standings: Iterable[Standing], entries: Iterable[LedgerEntry]
) -> Mapping[Objective, LedgerLine]:
    """Return the ledger lines as they will be once the entries are saved."""
    known = {line.standing.objective: line for line in before}
    appended = tuple(entries)
    lines: dict[Objective, LedgerLine] = {}
    for standing in standings:
        objective = standing.objective
        old = known.get(objective)
        closed = tuple(entry.interval for entry in appended if entry.objective is objective)
        lines[objective] = LedgerLine(
            standing=standing,
            intervals=(*(old.intervals if old else ()), *closed),
            total=old.total if old else StateSeconds(),
        )
    return lines


def projected_budgets(
    lines: Mapping[Objective, LedgerLine], targets: Iterable[Target]
) -> Mapping[Objective, Budget]:
    """Return the budget of each objective that has a line, up to where its line is closed."""
    return {
        target.objective: budget_of(line, target, now=line.standing.accrued_until)
        for target in targets
        if (line := lines.get(target.objective)) is not None
    }


def breach_seconds(
    lines: Mapping[Objective, LedgerLine], transitions: Iterable[Transition]
) -> Mapping[str, float]:
    """Return the bad seconds that the ledger has for each breach since it began."""
    costs: dict[str, float] = {}
    for transition in transitions:
        incident = transition.incident
        line = lines.get(incident.objective)
        if incident.cause is Cause.BREACH and line is not None:
            span = seconds_in(line, start=incident.since, end=transition.at)
            costs[incident.incident_id] = span.bad
    return costs
