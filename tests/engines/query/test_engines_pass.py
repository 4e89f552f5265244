"""One pass a table; a bad question has no answer and takes none from the others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from engine_values import NOW, TABLE, ask, column, dataset, parquet
from polars.io.plugins import register_io_source

from contractwatch.engines.query.engine import measure, survey
from contractwatch.engines.tables.frames import Frame, open_table
from contractwatch.errors import Blame
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.dataset import TableFiles
from contractwatch.model.measure.metric import (
    CountWhere,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsMissing,
    IsNotMultiple,
    IsNull,
    Metric,
    Probes,
    RowCount,
    SurplusRows,
    TableSchema,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import (
    Count,
    DuplicateCounts,
    TableColumns,
    TimeRange,
    Unmeasured,
)

ORDERS = pl.DataFrame(
    {
        "id": [1, 2, 3, None],
        "word": ["a", "bb", None, "ccc"],
        "at": [datetime(2026, 3, 1, hour) for hour in range(4)],  # noqa: DTZ001
        "unread": [0.0, 0.0, 0.0, 0.0],
    }
)
ADDITIVE: tuple[Metric, ...] = (
    RowCount(TABLE),
    CountWhere(TABLE, IsNull("id")),
    CountWhere(TABLE, IsBelow("id", 2)),
    CountWhere(TABLE, IsInvalid("word", pattern="^[ab]+$")),
    CountWhere(TABLE, IsLonger("word", 2)),
    Unparseable(TABLE, "id"),
    TimeSpan(TABLE, "at", "Europe/Berlin"),
)


class CountingRows:
    """Rows that count how often, and for which columns, Polars itself comes to read them."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.reads: list[set[str]] = []

    def open(self, files: TableFiles) -> Frame:
        return replace(open_table(files), rows=register_io_source(self._read, schema=self._schema))

    @property
    def _schema(self) -> pl.Schema:
        return self.frame.schema

    def _read(
        self,
        columns: list[str] | None,
        predicate: pl.Expr | None,
        rows: int | None,
        batch: int | None,
    ) -> Iterator[pl.DataFrame]:
        self.reads.append(set(columns or self.frame.columns))
        kept = self.frame if predicate is None else self.frame.filter(predicate)
        yield kept.select(columns) if columns else kept


@pytest.mark.parametrize("keys", [(), (("id",),), (("id",), ("id", "word"))])
def test_the_rows_of_a_table_are_read_once_and_only_the_columns_asked_about(
    tmp_path: Path, keys: tuple[tuple[str, ...], ...]
) -> None:
    data, source, told = parquet(tmp_path, ORDERS), CountingRows(ORDERS), []
    metrics = [*ADDITIVE, *(SurplusRows(TABLE, key) for key in keys), TableSchema(TABLE)]
    found = survey(data, metrics, now=NOW, on_read=told.append, open_rows=source.open)
    assert source.reads == [{"id", "word", "at"}]
    assert told == [TABLE]
    assert all(not isinstance(found.measurements[metric], Unmeasured) for metric in metrics)


def test_only_keys_that_seem_to_repeat_are_read_a_second_time(tmp_path: Path) -> None:
    repeating = pl.concat([ORDERS, ORDERS.head(2)])
    data, source = parquet(tmp_path, repeating), CountingRows(repeating)
    metrics = [*ADDITIVE, SurplusRows(TABLE, ("id",)), SurplusRows(TABLE, ("id", "word"))]
    found = survey(data, metrics, now=NOW, open_rows=source.open).measurements
    assert found[SurplusRows(TABLE, ("id",))] == DuplicateCounts(
        rows=5, surplus=2, keys=2, affected=4
    )
    assert source.reads == [{"id", "word", "at"}, {"id", "word"}]


def test_the_schema_alone_reads_no_row(tmp_path: Path) -> None:
    data, source = parquet(tmp_path, ORDERS), CountingRows(ORDERS)
    metrics = [TableSchema(TABLE), Unparseable(TABLE, "id")]
    found = survey(data, metrics, now=NOW, open_rows=source.open).measurements
    assert source.reads == []
    assert isinstance(found[TableSchema(TABLE)], TableColumns)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (CountWhere(TABLE, IsNull("gone")), "column 'gone' is missing"),
        (SurplusRows(TABLE, ("id", "gone")), "column 'gone' is missing"),
        (CountWhere(TABLE, IsLonger("id", 3)), "are no text"),
        (CountWhere(TABLE, IsInvalid("id", pattern="a")), "are no text"),
        (CountWhere(TABLE, IsInvalid("id", values=("secret",))), "cannot be read as integer"),
        (CountWhere(TABLE, IsInvalid("at", values=("secret",))), "cannot be read as timestamp"),
        (CountWhere(TABLE, IsBelow("word", 3)), "have no bounds"),
        (CountWhere(TABLE, IsBelow("at", 3)), "cannot be read as timestamp"),
        (CountWhere(TABLE, IsNotMultiple("word", 3)), "have no multiples"),
        (TimeSpan(TABLE, "id"), "neither a date nor a timestamp"),
        (TimeSpan(TABLE, "at", "Mars/Olympus"), "does not fit the type of the column"),
        (CountWhere(TABLE, IsInvalid("word", pattern="(secret")), "pattern cannot be run"),
    ],
)
def test_a_question_that_cannot_be_answered_costs_no_other_its_answer(
    tmp_path: Path, metric: Metric, reason: str
) -> None:
    data = parquet(tmp_path, ORDERS)
    others = [*ADDITIVE, SurplusRows(TABLE, ("id",))]
    found = measure(data, [metric, *others], now=NOW)
    refused = found.pop(metric)
    assert isinstance(refused, Unmeasured)
    assert reason in refused.reason
    assert "secret" not in refused.reason
    assert found == measure(data, others, now=NOW)
    assert Unmeasured not in {type(answer) for answer in found.values()}


