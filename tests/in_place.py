"""Run a runner in the test's own process, over a real record."""

from typing import Any

from contractwatch.errors import StoreError
from contractwatch.model.record.product import RunEntry
from contractwatch.scan.workers import JobDone
from contractwatch.store.store import Store


class HereWorkers:
    """Does each job at once, in place."""

    def run(self, job: Any, argument: Any, *, deadline_seconds: float) -> JobDone[Any]:
        return JobDone(job(argument), 0.1)


class BrittleStore(Store):
    """A real store that may fail as a run is saved, as if the agent were killed then."""

    fails = False

    def commit(self, entry: RunEntry) -> int:
        if self.fails:
            raise StoreError("it was written meanwhile", kind="constraint")  # no outage: runs go on
        return super().commit(entry)
