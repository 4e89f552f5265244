"""What the cache holds, how it is serialized, and when it is not used."""

import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cache_values import KEPT, LATER, ORDERS, Folder, row

from contractwatch.engines.cache import incremental_scan
from contractwatch.engines.cache.file_answers import (
    CachedFile,
    FileGroup,
    KeyGroup,
    TableAnswers,
    disjoint_groups,
    key_range_of,
)
from contractwatch.engines.cache.serialization import deserialize_table, serialize_table
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import StructField
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import CountWhere, IsNull, Metric, RowCount, SurplusRows
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DelayTally,
    DuplicateCounts,
    KeyBounds,
    TableColumns,
    TimeRange,
)
from contractwatch.model.promises.personal_data import Detector, DetectorHits, PersonalData
from contractwatch.scan import cached_scan
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.sources import open_server

ROWS = RowCount(ORDERS)
KEY = SurplusRows(ORDERS, ("id",))
NULLS = CountWhere(ORDERS, IsNull("word"))
NOW = datetime.now(UTC) + LATER


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(tmp_path)
    for at, name in enumerate("abc"):
        found.write(name, [row(10 * at + number, name, -1) for number in range(5)])
    return found


def evidence(folder: Folder, *metrics: Metric, now: datetime = NOW) -> list[Evidence]:
    reading = folder.look(folder.job(metrics, now=now))
    return [reading.evidence[metric] for metric in metrics]


def test_the_second_look_rests_on_the_first(folder: Folder) -> None:
    assert evidence(folder, ROWS, KEY) == [Evidence.SCAN, Evidence.SCAN]
    assert evidence(folder, ROWS, KEY) == [Evidence.STATE, Evidence.STATE]


def test_a_new_promise_is_asked_of_all_files_and_the_others_of_none(folder: Folder) -> None:
    evidence(folder, ROWS)
    assert evidence(folder, ROWS, NULLS, KEY) == [Evidence.STATE, Evidence.SCAN, Evidence.SCAN]
    assert evidence(folder, NULLS, KEY) == [Evidence.STATE, Evidence.STATE]


def test_a_file_that_was_just_written_is_read_again(folder: Folder) -> None:
    folder.look(folder.job([ROWS], now=datetime.now(UTC)))
    assert evidence(folder, ROWS) == [Evidence.SCAN]


def test_a_file_that_changes_while_it_is_read_is_read_again(folder: Folder) -> None:
    def rewritten() -> ScanJob:
        folder.write("a", [row(1, "x", 0)])
        return folder.job([ROWS], now=NOW)

    job = folder.job([ROWS], now=NOW)
    dataset = _listed(job)
    told = cached_scan.scan_with_cache(
        dataset, [ROWS], (), now=NOW, relist=lambda: _listed(rewritten())
    )
    assert told.measurements[ROWS] == Count(15)
    folder.cached_tables = told.cached_tables or ()
    assert folder.look(job).measurements[ROWS] == Count(11)


def _listed(job: ScanJob) -> Dataset:
    return open_server(job.server, job.tables, bases=job.bases, roots=job.roots)


