"""What holds for every contract and every table, from the text to the verdict."""

import random
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.model.record.check import Verdict
from contractwatch.model.record.run import RunResult
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.verify import asked_of_data, judge, plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUICK = settings(max_examples=6, deadline=None)
RULES: list[dict[str, Any]] = [
    {"id": "rows", "metric": "rowCount", "mustBeGreaterThan": 3},
    {"id": "twice", "metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["id"]}},
    {"id": "pair", "metric": "duplicateValues", "mustBeLessThan": 2, "unit": "percent"},
    {"id": "query", "type": "sql", "query": "SELECT COUNT(*) FROM t WHERE id > 3", "mustBe": 2},
    {"id": "prose", "type": "text", "description": "be good"},
]
COLUMN_RULES: list[dict[str, Any]] = [
    {"id": "nulls", "metric": "nullValues", "mustBeLessThan": 2},
    {"id": "known", "metric": "invalidValues", "arguments": {"validValues": ["a"]}, "mustBe": 0},
    {
        "id": "missing",
        "metric": "missingValues",
        "arguments": {"missingValues": ["b"]},
        "mustBe": 0,
    },
    {"id": "shape", "metric": "invalidValues", "arguments": {"pattern": "^[ab]$"}, "mustBe": 0},
]
ROWS = st.lists(
    st.tuples(st.none() | st.integers(0, 6), st.sampled_from([None, "a", "b", ""])), max_size=12
)
SOME = st.lists(st.sampled_from(RULES), unique_by=lambda rule: rule["id"])
SOME_OF_COLUMN = st.lists(st.sampled_from(COLUMN_RULES), unique_by=lambda rule: rule["id"])


def _contract(
    rules: Sequence[Mapping[str, Any]], column_rules: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    number = {"name": "id", "logicalType": "integer", "primaryKey": True, "required": True}
    number["logicalTypeOptions"] = {"minimum": 1, "maximum": 5}
    state = {"name": "state", "logicalType": "string", "unique": True, "quality": column_rules}
    state["logicalTypeOptions"] = {"minLength": 1}
    absent = {"name": "gone", "logicalType": "date", "required": True}
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "laws-1",
        "name": "laws",
        "version": "1.0.0",
        "status": "active",
        "servers": [{"server": "here", "type": "local", "path": "*.parquet", "format": "parquet"}],
        "schema": [{"name": "t", "properties": [number, state, absent], "quality": rules}],
        "slaProperties": [
            {"property": "errorRate", "value": 10, "unit": "percent"},
            {"property": "latency", "value": 1, "unit": "d", "element": "u.at"},
        ],
    }


def _run(contract: Mapping[str, Any], rows: Sequence[tuple[Any, ...]], files: int = 1) -> RunResult:
    """Run a contract against rows that are spread over files."""
    text = yaml.safe_dump(dict(contract), sort_keys=False)
    read, _ = parse_contract(text.encode(), "laws.odcs.yaml")
    planned = plan(read)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(files):
            mine = pl.DataFrame(
                rows[number::files], schema={"id": pl.Int64, "state": pl.String}, orient="row"
            )
            mine.write_parquet(Path(folder) / f"{number}.parquet")
        metrics = asked_of_data(planned)
        job = ScanJob(read.servers[0], read.tables, metrics, (Path(folder),), None, NOW)
        reading = scan(job)
    assert not reading.error
    return judge(planned, reading, now=NOW)


def _verdicts(run: RunResult) -> dict[str, Verdict]:
    found = {result.promise.promise_id: result.verdict for result in run.results}
    assert len(found) == len(run.results)
    return found


@QUICK
@given(ROWS, SOME, SOME_OF_COLUMN)
def test_a_rule_more_changes_no_other_result(
    rows: list[tuple[Any, ...]], some: list[dict[str, Any]], of_column: list[dict[str, Any]]
) -> None:
    few = _verdicts(_run(_contract(some, of_column), rows))
    more = _verdicts(_run(_contract(RULES, COLUMN_RULES), rows))
    # the rate of errors is a promise about all row rules, and so the only one that may change
    unrelated = [promise for promise in few if "errorRate" not in promise]
    assert {promise: more[promise] for promise in unrelated} == {
        promise: few[promise] for promise in unrelated
    }


@QUICK
@given(ROWS, SOME, st.integers(2, 5))
def test_how_rows_are_spread_over_files_and_how_often_they_are_judged_is_nothing(
    rows: list[tuple[Any, ...]], some: list[dict[str, Any]], files: int
) -> None:
    contract = _contract(some, COLUMN_RULES)
    once = _run(contract, rows)
    assert _run(contract, rows).results == once.results
    spread = _run(contract, rows, files)
    assert (spread.outcome, spread.rows, spread.coverage) == (
        once.outcome,
        once.rows,
        once.coverage,
    )
    assert {key: _told(verdict) for key, verdict in _verdicts(spread).items()} == {
        key: _told(verdict) for key, verdict in _verdicts(once).items()
    }


def _told(verdict: Verdict) -> tuple[object, ...]:
    return verdict.outcome, verdict.reason, verdict.observed, verdict.violations, verdict.rows


@QUICK
@given(ROWS, SOME, st.integers())
def test_the_order_of_properties_and_keys_means_nothing(
    rows: list[tuple[Any, ...]], some: list[dict[str, Any]], seed: int
) -> None:
    contract = _contract(some, COLUMN_RULES)
    shuffled = _shuffled(contract, random.Random(seed))
    assert _verdicts(_run(shuffled, rows)) == _verdicts(_run(contract, rows))


def _shuffled(value: Any, chance: random.Random) -> Any:
    """Return a tree with the keys of every mapping, and all lists of named things, reordered."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        items = [_shuffled(one, chance) for one in value]
        chance.shuffle(items)
        return items
    return value


@QUICK
@given(ROWS, SOME, SOME_OF_COLUMN)
def test_coverage_counts_each_clause_once(
    rows: list[tuple[Any, ...]], some: list[dict[str, Any]], of_column: list[dict[str, Any]]
) -> None:
    run = _run(_contract(some, of_column), rows)
    by_clause: dict[str, list[bool]] = {}
    for result in run.results:
        executed = result.outcome.value in {"passed", "failed"}
        by_clause.setdefault(result.promise.clause.path, []).append(executed)
    assert run.coverage.promised == len(by_clause)
    assert run.coverage.executed == sum(map(all, by_clause.values()))
    rules = [*some, *of_column]
    paths = {path for path in by_clause if ".quality[" in path}
    assert len(paths) == len(rules)
