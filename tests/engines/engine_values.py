"""Tables, files and datasets that the engine tests build."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from contractwatch.engines.query.engine import measure
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.measure.metric import Metric, Unparseable
from contractwatch.model.measure.state import Count, Measurement

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TABLE = "orders"
PLAINLY = ReadPolicy()


def column(name: str, logical_type: LogicalType | None = None, **more: object) -> Column:
    return Column(Clause(f"schema[0].properties[{name}]", 1), name, name, logical_type, **more)


def dataset(
    paths: Iterable[Path],
    data_format: DataFormat,
    columns: Sequence[Column] = (),
    *,
    read: ReadPolicy = PLAINLY,
    json_array: bool | None = None,
    hive_root: Path | None = None,
) -> Dataset:
    files = tuple(DataFile(str(path), path.stat().st_size, NOW) for path in paths)
    root = str(hive_root) if hive_root else None
    table = TableFiles(TABLE, files, data_format, tuple(columns), read, json_array, root)
    return Dataset("live", (table,), "v1", NOW)


def ask(data: Dataset, *metrics: Metric) -> Measurement:
    """Return the answer to one metric; the others are asked beside it."""
    return measure(data, metrics, now=NOW)[metrics[0]]


def bad_cells(data: Dataset, column_name: str, *metrics: Metric) -> int:
    """Return how many cells of a column are not of its type; other metrics are asked beside."""
    found = ask(data, Unparseable(TABLE, column_name), *metrics)
    assert isinstance(found, Count)
    return found.rows


def parquet(folder: Path, frame: pl.DataFrame, name: str = "orders.parquet") -> Dataset:
    frame.write_parquet(folder / name)
    return dataset([folder / name], DataFormat.PARQUET)


def text(folder: Path, content: str | bytes, columns: Sequence[Column], **more: object) -> Dataset:
    path = folder / "orders.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return dataset([path], DataFormat.CSV, columns, **more)


def json_text(
    folder: Path, content: str | bytes, columns: Sequence[Column], **more: object
) -> Dataset:
    path = folder / "orders.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return dataset([path], DataFormat.JSON, columns, **more)


def write_csv(path: Path, rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> None:
    """Write nulls as an unquoted NULL, empty strings as quoted ones."""
    with path.open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([_cell(row[name]) for name in names])


def write_ndjson(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    lines = [json.dumps({name: _json(cell) for name, cell in row.items()}) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf8")


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
