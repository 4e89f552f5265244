"""Limit of the sessions that runs have open to one database at the same time."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from contractwatch.model.base.connection import Connection


class ConnectionSlots:
    """Counts the open sessions of each connection; a run waits until one is free."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._used: dict[str, int] = {}

    @contextmanager
    def held(self, connection: Connection | None) -> Generator[None]:
        """Wait for a session to be free and hold it; a run over files waits for nothing."""
        if connection is None:
            yield
            return
        name = connection.name
        with self._changed:
            # The limit is read each time, as settings may change meanwhile.
            self._changed.wait_for(lambda: self._used.get(name, 0) < connection.connections_limit)
            self._used[name] = self._used.get(name, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._used[name] -= 1
                self._changed.notify_all()
