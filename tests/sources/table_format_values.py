"""Opens Delta and Iceberg tables, and asks questions about them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from contractwatch.engines.query.engine import Survey, survey
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.object_store_access import ObjectStoreAccess
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Column, Table
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import CountWhere, IsNull, Metric, RowCount, TableSchema
from contractwatch.model.measure.state import TableColumns
from contractwatch.sources import open_server
from tests.stores import ANY

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLAUSE = Clause("schema[0]", 1)
ROWS = RowCount("orders")


def opened(
    folder: Path,
    data_format: DataFormat,
    *,
    roots: Sequence[Path] | None = None,
    tables: Sequence[str] = ("orders",),
) -> Dataset:
    """Open tables of this machine."""
    server = Server(CLAUSE, "live", "local", path=str(folder), data_format=data_format)
    given = (folder,) if roots is None else tuple(roots)
    return open_server(server, promised(tables), bases=(), roots=given)


def opened_at(
    endpoint: str,
    location: str,
    data_format: DataFormat,
    *,
    tables: Sequence[str] = ("orders",),
    reach: ObjectStoreAccess = ANY,
) -> Dataset:
    """Open tables of an object store."""
    server = Server(CLAUSE, "live", "s3", path=location, data_format=data_format, endpoint=endpoint)
    return open_server(server, promised(tables), bases=(), roots=None, reach=reach)


def promised(tables: Sequence[str]) -> tuple[Table, ...]:
    columns = (Column(CLAUSE, "id", "id"),)
    return tuple(Table(CLAUSE, name, name, columns) for name in tables)


class Opening(Protocol):
    """Opens tables that were written into a folder, where the test wants them to be."""

    def __call__(
        self, folder: Path, data_format: DataFormat, *, tables: Sequence[str] = ("orders",)
    ) -> Dataset: ...


def asked(data: Dataset, *metrics: Metric) -> Survey:
    return survey(data, metrics, now=NOW)


def nulls(name: str) -> CountWhere:
    return CountWhere("orders", IsNull(name))


def kinds(found: Survey) -> dict[str, str]:
    columns = found.measurements[TableSchema("orders")]
    assert isinstance(columns, TableColumns)
    return {column.name: column.kind for column in columns.columns}
