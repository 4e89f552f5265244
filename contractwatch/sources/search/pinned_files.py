"""Open each file once, check where it really is, and read it by its open descriptor.

Between the listing of a folder and the reading of a file somebody may put a link in its place, or
in that of a folder above it. So each file is opened before it is read; where it really is, the
system tells of what is open; and the readers, which know paths only, are given the path of the
opening.
"""

import errno
import os
import resource
import stat
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles

_OPENINGS = Path("/proc/self/fd")
_MISSED = str(_OPENINGS / "none")
"""What went away meanwhile is not there for its reader, whatever comes to its path later."""

_NO_MORE = frozenset({errno.EMFILE, errno.ENFILE})
_SPARE = 512
"""So many files the process may open besides."""


@contextmanager
def held(dataset: Dataset, roots: Sequence[Path] | None) -> Generator[Dataset]:
    """Yield the dataset with its files held open; where the system has no such paths, as it is.

    Args:
        dataset: What was found.
        roots: Directories in which every file must really be, links followed; None allows all.

    Raises:
        SourceError: If a file is outside by now.
    """
    if roots is None or not _OPENINGS.is_dir():
        yield dataset
        return
    real_roots = [root.resolve() for root in roots]
    local = (table for table in dataset.tables if table.remote is None)
    paths = list(dict.fromkeys(file.path for table in local for file in _files(table)))
    with ExitStack() as opened:
        sources: dict[str, str] = {}
        for path in paths[: _room(len(paths))]:
            try:
                number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno in _NO_MORE:
                    break
                sources[path] = _MISSED
                continue
            opened.callback(os.close, number)
            _confine(number, real_roots)
            sources[path] = str(_OPENINGS / str(number))
        yield replace(dataset, tables=tuple(_by(sources, table) for table in dataset.tables))


def _files(table: TableFiles) -> list[DataFile]:
    named = () if table.snapshot is None else (*table.snapshot.record, *table.snapshot.named)
    return [*table.files, *(file for _, file in named)]


def _room(wanted: int) -> int:
    """Return how many files can be held; the limit of the process is raised as far as it goes.

    Those of another table, which a reference leads to, may be held already.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    besides = len(list(_OPENINGS.iterdir())) + _SPARE
    needed = wanted + besides
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return max(0, needed - besides)


def _confine(number: int, roots: Sequence[Path]) -> None:
    real = (_OPENINGS / str(number)).readlink()
    is_file = stat.S_ISREG(os.fstat(number).st_mode)
    if not is_file or not any(real.is_relative_to(root) for root in roots):
        raise SourceError(
            "a file was replaced by a link that leads outside the directories that are allowed",
            retryable=False,
            blame=Blame.PRODUCT,
        )


def _by(sources: Mapping[str, str], table: TableFiles) -> TableFiles:
    """Return the table whose files are opened by their sources."""

    def opened(file: DataFile) -> DataFile:
        return replace(file, source=sources.get(file.path, ""))

    def named(files: Sequence[tuple[str, DataFile]]) -> tuple[tuple[str, DataFile], ...]:
        return tuple((name, opened(file)) for name, file in files)

    known = table.snapshot
    if known is not None:
        known = replace(known, record=named(known.record), named=named(known.named))
    return replace(table, files=tuple(map(opened, table.files)), snapshot=known)
