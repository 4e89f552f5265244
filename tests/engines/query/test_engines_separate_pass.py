"""Separate passes: counts of segments and detection of personal data."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from engine_values import NOW, TABLE, ask, column, dataset, parquet, text
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.engines.query.engine import measure
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.state import Unmeasured
from contractwatch.model.promises.personal_data import (
    Detector,
    DetectorHits,
    PersonalData,
    PersonalDataHits,
    SearchedColumn,
)
from contractwatch.model.promises.segment import (
    MOST_CELLS,
    Period,
    PeriodUnit,
    RowsPerCell,
    SegmentCounts,
    SegmentRows,
)

ZONE = "Europe/Berlin"
WEEK = timedelta(days=7)
DAY, HOURS = Period(PeriodUnit.DAY), Period(PeriodUnit.MINUTE, 360)
MONTH, MONDAYS = Period(PeriodUnit.MONTH), Period(PeriodUnit.WEEK)
SCHEMA: dict[str, Any] = {
    "at": pl.Datetime("us", "UTC"),
    "day": pl.Date,
    "word": pl.String,
    "number": pl.Int64,
}
instants = st.timedeltas(-timedelta(days=45), timedelta(days=1)).map(lambda ago: NOW + ago)
tables = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.none() | instants,
            "day": st.none() | instants.map(datetime.date),
            "word": st.none() | st.sampled_from(["a", "b", ""]),
            "number": st.none() | st.integers(0, 1),
        }
    ),
    max_size=12,
)


def start_of(local: datetime, period: Period) -> datetime:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period(PeriodUnit.MONTH):
            return midnight.replace(day=1)
        case Period(PeriodUnit.WEEK):
            return midnight - timedelta(days=local.weekday())
        case Period(PeriodUnit.DAY):
            return midnight
        case _:
            return midnight.replace(hour=local.hour - local.hour % 6)


def naive(rows: Sequence[dict[str, Any]], metric: RowsPerCell) -> SegmentCounts:
    """Count every row up to now whose period starts within the reach."""
    zone = ZoneInfo(metric.timezone)
    here = NOW.astimezone(zone).replace(tzinfo=None)
    counted: Counter[tuple[str, tuple[str | None, ...]]] = Counter()
    for row in rows:
        cell = row[metric.element]
        if cell is None:
            continue
        local = (
            cell.astimezone(zone).replace(tzinfo=None)
            if isinstance(cell, datetime)
            else datetime.combine(cell, datetime.min.time())
        )
        start = start_of(local, metric.period)
        if local <= here and start >= here - metric.reach:
            segment = tuple(None if row[name] is None else str(row[name]) for name in metric.by)
            counted[f"{start:%Y-%m-%dT%H:%M}", segment] += 1
    cells = (SegmentRows(start, segment, rows) for (start, segment), rows in counted.items())
    return SegmentCounts(tuple(cells)) + SegmentCounts()


def within_reach(found: SegmentCounts, metric: RowsPerCell) -> SegmentCounts:
    """Leave out the periods that began before the reach: the engine may count them, too."""
    here = NOW.astimezone(ZoneInfo(metric.timezone)).replace(tzinfo=None) - metric.reach
    return SegmentCounts(
        tuple(cell for cell in found.cells if datetime.fromisoformat(cell.start) >= here)
    )


@settings(max_examples=40, deadline=None)
@given(
    tables,
    st.sampled_from([DAY, HOURS, MONTH, MONDAYS]),
    st.sampled_from(["at", "day"]),
    st.sampled_from(["Etc/UTC", ZONE]),
    st.sampled_from([("word",), ("word", "number")]),
)
def test_cells_and_the_naive_count_agree(
    rows: list[dict[str, Any]], period: Period, element: str, zone: str, by: tuple[str, ...]
) -> None:
    metric = RowsPerCell(TABLE, element, by, period, timedelta(days=40), zone)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.parquet"
        pl.DataFrame(rows, schema=SCHEMA).write_parquet(path)
        found = measure(dataset([path], DataFormat.PARQUET), [metric], now=NOW)[metric]
    assert isinstance(found, SegmentCounts)
    assert within_reach(found, metric) == naive(rows, metric)


def test_cells_of_texts_are_parsed_as_their_columns_say(tmp_path: Path) -> None:
    data = text(
        tmp_path,
        "at,word\n2026-02-28T23:30:00,a\n2026-02-28T23:30:00,a\nnever,b\n",
        [column("at", LogicalType.TIMESTAMP, default_timezone=ZONE), column("word")],
    )
    metric = RowsPerCell(TABLE, "at", ("word",), DAY, WEEK, ZONE, ZONE)
    assert ask(data, metric) == SegmentCounts((SegmentRows("2026-02-28T00:00", ("a",), 2),))


def test_a_column_of_countless_values_makes_no_segments(tmp_path: Path) -> None:
    rows = MOST_CELLS + 1
    frame = pl.DataFrame({"day": pl.repeat(NOW.date(), rows, eager=True), "id": range(rows)})
    metric = RowsPerCell(TABLE, "day", ("id",), DAY, WEEK)
    found = ask(parquet(tmp_path, frame), metric)
    assert found == Unmeasured("there are more than 100,000 segments and periods")


@pytest.mark.parametrize(
    ("element", "by", "reason"),
    [
        ("word", "word", "the column is neither a date nor a timestamp"),
        ("day", "real", "values of type number make no segments"),
        ("day", "nothing", "column 'nothing' is missing or of several types"),
    ],
)
def test_what_makes_no_cells_is_refused(tmp_path: Path, element: str, by: str, reason: str) -> None:
    frame = pl.DataFrame({"day": [date(2026, 3, 1)], "word": ["a"], "real": [0.5]})
    found = ask(parquet(tmp_path, frame), RowsPerCell(TABLE, element, (by,), DAY, WEEK))
    assert found == Unmeasured(reason)


def test_counts_of_cells_add_up() -> None:
    one = SegmentCounts((SegmentRows("2026-03-01T00:00", ("a",), 2),))
    other = SegmentCounts(
        (SegmentRows("2026-03-01T00:00", ("a",), 1), SegmentRows("2026-03-01T00:00", (None,), 4))
    )
    both = SegmentCounts(
        (SegmentRows("2026-03-01T00:00", (None,), 4), SegmentRows("2026-03-01T00:00", ("a",), 3))
    )
    assert one + other == other + one == both


HITS: dict[Detector, list[str]] = {
    Detector.EMAIL: ["a@example.com", "write to first.last+x@mail.example.co.uk today"],
    Detector.PHONE: ["+31 6 12345678", "call (212) 555-0123 now", "0049 30 1234567"],
    Detector.IBAN: [
        "NL91ABNA0417164300",
        "DE89 3704 0044 0532 0130 00",
        "to GB82WEST12345698765432 PLEASE",
    ],
    Detector.CARD: ["4111 1111 1111 1111", "card 5500-0000-0000-0004."],
    Detector.SSN: ["123-45-6789", "ssn: 078-05-1120"],
    Detector.NINO: ["AB123456C", "it is AB 12 34 56 C"],
}
MISSES: dict[Detector, list[str]] = {
    Detector.EMAIL: ["a@b", "@example.com", "a at example.com"],
    Detector.PHONE: ["2026-01-31", "12345678", "M123456789", "1.2.3.4"],
    Detector.IBAN: ["NL91ABNA0417164301", "XX00", "claim AB12CD34EF56GH78"],
    Detector.CARD: ["4111 1111 1111 1112", "1234567890123456", "20260131120000"],
    Detector.SSN: ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-6789", "123-45-67890"],
    Detector.NINO: ["AB1234567", "DF123456C", "XAB123456C"],
}


@pytest.mark.parametrize("detector", list(Detector))
def test_a_detector_hits_what_it_should_and_nothing_else(
    tmp_path: Path, detector: Detector
) -> None:
    for texts, expected in ((HITS[detector], len(HITS[detector])), (MISSES[detector], 0)):
        data = parquet(tmp_path, pl.DataFrame({"note": [*texts, None]}))
        metric = PersonalDataHits(TABLE, (SearchedColumn("note", (detector,)),), ("note",))
        hits = DetectorHits("note", detector, len(texts), expected)
        assert ask(data, metric) == PersonalData((hits,))


def test_only_texts_are_searched_and_columns_that_nobody_declared_where_asked(
    tmp_path: Path,
) -> None:
    frame = pl.DataFrame({"Note": ["a@example.com"], "id": [1], "extra": ["b@example.com"]})
    email = (Detector.EMAIL,)
    searched = (
        SearchedColumn("note", email),
        SearchedColumn("id", email),
        SearchedColumn("gone", email),
    )
    declared = ("note", "id", "gone")
    data = parquet(tmp_path, frame)
    of_note = DetectorHits("Note", Detector.EMAIL, 1, 1)
    assert ask(data, PersonalDataHits(TABLE, searched, declared)) == PersonalData((of_note,))
    both = PersonalData((of_note, DetectorHits("extra", Detector.EMAIL, 1, 1)))
    assert ask(data, PersonalDataHits(TABLE, searched, declared, email)) == both


def test_a_sample_is_the_first_rows(tmp_path: Path) -> None:
    frame = pl.DataFrame({"note": ["nothing", "nothing", "a@example.com"]})
    searched = (SearchedColumn("note", (Detector.EMAIL,)),)
    found = ask(
        parquet(tmp_path, frame), PersonalDataHits(TABLE, searched, ("note",), sample_rows=2)
    )
    assert found == PersonalData((DetectorHits("note", Detector.EMAIL, 2, 0),))


def test_a_table_of_numbers_has_nothing_to_search(tmp_path: Path) -> None:
    data = parquet(tmp_path, pl.DataFrame({"id": [1]}))
    assert ask(data, PersonalDataHits(TABLE, (), ("id",), (Detector.SSN,))) == PersonalData()


def test_hits_add_up() -> None:
    one, two = (PersonalData((DetectorHits("a", Detector.SSN, 3, hits),)) for hits in (1, 2))
    assert one + two == PersonalData((DetectorHits("a", Detector.SSN, 6, 3),))
