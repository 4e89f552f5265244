"""Keep the per-file cache and the windows in a folder (`--state-dir`)."""

import base64
import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from contractwatch.cli.testing.atomic_write import atomic_write
from contractwatch.errors import UsageError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.cached_table import CachedTable


class StateFolder:
    """A folder with one state file for each contract and server; damaged files are ignored."""

    def __init__(self, folder: Path | None, *, is_written: bool) -> None:
        """Make the folder if it is not there.

        Args:
            folder: None keeps nothing.
            is_written: Whether runs leave something; one of a few promises or rows would drop what
                is known of the others.

        Raises:
            UsageError: If the folder cannot be made.
        """
        self.is_used = folder is not None
        self._folder = folder or Path()
        self._is_written = is_written and self.is_used
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--state-dir {folder}: {error.strerror}; name a folder") from error

    def read(self, contract: Contract, server: Server) -> tuple[CachedTable, ...]:
        """Return what the last run kept."""
        if not self.is_used:
            return ()
        try:
            read = json.loads(self._file(contract, server).read_bytes())
            return tuple(CachedTable(table, base64.b64decode(text)) for table, text in read.items())
        except (OSError, ValueError, TypeError, AttributeError):
            return ()

    def write(self, contract: Contract, server: Server, kept: Iterable[CachedTable] | None) -> None:
        """Write the state, if it has changed.

        Raises:
            UsageError: If the file cannot be written.
        """
        if kept is None or not self._is_written:
            return
        texts = {one.table: base64.b64encode(one.content).decode() for one in kept}
        try:
            atomic_write(self._file(contract, server), json.dumps(texts), is_private=True)
        except OSError as error:
            raise UsageError(f"--state-dir {self._folder}: {error.strerror}") from error

    def _file(self, contract: Contract, server: Server) -> Path:
        named = repr((contract.contract_id, contract.product, server.name, server.environment))
        return self._folder / f"{sha256(named.encode()).hexdigest()[:32]}.json"
