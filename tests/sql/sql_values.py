"""Contracts with SQL over data in a folder, and helpers that run them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from contractwatch import verify
from contractwatch.errors import ContractError
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.check import Outcome, Verdict
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.scan import ScanJob, scan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HEAD = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "orders-1",
    "name": "orders",
    "version": "1.0.0",
    "status": "active",
}
COLUMNS = [
    {"name": "id", "logicalType": "integer"},
    {"name": "state", "physicalName": "STATE_CD", "logicalType": "string"},
    {"name": "amount", "logicalType": "number"},
]
CUSTOMERS = {"name": "customers", "properties": [{"name": "id", "logicalType": "integer"}]}


def sql(query: str, **more: object) -> dict[str, object]:
    """Return a rule; without an operator the answer must be 0."""
    operator = {} if any(name.startswith("must") for name in more) else {"mustBe": 0}
    return {"type": "sql", "query": query, **operator, **more}


def contract(
    *rules: Mapping[str, object],
    where: str = "",
    path: str = "{object}.csv",
    tables: Sequence[object] = (CUSTOMERS,),
    data_format: str = "csv",
) -> bytes:
    """Return a contract, which is YAML as JSON is."""
    condition = [{"property": "contractwatch.where", "value": where}] if where else []
    orders = {
        "name": "orders",
        "physicalName": "orders_v1",
        "quality": list(rules),
        "customProperties": condition,
        "properties": COLUMNS,
    }
    server = {"server": "live", "type": "local", "path": path, "format": data_format}
    return json.dumps({**HEAD, "servers": [server], "schema": [orders, *tables]}).encode()


@cache
def loaded(data: bytes) -> Contract:
    return parse_contract(data, "orders.yaml")[0]


def refusals(*rules: Mapping[str, object], where: str = "") -> list[str]:
    """Return the problems for which the contract is refused."""
    try:
        parse_contract(contract(*rules, where=where), "orders.yaml")
    except ContractError as wrong:
        return [problem.message for problem in wrong.problems]
    return []


def publish(folder: Path, orders: str, customers: str = "id\n1\n") -> None:
    (folder / "orders_v1.csv").write_text(orders)
    (folder / "customers.csv").write_text(customers)


def verdicts(
    folder: Path, data: bytes, environment: Mapping[str, str] | None = None
) -> dict[tuple[str, str], Verdict]:
    """Run a contract on the data of a folder; return the verdicts by kind and rule id."""
    found = loaded(data)
    plan = verify.plan(found)
    job = ScanJob(
        server=found.servers[0],
        tables=found.tables,
        metrics=plan.metrics,
        bases=(folder,),
        roots=(folder,),
        now=NOW,
        environment=tuple((environment or {}).items()),
    )
    run = verify.judge(plan, scan(job), now=NOW)
    return {
        (result.promise.kind, result.promise.promise_id.split("/")[-1]): result.verdict
        for result in run.results
    }


def verdict(folder: Path, rule: Mapping[str, object], **more: object) -> Verdict:
    """Return the verdict on one SQL rule."""
    found = verdicts(folder, contract({"id": "r", **rule}, **more))
    return found[("sql", "r")]


def outcome(folder: Path, rule: Mapping[str, object], **more: object) -> tuple[Outcome, object]:
    found = verdict(folder, rule, **more)
    return found.outcome, found.observed
