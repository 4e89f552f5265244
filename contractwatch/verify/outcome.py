"""Outcome of a run: what its results come to, its coverage, and the reasons in words."""

from collections.abc import Iterable
from dataclasses import replace

from contractwatch.checks.volume.row_count import ROW_COUNT
from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.record.check import WRONG, Outcome, Verdict
from contractwatch.model.record.run import CheckResult, Coverage, RunOutcome

_REASONS_SHOWN = 3
EXECUTED = frozenset({Outcome.PASSED, Outcome.FAILED})


def outcome_of(results: Iterable[CheckResult]) -> RunOutcome:
    """Return the outcome of a run: failed, error, warning or passed, in this order of precedence.

    A run of which nothing was executed is an error.
    """
    found = tuple(results)
    failed = [result for result in found if result.outcome is Outcome.FAILED]
    if any(result.promise.severity is Severity.ERROR for result in failed):
        return RunOutcome.FAILED
    if any(result.outcome is Outcome.ERROR for result in found):
        return RunOutcome.ERROR
    if all(result.outcome is Outcome.SKIPPED for result in found):
        return RunOutcome.ERROR
    if failed or has_wrong_clause(found) or _has_unpromised_emptiness(found):
        return RunOutcome.WARNING
    return RunOutcome.PASSED


def has_wrong_clause(results: Iterable[CheckResult]) -> bool:
    """Whether a clause is not judged because something is wrong in the contract."""
    return any(
        result.outcome is Outcome.SKIPPED and result.verdict.reason.startswith(WRONG)
        for result in results
    )


def _has_unpromised_emptiness(results: Iterable[CheckResult]) -> bool:
    empty: set[str] = set()
    counted: set[str] = set()
    for result in results:
        if result.verdict.vacuous:
            empty.add(result.promise.table)
        elif result.promise.kind == ROW_COUNT.name and result.outcome is Outcome.PASSED:
            counted.add(result.promise.table)
    return bool(empty - counted)


def coverage_of(results: Iterable[CheckResult]) -> Coverage:
    """Return how many clauses were executed, of all; one counts if all of its results were."""
    executed: dict[Clause, bool] = {}
    for result in results:
        clause = result.promise.clause
        executed[clause] = executed.get(clause, True) and result.outcome in EXECUTED
    return Coverage(executed=sum(executed.values()), promised=len(executed))


def with_scope_words(verdict: Verdict, extents: Iterable[AnswerScope]) -> Verdict:
    """Return a verdict that says which rows it is about: nobody may take them for all."""
    words = dict.fromkeys(extent.words for extent in extents if extent.words)
    if not words:
        return verdict
    return replace(verdict, reason="; ".join(filter(None, (verdict.reason, *words))))


def why_nothing_ran(results: tuple[CheckResult, ...]) -> str:
    """Return why a run ended in an error: its first reasons, each once."""
    errors = [result for result in results if result.outcome is Outcome.ERROR]
    if errors:
        what = f"{len(errors)} of {len(results)} checks have no answer"
        return f"{what}: {_first_reasons(errors)}"
    return f"nothing was executed: {_first_reasons(results) or 'nothing is promised'}"


def _first_reasons(results: Iterable[CheckResult]) -> str:
    reasons = tuple(dict.fromkeys(result.verdict.reason for result in results))
    rest = len(reasons) - _REASONS_SHOWN
    more = (f"and {rest} more reasons",) if rest > 0 else ()
    return "; ".join((*reasons[:_REASONS_SHOWN], *more))
