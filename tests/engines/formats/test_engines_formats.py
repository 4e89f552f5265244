"""Files of every format are judged alike, by an oracle that knows rows and no format."""

import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias
from uuid import uuid4

import fastavro
import polars as pl
import pytest
from deltalake import write_deltalake
from engine_values import NOW, TABLE, ask, column, dataset, text
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_oracle import Row, answer
from pyiceberg.catalog.memory import InMemoryCatalog

from contractwatch.engines.query.engine import measure, survey
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import LogicalType, Table
from contractwatch.model.measure.metric import (
    CountWhere,
    IsBelow,
    IsNull,
    Metric,
    RowCount,
    SurplusRows,
)
from contractwatch.model.measure.state import Count, Unmeasured
from contractwatch.sources import open_server
from tests.engines.query.test_engines_oracle import (
    LOGICAL,
    SCHEMA,
    ZONE,
    as_instants,
    existing,
    metrics,
    tables,
    takes_another_zone,
)
from tests.stores import ANY, BUCKET, Put, in_store

WRITTEN = [name for name in SCHEMA if name not in {"small", "zoned", "money"}]
"""Those that the library can write as Avro; it cuts the sign off decimals."""

CLAUSE = Clause("servers[0]", 1)

IpcPacking: TypeAlias = Literal["uncompressed", "lz4", "zstd"]
AvroPacking: TypeAlias = Literal["uncompressed", "snappy", "deflate"]


def frame(rows: Sequence[Row], names: Sequence[str]) -> pl.DataFrame:
    data = {name: [row[name] for row in rows] for name in names}
    return pl.DataFrame(data, schema={name: SCHEMA[name] for name in names})


def agrees(
    write: Callable[[pl.DataFrame, Path], object],
    data_format: DataFormat,
    parts: Sequence[list[Row]],
    asked: Sequence[Metric],
) -> None:
    """Write each part as a file, and hold the engine against the oracle."""
    names = list(parts[0][0]) if parts[0] else list(SCHEMA)
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{at}.{data_format.value}" for at in range(len(parts))]
        for path, rows in zip(paths, parts, strict=True):
            write(frame(rows, names), path)
        found = measure(dataset(paths, data_format), asked, now=NOW)
    together = [row for rows in parts for row in rows]
    assert found == {metric: answer(metric, together, NOW) for metric in asked}


@settings(max_examples=5, deadline=None)
@given(
    st.lists(tables(list(SCHEMA)).filter(bool), min_size=1, max_size=2),
    metrics(list(SCHEMA)),
    st.sampled_from(["uncompressed", "lz4", "zstd"]),
)
def test_arrow_and_the_naive_oracle_agree(
    parts: list[list[Row]], asked: list[Metric], packed: IpcPacking
) -> None:
    agrees(
        lambda one, path: one.write_ipc(str(path), compression=packed),
        DataFormat.ARROW,
        parts,
        asked,
    )


@settings(max_examples=5, deadline=None)
@given(
    st.lists(tables(WRITTEN).filter(bool), min_size=1, max_size=2),
    metrics(WRITTEN),
    st.sampled_from(["uncompressed", "snappy", "deflate"]),
)
def test_avro_and_the_naive_oracle_agree(
    parts: list[list[Row]], asked: list[Metric], packed: AvroPacking
) -> None:
    agrees(
        lambda one, path: one.write_avro(str(path), compression=packed),
        DataFormat.AVRO,
        parts,
        asked,
    )


