"""Encode the results of a run compactly, as differences to its plan.

A plan holds what the runs of one contract version on one server have in common, once: the promises
and, for each, the threshold and the reason of the first run. A run keeps one column for each field
of its verdicts, by position in the plan, and of thresholds and reasons only those that differ.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.run import CheckResult, RunResult, Timing
from contractwatch.store.database.codec import dump, from_micros, load, to_micros

_LETTERS = {Outcome.PASSED: "p", Outcome.FAILED: "f", Outcome.ERROR: "e", Outcome.SKIPPED: "s"}
_EVIDENCE = {None: "-", Evidence.METADATA: "m", Evidence.SCAN: "s", Evidence.STATE: "k"}
_EVIDENCES = {letter: evidence for evidence, letter in _EVIDENCE.items()}
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Key of a plan: runs with an equal identity share one."""

    contract_id: str
    contract_version: str
    fingerprint: str
    server: str
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What the runs of one plan share; one threshold and reason for each promise."""

    identity: RunIdentity
    thresholds: tuple[str, ...]
    reasons: tuple[str, ...]


def identity_of(run: RunResult) -> RunIdentity:
    """Return what tells the plan of a run from others."""
    return RunIdentity(
        run.contract_id,
        run.contract_version,
        run.fingerprint,
        run.server,
        tuple(result.promise for result in run.results),
    )


def digest_of(identity: RunIdentity) -> str:
    """Return the SHA-256 by which the plan of equal runs is found."""
    return hashlib.sha256(dump(identity, RunIdentity).encode()).hexdigest()


def plan_of(run: RunResult) -> RunPlan:
    """Return the plan that a run writes when it is the first of its kind."""
    return RunPlan(
        identity_of(run),
        tuple(result.verdict.threshold for result in run.results),
        tuple(result.verdict.reason for result in run.results),
    )


def pack_plan(plan: RunPlan) -> bytes:
    """Return a plan as bytes."""
    return zlib.compress(dump(plan, RunPlan).encode(), 9)


def unpack_plan(content: bytes) -> RunPlan:
    """Return the plan that `pack_plan` wrote."""
    return load(zlib.decompress(content), RunPlan)


def pack_results(results: Sequence[CheckResult], plan: RunPlan) -> bytes:
    """Return the verdicts as bytes; `results` are in the order of the plan's promises."""
    verdicts = [result.verdict for result in results]
    columns: dict[str, object] = {
        "outcome": "".join(_LETTERS[verdict.outcome] for verdict in verdicts),
        "evidence": _evidence(verdicts),
        "observed": _column([verdict.observed for verdict in verdicts]),
        "rows": _column([verdict.rows for verdict in verdicts]),
        "violations": _column([verdict.violations for verdict in verdicts]),
        "vacuous": [index for index, verdict in enumerate(verdicts) if verdict.vacuous],
        "stale_at": {
            index: to_micros(verdict.stale_at)
            for index, verdict in enumerate(verdicts)
            if verdict.stale_at is not None
        },
        "timing": {
            index: [to_micros(result.timing.judged_at), to_micros(result.timing.next_at)]
            for index, result in enumerate(results)
            if result.timing is not None
        },
        "threshold": _changes([verdict.threshold for verdict in verdicts], plan.thresholds),
        "reason": _changes([verdict.reason for verdict in verdicts], plan.reasons),
    }
    kept = {name: column for name, column in columns.items() if column}
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), 9)


def unpack_results(content: bytes, plan: RunPlan) -> tuple[CheckResult, ...]:
    """Return the results that `pack_results` wrote."""
    columns: dict[str, Any] = json.loads(zlib.decompress(content))
    promises = plan.identity.promises
    none = [None] * len(promises)
    vacuous = frozenset(columns.get("vacuous", ()))
    evidence = columns.get("evidence", "-" * len(promises))
    stale = _by_index(columns.get("stale_at", {}))
    thresholds = _by_index(columns.get("threshold", {}))
    reasons = _by_index(columns.get("reason", {}))
    timings = _by_index(columns.get("timing", {}))
    fields = zip(
        promises,
        columns.get("outcome", ""),
        columns.get("observed", none),
        columns.get("rows", none),
        columns.get("violations", none),
        evidence,
        strict=True,
    )
    return tuple(
        CheckResult(
            promise,
            Verdict(
                outcome=_OUTCOMES[letter],
                observed=observed,
                threshold=thresholds.get(index, plan.thresholds[index]),
                rows=rows,
                violations=violations,
                reason=reasons.get(index, plan.reasons[index]),
                vacuous=index in vacuous,
                stale_at=from_micros(stale[index]) if index in stale else None,
                evidence=_EVIDENCES[known],
            ),
            Timing(*map(from_micros, timings[index])) if index in timings else None,
        )
        for index, (promise, letter, observed, rows, violations, known) in enumerate(fields)
    )


def _evidence(verdicts: Sequence[Verdict]) -> str:
    letters = "".join(_EVIDENCE[verdict.evidence] for verdict in verdicts)
    return letters if letters.strip("-") else ""


def _column(values: list[Any]) -> list[Any]:
    return [] if all(value is None for value in values) else values


def _changes(values: Sequence[str], usual: Sequence[str]) -> dict[int, str]:
    pairs = enumerate(zip(values, usual, strict=True))
    return {index: value for index, (value, known) in pairs if value != known}


def _by_index(column: Mapping[str, Any]) -> dict[int, Any]:
    return {int(index): value for index, value in column.items()}
