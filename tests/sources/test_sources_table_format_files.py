"""Files of a Delta or Iceberg table are not read without its metadata."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from deltalake import write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog
from table_format_values import CLAUSE, promised

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.dataset import Dataset
from contractwatch.sources import open_server
from tests.stores import ANY, BUCKET, Put


class Place:
    """A folder on this machine, or the same files in a store."""

    def __init__(self, folder: Path, endpoint: str = "", put: Put | None = None) -> None:
        self._folder, self._endpoint, self._put = folder, endpoint, put

    def opened(self, path: str, tables: Sequence[str] = ("orders",)) -> Dataset:
        if self._put is None:
            server = Server(CLAUSE, "live", "local", path=path, data_format=DataFormat.PARQUET)
            return open_server(server, promised(tables), bases=(self._folder,), roots=None)
        for file in self._folder.rglob("*"):
            if file.is_file():
                self._put(file.relative_to(self._folder).as_posix(), file.read_bytes())
        server = Server(
            CLAUSE, "live", "s3", path=f"s3://{BUCKET}/{path}",
            data_format=DataFormat.PARQUET, endpoint=self._endpoint,
        )  # fmt: skip
        return open_server(server, promised(tables), bases=(), roots=None, reach=ANY)

    def refusal(self, path: str) -> str:
        with pytest.raises(SourceError) as raised:
            self.opened(path)
        assert (raised.value.blame, raised.value.retryable) == (Blame.PRODUCT, False)
        return str(raised.value)


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "local":
        return Place(tmp_path)
    endpoint: str = request.getfixturevalue("moto")
    return Place(tmp_path, endpoint, request.getfixturevalue("put"))


ROWS = pl.DataFrame({"id": [1, 2], "k": ["a", "b"]})


@pytest.mark.parametrize(
    "path", ["orders", "orders/*.parquet", "orders/**/*.parquet", "*", "orders/k=a", "orders/k=a/*"]
)
def test_the_files_of_a_delta_table_are_read_by_its_log(
    tmp_path: Path, place: Place, path: str
) -> None:
    keys = ["k"] if "k=" in path or "**" in path else None
    write_deltalake(tmp_path / "orders", ROWS, partition_by=keys)
    told = place.refusal(path)
    assert "leads to files of a Delta table: write format: delta" in told


@pytest.mark.parametrize("path", ["t/orders", "t/orders/data", "t/orders/data/*.parquet", "t/**/*"])
def test_the_files_of_an_iceberg_table_are_read_by_its_metadata(
    tmp_path: Path, place: Place, path: str
) -> None:
    rows, location = ROWS.to_arrow(), str(tmp_path / "t/orders")
    with closing(InMemoryCatalog("c", warehouse=str(tmp_path))) as catalog:
        catalog.create_namespace("t")
        catalog.create_table("t.orders", rows.schema, location=location).append(rows)
    assert "leads to files of an Iceberg table: write format: iceberg" in place.refusal(path)


def test_the_files_of_a_hudi_table_are_not_read(tmp_path: Path, place: Place) -> None:
    (tmp_path / "orders" / ".hoodie").mkdir(parents=True)
    (tmp_path / "orders" / ".hoodie" / "hoodie.properties").write_text("x")
    ROWS.write_parquet(tmp_path / "orders" / "1.parquet")
    assert "of a Hudi table, and such tables are not read" in place.refusal("orders")


def test_one_table_with_a_record_leaves_the_others_found(tmp_path: Path, place: Place) -> None:
    write_deltalake(tmp_path / "orders", ROWS)
    (tmp_path / "lines").mkdir()
    ROWS.write_parquet(tmp_path / "lines" / "1.parquet")
    data = place.opened("{object}", ("orders", "lines"))
    assert [table.table for table in data.tables] == ["lines"]
    assert [name for name, _ in data.missing_tables] == ["orders"]


def test_other_folders_of_those_names_are_no_records(tmp_path: Path, place: Place) -> None:
    for folder in ("metadata", "data"):
        (tmp_path / "orders" / folder).mkdir(parents=True)
        ROWS.write_parquet(tmp_path / "orders" / folder / "1.parquet")
    write_deltalake(tmp_path / "other", ROWS)
    assert len(place.opened("orders").tables[0].files) == 2
    assert len(place.opened("orders/data/*").tables[0].files) == 1


def test_a_record_outside_of_what_is_allowed_is_not_looked_for(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "orders", ROWS, partition_by=["k"])
    root = tmp_path / "orders" / "k=a"
    server = Server(CLAUSE, "live", "local", path=str(root), data_format=DataFormat.PARQUET)
    data = open_server(server, promised(["orders"]), bases=(), roots=(root,))
    assert len(data.tables[0].files) == 1


@pytest.mark.parametrize(
    "path", ["links", "links/*.parquet", "linked", "one.parquet", "part", "part/*"]
)
def test_links_to_the_files_of_a_delta_table_are_refused_as_the_files_are(
    tmp_path: Path, path: str
) -> None:
    write_deltalake(str(tmp_path / "orders"), ROWS.to_arrow(), partition_by=["k"])
    (tmp_path / "links").mkdir()
    (tmp_path / "part").symlink_to(tmp_path / "orders" / "k=a")
    (tmp_path / "linked").symlink_to(tmp_path / "orders")
    file = next((tmp_path / "orders").rglob("*.parquet"))
    for link in (tmp_path / "links" / "a.parquet", tmp_path / "one.parquet"):
        link.symlink_to(file)
    assert "write format: delta" in Place(tmp_path).refusal(path)


def test_links_to_other_files_are_read(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "x.parquet")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.parquet").symlink_to(tmp_path / "x.parquet")
    assert Place(tmp_path).opened("links").tables
