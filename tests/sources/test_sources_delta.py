"""Delta tables are read by their log, which leads nowhere outside of the roots."""

import os
import shutil
import struct
import subprocess
import sys
import uuid
import zlib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from delta_writing import bitmap, by_hand, in_sidecars, inline, z85
from deltalake import DeltaTable, write_deltalake
from table_format_values import ROWS, Opening, asked, kinds, nulls, opened

from contractwatch.errors import SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.measure.metric import (
    CountWhere,
    IsInvalid,
    RowCount,
    SurplusRows,
    TableSchema,
)
from contractwatch.model.measure.state import Count, DuplicateCounts
from contractwatch.sources.table_formats.delta_log import newest_log_files


def test_only_the_live_files_of_the_newest_delta_version_are_read(
    tmp_path: Path, opening: Opening
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    first = opening(tmp_path, DataFormat.DELTA)
    write_deltalake(tmp_path, pl.DataFrame({"id": [3, 3, None]}), mode="overwrite")
    second = opening(tmp_path, DataFormat.DELTA)
    found = asked(second, ROWS, nulls("id"), SurplusRows("orders", ("id",)))
    assert found.measurements == {
        ROWS: Count(3),
        nulls("id"): Count(1),
        SurplusRows("orders", ("id",)): DuplicateCounts(2, 1, 1, 2),
    }
    assert first.version != second.version
    assert opening(tmp_path, DataFormat.DELTA).version == second.version
    commit = DeltaTable(tmp_path).history(1)[0]["timestamp"]
    assert second.modified_at == datetime.fromtimestamp(commit / 1000, UTC)


@pytest.mark.parametrize("name", ["orders [2024]", "orders #1 % ü", "o?", "*"])
def test_a_delta_folder_may_have_any_letters_in_its_name(tmp_path: Path, name: str) -> None:
    for folder, ids in ((name, [1, 2]), ("orders 2", [3])):
        write_deltalake(tmp_path / "plain", pl.DataFrame({"id": ids}))
        (tmp_path / "plain").rename(tmp_path / folder)
    found = asked(opened(tmp_path / name, DataFormat.DELTA), ROWS)
    assert found.measurements == {ROWS: Count(2)}


def test_a_delta_folder_whose_name_the_library_would_decode_is_refused(tmp_path: Path) -> None:
    for folder in ("orders%20x", "orders x"):
        write_deltalake(tmp_path / "plain", pl.DataFrame({"id": [1]}))
        (tmp_path / "plain").rename(tmp_path / folder)
    with pytest.raises(SourceError, match="which the library would decode"):
        opened(tmp_path / "orders%20x", DataFormat.DELTA)


def test_a_version_that_was_opened_is_read_though_a_newer_one_is_there(
    tmp_path: Path, opening: Opening
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    data = opening(tmp_path, DataFormat.DELTA)
    write_deltalake(tmp_path, pl.DataFrame({"id": [3]}), mode="overwrite")
    assert asked(opening(tmp_path, DataFormat.DELTA), ROWS).measurements == {ROWS: Count(1)}
    assert asked(data, ROWS).measurements == {ROWS: Count(2)}


def test_a_delta_column_that_old_files_lack_is_null_in_their_rows(
    tmp_path: Path, opening: Opening
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    newer = pl.DataFrame({"id": [3], "word": ["a"]})
    write_deltalake(tmp_path, newer, mode="append", schema_mode="merge")
    found = asked(opening(tmp_path, DataFormat.DELTA), ROWS, nulls("word"), TableSchema("orders"))
    assert found.measurements[nulls("word")] == Count(2)
    assert kinds(found) == {"id": "integer", "word": "string"}


def test_delta_partitions_have_the_values_of_the_log(tmp_path: Path, opening: Opening) -> None:
    parts = ["x y", "b/1", None, "b%2F1", "ä", "b/1"]
    write_deltalake(tmp_path, pl.DataFrame({"id": range(6), "part": parts}), partition_by=["part"])
    invalid = CountWhere("orders", IsInvalid("part", values=("b/1", "x y")))
    found = asked(opening(tmp_path, DataFormat.DELTA), ROWS, nulls("part"), invalid)
    assert found.measurements == {ROWS: Count(6), nulls("part"): Count(1), invalid: Count(2)}


def test_delta_tables_stand_side_by_side(tmp_path: Path, opening: Opening) -> None:
    write_deltalake(tmp_path / "orders", pl.DataFrame({"id": [1]}))
    write_deltalake(tmp_path / "lines", pl.DataFrame({"id": [1, 2]}))
    data = opening(tmp_path, DataFormat.DELTA, tables=("orders", "lines"))
    lines = RowCount("lines")
    assert asked(data, ROWS, lines).measurements == {ROWS: Count(1), lines: Count(2)}


def test_an_empty_delta_table_has_columns_and_no_row(tmp_path: Path, opening: Opening) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1]}).clear())
    found = asked(opening(tmp_path, DataFormat.DELTA), ROWS, TableSchema("orders"))
    assert found.measurements[ROWS] == Count(0)
    assert kinds(found) == {"id": "integer"}


