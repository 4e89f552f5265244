"""A query that needs too much memory ends with its worker."""

from pathlib import Path

from sql_values import NOW, contract, loaded, publish, sql

from contractwatch import verify
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.scan.workers import JobDone, JobFailed, WorkerLimits, Workers


def test_a_cross_join_that_explodes_is_ended_by_the_deadline_or_the_memory(tmp_path: Path) -> None:
    publish(tmp_path, "id,STATE_CD,amount\n" + "".join(f"{n},a,{n}\n" for n in range(20_000)))
    explodes = sql("SELECT COUNT(DISTINCT a.id * b.id + c.id) FROM orders a, orders b, orders c")

    def job(*rules: dict[str, object]) -> ScanJob:
        found = loaded(contract(*rules))
        metrics = verify.plan(found).metrics
        return ScanJob(found.servers[0], found.tables, metrics, (tmp_path,), (tmp_path,), NOW)

    workers = Workers(1, WorkerLimits(memory_mb=300, threads=1))
    workers.start()
    try:
        before = workers.run(scan, job(sql("SELECT 0")), deadline_seconds=60)
        ended = workers.run(scan, job(explodes), deadline_seconds=1)
    finally:
        workers.close()
    assert isinstance(before, JobDone)
    assert isinstance(ended, JobFailed)
