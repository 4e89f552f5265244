"""What each dashboard shows: one record a panel, in the order of the screen."""

from dataclasses import dataclass
from enum import StrEnum

GREEN, AMBER, RED, GREY, TEXT = "green", "orange", "red", "#8a8f9a", "text"

Steps = tuple[tuple[float | None, str], ...]
PLAIN: Steps = ((None, TEXT),)
ALARM: Steps = ((None, GREEN), (1, RED))
DOUBT: Steps = ((None, GREEN), (1, GREY))
KEPT: Steps = ((None, RED), (0.9, AMBER), (0.99, GREEN))
LEFT: Steps = ((None, RED), (0, AMBER), (0.25, GREEN))
LATE: Steps = ((None, GREEN), (60, AMBER), (120, RED))
NEAR: Steps = ((None, GREEN), (0.8, AMBER), (1, RED))
READABLE: Steps = ((None, RED), (1, GREEN))


class Kind(StrEnum):
    """How a panel is drawn."""

    STAT = "stat"
    SERIES = "series"
    TABLE = "table"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `queries` are PromQL and legend; `place` is x, y, width, height on 24 columns."""

    kind: Kind
    title: str
    what: str
    queries: tuple[tuple[str, str], ...]
    place: tuple[int, int, int, int]
    unit: str = "short"
    steps: Steps = PLAIN


def _stat(
    title: str,
    what: str,
    query: str,
    at: tuple[int, int],
    *,
    unit: str = "short",
    steps: Steps = PLAIN,
) -> Panel:
    return Panel(Kind.STAT, title, what, ((query, ""),), (*at, 4, 4), unit, steps)


def _table(title: str, what: str, query: str, at: tuple[int, int], *, unit: str = "short") -> Panel:
    return Panel(Kind.TABLE, title, what, ((query, ""),), (*at, 12, 8), unit)


def _quantile(share: float, histogram: str) -> str:
    buckets = f"rate(contractwatch_{histogram}_bucket[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (le) ({buckets}))"


def _rate(name: str, labels: str) -> str:
    return f"rate(contractwatch_{name}{{{labels}}}[$__rate_interval])"


_HEADLINE = 'slo="conformance"'
_THIS = 'product="$product"'
_INCREASE_BAD = f"sum(increase(contractwatch_sli_bad_seconds_total{{{_HEADLINE}}}[$__range]))"
_INCREASE_ALL = f"sum(increase(contractwatch_sli_measured_seconds_total{{{_HEADLINE}}}[$__range]))"
_PRODUCTS = "sum(contractwatch_fleet_products)"
_BREACHED = "sum(contractwatch_fleet_products_breached)"
_UNKNOWN = "sum(contractwatch_fleet_products_unknown)"
_LAG = "scheduler_start_lag_seconds"

FLEET: tuple[Panel, ...] = (
    _stat("Products", "Products with a contract in force.", _PRODUCTS, (0, 0)),
    _stat("Breached", "Products that break a promise now.", _BREACHED, (4, 0), steps=ALARM),
    _stat(
        "Unknown",
        "Products of which nothing certain is known now. Unknown is never good.",
        _UNKNOWN,
        (8, 0),
        steps=DOUBT,
    ),
    _stat(
        "Open incidents",
        "Incidents that were told and are not resolved.",
        "sum(contractwatch_incidents_open)",
        (12, 0),
        steps=ALARM,
    ),
    _stat(
        "Time kept",
        "Share of the measured time of the shown range in which promises were kept.",
        f"1 - {_INCREASE_BAD} / {_INCREASE_ALL}",
        (16, 0),
        unit="percentunit",
        steps=KEPT,
    ),
    _stat(
        "Median trust",
        "Half of the products with a score have at least this one.",
        "quantile(0.5, contractwatch_product_trust_score_ratio)",
        (20, 0),
        unit="percentunit",
    ),
    Panel(
        Kind.SERIES,
        "State of the fleet",
        "Products by state.",
        (
            (f"{_PRODUCTS} - {_BREACHED} - {_UNKNOWN}", "kept or at risk"),
            (_BREACHED, "breached"),
            (_UNKNOWN, "unknown"),
        ),
        (0, 4, 12, 8),
    ),
    _table(
        "Least budget left",
        "Error budget left over the window of the contract; below 0 it is overspent.",
        f"bottomk(15, contractwatch_slo_error_budget_remaining_ratio{{{_HEADLINE}}})",
        (12, 4),
        unit="percentunit",
    ),
    _table(
        "Least trusted",
        "Trust score ts/1 of the products that have one.",
        "bottomk(15, contractwatch_product_trust_score_ratio)",
        (0, 12),
        unit="percentunit",
    ),
    _table(
        "Failing checks",
        "One series per check that fails now, and none for the others.",
        "contractwatch_check_failing",
        (12, 12),
    ),
    _stat(
        "Heartbeat",
        "Seconds since the scheduler last beat.",
        "time() - contractwatch_scheduler_heartbeat_timestamp_seconds",
        (0, 20),
        unit="s",
        steps=LATE,
    ),
    _stat(
        "Workers busy",
        "Share of the workers that scan now.",
        "contractwatch_workers_busy / contractwatch_workers_limit",
        (4, 20),
        unit="percentunit",
    ),
    _stat(
        "Series exported",
        "Share of the series that may be exported.",
        "contractwatch_export_series / contractwatch_export_series_limit",
        (8, 20),
        unit="percentunit",
        steps=NEAR,
    ),
    _stat(
        "Runs waiting",
        "Runs that are due and wait for a worker.",
        "contractwatch_run_queue_length",
        (12, 20),
    ),
    _stat(
        "Contracts readable",
        "1 if the last reload of the contract files found no problem.",
        "contractwatch_config_last_reload_successful",
        (16, 20),
        steps=READABLE,
    ),
    Panel(
        Kind.NAME,
        "Version",
        "The agent that answers.",
        (("contractwatch_build_info", "{{version}}"),),
        (20, 20, 4, 4),
    ),
    Panel(
        Kind.SERIES,
        "Runs",
        "Runs per second, by how they ended.",
        (
            (
                "sum by (outcome) (rate(contractwatch_evaluations_total[$__rate_interval]))",
                "{{outcome}}",
            ),
        ),
        (0, 24, 12, 8),
        "ops",
    ),
    Panel(
        Kind.SERIES,
        "Start lag",
        "How late runs start: half of them, and all but one in a hundred.",
        ((_quantile(0.5, _LAG), "p50"), (_quantile(0.99, _LAG), "p99")),
        (12, 24, 12, 8),
        "s",
    ),
)

_CONFORMANCE = f"{_THIS},{_HEADLINE}"
_MEASURED = _rate("sli_measured_seconds_total", _CONFORMANCE)
_BROKEN = _rate("sli_bad_seconds_total", _CONFORMANCE)

PRODUCT: tuple[Panel, ...] = (
    _stat(
        "Breached",
        "1 while a promise is broken.",
        f"contractwatch_product_breached{{{_THIS}}}",
        (0, 0),
        steps=ALARM,
    ),
    _stat(
        "Unknown",
        "1 while nothing certain is known. Unknown is never good.",
        f"contractwatch_product_unknown{{{_THIS}}}",
        (4, 0),
        steps=DOUBT,
    ),
    _stat(
        "Budget left",
        "Error budget left over the window of the contract.",
        f"contractwatch_slo_error_budget_remaining_ratio{{{_CONFORMANCE}}}",
        (8, 0),
        unit="percentunit",
        steps=LEFT,
    ),
    _stat(
        "Trust",
        "Trust score ts/1; none while the product is new.",
        f"contractwatch_product_trust_score_ratio{{{_THIS}}}",
        (12, 0),
        unit="percentunit",
    ),
    _stat(
        "Age of the data",
        "Time since the newest data time that was seen.",
        f"time() - contractwatch_product_data_timestamp_seconds{{{_THIS}}}",
        (16, 0),
        unit="s",
    ),
    _stat(
        "Last evaluation",
        "Time since the last run ended.",
        f"time() - contractwatch_product_last_evaluation_timestamp_seconds{{{_THIS}}}",
        (20, 0),
        unit="s",
    ),
    Panel(
        Kind.SERIES,
        "Kept, broken, unknown",
        "Share of each moment spent in each state.",
        (
            (f"{_MEASURED} - {_BROKEN}", "kept"),
            (_BROKEN, "broken"),
            (_rate("sli_unknown_seconds_total", _THIS), "unknown"),
        ),
        (0, 4, 24, 8),
        "percentunit",
    ),
    Panel(
        Kind.SERIES,
        "Budget left",
        "Falls while a promise is broken, rises as bad time leaves the window.",
        ((f"contractwatch_slo_error_budget_remaining_ratio{{{_THIS}}}", "{{slo}}"),),
        (0, 12, 12, 8),
        "percentunit",
    ),
    Panel(
        Kind.SERIES,
        "Trust",
        "Trust score ts/1 over time.",
        ((f"contractwatch_product_trust_score_ratio{{{_THIS}}}", "trust"),),
        (12, 12, 12, 8),
        "percentunit",
    ),
    _table(
        "Failing checks",
        "The promises that are broken now.",
        f"contractwatch_check_failing{{{_THIS}}}",
        (0, 20),
    ),
    _table(
        "Contract",
        "The version in force, and whose it is.",
        f"contractwatch_product_info{{{_THIS}}}",
        (12, 20),
    ),
)
