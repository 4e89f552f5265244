"""Date formats are read as the JDK reads them, in expressions and in plain Python."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from engine_values import TABLE, ask, bad_cells, column, dataset, text

from contractwatch.engines.cache.answer_values import file_answer_from_json, file_answer_to_json
from contractwatch.engines.predicates import date_texts
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.date_format import DateFormat, DateFormatError, compile_format
from contractwatch.model.measure.metric import (
    CountWhere,
    IsBelow,
    IsNull,
    RowCount,
    SurplusRows,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import Count, TimeRange, Unmeasured, UnparseableCells

ROWS = Path(__file__).parents[2] / "golden" / "date_formats" / "rows.tsv"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KINDS = (LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIME)


class Told(NamedTuple):
    """What the JDK reads from a text: a day, the nanoseconds of the day, the offset's seconds."""

    text: str
    day: date | None
    nanos: int | None
    offset: int | None

    def of(self, kind: LogicalType) -> object:
        if kind is LogicalType.DATE:
            return self.day
        if kind is LogicalType.TIME:
            return None if self.nanos is None else self.nanos // 1000
        if self.day is None:
            return None
        days = (self.day - EPOCH.date()) // timedelta(days=1)
        micros = days * 86_400_000_000 + (self.nanos or 0) // 1000
        return (micros - (self.offset or 0) * 1_000_000, self.offset is not None)


def golden() -> dict[str, list[Told]]:
    """Return the rows that the JDK wrote; years outside of 1 to 9999 count as not read."""
    found: dict[str, list[Told]] = {}
    for line in ROWS.read_text(encoding="utf-8").split("\n")[:-1]:
        written, cell, told = line.split("\t")
        day, _, rest = told.partition("T")
        nanos, _, offset = rest.partition(" ")
        is_read = told != "-" and (not day or (len(day) == 10 and not day.startswith("0000")))
        found.setdefault(written, []).append(
            Told(
                cell,
                date.fromisoformat(day) if is_read and day else None,
                int(nanos) if is_read and nanos else None,
                int(offset) if is_read and offset else None,
            )
        )
    return found


GOLDEN = golden()


