"""Property test: however a table grows, cached and new answers equal a full scan."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from window_values import (
    ADDITIVE,
    KEY,
    NOW,
    OF_WINDOW,
    PARTITION,
    QUERY,
    WATERMARK,
    WHOLE,
    Growing,
    Row,
    extent_of,
    midnight,
    row,
)

from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.incremental import Incremental
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.state import DuplicateCounts
from contractwatch.model.promises.sql import QueryValue

BERLIN = replace(PARTITION, timezone="Europe/Berlin")
NUMBERS = st.none() | st.integers(0, 9)
WORDS = st.sampled_from([None, "a", "b", "c"])
TOLD = st.none() | st.integers(-90, 60)
NEW = st.lists(st.tuples(NUMBERS, WORDS, st.none() | st.floats(0, 1), TOLD), max_size=4)
STEPS = st.lists(st.tuples(st.integers(0, 60), NEW), min_size=3, max_size=5)
KINDS = [
    (DataFormat.PARQUET, "aware", PARTITION),
    (DataFormat.PARQUET, "naive", BERLIN),
    (DataFormat.PARQUET, "day", BERLIN),
    (DataFormat.PARQUET, "aware", WATERMARK),
    (DataFormat.PARQUET, "day", WATERMARK),
    (DataFormat.CSV, "aware", PARTITION),
    (DataFormat.CSV, "day", WATERMARK),
    (DataFormat.ARROW, "aware", replace(WATERMARK, lookback=timedelta(0))),
]


@dataclass(slots=True)
class Story:
    """A table that grows inside its window; `cut` is where the next window is to begin."""

    table: Growing
    chosen: Incremental
    now: datetime = NOW
    cut: datetime | None = None
    seen: dict[object, object] = field(default_factory=dict[object, object])

    def grow(
        self, hours: int, new: Sequence[tuple[int | None, str | None, float | None, int | None]]
    ) -> None:
        self.now += timedelta(hours=hours)
        first = self.next_cut() or self.now - timedelta(days=40)
        for number, word, share, told in new:
            at = (
                None
                if share is None
                else (first + share * (self.now - first)).replace(microsecond=0)
            )
            late = None if told is None else self.now.replace(microsecond=0) + timedelta(hours=told)
            self.table.rows.append(row(number, at, word, late))
        if new or not self.table.file.exists():
            self.table.write()

    def next_cut(self) -> datetime | None:
        """Return the first instant that a row may have which is seen."""
        if self.cut is None:
            return None
        if self.chosen.mode == "partition":
            return midnight(self.now, 3, self.chosen.timezone)
        return self.cut + timedelta(days=1 if self.table.kind == "day" else 0)

    def check(self) -> None:
        asked = (*ADDITIVE, *WHOLE, *OF_WINDOW)
        found = self.table.look(*asked, now=self.now)
        whole = self.table.whole(*asked, now=self.now)
        for metric in (*ADDITIVE, *WHOLE):
            assert found.measurements[metric] == whole.measurements[metric]
        assert (found.readable, found.error) == (whole.readable, whole.error)
        judged = self.window() if extent_of(found).rows else self.table.rows
        if found.evidence[KEY] is Evidence.STATE:
            assert found.measurements[KEY] == self.seen[KEY]
        else:
            assert found.measurements[KEY] == repeats_of(judged)
            assert found.measurements[QUERY] == QueryValue(sum((one[0] or 0) > 3 for one in judged))
            self.seen = dict(found.measurements)
            self.move()

    def window(self) -> list[Row]:
        cut = self.cut
        assert cut is not None
        edge = self.table.local(cut)
        return [
            one for one in self.table.rows if one[2] is None or self.table.local(one[2]) >= edge
        ]

    def move(self) -> None:
        if self.chosen.mode == "partition":
            following = midnight(self.now, 3, self.chosen.timezone)
        else:
            known = [one[2] for one in self.table.rows if one[2] is not None]
            if not known:
                return
            newest = max(known)
            if self.table.kind == "day":
                newest = midnight(newest, 0, self.chosen.timezone)
            following = newest - self.chosen.lookback
        self.cut = max(following, self.cut) if self.cut else following


def repeats_of(rows: Sequence[Row]) -> DuplicateCounts:
    counts = Counter(number for number, *_ in rows if number is not None)
    again = [count for count in counts.values() if count > 1]
    return DuplicateCounts(
        sum(counts.values()), sum(counts.values()) - len(counts), len(again), sum(again)
    )


@pytest.mark.parametrize(("data_format", "kind", "chosen"), KINDS)
@given(steps=STEPS, start=st.integers(0, 40))
@settings(max_examples=2, deadline=None)
def test_old_answers_and_new_rows_say_what_all_rows_say(
    data_format: DataFormat,
    kind: str,
    chosen: Incremental,
    steps: Sequence[tuple[int, list[tuple[int | None, str | None, float | None, int | None]]]],
    start: int,
) -> None:
    with TemporaryDirectory() as home:
        table = Growing(Path(home), chosen, data_format, kind)
        story = Story(table, chosen)
        table.rows = [row(at % 7, NOW - timedelta(hours=9 * at), "b") for at in range(start + 1)]
        table.write()
        story.check()
        for hours, new in steps:
            story.grow(hours, new)
            story.check()