@settings(max_examples=5, deadline=None)
@given(tables([name for name in LOGICAL if name != "real"]).map(existing), st.data())
def test_a_json_array_and_the_naive_oracle_agree(rows: list[Row], data: st.DataObject) -> None:
    names = [name for name in LOGICAL if name != "real"]
    columns = [column(name, LOGICAL[name], default_timezone=ZONE) for name in names]
    asked = [each for each in data.draw(metrics(names)) if not takes_another_zone(each)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.json"
        path.write_text(json.dumps(rows, default=str), encoding="utf-8")
        found = measure(dataset([path], DataFormat.JSON, columns, json_array=True), asked, now=NOW)
    if rows:
        assert found == {metric: answer(metric, as_instants(rows), NOW) for metric in asked}


def lake_agrees(where: Server, parts: Sequence[list[Row]], asked: Sequence[Metric]) -> None:
    """Hold the engine against the oracle, over a table that was written file by file."""
    table = Table(CLAUSE, TABLE, TABLE, ())
    data = open_server(where, (table,), bases=(), roots=None, reach=ANY)
    together = [row for rows in parts for row in rows]
    assert measure(data, asked, now=NOW) == {
        metric: answer(metric, together, NOW) for metric in asked
    }


def lake(path: str, data_format: DataFormat, endpoint: str = "") -> Server:
    kind = "s3" if endpoint else "local"
    return Server(CLAUSE, "live", kind, path=path, data_format=data_format, endpoint=endpoint)


def utc(one: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the one zone that such tables know."""
    return one.with_columns(pl.col("zoned").cast(pl.Datetime("us", "UTC")))


SEVERAL = st.lists(tables(list(SCHEMA)).filter(bool), min_size=1, max_size=2)
PLACES = pytest.mark.parametrize("place", ["local", "s3"])


@PLACES
@settings(max_examples=3, deadline=None)
@given(parts=SEVERAL, asked=metrics(list(SCHEMA)))
def test_delta_and_the_naive_oracle_agree(
    request: pytest.FixtureRequest, place: str, parts: list[list[Row]], asked: list[Metric]
) -> None:
    with TemporaryDirectory() as folder:
        for rows in parts:
            one = utc(frame(rows, list(SCHEMA)))
            write_deltalake(folder, one, mode="append", partition_by=["flag"])
        where = lake(folder, DataFormat.DELTA)
        if place == "s3":
            put: Put = request.getfixturevalue("put")
            key = uuid4().hex
            for path in Path(folder).rglob("*"):
                if path.is_file():
                    put(f"{key}/{path.relative_to(folder).as_posix()}", path.read_bytes())
            endpoint = request.getfixturevalue("moto")
            where = lake(f"s3://{BUCKET}/{key}", DataFormat.DELTA, endpoint)
        lake_agrees(where, parts, asked)


@PLACES
@settings(max_examples=2, deadline=None)
@given(parts=SEVERAL, asked=metrics(list(SCHEMA)))
def test_iceberg_and_the_naive_oracle_agree(
    request: pytest.FixtureRequest, place: str, parts: list[list[Row]], asked: list[Metric]
) -> None:
    with ExitStack() as opened:
        folder = opened.enter_context(TemporaryDirectory())
        endpoint, known = "", {"warehouse": Path(folder).as_uri()}
        if place == "s3":
            request.getfixturevalue("put")
            endpoint = request.getfixturevalue("moto")
            known = in_store(endpoint, f"s3://{BUCKET}/{uuid4().hex}")
        catalog: Any = opened.enter_context(closing(InMemoryCatalog("test", **known)))
        catalog.create_namespace("of")
        written = [utc(frame(rows, list(SCHEMA))) for rows in parts]
        ready: list[Any] = [one.with_columns(pl.col("small").cast(pl.Int32)) for one in written]
        table = catalog.create_table("of.orders", schema=ready[0].to_arrow().schema)
        for one in ready:
            table.append(one.to_arrow())
        path: str = table.location().removeprefix("file://")
        lake_agrees(lake(path, DataFormat.ICEBERG, endpoint), parts, asked)


@pytest.mark.parametrize("packed", ["uncompressed", "snappy", "deflate"])
def test_avro_of_many_blocks_is_read_block_by_block(tmp_path: Path, packed: AvroPacking) -> None:
    path = tmp_path / "orders.avro"
    pl.DataFrame({"a": [1, None, 3]}).write_avro(path, compression=packed)
    whole = path.read_bytes()
    sync = whole[-16:]
    header, block = whole[: whole.index(sync) + 16], whole[whole.index(sync) + 16 :]
    path.write_bytes(header + block * 3 + b"\x00\x00" + sync)  # an empty block may stand at the end
    data = dataset([path], DataFormat.AVRO)
    assert ask(data, RowCount(TABLE)) == Count(9)
    assert ask(data, CountWhere(TABLE, IsNull("a"))) == Count(3)


@pytest.mark.parametrize("cut", [0, 3, 40, -20, -1])
@pytest.mark.parametrize("data_format", [DataFormat.AVRO, DataFormat.ARROW])
def test_a_file_that_ends_too_early_is_told(
    tmp_path: Path, data_format: DataFormat, cut: int
) -> None:
    path = tmp_path / "orders.bin"
    one = pl.DataFrame({"a": [1, None, 3]})
    one.write_avro(path) if data_format is DataFormat.AVRO else one.write_ipc(path)
    path.write_bytes(path.read_bytes()[:cut])
    found = survey(dataset([path], data_format), [RowCount(TABLE)], now=NOW)
    assert f"table 'orders' cannot be read as {data_format.value}: " in str(found.failures[TABLE])


def test_an_avro_block_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.avro"
    pl.DataFrame({"a": [1]}).write_avro(path, compression="deflate")
    whole = path.read_bytes()
    sync = whole[-16:]
    header = whole[: whole.index(sync) + 16]
    packing = zlib.compressobj(1, wbits=-15)
    packed = packing.compress(bytes(65 << 20)) + packing.flush()
    size, coded = len(packed) << 1, bytearray()
    while size > 127:
        coded.append(size & 127 | 128)
        size >>= 7
    path.write_bytes(header + b"\x02" + bytes((*coded, size)) + packed + sync)
    assert isinstance(ask(dataset([path], DataFormat.AVRO), RowCount(TABLE)), Unmeasured)


def test_decimals_of_avro_keep_their_sign(tmp_path: Path) -> None:
    path = tmp_path / "orders.avro"
    pl.DataFrame({"a": [Decimal("1.50")]}).write_avro(path)
    whole = path.read_bytes()
    sync = whole[-16:]
    header = whole[: whole.index(sync) + 16]
    cells = b"\x02\x06\x00\x80\x00" + b"\x02\x04\x80\x00" + b"\x02\x02\xff"
    path.write_bytes(header + b"\x06" + bytes([len(cells) * 2]) + cells + sync)
    found = measure(
        dataset([path], DataFormat.AVRO), below := [CountWhere(TABLE, IsBelow("a", 0))], now=NOW
    )
    assert found == {below[0]: Count(2)}


def test_an_avro_map_is_refused_before_a_row_is_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.avro"
    pl.DataFrame({"a": [1]}).write_avro(path)
    whole = path.read_bytes()
    long = b'"type":["null","long"]'
    path.write_bytes(whole.replace(long, b'"type":{"type":"map"} '.ljust(len(long))))
    found = survey(dataset([path], DataFormat.AVRO), [RowCount(TABLE)], now=NOW)
    assert "has a map" in str(found.failures[TABLE])


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ({"type": "map", "values": "long"}, {"k": 1}, "has a map at 'o.odd'"),
        ("null", None, "has a column without a type (null) at 'o.odd'"),
        (["string"], "x", "has a union of one type at 'o.odd'"),
        (["null", "string", "int"], "x", "has a union of several types at 'o.odd'"),
        ({"type": "array", "items": ["int", "string"]}, [1], "of several types at 'o.odd[]'"),
        (
            {"type": "fixed", "name": "gap", "size": 12, "logicalType": "duration"},
            bytes(12),
            "has a duration at 'o.odd'",
        ),
    ],
    ids=str,
)
def test_an_avro_type_that_is_not_read_is_told_with_its_place(
    tmp_path: Path, kind: object, value: object, told: str
) -> None:
    inner = {"type": "record", "name": "O", "fields": [{"name": "odd", "type": kind}]}
    schema = {"type": "record", "name": "R", "fields": [{"name": "o", "type": ["null", inner]}]}
    path = tmp_path / "orders.avro"
    with path.open("wb") as file:
        fastavro.writer(file, schema, [{"o": {"odd": value}}])
    found = survey(dataset([path], DataFormat.AVRO), [RowCount(TABLE)], now=NOW)
    assert told in str(found.failures[TABLE])


@pytest.mark.parametrize(
    "metric",
    [RowCount(TABLE), CountWhere(TABLE, IsNull("a")), SurplusRows(TABLE, ("a",))],
    ids=repr,
)
def test_a_row_with_a_stray_separator_is_found_whatever_is_asked(
    tmp_path: Path, metric: Metric
) -> None:
    data = text(tmp_path, "a,b,c\n1,2,3\n1,2,x,y\n", [column("a", LogicalType.INTEGER)])
    found = survey(data, [metric], now=NOW)
    assert "a row has more fields than the header (orders.csv, line 3)" in str(
        found.failures[TABLE]
    )


@pytest.mark.parametrize("metric", [RowCount(TABLE), CountWhere(TABLE, IsNull("a"))], ids=repr)
@pytest.mark.parametrize("broken", ['{"b": 1} {"b": 2}', '{"b": 1', "x"])
def test_a_line_that_is_no_json_object_is_found_whatever_is_asked(
    tmp_path: Path, metric: Metric, broken: str
) -> None:
    (tmp_path / "1.json").write_text('{"a": 1, "b": 2}\n')
    (tmp_path / "2.json").write_text(f'{{"b": 1}}\n{broken}\n')
    paths = [tmp_path / "1.json", tmp_path / "2.json"]
    columns = [column("a", LogicalType.INTEGER)]
    found = survey(dataset(paths, DataFormat.JSON, columns), [metric], now=NOW)
    assert "as one array (2.json, line 2)" in str(found.failures[TABLE])


def test_a_json_file_without_any_object_has_no_rows_to_count(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text("x\n")
    data = dataset([tmp_path / "1.json"], DataFormat.JSON, [])
    assert TABLE in survey(data, [RowCount(TABLE)], now=NOW).failures


def test_files_that_agree_about_no_column_have_rows(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"a": ["x"]}).write_parquet(tmp_path / "2.parquet")
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    data = dataset(paths, DataFormat.PARQUET, [column("a", LogicalType.INTEGER)])
    found = survey(data, [RowCount(TABLE), CountWhere(TABLE, IsNull("a"))], now=NOW)
    assert found.measurements == {
        RowCount(TABLE): Count(3),
        CountWhere(TABLE, IsNull("a")): Unmeasured(
            "the files do not agree about the type of column 'a'"
        ),
    }