def by_expressions(form: DateFormat, kind: LogicalType, cells: list[str]) -> list[object]:
    frame, raw = pl.DataFrame({"cell": cells}), pl.col("cell")
    if kind is LogicalType.DATE:
        return frame.select(date_texts.parse_dates(raw, form)).to_series().to_list()
    if kind is LogicalType.TIME:
        nanos = date_texts.parse_times(raw, form).cast(pl.Int64)
        return frame.select(nanos // 1000).to_series().to_list()
    found = date_texts.parse_timestamps(raw, form)
    micros = frame.select(one.value.cast(pl.Int64).alias(str(at)) for at, one in enumerate(found))
    return [
        next(
            (
                (value, one.is_utc)
                for value, one in zip(row, found, strict=True)
                if value is not None
            ),
            None,
        )
        for row in micros.rows()
    ]


def by_python(form: DateFormat, kind: LogicalType, cells: list[str]) -> Iterator[object]:
    for cell in cells:
        moment = form.parse(cell)
        if moment is None:
            yield None
        elif kind is LogicalType.DATE:
            yield moment.date()
        elif kind is LogicalType.TIME:
            yield (moment.replace(tzinfo=UTC) - EPOCH) % timedelta(days=1) // MICROSECOND
        else:
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            yield (aware - EPOCH) // MICROSECOND, moment.tzinfo is not None


@pytest.mark.parametrize("written", GOLDEN)
def test_every_text_is_read_as_the_jdk_reads_it(written: str) -> None:
    told = GOLDEN[written]
    cells = [one.text for one in told]
    kinds = [kind for kind in KINDS if is_executed(written, kind)]
    assert kinds
    for kind in kinds:
        form = compile_format(written, kind)
        expected = [one.of(kind) for one in told]
        assert by_expressions(form, kind, cells) == expected
        assert list(by_python(form, kind, cells)) == expected


def is_executed(written: str, kind: LogicalType) -> bool:
    try:
        compile_format(written, kind)
    except DateFormatError:
        return False
    return True


def test_the_golden_rows_hold_texts_of_both_kinds() -> None:
    read = sum(
        one.day is not None or one.nanos is not None for told in GOLDEN.values() for one in told
    )
    rows = sum(map(len, GOLDEN.values()))
    assert read > 900
    assert rows - read > 2000


@pytest.mark.parametrize(
    ("kind", "written", "good", "bad"),
    [
        (LogicalType.DATE, "dd/MM/yyyy", ["01/02/2026", "29/02/2024"],
         ["01/02/26", "1/2/2026", "01/02/20261", "29/02/2026", " 01/02/2026", "01-02-2026"]),
        (LogicalType.DATE, "yyyy-MM-dd", ["2026-01-01"],
         ["26-1-1", "2026-1-01", "+2026-01-01", "0000-01-01"]),
        (LogicalType.TIME, "HH:mm", ["09:15"], ["9:15", "09:15:00", "24:00", "09:60"]),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd HH:mm:ss.SSS", ["2026-01-01 09:00:00.123"],
         ["2026-01-01 09:00:00", "2026-01-01 09:00:00.1", "2026-01-01 09:00:00.1234",
          "2026-01-01 23:59:60.000"]),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd'T'HH:mmXXX",
         ["2026-01-01T09:00+02:00", "2026-01-01T09:00Z"],
         ["2026-01-01T09:00+0200", "2026-01-01T09:00+02", "2026-01-01T09:00"]),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd'T'HH:mmZ", ["2026-01-01T09:00+0200"],
         ["2026-01-01T09:00Z", "2026-01-01T09:00+02:00"]),
        (LogicalType.TIMESTAMP, "yyyy-MM-ddTHH:mm:ssZ",  # as the standard writes it
         ["2026-01-01T09:00:00Z", "2026-01-01T09:00:00+0200", "2026-01-01T09:00:00+02:00"],
         ["2026-01-01T09:00:00", "2026-01-01T9:00:00Z"]),
        (LogicalType.TIMESTAMP, "d MMM yyyy h:mm a", ["1 Jan 2026 9:05 PM"],
         ["1 JAN 2026 9:05 PM", "1 Jan 2026 13:05 PM", "1 Jan 2026 9:05 pm"]),
        # without a format: ISO-8601, no looser
        (LogicalType.TIMESTAMP, "", ["2026-01-01 09:00", "2026-01-01T09:00:00.5+0200"],
         ["2026-1-1 09:00", "2026-01-01T9:00", "2026-01-01 09:5", "2026-01-01  09:00"]),
        (LogicalType.TIME, "", ["09:00", "09:00:01.5"], ["9:00", "09:0", "09:00:1", "24:00"]),
    ],
)  # fmt: skip
def test_a_cell_of_a_text_file_has_the_widths_of_its_format(
    tmp_path: Path, kind: LogicalType, written: str, good: list[str], bad: list[str]
) -> None:
    declared = column("cell", kind, parse_format=written)
    data = text(tmp_path, "cell\n" + "\n".join(f'"{cell}"' for cell in good), (declared,))
    assert bad_cells(data, "cell", RowCount(TABLE)) == 0
    for cell in bad:
        data = text(tmp_path, f'cell\n"{cell}"\n', (declared,))
        assert (cell, bad_cells(data, "cell")) == (cell, 1)


def test_a_text_with_an_offset_is_an_instant_and_one_without_is_of_the_columns_zone(
    tmp_path: Path,
) -> None:
    at = column(
        "at", LogicalType.TIMESTAMP,
        parse_format="dd.MM.yyyy HH:mm[ XXX]", default_timezone="Europe/Berlin",
    )  # fmt: skip
    data = text(
        tmp_path, "at\n31.01.2026 10:00\n31.01.2026 10:00 -05:00\n31.01.2026 10:00 x\n", (at,)
    )
    expected = TimeRange(
        datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2026, 1, 31, 15, tzinfo=UTC), rows=2
    )
    assert ask(data, TimeSpan(TABLE, "at", "Europe/Berlin")) == expected
    assert bad_cells(data, "at") == 1


