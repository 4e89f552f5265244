"""Reading contracts that other tools wrote."""

from datetime import UTC, datetime

import pytest
from odcs_values import parsed, problems_of, table, warnings_of

from contractwatch.errors import Level
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import Reading
from contractwatch.odcs.load import parse_contract
from contractwatch.verify import judge, plan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTRACT = b"""\
apiVersion: v3.1.0
kind: DataContract
id: payments-1
version: 1.0.0
name: payments
status: active
servers:
  - {server: here, type: local, path: payments.csv, format: csv}
schema:
  - name: payments
    physicalName: payments_1
    properties:
      - {name: paid_on, physicalName: paid_dt, logicalType: date, partitioned: true}
      - {name: amount, logicalType: number, required: true}
slaDefaultElement: table_one.paid_dt
slaProperties:
  - {property: latency, value: 4, unit: d, element: table_one.paid_dt}
  - {property: retention, value: 3, unit: y}
  - {property: timeOfAvailability, value: 09:00-08:00, driver: regulatory}
  - {property: timeOfAvailability, value: 08:00-08:00, driver: analytics}
  - {property: errorRate, value: 1, unit: percent, element: table_one}
  - {property: frequency, value: 1, unit: d, element: payments.paid_dt}
"""


def test_service_levels_without_a_known_element_are_skipped_and_the_rest_is_judged() -> None:
    contract, problems = parse_contract(CONTRACT, "payments.odcs.yaml")
    skipped = [(clause.kind, clause.clause.line) for clause in contract.skipped]
    assert skipped == [
        ("freshness", 17),
        ("retention", 18),
        ("timeOfAvailability", 19),
        ("timeOfAvailability", 20),
        ("errorRate", 21),
    ]
    warned = [
        problem for problem in problems if "the service level is skipped: " in problem.message
    ]
    assert len(warned) == 3
    assert {problem.level for problem in problems} == {Level.WARNING}
    assert [level.name for level in contract.service_levels] == ["frequency"]
    planned = plan(contract)
    run = judge(planned, Reading("here", NOW, {}, readable=None), now=NOW)
    assert run.coverage.promised == len({result.promise.clause for result in run.results})
    reasons = [r.verdict.reason for r in run.results if r.outcome is Outcome.SKIPPED]
    assert sum("expected table.column" in reason for reason in reasons) == 4


OLD = table("name: c, logicalType: string").replace("v3.1.0", "v3.0.2")


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("team: [{username: ada, comment: on leave}]", "comment"),
        ("price: {priceAmount: 1, discount: 2}", "discount"),
        ("servers: [{server: s, type: local, path: x, format: csv, rack: 4}]", "rack"),
        ("support: [{channel: c, hours: all}]", "hours"),
        ("roles: [{role: r, until: never}]", "until"),
        ("slaProperties: [{property: ga, value: x, foo: 1}]", "foo"),
        ("customProperties: [{property: p, value: 1, foo: 1}]", "foo"),
    ],
)
def test_a_key_that_3_0_left_free_is_a_warning_there_and_an_error_since(
    section: str, key: str
) -> None:
    text = f"{OLD}{section}\n"
    (warning,) = (one for one in warnings_of(text) if one.startswith("unknown key"))
    assert warning == f"unknown key '{key}'; ODCS 3.0 allows any key here, and it is not used"
    since = problems_of(text.replace("v3.0.2", "v3.1.0"))
    assert [one.message for one in since if one.message.startswith(f"unknown key '{key}'")]


@pytest.mark.parametrize("place", ["table", "column", "options"])
def test_a_key_that_3_0_did_not_know_is_an_error_there_too(place: str) -> None:
    options = ", logicalTypeOptions: {foo: 1}" if place == "options" else ""
    column = "name: c, logicalType: string" + (", foo: 1" if place == "column" else options)
    above = "    foo: 1\n" if place == "table" else ""
    (problem,) = problems_of(table(column, above=above).replace("v3.1.0", "v3.0.2"))
    assert problem.message.startswith("unknown key 'foo'")


@pytest.mark.parametrize(
    ("words", "version", "meant"),
    [
        ("physicalType: TIMESTAMP", "v3.0.0", "timestamp"),
        ("physicalType: timestamp(6) with time zone", "v3.0.2", "timestamp"),
        ("physicalType: time", "v3.0.2", "time"),
        ("logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm'}", "v3.0.2", "timestamp"),
        ("physicalType: timestamp, logicalTypeOptions: {format: yyyy-MM-dd}", "v3.0.2", "date"),
        ("physicalType: date", "v3.0.2", "date"),
        ("physicalType: timestamp", "v3.1.0", "date"),
    ],
)
def test_a_date_of_3_0_is_what_its_other_words_say(words: str, version: str, meant: str) -> None:
    text = table(f"name: c, logicalType: date, {words}").replace("v3.1.0", version)
    assert parsed(text).tables[0].columns[0].logical_type == meant
    told = "is read as one" in str(warnings_of(text))
    assert told == (meant != "date")


def test_a_rule_of_the_values_of_a_map_may_use_the_short_names() -> None:
    rule = "{metric: nullValues, mustBe: 0, dimension: cp}"
    value = f"{{logicalType: integer, quality: [{rule}]}}"
    text = table(
        f"name: c, logicalType: map, map: {{key: {{logicalType: string}}, value: {value}}}"
    )
    (column,) = parsed(text.replace("v3.1.0", "v3.2.0")).tables[0].columns
    found = [rule for inner in column.nested for rule in inner.rules]
    assert [rule.dimension for rule in found] == ["completeness"]
