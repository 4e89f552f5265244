"""Response bodies of the API, as plain values ready for JSON."""

from collections.abc import Iterable
from datetime import datetime

from contractwatch.alerting.upstream import upstream_json
from contractwatch.model.base.objective import Interval, StateSeconds
from contractwatch.model.promises.upstream import Upstream
from contractwatch.model.record.incident import BrokenPromise, DeliveryRecord, Incident
from contractwatch.model.record.product import BudgetLine, LedgerLine, RunSummary
from contractwatch.model.record.run import CheckResult, RunResult
from contractwatch.slo.budget import compliance_of, intervals_of
from contractwatch.slo.ledger import merge_intervals
from contractwatch.slo.trust import TrustPart, TrustScore
from contractwatch.web.snapshot_cache import ProductView
from contractwatch.web.views.timeline import LONGEST_WINDOW
from contractwatch.web.views.words import iso

BODY_VERSION = 1
Body = dict[str, object]


def product_body(view: ProductView) -> Body:
    """Return one line of the list of products."""
    card = view.record.card
    run = view.record.last_run
    headline = view.headline
    return {
        "product": card.product,
        "domain": card.domain,
        "team": card.team,
        "owners": list(card.owners),
        "purpose": card.purpose,
        "contract": {
            "id": card.contract_id,
            "version": card.version,
            "status": card.status,
            "file": card.file,
            "fingerprint": card.fingerprint,
        },
        "lifetime": lifetime_body(view),
        "status": status_body(view),
        "budget": None if headline is None else _budget(headline),
        "score": None if view.trust.number is None else round(view.trust.number, 1),
        "score_badge": view.trust.badge,
        "score_version": view.trust.score_version,
        "coverage": None if run is None else _coverage(run),
        "last_run": None if run is None else _last_run(run),
    }


def detail_body(view: ProductView, upstream: tuple[Upstream, ...] = ()) -> Body:
    """Return everything that is known of a product."""
    run = view.record.last_run
    return {
        "version": BODY_VERSION,
        **product_body(view),
        "objectives": [
            objective_body(view, line, budget)
            for line, budget in zip(view.record.lines, view.budgets, strict=True)
        ],
        "trust": trust_body(view),
        "incidents": [
            incident_body(incident, view.record.deliveries)
            for incident in reversed(view.record.incidents)
        ],
        "inputs": [
            {"contract": one.contract, "product": one.product or None}
            for one in view.record.card.inputs
        ],
        "upstream": upstream_json(upstream),
        "checks": [check_body(result) for result in (run.results if run else ())],
        "runs": [_run_summary(summary) for summary in view.record.runs],
        "data_versions": len(view.record.data_versions),
        "as_of": iso(view.as_of),
    }


def lifetime_body(view: ProductView) -> Body:
    """Return the stage of the product, its dates, and the seconds left of support and of life."""
    lifetime, now = view.record.card.lifetime, view.as_of
    support, life = lifetime.end_of_support, lifetime.end_of_life
    return {
        "stage": lifetime.stage_at(now).value,
        "general_availability": iso_or_none(lifetime.general_availability),
        "end_of_support": iso_or_none(support),
        "end_of_life": iso_or_none(life),
        "support_left_seconds": None if support is None else (support - now).total_seconds(),
        "life_left_seconds": None if life is None else (life - now).total_seconds(),
    }


def status_body(view: ProductView) -> Body:
    """Return the word, since when it holds, and the objectives that are the reason."""
    return {
        "word": view.status.word.value,
        "since": iso_or_none(view.status.since),
        "breached": [objective.value for objective in view.status.breached],
        "unknown": [objective.value for objective in view.status.unknown],
        "at_risk": [objective.value for objective in view.status.at_risk],
    }


def trust_body(view: ProductView) -> Body:
    """Return the score with its exact explanation and what it was computed from."""
    trust: TrustScore = view.trust
    return {
        "version": BODY_VERSION,
        "product": view.product,
        "score": None if trust.number is None else round(trust.number, 1),
        "score_badge": trust.badge,
        "score_version": trust.score_version,
        "uncapped": trust.uncapped,
        "parts": [_trust_part(part) for part in trust.parts],
        "caps": [{"limit": cap.limit, "reason": cap.reason} for cap in trust.caps],
        "known_share": trust.known_share,
        "data_versions": trust.data_versions,
        "effective_versions": trust.effective_versions,
        "to_raise": trust.to_raise,
        "as_of": iso(view.as_of),
    }


