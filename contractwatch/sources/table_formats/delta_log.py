"""Classify the parts of a Delta log and list the sidecars and vectors that they name.

A checkpoint may name sidecars, and a log the files of deletion vectors. The library would open
either wherever it is, so that both are looked at before.
"""

import glob
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import polars as pl

from contractwatch.model.base.server import Server
from contractwatch.sources.search.search import location_error

SIDECARS = "_sidecars"
"""Folder of the log with the sidecars of its checkpoints."""

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(
    r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10})|\.[0-9a-fA-F-]{36})?\.(?:parquet|json)"
)
_PLAIN_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
_PLAIN_FOLDER = re.compile(r"[A-Za-z0-9_-]*")
_ENCODED_ID_LENGTH = 20
_Z85_DIGITS = (
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)
_ID_BYTES = 16

DeletionVector: TypeAlias = tuple[str, str]
"""Storage type of a deletion vector, and its path or content, as in the Delta protocol."""


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    name: str
    version: int
    part: int
    parts: int


def newest_log_files(names: Collection[str]) -> list[str]:
    """Return the names of the log files that the newest version needs.

    They are those of the newest whole checkpoint and the commits from there on; all commits if no
    checkpoint is whole.
    """
    commits = {name: int(found[1]) for name in names if (found := _COMMIT.fullmatch(name))}
    found = [_checkpoint(each) for name in names if (each := _CHECKPOINT.fullmatch(name))]
    whole = [one for one in found if _is_whole(one, found)]
    begin = max((one.version for one in whole), default=0)
    kept = [one.name for one in whole if one.version == begin]
    return [*kept, *sorted(name for name, version in commits.items() if version >= begin)]


def _checkpoint(found: re.Match[str]) -> _Checkpoint:
    return _Checkpoint(found[0], int(found[1]), int(found[2] or 1), int(found[3] or 1))


def _is_whole(one: _Checkpoint, among: Iterable[_Checkpoint]) -> bool:
    parts = {each.part for each in among if (each.version, each.parts) == (one.version, one.parts)}
    return len(parts) == one.parts


def sidecar_names(server: Server, log: Iterable[Path]) -> list[str]:
    """Return the names of the sidecars of all checkpoints.

    Raises:
        SourceError: If one is named by more than its name: the library would follow it anywhere.
    """
    checkpoints = (path for path in log if _CHECKPOINT.fullmatch(path.name))
    found = sorted({name for path in checkpoints for name in _sidecars(path)})
    if not all(map(_PLAIN_NAME.fullmatch, found)):
        raise location_error(server, "holds a table with parts of a checkpoint outside of its log")
    return found


def _sidecars(path: Path) -> Iterator[str]:
    if path.suffix == ".json":
        yield from (each["sidecar"]["path"] for each in _actions(path) if each.get("sidecar"))
        return
    named = pl.read_parquet_schema(glob.escape(str(path))).get("sidecar")
    if isinstance(named, pl.Struct) and "path" in named.to_schema():
        found = pl.scan_parquet(path, glob=False).select(pl.col("sidecar").struct.field("path"))
        yield from found.drop_nulls().collect().to_series()


def deletion_vector_files(server: Server, log: Iterable[Path]) -> list[str]:
    """Return the names of the files with deletion vectors, relative to the table's folder.

    Raises:
        SourceError: If one is elsewhere. Only clones name one by its whole path. A relative one has
            a folder before its id, and the library would follow it anywhere.
    """
    found = sorted({one for path in log for one in _vectors(path)})
    if any(kind != "u" for kind, _ in found):
        raise location_error(server, "holds a table with deletion vectors by absolute paths")
    if not all(_PLAIN_FOLDER.fullmatch(place[:-_ENCODED_ID_LENGTH]) for _, place in found):
        raise location_error(server, "holds a table with deletion vectors outside of its folder")
    return [_vector_file(place) for _, place in found]


def _vector_file(place: str) -> str:
    folder, encoded = place[:-_ENCODED_ID_LENGTH], place[-_ENCODED_ID_LENGTH:]
    name = f"deletion_vector_{UUID(bytes=_decode_z85(encoded))}.bin"
    return f"{folder}/{name}" if folder else name


def _decode_z85(encoded: str) -> bytes:
    """Return the bytes of an id that is encoded in Z85.

    Raises:
        ValueError: If it is none.
    """
    written = [encoded[at : at + 5] for at in range(0, len(encoded), 5)]
    numbers = (
        sum(_Z85_DIGITS.index(one) * 85 ** (4 - at) for at, one in enumerate(w)) for w in written
    )
    found = b"".join(number.to_bytes(4, "big") for number in numbers)
    if len(found) != _ID_BYTES:
        raise ValueError("no id of a deletion vector")
    return found


def _vectors(path: Path) -> Iterator[DeletionVector]:
    """Yield the deletion vectors in files of their own that one log file names."""
    if path.suffix == ".json":
        for action in _actions(path):
            yield from _vectors_of(action)
    elif path.suffix == ".parquet":
        named = glob.escape(str(path))
        add = pl.read_parquet_schema(named).get("add")
        if isinstance(add, pl.Struct) and "deletionVector" in add.to_schema():
            vector = pl.col("add").struct.field("deletionVector").struct
            found = pl.scan_parquet(path, glob=False).select(
                kind=vector.field("storageType"), place=vector.field("pathOrInlineDv")
            )
            yield from found.filter(pl.col("kind") != "i").unique().collect().iter_rows()


def _vectors_of(action: Mapping[str, Mapping[str, Any] | None]) -> Iterator[DeletionVector]:
    vectors = ((each or {}).get("deletionVector") for each in action.values())
    known = ((one["storageType"], one["pathOrInlineDv"]) for one in vectors if one)
    yield from (one for one in known if one[0] != "i")


def _actions(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as lines:
        yield from (json.loads(line) for line in lines if line.strip())
