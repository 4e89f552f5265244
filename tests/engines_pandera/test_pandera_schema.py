import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandera.errors
import pandera.polars as pa
import polars as pl
import pytest
from pandera_values import contract_of, table_of

import contractwatch
from contractwatch.checks.schema import types
from contractwatch.engines.core.file_types import column_type
from contractwatch.engines.pandera.export import pandera_source
from contractwatch.errors import UsageError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.state import Count, TableColumns
from contractwatch.model.record.check import Outcome

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

_ORDERS = """
- name: id
  physicalName: order_id
  logicalType: integer
  required: true
- name: amount
  logicalType: number
  required: true
- name: state
  logicalType: string
  logicalTypeOptions: {format: uuid}
"""
_LEVELS = """
slaProperties:
  - {property: latency, value: 4, unit: h, element: t.at}
  - {property: availability, value: 99.5, unit: percent}
"""
_TIMED = "- {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}"
_FRAME = pl.DataFrame({"order_id": [1, 2], "amount": [1.0, 2.0], "state": [None, None]}).cast(
    {"state": pl.String}
)


def _errors(schema: Any, frame: Any) -> list[Any]:
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        schema.validate(frame, lazy=True)
    return list(caught.value.schema_errors)


def _fits(logical_type: str, dtype: Any) -> bool:
    schema = contractwatch.to_pandera(contract_of(f"- {{name: c, logicalType: {logical_type}}}"))
    try:
        schema.validate(pl.DataFrame(schema={"c": dtype}), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return [e.reason_code.name for e in errors.schema_errors] != ["WRONG_DATATYPE"]
    return True


_INNER = {
    "map": ", map: {key: {logicalType: string}, value: {logicalType: integer}}",
    "array": ", items: {logicalType: integer}",
}
_OF_FRAMES = [
    *(pl.Int8(), pl.UInt128(), pl.Float16(), pl.Float32(), pl.Decimal(9, 0), pl.Decimal(9, 2)),
    *(pl.Boolean(), pl.String(), pl.Categorical(), pl.Enum(["a"]), pl.Binary(), pl.Null()),
    *(pl.Date(), pl.Time(), pl.Datetime("ms"), pl.Datetime("us", "UTC"), pl.Duration("us")),
    *(pl.Struct({"a": pl.Int8}), pl.List(pl.Int8), pl.Array(pl.Float32, 3)),
    pl.List(pl.Struct({"key": pl.String, "value": pl.Int8})),
    *(pl.List(pl.Struct({"a": pl.Int8})), pl.Map(pl.String, pl.Int64)),
    *(pl.Extension("arrow.json", pl.String), pl.Extension("arrow.bool8", pl.Int8)),
]


@pytest.mark.parametrize("logical_type", list(LogicalType))
@pytest.mark.parametrize("dtype", _OF_FRAMES, ids=str)
def test_a_frame_has_the_types_that_a_file_may_have(
    logical_type: LogicalType, dtype: pl.DataType
) -> None:
    more = _INNER.get(logical_type, "")
    contract = contract_of(f"- {{name: c, logicalType: {logical_type}{more}}}")
    check = next(one for one in types.checks(contract) if isinstance(one, types.TypeCheck))
    schema, cells, rows = check.metrics()
    found = column_type("c", dtype, DataFormat.PARQUET)
    if found.kind == "string" and logical_type in {"object", "array", "map", "vector"}:
        found = replace(found, kind="object", text=True)  # JSON texts, each of which is looked at
    columns = TableColumns((found,))
    verdict = check.judge({schema: columns, cells: Count(0), rows: Count(1)}, NOW)
    assert _fits(f"{logical_type}{more}", dtype) is (verdict.outcome is Outcome.PASSED)


def test_a_frame_that_keeps_every_promise_is_given_back() -> None:
    schema = contractwatch.to_pandera(contract_of(_ORDERS))
    assert isinstance(schema, pa.DataFrameSchema)
    assert schema.validate(_FRAME, lazy=True).equals(_FRAME)


def test_columns_have_their_physical_names_and_are_required() -> None:
    schema = contractwatch.to_pandera(contract_of(_ORDERS))
    assert list(schema.columns) == ["order_id", "amount", "state"]
    (missing,) = _errors(schema, _FRAME.drop("amount"))
    assert missing.reason_code.name == "COLUMN_NOT_IN_DATAFRAME"


def test_nullable_is_what_the_contract_says() -> None:
    schema = contractwatch.to_pandera(contract_of(_ORDERS))
    assert not schema.columns["order_id"].nullable
    assert schema.columns["state"].nullable


def test_a_required_number_may_be_nan_but_not_null() -> None:
    schema = contractwatch.to_pandera(contract_of(_ORDERS))
    schema.validate(_FRAME.with_columns(amount=pl.lit(float("nan"))), lazy=True)
    (null,) = _errors(schema, _FRAME.with_columns(amount=pl.lit(None, pl.Float64)))
    assert null.check.name == "c/t/amount/required"
    assert len(null.failure_cases) == 2


@pytest.mark.parametrize(
    ("logical_type", "fitting", "unfitting"),
    [
        ("integer", [pl.Int8, pl.UInt64, pl.Decimal(10, 0)], [pl.Float64, pl.String]),
        ("number", [pl.Int8, pl.Float32, pl.Decimal(10, 2)], [pl.String]),
        ("string", [pl.String, pl.Categorical, pl.Enum(["a"])], [pl.Int8, pl.Binary]),
        ("boolean", [pl.Boolean], [pl.Int8]),
        ("date", [pl.Date], [pl.Datetime("us")]),
        ("timestamp", [pl.Datetime("ms"), pl.Datetime("ns", "UTC")], [pl.Date]),
        ("time", [pl.Time], [pl.String]),
        ("object", [pl.Struct({"a": pl.Int8}), pl.String], [pl.Int8]),
        ("array", [pl.List(pl.Int8), pl.Array(pl.Int8, 2), pl.String], [pl.Int8]),
    ],
)
def test_a_logical_type_is_every_type_that_the_standard_means(
    logical_type: str, fitting: list[Any], unfitting: list[Any]
) -> None:
    assert [dtype for dtype in fitting if not _fits(logical_type, dtype)] == []
    assert [dtype for dtype in unfitting if _fits(logical_type, dtype)] == []


@pytest.mark.parametrize(
    ("logical_type", "kept", "broken"),
    [
        ("object", ['{"a": [1]}', "null", "{}"], ["{'a': 1}", "[1]", "", '{"a": 1, "a": 2}', "7"]),
        ("array", ["[]", '[{"a": null}]'], ["{}", "[NaN]", "{1,2}", "[" * 9_000]),
        ("map", ['{"a": 1}', '[{"key": "a", "value": 1}]'], ["a=1", '"{}"']),
        ("vector", ["[0.5, 1]"], ["0.5, 1"]),
    ],
)
@pytest.mark.parametrize("dtype", [pl.String(), pl.Categorical()], ids=str)
def test_a_text_may_be_json_of_that_kind(
    logical_type: str, kept: list[str], broken: list[str], dtype: pl.DataType
) -> None:
    more = _INNER.get(logical_type, "")
    contract = contract_of(f"- {{name: c, logicalType: {logical_type}{more}}}")
    schema = contractwatch.to_pandera(contract)
    cells = pl.Series("c", [*kept, *broken, None], dtype=dtype)
    schema.validate(cells.head(len(kept)).to_frame(), lazy=True)
    (error,) = _errors(schema, cells.to_frame())
    assert error.check.name == "c/t/c/type"
    assert error.failure_cases["c"].to_list() == broken


def test_names_and_types_of_a_lazy_frame_are_checked_without_its_rows() -> None:
    schema = contractwatch.to_pandera(contract_of(_ORDERS))
    (wrong,) = _errors(schema, _FRAME.lazy().cast({"order_id": pl.Float64}))
    assert wrong.reason_code.name == "WRONG_DATATYPE"
    schema.validate(_FRAME.lazy().with_columns(order_id=pl.lit(None, pl.Int64)), lazy=True)


def test_a_broken_promise_of_lower_severity_only_warns() -> None:
    schema = contractwatch.to_pandera(contract_of(_ORDERS))
    with pytest.warns(pandera.errors.SchemaWarning, match="c/t/state/format"):
        schema.validate(_FRAME.with_columns(state=pl.lit("no uuid")), lazy=True)


def test_a_wrong_time_zone_only_warns() -> None:
    schema = contractwatch.to_pandera(contract_of(_TIMED))
    frame = pl.DataFrame({"at": [None]}, schema={"at": pl.Datetime("us")})
    with pytest.warns(pandera.errors.SchemaWarning, match="c/t/at/timezone"):
        schema.validate(frame, lazy=True)
    schema.validate(frame.cast(pl.Datetime("us", "UTC")), lazy=True)


def test_what_a_frame_cannot_answer_is_listed() -> None:
    sql = "- {type: sql, query: select 1, mustBe: 1, id: s1}"
    schema = contractwatch.to_pandera(contract_of(_TIMED, sql, more=_LEVELS))
    said = {entry["id"].split("/")[3] for entry in schema.metadata["contractwatch"]["not_said"]}
    assert said == {"freshness", "availability", "sql"}


def test_several_tables_are_asked_for_by_name() -> None:
    contract = contract_of(_ORDERS, more=table_of(_TIMED, name="u"))
    with pytest.raises(UsageError, match="the contract has: t, u"):
        contractwatch.to_pandera(contract)
    with pytest.raises(UsageError, match="no table 'v'"):
        contractwatch.to_pandera(contract, table="v")
    assert list(contractwatch.to_pandera(contract, table="u").columns) == ["at"]


_RICH = contract_of(
    """
    - name: id
      logicalType: integer
      primaryKey: true
      logicalTypeOptions: {minimum: 1}
    - name: at
      logicalType: timestamp
      logicalTypeOptions: {minimum: "2026-01-01T00:00:00+01:00"}
    - name: day
      logicalType: date
      logicalTypeOptions: {maximum: "2026-01-01"}
    - name: 'odd"name'
      logicalType: string
      quality:
        - {metric: invalidValues, arguments: {pattern: "^\\\\w'\\"{3}$"}, mustBe: 0}
    """,
    "- {metric: rowCount, mustBeBetween: [1, 4]}",
)
_USE = """
import polars as pl, pandera.errors
frame = pl.DataFrame({"id": [1, 1, 0, None]})
try:
    SCHEMAS["t"].validate(frame, lazy=True)
except pandera.errors.SchemaErrors as errors:
    print(*sorted(
        f"{error.check.name} {len(error.failure_cases)}" for error in errors.schema_errors
        if hasattr(error.check, "name") and hasattr(error.failure_cases, "height")
    ), sep="\\n")
import sys
print(sorted(name for name in sys.modules if name.startswith("contractwatch")))
"""


def test_the_exported_source_runs_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "orders_schema.py"
    path.write_text(pandera_source(_RICH) + _USE)
    ended = subprocess.run(
        [sys.executable, "-P", str(path)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["c/t/-/primaryKey 2", "c/t/id/minimum 1", "[]"]


def test_the_exported_source_builds_the_same_schema() -> None:
    names: dict[str, Any] = {}
    exec(compile(pandera_source(_RICH), "schema.py", "exec"), names)
    exported, built = names["SCHEMAS"]["t"], contractwatch.to_pandera(_RICH)
    assert list(exported.columns) == list(built.columns)
    assert exported.metadata == built.metadata
    for name, column in built.columns.items():
        assert [c.name for c in exported.columns[name].checks] == [c.name for c in column.checks]
        assert str(exported.columns[name].dtype) == str(column.dtype)


def test_a_contract_cannot_smuggle_code_into_the_source() -> None:
    trap = "x'); import os; os.abort(); ('"
    contract = contract_of(f'- {{name: "{trap}", logicalType: string, required: true}}')
    names: dict[str, Any] = {}
    exec(compile(pandera_source(contract), "schema.py", "exec"), names)
    assert list(names["SCHEMAS"]["t"].columns) == [trap]


def test_without_pandera_the_error_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['pandera'] = None\n"
        "import contractwatch\n"
        "from contractwatch.errors import ContractwatchError\n"
        f"contract = contractwatch.load({str(Path(__file__).with_name('orders.odcs.yaml'))!r})\n"
        "try:\n    contractwatch.to_pandera(contract)\n"
        "except ContractwatchError as error:\n    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.stdout == "pandera is not installed; install contractwatch-agent[pandera]\n"


def test_promises_about_some_rows_and_in_sql_are_not_said() -> None:
    contract = contract_of("- {name: a, logicalType: integer, required: true}")
    narrowed = replace(contract, tables=(replace(contract.tables[0], where='"a" > 1'),))
    schema: Any = contractwatch.to_pandera(narrowed)
    assert [note["reason"] for note in schema.metadata["contractwatch"]["not_said"]] == [
        "it is about some of the rows only"
    ]
    schema.validate(pl.DataFrame({"a": [None]}, schema={"a": pl.Int64}), lazy=True)
    rule = "- {type: sql, query: SELECT 1, mustBe: 1}"
    asked: Any = contractwatch.to_pandera(contract_of("- {name: a}", rule))
    assert [note["reason"] for note in asked.metadata["contractwatch"]["not_said"]] == [
        "a frame alone cannot answer it"
    ]


def test_keys_and_wholes_inside_of_cells_are_not_said() -> None:
    nested = """
- name: o
  logicalType: object
  unique: true
  properties:
    - {name: id, logicalType: integer, primaryKey: true}
- {name: k, logicalType: integer, primaryKey: true}
- {name: a, logicalType: array, quality: [{metric: duplicateValues, mustBe: 0}]}
"""
    schema = contractwatch.to_pandera(contract_of(nested))
    said = {entry["id"].split("/")[3] for entry in schema.metadata["contractwatch"]["not_said"]}
    assert {"unique", "primaryKey", "duplicateValues"} <= said
    frame = pl.DataFrame({"o": [{"id": 1}] * 2, "k": [1, 1], "a": [[1], [1]]})
    schema.validate(frame, lazy=True)


def test_the_twin_of_an_encrypted_column_need_not_be_a_column_of_the_contract() -> None:
    text = "- {name: card, logicalType: string, encryptedName: card_hidden}"
    schema = contractwatch.to_pandera(contract_of(text))
    frame = pl.DataFrame({"card_hidden": ["x"]})
    assert schema.validate(frame, lazy=True).equals(frame)