def incident_body(incident: Incident, deliveries: Iterable[DeliveryRecord]) -> Body:
    """Return an incident with the promises that broke, and what became of all that was told."""
    return {
        "id": incident.incident_id,
        "product": incident.product,
        "objective": incident.objective.value,
        "cause": incident.cause.value,
        "phase": incident.phase.value,
        "severity": incident.severity.value,
        "episode": incident.episode,
        "since": iso(incident.since),
        "opened_at": iso_or_none(incident.opened_at),
        "recovering_since": iso_or_none(incident.recovering_since),
        "resolved_at": iso_or_none(incident.resolved_at),
        "broken": [_broken(promise) for promise in incident.broken],
        "told": [
            {
                "receiver": one.receiver or None,
                "kind": one.kind.value,
                "state": one.state.value,
                "at": iso(one.at),
            }
            for one in deliveries
            if one.incident_id == incident.incident_id
        ],
    }


def check_body(result: CheckResult) -> Body:
    """Return a promise and what was found: numbers and words, never a cell's value."""
    promise, verdict, timing = result.promise, result.verdict, result.timing
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
        "reason": verdict.reason,
        "expected": promise.expected,
        "observed": verdict.observed,
        "threshold": verdict.threshold,
        "rows": verdict.rows,
        "violations": verdict.violations,
        "vacuous": verdict.vacuous,
        "judged_at": None if timing is None else iso(timing.judged_at),
        "next_at": None if timing is None else iso(timing.next_at),
    }


def objective_body(view: ProductView, line: LedgerLine, budget: BudgetLine) -> Body:
    """Return one objective: its state, target, budget, compliance and the last 28 days."""
    compliance = compliance_of(line, budget.budget.target, now=view.as_of)
    shown = merge_intervals(intervals_of(line, start=view.as_of - LONGEST_WINDOW, end=view.as_of))
    return {
        "objective": budget.standing.objective.value,
        "state": budget.standing.state.value,
        "since": iso(budget.standing.since),
        "observed_at": iso(budget.standing.observed_at),
        "budget": _budget(budget),
        "compliance": {
            "low": compliance.low,
            "point": compliance.point,
            "high": compliance.high,
            "known_share": compliance.known_share,
            "verdict": compliance.verdict,
        },
        "intervals": [_interval(interval) for interval in shown],
    }


def iso_or_none(moment: datetime | None) -> str | None:
    """Return the instant as ISO-8601, or None."""
    return None if moment is None else iso(moment)


def _budget(line: BudgetLine) -> Body:
    budget = line.budget
    return {
        "target_ratio": budget.target.ratio,
        "target_is_default": budget.target.is_default,
        "window_seconds": budget.target.window.total_seconds(),
        "remaining_ratio": budget.remaining_ratio,
        "spent_seconds": budget.spent_seconds,
        "allowed_seconds": budget.allowed_seconds,
        "seconds": _seconds(budget.seconds),
    }


def _seconds(seconds: StateSeconds) -> Body:
    return {
        "good": seconds.good,
        "bad": seconds.bad,
        "unknown": seconds.unknown,
        "excluded": seconds.excluded,
    }


def _interval(interval: Interval) -> Body:
    return {
        "start": iso(interval.start),
        "end": iso(interval.end),
        "state": interval.state.value,
    }


def _coverage(run: RunResult) -> Body:
    return {"executed": run.coverage.executed, "promised": run.coverage.promised}


def _last_run(run: RunResult) -> Body:
    return {
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "outcome": run.outcome.value,
        "server": run.server,
        "contract_version": run.contract_version,
        "data_version": run.data_version,
        "data_timestamp": iso_or_none(run.data_timestamp),
        "rows": run.rows,
        "error": run.error,
        "blame": None if run.blame is None else run.blame.value,
    }


def _run_summary(summary: RunSummary) -> Body:
    return {
        "started_at": iso(summary.started_at),
        "finished_at": iso(summary.finished_at),
        "outcome": summary.outcome.value,
        "coverage": {
            "executed": summary.coverage.executed,
            "promised": summary.coverage.promised,
        },
        "error": summary.error,
    }


def _trust_part(part: TrustPart) -> Body:
    return {
        "objective": part.objective.value,
        "promised": part.promised,
        "good_hours": part.hours.good,
        "bad_hours": part.hours.bad,
        "unknown_hours": part.hours.unknown,
        "kept_share": part.kept_share,
        "share": part.share,
        "effective_weight": part.effective_weight,
        "points_lost": part.points_lost,
        "executed": part.executed,
        "clauses": part.clauses,
    }


def _broken(promise: BrokenPromise) -> Body:
    return {
        "id": promise.promise_id,
        "clause": {"path": promise.clause_path, "line": promise.clause_line},
        "table": promise.table,
        "column": promise.column,
        "expected": promise.expected,
        "observed": promise.observed,
        "severity": promise.severity.value,
        "rows": promise.rows,
        "violations": promise.violations,
        "reason": promise.reason,
    }
