"""How the tests open a table that keeps a record of its files, and ask of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from contractwatch.engines.polars import Survey, survey
from contractwatch.model.clause import Clause
from contractwatch.model.contract import Column, Table
from contractwatch.model.dataset import Dataset
from contractwatch.model.metric import CountWhere, IsNull, Metric, RowCount, TableSchema
from contractwatch.model.server import DataFormat, Server
from contractwatch.model.state import Columns
from contractwatch.sources import open_server

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
    server = Server(CLAUSE, "live", "local", path=str(folder), data_format=data_format)
    columns = (Column(CLAUSE, "id", "id"),)
    promised = tuple(Table(CLAUSE, name, name, columns) for name in tables)
    given = (folder,) if roots is None else tuple(roots)
    return open_server(server, promised, bases=(), roots=given)


def asked(data: Dataset, *metrics: Metric) -> Survey:
    return survey(data, metrics, now=NOW)


def nulls(name: str) -> CountWhere:
    return CountWhere("orders", IsNull(name))


def kinds(found: Survey) -> dict[str, str]:
    columns = found.measurements[TableSchema("orders")]
    assert isinstance(columns, Columns)
    return {column.name: column.kind for column in columns.columns}
