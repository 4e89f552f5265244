"""Files of several writers, and the verdicts of a contract on them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from contractwatch import verify
from contractwatch.model.record.check import Verdict
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.scan import ScanJob, scan

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def write_parquet(path: Path, **columns: pa.Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def write_arrow(path: Path, **columns: pa.Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)


def write_by_duckdb(path: Path, select: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def verdicts(
    folder: Path,
    properties: Sequence[Mapping[str, Any]],
    *,
    path: str = "./**/*.parquet",
    data_format: str = "parquet",
    levels: Sequence[Mapping[str, Any]] = (),
    read: Mapping[str, Any] | None = None,
    **table: Any,
) -> dict[str, Verdict]:
    """Return the verdict of each promise about the files below a folder, by its id."""
    policy = [{"property": "contractwatch.read", "value": read}] if read else []
    server = {"server": "s", "type": "local", "path": path, "format": data_format}
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "k",
        "name": "k",
        "version": "1.0.0",
        "status": "active",
        "servers": [server | ({"customProperties": policy} if policy else {})],
        "schema": [{"name": "t", "properties": properties, **table}],
        **({"slaProperties": levels} if levels else {}),
    }
    contract, _ = parse_contract(json.dumps(document).encode(), "k.yaml")
    plan = verify.plan(contract)
    job = ScanJob(
        contract.servers[0], contract.tables, plan.metrics, bases=(folder,), roots=None, now=NOW
    )
    result = verify.judge(plan, scan(job), now=NOW)
    return {one.promise.promise_id.removeprefix("k/t/"): one.verdict for one in result.results}


def outcomes(found: Mapping[str, Verdict]) -> dict[str, str]:
    return {promise: verdict.outcome.value for promise, verdict in found.items()}
