"""Conditions of a table, variables and filters inside of queries."""

import json
from pathlib import Path

import pytest
from sql_values import HEAD, publish, sql, verdicts

from contractwatch.model.record.check import Outcome

DATA = "id,STATE_CD,amount\n1,open,5\n1,test,x\n2,open,6\n,test,-1\n3,,y\n"


def scoped(where: str, *rules: object, data_format: str = "csv") -> bytes:
    orders = {
        "name": "orders",
        "customProperties": [{"property": "contractwatch.where", "value": where}],
        "quality": [{"metric": "rowCount", "id": "n", "mustBe": 2}, *rules],
        "properties": [
            {"name": "id", "logicalType": "integer", "required": True, "unique": True},
            {"name": "state", "physicalName": "STATE_CD", "logicalType": "string"},
            {"name": "amount", "logicalType": "integer"},
        ],
    }
    path = f"orders_v1.{data_format}"
    server = {"server": "live", "type": "local", "path": path, "format": data_format}
    return json.dumps({**HEAD, "servers": [server], "schema": [orders]}).encode()


def test_every_question_about_rows_is_about_those_in_scope(tmp_path: Path) -> None:
    publish(tmp_path, DATA)
    rule = sql("SELECT COUNT(*) FROM {object}", id="s", mustBe=2)
    found = verdicts(tmp_path, scoped("State <> 'test'", rule))
    assert {verdict.outcome for verdict in found.values()} == {Outcome.PASSED}
    assert found["rowCount", "n"].observed == 2
    assert (found["required", "required"].rows, found["unique", "unique"].violations) == (2, 0)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("state <> 'test'", 2),
        ("state <> 'test' OR state IS NULL", 3),
        ("amount > 5", 1),
        ("CAST(state AS INTEGER) > 5", 0),
        ("lower(STATE_CD) IN ('open', 'test') AND NOT id = 2", 2),
        ("state ~ '^o' AND id BETWEEN 1 AND 2", 2),
        ("TRUE", 5),
    ],
)
def test_a_condition_compares_parsed_values_and_leaves_unknowns_out(
    tmp_path: Path, where: str, rows: int
) -> None:
    publish(tmp_path, DATA)
    assert verdicts(tmp_path, scoped(where))["rowCount", "n"].observed == rows


def test_a_cell_of_another_type_counts_in_scope_only(tmp_path: Path) -> None:
    publish(tmp_path, DATA)
    of_amount = ("type", "type")  # the last column's
    assert verdicts(tmp_path, scoped("id = 1"))[of_amount].violations == 1
    assert verdicts(tmp_path, scoped("id = 2"))[of_amount].violations == 0


def test_a_condition_on_a_missing_column_leaves_the_schema_judged(tmp_path: Path) -> None:
    publish(tmp_path, "id,amount\n1,2\n")
    found = verdicts(tmp_path, scoped("state <> 'test'"))
    assert found["presence", "presence"].outcome is Outcome.PASSED
    assert found["rowCount", "n"].outcome is Outcome.ERROR
    assert found["rowCount", "n"].reason == (
        "the condition on rows needs column 'STATE_CD', which is missing"
    )


def test_a_condition_that_is_no_truth_in_the_data_gives_no_answer(tmp_path: Path) -> None:
    publish(tmp_path, DATA)
    found = verdicts(tmp_path, scoped("amount"))["rowCount", "n"]
    assert found.outcome is Outcome.ERROR
    assert found.reason.startswith("the condition on rows does not fit the data")


def test_a_condition_with_an_unresolved_variable_gives_no_answer(tmp_path: Path) -> None:
    publish(tmp_path, DATA)
    data = scoped("state = '${STATE}'")
    assert verdicts(tmp_path, data)["rowCount", "n"].outcome is Outcome.ERROR
    assert verdicts(tmp_path, data, {"STATE": "open"})["rowCount", "n"].observed == 2
    hostile = verdicts(tmp_path, data, {"STATE": "' OR EXISTS (SELECT 1) OR '"})
    assert "is not allowed in a condition" in hostile["rowCount", "n"].reason
