"""Render findings as workflow annotations of GitHub, at their lines of the contract."""

from collections.abc import Iterator

from contractwatch import verify
from contractwatch.alerting.shared_reasons import shared_reasons
from contractwatch.cli.escape import printable
from contractwatch.cli.reports.findings import Judged, Refused, Report
from contractwatch.cli.reports.words import (
    column_path,
    counts_of,
    coverage_of,
    grade_of,
    is_failure,
    sentence_of,
    title_of,
    worst_first,
)
from contractwatch.errors import Level, Problem
from contractwatch.model.base.clause import Severity
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunOutcome


def render(report: Report) -> str:
    """Return one workflow command a line, the worst of each run first, and a summary of each."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    if not report.selection.is_everything:
        yield _plain(f"selected: {report.selection}")
    for finding in report.findings:
        match finding:
            case Refused():
                yield from map(_problem, finding.problems)
                yield _plain(f"{finding.file}: error; the contract is refused")
            case Judged():
                yield from map(_problem, finding.problems)
                yield from _run(finding, report)


def _run(finding: Judged, report: Report) -> Iterator[str]:
    run, file = finding.run, finding.contract.file
    if run.error:
        yield _command("error", file, 0, title_of(finding), run.error)
    causes, told = shared_reasons(run), set[str]()
    for result in worst_first(run.results):
        level, reason = _level(result, report), result.verdict.reason
        if level and result.outcome is Outcome.ERROR and reason in causes.pointers:
            if reason in causes.listed and reason not in told:
                line, title = result.promise.clause.line, f"error: {title_of(finding)}"
                first = f"{column_path(result)} {result.promise.kind}"
                more = f" and {causes.counts[reason] - 1} more checks have no answer"
                yield _command(level, file, line, title, f"{first}{more}: {reason}")
            told.add(reason)
        elif level:
            line, title = result.promise.clause.line, f"{grade_of(result)}: {title_of(finding)}"
            yield _command(level, file, line, title, sentence_of(result))
    counts = counts_of(run.results) or "no checks"
    yield _plain(f"{title_of(finding)}: {run.outcome}; {counts}; {coverage_of(run)}")
    is_told = any(_level(r, report) for r in run.results) or verify.has_wrong_clause(run.results)
    if run.outcome is RunOutcome.WARNING and not is_told:
        yield _command("warning", file, 0, title_of(finding), "a table is empty")


def _level(result: CheckResult, report: Report) -> str:
    if result.outcome is Outcome.ERROR or is_failure(result, report.fail_on):
        return "error"
    if result.outcome is not Outcome.FAILED:
        return ""
    return "notice" if result.promise.severity is Severity.INFO else "warning"


def _problem(problem: Problem) -> str:
    level = "error" if problem.level is Level.ERROR else "warning"
    place = f"{problem.path}: " if problem.path else ""
    return _command(level, problem.file, problem.line, "contract", f"{place}{problem.message}")


def _command(level: str, file: str, line: int, title: str, message: str) -> str:
    where = f"file={_property(file)}" + (f",line={line}" if line else "")
    return f"::{level} {where},title={_property(title)}::{_escaped(message)}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def _plain(text: str) -> str:
    """Return a line that the workflow takes for no command."""
    return printable(text).replace("\n", " ").replace("::", ": :")
