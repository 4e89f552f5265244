"""Metric families of the products: name, type, labels and unit of every exported series."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contractwatch.display import visible
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.promises.lifetime import Ending
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import Phase, Urgency
from contractwatch.model.record.product import ProductCard
from contractwatch.model.record.run import CheckResult
from contractwatch.slo.status import StatusWord
from contractwatch.web.series.monotonic_counters import MonotonicCounters
from contractwatch.web.snapshot_cache import ProductView, RecordSnapshot

PREFIX = "contractwatch_"
LONGEST_LABEL = 128

SEVERITY_LABELS = {
    Severity.ERROR: Urgency.PAGE.value,
    Severity.WARNING: Urgency.TICKET.value,
    Severity.INFO: Urgency.INFO.value,
}

_INCIDENT_STATES = {Phase.OPEN: "open", Phase.RECOVERING: "recovering"}

_ENDINGS = {
    Ending.SUPPORT: "product_support_left_seconds",
    Ending.LIFE: "product_life_left_seconds",
}
_NO_TIER = ""
"""No contract names a tier yet; the label is kept for when one does."""

_DIGITS = 12


@dataclass(slots=True)
class Family:
    """A metric family with its samples, each a finished line."""

    name: str
    kind: str
    what: str
    samples: list[str] = field(default_factory=list[str])
    is_per_check: bool = False

    def add(self, labels: str, value: float) -> None:
        """Append a sample; `labels` is written out already, in braces or empty."""
        self.samples.append(f"{self.name}{labels} {_number(value)}")


_PRODUCT_TABLE = (
    ("product_info", "gauge", "Whose the product is and which contract is in force; always 1."),
    ("product_breached", "gauge", "1 while a promise of the product is broken."),
    ("product_unknown", "gauge", "1 while nothing certain is known; never good, never bad."),
    ("product_data_timestamp_seconds", "gauge", "Newest data time that was seen, Unix seconds."),
    (
        "product_last_evaluation_timestamp_seconds",
        "gauge",
        "End of the last run, Unix seconds; product_unknown says if it left nothing known.",
    ),
    (
        "product_trust_score_ratio",
        "gauge",
        "Trust score ts/1, 0-1; absent while the product is new. Up to two minutes old.",
    ),
    (
        "product_general_availability_timestamp_seconds",
        "gauge",
        "When the product is generally available, Unix seconds; absent without a date.",
    ),
    (
        "product_support_left_seconds",
        "gauge",
        "Seconds until the end of support, below 0 after it; absent without a date.",
    ),
    (
        "product_life_left_seconds",
        "gauge",
        "Seconds until the end of life, below 0 after it; absent without a date.",
    ),
    (
        "sli_measured_seconds_total",
        "counter",
        "Seconds with a verdict, good or bad; accrued between runs up to the last heartbeat.",
    ),
    ("sli_bad_seconds_total", "counter", "Seconds in which the objective was not kept."),
    (
        "sli_unknown_seconds_total",
        "counter",
        "Seconds in which a promised objective was unknown; overlaps count once.",
    ),
    ("slo_error_budget_ratio", "gauge", "Share of time that may be bad: 1 - target."),
    (
        "slo_error_budget_remaining_ratio",
        "gauge",
        "Share of the error budget that is left over the target's window; may be below 0.",
    ),
    ("check_failing", "gauge", "1 for each check that fails now; there is none for the others."),
)

_FLEET_TABLE = (
    ("fleet_products", "gauge", "Products with a contract in force."),
    ("fleet_products_breached", "gauge", "Products that break a promise now."),
    ("fleet_products_unknown", "gauge", "Products of which nothing certain is known now."),
    ("incidents_open", "gauge", "Incidents that were told and are not resolved."),
)

_SELF_TABLE = (
    ("export_series", "gauge", "Series in this text that are counted against the limit."),
    ("export_series_limit", "gauge", "Series that may be exported."),
    ("export_truncated", "gauge", "1 if series were left out to stay within the limit."),
    ("export_render_seconds", "gauge", "How long it took to write this text."),
)


def product_families(
    snapshot: RecordSnapshot,
    monotonic: MonotonicCounters,
    *,
    until: datetime,
    level: int,
    max_failing: int,
) -> tuple[Family, ...]:
    """Return the series of all products, counters accrued up to `until`."""
    families = _families(_PRODUCT_TABLE)
    families["check_failing"].is_per_check = True
    for view in snapshot.views.values():
        _add_state(families, view)
        _add_times(families, view)
        _add_lifetime(families, view.record.card, snapshot.taken_at)
        _add_objectives(families, view, monotonic, until=until, level=level)
        _add_failing(families["check_failing"], view, max_failing)
    for gone in snapshot.gone:
        name = _labels(product=gone.card.product)
        _add_card(families, gone.card)
        families["product_breached"].add(name, 0)
        families["product_unknown"].add(name, 1)
    return tuple(families.values())


def fleet_families(snapshot: RecordSnapshot) -> tuple[Family, ...]:
    """Return the counts over all products and incidents; those of no team at 0 at least."""
    families = _families(_FLEET_TABLE)
    views = snapshot.views.values()
    teams = Counter(_team_of(view) for view in views) or Counter({"": 0})
    breached = _count_by_team(views, StatusWord.BREACHED)
    unknown = _count_by_team(views, StatusWord.UNKNOWN)
    for team, products in sorted(teams.items()):
        labels = _labels(team=team, tier=_NO_TIER)
        families["fleet_products"].add(labels, products)
        families["fleet_products_breached"].add(labels, breached[team])
        families["fleet_products_unknown"].add(labels, unknown[team])
    incidents = Counter(
        (SEVERITY_LABELS[incident.severity], _INCIDENT_STATES[incident.phase])
        for view in views
        for incident in view.record.incidents
        if incident.phase in _INCIDENT_STATES
    )
    for severity in SEVERITY_LABELS.values():
        for state in _INCIDENT_STATES.values():
            labels = _labels(severity=severity, state=state)
            families["incidents_open"].add(labels, incidents[severity, state])
    return tuple(families.values())


def self_families(
    *, series: int, limit: int, is_truncated: bool, seconds: float
) -> tuple[Family, ...]:
    """Return the exporter's own series."""
    families = _families(_SELF_TABLE)
    families["export_series"].add("", series + len(_SELF_TABLE))
    families["export_series_limit"].add("", limit)
    families["export_truncated"].add("", int(is_truncated))
    families["export_render_seconds"].add("", seconds)
    return tuple(families.values())


