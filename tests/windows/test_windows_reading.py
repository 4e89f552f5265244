"""What a window leaves out, when a full scan is due, and that no row is lost or counted twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from window_values import (
    DAY,
    KEY,
    NOW,
    NULLS,
    PARTITION,
    QUERY,
    ROWS,
    SPAN,
    WATERMARK,
    Growing,
    extent_of,
    midnight,
    row,
)

from contractwatch.engines.cache.window_answers import (
    CachedWindow,
    Watermark,
    WindowScan,
    deserialize_window,
    serialize_window,
)
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DelayTally,
    DuplicateCounts,
    TableColumns,
    TimeRange,
    Unmeasured,
)
from contractwatch.model.promises.personal_data import Detector, DetectorHits, PersonalData
from contractwatch.model.promises.sql import QueryValue
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.scan import cached_scan
from contractwatch.scan.incremental_windows import full_scan_is_due
from contractwatch.scan.scan import scan
from contractwatch.sources import open_server

FOUR_WEEKS = [row(at, NOW - at * DAY) for at in range(28)]
FOUR_DAYS = replace(PARTITION, lookback=4 * DAY)
SUNDAYS = replace(PARTITION, full_scan="0 3 * * 0")


@pytest.fixture
def table(tmp_path: Path) -> Growing:
    found = Growing(tmp_path)
    found.add(*FOUR_WEEKS)
    return found


def count(found: object) -> int:
    assert isinstance(found, Count)
    return found.rows


def test_the_first_look_is_at_all_rows_and_the_next_at_the_window(table: Growing) -> None:
    first = table.look(ROWS, KEY)
    assert (first.measurements[ROWS], first.measurements[KEY]) == (Count(28), DuplicateCounts(28))
    assert (extent_of(first).words, extent_of(first).rows) == ("", {})
    table.add(row(99, NOW))
    then = table.look(ROWS, KEY)
    assert (then.measurements[ROWS], then.measurements[KEY]) == (Count(29), DuplicateCounts(5))
    assert then.evidence == {**then.evidence, ROWS: Evidence.STATE, KEY: Evidence.SCAN}
    shown = midnight(NOW, 3).date()
    assert extent_of(then).words == f"in the window since {shown}"
    assert extent_of(then).rows == {ROWS: Count(5)}


def test_rows_that_left_the_window_are_asked_no_more_and_counted_once(table: Growing) -> None:
    for day in range(8):
        table.add(row(100 + day, NOW + day * DAY))
        found = table.look(ROWS, SPAN, now=NOW + day * DAY).measurements
        assert found == {**found, **table.whole(ROWS, SPAN, now=NOW + day * DAY).measurements}
    assert count(extent_of(table.look(ROWS, now=NOW + 7 * DAY)).rows[ROWS]) == 5


def test_a_late_row_is_seen_when_all_rows_are_read_again(tmp_path: Path) -> None:
    sunday = NOW + (6 - NOW.weekday()) * DAY
    three = sunday.replace(hour=3, minute=0, second=0)
    table = Growing(tmp_path, SUNDAYS, rows=[row(at, three - at * DAY) for at in range(30)])
    table.write()
    table.look(ROWS, KEY, now=three + timedelta(hours=1))
    table.add(row(0, three - 20 * DAY), row(50, three + DAY))
    monday = table.look(ROWS, KEY, now=three + DAY)
    assert (monday.measurements[ROWS], count(extent_of(monday).rows[ROWS])) == (Count(31), 5)
    again = table.look(ROWS, KEY, now=three + 7 * DAY)
    assert again.measurements == {
        **again.measurements,
        ROWS: Count(32),
        KEY: DuplicateCounts(32, 1, 1, 2),
    }
    assert extent_of(again).words == ""


def test_a_full_scan_that_was_missed_is_made_once(tmp_path: Path) -> None:
    table = Growing(tmp_path, SUNDAYS)
    table.add(*FOUR_WEEKS)
    table.look(ROWS)
    later = NOW + 23 * DAY
    table.add(row(1, later))
    assert extent_of(table.look(ROWS, now=later)).rows == {}
    table.add(row(2, later + DAY / 24))
    assert extent_of(table.look(ROWS, now=later + DAY / 24)).rows == {ROWS: Count(2)}


def test_a_table_whose_files_did_not_change_since_all_were_read_is_not_read_again(
    tmp_path: Path,
) -> None:
    table = Growing(tmp_path, SUNDAYS)
    table.add(*FOUR_WEEKS)
    table.look(ROWS, KEY)
    found = table.look(ROWS, KEY, now=NOW + 30 * DAY)
    assert set(found.evidence.values()) == {Evidence.STATE}
    assert extent_of(found).words == ""
    table.add(row(1, NOW + 30 * DAY))
    assert extent_of(table.look(ROWS, KEY, now=NOW + 30 * DAY)).rows == {ROWS: Count(5)}


@pytest.mark.parametrize(
    ("zone", "hour", "due"),
    [
        ("Etc/UTC", 2, False),
        ("Etc/UTC", 3, True),
        ("Asia/Tokyo", 2, False),
        ("Asia/Tokyo", 18, True),
    ],
)
def test_a_full_scan_is_due_by_the_clock_of_its_zone(zone: str, hour: int, due: bool) -> None:
    chosen = replace(PARTITION, full_scan="0 3 * * *", full_scan_timezone=zone)
    last = datetime(2026, 3, 1, 3, 30, tzinfo=UTC) if zone == "Etc/UTC" else None
    last = last or datetime(2026, 3, 1, 19, tzinfo=UTC)
    at = datetime(2026, 3, 2, hour, tzinfo=UTC)
    assert full_scan_is_due(chosen, last, at) is due
    assert not full_scan_is_due(PARTITION, last, at + 90 * DAY)


def _damaged(table: Growing) -> tuple[CachedTable, ...]:
    return tuple(replace(one, content=b"x") for one in table.cached_tables)


def _widen(table: Growing) -> None:
    frame = pl.read_parquet(table.file)
    frame.with_columns(more=pl.lit(1)).write_parquet(table.file)


CHANGES: list[tuple[str, Callable[[Growing], object]]] = [
    ("a condition on rows", lambda table: setattr(table, "where", '"id" >= 0')),
    ("another lookback", lambda table: setattr(table, "incremental", FOUR_DAYS)),
    ("another column of the files", _widen),
    ("damaged content", lambda table: setattr(table, "cached_tables", _damaged(table))),
]


@pytest.mark.parametrize(
    "change", [change for _, change in CHANGES], ids=[name for name, _ in CHANGES]
)
def test_all_rows_are_read_when_what_is_kept_does_not_hold(
    table: Growing, change: Callable[[Growing], object]
) -> None:
    table.look(ROWS, KEY)
    table.add(row(3, NOW - 20 * DAY), row(4, NOW))
    change(table)
    found = table.look(ROWS, KEY)
    assert found.measurements == {
        **found.measurements,
        ROWS: Count(30),
        KEY: DuplicateCounts(30, 2, 2, 4),
    }
    assert extent_of(found).rows == {}


def test_a_new_promise_reads_all_rows_and_one_less_does_not(table: Growing) -> None:
    table.look(ROWS, KEY)
    table.add(row(1, NOW))
    assert extent_of(table.look(ROWS)).rows == {ROWS: Count(5)}
    table.add(row(2, NOW))
    assert extent_of(table.look(ROWS, QUERY)).rows == {}
    table.add(row(3, NOW))
    found = table.look(ROWS, QUERY)
    assert found.measurements[QUERY] == QueryValue(0)
    assert extent_of(found).metrics == {QUERY}


def test_a_new_query_reads_all_rows_though_no_file_changed(table: Growing) -> None:
    table.look(ROWS, KEY)
    table.add(row(1, NOW))
    assert extent_of(table.look(ROWS, KEY)).rows != {}
    found = table.look(ROWS, KEY, QUERY)
    assert (extent_of(found).rows, found.measurements[QUERY]) == ({}, QueryValue(24))


def test_another_version_reads_everything(table: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    table.look(ROWS)
    table.add(row(1, NOW))
    monkeypatch.setattr(cached_scan, "_versions", lambda: "another")
    assert extent_of(table.look(ROWS)).rows == {}


def test_rows_without_a_value_are_always_in_the_window(table: Growing) -> None:
    table.add(row(None, None), row(7, None), row(7, None))
    table.look(ROWS, KEY, NULLS)
    table.add(row(7, NOW))
    found = table.look(ROWS, KEY, NULLS)
    assert found.measurements[KEY] == DuplicateCounts(7, 2, 1, 3)
    assert (found.measurements[ROWS], found.measurements[NULLS]) == (Count(32), Count(1))


def test_a_day_begins_at_midnight_of_the_columns_zone(tmp_path: Path) -> None:
    table = Growing(tmp_path, replace(PARTITION, timezone="Asia/Tokyo"), kind="naive")
    edge = midnight(NOW, 3, "Asia/Tokyo")
    table.add(row(1, edge - timedelta(seconds=1)), row(2, edge), row(3, NOW))
    table.look(ROWS)
    table.add(row(4, NOW))
    found = extent_of(table.look(ROWS))
    assert found.rows == {ROWS: Count(3)}
    assert found.words == f"in the window since {edge.date()}"


def test_a_watermark_looks_back_from_the_newest_value_that_is_not_in_the_future(
    tmp_path: Path,
) -> None:
    table = Growing(tmp_path, WATERMARK)
    table.add(*(row(at, NOW - at * DAY / 2) for at in range(2, 10)), row(1, NOW + 5 * DAY))
    table.look(ROWS)
    table.add(row(50, NOW))
    found = extent_of(table.look(ROWS))
    assert found.rows == {ROWS: Count(5)}
    assert found.words == f"in the window since {NOW - 2 * DAY:%Y-%m-%d %H:%M} UTC"


def test_no_row_comes_in_without_being_in_a_window_whatever_the_pause(tmp_path: Path) -> None:
    table = Growing(tmp_path)
    table.add(row(1, NOW - 9 * DAY), row(2, NOW))
    table.look(KEY)
    later = NOW + 30 * DAY
    table.add(row(7, NOW + 2 * DAY), row(7, NOW + 3 * DAY), row(8, later))
    assert table.look(KEY, now=later).measurements[KEY] == DuplicateCounts(4, 1, 1, 2)


def test_a_number_is_a_watermark_and_never_told(tmp_path: Path) -> None:
    table = Growing(tmp_path, replace(WATERMARK, column="id", lookback=timedelta(0)))
    table.add(*(row(at, NOW) for at in range(41_230, 41_240)))
    table.look(ROWS, KEY)
    table.add(row(41_239, NOW), row(41_240, NOW), row(None, NOW))
    found = table.look(ROWS, KEY)
    assert found.measurements == {
        **found.measurements,
        ROWS: Count(13),
        KEY: DuplicateCounts(3, 1, 1, 2),
    }
    assert extent_of(found).words == "in the window of the newest rows"


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("gone", "column 'gone' is missing"),
        ("word", "column 'word' is of type text; expected a date, a timestamp"),
    ],
)
def test_all_rows_are_read_where_the_column_has_no_order_and_it_is_told(
    table: Growing, column: str, why: str
) -> None:
    table.incremental = replace(PARTITION, column=column)
    table.look(ROWS, KEY)
    table.add(row(5, NOW - 20 * DAY))
    found = table.look(ROWS, KEY)
    assert found.measurements == {
        **found.measurements,
        ROWS: Count(29),
        KEY: DuplicateCounts(29, 1, 1, 2),
    }
    assert extent_of(found).words.startswith(f"all rows were read: {why}")
    assert extent_of(found).metrics == {KEY}
    assert table.look(ROWS, KEY).evidence[KEY] is Evidence.STATE


def test_a_table_that_was_emptied_is_seen_at_once(table: Growing) -> None:
    table.look(ROWS)
    table.rows = []
    table.write()
    assert table.look(ROWS).measurements[ROWS] == Count(0)


def test_a_time_that_lay_in_the_future_is_asked_of_all_rows(table: Growing) -> None:
    other = replace(SPAN, column="told")
    table.add(row(1, NOW - 9 * DAY, told=NOW + DAY))
    table.look(ROWS, other)
    table.add(row(2, NOW))
    found = table.look(ROWS, other, now=NOW + 2 * DAY)
    assert found.measurements[other] == TimeRange(NOW + DAY, NOW + DAY, 1)
    assert extent_of(found).rows != {}


def test_what_has_no_answer_has_none_in_a_window_either(table: Growing) -> None:
    missing = replace(SPAN, column="gone")
    table.look(ROWS, missing)
    table.add(row(2, NOW))
    found = table.look(ROWS, missing)
    assert isinstance(found.measurements[missing], Unmeasured)
    assert extent_of(found).rows == {ROWS: Count(5)}


def test_nothing_is_kept_of_a_file_that_changes_while_it_is_read(table: Growing) -> None:
    job = table.job([ROWS])
    dataset = open_server(job.server, job.tables, bases=job.bases, roots=job.roots)

    def changed() -> Dataset:
        table.add(row(1, NOW))
        return open_server(job.server, job.tables, bases=job.bases, roots=job.roots)

    told = cached_scan.scan_with_cache(dataset, [ROWS], (), now=NOW, relist=changed)
    assert (told.measurements[ROWS], told.cached_tables) == (Count(28), ())


def test_a_file_that_cannot_be_read_leaves_what_was_kept(table: Growing) -> None:
    table.look(ROWS)
    before = table.cached_tables
    whole = table.file.read_bytes()
    table.file.write_bytes(b"PAR1 broken")
    assert table.look(ROWS).readable is False
    assert table.cached_tables == before
    table.file.write_bytes(whole)
    assert extent_of(table.look(ROWS)).rows == {ROWS: Count(4)}


def damage(file: Path) -> None:
    """Make the rows of a file unreadable, and leave its footer."""
    content = bytearray(file.read_bytes())
    content[4:40] = b"\xff" * 36
    file.write_bytes(content)


def test_old_folders_of_partitions_are_not_read_beyond_their_footers(tmp_path: Path) -> None:
    days = [midnight(NOW, ago).date() for ago in range(6)]
    for day in days:
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        pl.DataFrame({"id": [1, 2, 3]}).write_parquet(folder / "a.parquet")
    table = Growing(tmp_path, replace(PARTITION, column="day"))
    job = table.job([ROWS, NULLS, KEY])
    day = Column(Clause("day", 1), "day", "day", LogicalType.DATE)
    table_of = job.tables[0]
    tables = (replace(table_of, columns=(*table_of.columns, day)),)
    server = replace(job.server, path="**/*.parquet")
    job = replace(job, server=server, tables=tables, uses_cache=True)
    first = scan(job)
    damage(tmp_path / f"day={days[5]}" / "a.parquet")
    found = scan(replace(job, cached_tables=first.cached_tables or ()))
    assert (first.measurements[ROWS], found.measurements[ROWS]) == (Count(18), Count(18))
    assert (found.measurements[NULLS], found.measurements[KEY]) == (
        Count(0),
        DuplicateCounts(12, 9, 3, 12),
    )


def test_old_partitions_of_a_delta_table_are_not_read(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    days = [midnight(NOW, ago).date() for ago in range(6)]
    frame = pl.DataFrame({"id": list(range(6)), "day": days})
    deltalake.write_deltalake(tmp_path / "t", frame, partition_by=["day"])
    table = Growing(tmp_path, replace(PARTITION, column="day"))
    job = table.job([ROWS, NULLS, KEY])
    server = replace(job.server, path="t", data_format=DataFormat.DELTA)
    job = replace(job, server=server, uses_cache=True)
    first = scan(job)
    again = scan(replace(job, cached_tables=first.cached_tables or ()))
    assert (again.evidence[KEY], again.measurements[KEY]) == (Evidence.STATE, DuplicateCounts(6))
    (old,) = (tmp_path / "t" / f"day={days[5]}").glob("*.parquet")
    damage(old)
    deltalake.write_deltalake(tmp_path / "t", frame.head(2), mode="append", partition_by=["day"])
    found = scan(replace(job, cached_tables=first.cached_tables or ()))
    assert (found.measurements[ROWS], found.measurements[NULLS]) == (Count(8), Count(0))
    assert found.measurements[KEY] == DuplicateCounts(6, 2, 2, 4)


def test_what_is_kept_comes_back_equal_and_only_where_it_belongs() -> None:
    inner = ColumnType("x", "integer", "Int8")
    answers = {"1": Count(3), "2": TimeRange(NOW, NOW, 1), "3": DelayTally(2, 1, 0.5)}
    hits = PersonalData((DetectorHits("c", Detector.IBAN, 3, 1),))
    last = {**answers, "4": DuplicateCounts(4, 3, 2, 1), "5": hits, "6": TableColumns((inner,))}
    kept = CachedWindow(
        TableColumns((inner,)),
        Watermark(-(2**100), "2026-03-01"),
        answers,
        frozenset("1234"),
        NOW,
        "stamps",
        WindowScan(Watermark(7), True, 9, last),
    )
    content = serialize_window(kept, "here")
    assert deserialize_window(content, "here") == kept
    assert deserialize_window(content, "there") is None
    assert deserialize_window(content[:-3], "here") is None
