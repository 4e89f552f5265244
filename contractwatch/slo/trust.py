"""Trust score ts/1 of a product, 0 to 100, with the exact explanation of every point."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.check import NOT_EXECUTED, Outcome
from contractwatch.model.record.product import DataVersion, LedgerLine, ProductRecord
from contractwatch.model.record.run import Coverage, RunResult
from contractwatch.slo import trust_constants as ts1
from contractwatch.slo.budget import intervals_of
from contractwatch.slo.ledger import state_at

_LEAST_COST = 0.001
"""A share of time below this is not what keeps an objective back; the evidence is."""


@dataclass(frozen=True, slots=True)
class DecayedHours:
    """Hours in each state over 56 days, weighted down by half for every 14 days of age."""

    good: float = 0.0
    bad: float = 0.0
    unknown: float = 0.0


@dataclass(frozen=True, slots=True)
class ObjectiveEvidence:
    """Evidence on one promised objective.

    `executed` of the `promised` clauses were really checked; `state` is the present one.
    """

    hours: DecayedHours
    executed: int = 1
    promised: int = 1
    state: ObjectiveState = ObjectiveState.GOOD


@dataclass(frozen=True, slots=True)
class TrustInput:
    """Inputs of the score, from which anyone can compute it again.

    `evidence` holds the promised objectives only. `data_versions` is the count of distinct data
    versions in the window, `effective_versions` Kish's effective number of them (not yet capped).
    """

    evidence: Mapping[Objective, ObjectiveEvidence]
    data_versions: int
    effective_versions: float


@dataclass(frozen=True, slots=True)
class TrustPart:
    """Contribution of one objective to the score.

    `kept_share` is p (None: not promised, or no time yet), `share` is s, `effective_weight` is e.
    The `points_lost` of all parts add up to 100 - `uncapped`.
    """

    objective: Objective
    promised: bool
    hours: DecayedHours
    kept_share: float | None
    share: float
    effective_weight: float
    points_lost: float
    executed: int
    clauses: int


@dataclass(frozen=True, slots=True)
class TrustCap:
    """Upper limit on the score because of the present state."""

    limit: float
    reason: str


@dataclass(frozen=True, slots=True)
class TrustScore:
    """Trust score with its exact explanation.

    `number` is 0-100, or None while fewer than five data versions were seen. `badge` is what a
    badge shows. `known_share` is 0-1 over all promised objectives, `effective_versions` the n that
    was used. `to_raise` says in words what would raise the number most.
    """

    number: float | None
    badge: str
    uncapped: float
    parts: tuple[TrustPart, ...]
    caps: tuple[TrustCap, ...]
    known_share: float
    data_versions: int
    effective_versions: float
    to_raise: str
    score_version: str = ts1.SCORE_VERSION


def trust_of(record: ProductRecord, *, now: datetime) -> TrustScore:
    """Return the score of a product as of `now`."""
    return score(trust_input(record, now=now))


def trust_input(record: ProductRecord, *, now: datetime) -> TrustInput:
    """Return the inputs of the score: the ledger's last 56 days and the last run's coverage."""
    coverage = _coverage_by_objective(record.last_run)
    evidence = {
        line.standing.objective: _evidence_of(
            line, coverage.get(line.standing.objective, Coverage(1, 1)), now
        )
        for line in record.lines
        if line.standing.objective in ts1.WEIGHTS
    }
    seen = _seen_in_window(record.data_versions, now)
    return TrustInput(evidence, len(seen), effective_versions(seen, now=now))


def score(given: TrustInput) -> TrustScore:
    """Compute ts/1: 100 sqrt(product of s^w, times the weakest core s), and then the caps."""
    n = min(given.effective_versions, ts1.LARGEST_EVIDENCE)
    shares = {objective: _share(given.evidence.get(objective), n) for objective in ts1.WEIGHTS}
    weakest = min(ts1.CORE, key=lambda objective: shares[objective])
    effective = {
        objective: weight / 2 + (0.5 if objective is weakest else 0.0)
        for objective, weight in ts1.WEIGHTS.items()
    }
    losses = {
        objective: -effective[objective] * math.log(share) for objective, share in shares.items()
    }
    uncapped = 100 * math.exp(-sum(losses.values()))
    per_loss = (100 - uncapped) / sum(losses.values())
    parts = tuple(
        _part(
            objective,
            given.evidence.get(objective),
            share=shares[objective],
            effective_weight=effective[objective],
            points_lost=losses[objective] * per_loss,
        )
        for objective in ts1.WEIGHTS
    )
    caps = _caps(given.evidence)
    is_new = given.data_versions < ts1.FEWEST_VERSIONS
    number = None if is_new else min(uncapped, *(cap.limit for cap in caps), 100.0)
    return TrustScore(
        number=number,
        badge="new" if number is None else f"{number:.1f}",
        uncapped=uncapped,
        parts=parts,
        caps=caps,
        known_share=_known_share(given.evidence.values()),
        data_versions=given.data_versions,
        effective_versions=n,
        to_raise=_to_raise(parts, _binding_cap(caps, uncapped), versions=given.data_versions),
    )


def wilson_lower_bound(share: float, n: float) -> float:
    """Return the one-sided 90 % lower bound of a share 0-1 seen `n` times; 0 for no evidence."""
    if n <= 0:
        return 0.0
    z2 = ts1.WILSON_Z**2
    spread = ts1.WILSON_Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (share + z2 / (2 * n) - spread) / (1 + z2 / n)


def decayed_hours(start: datetime, end: datetime, *, now: datetime) -> float:
    """Return the hours of `[start, end)` that lie in the window, halved every 14 days of age."""
    oldest = min(now - start, ts1.WINDOW)
    youngest = max(now - end, timedelta(0))
    if youngest >= oldest:
        return 0.0
    scale = ts1.HALF_LIFE.total_seconds() / 3600 / math.log(2)
    return scale * (2 ** -(youngest / ts1.HALF_LIFE) - 2 ** -(oldest / ts1.HALF_LIFE))


def effective_versions(versions: Iterable[DataVersion], *, now: datetime) -> float:
    """Return Kish's effective number of the versions under the score's decay, not capped."""
    weights = [
        2 ** -(max(now - version.first_seen_at, timedelta(0)) / ts1.HALF_LIFE)
        for version in _seen_in_window(versions, now)
    ]
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares else 0.0


def executed_share(results: Coverage) -> float:
    """Return the share of an objective's clauses that were executed; 1 if none is promised."""
    return results.ratio if results.promised else 1.0