def test_another_version_reads_everything(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence(folder, ROWS)
    monkeypatch.setattr(cached_scan, "_versions", lambda: "another")
    assert evidence(folder, ROWS) == [Evidence.SCAN]


def test_how_a_column_is_read_counts_and_what_is_promised_of_it_does_not(folder: Folder) -> None:
    job = folder.job([ROWS], now=NOW)
    folder.look(job)
    (table,) = job.tables
    first, *rest = table.columns

    def evidence_with(**changes: object) -> Evidence:
        columns = (replace(first, **changes), *rest)
        return folder.look(replace(job, tables=(replace(table, columns=columns),))).evidence[ROWS]

    assert evidence_with(description="new", critical=True) is Evidence.STATE
    assert evidence_with(default_timezone="Europe/Berlin") is Evidence.SCAN
    assert evidence_with(logical_type=LogicalType.NUMBER) is Evidence.SCAN


def test_nothing_is_trusted_or_kept_where_values_are_to_be_read(folder: Folder) -> None:
    evidence(folder, ROWS)
    job = replace(folder.job([ROWS], now=NOW), trusts_statistics=False)
    reading = folder.look(job)
    assert (reading.evidence[ROWS], reading.cached_tables) == (Evidence.SCAN, None)


def test_a_broken_new_file_is_told_as_ever_and_costs_no_state(folder: Folder) -> None:
    evidence(folder, ROWS)
    folder.file("d").write_bytes(b"PAR1 broken")
    job = folder.job([ROWS], now=NOW)
    assert folder.look(job).measurements == scan(job).measurements
    folder.file("d").unlink()
    assert evidence(folder, ROWS) == [Evidence.STATE]


def test_damaged_states_are_none(folder: Folder) -> None:
    evidence(folder, ROWS)
    (kept,) = folder.cached_tables
    for content in (b"", b"x", kept.content[:-4], kept.content[4:]):
        folder.cached_tables = (replace(kept, content=content),)
        assert evidence(folder, ROWS) == [Evidence.SCAN]


def test_small_files_that_came_one_by_one_are_read_again_as_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incremental_scan, "_MAX_SMALL_GROUPS", 2)
    found = [evidence(folder, ROWS, KEY)[0]]
    for name in "def":
        folder.write(name, [row(ord(name), "w", -1)])
        found.append(evidence(folder, ROWS, KEY)[0])
    assert found == [Evidence.SCAN, Evidence.STATE, Evidence.STATE, Evidence.SCAN]
    assert evidence(folder, ROWS, KEY) == [Evidence.STATE, Evidence.STATE]


def test_where_nothing_is_new_the_engine_is_not_loaded(folder: Folder) -> None:
    metrics = [metric for metric in KEPT if getattr(metric, "column", "") != "told"]
    folder.look(folder.job(metrics, now=NOW))
    job = replace(folder.job(metrics, now=NOW), uses_cache=True, cached_tables=folder.cached_tables)
    code = (
        "import sys, pickle; from contractwatch.scan.scan import scan;"
        "found = scan(pickle.load(sys.stdin.buffer));"
        "sys.exit(bool(found.error) or 'polars' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(job), check=False)
    assert done.returncode == 0


def test_all_that_is_kept_comes_back_equal() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    answers = {
        "1": Count(7),
        "2": TimeRange(day, day + timedelta(microseconds=1), 3),
        "3": TimeRange(),
        "4": DelayTally(2, 1, 0.1),
        "5": KeyBounds(2, ((-(2**100), 2**100), (0, 1))),
    }
    files = (CachedFile("/a", "1 2", "s"), CachedFile("/b", "3", ""))
    inner = ColumnType("x", "integer", "Int8")
    columns = TableColumns((ColumnType("o", "object", "Struct", children=(inner,)), inner))
    groups = {"k": (KeyGroup(frozenset({0}), DuplicateCounts(4, 3, 2, 1), is_partial=True),)}
    whole = {"p": PersonalData((DetectorHits("c", Detector.IBAN, 3, 1),))}
    kept = TableAnswers(columns, (FileGroup(files, answers), FileGroup((), {})), groups, whole)
    assert deserialize_table(serialize_table(kept, "here"), "here") == kept
    assert deserialize_table(serialize_table(kept, "here"), "there") is None


def test_ranges_that_are_apart_in_any_member_share_no_key() -> None:
    spans = {
        0: KeyBounds(1, ((0, 9), (0, 0))),
        1: KeyBounds(1, ((5, 12), (1, 1))),
        2: KeyBounds(1, ((12, 14), (1, 2))),
        3: KeyBounds(1, ((20, 21), (0, 9))),
        4: KeyBounds(0),
    }
    assert set(disjoint_groups(spans)) == {
        frozenset({0}),
        frozenset({1, 2}),
        frozenset({3}),
        frozenset({4}),
    }
    assert set(disjoint_groups({**spans, 5: KeyBounds(1)})) == {
        frozenset({0, 1, 2, 3, 5}),
        frozenset({4}),
    }


def test_of_a_key_with_a_classified_value_inside_no_range_is_kept() -> None:
    clause, path = Clause("schema[0]", 1), (StructField("number"),)
    inner = Column(clause, "card.number", "card", classification="restricted", path=path)
    columns = [Column(clause, "card", "card", nested=(inner,)), Column(clause, "id", "id")]
    assert key_range_of(SurplusRows(ORDERS, ("card",), path), columns).closed
    assert not key_range_of(KEY, columns).closed
