"""Wording that all report formats share: severities, locations, observations, coverage."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from contractwatch.alerting.broken_promises import observed_words
from contractwatch.alerting.shared_reasons import NO_SHARED_REASONS, SharedReasons
from contractwatch.cli.reports.findings import FailOn, Judged
from contractwatch.model.base.clause import Severity
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunResult

GRADES = ("failed", "error", "warning", "skipped", "passed")
"""The worst first."""

_NAMES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\d[\d,.]*")

RANK: Mapping[str, int] = {grade: place for place, grade in enumerate(GRADES)}


def grade_of(result: CheckResult) -> str:
    """Return the outcome; `warning` for a broken promise of a lower severity than error."""
    is_mild = result.promise.severity is not Severity.ERROR
    return "warning" if result.outcome is Outcome.FAILED and is_mild else result.outcome.value


def worst_first(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the results by grade, those of one grade in the order of the contract."""
    return sorted(results, key=lambda result: RANK[grade_of(result)])


def is_failure(result: CheckResult, fail_on: FailOn) -> bool:
    """Whether the result makes the command end with 1."""
    return grade_of(result) in ({"failed", "warning"} if fail_on is FailOn.WARNING else {"failed"})


def column_path(result: CheckResult) -> str:
    """Return `table.column`, or the table alone."""
    promise = result.promise
    return f"{promise.table}.{promise.column}" if promise.column else promise.table


def observation_of(result: CheckResult, causes: SharedReasons = NO_SHARED_REASONS) -> str:
    """Return what was observed, and why, in words without a value of the data."""
    observed, verdict = observed_words(result), result.verdict
    says_count = verdict.violations is not None and observed.endswith(("row", "rows"))
    if verdict.reason and says_count:
        return verdict.reason
    return "; ".join(filter(None, (observed, causes.reason_of(result))))


def sentence_of(result: CheckResult, causes: SharedReasons = NO_SHARED_REASONS) -> str:
    """Return the promise against what was observed, in one sentence."""
    promise = result.promise
    begins = f"{column_path(result)} {promise.kind}: promised {_expected(result)}"
    if causes.is_shared(result):
        return f"{begins}; no answer, {causes.reason_of(result)}"
    return f"{begins}; observed {observation_of(result) or result.outcome.value}"


def _expected(result: CheckResult) -> str:
    return result.promise.expected or result.promise.kind


def similarity_key(result: CheckResult) -> str:
    """Return a text that is the same for results that tell the same of different columns."""
    return f"{result.promise.kind}: {without_names(observation_of(result))}"


def without_names(text: str) -> str:
    """Return a sentence without its quoted names and numbers."""
    return _NAMES.sub("_", text)


def title_of(finding: Judged) -> str:
    """Return the product with its version and server."""
    run = finding.run
    server = f", server {run.server}" if run.server else ""
    return f"{run.product} {run.contract_version}{server}"


def counts_of(results: Iterable[CheckResult]) -> str:
    """Return how many results have each grade, the worst first."""
    counts = Counter(grade_of(result) for result in results)
    return ", ".join(f"{counts[grade]} {grade}" for grade in GRADES if counts[grade])


def coverage_of(run: RunResult) -> str:
    """Return the coverage in words, and how many checks rest on what was known of the files."""
    share = f"{100 * run.coverage.ratio:.0f} %"
    known = sum(result.verdict.evidence is Evidence.STATE for result in run.results)
    state = f"; {known} used answers of earlier runs" if known else ""
    return f"coverage: {run.coverage.executed} of {run.coverage.promised} clauses, {share}{state}"
