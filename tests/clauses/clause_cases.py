"""The golden cases of the clauses: each is a tiny contract, data that keep it and break it.

A file of `tests/golden/clauses` is named `<kind of check>[.<variant>].yaml`:

- `schema`, `other`: the columns of the tables `t` and `u`; `object` more of `t`, `sla` the
  contract's service levels, `format` that of the files (parquet)
- `keeps`, `breaks`: the columns of each table's file
- `before`: what the files held in an earlier run, of which is kept what an agent keeps; such a case
  is read by a clock that runs later, for nothing is kept of files that were just written
- `record`: what only an agent's record knows, built instead of read: `sightings` (when a watermark
  was first seen, and by how many runs; their `newest` values), `probes` (good, of all),
  `incidents`, `rows` (since when a run counted so many)
- `tolerates`: kinds that fail beside the one that is asked for
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from contractwatch import verify
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import (
    IncidentTimes,
    Metric,
    Probes,
    RowCount,
    RowHistory,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    Count,
    IncidentLog,
    IncidentTime,
    Measurement,
    ProbeTally,
    Watermark,
    WatermarkLog,
    WatermarkPeriod,
)
from contractwatch.model.record.run import Reading, RunResult
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.reference_resolver import Published, Registry, Resolver, resolve_references
from contractwatch.scan.scan import ScanJob, scan

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "clauses"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One golden case; `kind` is the word under which its check appears in results."""

    name: str
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return self.name.partition(".")[0]

    @property
    def tolerated(self) -> set[str]:
        return {self.kind, *self.body.get("tolerates", ())}

    def contract(self) -> Contract:
        """Load the contract as if it were published."""
        return parse_contract(json.dumps(self.document()).encode(), "golden.yaml")[0]

    def run(self, side: str, folder: Path) -> RunResult:
        """Run the contract over the data of that side: `keeps` or `breaks`."""
        contract = self.contract()
        plan = verify.as_of(verify.plan(contract), NOW)
        metrics = verify.asked_of_data(plan)
        published = Published(contract, folder)
        visitor = Resolver(published, contract.servers[0])
        job = ScanJob(
            server=contract.servers[0],
            tables=contract.tables,
            metrics=metrics,
            bases=(folder,),
            roots=None,
            now=NOW,
            references=resolve_references(metrics, visitor, Registry([published])),
        )
        if "before" in self.body:
            job = replace(job, now=datetime.now(UTC) + timedelta(hours=1), uses_cache=True)
            self._write(self.body["before"], folder)
            job = replace(job, cached_tables=scan(job).cached_tables or ())
        self._write(self.body[side], folder)
        reading = scan(job)
        record = self.body.get("record", {}).get(side)
        known = _recorded(plan.metrics - metrics, record, reading) if record else {}
        reading = replace(reading, measurements={**reading.measurements, **known})
        return verify.judge(plan, reading, now=NOW)

    def _write(self, tables: Mapping[str, Any], folder: Path) -> None:
        for table, columns in tables.items():
            frame = pl.DataFrame(columns)
            file = folder / f"{table}.{self._format}"
            match self._format:
                case "csv":
                    frame.write_csv(file)
                case "json":
                    frame.write_ndjson(file)
                case _:
                    frame.write_parquet(file)

    @property
    def _format(self) -> str:
        return self.body.get("format", "parquet")

    def document(self) -> dict[str, Any]:
        """Return the contract as plain values."""
        tables = [_table("t", self.body["schema"]) | self.body.get("object", {})]
        if "other" in self.body:
            tables.append(_table("u", self.body["other"]))
        path = f"./{{object}}.{self._format}"
        return {
            "apiVersion": "v3.2.0",
            "kind": "DataContract",
            "id": "golden",
            "name": "golden",
            "version": "1.0.0",
            "status": "active",
            "servers": [{"server": "s", "type": "local", "path": path, "format": self._format}],
            "schema": tables,
            "slaProperties": [{"id": "level", **level} for level in self.body.get("sla", ())],
        }


@cache
def cases() -> tuple[Case, ...]:
    """Read all golden cases, by name."""
    files = sorted(FOLDER.glob("*.yaml"))
    return tuple(Case(file.stem, _read(file)) for file in files)


@cache
def skipped_cases() -> tuple[Case, ...]:
    """Read the cases of clauses that are kept and not executed; their only table is `data`."""
    read = _read(FOLDER.parent / "skipped_clauses.yaml")
    return tuple(
        Case(f"{body['kind']}.{number}", {**body, "data": {"t": body["data"]}})
        for number, body in enumerate(read)
    )


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _table(name: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    properties = [{"name": column, **what} for column, what in columns.items()]
    return {"name": name, "properties": properties}


def _recorded(
    metrics: frozenset[Metric], record: Mapping[str, Any], reading: Reading
) -> dict[Metric, Measurement]:
    """Build the measurements that an agent takes from its record."""
    rows = reading.measurements.get(RowCount("t"), Count())
    known: dict[Metric, Measurement] = {}
    for metric in metrics:
        match metric:
            case Probes():
                known[metric] = ProbeTally(*record["probes"])
            case UpdateHistory():
                known[metric] = WatermarkLog(tuple(_sightings(record)))
            case RowHistory():
                known[metric] = WatermarkLog(tuple(_counts(record, rows)))
            case IncidentTimes():
                incidents = (IncidentTime(**incident) for incident in record["incidents"])
                known[metric] = IncidentLog(tuple(incidents))
            case _:
                raise AssertionError(metric)
    return known


def _counts(record: Mapping[str, Any], present: Measurement) -> list[WatermarkPeriod]:
    """Build the counts of earlier runs (since when), and that of this run."""
    assert isinstance(present, Count)
    earlier = [WatermarkPeriod(Watermark(None, rows), at, at) for at, rows in record["rows"]]
    return [*earlier, WatermarkPeriod(Watermark(None, present.rows), NOW, NOW)]


def _sightings(record: Mapping[str, Any]) -> list[WatermarkPeriod]:
    first = [at for at, _ in record["sightings"]]
    newest = record.get("newest", first)
    until = [at - timedelta(minutes=1) for at in first[1:]] + [NOW]
    return [
        WatermarkPeriod(Watermark(how_far), at, last, looks)
        for how_far, (at, looks), last in zip(newest, record["sightings"], until, strict=True)
    ]
