"""Render runs as Markdown, for the summary of a job or a comment."""

import re
from collections.abc import Iterator

from contractwatch.alerting.shared_reasons import SharedReasons, shared_reasons
from contractwatch.cli.escape import printable
from contractwatch.cli.reports.findings import Judged, Refused, Report
from contractwatch.cli.reports.words import (
    column_path,
    counts_of,
    coverage_of,
    grade_of,
    observation_of,
    title_of,
    worst_first,
)
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult

_MARKS = {"failed": "❌", "error": "❓", "warning": "⚠️", "skipped": "⏭️", "passed": "✅"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~!@&])")


def render(report: Report) -> str:
    """Return a section for each run."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield "# Data contracts"
    if not report.selection.is_everything:
        yield f"\nSelected: {_text(str(report.selection))}"
    for finding in report.findings:
        match finding:
            case Judged():
                yield from _run(finding, report)
            case Refused():
                yield f"\n## {_MARKS['error']} {_text(finding.file)}: error\n"
                yield "The contract is refused.\n"
                yield from (f"- {_text(str(problem))}" for problem in finding.problems)


def _run(finding: Judged, report: Report) -> Iterator[str]:
    run = finding.run
    outcome = run.outcome.value
    yield f"\n## {_MARKS[outcome]} {_text(title_of(finding))}: {outcome}\n"
    rows = "" if run.rows is None else f"; {run.rows:,} row{'s' if run.rows != 1 else ''}"
    counts = counts_of(run.results) or "no checks"
    yield f"{counts}{rows}; {coverage_of(run)}; {_text(finding.contract.file)}"
    if run.error:
        yield f"\n**{_text(run.error)}**"
    shown = [
        result
        for result in worst_first(run.results)
        if report.show_all or result.outcome is not Outcome.PASSED
    ]
    causes = shared_reasons(run)
    if causes.listed:
        yield ""
    for number, reason in enumerate(causes.listed, 1):
        yield f"- cause {number}, of {causes.counts[reason]} checks: {_text(reason)}"
    if shown:
        yield "\n| outcome | where | promised | observed | line |"
        yield "|---|---|---|---|---:|"
        yield from (_row(result, causes) for result in shown)


def _row(result: CheckResult, causes: SharedReasons) -> str:
    promise, grade = result.promise, grade_of(result)
    cells = (
        f"{_MARKS[grade]} {grade}",
        _text(f"{column_path(result)} {promise.kind}"),
        _text(promise.expected or promise.kind),
        _text(observation_of(result, causes)),
        str(promise.clause.line),
    )
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(text).replace("\n", " "))