def _evidence_of(line: LedgerLine, coverage: Coverage, now: datetime) -> ObjectiveEvidence:
    hours = dict.fromkeys(ObjectiveState, 0.0)
    for interval in intervals_of(line, start=now - ts1.WINDOW, end=now):
        hours[interval.state] += decayed_hours(interval.start, interval.end, now=now)
    return ObjectiveEvidence(
        hours=DecayedHours(
            good=hours[ObjectiveState.GOOD],
            bad=hours[ObjectiveState.BAD],
            unknown=hours[ObjectiveState.UNKNOWN],
        ),
        executed=coverage.executed,
        promised=coverage.promised,
        state=state_at(line.standing, now),
    )


def _coverage_by_objective(run: RunResult | None) -> dict[Objective, Coverage]:
    """Count executed and promised clauses; a skip as unsupported is not executed."""
    counts: dict[Objective, Coverage] = {}
    for result in run.results if run else ():
        known = counts.get(result.promise.objective, Coverage(0, 0))
        unsupported = result.outcome is Outcome.SKIPPED and result.verdict.reason.startswith(
            NOT_EXECUTED
        )
        counts[result.promise.objective] = Coverage(
            known.executed + (not unsupported), known.promised + 1
        )
    return counts


def _seen_in_window(versions: Iterable[DataVersion], now: datetime) -> tuple[DataVersion, ...]:
    """Return each distinct version once, as first seen, if that is at most 56 days ago."""
    first: dict[str, DataVersion] = {}
    for version in sorted(versions, key=lambda version: version.first_seen_at):
        first.setdefault(version.version, version)
    return tuple(v for v in first.values() if now - v.first_seen_at <= ts1.WINDOW)


