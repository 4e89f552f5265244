import json
from pathlib import Path
from typing import Any, cast

import pytest
from sql_values import (
    HEAD,
    contract,
    loaded,
    outcome,
    publish,
    refusals,
    sql,
    verdict,
    verdicts,
)

from contractwatch.errors import ContractError
from contractwatch.model.record.check import Outcome

ORDERS = "id,STATE_CD,amount\n1,open,5\n2,closed,7.5\n2,test,x\n,,9\n"


@pytest.mark.parametrize(
    ("query", "limit", "expected"),
    [
        ("SELECT COUNT(*) FROM {object}", {"mustBe": 4}, (Outcome.PASSED, 4)),
        ("SELECT COUNT(*) FROM ${table}", {"mustBeGreaterThan": 4}, (Outcome.FAILED, 4)),
        ('SELECT COUNT(*) FROM "{model}"', {"mustBeBetween": [3, 5]}, (Outcome.PASSED, 4)),
        ("SELECT COUNT(*) FROM {schema}.{object}", {"mustNotBe": 4}, (Outcome.FAILED, 4)),
        ("SELECT AVG(amount) FROM orders", {"mustBeLessThan": 8}, (Outcome.PASSED, 21.5 / 3)),
        ("SELECT COUNT(*) > 3 FROM Orders_V1", {"mustBe": True}, (Outcome.PASSED, "true")),
        ("SELECT COUNT(*) > 3 FROM orders", {"mustBe": False}, (Outcome.FAILED, "true")),
        ("SELECT MIN(state_cd) FROM orders", {"mustBe": "closed"}, (Outcome.PASSED, "that text")),
        ("SELECT MIN(state_cd) FROM orders", {"mustBe": "x"}, (Outcome.FAILED, "another text")),
        ("SELECT MIN(STATE_CD) FROM orders", {"mustNotBe": "x"}, (Outcome.PASSED, "another text")),
        (
            "SELECT COUNT(*) FROM orders o LEFT JOIN customers c ON o.ID = c.id WHERE c.id IS NULL",
            {"mustBe": 3},
            (Outcome.PASSED, 3),
        ),
        (
            "WITH r AS (SELECT id FROM orders GROUP BY id) SELECT COUNT(id) FROM r",
            {"mustBe": 2},
            (Outcome.PASSED, 2),
        ),
        (
            "SELECT COUNT(*) -- ; DROP TABLE orders\n FROM orders /* ; DROP TABLE orders */;",
            {"mustBe": 4},
            (Outcome.PASSED, 4),
        ),
    ],
)
def test_the_one_value_of_a_query_is_compared(
    tmp_path: Path, query: str, limit: dict[str, object], expected: tuple[Outcome, object]
) -> None:
    publish(tmp_path, ORDERS)
    assert outcome(tmp_path, sql(query, **limit)) == expected


@pytest.mark.parametrize(
    ("query", "limit", "reason"),
    [
        ("SELECT MAX(id) FROM orders WHERE id > 9", 1, "no value: the query returned NULL or no"),
        ("SELECT id FROM orders WHERE id > 9", 1, "no value: the query returned NULL or no row"),
        ("SELECT id FROM orders", 1, "the query returned several rows; expected one value"),
        ("SELECT 1, 2", 1, "the query returned 2 columns; expected one value"),
        ("SELECT COUNT(*) FROM orders", True, "the query returned a number; expected true or"),
        ("SELECT TRUE", 1, "the query returned true or false; expected a number"),
        ("SELECT MAX(state_cd) FROM orders", 1, "the query returned a text; expected a number"),
        ("SELECT 1", "1", "the query returned a number; expected a text"),
        ("SELECT MAX(nothing) FROM orders", 1, "the query cannot be run: its tables have no"),
        ("SELECT SUM(CAST(state_cd AS INTEGER)) FROM orders", 1, "the query failed on the data"),
        ("SELECT SUM(amount) / 0 FROM orders", 1, "the answer is no finite number"),
    ],
)
def test_what_is_no_answer_is_an_error_that_quotes_no_data(
    tmp_path: Path, query: str, limit: object, reason: str
) -> None:
    publish(tmp_path, ORDERS)
    found = verdict(tmp_path, sql(query, mustBe=limit))
    assert found.outcome is Outcome.ERROR
    assert found.reason.startswith(reason)
    assert not {"open", "closed", "test"} & set(found.reason.replace('"', " ").split())


def test_a_rule_of_a_column_names_it_and_is_skipped_without_it(tmp_path: Path) -> None:
    rule = sql("SELECT COUNT({property}) FROM {object}", id="r", mustBe=3)
    data = contract().replace(
        b'"physicalName": "STATE_CD"',
        b'"physicalName": "STATE_CD", "quality": [%s]' % json.dumps(rule).encode(),
    )
    publish(tmp_path, ORDERS)
    assert verdicts(tmp_path, data)[("sql", "r")].observed == 3
    publish(tmp_path, "id,amount\n1,2\n")
    assert verdicts(tmp_path, data)[("sql", "r")].reason == "column missing"


def test_a_table_that_cannot_be_read_gives_no_answer(tmp_path: Path) -> None:
    publish(tmp_path, ORDERS, customers="")
    rule = sql("SELECT COUNT(*) FROM customers")
    assert "cannot be read as csv" in verdict(tmp_path, rule).reason