def bounded_label(value: str) -> str:
    """Return a label value of at most 128 characters; if truncated, it ends in a hash."""
    if len(value) <= LONGEST_LABEL:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()[:8]
    return f"{value[: LONGEST_LABEL - 9]}~{digest}"


def check_label(result: CheckResult, contract_id: str) -> str:
    """Return the promise's id without the contract's, which the product stands for."""
    return bounded_label(result.promise.promise_id.removeprefix(f"{contract_id}/"))


def is_failing(result: CheckResult) -> bool:
    """Return whether the check found a broken promise in real rows."""
    return result.outcome is Outcome.FAILED and not result.verdict.vacuous


def _families(table: Iterable[tuple[str, str, str]]) -> Mapping[str, Family]:
    return {name: Family(f"{PREFIX}{name}", kind, what) for name, kind, what in table}


def _add_card(families: Mapping[str, Family], card: ProductCard) -> None:
    families["product_info"].add(
        _labels(
            product=card.product,
            team=card.team,
            tier=_NO_TIER,
            domain=card.domain,
            contract_version=card.version,
        ),
        1,
    )


def _add_state(families: Mapping[str, Family], view: ProductView) -> None:
    name = _labels(product=view.product)
    _add_card(families, view.record.card)
    families["product_breached"].add(name, int(view.status.word is StatusWord.BREACHED))
    families["product_unknown"].add(name, int(view.status.word is StatusWord.UNKNOWN))
    if view.trust.number is not None:
        families["product_trust_score_ratio"].add(name, view.trust.number / 100)


def _add_times(families: Mapping[str, Family], view: ProductView) -> None:
    name = _labels(product=view.product)
    run = view.record.last_run
    if run is None:
        return
    if run.data_timestamp is not None:
        newest = run.data_timestamp.timestamp()
        families["product_data_timestamp_seconds"].add(name, newest)
    families["product_last_evaluation_timestamp_seconds"].add(name, run.finished_at.timestamp())


def _add_lifetime(families: Mapping[str, Family], card: ProductCard, at: datetime) -> None:
    name = _labels(product=card.product)
    begins = card.lifetime.general_availability
    if begins is not None:
        families["product_general_availability_timestamp_seconds"].add(name, begins.timestamp())
    for ending, end in card.lifetime.endings():
        families[_ENDINGS[ending]].add(name, (end - at).total_seconds())


def _add_objectives(
    families: Mapping[str, Family],
    view: ProductView,
    monotonic: MonotonicCounters,
    *,
    until: datetime,
    level: int,
) -> None:
    counters = monotonic.read(view.record, until=until)
    name = _labels(product=view.product)
    families["sli_unknown_seconds_total"].add(name, counters.unknown)
    for line in view.budgets:
        objective = line.standing.objective
        if level < 2 and objective is not Objective.CONFORMANCE:  # noqa: PLR2004 - the level
            continue
        labels = _labels(product=view.product, slo=objective.value)
        families["sli_measured_seconds_total"].add(labels, counters.lines[objective].measured)
        families["sli_bad_seconds_total"].add(labels, counters.lines[objective].bad)
        families["slo_error_budget_ratio"].add(labels, round(1 - line.budget.target.ratio, _DIGITS))
        if line.budget.remaining_ratio is not None:
            remaining = round(line.budget.remaining_ratio, _DIGITS)
            families["slo_error_budget_remaining_ratio"].add(labels, remaining)


def _add_failing(family: Family, view: ProductView, at_most: int) -> None:
    run = view.record.last_run
    contract_id = view.record.card.contract_id
    failing = {
        _labels(
            product=view.product,
            check=check_label(result, contract_id),
            slo=result.promise.objective.value,
            severity=SEVERITY_LABELS[result.promise.severity],
        )
        for result in (run.results if run else ())
        if is_failing(result)
    }
    for labels in sorted(failing)[: max(0, at_most - len(family.samples))]:
        family.add(labels, 1)


def _count_by_team(views: Iterable[ProductView], word: StatusWord) -> Counter[str]:
    return Counter(_team_of(view) for view in views if view.status.word is word)


def _team_of(view: ProductView) -> str:
    # as it is written: two names that are escaped alike must not export the same series twice
    return visible(view.record.card.team)


def _labels(**values: str) -> str:
    inside = ",".join(
        f'{name}="{_escape_label(bounded_label(visible(value)))}"' for name, value in values.items()
    )
    return f"{{{inside}}}"


def _escape_label(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
