"""A promise about nested values is judged where they are, and skipped where they cannot be."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from checks_values import NOW, at, checks_of, column, contract, only, option, rule, table

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import ArrayItem, Step, StructField
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Column, Contract, LogicalType, PrimaryKey
from contractwatch.model.measure.metric import (
    CountWhere,
    Delays,
    Inside,
    IsBelow,
    IsNull,
    LacksMembers,
    Metric,
    RecentRows,
    RepeatsElements,
    RowCount,
    SurplusRows,
    TableSchema,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.measure.state import ColumnType, Count, Measurement, TableColumns
from contractwatch.model.promises.rule import RuleMetric, TypeOptionKind
from contractwatch.model.promises.service_level import (
    DueTime,
    Frequency,
    LevelPromise,
    MaxAge,
    MaxDelay,
    Retention,
    ServiceLevel,
    Throughput,
)
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, Reading
from contractwatch.verify import judge, plan

HOUR = timedelta(hours=1)
LINES, PRICE = (StructField("lines"),), (StructField("lines"), ArrayItem(), StructField("price"))
NUMBER = ColumnType("price", "integer", "int64")
LINE = ColumnType("[]", "object", "Struct", children=(NUMBER,))
ORDER = ColumnType(
    "order",
    "object",
    "Struct",
    children=(ColumnType("lines", "array", "List", children=(LINE,)),),
)


def inner(name: str, path: tuple[Step, ...], kind: LogicalType, **more: object) -> Column:
    return column(f"order{name}", kind, physical_name="order", path=path, **more)


def order(*nested: Column, **more: object) -> Contract:
    top = column("order", LogicalType.OBJECT, nested=nested, **more)
    live = Server(Clause("servers[0]", 1), "live", "local", data_format=DataFormat.PARQUET)
    return contract(table(top), servers=(live,))


def outcomes(given: Contract, found: ColumnType) -> dict[str, tuple[Outcome, str]]:
    """Return outcome and reason of each check, with no violation in ten rows."""
    planned = plan(given)
    answers: dict[Metric, Measurement] = {metric: Count(0) for metric in planned.metrics}
    answers[RowCount("t")] = Count(10)
    answers[TableSchema("t")] = TableColumns((found,))
    run = judge(planned, Reading("live", NOW, answers, readable=True), now=NOW)
    return {
        result.promise.promise_id.removeprefix("k/t/"): (result.outcome, result.verdict.reason)
        for result in run.results
    }


def test_a_promise_asks_for_values_at_the_end_of_its_way() -> None:
    price = inner(
        ".lines[].price",
        PRICE,
        LogicalType.INTEGER,
        required_clause=at(12),
        options=(option(TypeOptionKind.MINIMUM, 1),),
        rules=(rule(RuleMetric.NULL_VALUES),),
    )
    given = order(price)
    for kind, predicate in (
        ("required", IsNull("order")),
        ("minimum", IsBelow("order", 1)),
        ("nullValues", IsNull("order")),
    ):
        check = only(kind, given)
        assert check.metrics() == (RowCount("t"), CountWhere("t", Inside(PRICE, predicate)))
        assert check.promise.column == "order.lines[].price"


def test_unique_is_meant_within_one_array_and_over_all_rows_elsewhere() -> None:
    given = order(
        inner(".lines[].price", PRICE, LogicalType.INTEGER, unique_clause=at(12)),
        inner(".id", (StructField("id"),), LogicalType.INTEGER, unique_clause=at(13)),
    )
    of_array, of_member = (check.metrics()[1] for check in checks_of("unique", given))
    repeats = RepeatsElements("order", (StructField("price"),))
    assert of_array == CountWhere("t", Inside(LINES, repeats))
    assert of_member == SurplusRows("t", ("order",), ((StructField("id"),),))


def test_an_object_is_asked_for_its_members_by_their_physical_names() -> None:
    required = option(TypeOptionKind.REQUIRED_PROPERTIES, "id, at")
    given = order(options=(replace(required, members=("ID", "AT")),))
    metric = only("requiredProperties", given).metrics()[1]
    assert metric == CountWhere("t", LacksMembers("order", ("ID", "AT")))


def test_a_missing_member_fails_once_and_what_hangs_on_it_is_skipped() -> None:
    missing = (Outcome.SKIPPED, "column missing")
    found = outcomes(
        order(
            inner(".tags", (StructField("tags"),), LogicalType.ARRAY),
            inner(".tags[]", (StructField("tags"), ArrayItem()), LogicalType.STRING, optional=True),
            inner(".lines[].price", PRICE, LogicalType.INTEGER, required_clause=at(12)),
        ),
        ORDER,
    )
    assert found["order.tags/presence"][0] is Outcome.FAILED
    assert found["order.tags/type"] == found["order.tags[]/type"] == missing
    assert "order.tags[]/presence" not in found
    assert found["order.lines[].price/presence"][0] is Outcome.PASSED
    assert found["order.lines[].price/type"][0] is Outcome.PASSED
    assert found["order.lines[].price/required"][0] is Outcome.PASSED


def test_a_member_of_what_is_no_object_is_not_looked_for() -> None:
    found = outcomes(
        order(inner(".id", (StructField("id"),), LogicalType.INTEGER)),
        ColumnType("order", "integer", "int64"),
    )
    assert found["order/type"][0] is Outcome.FAILED
    assert found["order.id/presence"] == (Outcome.SKIPPED, "column missing")


def test_an_object_that_is_text_inside_of_a_files_object_may_be_json_and_is_not_verified() -> None:
    found = outcomes(
        order(
            inner(".to", (StructField("to"),), LogicalType.OBJECT),
            inner(".to.id", (StructField("to"), StructField("id")), LogicalType.INTEGER),
        ),
        ColumnType("order", "object", "struct", children=(ColumnType("to", "string", "string"),)),
    )
    unverifiable = (Outcome.SKIPPED, "unverifiable: the column holds text")
    assert found["order/type"][0] is found["order.to/presence"][0] is Outcome.PASSED
    assert found["order.to/type"] == found["order.to.id/presence"] == unverifiable
    assert found["order.to.id/type"] == unverifiable


def test_a_map_is_a_list_of_keys_and_values() -> None:
    entry = ColumnType(
        "[]",
        "object",
        "Struct",
        children=(ColumnType("key", "string", "string"), ColumnType("value", "integer", "int64")),
    )
    given = contract(table(column("order", LogicalType.MAP)))
    of_map = ColumnType("order", "array", "List", children=(entry,))
    assert outcomes(given, of_map)["order/type"][0] is Outcome.PASSED
    of_texts = ColumnType(
        "order", "array", "List", children=(ColumnType("[]", "string", "string"),)
    )
    assert outcomes(given, of_texts)["order/type"][0] is Outcome.FAILED


SEEN = (StructField("lines"), ArrayItem(), StructField("price"))
ELEMENT = "order.lines[].price"
LEVELS: list[tuple[str, LevelPromise, Metric]] = [
    ("freshness", MaxAge("t", ELEMENT, HOUR), TimeSpan("t", "order", "Asia/Tokyo", SEEN)),
    ("retention", Retention("t", ELEMENT, HOUR), TimeSpan("t", "order", "Asia/Tokyo", SEEN)),
    (
        "frequency",
        Frequency("t", ELEMENT, HOUR),
        UpdateHistory("t", "order", "Asia/Tokyo", SEEN),
    ),
    (
        "timeOfAvailability",
        DueTime("t", ELEMENT, time(9)),
        UpdateHistory("t", "order", "Asia/Tokyo", SEEN),
    ),
    (
        "throughput",
        Throughput("t", ELEMENT, 1, HOUR),
        RecentRows("t", "order", HOUR, "Asia/Tokyo", SEEN),
    ),
    (
        "latency",
        MaxDelay("t", "at", "order.at", HOUR),
        Delays("t", "AT", "order", HOUR, "Etc/UTC", "Asia/Tokyo", (), (StructField("at"),)),
    ),
]


def timed(promise: LevelPromise) -> Contract:
    nested = (
        inner(".lines[].price", SEEN, LogicalType.TIMESTAMP, default_timezone="Asia/Tokyo"),
        inner(".at", (StructField("at"),), LogicalType.TIMESTAMP, default_timezone="Asia/Tokyo"),
    )
    top = column("order", LogicalType.OBJECT, nested=nested)
    other = column("at", LogicalType.TIMESTAMP, physical_name="AT")
    level = ServiceLevel(at(20), "l", "level", promise)
    live = Server(Clause("servers[0]", 1), "live", "local", data_format=DataFormat.PARQUET)
    return contract(table(top, other), service_levels=(level,), servers=(live,))


@pytest.mark.parametrize(("kind", "promise", "metric"), LEVELS)
def test_a_service_level_asks_for_times_at_the_end_of_the_way_of_its_element(
    kind: str, promise: LevelPromise, metric: Metric
) -> None:
    check = only(kind, timed(promise))
    assert metric in check.metrics()
    assert check.promise.column == promise_column(promise)


def promise_column(promise: LevelPromise) -> str:
    return "order.at" if isinstance(promise, MaxDelay) else ELEMENT


@pytest.mark.parametrize("promise", [promise for _, promise, _ in LEVELS])
def test_a_service_level_without_its_way_in_the_data_is_skipped(promise: LevelPromise) -> None:
    given = timed(promise)
    lacking = (replace(ORDER, children=()), ColumnType("AT", "timestamp", "Datetime"))
    kind = next(kind for kind, one, _ in LEVELS if one is promise)
    (found,) = (one for one in results(given, lacking) if one.promise.kind == kind)
    assert (found.outcome, found.verdict.reason) == (Outcome.SKIPPED, "column missing")


def results(given: Contract, columns: tuple[ColumnType, ...]) -> tuple[CheckResult, ...]:
    planned = plan(given)
    answers: dict[Metric, Measurement] = {TableSchema("t"): TableColumns(columns)}
    return judge(planned, Reading("live", NOW, answers, readable=True), now=NOW).results


def test_a_key_of_plain_and_nested_members_asks_for_each_by_its_way() -> None:
    nested = (inner(".id", (StructField("id"),), LogicalType.INTEGER),)
    top, plain = column("order", LogicalType.OBJECT, nested=nested), column("k")
    given = contract(table(top, plain, primary_key=PrimaryKey(at(13), ("order.id", "k"))))
    check = only("primaryKey", given)
    assert check.metrics()[1] == SurplusRows("t", ("order", "k"), ((StructField("id"),), ()))
    lacking = (replace(ORDER, children=()), ColumnType("k", "string", "string"))
    (found,) = (one for one in results(given, lacking) if one.promise.kind == "primaryKey")
    assert (found.outcome, found.verdict.reason) == (Outcome.SKIPPED, "column missing")


def test_a_twin_inside_an_object_is_looked_for_beside_its_plain_value() -> None:
    card = inner(
        ".card",
        (StructField("card"),),
        LogicalType.STRING,
        optional=True,
        encrypted_name="CARD_ENC",
        encrypted_name_clause=at(14),
    )
    given = order(card)
    name = "order.card/presence/encryptedName"
    assert outcomes(given, ORDER)[name] == (
        Outcome.FAILED,
        "the table has no column 'order.CARD_ENC'",
    )
    there = replace(ORDER, children=(ColumnType("CARD_ENC", "string", "string"),))
    assert outcomes(given, there)[name] == (Outcome.PASSED, "")
