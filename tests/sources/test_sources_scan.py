"""A scan ends in a reading, whatever the data is like."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.measure.metric import CountWhere, IsNull, RowCount, TableSchema
from contractwatch.model.measure.state import Count, TableColumns, Unmeasured
from contractwatch.scan.scan import ScanJob, retry_scan, scan

from datetime import UTC, datetime  # isort: skip

NOW = datetime(2026, 3, 1, tzinfo=UTC)
METRICS = frozenset({RowCount("orders"), CountWhere("orders", IsNull("id")), RowCount("lines")})


@pytest.fixture
def job(tmp_path: Path) -> ScanJob:
    for name in ("orders", "lines"):
        pl.DataFrame({"id": [1, None]}).write_parquet(tmp_path / f"{name}.parquet")
    server = Server(
        Clause("servers[0]", 1), "live", "local", path="{object}.parquet",
        data_format=DataFormat.PARQUET,
    )  # fmt: skip
    tables = tuple(Table(Clause("schema", 1), name, name, ()) for name in ("orders", "lines"))
    return ScanJob(server, tables, METRICS, (tmp_path,), (tmp_path,), NOW)


def test_a_reading_answers_all_and_travels_between_processes(job: ScanJob) -> None:
    reading = scan(pickle.loads(pickle.dumps(job)))
    assert pickle.loads(pickle.dumps(reading)) == reading
    assert (reading.server, reading.readable, reading.error) == ("live", True, "")
    assert reading.measurements[RowCount("orders")] == Count(2)
    assert reading.measurements[CountWhere("orders", IsNull("id"))] == Count(1)
    assert isinstance(reading.measurements[TableSchema("lines")], TableColumns)
    assert len(reading.data_version) == 64


def test_a_missing_file_leaves_the_questions_about_its_table_unmeasured(
    job: ScanJob, tmp_path: Path
) -> None:
    (tmp_path / "lines.parquet").unlink()
    reading = scan(job)
    assert (reading.readable, reading.blame, reading.error) == (False, Blame.PRODUCT, "")
    lacks = Unmeasured("no file matches '{object}.parquet'")
    assert reading.measurements[RowCount("orders")] == Count(2)
    assert reading.measurements[TableSchema("lines")] == lacks
    assert reading.measurements[RowCount("lines")] == lacks
    (tmp_path / "orders.parquet").unlink()
    reading = scan(job)
    assert (reading.readable, reading.blame) == (False, Blame.PRODUCT)
    assert reading.error == lacks.reason
    assert reading.measurements == dict.fromkeys(METRICS, lacks)


def test_one_broken_table_is_unreadable_and_the_other_still_answers(
    job: ScanJob, tmp_path: Path
) -> None:
    (tmp_path / "lines.parquet").write_bytes(b"PAR1 secret")
    reading = scan(job)
    assert (reading.readable, reading.blame, reading.error) == (False, Blame.PRODUCT, "")
    assert reading.measurements[RowCount("orders")] == Count(2)
    broken = reading.measurements[RowCount("lines")]
    assert isinstance(broken, Unmeasured)
    assert "secret" not in broken.reason


def test_a_contract_outside_the_roots_is_refused(job: ScanJob, tmp_path: Path) -> None:
    reading = scan(replace(job, roots=(tmp_path / "elsewhere",)))
    assert (reading.readable, reading.blame) == (False, Blame.PRODUCT)
    assert "the operator allowed" in reading.error


def test_a_server_that_is_not_read_is_not_the_products_fault(job: ScanJob) -> None:
    reading = scan(replace(job, server=replace(job.server, kind="kafka")))
    assert (reading.readable, reading.blame) == (None, Blame.AGENT)


def test_a_failure_of_our_own_is_reported_and_not_raised(job: ScanJob) -> None:
    reading = scan(replace(job, bases=(None,)))  # type: ignore[arg-type]
    assert (reading.readable, reading.blame) == (None, Blame.AGENT)
    assert reading.error.startswith("the reader failed (")


def test_the_process_that_only_names_the_scan_does_not_load_polars() -> None:
    code = "import sys, contractwatch.scan.scan; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("bad_tries", "tries", "readable"), [(0, 1, True), (2, 3, True), (3, 3, False)]
)
def test_a_file_that_went_away_is_looked_for_three_times(
    job: ScanJob, *, bad_tries: int, tries: int, readable: bool
) -> None:
    good = scan(job)
    left = [*[(replace(good, readable=False), True)] * bad_tries, (good, False)]
    before = len(left)
    assert retry_scan(lambda: left.pop(0)).readable is readable
    assert before - len(left) == tries
