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

_FD_FOLDER = Path("/proc/self/fd")
_MISSING_PATH = str(_FD_FOLDER / "none")
"""Path for a file that is gone: a new file at its old path must not be read."""

_TOO_MANY_OPEN = frozenset({errno.EMFILE, errno.ENFILE})
_SPARE_DESCRIPTORS = 512
"""Descriptors that are left for the rest of the process."""


@contextmanager
def pin_files(dataset: Dataset, roots: Sequence[Path] | None) -> Generator[Dataset]:
    """Yield the dataset with its files opened; unchanged where the system has no /proc/self/fd.

    Args:
        dataset: The dataset as it was listed.
        roots: Directories in which every file must really be, links followed; None allows all.

    Raises:
        SourceError: If a file is outside by now.
    """
    if roots is None or not _FD_FOLDER.is_dir():
        yield dataset
        return
    real_roots = [root.resolve() for root in roots]
    local = (table for table in dataset.tables if table.remote is None)
    paths = list(dict.fromkeys(file.path for table in local for file in _files(table)))
    with ExitStack() as opened:
        sources: dict[str, str] = {}
        for path in paths[: _descriptors_available(len(paths))]:
            try:
                number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno in _TOO_MANY_OPEN:
                    break
                sources[path] = _MISSING_PATH
                continue
            opened.callback(os.close, number)
            _confine(number, real_roots)
            sources[path] = str(_FD_FOLDER / str(number))
        yield replace(
            dataset, tables=tuple(_with_sources(sources, table) for table in dataset.tables)
        )


def _files(table: TableFiles) -> list[DataFile]:
    named = (
        () if table.snapshot is None else (*table.snapshot.metadata_files, *table.snapshot.named)
    )
    return [*table.files, *(file for _, file in named)]


def _descriptors_available(wanted: int) -> int:
    """Return how many of the wanted files can be open; raises the soft limit as far as needed.

    Files of other tables, which references lead to, may be open already.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    others = len(list(_FD_FOLDER.iterdir())) + _SPARE_DESCRIPTORS
    needed = wanted + others
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return max(0, needed - others)


def _confine(number: int, roots: Sequence[Path]) -> None:
    real = (_FD_FOLDER / str(number)).readlink()
    is_file = stat.S_ISREG(os.fstat(number).st_mode)
    if not is_file or not any(real.is_relative_to(root) for root in roots):
        raise SourceError(
            "a file was replaced by a link that leads outside the directories that are allowed",
            retryable=False,
            blame=Blame.PRODUCT,
        )


def _with_sources(sources: Mapping[str, str], table: TableFiles) -> TableFiles:
    """Return the table with the sources of its files, by path."""

    def opened(file: DataFile) -> DataFile:
        return replace(file, source=sources.get(file.path, ""))

    def named(files: Sequence[tuple[str, DataFile]]) -> tuple[tuple[str, DataFile], ...]:
        return tuple((name, opened(file)) for name, file in files)

    known = table.snapshot
    if known is not None:
        known = replace(known, metadata_files=named(known.metadata_files), named=named(known.named))
    return replace(table, files=tuple(map(opened, table.files)), snapshot=known)
