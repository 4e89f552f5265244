"""Render runs as SARIF 2.1.0, which code hosts and editors show at the line of the contract."""

import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from contractwatch import __version__
from contractwatch.alerting.shared_reasons import SharedReasons, shared_reasons
from contractwatch.cli.escape import printable
from contractwatch.cli.reports.findings import Judged, Refused, Report
from contractwatch.cli.reports.words import column_path, sentence_of, title_of
from contractwatch.errors import Level, Problem
from contractwatch.model.base.clause import Severity
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunOutcome

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_CONTRACT = "contract"
_ABOUT_CONTRACT = "what is wrong in a contract file"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_KINDS = {Outcome.PASSED: "pass", Outcome.ERROR: "open", Outcome.SKIPPED: "notApplicable"}


def render(report: Report) -> str:
    """Return the whole document: one SARIF run with an invocation for each run.

    Passed and skipped promises are told with `show_all` only.
    """
    results = [result for finding in report.findings for result in _results(finding, report)]
    names = sorted({str(result["ruleId"]) for result in results})
    place = {name: position for position, name in enumerate(names)}
    for result in results:
        result["ruleIndex"] = place[str(result["ruleId"])]
    driver = {
        "name": "contractwatch",
        "semanticVersion": __version__,
        "rules": [{"id": name, "shortDescription": {"text": _about(name)}} for name in names],
    }
    run: dict[str, object] = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints"}
    run["invocations"] = [_invocation(finding) for finding in report.findings]
    run["results"] = results
    if not report.selection.is_everything:
        run["properties"] = {"selection": printable(str(report.selection))}
    body = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _about(rule: str) -> str:
    return _ABOUT_CONTRACT if rule == _CONTRACT else f"promises of kind {printable(rule)}"


def _results(finding: Judged | Refused, report: Report) -> Iterator[dict[str, object]]:
    yield from map(_problem, finding.problems)
    if isinstance(finding, Refused):
        return
    causes = shared_reasons(finding.run)
    for result in finding.run.results:
        if report.show_all or result.outcome in {Outcome.FAILED, Outcome.ERROR}:
            yield _result(finding, result, causes)


def _result(finding: Judged, result: CheckResult, causes: SharedReasons) -> dict[str, object]:
    promise, failed = result.promise, result.outcome is Outcome.FAILED
    location = _location(finding.contract.file, promise.clause.line)
    name = {"fullyQualifiedName": printable(column_path(result)), "kind": "member"}
    return {
        "ruleId": printable(promise.kind),
        "kind": "fail" if failed else _KINDS[result.outcome],
        "level": _LEVELS[promise.severity] if failed else "none",
        "message": {"text": printable(f"{title_of(finding)}: {sentence_of(result, causes)}")},
        "locations": [location | {"logicalLocations": [name]}],
        "partialFingerprints": {
            "promise/v1": printable(f"{promise.promise_id}@{finding.run.server}")
        },
    }


def _problem(problem: Problem) -> dict[str, object]:
    place = f"{problem.path}: " if problem.path else ""
    return {
        "ruleId": _CONTRACT,
        "kind": "fail",
        "level": "error" if problem.level is Level.ERROR else "warning",
        "message": {"text": printable(f"{place}{problem.message}")},
        "locations": [_location(problem.file, problem.line)],
    }


def _location(file: str, line: int) -> dict[str, object]:
    uri = quote(file.encode("utf-8", "surrogateescape"))
    # the file is named as it was given; an absolute path is an address of its own
    artifact = {"uri": f"file://{uri}" if uri.startswith("/") else uri}
    physical: dict[str, object] = {"artifactLocation": artifact}
    if line:
        physical["region"] = {"startLine": line}
    return {"physicalLocation": physical}


def _invocation(finding: Judged | Refused) -> dict[str, object]:
    if isinstance(finding, Refused):
        message = f"{finding.file}: the contract is refused"
        return {"executionSuccessful": False, **_notifications(message)}
    run = finding.run
    done = run.outcome is not RunOutcome.ERROR
    return {
        "executionSuccessful": done,
        "startTimeUtc": _time(run.started_at),
        "endTimeUtc": _time(run.finished_at),
        **_shared_reasons(finding, shared_reasons(run), [] if done else [run.error]),
    }


def _shared_reasons(finding: Judged, causes: SharedReasons, errors: list[str]) -> dict[str, object]:
    """Return what ended the run, and the reasons that several checks share."""
    listed = (f"cause {number}: {reason}" for number, reason in enumerate(causes.listed, 1))
    return _notifications(*(f"{title_of(finding)}: {one}" for one in (*errors, *listed)))


def _notifications(*messages: str) -> dict[str, object]:
    told = [{"level": "error", "message": {"text": printable(one)}} for one in messages]
    return {"toolExecutionNotifications": told} if told else {}


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
