"""A report with one of every outcome, and with hostile names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contractwatch import verify
from contractwatch.cli.reports.findings import FailOn, Judged, Refused, Report, Samples
from contractwatch.errors import Level, Problem
from contractwatch.model.measure.metric import (
    CountWhere,
    IsNull,
    RowCount,
    SurplusRows,
    TableSchema,
)
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DuplicateCounts,
    TableColumns,
    Unmeasured,
)
from contractwatch.model.record.run import Reading
from contractwatch.odcs.load import parse_contract
from contractwatch.selection import Selection

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
FILE = "contracts/or ders,1:2.odcs.yaml"
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: "orders ]]> | `x` ::error::"
version: 1.2.0
status: active
domain: sales
servers:
  - {server: local, type: local, path: orders.parquet, format: parquet}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - name: 'a<b>&"c"|*d*'
        logicalType: string
        quality:
          - {id: few_nulls, metric: nullValues, mustBe: 0, severity: warning}
          - {id: seen, metric: nullValues, mustBeLessThan: 2, severity: info}
          - {id: own_words, type: text, description: "written by\\e[2J a person: 100%"}
slaProperties:
  - {id: up, property: availability, value: 99, unit: percent}
"""

_SCHEMA = TableColumns(
    (ColumnType("id", "integer", "int64"), ColumnType('a<b>&"c"|*d*', "string", "string"))
)
_ANSWERS = {
    TableSchema("orders"): _SCHEMA,
    RowCount("orders"): Count(12_345),
    CountWhere("orders", IsNull("id")): Unmeasured("the question does not fit the column"),
    CountWhere("orders", IsNull('a<b>&"c"|*d*')): Count(3),
    SurplusRows("orders", ("id",)): DuplicateCounts(12_345, 2, 1, 3),
}
_REFUSED = (
    Problem("contracts/broken.yaml", 0, "", "the file is empty; expected a data contract"),
    Problem("contracts/broken.yaml", 7, "schema[0].name", "100% <odd>", Level.WARNING),
)


def report(*, fail_on: FailOn = FailOn.FAILED, show_all: bool = False) -> Report:
    """Return the report: a failed run, one that read nothing, and a refused file."""
    contract, problems = parse_contract(CONTRACT.encode(), FILE)
    skipped = tuple(replace(clause, reason="not executed: words") for clause in contract.skipped)
    contract = replace(contract, skipped=skipped)
    plan = verify.plan(contract)
    read = Reading("local", NOW - timedelta(seconds=2), _ANSWERS, readable=True)
    unread = Reading(
        "local", NOW, verify.unread(plan, "no file"), readable=False, error="no file matches"
    )
    broken = 'orders-1/orders/a<b>&"c"|*d*/nullValues/few_nulls'
    repeated = "orders-1/orders/id/unique"
    samples = {
        broken: Samples(({"id": 1, "at": "2026-01-01"}, {"id": None, "at": "\x1b[2J"}), "", ("e",)),
        repeated: Samples((), "rows are not shown for this kind of promise"),
    }
    findings = (
        Judged(contract, verify.judge(plan, read, now=NOW), problems, samples),
        Judged(contract, verify.judge(plan, unread, now=NOW), problems),
        Refused("contracts/broken.yaml", _REFUSED),
    )
    return Report(findings, Selection(tags=("gold & <silver>",)), fail_on, show_all)
