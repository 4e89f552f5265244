"""The contracts of `tests/golden/standard`: by whom they are, and a run of each of them.

Beside `<name>.odcs.yaml` may stand `<name>.data.yaml`, the columns of each table's file: then the
contract is judged over these data too, on a server of the test's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from contractwatch import verify
from contractwatch.errors import ContractError, Problem
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, ReadPolicy, Server
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import Reading, RunResult
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.reference_resolver import Published, Registry, Resolver, resolve_references
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.scan.servers import connected_server

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "standard"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FILES = sorted(FOLDER.rglob("*.odcs.yaml"))


@cache
def _read(file: Path) -> tuple[Contract | None, tuple[Problem, ...]]:
    try:
        return parse_contract(file.read_bytes(), file.name)
    except ContractError as refused:
        return None, refused.problems


@dataclass(frozen=True)
class Case:
    """One contract as somebody wrote it."""

    file: Path

    @property
    def name(self) -> str:
        return self.file.relative_to(FOLDER).as_posix().removesuffix(".odcs.yaml")

    @property
    def golden(self) -> Path:
        return self.file.with_name(self.file.name.replace(".odcs.yaml", ".txt"))

    @property
    def data_file(self) -> Path:
        return self.file.with_name(self.file.name.replace(".odcs.yaml", ".data.yaml"))

    def read(self) -> tuple[Contract | None, tuple[Problem, ...]]:
        """Return the contract, unless it is refused, and everything that is said about it."""
        return _read(self.file)

    def document(self) -> Mapping[str, Any]:
        """Return the raw document; no scalar but numbers and truths means more than its text."""
        return yaml.load(self.file.read_text(encoding="utf-8"), Loader=_Plain)

    def without_data(self, contract: Contract) -> RunResult:
        """Judge the contract on its first server, of which nothing can be read.

        There are no connections to databases.
        """
        plan = verify.as_of(verify.plan(contract), NOW)
        name, unsupported, why = "", "", "no data"
        if contract.servers:
            server, _ = connected_server(
                contract.servers[0], (), bases=(Path("/contracts"),), environment={}
            )
            name, unsupported = server.name, server.unsupported
        answers = {} if unsupported or _is_closed(contract) else verify.unread(plan, why)
        reading = Reading(name, NOW, answers, readable=None, error=why, unsupported=unsupported)
        return verify.judge(plan, reading, now=NOW)

    def with_data(self, contract: Contract, folder: Path) -> RunResult:
        """Judge the contract over its data, with nothing but the servers changed."""
        made = replace(contract, servers=(self._server(contract, folder),))
        plan = verify.as_of(verify.plan(made), NOW)
        metrics = verify.asked_of_data(plan)
        published = Published(made, folder)
        references = resolve_references(
            metrics, Resolver(published, made.servers[0]), Registry([published])
        )
        job = ScanJob(
            made.servers[0], made.tables, metrics, (folder,), None, NOW, references=references
        )
        return verify.judge(plan, scan(job), now=NOW)

    def _server(self, contract: Contract, folder: Path) -> Server:
        is_text = {one.data_format for one in contract.servers} == {DataFormat.CSV}
        for table, columns in yaml.safe_load(self.data_file.read_text(encoding="utf-8")).items():
            frame = pl.DataFrame(columns, strict=False)
            file = folder / table
            if is_text:
                frame.write_csv(file.with_name(f"{table}.csv"))
            else:
                frame.write_parquet(file.with_name(f"{table}.parquet"))
        form = DataFormat.CSV if is_text else DataFormat.PARQUET
        path = f"./{{object}}.{form}"
        return Server(
            Clause("servers[0]", 0),
            "test",
            kind="local",
            read=ReadPolicy(),
            path=path,
            data_format=form,
        )


def cases() -> list[Case]:
    """Return every contract of the folder, by name."""
    return [Case(file) for file in FILES]


def lines_of(run: RunResult) -> Iterator[str]:
    """Yield each result: where it stands, what it is, how it ended and why."""
    for result in sorted(run.results, key=_order):
        promise, verdict = result.promise, result.verdict
        where = f"{promise.clause.line}: {promise.clause.path}"
        what = f"{promise.kind} of {promise.table}.{promise.column or '-'}"
        why = verdict.reason if result.outcome is not Outcome.FAILED else verdict.observed
        yield f"{where}: {what} ({promise.severity}): {result.outcome}" + (
            f": {why}" if why else ""
        )


def _order(result: Any) -> tuple[int, str, str, str]:
    promise = result.promise
    return promise.clause.line, promise.clause.path, promise.kind, promise.promise_id


def _is_closed(contract: Contract) -> bool:
    return bool(contract.servers and contract.servers[0].unsupported)


class _Plain(yaml.SafeLoader):
    """Leaves dates and times as the texts that they are."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - declared so by the library
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
