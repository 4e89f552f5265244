"""Reading service levels, servers, people, schedules, objectives and alerts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from odcs_values import HEAD, parsed, problems_of, skips_of, table, warnings_of

from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.base.objective import Objective, Target
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import AlertPolicy, Route, Schedule
from contractwatch.model.promises.service_level import (
    Availability,
    MaxAge,
    Retention,
    RetentionMode,
)
from contractwatch.odcs.load import parse_contract

HOUR = timedelta(hours=1)


def levels(*entries: str, columns: tuple[str, ...] = (), extra: str = "") -> str:
    listed = "".join(f"  - {{{entry}}}\n" for entry in entries)
    fixed = (
        "name: at, physicalName: AT_TS, logicalType: timestamp",
        "name: day, logicalType: date",
        "name: info, logicalType: object, properties: [{name: ts, logicalType: timestamp}]",
    )
    return table(*fixed, *columns, below=f"slaProperties:\n{listed}{extra}")


def promises(text: str) -> list[object]:
    return [level.promise for level in parsed(text).service_levels]


@pytest.mark.parametrize(
    ("entry", "promise"),
    [
        ("property: latency, value: 1.5, unit: h", MaxAge("orders", "at", 1.5 * HOUR)),
        ("property: Freshness, value: '2', unit: Hours", MaxAge("orders", "at", 2 * HOUR)),
        ("property: ly, value: 4, unit: d", MaxAge("orders", "at", 96 * HOUR, 0, whole_days=True)),
        ("property: latency, value: P1DT6H", MaxAge("orders", "at", 30 * HOUR)),
        ("property: latency, value: 90, unit: m", MaxAge("orders", "at", 1.5 * HOUR)),
        ("property: retention, value: 3, unit: M", Retention("orders", "at", 0 * HOUR, 3)),
        ("property: re, value: 7, unit: y", Retention("orders", "at", 0 * HOUR, 84)),
        ("property: latency, value: 2", MaxAge("orders", "at", 48 * HOUR, 0, whole_days=True)),
        ("property: latency, value: 1h", MaxAge("orders", "at", HOUR)),
        ("property: latency, value: 4 days", MaxAge("orders", "at", 96 * HOUR, 0, whole_days=True)),
        ("property: re, value: 3M", Retention("orders", "at", 0 * HOUR, 3)),
    ],
)
def test_an_age_is_read_with_its_synonyms_and_units(entry: str, promise: object) -> None:
    assert promises(levels(f"{entry}, element: orders.at")) == [promise]


@pytest.mark.parametrize("element", ["orders.at", "at", "orders.AT_TS", "AT_TS"])
def test_an_element_is_found_by_either_name(element: str) -> None:
    text = levels(f"property: latency, value: 1, unit: h, element: {element}")
    assert promises(text) == [MaxAge("orders", "at", HOUR)]


def test_several_elements_are_several_service_levels() -> None:
    text = levels("id: x, property: latency, value: 1, unit: h, element: 'orders.at, orders.day'")
    found = parsed(text).service_levels
    assert [(one.level_id, one.promise.column) for one in found] == [("x", "at"), ("x", "day")]


def test_without_an_element_the_default_or_the_only_partition_is_meant() -> None:
    entry = "property: latency, value: 1, unit: h"
    default = levels(entry, extra="slaDefaultElement: orders.day\n")
    assert promises(default) == [MaxAge("orders", "day", HOUR)]
    partitioned = levels(entry, columns=("name: p, logicalType: date, partitioned: true",))
    assert promises(partitioned) == [MaxAge("orders", "p", HOUR)]
    assert [reason for *_, reason in skips_of(levels(entry)) if "element" in reason] == [
        "unsupported: no element, and no single partitioned date or timestamp column"
    ]


def test_availability_is_a_percentage() -> None:
    assert promises(levels("property: av, value: '99.9%'")) == [Availability(99.9)]


def test_what_modifies_a_level_is_read_or_makes_it_skipped() -> None:
    kept = "{property: contractwatch.sla, value: [{sla: keep, retentionMode: atLeast}]}"
    text = levels(
        "id: keep, property: retention, value: 1, unit: y, element: at",
        "property: generalAvailability, value: '2026-01-15T00:00:00Z'",
        extra=f"customProperties:\n  - {kept}\n",
    )
    since = datetime(2026, 1, 15, tzinfo=UTC)
    mode = RetentionMode.AT_LEAST
    assert promises(text) == [Retention("orders", "at", 0 * HOUR, 12, mode, since)]
    in_place = levels(
        "id: keep, property: retention, value: 1, unit: y, element: at, customProperties:"
        " [{vendor: contractwatch, property: retentionMode, value: atLeast}]"
    )
    assert promises(in_place) == [Retention("orders", "at", 0 * HOUR, 12, mode)]
    misplaced = levels(
        "id: l, property: frequency, value: 1, unit: h, element: at",
        extra="customProperties:\n  - {property: contractwatch.sla,"
        " value: [{sla: l, eventTime: orders.at, availableAt: orders.day}]}\n",
    )
    assert promises(misplaced) == []
    assert skips_of(misplaced)[-1][2] == "unsupported: contractwatch.sla eventTime"


@pytest.mark.parametrize(
    ("entry", "kind", "reason"),
    [
        (
            "property: frequency, value: 1, unit: d, valueExt: 901, element: at",
            "frequency",
            "more than 900 updates in a period",
        ),
        (
            "property: th, value: 1, unit: bytes/s, element: at",
            "throughput",
            "throughput in bytes",
        ),
        ("property: carbon, value: 1", "serviceLevel", "the service level carbon"),
        (
            "property: latency, value: 1, unit: h, element: orders.info.zzzzzzzzzzzzzzzzzzzz",
            "freshness",
            "unknown element 'orders.info.zzzzzzzzzzzzzzzzzzzz'; expected table.column",
        ),
    ],
)
def test_other_levels_are_skipped(entry: str, kind: str, reason: str) -> None:
    assert ("slaProperties[0]", kind, f"unsupported: {reason}") in skips_of(levels(entry))


@pytest.mark.parametrize("element", ["orders.info.ts", "info.ts"])
def test_an_element_may_be_inside_a_column(element: str) -> None:
    text = levels(f"property: latency, value: 1, unit: h, element: {element}")
    (level,) = parsed(text).service_levels
    assert level.promise == MaxAge("orders", "info.ts", timedelta(hours=1))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("availabilty", "availability"),
        ("Freshnes", "freshness"),
        ("timeOfAvailabilty", "timeOfAvailability"),
        ("endOfSuport", "endOfSupport"),
    ],
)
def test_a_misspelled_level_is_reported(name: str, meant: str) -> None:
    said = f"unknown service level '{name}' is not executed; did you mean '{meant}'?"
    assert said in str(warnings_of(levels(f"property: {name}, value: 1")))


def test_a_level_like_no_other_is_only_skipped() -> None:
    text = levels("property: carbon, value: 1")
    assert "service level" not in str(warnings_of(text))


def test_dates_of_life_promise_nothing_to_execute() -> None:
    text = levels("property: endOfSupport, value: 2030-01-01", "property: el, value: 2031-01-01")
    assert not [path for path, *_ in skips_of(text) if path.startswith("sla")]


def test_a_level_of_a_table_with_a_condition_is_kept() -> None:
    text = levels("property: latency, value: 1, unit: h, element: at").replace(
        "  - name: orders\n",
        "  - name: orders\n    customProperties:\n"
        "      - {property: contractwatch.where, value: at is not null}\n",
    )
    (level,) = parsed(text).service_levels
    assert (level.name, skips_of(text)) == ("latency", [])


def test_a_contract_without_tables_keeps_its_ages_as_skipped() -> None:
    entry = "{property: latency, value: 1, unit: h, element: tab1.a}"
    text = f"{HEAD}schema: []\nslaProperties: [{entry}]\n"
    (reason,) = [reason for *_, reason in skips_of(text)]
    assert reason == "unsupported: the element 'tab1.a' of a contract without tables"


def server(body: str) -> str:
    return f"{HEAD}servers:\n  - {{server: a, {body}}}\n"


def test_a_local_server_is_read_with_its_policy() -> None:
    policy = (
        "{separator: ';', nullValues: ['', 'NULL'], hivePartitioning: false, typeMode: lenient}"
    )
    text = server(
        "type: local, environment: dev, path: './{model}/*.csv', format: CSV, customProperties:"
        f" [{{property: contractwatch.read, value: {policy}}}]"
    )
    (found,) = parsed(text).servers
    assert (found.path, found.data_format, found.unsupported) == ("./{model}/*.csv", "csv", "")
    assert found.read == ReadPolicy(
        ";", ("", "NULL"), "utf8", hive_partitioning=False, lenient_types=True
    )


@pytest.mark.parametrize(
    ("body", "is_array"),
    [
        ("", None),
        (", delimiter: new_line", False),
        (", delimiter: array", True),
        (
            (", customProperties: [{property: contractwatch.read, value: {delimiter: array}}]"),
            True,
        ),
    ],
)
def test_json_is_framed_by_lines_or_as_an_array(body: str, is_array: bool | None) -> None:
    (found,) = parsed(server(f"type: local, path: x.json, format: json{body}")).servers
    assert (found.data_format, found.json_array) == (DataFormat.JSON, is_array)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            "type: azure, location: abfss://b/x, format: csv",
            "servers of type 'azure' are not read yet",
        ),
        ("type: local, path: x, format: orc", "files of format 'orc' are not read yet"),
        (
            "type: local, path: x, format: parqet",
            "files of format 'parqet' are not read yet; did you mean 'parquet'?",
        ),
        ("type: s3, location: s3://b/x, format: delta", ""),
        (
            "type: local, path: x, format: csv, encoding: UTF-61",
            "the encoding 'utf-61' is not known",
        ),
        ("type: local, path: x, format: csv, encoding: rot13", "the encoding 'rot13' is not known"),
        ("type: local, path: x, format: csv, encoding: UTF-16", ""),
        ("type: local, path: x, format: csv, encoding: Windows-1252", ""),
    ],
)
def test_a_server_that_is_not_opened_says_why(body: str, why: str) -> None:
    (found,) = parsed(server(body)).servers
    assert found.unsupported == why
    said = [told for told in warnings_of(server(body)) if "nothing of this server" in told]
    is_told_elsewhere = "azure" in body or not why
    assert said == ([] if is_told_elsewhere else [f"{why}; nothing of this server is judged"])


def test_the_zone_of_the_server_is_that_of_columns_without_one() -> None:
    text = table(
        "name: at, logicalType: timestamp",
        below="servers: [{server: a, type: local, path: x, format: csv, customProperties:"
        " [{property: contractwatch.read, value: {timezone: Europe/Paris}}]}]\n",
    )
    assert parsed(text).tables[0].columns[0].default_timezone == "Europe/Paris"


def test_owners_are_present_members_whose_role_says_so() -> None:
    members = (
        "[{username: a, role: Data Owner}, {username: b, role: steward},"
        " {username: c, role: owner, dateOut: '2026-01-01', replacedByUsername: d},"
        " {username: e, role: co-owner, dateOut: '2027-01-01'}]"
    )
    as_object = f"{HEAD}team: {{name: sales-data, members: {members}}}\n"
    today = date(2026, 6, 1)
    contract = parse_contract(as_object.encode(), "f", today=today)[0]
    assert (contract.team, contract.owners) == ("sales-data", ("a", "d", "e"))
    as_list = parse_contract(f"{HEAD}team: {members}\n".encode(), "f")[0]
    assert (as_list.team, as_list.owners) == ("", ("a", "d"))


def custom(*entries: str, before: str = "") -> str:
    listed = "".join(f"  - {{property: contractwatch.{entry}}}\n" for entry in entries)
    return f"{HEAD}{before}customProperties:\n{listed}"


def test_the_schedule_is_the_contracts_own() -> None:
    cron = "schedule, value: {cron: '*/15 * * * *', timezone: Europe/Paris, timeout: PT10M}"
    own = Schedule("*/15 * * * *", None, "Europe/Paris", timedelta(minutes=10))
    assert parsed(custom(cron)).schedule == replace(
        own, clause=Clause("customProperties[0].value.cron", 9)
    )
    every = parsed(custom("schedule, value: {interval: PT5M}")).schedule
    assert every is not None
    assert replace(every, clause=None) == Schedule(interval=timedelta(minutes=5))


def test_without_a_schedule_the_promised_frequency_is_one() -> None:
    text = levels("property: frequency, value: 1, unit: d, valueExt: 4", "property: fy, value: P7D")
    promised = parsed(text).schedule
    assert promised == Schedule(interval=6 * HOUR, clause=Clause("slaProperties[0]", 15))
    assert parsed(table("name: a")).schedule is None


def test_a_target_is_mapped_to_its_objective_and_the_strictest_wins() -> None:
    slo = (
        "slo, value: [{id: a, sli: {sla: up}, objective: 99.5, window: P28D},"
        " {id: b, sli: {quality: full}, objective: 99, window: P7D},"
        " {id: c, sli: {dimension: cf}, objective: 90, window: P7D},"
        " {id: d, sli: {dimension: accuracy}, objective: 95, window: P14D},"
        " {id: e, sli: {object: orders}, objective: 95, window: P14D},"
        " {id: f, sli: {object: orders, kind: schema}, objective: 99.9, window: P14D}]"
    )
    before = (
        "schema: [{name: orders, quality: [{id: full, metric: rowCount, mustBeGreaterThan: 0}]}]\n"
        "slaProperties: [{id: up, property: availability, value: 99}]\n"
    )
    contract = parsed(custom(slo, before=before))
    assert contract.targets == (
        Target(Objective.AVAILABILITY, 0.995, timedelta(days=28), is_default=False),
        Target(Objective.VOLUME, 0.99, timedelta(days=7), is_default=False),
        Target(Objective.VALIDITY, 0.95, timedelta(days=14), is_default=False),
        Target(Objective.SCHEMA, 0.999, timedelta(days=14), is_default=False),
    )
    assert [one.kind for one in contract.skipped] == ["slo"]


def test_alerts_are_routed_by_severity_to_support_channels() -> None:
    alerts = (
        "alerts, value: {grace: PT10M, routes: [{match: {severity: error}, to: oncall,"
        " grace: PT0S}, {match: {severity: [info, warning]}, to: '#chat'}, {to: oncall},"
        " {match: {driver: regulatory}, to: oncall}]}"
    )
    before = "support: [{id: oncall, channel: pager}, {channel: '#chat'}]\n"
    text = custom(alerts.replace("'#chat'", "chat"), before=before.replace("'#chat'", "chat"))
    assert parsed(text).alerts == AlertPolicy(
        grace=timedelta(minutes=10),
        routes=(
            Route("oncall", frozenset({Severity.ERROR}), timedelta(0)),
            Route("chat", frozenset({Severity.INFO, Severity.WARNING})),
            Route("oncall"),
        ),
    )
    assert "matched by severity only" in warnings_of(text)[0]


def test_the_marks_of_numbers_are_read_and_are_not_the_same() -> None:
    said = "type: local, path: x, format: csv, customProperties: [{property: contractwatch.read,"
    (found,) = parsed(server(f'{said} value: {{decimal: ",", thousands: "."}}}}]')).servers
    assert (found.read.decimal, found.read.thousands) == (",", ".")
    told = problems_of(server(f'{said} value: {{decimal: ",", thousands: ","}}}}]'))
    assert "the mark between thousands is the decimal mark" in " ".join(map(str, told))
