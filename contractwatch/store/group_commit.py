"""Group commit: write concurrent run entries in one transaction.

Whoever comes first writes what waits by then; nobody waits for others to come. Each entry is in the
record whole or not at all, and its thread goes on when it is there: one that contradicts the record
is left out, and the others are written without it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contractwatch.errors import StoreError
from contractwatch.model.record.product import RunEntry

Write = Callable[[Sequence[RunEntry]], Sequence[int]]
"""Write entries in one transaction and return the id of each one's run."""


@dataclass(slots=True)
class _PendingEntry:
    """A queued entry and its outcome: the id of its run, or the error."""

    entry: RunEntry
    outcome: int | Exception | None = None


class GroupCommit:
    """Commit entries of concurrent threads together, one entry of each thread at a time."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._turn = threading.Lock()
        self._waiting: list[_PendingEntry] = []

    def commit(self, entry: RunEntry) -> int:
        """Return the id of the entry's run once its transaction is committed.

        Raises:
            StoreError: And then nothing of the entry was saved.
        """
        mine = _PendingEntry(entry)
        self._waiting.append(mine)
        with self._turn:
            if mine.outcome is None:
                batch = tuple(self._waiting)
                self._commit_batch(batch)
                del self._waiting[: len(batch)]
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        assert mine.outcome is not None
        return mine.outcome

    def _commit_batch(self, batch: tuple[_PendingEntry, ...]) -> None:
        """Write all; if they contradict the record, each by itself, to find the one that does."""
        try:
            run_ids = self._write([one.entry for one in batch])
        except Exception as error:  # handed to the thread that waits for it
            if len(batch) == 1:
                batch[0].outcome = error
            elif isinstance(error, StoreError) and error.kind != "constraint":
                for one in batch:
                    one.outcome = _same(error)
            else:
                for one in batch:
                    self._commit_batch((one,))
            return
        for one, run_id in zip(batch, run_ids, strict=True):
            one.outcome = run_id


def _same(error: StoreError) -> StoreError:
    """Return an equal error: one that is raised in two threads would mix their stacks."""
    return StoreError(str(error), kind=error.kind)
