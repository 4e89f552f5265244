"""Names that differ by case alone, or look the same: one real name keeps one promise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deltalake
import fastavro
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from types_values import outcomes, verdicts, write_arrow, write_by_duckdb, write_parquet

ROWS = [{"id": 1}, {"id": 2}]
ORDERS = pa.array(ROWS)


def _parquet(folder: Path) -> str:
    write_parquet(folder / "o.parquet", o=ORDERS)
    return "parquet"


def _duckdb(folder: Path) -> str:
    write_by_duckdb(folder / "o.parquet", "SELECT {'id': 1} AS o UNION ALL SELECT {'id': 2}")
    return "parquet"


def _arrow(folder: Path) -> str:
    write_arrow(folder / "o.arrow", o=ORDERS)
    return "arrow"


def _avro(folder: Path) -> str:
    inner = {"type": "record", "name": "i", "fields": [{"name": "id", "type": "long"}]}
    schema = {"type": "record", "name": "r", "fields": [{"name": "o", "type": inner}]}
    with (folder / "o.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"o": row} for row in ROWS])
    return "avro"


def _json(folder: Path) -> str:
    (folder / "o.json").write_text("".join(f"{json.dumps({'o': row})}\n" for row in ROWS))
    return "json"


def _cells(folder: Path) -> str:
    (folder / "o.csv").write_text('o,x\n"{""id"": 1}",1\n"{""id"": 2}",1\n')
    return "csv"


WRITERS = [_parquet, _duckdb, _arrow, _avro, _json, _cells]
ID = {"logicalType": "integer", "required": True}


def of_object(folder: Path, data_format: str, *names: str) -> dict[str, Any]:
    properties = [{"name": name, **ID} for name in names]
    column = {"name": "o", "logicalType": "object", "properties": properties}
    return verdicts(folder, [column], path=f"./*.{data_format}", data_format=data_format)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("other", ["Id", "ID", "iD"])
def test_one_member_keeps_the_promise_of_one_name(
    tmp_path: Path, write: Callable[[Path], str], other: str
) -> None:
    found = of_object(tmp_path, write(tmp_path), other, "id")
    assert {key: one for key, one in outcomes(found).items() if "o.id" in key} == {
        "o.id/presence": "passed",
        "o.id/type": "passed",
        "o.id/required": "passed",
    }
    assert found[f"o.{other}/presence"].reason == (
        f"the table has no column 'o.{other}'; its 'id' is another promised member,"
        " and they differ by case alone"
    )
    assert found[f"o.{other}/required"].reason == "column missing"


@pytest.mark.parametrize("write", WRITERS[:4])
def test_a_member_is_found_whatever_its_case_and_that_is_said(
    tmp_path: Path, write: Callable[[Path], str]
) -> None:
    found = of_object(tmp_path, write(tmp_path), "ID")
    assert set(outcomes(found).values()) == {"passed"}
    assert found["o.ID/presence"].reason == "the object spells it 'id'"


def test_two_members_of_one_name_but_for_case_are_told(tmp_path: Path) -> None:
    both = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["id", "Id"])
    write_parquet(tmp_path / "o.parquet", o=both, l=pa.array([[{"id": 1}]]))
    items = {"logicalType": "object", "properties": [{"name": "Id", **ID}, {"name": "id", **ID}]}
    found = verdicts(
        tmp_path,
        [
            {"name": "o", "properties": [{"name": "ID", **ID}]},
            {"name": "l", "logicalType": "array", "items": items},
        ],
    )
    assert "it has 'id' and 'Id', which differ by case alone" in found["o.ID/presence"].reason
    assert outcomes(found)["l[].id/presence"] == "passed"
    assert outcomes(found)["l[].Id/presence"] == "failed"
    exact = verdicts(tmp_path, [{"name": "o", "properties": [{"name": "Id", **ID}]}])
    assert exact["o.Id/presence"].reason == (
        "the object also has 'id', which differs by case alone"
    )


def test_a_whole_json_column_keeps_the_promise_of_one_name(tmp_path: Path) -> None:
    columns = [{"name": name, "logicalType": "object"} for name in ("O", "o")]
    found = verdicts(tmp_path, columns, path=f"./*.{_json(tmp_path)}", data_format="json")
    assert outcomes(found) == {
        "O/presence": "failed",
        "O/type": "skipped",
        "o/presence": "passed",
        "o/type": "passed",
    }


@pytest.mark.parametrize(
    ("header", "promised", "shown"),
    [
        ("cafe\u0301", "caf\u00e9", "'cafe\\u0301'"),
        ("\u200bid", "id", r"'\u200bid'"),
        ("i\u00add", "ID", r"'i\xadd'"),
        ("\ufeffid", "id", r"'\ufeffid'"),
    ],
)
def test_a_name_that_only_looks_like_the_promised_one_is_shown_with_escapes(
    tmp_path: Path, header: str, promised: str, shown: str
) -> None:
    (tmp_path / "t.csv").write_text(f"x,{header}\n1,2\n", encoding="utf8")
    found = verdicts(tmp_path, [{"name": promised}], path="./t.csv", data_format="csv")
    (verdict,) = found.values()
    assert f"; it has {shown}, which looks the same: write it so" in verdict.reason
    assert (
        outcomes(verdicts(tmp_path, [{"name": header}], path="./t.csv", data_format="csv"))[
            f"{header}/presence"
        ]
        == "passed"
    )


def _delta(folder: Path, table: pa.Table) -> str:
    deltalake.write_deltalake(str(folder / "t"), table)
    return "./t"


def _iceberg(folder: Path, table: pa.Table) -> str:
    catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}/wh")
    catalog.create_namespace("n")
    catalog.create_table("n.t", schema=table.schema).append(table)
    catalog.close()
    return "./wh/n/t"


LAKES = [("delta", _delta), ("iceberg", _iceberg)]


@pytest.mark.parametrize(("data_format", "write"), LAKES)
def test_columns_of_tables_with_a_record_are_found_as_those_of_files(
    tmp_path: Path, data_format: str, write: Callable[[Path, pa.Table], str]
) -> None:
    path = write(tmp_path, pa.table({"id": [1, 2], "o": ROWS}))
    members = [{"name": "Id", **ID}, {"name": "id", **ID}]
    found = verdicts(
        tmp_path,
        [
            {"name": "ID", **ID},
            {"name": "O", "logicalType": "object", "properties": members},
            {"name": "_file"},
            {"name": "id_duplicated_0"},
            {"name": "__index_level_0__"},
        ],
        path=path,
        data_format=data_format,
    )
    failed = {promise for promise, outcome in outcomes(found).items() if outcome == "failed"}
    assert failed == {
        "O.Id/presence",
        "_file/presence",
        "id_duplicated_0/presence",
        "__index_level_0__/presence",
    }
    assert found["ID/presence"].reason == "the table spells it 'id'"
    twice = [{"name": "ID", **ID}, {"name": "id", **ID}]
    found = verdicts(tmp_path, twice, path=path, data_format=data_format)
    assert (outcomes(found)["ID/presence"], outcomes(found)["id/required"]) == ("failed", "passed")


def test_two_columns_of_an_iceberg_table_that_differ_by_case_are_told(tmp_path: Path) -> None:
    path = _iceberg(tmp_path, pa.table({"id": [1, 2], "ID": pa.array([None, 2], pa.int64())}))
    found = verdicts(tmp_path, [{"name": "id", **ID}], path=path, data_format="iceberg")
    assert found["id/presence"].reason == "the table also has 'ID', which differs by case alone"
    assert outcomes(found)["id/required"] == "passed"
    found = verdicts(tmp_path, [{"name": "Id", **ID}], path=path, data_format="iceberg")
    assert "it has 'id' and 'ID', which differ by case alone" in found["Id/presence"].reason
