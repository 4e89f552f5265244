"""Render runs as JUnit XML: a suite for each run, a case for each promise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from contractwatch.alerting.shared_reasons import shared_reasons
from contractwatch.cli.escape import printable, without_workflow_commands
from contractwatch.cli.reports.findings import FailOn, Judged, Refused, Report
from contractwatch.cli.reports.words import (
    column_path,
    grade_of,
    is_failure,
    observation_of,
    sentence_of,
    title_of,
)
from contractwatch.errors import Level
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunOutcome


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case: `kind` is failure, error, skipped, system-out, or empty for a plain pass."""

    name: str
    group: str
    line: int
    kind: str = ""
    grade: str = ""
    message: str = ""
    body: str = ""


def render(report: Report) -> str:
    """Return the whole document.

    A broken promise of lower severity is a passed case with a note, unless warnings fail the call.
    """
    suites = [_suite(finding, report) for finding in report.findings]
    cases = [case for _, _, found in suites for case in found]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f"<testsuites{_attributes(name='contractwatch', **_counts(cases))}>")
    for attributes, selection, found in suites:
        lines.append(f"  <testsuite{_attributes(**attributes, **_counts(found))}>")
        lines += selection
        for case in found:
            lines += _case(case, attributes["file"])
        lines.append("  </testsuite>")
    return without_workflow_commands("\n".join([*lines, "</testsuites>"]) + "\n")


def _suite(
    finding: Judged | Refused, report: Report
) -> tuple[dict[str, str], list[str], list[_Case]]:
    if isinstance(finding, Refused):
        return {"name": finding.file, "file": finding.file}, [], [_refusal(finding)]
    run = finding.run
    attributes = {
        "name": title_of(finding),
        "file": finding.contract.file,
        "timestamp": run.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    coverage = f"{run.coverage.executed} of {run.coverage.promised}"
    known = {"outcome": run.outcome.value, "coverage": coverage}
    if not report.selection.is_everything:
        known["selection"] = str(report.selection)
    known |= {f"cause {at}": reason for at, reason in enumerate(shared_reasons(run).listed, 1)}
    listed = [
        f"      <property{_attributes(name=name, value=value)}/>" for name, value in known.items()
    ]
    properties = ["    <properties>", *listed, "    </properties>"]
    return attributes, properties, [*_whole(finding), *_promises(finding, report.fail_on)]


def _whole(finding: Judged) -> Iterator[_Case]:
    """Yield a case for a run without a verdict: none of its checks may say so."""
    run = finding.run
    if run.outcome is RunOutcome.ERROR:
        yield _Case("verdict", "run", 0, "error", "error", run.error)


def _promises(finding: Judged, fail_on: FailOn) -> Iterator[_Case]:
    causes = shared_reasons(finding.run)
    for result in finding.run.results:
        promise, grade = result.promise, grade_of(result)
        name, line = f"{promise.kind} ({promise.promise_id})", promise.clause.line
        body = (
            f"{finding.contract.file}:{line}: {promise.clause.path}\n{sentence_of(result, causes)}"
        )
        kind = _kind(result, fail_on)
        message = observation_of(result, causes) or grade
        yield _Case(name, column_path(result), line, kind, grade, message, body if kind else "")


def _kind(result: CheckResult, fail_on: FailOn) -> str:
    match result.outcome:
        case Outcome.PASSED:
            return ""
        case Outcome.FAILED:
            return "failure" if is_failure(result, fail_on) else "system-out"
        case Outcome.ERROR:
            return "error"
        case Outcome.SKIPPED:
            return "skipped"


def _refusal(finding: Refused) -> _Case:
    wrong = [problem for problem in finding.problems if problem.level is Level.ERROR]
    body = "\n".join(str(problem) for problem in finding.problems)
    line = wrong[0].line if wrong else 0
    return _Case("contract", "contract", line, "error", "error", "the contract is refused", body)


def _case(case: _Case, file: str) -> list[str]:
    line = {"line": str(case.line)} if case.line else {}
    opening = f"    <testcase{_attributes(name=case.name, classname=case.group, file=file, **line)}"
    if not case.kind:
        return [f"{opening}/>"]
    if case.kind == "system-out":
        inner = f"      <system-out>{_text(f'{case.grade}: {case.body}')}</system-out>"
    elif case.kind == "skipped":
        inner = f"      <skipped{_attributes(message=case.message)}/>"
    else:
        attributes = _attributes(message=case.message, type=case.grade)
        inner = f"      <{case.kind}{attributes}>{_text(case.body)}</{case.kind}>"
    return [f"{opening}>", inner, "    </testcase>"]


def _counts(cases: Sequence[_Case]) -> dict[str, str]:
    kinds = [case.kind for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
    }


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{_text(value, " ")}"' for name, value in values.items())


def _text(text: str, line_break: str = "\n") -> str:
    return escape(printable(text).replace("\n", line_break))