def test_where_no_delta_table_is_it_is_said(tmp_path: Path, opening: Opening) -> None:
    with pytest.raises(SourceError, match="no delta table is at"):
        opening(tmp_path, DataFormat.DELTA)


def test_a_live_delta_file_that_is_gone_is_told(tmp_path: Path, opening: Opening) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1]}))
    next(tmp_path.glob("*.parquet")).unlink()
    with pytest.raises(SourceError, match="a file that the table's metadata name is not there"):
        opening(tmp_path, DataFormat.DELTA)


def test_deletion_vectors_and_renamed_columns_are_read(tmp_path: Path, opening: Opening) -> None:
    (tmp_path / "x").mkdir()
    one = pl.DataFrame({"col-1": [1, 2, 2, 4], "col-2": ["a", "b", None, None]})
    one.write_parquet(tmp_path / "x" / "one.parquet")
    pl.DataFrame({"col-1": pl.Series([5], dtype=pl.Int32)}).write_parquet(tmp_path / "two.parquet")
    by_hand(
        tmp_path,
        {"id": ("long", "col-1"), "word": ("string", "col-2"), "day": ("date", "col-3")},
        [
            {
                "path": "x/one.parquet",
                "partitionValues": {"col-3": "2024-01-02"},
                "stats": '{"numRecords": 4}',
                "deletionVector": inline([1, 3]),
            },
            {"path": "two.parquet", "partitionValues": {"col-3": None}},
        ],
        features=["deletionVectors", "columnMapping"],
        mode="name",
        partitions=["day"],
    )
    key = SurplusRows("orders", ("id",))
    on_the_day = CountWhere("orders", IsInvalid("day", values=("2024-01-02",)))
    data = opening(tmp_path, DataFormat.DELTA)
    found = asked(data, ROWS, nulls("word"), nulls("day"), key, on_the_day)
    assert found.measurements == {
        ROWS: Count(3),
        nulls("word"): Count(2),
        nulls("day"): Count(1),
        key: DuplicateCounts(rows=3),
        on_the_day: Count(0),
    }


@pytest.mark.parametrize(
    ("features", "mode", "words"),
    [
        (["catalogManaged"], "none", "asks for what is not read"),
        (["columnMapping"], "id", "maps its columns by id"),
    ],
)
def test_a_delta_table_that_asks_for_more_is_refused(
    tmp_path: Path, opening: Opening, features: list[str], mode: str, words: str
) -> None:
    pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "one.parquet")
    by_hand(
        tmp_path, {"id": ("long", "id")}, [{"path": "one.parquet"}], features=features, mode=mode
    )
    with pytest.raises(SourceError, match=words):
        opening(tmp_path, DataFormat.DELTA)


