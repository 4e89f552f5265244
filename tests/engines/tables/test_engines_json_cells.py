"""JSON texts in cells are judged as nested JSON is, whatever the format of the file."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import deltalake
import fastavro
import polars as pl
import pyarrow as pa
import pytest
from engine_values import NOW, column, dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.memory import InMemoryCatalog
from types_values import outcomes, verdicts, write_arrow, write_by_duckdb, write_parquet

from contractwatch.engines.cache.file_answers import is_cacheable
from contractwatch.engines.cache.incremental_scan import incremental_scan
from contractwatch.engines.tables import json_cells
from contractwatch.engines.tables.json_cells import MAX_DEPTH, is_too_deep
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import RowCount
from contractwatch.model.record.check import Verdict

ORDER = {
    "name": "o",
    "logicalType": "object",
    "required": True,
    "logicalTypeOptions": {"minProperties": 2, "maxProperties": 4, "required": ["id"]},
    "properties": [
        {
            "name": "id",
            "logicalType": "integer",
            "required": True,
            "unique": True,
            "logicalTypeOptions": {"minimum": 1, "maximum": 9},
        },
        {
            "name": "code",
            "logicalType": "string",
            "logicalTypeOptions": {"pattern": "^[A-Z]+$", "maxLength": 3},
        },
        {"name": "day", "logicalType": "date"},
        {"name": "never", "logicalType": "string"},
        {
            "name": "lines",
            "logicalType": "array",
            "logicalTypeOptions": {"minItems": 1, "maxItems": 2, "uniqueItems": True},
            "items": {
                "logicalType": "object",
                "properties": [{"name": "qty", "logicalType": "number", "required": True}],
            },
        },
    ],
}
TAGS = {
    "name": "tags",
    "logicalType": "map",
    "map": {
        "key": {"logicalType": "string", "logicalTypeOptions": {"maxLength": 2}},
        "value": {"logicalType": "integer", "required": True},
    },
    "logicalTypeOptions": {"maxProperties": 2},
}
LIST = {"name": "list", "logicalType": "array", "items": {"logicalType": "integer"}}
PROPERTIES = [ORDER, TAGS, LIST]
ROWS: list[dict[str, Any]] = [
    {"o": {"id": 1, "code": "AB", "day": "2026-01-01", "lines": [{"qty": 1.5}]}, "list": [1, 2]},
    {"o": {"id": "1", "code": "ab", "lines": []}, "tags": {"a": 1, "long": None}, "list": ["x"]},
    {"o": {"ID": 77, "day": "1.1.2026", "lines": [{}, {"qty": None}, {"qty": 2}]}, "list": []},
    {"o": None, "tags": [{"key": "k", "value": 2}], "list": None},
    {"o": [1, 2], "tags": {"a": 1, "b": 2, "c": 3}, "list": {"a": 1}},
    {"o": {"id": {"a": 1}, "code": ["A"], "lines": [7, {"qty": "1e400"}]}, "tags": {}, "list": 5},
    {"o": {"id": 3}, "tags": "a=1", "list": [[1], None, 1.0]},
]


def _cells(name: str) -> list[str | None]:
    values = (row.get(name) for row in ROWS)
    return [None if value is None else json.dumps(value) for value in values]


NAMES = ("o", "tags", "list")
TEXTS = {name: pa.array(_cells(name), pa.string()) for name in NAMES}


def _csv(folder: Path) -> dict[str, str]:
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        writer.writerows(zip(*map(_cells, NAMES), strict=True))
    return {"path": "./t.csv", "data_format": "csv"}


def _parquet(folder: Path) -> dict[str, str]:
    write_parquet(folder / "t.parquet", **TEXTS)
    return {}


def _dictionaries(folder: Path) -> dict[str, str]:
    write_parquet(folder / "t.parquet", **{n: t.dictionary_encode() for n, t in TEXTS.items()})
    return {}


def _large_texts(folder: Path) -> dict[str, str]:
    write_parquet(folder / "t.parquet", **{n: t.cast(pa.large_string()) for n, t in TEXTS.items()})
    return {}


def _annotated(folder: Path) -> dict[str, str]:
    write_arrow(folder / "t.arrow", **{n: pa.array(_cells(n), pa.json_()) for n in NAMES})
    return {"path": "./t.arrow", "data_format": "arrow"}


def _duckdb(folder: Path) -> dict[str, str]:
    def literal(cell: str | None) -> str:
        return "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"

    rows = ", ".join(
        f"({', '.join(map(literal, row))})" for row in zip(*map(_cells, NAMES), strict=True)
    )
    columns = ", ".join(f"{name}::JSON AS {name}" for name in NAMES)
    write_by_duckdb(
        folder / "t.parquet", f"SELECT {columns} FROM (VALUES {rows}) AS t(o, tags, list)"
    )
    return {}


def _arrow(folder: Path) -> dict[str, str]:
    write_arrow(folder / "t.arrow", **TEXTS)
    return {"path": "./t.arrow", "data_format": "arrow"}


def _avro(folder: Path) -> dict[str, str]:
    fields = [{"name": name, "type": ["null", "string"]} for name in NAMES]
    rows = [dict(zip(NAMES, row, strict=True)) for row in zip(*map(_cells, NAMES), strict=True)]
    with (folder / "t.avro").open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "t", "fields": fields}, rows)
    return {"path": "./t.avro", "data_format": "avro"}


def _delta(folder: Path) -> dict[str, str]:
    deltalake.write_deltalake(folder / "t", pa.table(TEXTS))
    return {"path": "./t", "data_format": "delta"}


def _iceberg(folder: Path) -> dict[str, str]:
    rows = pa.table(TEXTS)
    with closing(InMemoryCatalog("test", warehouse=folder.as_uri())) as catalog:
        catalog.create_namespace("of")
        catalog.create_table("of.t", schema=rows.schema).append(rows)
    return {"path": "./of/t", "data_format": "iceberg"}


WRITERS = (
    _csv, _parquet, _dictionaries, _large_texts, _annotated, _duckdb,
    _arrow, _avro, _delta, _iceberg,
)  # fmt: skip


def told(found: Mapping[str, Verdict]) -> dict[str, tuple[str, int | None]]:
    return {name: (one.outcome.value, one.violations) for name, one in found.items()}


def in_nested_json(
    folder: Path, properties: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Verdict]:
    (folder / "t.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return verdicts(folder, properties, path="./t.jsonl", data_format="json")


@pytest.mark.parametrize("write", WRITERS)
def test_a_cell_of_text_is_judged_as_nested_json_is(
    tmp_path: Path, write: Callable[[Path], dict[str, str]]
) -> None:
    expected = told(in_nested_json(tmp_path, PROPERTIES, ROWS))
    found = told(verdicts(tmp_path, PROPERTIES, **write(tmp_path)))
    assert found == expected
    assert found["o/type"] == ("failed", 1)
    assert found["tags.value/required"] == ("failed", 1)
    assert found["o.lines/uniqueItems"] == ("failed", 1)
    unasked = [name for name, (outcome, _) in found.items() if outcome in {"skipped", "error"}]
    assert unasked == ["o.never/type"]


def one_column(folder: Path, cells: Sequence[str | None], *, column: Mapping[str, Any] = ORDER):
    write_parquet(folder / "t.parquet", **{column["name"]: pa.array(cells, pa.string())})
    return verdicts(folder, [column])


@pytest.mark.parametrize(
    "cell",
    [
        "{'id': 1}",
        '{"id": 1',
        '{"id": 1} {"id": 2}',
        '{"id": NaN}',
        '{"id": 1, "id": 2}',
        '"{\\"id\\": 1}"',
        "{id: 1}",
        "[]",
        "7",
        "true",
        "",
        "   ",
        "<a/>",
        "\ufeff{}",
        "[" * 100_000,
        '{"a":' * 2_000 + "1" + "}" * 2_000,
    ],
)
def test_a_cell_that_is_no_json_of_that_kind_breaks_the_type_and_nothing_else(
    tmp_path: Path, cell: str
) -> None:
    number = {"name": "id", "logicalType": "integer", "required": True}
    column = {"name": "o", "logicalType": "object", "properties": [number]}
    found = told(one_column(tmp_path, [cell, '{"id": 1}', None], column=column))
    assert found["o/type"] == ("failed", 1)
    assert found["o.id/presence"][0] == "passed"
    assert found["o.id/required"] == ("passed", 0)
    assert found["o.id/type"] == ("passed", 0)


def test_what_is_no_json_is_told_by_its_shape_and_never_by_its_value(tmp_path: Path) -> None:
    found = one_column(tmp_path, ["{'secret': 'Ada'}", None, '{"id": 1}'])
    assert found["o/type"].reason.endswith("the first look like '{'xxxxxx': 'xxx'}'")
    assert "Ada" not in str(found)


def test_null_as_json_is_null(tmp_path: Path) -> None:
    found = told(one_column(tmp_path, ["null", " null ", '{"id": 1}', None]))
    assert found["o/required"] == ("failed", 3)
    assert found["o/type"] == ("passed", 0)


@pytest.mark.parametrize("row", [0, 999, 1_000, 30_000])
def test_a_member_is_there_if_one_cell_has_it_however_late(tmp_path: Path, row: int) -> None:
    cells = ['{"id": 1}'] * 30_001
    cells[row] = '{"ID": 1, "\\u00fC": 5}'
    column = {"name": "o", "logicalType": "object"}
    inner = [{"name": "ü", "logicalType": "integer"}, {"name": "id", "logicalType": "integer"}]
    found = told(one_column(tmp_path, cells, column={**column, "properties": inner}))
    assert found["o.ü/presence"][0] == "passed"
    inner[0]["name"] = "nowhere"
    found = told(verdicts(tmp_path, [{**column, "properties": inner}]))
    assert found["o.nowhere/presence"][0] == "failed"


def test_a_column_without_any_cell_shows_no_members(tmp_path: Path) -> None:
    found = outcomes(one_column(tmp_path, [None, None]))
    assert found["o/type"] == "passed"
    assert found["o.id/presence"] == "skipped"


def test_the_physical_type_is_that_of_the_files_text(tmp_path: Path) -> None:
    kept = one_column(tmp_path, ['{"id": 1}'], column={**ORDER, "physicalType": "varchar(99)"})
    assert kept["o/physicalType"].outcome.value == "passed"
    broken = verdicts(tmp_path, [{**ORDER, "physicalType": "struct<id: int>"}])
    assert "of type string" in broken["o/physicalType"].reason


def test_files_of_one_table_show_their_members_together(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", o=pa.array(['{"id": 1}']))
    write_parquet(tmp_path / "b.parquet", o=pa.array(['{"code": "A"}']))
    write_parquet(tmp_path / "c.parquet", x=pa.array([1]))
    found = outcomes(verdicts(tmp_path, [ORDER]))
    assert found["o.id/presence"] == found["o.code/presence"] == "passed"
    assert found["o.never/presence"] == "failed"


def test_an_object_in_one_file_and_text_in_another_disagree(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", o=pa.array(['{"id": 1}']))
    write_parquet(tmp_path / "b.parquet", o=pa.array([{"id": 1}]))
    found = verdicts(tmp_path, [ORDER])
    assert found["o/type"].outcome.value == "failed"
    assert "the files do not agree" in found["o/type"].reason


def test_keys_windows_and_queries_know_the_members_of_such_texts(tmp_path: Path) -> None:
    rule = {"id": "q", "type": "sql", "query": "SELECT MAX({property}) FROM {object}", "mustBe": 2}
    at = {"name": "at", "logicalType": "timestamp"}
    key = {"name": "id", "logicalType": "integer", "primaryKey": True, "quality": [rule]}
    column = {"name": "o", "logicalType": "object", "properties": [key, at]}
    cells = ['{"id": 2, "at": "2026-03-10T11:00:00Z"}', '{"id": "2", "at": "2026-03-09"}']
    write_parquet(tmp_path / "t.parquet", o=pa.array(cells))
    levels = [{"id": "f", "property": "freshness", "value": 2, "unit": "h", "element": "t.o.at"}]
    found = outcomes(verdicts(tmp_path, [column], levels=levels))
    assert found["o.id/sql/q"] == "passed"
    assert {name: one for name, one in found.items() if "rimaryKey" in name} == {
        "-/primaryKey": "failed"
    }
    assert found["o.at/freshness/f"] == "passed"
    assert found["o.at/type"] == "failed"


def test_a_large_file_is_asked_by_its_statistics_about_other_columns_only(tmp_path: Path) -> None:
    random = Random(1)
    filler = pa.array([f"{random.getrandbits(256):064x}" for _ in range(40_000)])
    cells = pa.array(["null", *['{"id": 1}'] * 39_999])
    write_parquet(tmp_path / "t.parquet", o=cells, filler=filler)
    assert (tmp_path / "t.parquet").stat().st_size > 1 << 20
    filled = {"name": "filler", "logicalType": "string", "required": True}
    found = told(verdicts(tmp_path, [{**ORDER, "properties": []}, filled]))
    assert found["o/required"] == ("failed", 1)
    assert found["filler/required"] == ("passed", 0)


def test_a_folders_name_may_be_json(tmp_path: Path) -> None:
    write_parquet(tmp_path / "list=%5B1, 2%5D" / "t.parquet", x=pa.array([1]))
    write_parquet(tmp_path / "list=%5B1, %22a%22%5D" / "t.parquet", x=pa.array([1]))
    found = told(verdicts(tmp_path, [LIST], read={"hivePartitioning": True}))
    assert found["list/type"] == ("passed", 0)
    assert found["list[]/type"] == ("failed", 1)


def test_cells_are_parsed_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = told(in_nested_json(tmp_path, PROPERTIES, ROWS))
    monkeypatch.setattr(json_cells, "_PIECE_CHARACTERS", 30)
    assert told(verdicts(tmp_path, PROPERTIES, **_parquet(tmp_path))) == expected
    monkeypatch.setattr(json_cells, "_PIECE_ROWS", 2)
    assert told(verdicts(tmp_path, PROPERTIES, **_csv(tmp_path))) == expected


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, False),
        ("[" * (MAX_DEPTH + 1), True),
        ("[" + "[]," * 2 * MAX_DEPTH + "]", False),
        ('["' + "[" * 2 * MAX_DEPTH + '"]', False),
        ('["\\"' + "{" * 2 * MAX_DEPTH + '"]', False),
        ('{"a":' * (MAX_DEPTH + 1), True),
    ],
)
def test_levels_are_counted_outside_of_texts(text: str, *, deep: bool) -> None:
    assert is_too_deep(text) is deep


def test_no_answers_of_single_files_are_kept_for_the_members_are_those_of_all(
    tmp_path: Path,
) -> None:
    write_parquet(tmp_path / "t.parquet", o=pa.array(['{"id": 1}']))
    objects = column("o", LogicalType.OBJECT)
    files = dataset([tmp_path / "t.parquet"], DataFormat.PARQUET, [objects]).tables[0]
    assert incremental_scan(files, [RowCount(files.table)], None, now=NOW) is None
    as_text = replace(files, columns=(column("o", LogicalType.STRING),))
    assert incremental_scan(as_text, [RowCount(files.table)], None, now=NOW) is not None
    assert not is_cacheable(replace(files, data_format=DataFormat.CSV))


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-99, 99), st.sampled_from(["", "A", "7", "\ud83d\ude00"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "code", "lines", "qty", "key", "value"]), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)), min_size=1, max_size=6))
def test_any_value_is_judged_alike_as_a_text_and_as_nested_json(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("law")
    texts = {name: pl.Series([json.dumps(row[name]) for row in rows]) for name in NAMES}
    pl.DataFrame(texts).write_parquet(folder / "t.parquet")
    expected = told(in_nested_json(folder, PROPERTIES, rows))
    assert told(verdicts(folder, PROPERTIES)) == expected


@pytest.mark.parametrize("suffix", ["arrow", "jsonl"])
def test_a_column_that_several_properties_stand_for_costs_no_other_its_verdict(
    tmp_path: Path, suffix: str
) -> None:
    rows = [{"c": '{"a": "2026-01-01"}', "id": 1}]
    if suffix == "arrow":
        table = pa.Table.from_pylist(rows)
        write_arrow(tmp_path / "t.arrow", c=table["c"], id=table["id"])
        data_format = "arrow"
    else:
        (tmp_path / "t.jsonl").write_text('{"c": {"a": "2026-01-01"}, "id": 1}\n')
        data_format = "json"
    one = {"physicalName": "c", "logicalType": "object"}
    properties = [
        {"name": "id", "logicalType": "integer", "required": True},
        {"name": "c1", **one, "properties": [{"name": "a", "logicalType": "date"}]},
        {
            "name": "c2",
            "physicalName": "c",
            "logicalType": "array",
            "items": {"logicalType": "date"},
        },
        {"name": "c3", "physicalName": "c", "logicalType": "string"},
    ]
    found = verdicts(tmp_path, properties, path=f"./t.{suffix}", data_format=data_format)
    assert found["id/required"].outcome.value == "passed"
    assert found["id/type"].outcome.value == "passed"
    assert "KeyError" not in str(found)
