"""Tell when files below some folders change: at once where the system notifies, else by polling."""

import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import structlog
import watchfiles

from contractwatch.agent.catalog.contract_files import SUFFIXES

_DEBOUNCE_MILLISECONDS = 400
_STEP_MILLISECONDS = 50
_TIMEOUT_MILLISECONDS = 5_000

_NUMBER = re.compile(r"\(os error (\d+)\)")
_LIMITS = {
    errno.EMFILE: "fs.inotify.max_user_instances, or of open files,",
    errno.ENOSPC: "fs.inotify.max_user_watches",
}

_log = structlog.get_logger(__name__)


class FileNotices:
    """Set an event when a file may have changed; `trouble` says why there are no notices.

    Whoever waits for the event must look at intervals, too: notices may be lost.
    """

    def __init__(self, changed: threading.Event, *, retry_seconds: float) -> None:
        self.trouble = ""
        self._changed = changed
        self._retry_seconds = retry_seconds

    def run(self, places: Callable[[], tuple[Path, ...]], stop: threading.Event) -> None:
        """Wait for notices until told to stop; where there are none, try again now and then."""
        while not stop.is_set():
            try:
                self._listen(places, stop)
            except Exception as error:  # the boundary of the thread; the rescan goes on
                self._missing_notices(error)
                stop.wait(self._retry_seconds)

    def _listen(self, places: Callable[[], tuple[Path, ...]], stop: threading.Event) -> None:
        """Listen until told to stop, or until the folders are others."""
        listened = places()
        folders = {place if place.is_dir() else place.parent for place in listened}
        notices = watchfiles.watch(
            *folders,
            watch_filter=_may_matter,
            debounce=_DEBOUNCE_MILLISECONDS,
            step=_STEP_MILLISECONDS,
            stop_event=stop,
            rust_timeout=_TIMEOUT_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for changes in notices:
            if self.trouble:
                self.trouble = ""
                _log.info("contract_changes_notified_again")
            if changes:
                self._changed.set()
            if places() != listened:
                return

    def _missing_notices(self, error: Exception) -> None:
        said = _reason(error)
        if said != self.trouble:
            _log.warning("contract_changes_polled", problem=said)
        self.trouble = said


def _reason(error: Exception) -> str:
    """Say why there are no notices; watchfiles has the system's reason in the text it raises."""
    text = str(error)
    found = _NUMBER.search(text)
    number = int(found[1]) if found else error.errno if isinstance(error, OSError) else None
    if "MaxFilesWatch" in text:
        number = errno.ENOSPC
    if number in _LIMITS:
        return f"the limit {_LIMITS[number]} is used up"
    return os.strerror(number).lower() if number else "the system refused to watch the folder"


def _may_matter(_change: watchfiles.Change, path: str) -> bool:
    """A contract file, or something without a suffix that may be a folder."""
    return Path(path).suffix in SUFFIXES or not Path(path).suffix