def test_a_file_of_another_type_than_the_log_is_told(tmp_path: Path, opening: Opening) -> None:
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "one.parquet")
    by_hand(tmp_path, {"id": ("long", "id")}, [{"path": "one.parquet"}])
    found = asked(opening(tmp_path, DataFormat.DELTA), ROWS)
    assert "a file has column 'id' as string, and the table's metadata as int64" in str(
        found.failures["orders"]
    )


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    pl.DataFrame({"id": [1, 2, 3]}).write_parquet(folder / "secret.parquet")
    data = bitmap([0])
    checked = struct.pack(">I", len(data)) + data + struct.pack(">I", zlib.crc32(data))
    (folder / "vector.bin").write_bytes(b"\1" + checked)
    return folder


@pytest.mark.parametrize(
    "named",
    [
        "file://{outside}/secret.parquet",
        "{outside}/secret.parquet",
        "../outside/secret.parquet",
        "%2E%2E/outside/secret.parquet",
        "link/secret.parquet",
        "s3://bucket/secret.parquet",
        "https://127.0.0.1:9/secret.parquet",
        "file://elsewhere/secret.parquet",
        "//[secret.parquet",
    ],
)
def test_a_delta_log_leads_nowhere_outside(tmp_path: Path, outside: Path, named: str) -> None:
    table = tmp_path / "table"
    by_hand(table, {"id": ("long", "id")}, [{"path": named.format(outside=outside)}])
    (table / "link").symlink_to(outside)
    with pytest.raises(SourceError, match=r"leads outside|of another machine|by no path"):
        opened(table, DataFormat.DELTA)


def test_a_deletion_vector_outside_is_not_opened(tmp_path: Path, outside: Path) -> None:
    table = tmp_path / "table"
    table.mkdir()
    pl.DataFrame({"id": [1, 2]}).write_parquet(table / "one.parquet")
    vector = {
        "storageType": "p",
        "pathOrInlineDv": f"file://{outside}/vector.bin",
        "offset": 1,
        "sizeInBytes": len(bitmap([0])),
        "cardinality": 1,
    }
    added = [{"path": "one.parquet", "deletionVector": vector}]
    by_hand(table, {"id": ("long", "id")}, added, features=["deletionVectors"])
    with pytest.raises(SourceError, match="deletion vectors by absolute paths"):
        opened(table, DataFormat.DELTA)


@pytest.mark.parametrize("inner", ["../outside", "%2E%2E/outside", "{outside}", "", "in"])
@pytest.mark.parametrize("is_checkpoint", [False, True])
def test_a_relative_deletion_vector_leads_nowhere_outside(
    tmp_path: Path, outside: Path, inner: str, is_checkpoint: bool
) -> None:
    table, letters = tmp_path / "table", uuid.UUID(int=7)
    (table / "in").mkdir(parents=True)
    name = f"deletion_vector_{letters}.bin"
    (outside / "vector.bin").rename(outside / name)
    if inner in {"", "in"}:
        (table / inner / name).symlink_to(outside / name)
    pl.DataFrame({"id": [1, 2]}).write_parquet(table / "one.parquet")
    vector = {
        "storageType": "u",
        "pathOrInlineDv": inner.format(outside=outside) + z85(letters.bytes),
        "offset": 1,
        "sizeInBytes": len(bitmap([0])),
        "cardinality": 1,
    }
    stats = '{"numRecords": 2}'
    added = [{"path": "one.parquet", "stats": stats, "deletionVector": vector}]
    by_hand(table, {"id": ("long", "id")}, added, features=["deletionVectors"])
    if is_checkpoint:
        DeltaTable(table).create_checkpoint()
        (table / "_delta_log" / f"{0:020}.json").write_text('{"commitInfo": {"timestamp": 1}}\n')
    with pytest.raises(SourceError, match="outside"):
        opened(table, DataFormat.DELTA)
    if inner in {"", "in"}:
        (table / inner / name).unlink()
        shutil.copy(outside / name, table / inner)
        assert asked(opened(table, DataFormat.DELTA), ROWS).measurements == {ROWS: Count(1)}