def test_percent_is_for_display() -> None:
    (rule,) = loaded(contract(sql("SELECT 5", unit="percent"))).tables[0].queries
    assert str(rule.limit.unit) == "percent"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (sql("SELECT {property} FROM {object}"), "'{property}' stands for a column; expected a"),
        (sql("SELECT {foo} FROM {object}"), "unknown placeholder 'foo'; expected {object}, {p"),
        (sql("SELECT TRUE", mustNotBe=True), "true and false are compared by mustBe; expected"),
        (sql(" "), "the query is empty; expected one SELECT"),
    ],
)
def test_a_rule_that_is_wrong_is_a_problem_of_the_contract(
    rule: dict[str, object], message: str
) -> None:
    (found,) = refusals(rule)
    assert found.startswith(message)


def test_variables_are_resolved_when_the_query_runs_and_guarded_then(tmp_path: Path) -> None:
    publish(tmp_path, ORDERS)
    rules = (
        sql("SELECT COUNT(*) FROM orders WHERE state_cd = '${ST}'", id="named", mustBe=1),
        sql("SELECT COUNT(*) FROM orders WHERE id = ${ID:-2}", id="default", mustBe=2),
        sql("SELECT COUNT(*) FROM ${OTHER}", id="other"),
        sql("SELECT COUNT(*) FROM ${UNSET}", id="unset"),
    )
    found = verdicts(
        tmp_path, contract(*rules), {"ST": "open", "OTHER": "read_csv('/etc/passwd')", "UNSET": ""}
    )
    assert found["sql", "named"].outcome is Outcome.PASSED
    assert found["sql", "default"].outcome is Outcome.PASSED
    assert found["sql", "other"].reason.startswith("with its variables: the function 'read_csv' is")
    assert found["sql", "unset"].reason.startswith("the variable UNSET of the contract has no val")


def test_a_server_whose_path_has_an_unresolved_variable_is_not_read(tmp_path: Path) -> None:
    publish(tmp_path, ORDERS)
    data = contract(sql("SELECT 1", id="r", mustBe=1), path="${DIR}/{object}.csv")
    assert verdicts(tmp_path, data)["sql", "r"].outcome is Outcome.ERROR
    found = verdicts(tmp_path, data, {"DIR": str(tmp_path)})
    assert found["sql", "r"].outcome is Outcome.PASSED


ORDER = {
    "name": "order",
    "logicalType": "object",
    "properties": [
        {"name": "id", "physicalName": "ID", "logicalType": "integer"},
        {"name": "lines", "logicalType": "array", "items": {"logicalType": "integer"}},
    ],
}
ROWS = '{"order": {"ID": 1, "lines": [1]}}\n{"order": {"ID": 5, "lines": []}}\n{"order": null}\n'


def nested(at_id: object = (), at_items: object = (), name: str = "orders") -> bytes:
    """Return a contract of JSON with rules of a member and of the elements of an array."""
    member, array = cast("list[dict[str, Any]]", ORDER["properties"])
    items = {**array["items"], "quality": at_items}
    order = {**ORDER, "properties": [{**member, "quality": at_id}, {**array, "items": items}]}
    server = {"server": "live", "type": "local", "path": "o.json", "format": "json"}
    table = {"name": name, "properties": [order, {"name": "ID", "logicalType": "integer"}]}
    return json.dumps({**HEAD, "servers": [server], "schema": [table]}).encode()


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT SUM({property}) FROM {object}", 6),
        ("SELECT COUNT(*) FROM {object} WHERE {property} + 1 > 2", 1),
        ("SELECT COUNT(*) FROM {object} AS o WHERE o.{property} IS NULL", 1),
        ("SELECT MAX(${column}::bigint) FROM {object}", 5),
        ("SELECT COUNT(*) FROM {object} AS a JOIN {object} AS b ON a.{field} = b.{field}", 2),
        ("SELECT COUNT(*) FROM {object} WHERE '{property}' = 'order.ID'", 3),
        ("SELECT SUM({property}) FROM {object} WHERE {property} < ${MOST:-3}", 1),
    ],
)
def test_a_rule_inside_an_object_names_its_member(
    tmp_path: Path, query: str, answer: float
) -> None:
    (tmp_path / "o.json").write_text(ROWS)
    found = verdicts(tmp_path, nested([sql(query, id="r", mustBe=answer)]))["sql", "r"]
    assert (found.observed, found.outcome) == (answer, Outcome.PASSED)


def test_a_rule_inside_an_array_runs_unless_it_names_the_property(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text(ROWS)
    rules = [
        sql("SELECT COUNT(*) FROM {object}", id="rows", mustBe=3),
        sql("SELECT MAX({property}) FROM {object}", id="named", mustBe=3),
    ]
    found = verdicts(tmp_path, nested(at_items=rules))
    assert found["sql", "rows"].outcome is Outcome.PASSED
    assert found["sql", "named"].outcome is Outcome.SKIPPED
    assert "names a property inside an array" in found["sql", "named"].reason


def test_a_name_that_is_a_table_and_an_object_is_refused(tmp_path: Path) -> None:
    meant = "'order' is a table and an object column; expected FROM {object} AS t, where t is"
    for query, name in (
        ("SELECT SUM({property}) FROM {object}", "order"),
        ('SELECT SUM({property}) FROM {object} AS "order"', "orders"),
        ('SELECT SUM({property}) FROM (SELECT * FROM {object}) AS "ORDER"', "orders"),
    ):
        with pytest.raises(ContractError) as refused:
            loaded(nested([sql(query)], name=name))
        (problem,) = refused.value.problems
        assert problem.message.startswith(meant)
    (tmp_path / "o.json").write_text(ROWS)
    rule = sql("SELECT SUM(t.{property}) FROM {object} AS t", id="r", mustBe=6)
    found = verdicts(tmp_path, nested([rule], name="order"))["sql", "r"]
    assert found.outcome is Outcome.PASSED
