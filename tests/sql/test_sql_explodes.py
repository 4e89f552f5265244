"""A query without end, or one that needs too much memory, costs its own rule only."""

from pathlib import Path

from sql_values import NOW, contract, loaded, publish, sql

from contractwatch import verify
from contractwatch.model.measure.state import Unmeasured
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.scan.workers import JobDone, WorkerLimits, Workers


def test_a_cross_join_that_explodes_leaves_the_other_answers(tmp_path: Path) -> None:
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
        ended = workers.run(scan, job(explodes), deadline_seconds=5)
    finally:
        workers.close()
    assert isinstance(before, JobDone)
    assert isinstance(ended, JobDone)
    found = ended.value.measurements
    reasons = [one.reason for one in found.values() if isinstance(one, Unmeasured)]
    assert [one[:24] for one in reasons] == ["the query was ended: it "]
    assert len(found) > 1