def _share(evidence: ObjectiveEvidence | None, n: float) -> float:
    """Return s: the bound on what was kept, drawn towards "no promise" by what is not executed."""
    if evidence is None:
        return ts1.NO_PROMISE_SHARE
    kept = _kept_share(evidence.hours)
    if kept is None:
        return ts1.NO_PROMISE_SHARE
    bound = max(wilson_lower_bound(kept, n), ts1.SMALLEST_SHARE)
    if bound <= ts1.NO_PROMISE_SHARE:
        return bound
    executed = executed_share(Coverage(evidence.executed, evidence.promised))
    return executed * bound + (1 - executed) * ts1.NO_PROMISE_SHARE


def _kept_share(hours: DecayedHours) -> float | None:
    whole = hours.good + hours.bad + hours.unknown
    return hours.good / whole if whole > 0 else None


def _known_share(evidence: Iterable[ObjectiveEvidence]) -> float:
    known = whole = 0.0
    for one in evidence:
        known += one.hours.good + one.hours.bad
        whole += one.hours.good + one.hours.bad + one.hours.unknown
    return known / whole if whole > 0 else 0.0


def _part(
    objective: Objective,
    evidence: ObjectiveEvidence | None,
    *,
    share: float,
    effective_weight: float,
    points_lost: float,
) -> TrustPart:
    hours = evidence.hours if evidence else DecayedHours()
    return TrustPart(
        objective=objective,
        promised=evidence is not None,
        hours=hours,
        kept_share=_kept_share(hours) if evidence else None,
        share=share,
        effective_weight=effective_weight,
        points_lost=points_lost,
        executed=evidence.executed if evidence else 0,
        clauses=evidence.promised if evidence else 0,
    )


def _caps(evidence: Mapping[Objective, ObjectiveEvidence]) -> tuple[TrustCap, ...]:
    caps: list[TrustCap] = []
    states = {
        objective: evidence[objective].state for objective in ts1.CORE if objective in evidence
    }
    limits = (
        (ObjectiveState.BAD, ts1.BREACHED_CAP, "breached now"),
        (ObjectiveState.UNKNOWN, ts1.UNKNOWN_CAP, "not known now"),
    )
    for state, limit, words in limits:
        found = [objective.value for objective, now in states.items() if now is state]
        if found:
            caps.append(TrustCap(limit, f"{', '.join(found)} {words}: at most {limit:.0f}"))
    return tuple(caps)


def _binding_cap(caps: tuple[TrustCap, ...], uncapped: float) -> tuple[TrustCap, ...]:
    return tuple(cap for cap in caps if cap.limit < uncapped)


def _to_raise(parts: tuple[TrustPart, ...], caps: tuple[TrustCap, ...], *, versions: int) -> str:
    if versions < ts1.FEWEST_VERSIONS:
        missing = ts1.FEWEST_VERSIONS - versions
        return f"{missing} more data version{'s' if missing > 1 else ''}, to have a number at all"
    if caps:
        return f"an end of what caps it: {caps[0].reason}"
    worst = max(parts, key=lambda part: part.points_lost)
    return f"{_advice(worst)} (up to {worst.points_lost:.1f} points)"


def _advice(part: TrustPart) -> str:
    """Word what cost an objective most: bad time, unknown time, skipped clauses or few versions."""
    name = part.objective.value
    if not part.promised:
        return f"a promise of {name}"
    whole = part.hours.good + part.hours.bad + part.hours.unknown
    bad = part.hours.bad / whole if whole else 0.0
    unknown = part.hours.unknown / whole if whole else 0.0
    unexecuted = 1 - executed_share(Coverage(part.executed, part.clauses))
    costs = {
        f"{name} kept all the time: it was broken {100 * bad:.1f} % of it": bad,
        f"{name} watched all the time: nothing was known {100 * unknown:.1f} % of it": unknown,
        f"clauses of {name} that can be executed: {part.executed} of {part.clauses} are": (
            unexecuted * ts1.NO_PROMISE_SHARE
        ),
        f"more data versions that keep {name}": _LEAST_COST,
    }
    return max(costs, key=lambda words: costs[words])
