"""Property test: the engine and pandera count the same violations."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandera.errors
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera_values import contract_of

import contractwatch
from contractwatch import verify
from contractwatch.engines.query.engine import measure
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Contract
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import Reading, RunResult

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

_ROW_BY_ROW = contract_of(
    """
    - name: n
      logicalType: integer
      required: true
      unique: true
      primaryKey: true
      primaryKeyPosition: 1
      logicalTypeOptions: {minimum: -2, exclusiveMaximum: 3, multipleOf: 2, format: i8}
      quality:
        - {metric: invalidValues, arguments: {validValues: [0, 1, 2, 200]}, mustBe: 0}
        - {metric: missingValues, arguments: {missingValues: [-1]}, mustBe: 0}
        - {metric: duplicateValues, mustBe: 0}
    - name: x
      logicalType: number
      required: true
      unique: true
      logicalTypeOptions: {exclusiveMinimum: -1.5, maximum: 2.5, multipleOf: 0.5}
      quality:
        - {metric: nullValues, mustBe: 0}
        - {metric: invalidValues, arguments: {validValues: [0.5, 1, 2.5]}, mustBe: 0}
    - name: s
      physicalName: S
      logicalType: string
      unique: true
      primaryKey: true
      primaryKeyPosition: 2
      logicalTypeOptions: {minLength: 1, maxLength: 2, pattern: "^[a-c\\\\d]+$"}
      quality:
        - metric: invalidValues
          arguments: {validValues: [a, b, "1"], pattern: "[ab]"}
          mustBe: 0
        - {metric: missingValues, arguments: {missingValues: ["", "-"]}, mustBe: 0}
    - name: d
      logicalType: date
      required: true
      logicalTypeOptions: {minimum: "2026-01-02", exclusiveMaximum: "2026-01-05"}
    - name: at
      logicalType: timestamp
      logicalTypeOptions:
        minimum: "2026-01-02T00:00:00"
        maximum: "2026-01-03T12:00:00"
        defaultTimezone: Europe/Berlin
    """
)

_FRAMES = st.lists(
    st.tuples(
        st.none() | st.integers(-4, 5) | st.sampled_from([127, 128, -129, 200]),
        st.none() | st.sampled_from([-2.0, -1.5, 0.0, 0.3, 0.5, 1.0, 2.5, 2.6, float("nan")]),
        st.none() | st.text("abcd1-\u00e9\u0665", max_size=3),
        st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 6)),
        st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 5)),  # noqa: DTZ001 - naive on purpose
    ),
    max_size=12,
).map(
    lambda rows: pl.DataFrame(
        rows,
        schema={
            "n": pl.Int64,
            "x": pl.Float64,
            "S": pl.String,
            "d": pl.Date,
            "at": pl.Datetime("us"),
        },
        orient="row",
    )
)


def _by_engine(contract: Contract, frame: pl.DataFrame) -> RunResult:
    plan = verify.plan(contract)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        frame.write_parquet(path)
        (table,) = contract.tables
        files = (DataFile(str(path), path.stat().st_size, NOW),)
        dataset = Dataset(
            "local", (TableFiles("t", files, DataFormat.PARQUET, table.columns),), "v"
        )
        answers = measure(dataset, plan.metrics, now=NOW)
    return verify.judge(plan, Reading("local", NOW, answers, readable=True), now=NOW)


def _by_pandera(contract: Contract, frame: pl.DataFrame) -> dict[str, int]:
    """Return what pandera found by promise: the failing rows, 1 where it counts none."""
    try:
        contractwatch.to_pandera(contract).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        found: dict[str, int] = {}
        for error in errors.schema_errors:
            cases = error.failure_cases
            found[_promise_of(error)] = len(cases) if isinstance(cases, pl.DataFrame) else 1
        return found
    return {}


def _promise_of(error: Any) -> str:
    if error.check == "not_nullable":
        return f"c/t/{error.column_name}/required"
    return str(error.check.name)


@settings(max_examples=12, deadline=None)
@given(_FRAMES)
def test_engine_and_pandera_count_the_same_violations(frame: pl.DataFrame) -> None:
    run = _by_engine(_ROW_BY_ROW, frame)
    assert {result.outcome for result in run.results} <= {Outcome.PASSED, Outcome.FAILED}
    counted = {r.promise.promise_id: r.verdict.violations for r in run.results}
    assert _by_pandera(_ROW_BY_ROW, frame) == {k: v for k, v in counted.items() if v}
    assert len(counted) == 5 * 2 + 28


_OPERATORS = st.sampled_from(
    [
        "mustBe: {0}",
        "mustNotBe: {0}",
        "mustBeGreaterThan: {0}",
        "mustBeGreaterOrEqualTo: {0}",
        "mustBeLessThan: {0}",
        "mustBeLessOrEqualTo: {0}",
        "mustBeBetween: [{0}, {1}]",
        "mustNotBeBetween: [{0}, {1}]",
    ]
)


def _counting(which: str) -> str:
    counting = f"{{property: contractwatch.duplicateCounting, value: {which}}}"
    return f"customProperties: [{counting}]"


@settings(max_examples=12, deadline=None)
@given(_FRAMES, _OPERATORS, st.integers(0, 12), st.booleans())
def test_engine_and_pandera_agree_on_every_threshold(
    frame: pl.DataFrame, operator: str, limit: int, percent: bool
) -> None:
    low = limit * 100 / 12 if percent else limit
    judged = operator.format(low, low + 5) + (", unit: percent" if percent else "")
    contract = contract_of(
        f"""
        - name: n
          logicalType: integer
          quality:
            - {{id: r1, metric: nullValues, {judged}}}
            - {{id: r2, metric: duplicateValues, {judged}}}
            - {{id: r3, metric: invalidValues, arguments: {{validValues: [1, 2]}}, {judged}}}
        - name: S
          logicalType: string
          quality:
            - {{id: r4, metric: missingValues, arguments: {{missingValues: [a]}}, {judged}}}
            - {{id: r5, metric: duplicateValues, {judged}}}
            - {{id: r7, metric: duplicateValues, {judged}, {_counting("keys")}}}
            - {{id: r8, metric: duplicateValues, {judged}, {_counting("affected")}}}
        """,
        f"- {{id: r6, metric: rowCount, {operator.format(limit, limit + 5)}}}",
    )
    run = _by_engine(contract, frame)
    failed = {r.promise.promise_id for r in run.results if r.outcome is Outcome.FAILED}
    assert set(_by_pandera(contract, frame)) == failed
    assert len(run.results) == 4 + 8
