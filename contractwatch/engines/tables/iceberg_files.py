"""File access for the Iceberg library: the known files of one table and no other.

It is imported where a table is opened only: the library is optional.
"""

import gzip
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO

from pyiceberg.io import FileIO, InputFile, OutputFile

from contractwatch.engines.core.failures import BrokenTextError
from contractwatch.engines.formats import avro
from contractwatch.engines.remote.objects import open_stream, read_as_listed
from contractwatch.engines.tables.iceberg import MAX_METADATA_BYTES
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import DataFile, RemoteStore

_MANIFEST, _METADATA, _PACKED = ".avro", ".json", (".gz.metadata.json", ".metadata.json.gz")
_PIECE = 1024 * 1024


class KnownFiles(FileIO):
    """File access that opens only what `known` returns for a name.

    The table's properties, which may name a class, are not read. Metadata are kept in memory:
    the library reads them repeatedly, and they must not change after they were checked.
    """

    def __init__(self, known: Callable[[str], DataFile], remote: RemoteStore | None) -> None:
        super().__init__({})
        self._known = known
        self._remote = remote
        self._held: dict[str, bytes] = {}

    def new_input(self, location: str) -> InputFile:
        return _KnownFile(location, self._known(location), self._open)

    def new_output(self, location: str) -> OutputFile:
        raise _read_only_error()

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise _read_only_error()

    def _open(self, location: str, file: DataFile) -> BinaryIO:
        if not location.endswith((_MANIFEST, _METADATA, *_PACKED)):
            return open_stream(file.open_path, self._remote)
        if location not in self._held:
            held = read_as_listed(file, self._remote)
            _refuse_bomb(location, BytesIO(held))
            self._held[location] = held
        return BytesIO(self._held[location])


class _KnownFile(InputFile):
    def __init__(
        self, location: str, file: DataFile, opened_by: Callable[[str, DataFile], BinaryIO]
    ) -> None:
        super().__init__(location)
        self._file = file
        self._opened_by = opened_by

    def __len__(self) -> int:
        return self._file.size

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> Any:  # noqa: FBT001, FBT002 - as the library has it
        return self._opened_by(self.location, self._file)


def _refuse_bomb(location: str, file: BinaryIO) -> None:
    """Raise SourceError if a small metadata file would decompress to a large one."""
    if location.endswith(_MANIFEST):
        _refuse_large_blocks(file)
    elif location.endswith(_PACKED):
        _refuse_large_text(file)


def _refuse_large_blocks(file: BinaryIO) -> None:
    try:
        avro.refuse_large_blocks(file)
    except BrokenTextError as error:
        raise _table_error(f"has a manifest that cannot be read: {error}") from error


def _refuse_large_text(file: BinaryIO) -> None:
    size = 0
    try:
        with gzip.open(file) as text:
            while piece := text.read(_PIECE):
                size += len(piece)
                if size > MAX_METADATA_BYTES:
                    raise _table_error("has metadata that are too large")
    except (OSError, EOFError, zlib.error) as error:
        raise _table_error("has metadata that cannot be unpacked") from error


def _table_error(why: str) -> SourceError:
    return SourceError(f"the iceberg table {why}", retryable=False, blame=Blame.PRODUCT)


def _read_only_error() -> SourceError:
    return SourceError("a table is only read here", retryable=False, blame=Blame.AGENT)
