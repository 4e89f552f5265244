"""Iceberg tables are read by their metadata, which leads nowhere outside of the roots."""

import gzip
import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from iceberg_deletes import delete_rows
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.manifest import DataFileContent
from pyiceberg.schema import Schema
from pyiceberg.types import IcebergType, IntegerType, LongType, NestedField, StringType
from table_format_values import ROWS, asked, kinds, nulls, opened, opened_at

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import SurplusRows, TableSchema
from contractwatch.model.measure.state import Count, DuplicateCounts
from tests.stores import BUCKET, in_store


def fields(**types: IcebergType) -> Schema:
    return Schema(
        *(
            NestedField(field_id=at, name=name, field_type=kind)
            for at, (name, kind) in enumerate(types.items(), 1)
        )
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    folder = tmp_path_factory.mktemp("warehouse")
    with closing(InMemoryCatalog("test", warehouse=folder.as_uri())) as catalog:
        catalog.create_namespace("of")
        yield catalog, folder / "of"


class Tables:
    """A catalog whose tables are on this machine, or in a store."""

    def __init__(self, catalog: Any, endpoint: str) -> None:
        self._catalog = catalog
        self._endpoint = endpoint

    def create(self, schema: Schema, **properties: str) -> Any:
        return self._catalog.create_table("of.orders", schema=schema, properties=properties)

    def opened(self, table: Any) -> Dataset:
        location: str = table.location()
        if self._endpoint:
            return opened_at(self._endpoint, location, DataFormat.ICEBERG)
        return opened(Path(location.removeprefix("file://")), DataFormat.ICEBERG)


@pytest.fixture(params=["local", "s3"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tables]:
    if request.param == "local":
        known, endpoint = {"warehouse": tmp_path.as_uri()}, ""
    else:
        request.getfixturevalue("put")
        endpoint = request.getfixturevalue("moto")
        known = in_store(endpoint, f"s3://{BUCKET}/in a/folder")
    with closing(InMemoryCatalog("test", **known)) as catalog:
        catalog.create_namespace("of")
        yield Tables(catalog, endpoint)


def test_iceberg_columns_are_found_by_their_ids(tables: Tables) -> None:
    table = tables.create(fields(id=IntegerType(), word=StringType()))
    table.append(
        pl.DataFrame(
            {"id": [1, None], "word": ["a", None]}, schema_overrides={"id": pl.Int32}
        ).to_arrow()
    )
    first = tables.opened(table)
    with table.update_schema() as changed:
        changed.rename_column("word", "text")
        changed.add_column("more", StringType())
        changed.update_column("id", LongType())
    table.append(pl.DataFrame({"id": [4], "text": ["d"], "more": ["x"]}).to_arrow())
    data = tables.opened(table)
    asked_for = (nulls("text"), nulls("more"), SurplusRows("orders", ("text",)))
    found = asked(data, ROWS, *asked_for, TableSchema("orders"))
    assert found.measurements[ROWS] == Count(3)
    answers = [found.measurements[metric] for metric in asked_for]
    assert answers == [Count(1), Count(2), DuplicateCounts(rows=2)]
    assert kinds(found) == {"id": "integer", "text": "string", "more": "string"}
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert data.modified_at == datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
    assert first.version != data.version
    assert asked(first, ROWS).measurements == {ROWS: Count(2)}


def test_an_iceberg_table_without_a_snapshot_is_empty(
    tables: Tables,
) -> None:
    table = tables.create(fields(id=LongType()))
    found = asked(tables.opened(table), ROWS, TableSchema("orders"))
    assert found.measurements[ROWS] == Count(0)
    assert kinds(found) == {"id": "integer"}


def test_an_iceberg_record_leads_nowhere_outside(
    warehouse: tuple[Any, Path], tmp_path: Path
) -> None:
    catalog, folder = warehouse
    table = catalog.create_table(
        "of.astray",
        schema=fields(id=LongType()),
        properties={"write.data.path": (tmp_path / "outside").as_uri()},
    )
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    with pytest.raises(SourceError, match="leads outside"):
        opened(folder / "astray", DataFormat.ICEBERG)
    both = opened(folder / "astray", DataFormat.ICEBERG, roots=(folder, tmp_path))
    assert asked(both, ROWS).measurements == {ROWS: Count(1)}


@pytest.mark.parametrize("elsewhere", ["s3://bucket/list.avro", "http://127.0.0.1:9/list.avro"])
def test_an_iceberg_record_reaches_no_address_and_names_no_class(
    warehouse: tuple[Any, Path], tmp_path: Path, elsewhere: str
) -> None:
    catalog, folder = warehouse
    name = f"reaching{elsewhere[0]}"
    table = catalog.create_table(f"of.{name}", schema=fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    shutil.copytree(folder / name, tmp_path / "table")
    newest = max((tmp_path / "table" / "metadata").glob("*.metadata.json"))
    written = json.loads(newest.read_text())
    written["snapshots"][-1]["manifest-list"] = elsewhere
    written["properties"]["py-io-impl"] = "os.system"
    newest.write_text(json.dumps(written))
    with pytest.raises(SourceError, match="of another machine"):
        opened(tmp_path / "table", DataFormat.ICEBERG)


def test_broken_iceberg_metadata_are_told(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    with pytest.raises(SourceError, match="has no metadata file"):
        opened(tmp_path, DataFormat.ICEBERG)
    (tmp_path / "metadata" / "v1.metadata.json").write_text("{}")
    with pytest.raises(SourceError, match="cannot be planned"):
        opened(tmp_path, DataFormat.ICEBERG)


def rewritten(table: Any, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the newest metadata of a table, in place."""
    with table.io.new_input(table.metadata_location).open() as newest:
        written = json.loads(newest.read())
    change(written)
    with table.io.new_output(table.metadata_location).create(overwrite=True) as output:
        output.write(json.dumps(written).encode())


@pytest.mark.parametrize(
    ("tables", "elsewhere", "told"),
    [
        ("local", "s3://another/list.avro", "of another machine"),
        ("s3", "s3://another/list.avro", "outside of its own location"),
        ("local", "http://127.0.0.1:9/list.avro", "of another machine"),
        ("s3", "http://127.0.0.1:9/list.avro", "outside of its own location"),
        ("local", "{location}/../list.avro", "leads outside"),
        ("s3", "{location}/../list.avro", "outside of its own location"),
        ("local", "metadata/list.avro", "without their whole path"),
        ("local", "{location}/metadata/none.avro", "that the table's metadata name is not there"),
        ("s3", "{location}/metadata/none.avro", "that the table's metadata name is not there"),
    ],
    indirect=["tables"],
)
def test_a_list_of_manifests_is_within_its_table(tables: Tables, elsewhere: str, told: str) -> None:
    table = tables.create(fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    named = elsewhere.format(location=table.location())
    rewritten(table, lambda one: one["snapshots"][-1].update({"manifest-list": named}))
    with pytest.raises(SourceError, match=told):
        tables.opened(table)


@pytest.mark.parametrize(
    ("tables", "inner"),
    [
        ("local", "../elsewhere"),
        ("local", "../orders-2"),
        ("local", "../../../elsewhere"),
        ("local", "a/../../elsewhere"),
        ("s3", "../orders-2"),
        ("s3", "a/../../elsewhere"),
    ],
    indirect=["tables"],
)
def test_the_rows_of_an_iceberg_table_are_within_it(tables: Tables, inner: str) -> None:
    where = f"{{}}/{inner}"
    table = tables.create(fields(id=LongType()))
    with table.transaction() as changed:
        changed.set_properties({"write.data.path": where.format(table.location())})
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    with pytest.raises(SourceError, match=r"leads outside|outside of its own location"):
        tables.opened(table)


def test_a_manifest_that_fills_the_memory_is_refused(tables: Tables) -> None:
    table = tables.create(fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(80 * 1024 * 1024)) + packer.flush()
    listing: str = table.current_snapshot().manifest_list
    with table.io.new_input(listing).open() as known:
        written: bytes = known.read()
    start = written.index(written[-16:]) + 16  # a header ends in the mark that ends each block
    bomb = written[:start] + number(1) + number(len(block)) + block + written[-16:]
    with table.io.new_output(listing).create(overwrite=True) as output:
        output.write(bomb)
    with pytest.raises(SourceError, match="a block is too large") as refusal:
        tables.opened(table)
    assert refusal.value.blame is Blame.PRODUCT


def number(value: int) -> bytes:
    left, found = value << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes((*found, left))


def large() -> bytes:
    return gzip.compress(bytes(130 * 1024 * 1024), compresslevel=1)


@pytest.mark.parametrize(
    ("tables", "name", "make", "told"),
    [
        ("local", "v9.gz.metadata.json", large, "that are too large"),
        ("s3", "v9.gz.metadata.json", large, "that are too large"),
        ("local", "v9.gz.metadata.json", lambda: b"\x1f\x8bx", "that cannot be unpacked"),
        ("local", "v9.metadata.json", lambda: b"[" * 100_000, "cannot be planned"),
        ("local", "v9.metadata.json", lambda: b"", "cannot be planned"),
        ("s3", "v9.metadata.json", lambda: b"", "cannot be planned"),
    ],
    indirect=["tables"],
)
def test_metadata_that_are_no_metadata_are_told(
    tables: Tables, name: str, make: Callable[[], bytes], told: str
) -> None:
    text = make()
    table = tables.create(fields(id=LongType()))
    with table.io.new_output(f"{table.location()}/metadata/{name}").create() as output:
        output.write(text)
    with pytest.raises(SourceError, match=told) as refusal:
        tables.opened(table)
    assert refusal.value.blame is Blame.PRODUCT


def test_a_hint_names_the_version_that_is_read(tables: Tables) -> None:
    table = tables.create(fields(id=LongType()))
    first = table.metadata_location.rsplit("/", 1)[-1]
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    with table.io.new_output(f"{table.location()}/metadata/version-hint.text").create() as output:
        output.write(first.encode())
    assert asked(tables.opened(table), ROWS).measurements == {ROWS: Count(0)}


@pytest.mark.parametrize("bounded", [True, False])
def test_iceberg_rows_that_are_deleted_by_position_are_not_read(
    tables: Tables, bounded: bool
) -> None:
    table = tables.create(fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1, 2, 3, None]}).to_arrow())
    delete_rows(table, [1, 3], bounded=bounded)
    found = asked(tables.opened(table), ROWS, nulls("id"))
    assert found.measurements == {ROWS: Count(2), nulls("id"): Count(0)}


def test_equality_deletes_are_refused(tables: Tables) -> None:
    table = tables.create(fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1, 2]}).to_arrow())
    delete_rows(table, [1], content=DataFileContent.EQUALITY_DELETES)
    with pytest.raises(SourceError, match="has equality deletes: this is not read"):
        tables.opened(table)


def test_rows_of_an_iceberg_table_are_counted_and_not_taken_from_its_record(
    tables: Tables,
) -> None:
    table = tables.create(fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1, 2, 3, None]}).to_arrow())
    delete_rows(table, [1, 1])  # the record says that two rows are deleted
    data = tables.opened(table)
    assert asked(data, ROWS).measurements == {ROWS: Count(3)}


def test_an_iceberg_file_is_confined_by_the_name_under_which_it_is_opened(
    warehouse: tuple[Any, Path], tmp_path: Path
) -> None:
    catalog, folder = warehouse
    inside = folder / "spelt" / "link"
    inside.mkdir(parents=True)
    (folder / "spelt" / "%6Cink").symlink_to(tmp_path)
    table = catalog.create_table(
        "of.spelt",
        schema=fields(id=LongType()),
        properties={"write.data.path": f"{(folder / 'spelt').as_uri()}/%6Cink"},
    )
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    for path in tmp_path.glob("*.parquet"):
        shutil.copy(path, inside)
    with pytest.raises(SourceError, match="leads outside"):
        opened(folder / "spelt", DataFormat.ICEBERG)
    both = opened(folder / "spelt", DataFormat.ICEBERG, roots=(folder, tmp_path))
    assert asked(both, ROWS).measurements == {ROWS: Count(1)}


def test_an_iceberg_record_without_whole_paths_is_refused(
    warehouse: tuple[Any, Path], tmp_path: Path
) -> None:
    catalog, folder = warehouse
    table = catalog.create_table("of.relative", schema=fields(id=LongType()))
    table.append(pl.DataFrame({"id": [1]}).to_arrow())
    shutil.copytree(folder / "relative", tmp_path / "table")
    newest = max((tmp_path / "table" / "metadata").glob("*.metadata.json"))
    written = json.loads(newest.read_text())
    listing = written["snapshots"][-1]["manifest-list"]
    written["snapshots"][-1]["manifest-list"] = f"metadata/{Path(listing).name}"
    newest.write_text(json.dumps(written))
    with pytest.raises(SourceError, match="without their whole path"):
        opened(tmp_path / "table", DataFormat.ICEBERG)
