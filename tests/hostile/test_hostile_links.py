"""A link that replaces a file after it was found leads nowhere."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import write_deltalake

from contractwatch.engines.query.engine import survey
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Column, Table
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import RowCount
from contractwatch.model.measure.state import Count, Measurement
from contractwatch.sources import open_server
from contractwatch.sources.search.pinned_files import pin_files

CLAUSE = Clause("servers[0]", 1)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROWS = RowCount("t")
HAS_OPENINGS = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="the system has no paths of open files"
)


def text_of(rows: Sequence[int]) -> str:
    return "".join(f'{{"id": {row}}}\n' for row in rows)


WRITERS: dict[DataFormat, Callable[[Path, pl.DataFrame], object]] = {
    DataFormat.PARQUET: lambda path, rows: rows.write_parquet(path),
    DataFormat.CSV: lambda path, rows: rows.write_csv(path),
    DataFormat.JSON: lambda path, rows: path.write_text(text_of(rows["id"].to_list())),
    DataFormat.ARROW: lambda path, rows: rows.write_ipc(path),
    DataFormat.AVRO: lambda path, rows: rows.write_avro(path),
}


def opened(path: Path, data_format: DataFormat, root: Path) -> Dataset:
    server = Server(CLAUSE, "live", "local", path=str(path), data_format=data_format)
    table = Table(CLAUSE, "t", "t", (Column(CLAUSE, "id", "id"),))
    return open_server(server, (table,), bases=(), roots=(root,))


def counted(data: Dataset) -> Measurement | SourceError:
    found = survey(data, {ROWS}, now=NOW)
    return found.failures.get("t") or found.measurements[ROWS]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    return tmp_path / "inside", tmp_path / "outside"


@HAS_OPENINGS
@pytest.mark.parametrize("data_format", WRITERS)
def test_a_file_is_read_as_it_was_when_it_was_held(
    folders: tuple[Path, Path], data_format: DataFormat
) -> None:
    inside, outside = folders
    name = f"t.{data_format.value}"
    WRITERS[data_format](inside / name, pl.DataFrame({"id": [1, 2]}))
    WRITERS[data_format](outside / name, pl.DataFrame({"id": [1, 2, 3]}))
    data = opened(inside / name, data_format, inside)
    with pin_files(data, (inside,)) as safe:
        (inside / name).unlink()
        (inside / name).symlink_to(outside / name)
        assert counted(safe) == Count(2)
    assert counted(data) == Count(3)  # what the paths alone would have read


@HAS_OPENINGS
@pytest.mark.parametrize("swapped", ["file", "folder", "folder by a relative link"])
def test_a_link_that_came_before_the_file_was_held_is_refused(
    folders: tuple[Path, Path], swapped: str
) -> None:
    inside, outside = folders
    for folder, rows in ((inside / "in", [1, 2]), (outside, [1, 2, 3])):
        folder.mkdir(exist_ok=True)
        pl.DataFrame({"id": rows}).write_parquet(folder / "t.parquet")
    data = opened(inside / "in" / "t.parquet", DataFormat.PARQUET, inside)
    if swapped == "file":
        (inside / "in" / "t.parquet").unlink()
        (inside / "in" / "t.parquet").symlink_to(outside / "t.parquet")
    else:
        (inside / "in").rename(inside / "away")
        (inside / "in").symlink_to(outside if swapped == "folder" else "../outside")
    with pytest.raises(SourceError, match="replaced by a link that leads outside") as refusal:
        pin_files(data, (inside,)).__enter__()
    assert refusal.value.blame is Blame.PRODUCT


@HAS_OPENINGS
def test_the_files_of_a_delta_table_are_held_too(folders: tuple[Path, Path]) -> None:
    inside, outside = folders
    write_deltalake(inside, pl.DataFrame({"id": [1, 2]}))
    (path,) = inside.glob("*.parquet")
    pl.DataFrame({"id": [1, 2, 3]}).write_parquet(outside / "t.parquet")
    with pin_files(opened(inside, DataFormat.DELTA, inside), (inside,)) as data:
        path.unlink()
        path.symlink_to(outside / "t.parquet")
        assert counted(data) == Count(2)


@HAS_OPENINGS
def test_a_file_that_went_away_before_it_was_held_is_missed_by_its_reader(
    folders: tuple[Path, Path],
) -> None:
    inside, outside = folders
    for folder in folders:
        pl.DataFrame({"id": [1]}).write_parquet(folder / "t.parquet")
    data = opened(inside / "t.parquet", DataFormat.PARQUET, inside)
    (inside / "t.parquet").unlink()
    with pin_files(data, (inside,)) as safe:
        (inside / "t.parquet").symlink_to(outside / "t.parquet")
        failure = counted(safe)
    assert isinstance(failure, SourceError)
    assert "went away" in str(failure)
    assert failure.retryable


def test_the_person_who_asks_reads_by_path(folders: tuple[Path, Path]) -> None:
    inside, _ = folders
    pl.DataFrame({"id": [1]}).write_parquet(inside / "t.parquet")
    data = opened(inside / "t.parquet", DataFormat.PARQUET, inside)
    with pin_files(data, None) as same:
        assert same is data


@HAS_OPENINGS
def test_what_was_held_is_let_go(folders: tuple[Path, Path]) -> None:
    inside, _ = folders
    pl.DataFrame({"id": [1]}).write_parquet(inside / "t.parquet")
    data = opened(inside / "t.parquet", DataFormat.PARQUET, inside)
    with pin_files(data, (inside,)) as safe:
        opening = Path(safe.tables[0].files[0].source)
        assert opening.exists()
        assert opening.readlink() == inside / "t.parquet"
    assert not opening.exists() or opening.readlink() != inside / "t.parquet"


CROWDED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from hostile.test_hostile_links import counted, pin_files, opened
from contractwatch.model.base.server import DataFormat
inside = Path({inside!r})
data = opened(inside / "*.csv", DataFormat.CSV, inside)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
openings = len(list(Path("/proc/self/fd").iterdir()))
resource.setrlimit(resource.RLIMIT_NOFILE, (openings + 512 + 60,) * 2)
with pin_files(data, (inside,)) as one, pin_files(data, (inside,)) as other:
    sources = [sum(bool(file.source) for file in each.tables[0].files) for each in (one, other)]
    print(sources, counted(one).rows, counted(other).rows)
"""


@HAS_OPENINGS
def test_files_beyond_what_a_process_may_open_are_read_by_path(folders: tuple[Path, Path]) -> None:
    inside, _ = folders
    for number in range(40):
        (inside / f"{number}.csv").write_text("id\n1\n")
    tests = str(Path(__file__).resolve().parents[1])
    script = CROWDED.format(tests=tests, inside=str(inside))
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    held_first, held_then, *rows = ended.stdout.replace("[", "").replace("]", "").split()
    assert int(held_first.strip(",")) == 40
    assert 0 < int(held_then) < 40
    assert rows == ["40", "40"]
