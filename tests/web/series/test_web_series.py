"""Tests of `/metrics`: names, types, labels, units, counters."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from contractwatch.agent.series import AgentSeries
from contractwatch.model.base.objective import Interval, Objective, StateSeconds
from contractwatch.web.series.families import bounded_label
from contractwatch.web.series.monotonic_counters import MonotonicCounters
from contractwatch.web.series.prometheus import ExportPolicy
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web import web_values as values
from tests.web.web_reader import Clock, Memory
from tests.web.web_values import BAD, GOOD, HOUR, NOW, UNKNOWN

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

PRODUCT_SERIES = {
    "contractwatch_product_info": (
        "gauge",
        {"product", "team", "tier", "domain", "contract_version"},
    ),
    "contractwatch_product_breached": ("gauge", {"product"}),
    "contractwatch_product_unknown": ("gauge", {"product"}),
    "contractwatch_product_data_timestamp_seconds": ("gauge", {"product"}),
    "contractwatch_product_last_evaluation_timestamp_seconds": ("gauge", {"product"}),
    "contractwatch_product_trust_score_ratio": ("gauge", {"product"}),
    "contractwatch_product_general_availability_timestamp_seconds": ("gauge", {"product"}),
    "contractwatch_product_support_left_seconds": ("gauge", {"product"}),
    "contractwatch_product_life_left_seconds": ("gauge", {"product"}),
    "contractwatch_sli_measured_seconds": ("counter", {"product", "slo"}),
    "contractwatch_sli_bad_seconds": ("counter", {"product", "slo"}),
    "contractwatch_sli_unknown_seconds": ("counter", {"product"}),
    "contractwatch_slo_error_budget_ratio": ("gauge", {"product", "slo"}),
    "contractwatch_slo_error_budget_remaining_ratio": ("gauge", {"product", "slo"}),
    "contractwatch_check_failing": ("gauge", {"product", "check", "slo", "severity"}),
}
OWN_SERIES = {
    "contractwatch_fleet_products": {"team", "tier"},
    "contractwatch_fleet_products_breached": {"team", "tier"},
    "contractwatch_fleet_products_unknown": {"team", "tier"},
    "contractwatch_incidents_open": {"severity", "state"},
    "contractwatch_export_series": set(),
    "contractwatch_export_series_limit": set(),
    "contractwatch_export_truncated": set(),
    "contractwatch_export_render_seconds": set(),
}


def samples_of(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} is exported twice"
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"contractwatch_{name}", frozenset(labels.items())]


def test_every_product_series_has_the_name_type_and_labels_of_the_table(
    client: httpx.Client,
) -> None:
    families = {
        family.name: (family.type, {frozenset(sample.labels) for sample in family.samples})
        for family in text_string_to_metric_families(client.get("/metrics/products").text)
    }
    assert families == {
        name: (kind, {frozenset(labels)}) for name, (kind, labels) in PRODUCT_SERIES.items()
    }


def test_metrics_holds_the_agents_own_series_and_the_products(
    client_of: Callable[..., httpx.Client],
) -> None:
    series = AgentSeries(CollectorRegistry())
    series.know_receivers(["ops"])
    answer = client_of(registry=series.registry).get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert set(PRODUCT_SERIES) <= set(families)
    assert "contractwatch_build_info" in families
    for name, labels in OWN_SERIES.items():
        assert {frozenset(sample.labels) for sample in families[name].samples} == {
            frozenset(labels)
        }
    assert all(name.startswith("contractwatch_") for name in families)
    assert "_created" not in answer.text


def test_a_registry_is_read_without_the_created_series(
    client_of: Callable[..., httpx.Client],
) -> None:
    registry = CollectorRegistry()
    Counter("contractwatch_runs", "Runs.", registry=registry).inc(3)
    text = client_of(registry=registry).get("/metrics").text
    assert "contractwatch_runs_total 3.0" in text
    assert "_created" not in text


def test_states_are_flags_and_unknown_is_neither_breached_nor_kept(client: httpx.Client) -> None:
    found = samples_of(client.get("/metrics").text)
    flags = {
        product: (
            value(found, "product_breached", product=product),
            value(found, "product_unknown", product=product),
        )
        for product in ("finance/orders", "finance/refunds", "logistics/shipments")
    }
    assert flags == {
        "finance/orders": (1, 0),
        "finance/refunds": (0, 0),
        "logistics/shipments": (0, 1),
    }
    assert value(found, "fleet_products_breached", team="Order Platform", tier="") == 1
    assert value(found, "fleet_products_unknown", team="Logistics", tier="") == 1
    assert value(found, "incidents_open", severity="page", state="open") == 1


def test_a_new_product_has_no_score_instead_of_a_low_one(client: httpx.Client) -> None:
    text = client.get("/metrics/products").text
    scored = [line for line in text.splitlines() if line.startswith("contractwatch_product_trust")]
    assert any('product="finance/orders"' in line for line in scored)
    assert not any('product="logistics/shipments"' in line for line in scored)


def test_only_failing_checks_are_exported_and_only_so_many(
    client_of: Callable[..., httpx.Client],
) -> None:
    found = samples_of(client_of().get("/metrics").text)
    failing = [dict(labels) for name, labels in found if name.endswith("check_failing")]
    assert sorted(failing, key=lambda labels: labels["check"]) == [
        {
            "product": "finance/orders",
            "check": "orders/country/nullValues",
            "slo": "completeness",
            "severity": "ticket",
        },
        {
            "product": "finance/orders",
            "check": "orders/created_at/freshness",
            "slo": "freshness",
            "severity": "page",
        },
    ]
    one = client_of(export=ExportPolicy(max_failing_checks=1, reuse_seconds=0))
    assert one.get("/metrics").text.count("\ncontractwatch_check_failing{") == 1


def test_counters_rise_between_runs(
    snapshots: SnapshotCache, clock: Clock, memory: Memory, client: httpx.Client
) -> None:
    before = samples_of(client.get("/metrics").text)
    clock.pass_by(timedelta(seconds=90))
    memory.beat = clock.now
    snapshots.refresh()
    after = samples_of(client.get("/metrics").text)
    orders = {"product": "finance/orders", "slo": "conformance"}
    for name in ("sli_measured_seconds_total", "sli_bad_seconds_total"):
        assert value(after, name, **orders) - value(before, name, **orders) == pytest.approx(90)
    shipments = {"product": "logistics/shipments"}
    gained = [value(one, "sli_unknown_seconds_total", **shipments) for one in (before, after)]
    assert gained[1] - gained[0] == pytest.approx(90)


def test_counters_wait_for_the_heartbeat_so_that_a_restart_is_no_reset(
    snapshots: SnapshotCache, clock: Clock, client: httpx.Client
) -> None:
    before = samples_of(client.get("/metrics").text)
    clock.pass_by(timedelta(minutes=30))
    snapshots.refresh()
    after = samples_of(client.get("/metrics").text)
    counters = [key for key in before if key[0].endswith("_total")]
    assert counters
    assert all(after[key] == before[key] for key in counters)


def test_a_counter_never_falls_when_the_record_is_set_back() -> None:
    counters = MonotonicCounters()
    record = values.kept()
    high = counters.read(record, until=NOW + HOUR)
    low = counters.read(record, until=NOW)
    assert low == high


def test_unknown_seconds_of_several_objectives_count_once() -> None:
    lines = (
        values.line(Objective.SCHEMA, (GOOD, HOUR), (UNKNOWN, 2 * HOUR)),
        values.line(Objective.VOLUME, (GOOD, 2 * HOUR), (UNKNOWN, HOUR)),
    )
    record = replace(values.kept(), lines=lines, unknown_seconds=2 * 3600)
    counters = MonotonicCounters()
    assert counters.read(record, until=NOW).unknown == pytest.approx(2 * 3600)
    assert counters.read(record, until=NOW + HOUR).unknown == pytest.approx(3 * 3600)


def test_totals_that_are_older_than_the_kept_intervals_still_count() -> None:
    old = values.line(Objective.CONFORMANCE, (GOOD, HOUR), (BAD, HOUR))
    total = StateSeconds(good=9_000_000, bad=1_000)
    only = replace(old, total=total, intervals=(Interval(NOW - HOUR, NOW, BAD),))
    record = replace(values.kept(), lines=(only,))
    counted = MonotonicCounters().read(record, until=NOW).lines[Objective.CONFORMANCE]
    assert (counted.measured, counted.bad) == (9_001_000, 1_000)


def test_level_2_exports_every_objective(client_of: Callable[..., httpx.Client]) -> None:
    found = samples_of(
        client_of(export=ExportPolicy(level=2, reuse_seconds=0)).get("/metrics").text
    )
    slos = {
        dict(labels)["slo"]
        for name, labels in found
        if name.endswith("budget_ratio") and ("product", "finance/orders") in labels
    }
    assert slos == {line.standing.objective.value for line in values.breached().lines}


def test_over_the_limit_failing_checks_go_first_and_flags_never(
    client_of: Callable[..., httpx.Client],
) -> None:
    policy = ExportPolicy(level=2, max_series=60, reuse_seconds=0)
    found = samples_of(client_of(export=policy).get("/metrics").text)
    names = [name for name, _ in found]
    assert value(found, "export_truncated") == 1
    assert value(found, "export_series_limit") == 60
    assert "contractwatch_check_failing" not in names
    assert names.count("contractwatch_product_breached") == 6
    assert names.count("contractwatch_sli_bad_seconds_total") == 5  # one a product that was run


def test_the_number_of_series_is_the_number_of_lines(client: httpx.Client) -> None:
    found = samples_of(client.get("/metrics").text)
    assert value(found, "export_series") == len(found)
    assert value(found, "export_truncated") == 0


def test_a_withdrawn_product_is_unknown_and_not_breached(
    snapshots: SnapshotCache, memory: Memory, client: httpx.Client
) -> None:
    memory.become(values.kept())
    snapshots.refresh()
    found = samples_of(client.get("/metrics").text)
    assert value(found, "product_breached", product="finance/orders") == 0
    assert value(found, "product_unknown", product="finance/orders") == 1


def test_a_label_is_escaped_and_bounded(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    wicked = 'a "quoted"\\\nteam' + "x" * 300
    memory.become(replace(values.kept(), card=values.card("finance/refunds", team=wicked)))
    snapshots.refresh()
    found = samples_of(client.get("/metrics").text)
    teams = {dict(labels)["team"] for name, labels in found if name.endswith("fleet_products")}
    assert teams == {bounded_label(wicked)}
    assert len(bounded_label(wicked)) == 128


def test_two_long_labels_that_begin_alike_stay_two() -> None:
    assert bounded_label("p" * 200) != bounded_label("p" * 201)


def test_the_text_is_gzipped_when_asked_for(client: httpx.Client) -> None:
    plain = client.get("/metrics", headers={"Accept-Encoding": "identity"})
    with client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip;q=1.0"}) as answer:
        packed = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    names = {line.split(" ")[0] for line in plain.text.splitlines() if line[0] != "#"}
    unpacked = gzip.decompress(packed).decode()
    assert {line.split(" ")[0] for line in unpacked.splitlines() if line[0] != "#"} == names


def test_a_scrape_reads_no_store(memory: Memory, client: httpx.Client) -> None:
    memory.fails = True
    assert client.get("/metrics").status_code == 200
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/products").status_code == 200


def test_a_budget_is_told_without_the_dust_of_binary_fractions(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    budgets = [line for line in text.splitlines() if "_slo_error_budget_ratio{" in line]
    assert {line.rsplit(" ", 1)[1] for line in budgets} == {"0.01", "0.005"}


UNSEEN = "a\x1b[2J\u202eb\u2028\U000e0041\x7f"


def test_no_series_and_no_answer_has_a_character_that_nobody_sees(
    memory: Memory, snapshots: SnapshotCache, client_of: Callable[..., httpx.Client]
) -> None:
    told = values.card("finance/one", team=UNSEEN, version=UNSEEN)
    alike = values.card("finance/two", team=UNSEEN.encode("unicode_escape").decode())
    memory.become(replace(values.kept(), card=told), replace(values.kept(), card=alike))
    snapshots.refresh()
    client = client_of()
    series = client.get("/metrics").text
    assert series.replace("\n", "").isprintable()
    heads = [line.rpartition(" ")[0] for line in series.splitlines() if not line.startswith("#")]
    assert len(heads) == len(set(heads))  # else the whole scrape is refused
    answer = client.get("/api/v1/products")
    assert answer.text.isprintable()
    assert UNSEEN in [one["team"] for one in answer.json()["products"]]