def test_a_checkpoint_and_what_came_after_it_are_read(tmp_path: Path, opening: Opening) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    write_deltalake(tmp_path, pl.DataFrame({"id": [3]}), mode="append")
    DeltaTable(tmp_path).create_checkpoint()
    (tmp_path / "_delta_log" / f"{0:020}.json").unlink()
    write_deltalake(tmp_path, pl.DataFrame({"id": [4]}), mode="append")
    assert asked(opening(tmp_path, DataFormat.DELTA), ROWS).measurements == {ROWS: Count(4)}


def test_the_sidecars_of_a_checkpoint_are_read(tmp_path: Path, opening: Opening) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    in_sidecars(tmp_path, "side.parquet", as_parquet=False)
    assert asked(opening(tmp_path, DataFormat.DELTA), ROWS).measurements == {ROWS: Count(2)}


@pytest.mark.parametrize("as_parquet", [False, True])
@pytest.mark.parametrize(
    "named",
    ["../../../outside/side.parquet", "file://{outside}/side.parquet", "http://127.0.0.1:9/x"],
)
def test_a_sidecar_outside_is_not_opened(
    tmp_path: Path, opening: Opening, named: str, as_parquet: bool
) -> None:
    table, outside = tmp_path / "table", tmp_path / "outside"
    write_deltalake(table, pl.DataFrame({"id": [1, 2]}))
    in_sidecars(table, named.format(outside=outside), as_parquet=as_parquet)
    (table / "_delta_log" / "_sidecars").rename(outside)
    with pytest.raises(SourceError, match="parts of a checkpoint outside of its log"):
        opening(table, DataFormat.DELTA)


@pytest.mark.parametrize(
    ("names", "newest"),
    [
        (["0.json", "1.json"], ["0.json", "1.json"]),
        (["0.json", "1.json", "1.checkpoint.parquet"], ["1.checkpoint.parquet", "1.json"]),
        (["1.json", "1.checkpoint.1.2.parquet", "0.json"], ["0.json", "1.json"]),
        (
            [
                "0.checkpoint.parquet",
                "1.checkpoint.2.2.parquet",
                "1.checkpoint.1.2.parquet",
                "2.json",
            ],
            ["1.checkpoint.2.2.parquet", "1.checkpoint.1.2.parquet", "2.json"],
        ),
        (["0.crc", "0.1.compacted.json", "x/1.json", "_last_checkpoint", "0.json"], ["0.json"]),
        ([], []),
    ],
)
def test_a_version_rests_on_its_newest_whole_checkpoint(
    names: list[str], newest: list[str]
) -> None:
    assert newest_log_files([in_full(one) for one in names]) == [in_full(one) for one in newest]


def in_full(name: str) -> str:
    """Return a name of the log with its numbers at their full lengths."""
    first, *rest = name.split(".")
    return ".".join([first.zfill(20), *(one.zfill(10) if one.isdecimal() else one for one in rest)])


def test_a_log_that_is_a_link_to_another_is_refused(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "secret", pl.DataFrame({"id": [1]}))
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "_delta_log").symlink_to(tmp_path / "secret" / "_delta_log")
    with pytest.raises(SourceError, match="leads outside"):
        opened(tmp_path / "table", DataFormat.DELTA)


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "metadata" / "v1.metadata.json").mkdir(parents=True)
    code = f"""
import sys
import uuid
sys.modules["deltalake"] = sys.modules["pyiceberg"] = None
from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Table
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.sources import open_server
clause = Clause("servers[0]", 1)
for known in (DataFormat.DELTA, DataFormat.ICEBERG):
    server = Server(clause, "live", "local", path={str(tmp_path)!r}, data_format=known)
    try:
        open_server(server, (Table(clause, "orders", "orders", ()),), bases=(), roots=None)
    except Exception as error:
        print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "need deltalake; install contractwatch-agent[delta]" in ran.stdout
    assert "need pyiceberg and pyarrow; install contractwatch-agent[iceberg]" in ran.stdout