def test_an_ill_fitting_question_is_refused_before_a_row_is_read(tmp_path: Path) -> None:
    source = CountingRows(ORDERS)
    metrics = [CountWhere(TABLE, IsLonger("id", 3)), TimeSpan(TABLE, "word")]
    survey(parquet(tmp_path, ORDERS), metrics, now=NOW, open_rows=source.open)
    assert source.reads == []


def test_an_unknown_table_is_unmeasured_and_probes_are_left_to_the_record(tmp_path: Path) -> None:
    found = measure(parquet(tmp_path, ORDERS), [RowCount("gone"), Probes()], now=NOW)
    assert found == {RowCount("gone"): Unmeasured("the server has no table 'gone'")}


def test_a_truncated_parquet_file_is_the_products_fault_and_names_the_table(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    ORDERS.write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    found = survey(dataset([path], DataFormat.PARQUET), ADDITIVE, now=NOW)
    assert found.failures[TABLE].blame is Blame.PRODUCT
    assert set(found.measurements.values()) == {
        Unmeasured(
            "table 'orders' cannot be read as parquet: "
            "a file is no complete parquet file (orders.parquet)"
        )
    }


def test_pages_that_are_damaged_leave_the_schema_known(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pl.DataFrame({"id": list(range(10_000))}).write_parquet(path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[60:2000] = bytes(1940)
    path.write_bytes(bytes(content))
    metrics = [TableSchema(TABLE), CountWhere(TABLE, IsBelow("id", 3))]
    found = survey(dataset([path], DataFormat.PARQUET), metrics, now=NOW)
    assert found.failures[TABLE].blame is Blame.PRODUCT
    assert isinstance(found.measurements[TableSchema(TABLE)], TableColumns)
    assert isinstance(found.measurements[metrics[1]], Unmeasured)


def test_a_file_that_went_away_is_told_without_its_path(tmp_path: Path) -> None:
    data = parquet(tmp_path, ORDERS)
    (tmp_path / "orders.parquet").unlink()
    failure = survey(data, ADDITIVE, now=NOW).failures[TABLE]
    assert failure.retryable
    assert str(tmp_path) not in str(failure)


def test_the_schema_is_told_in_the_words_of_the_model(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        schema={
            "a": pl.UInt16, "b": pl.Decimal(10, 2), "c": pl.Float32, "d": pl.Boolean, "e": pl.Date,
            "f": pl.Datetime("ms", "UTC"), "g": pl.Datetime("ns"), "h": pl.Time, "i": pl.String,
            "j": pl.Categorical, "k": pl.Struct({"x": pl.Int8}), "l": pl.List(pl.Int8),
            "m": pl.Binary, "n": pl.Null,
        }
    )  # fmt: skip
    schema = ask(parquet(tmp_path, frame), TableSchema(TABLE))
    assert isinstance(schema, TableColumns)
    assert [found.kind for found in schema.columns] == [
        "integer", "decimal", "float", "boolean", "date", "timestamp", "timestamp", "time",
        "string", "string", "object", "array", "binary", "null",
    ]  # fmt: skip
    assert [found.timezone_aware for found in schema.columns if found.kind == "timestamp"] == [
        True, False,
    ]  # fmt: skip
    assert schema.columns[1].scale == 2


def test_categories_are_compared_as_their_text(tmp_path: Path) -> None:
    frame = ORDERS.with_columns(pl.col("word").cast(pl.Categorical))
    data = parquet(tmp_path, frame)
    assert ask(data, CountWhere(TABLE, IsInvalid("word", values=("a",)))) == Count(2)
    assert ask(data, CountWhere(TABLE, IsLonger("word", 2))) == Count(1)


def test_files_of_different_columns_unite_and_a_lacking_column_is_null(tmp_path: Path) -> None:
    ORDERS.select("id", "word").write_parquet(tmp_path / "1.parquet")
    ORDERS.select("unread", pl.col("id").cast(pl.Int32)).write_parquet(tmp_path / "2.parquet")
    data = dataset(sorted(tmp_path.iterdir()), DataFormat.PARQUET)
    schema = ask(data, TableSchema(TABLE))
    assert isinstance(schema, TableColumns)
    assert [found.name for found in schema.columns] == ["id", "word", "unread"]
    assert ask(data, CountWhere(TABLE, IsNull("word"))) == Count(5)
    assert ask(data, SurplusRows(TABLE, ("id",))) == DuplicateCounts(6, 3, 3, 6)


def test_a_column_on_whose_kind_the_files_disagree_is_told_and_the_rest_is_read(
    tmp_path: Path,
) -> None:
    ORDERS.write_parquet(tmp_path / "1.parquet")
    ORDERS.with_columns(pl.col("id").cast(pl.String)).write_parquet(tmp_path / "2.parquet")
    data = dataset(sorted(tmp_path.iterdir()), DataFormat.PARQUET)
    schema = ask(data, TableSchema(TABLE))
    assert isinstance(schema, TableColumns)
    assert (schema.columns[0].kind, schema.columns[0].physical) == ("other", "int64 or string")
    assert isinstance(ask(data, CountWhere(TABLE, IsNull("id"))), Unmeasured)
    assert ask(data, CountWhere(TABLE, IsNull("word"))) == Count(2)


def test_hive_directories_are_columns_that_are_counted_alone(tmp_path: Path) -> None:
    for year, month in (("2025", "a%20b"), ("2026", "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / f"year={year}" / f"month={month}"
        folder.mkdir(parents=True)
        ORDERS.write_parquet(folder / "part.parquet")
    columns = [column("year", LogicalType.INTEGER)]
    data = dataset(
        sorted(tmp_path.rglob("*.parquet")), DataFormat.PARQUET, columns, hive_root=tmp_path
    )
    assert ask(data, CountWhere(TABLE, IsBelow("year", 2026))) == Count(4)
    assert ask(data, CountWhere(TABLE, IsInvalid("month", values=("a b",)))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsNull("month"))) == Count(4)
    assert ask(data, SurplusRows(TABLE, ("year",))) == DuplicateCounts(8, 6, 2, 8)


def test_hive_directories_of_days_are_dates(tmp_path: Path) -> None:
    for day in ("2026-02-27", "2026-02-28", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        ORDERS.write_parquet(folder / "part.parquet")
    columns = [column("day", LogicalType.DATE)]
    data = dataset(
        sorted(tmp_path.rglob("*.parquet")), DataFormat.PARQUET, columns, hive_root=tmp_path
    )
    days = [datetime(2026, 2, day, tzinfo=UTC) for day in (27, 28)]
    assert ask(data, TimeSpan(TABLE, "day")) == TimeRange(days[0], days[1], rows=8)
    assert ask(data, CountWhere(TABLE, IsNull("day"))) == Count(4)


def test_columns_are_found_in_any_case_if_only_one_is_alike(tmp_path: Path) -> None:
    data = parquet(tmp_path, ORDERS.rename({"id": "Id"}))
    assert ask(data, CountWhere(TABLE, IsNull("ID"))) == Count(1)


def test_values_beyond_five_minutes_from_now_are_future(tmp_path: Path) -> None:
    times = [NOW + timedelta(minutes=minutes) for minutes in (-10, 5, 6)]
    found = ask(parquet(tmp_path, pl.DataFrame({"at": times})), TimeSpan(TABLE, "at"))
    assert found == TimeRange(times[0], times[1], rows=3, future=1)


def test_a_day_without_a_midnight_begins_with_its_first_instant(tmp_path: Path) -> None:
    frame = pl.DataFrame({"day": [date(2018, 11, 4)]})  # the clocks of Sao Paulo went 0:00 -> 1:00
    found = ask(parquet(tmp_path, frame), TimeSpan(TABLE, "day", "America/Sao_Paulo"))
    assert found == TimeRange(*[datetime(2018, 11, 4, 3, tzinfo=UTC)] * 2, rows=1)


def test_an_empty_table_has_zero_answers(tmp_path: Path) -> None:
    found = measure(
        parquet(tmp_path, ORDERS.clear()), [*ADDITIVE, SurplusRows(TABLE, ("id",))], now=NOW
    )
    assert set(found.values()) == {Count(0), TimeRange(), DuplicateCounts()}


def test_a_column_of_nothing_but_nulls_without_a_type_violates_nothing(tmp_path: Path) -> None:
    data = parquet(tmp_path, pl.DataFrame({"id": [None, None]}))
    assert ask(data, CountWhere(TABLE, IsBelow("id", 3))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsMissing("id", ("x",)))) == Count(2)
