"""Make the reading of a run whose worker failed; the product is not to blame."""

from datetime import datetime

from contractwatch.errors import Blame
from contractwatch.model.base.server import Server
from contractwatch.model.record.run import Reading
from contractwatch.scan.workers import JobFailed
from contractwatch.verify import Plan, unread


def worker_failure_reading(
    failed: JobFailed, plan: Plan, server: Server, started: datetime
) -> Reading:
    """Return the reading of a run whose worker failed."""
    return Reading(
        server=server.name,
        started_at=started,
        measurements=unread(plan, failed.reason),
        readable=None,
        error=failed.reason,
        blame=Blame.AGENT,
    )