@pytest.mark.parametrize(
    "written", ["dd.mm.yyyy", "yyyy-MM-dd z", "YYYY-MM-dd", "yyyy-'Q'Q", "d'", "MM/MM/yyyy dd"]
)
def test_a_format_that_is_not_executed_costs_what_is_asked_of_its_own_column_alone(
    tmp_path: Path, written: str
) -> None:
    day = column("day", LogicalType.DATE, parse_format=written)
    columns = (column("id", LogicalType.INTEGER), day)
    data = text(tmp_path, "id,day\n1,31.01.2026\n2,\n-3,31.01.2026\n", columns)
    for metric in (
        Unparseable(TABLE, "day"), TimeSpan(TABLE, "day"), SurplusRows(TABLE, ("day",)),
        CountWhere(TABLE, IsBelow("day", date(2026, 1, 1))),
    ):  # fmt: skip
        answer = ask(data, metric)
        assert isinstance(answer, Unmeasured)
        assert "format" in answer.reason
    assert ask(data, CountWhere(TABLE, IsNull("day")), RowCount(TABLE)) == Count(1)
    assert ask(data, CountWhere(TABLE, IsBelow("id", 0))) == Count(1)
    assert bad_cells(data, "id") == 0


def test_a_format_says_nothing_about_a_column_that_has_a_type_of_its_own(tmp_path: Path) -> None:
    pl.DataFrame({"day": [date(2026, 1, 31)]}).write_parquet(tmp_path / "a.parquet")
    day = column("day", LogicalType.DATE, parse_format="dd.mm.yyyy")
    data = dataset([tmp_path / "a.parquet"], DataFormat.PARQUET, (day,))
    assert ask(data, CountWhere(TABLE, IsBelow("day", date(2026, 2, 1)))) == Count(1)


@pytest.mark.parametrize(
    ("written", "cell", "moment"),
    [
        ("d.M.yyyy", "1.2.2026", datetime(2026, 2, 1)),  # noqa: DTZ001
        ("yyyy-MM-dd", "2026-02-31", None),
        ("EEE d MMM yyyy", "Thu 1 Jan 2026", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("EEE d MMM yyyy", "Fri 1 Jan 2026", None),
    ],
)
def test_a_bound_of_a_contract_is_read_as_a_cell_is(
    written: str, cell: str, moment: datetime | None
) -> None:
    assert compile_format(written, LogicalType.DATE).parse(cell) == moment


def test_the_first_bad_cells_are_told_by_their_shapes_and_add_up(tmp_path: Path) -> None:
    columns = (column("day", LogicalType.DATE), column("n", LogicalType.INTEGER))
    lines = "day,n\n31.12.2025,1\n1/2/26,é7\n31.11.2025,2\n2026-01-01,3\nno day,4\n"
    data = text(tmp_path, lines, columns)
    shapes = UnparseableCells(4, ("99.99.9999", "9/9/99", "xx xxx"))
    assert ask(data, Unparseable(TABLE, "day")) == shapes
    assert ask(data, Unparseable(TABLE, "n")) == UnparseableCells(1, ("x9",))
    assert Count(2) + shapes == UnparseableCells(6, shapes.shapes)
    assert shapes + Count(1) == UnparseableCells(5, shapes.shapes)
    assert UnparseableCells(1, ("x",)) + shapes == UnparseableCells(
        5, ("x", "99.99.9999", "9/9/99")
    )
    assert file_answer_from_json(file_answer_to_json(shapes)) == shapes


def test_a_shape_is_cut_and_shows_no_digit_and_no_letter(tmp_path: Path) -> None:
    cell = "Zoë 42 " * 20
    found = ask(text(tmp_path, f"n\n{cell}\n", (column("n", LogicalType.INTEGER),)),
                Unparseable(TABLE, "n"))  # fmt: skip
    assert isinstance(found, UnparseableCells)
    (shape,) = found.shapes
    assert set(shape) == set("x9 …")
    assert len(shape) == 41


@pytest.mark.parametrize(
    ("cell", "shape"),
    [
        ("😀👍🏽", "???"),
        ("ⓢⓔⓒⓡⓔⓣ", "??????"),
        ("🇬🇧", "??"),
        ("⠎⠑⠉", "???"),
        ("†x‡", "?x?"),
        ("১২ 三 ٣", "99 x 9"),
        ("²③Ⅳ", "xxx"),
        ("1.234,50 €", "9.999,99 €"),
        ("1\u20132", "9\u20139"),
        ("a\u202eb\u200bc\x07", "x?x?x?"),
    ],
)
def test_a_shape_shows_no_sign_that_may_be_a_word(tmp_path: Path, cell: str, shape: str) -> None:
    data = text(tmp_path, f'n\n"{cell}"\n', (column("n", LogicalType.INTEGER),))
    assert ask(data, Unparseable(TABLE, "n")) == UnparseableCells(1, (shape,))
