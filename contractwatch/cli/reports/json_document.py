"""Render runs as JSON: the result format, version 1, that `docs/results.md` describes."""

import json
from datetime import datetime

from contractwatch.alerting.shared_reasons import SharedReasons, shared_reasons
from contractwatch.cli.reports.findings import Finding, Judged, Refused, Report, Samples
from contractwatch.errors import Problem
from contractwatch.model.record.run import CheckResult
from contractwatch.selection import Selection

VERSION = 1


def render(report: Report) -> str:
    """Return the whole document, indented, with a line break at its end."""
    body = {
        "version": VERSION,
        "selection": _selection(report.selection),
        "runs": [_run(finding) for finding in report.findings],
    }
    text = json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # what turns the direction of a terminal is written as an escape
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _selection(selection: Selection) -> dict[str, object] | None:
    if selection.is_everything:
        return None
    return {
        "quality_ids": list(selection.rule_ids),
        "tag": ",".join(selection.tags) or None,
        "tags": list(selection.tags),
        "dimension": ",".join(selection.dimensions) or None,
        "dimensions": [dimension.value for dimension in selection.dimensions],
        "checks": [topic.value for topic in selection.topics],
        "schema_name": ",".join(selection.tables) or None,
        "schema_names": list(selection.tables),
        "metadata_only": selection.metadata_only,
    }


def _run(finding: Finding) -> dict[str, object]:
    match finding:
        case Judged():
            return _judged(finding)
        case Refused():
            return _refused(finding)


def _judged(finding: Judged) -> dict[str, object]:
    contract, run = finding.contract, finding.run
    causes = shared_reasons(run)
    return {
        "contract": {
            "id": contract.contract_id,
            "name": contract.name,
            "version": contract.version,
            "product": contract.product,
            "file": contract.file,
            "fingerprint": contract.fingerprint,
        },
        "server": run.server or None,
        "outcome": run.outcome.value,
        "error": run.error,
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
        "coverage": {"executed": run.coverage.executed, "promised": run.coverage.promised},
        "scope": {table.name: table.where for table in contract.tables if table.where},
        "rows": run.rows,
        "data_version": run.data_version or None,
        "data_timestamp": run.data_timestamp and _time(run.data_timestamp),
        "problems": [_problem(problem) for problem in finding.problems],
        "causes": [{"reason": one, "checks": causes.counts[one]} for one in causes.listed],
        "checks": [_check(finding, result, causes) for result in run.results],
    }


def _refused(finding: Refused) -> dict[str, object]:
    nothing = dict.fromkeys(("id", "name", "version", "product"))
    return {
        "contract": {**nothing, "file": finding.file, "fingerprint": None},
        "server": None,
        "outcome": finding.outcome.value,
        "error": "the contract is refused",
        "started_at": None,
        "finished_at": None,
        "coverage": {"executed": 0, "promised": 0},
        "scope": {},
        "rows": None,
        "data_version": None,
        "data_timestamp": None,
        "problems": [_problem(problem) for problem in finding.problems],
        "causes": [],
        "checks": [],
    }


def _check(finding: Judged, result: CheckResult, causes: SharedReasons) -> dict[str, object]:
    promise, verdict = result.promise, result.verdict
    samples = finding.samples.get(promise.promise_id)
    return {
        "id": promise.promise_id,
        "clause": {"path": promise.clause.path, "line": promise.clause.line},
        "kind": promise.kind,
        "table": promise.table,
        "column": promise.column,
        "dimension": promise.dimension.value,
        "objective": promise.objective.value,
        "severity": promise.severity.value,
        "outcome": verdict.outcome.value,
        "reason": result.verdict.reason,
        "cause": causes.number_of(result),
        "promised": promise.expected,
        "observed": verdict.observed,
        "threshold": verdict.threshold,
        "rows": verdict.rows,
        "violations": verdict.violations,
        "vacuous": verdict.vacuous,
        "evidence": verdict.evidence and verdict.evidence.value,
        "stale_at": verdict.stale_at and _time(verdict.stale_at),
        "samples": samples and _samples(samples),
    }


def _samples(samples: Samples) -> dict[str, object]:
    return {
        "rows": list(samples.rows),
        "why_none": samples.why_none,
        "withheld": list(samples.withheld),
    }


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "message": problem.message,
        "level": problem.level.value,
    }


def _time(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
