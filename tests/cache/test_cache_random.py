"""Property test: cached answers plus new files equal a full scan, whatever happens to the files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cache_values import KEPT, LATER, OTHERS, Folder, row
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.model.base.server import DataFormat
from contractwatch.scan.scan import scan

NAMES = st.sampled_from("abcd")
NUMBERS = st.none() | st.integers(0, 9)
WORDS = st.sampled_from([None, "a", "b", "long", "a@example.com", ""])
DAYS = st.none() | st.integers(-400, 0) | st.sampled_from([0, 0, 3])
ROWS = st.lists(st.builds(row, NUMBERS, WORDS, DAYS), min_size=1, max_size=5)
APART = st.integers(0, 50).map(
    lambda start: [row(20 * start + at, f"w{start}-{at}", -start - 1) for at in range(4)]
)
CHANGES = st.one_of(
    st.tuples(st.just("write"), NAMES, ROWS | APART),
    st.tuples(st.just("write"), NAMES, APART),
    st.tuples(st.just("widen"), NAMES, ROWS),
    st.tuples(st.just("dress up"), NAMES, ROWS),
    st.tuples(st.just("append"), NAMES, ROWS),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("step"), st.sampled_from([-5, 2, 30])),
    st.tuples(st.just("narrow"), st.sampled_from(["", '"id" > 2'])),
    st.tuples(st.just("ask"), st.sets(st.sampled_from((*KEPT, *OTHERS)), min_size=1)),
)


class Story:
    """One folder through its changes."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.rows: dict[str, Sequence[dict[str, object]]] = {}
        self.now = datetime.now(UTC) + LATER
        self.where = ""
        self.asked = (*KEPT, *OTHERS)

    def write(self, name: str, rows: Sequence[dict[str, object]], *, wide: bool = False) -> None:
        self.folder.write(name, rows, wide=wide)
        self.rows[name] = rows

    def happen(self, what: str, *words: object) -> None:
        match what, words:
            case "step", (int(days),):
                self.now += timedelta(days=days)
            case "narrow", (str(where),):
                self.where = where
            case "ask", (set(asked),):
                self.asked = tuple(asked)
            case _, (str(name), *rest):
                self.change(what, name, *rest)

    def change(self, what: str, name: str, *words: object) -> None:
        match what, words:
            case "write" | "widen", (list(rows),):
                self.write(name, rows, wide=what == "widen")
            case "append", (list(rows),):
                self.write(name, [*self.rows.get(name, ()), *rows])
            case "dress up", (list(rows),) if name in self.rows:
                self.folder.dress_up(name, rows)
                self.rows[name] = rows
            case "delete", () if name in self.rows and len(self.rows) > 1:
                self.folder.file(name).unlink()
                del self.rows[name]
            case "rename", (str(new),) if name in self.rows and new != name:
                self.folder.file(name).replace(self.folder.file(new))
                self.rows[new] = self.rows.pop(name)

    def check(self) -> None:
        job = self.folder.job(self.asked, now=self.now, where=self.where)
        found, whole = self.folder.look(job), scan(job)
        assert found.measurements == whole.measurements
        assert (found.readable, found.error) == (whole.readable, whole.error)


@pytest.mark.parametrize("data_format", [DataFormat.PARQUET, DataFormat.CSV])
@given(changes=st.lists(CHANGES, min_size=3, max_size=6), first=APART, second=APART)
@settings(max_examples=4, deadline=None)
def test_states_and_new_files_say_what_all_files_say(
    data_format: DataFormat,
    changes: Sequence[tuple[str, object]],
    first: list[dict[str, object]],
    second: list[dict[str, object]],
) -> None:
    with TemporaryDirectory() as home:
        story = Story(Folder(Path(home), data_format))
        story.write("a", first)
        story.write("b", second)
        story.check()
        for what, *words in changes:
            story.happen(what, *words)
            story.check()
