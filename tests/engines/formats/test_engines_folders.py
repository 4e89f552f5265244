"""Partition values of folders `name=value` are text, and are parsed as the cells of CSV are."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet
import pytest
from engine_values import TABLE, ask, bad_cells, column, dataset
from types_values import NOW, outcomes, verdicts, write_arrow, write_by_duckdb, write_parquet

from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    CountWhere,
    IsBelow,
    IsInvalid,
    IsNull,
    SurplusRows,
    TableSchema,
)
from contractwatch.model.measure.state import Count, DuplicateCounts, TableColumns

ID = pa.array([1, 2])


def _parquet(folder: Path) -> str:
    write_parquet(folder / "part-0.parquet", id=ID)
    return "parquet"


def _duckdb(folder: Path) -> str:
    write_by_duckdb(folder / "data_0.parquet", "SELECT * FROM (VALUES (1), (2)) AS t(id)")
    return "parquet"


def _arrow(folder: Path) -> str:
    write_arrow(folder / "part-0.arrow", id=ID)
    return "arrow"


def _avro(folder: Path) -> str:
    folder.mkdir(parents=True)
    schema = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}]}
    with (folder / "part-0.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"id": 1}, {"id": 2}])
    return "avro"


def _csv(folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / "part-0.csv").write_text("id\n1\n2\n")
    return "csv"


def _json(folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / "part-0.json").write_text('{"id": 1}\n{"id": 2}\n')
    return "json"


WRITERS = [_parquet, _duckdb, _arrow, _avro, _csv, _json]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("values", "written", "bad"),
    [
        (["01", "12"], {"logicalType": "string"}, 0),
        (["01", "12"], {"logicalType": "string", "logicalTypeOptions": {"minLength": 2}}, 0),
        (["01", "x1"], {"logicalType": "integer"}, 2),
        (["01", "-12"], {"logicalType": "integer"}, 0),
        (["true", "False"], {"logicalType": "boolean"}, 0),
        (["yes", "true"], {"logicalType": "boolean"}, 2),
        (["2026-02-27", "2026-02-28"], {"logicalType": "string"}, 0),
        (["2026-02-27", "2026-02-30"], {"logicalType": "date"}, 2),
        (["1.5", "1e3", "-7"], {"logicalType": "number"}, 0),
        (["2026-02-27T10%3A00%3A00Z", "2026-02-27 10:00:00"], {"logicalType": "timestamp"}, 0),
        (["2026-02-27 25:00:00"], {"logicalType": "timestamp"}, 2),
        (["10%3A30", "10:30:01.5"], {"logicalType": "time"}, 0),
        (["DE", "__HIVE_DEFAULT_PARTITION__"], {"logicalType": "string"}, 0),
        (["7", "__HIVE_DEFAULT_PARTITION__"], {"logicalType": "integer"}, 0),
    ],
)
def test_a_folder_keeps_its_declared_type_in_every_format(
    tmp_path: Path,
    write: Callable[[Path], str],
    values: list[str],
    written: dict[str, Any],
    bad: int,
) -> None:
    (data_format,) = {write(tmp_path / f"k={value}") for value in values}
    found = verdicts(
        tmp_path,
        [{"name": "id", "logicalType": "integer"}, {"name": "k", **written}],
        path=f"./**/*.{data_format}",
        data_format=data_format,
    )
    assert found["k/type"].violations == bad
    others = {promise: one for promise, one in outcomes(found).items() if promise != "k/type"}
    assert set(others.values()) == {"passed"}


def test_a_folder_in_a_format_of_its_own_is_read_by_it(tmp_path: Path) -> None:
    for value in ("27.02.2026", "28.02.2026", "2026-02-28"):
        _parquet(tmp_path / f"day={value}")
    options = {"format": "dd.MM.yyyy"}
    found = verdicts(
        tmp_path, [{"name": "day", "logicalType": "date", "logicalTypeOptions": options}]
    )
    assert found["day/type"].violations == 2


def test_what_is_null_in_csv_is_null_as_the_name_of_a_folder(tmp_path: Path) -> None:
    for value in ("7", "n%2Fa", ""):
        _parquet(tmp_path / f"k={value}")
    written = {"name": "k", "logicalType": "integer", "required": True}
    found = verdicts(tmp_path, [written], read={"nullValues": ["", "n/a"]})
    assert found["k/type"].violations == 0
    assert found["k/required"].violations == 4


def test_no_type_is_guessed_from_the_names_of_folders(tmp_path: Path) -> None:
    for value in ("2024", "2025"):
        _parquet(tmp_path / f"k={value}")
    found = verdicts(tmp_path, [{"name": "k", "physicalType": "int"}])
    assert outcomes(found) == {"k/presence": "passed", "k/physicalType": "skipped"}
    assert found["k/physicalType"].reason == "unverifiable: the values are names of folders"


def test_bounds_keys_and_nulls_of_folders_are_those_of_parsed_values(tmp_path: Path) -> None:
    for shop, day in (("7", "2026-03-01"), ("007", "x"), ("__HIVE_DEFAULT_PARTITION__", "")):
        write_parquet(tmp_path / f"shop={shop}" / f"day={day}" / "a.parquet", id=ID)
    columns = [column("shop", LogicalType.INTEGER), column("day", LogicalType.DATE)]
    data = dataset(
        sorted(tmp_path.rglob("*.parquet")), DataFormat.PARQUET, columns, hive_root=tmp_path
    )
    assert ask(data, CountWhere(TABLE, IsBelow("shop", Decimal(7)))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsNull("shop"))) == Count(2)
    assert ask(data, CountWhere(TABLE, IsInvalid("shop", values=(7,)))) == Count(0)
    assert bad_cells(data, "day") == 2
    assert ask(data, CountWhere(TABLE, IsNull("day"))) == Count(2)
    assert ask(data, SurplusRows(TABLE, ("shop", "id"))) == DuplicateCounts(4, 2, 2, 4)


@pytest.mark.parametrize("value", ["7", "x"])
def test_a_column_of_some_files_is_in_folders_of_others_if_all_names_are_its_values(
    tmp_path: Path, value: str
) -> None:
    write_parquet(tmp_path / f"shop={value}" / "a.parquet", id=ID)
    write_parquet(tmp_path / "shop=8" / "b.parquet", id=ID, shop=pa.array([1, None], pa.int16()))
    data = dataset(sorted(tmp_path.rglob("*.parquet")), DataFormat.PARQUET, hive_root=tmp_path)
    schema = ask(data, TableSchema(TABLE))
    assert isinstance(schema, TableColumns)
    shop = schema.find("shop")
    assert shop is not None
    expected = ("integer", "int16") if value == "7" else ("other", "int16 or text")
    assert (shop.kind, shop.physical) == expected
    if value == "7":
        assert ask(data, CountWhere(TABLE, IsBelow("shop", 7))) == Count(1)


def test_a_folder_of_instants_tells_how_fresh_the_data_are(tmp_path: Path) -> None:
    for hour in (8, 9):
        at = datetime(2026, 3, 10, hour, tzinfo=UTC)
        _parquet(tmp_path / f"at={at:%Y-%m-%d %H}%3A00%3A00")
    levels = [{"property": "freshness", "value": 4, "unit": "h", "element": "t.at"}]
    found = verdicts(tmp_path, [{"name": "at", "logicalType": "timestamp"}], levels=levels)
    (level,) = (one for promise, one in found.items() if "freshness" in promise)
    assert (level.outcome.value, NOW.hour) == ("passed", 12)


SIGNS = [
    "a=b",
    "a#b",
    "a?b",
    "a[1]",
    "a b",
    "a/b",
    "a%b",
    "a%20b",
    "a+b",
    "a:b",
    "a*b",
    "a\\b",
    "é",
]


@pytest.mark.parametrize(
    "value", [*SIGNS, "a\\b", "a ", "a&b;c", "'a'", "{a}", "a\nb", "_a", ".a", "1=1="]
)
@pytest.mark.parametrize("writer", ["pyarrow", "duckdb"])
def test_a_folder_that_another_writer_named_has_the_value_that_was_written(
    tmp_path: Path, writer: str, value: str
) -> None:
    table = pa.table({"id": [1, 2], "k": [value, "b"]})
    if writer == "pyarrow":
        pa.parquet.write_to_dataset(table, str(tmp_path / "t"), partition_cols=["k"])
    else:
        with duckdb.connect() as connection:
            connection.register("rows", table)
            connection.execute(
                f"COPY rows TO '{tmp_path / 't'}' (FORMAT parquet, PARTITION_BY (k))"
            )
    rule = {"metric": "invalidValues", "arguments": {"validValues": [value, "b"]}, "mustBe": 0}
    both = {"name": "k", "logicalType": "string", "quality": [rule]}
    found = verdicts(tmp_path, [both], path="./t", quality=[{"metric": "rowCount", "mustBe": 2}])
    assert set(outcomes(found).values()) == {"passed"}


@pytest.mark.parametrize(
    ("folder", "name"),
    [("a%20b=1", "a b"), ("a b=1", "a b"), ("%C3%A9%3D%25=1", "é=%"), ("a+b=1", "a+b")],
)
def test_the_name_of_a_column_is_escaped_in_folders_as_its_values_are(
    tmp_path: Path, folder: str, name: str
) -> None:
    _parquet(tmp_path / folder)
    found = verdicts(tmp_path, [{"name": name, "logicalType": "integer", "required": True}])
    assert set(outcomes(found).values()) == {"passed"}


def test_a_column_is_not_in_two_folders_by_another_spelling(tmp_path: Path) -> None:
    _parquet(tmp_path / "a b=1" / "a%20b=2")
    found = verdicts(tmp_path, [{"name": "a b"}])
    assert "in two folders of the column 'a b'" in found["a b/presence"].reason


@pytest.mark.parametrize("folder", ["k=100%", "k=%zz", "k=a%2", "k=%FF"])
def test_a_percent_sign_that_escapes_nothing_stands_for_itself(tmp_path: Path, folder: str) -> None:
    _parquet(tmp_path / folder)
    found = verdicts(tmp_path, [{"name": "k", "logicalType": "string", "required": True}])
    assert set(outcomes(found).values()) == {"passed"}


def test_a_place_below_the_folder_of_a_value_still_has_the_value(tmp_path: Path) -> None:
    for folder in ("k=2026-01-01%2010%3A00%3A00", "k=b"):
        _parquet(tmp_path / folder)
    (tmp_path / "_SUCCESS").touch()
    column_ = {"name": "k", "logicalType": "timestamp", "required": True}
    for path in (
        "./k=2026-01-01%2010%3A00%3A00",
        "./k=2026-01-01%2010%3A00%3A00/*.parquet",
        "./k=2026*/*.parquet",
    ):
        found = verdicts(tmp_path, [column_], path=path)
        assert set(outcomes(found).values()) == {"passed"}
