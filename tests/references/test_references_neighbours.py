"""Resolution of references: one table, or the reason why there is none."""

import pickle
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from healthcare_values import CONTRACTS, publish

from contractwatch.agent.catalog.catalog import Catalog, CatalogSettings
from contractwatch.agent.clock import system_clock
from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.state import Unmeasured
from contractwatch.model.promises.reference import OrphanCount, Orphans, Reference
from contractwatch.model.promises.segment import Period, PeriodUnit, ReferencedSegments, SegmentRule
from contractwatch.odcs.load import load_contract
from contractwatch.scan.reference_resolver import (
    Published,
    Registry,
    Resolved,
    Resolver,
    Unresolved,
    refers_elsewhere,
    resolve_references,
)
from contractwatch.scan.scan import ScanJob, scan

ID = "7d2f4f1e-6b1c-4a59-9a2e-0c5d1b7f0a02"
ADDRESS = "https://contracts.example-health.test/v1/everyone"
KEY = Reference("members", ("member_id",), "members.odcs.yaml", by_id=True)


def contract(name: str, folder: Path = CONTRACTS) -> Published:
    found, _ = load_contract(folder / f"{name}.odcs.yaml")
    if name == "members":
        found = replace(found, addresses=(ADDRESS,))
    return Published(found, folder)


def lead(reference: Reference, *published: Published) -> Resolved | Unresolved:
    claims = contract("claims_events")
    registry = Registry((claims, *(published or (contract("members"),))), broken=["x/old.yaml"])
    (server,) = claims.contract.servers
    metric = Orphans("claims_events", ("member_id",), reference)
    (found,) = resolve_references(
        [metric], Resolver(claims, server, base_folders=(Path("/more"),)), registry
    )
    return found


@pytest.mark.parametrize(
    "name",
    [
        ID,
        ADDRESS,
        "members.odcs.yaml",
        "./members.odcs.yaml",
        "../healthcare/members.odcs.yaml",
        "https://contracts.example-health.test/other/members.odcs.yaml",
    ],
)
def test_another_contract_is_found_by_id_file_and_address(name: str) -> None:
    found = lead(replace(KEY, contract=name))
    assert isinstance(found, Resolved)
    assert (found.table, found.columns) == ("members", ("member_id",))
    assert found.remote_server is not None
    assert found.remote_server.server.name == "local"
    assert found.remote_server.bases == (CONTRACTS, Path("/more"))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (
            replace(KEY, contract="visits.yaml"),
            (
                "no contract is known as 'visits.yaml'; "
                "looked for its id, its file and its address among those that are given"
            ),
        ),
        (
            replace(KEY, contract="old.yaml"),
            "the contract 'old.yaml' is broken; see `contractwatch lint`",
        ),
        (replace(KEY, table="people"), "no table of members.odcs.yaml is 'people'"),
        (
            replace(KEY, columns=("id",)),
            "no column of members of members.odcs.yaml is 'id'",
        ),
        (Reference("people", ("id",)), "no table of this contract is 'people'"),
    ],
)
def test_a_reference_without_a_target_says_what_was_looked_for(
    reference: Reference, reason: str
) -> None:
    assert lead(reference) == Unresolved(reference, reason)


def test_a_file_name_that_two_contracts_have_is_not_guessed(tmp_path: Path) -> None:
    two = [Published(contract("members").contract, tmp_path / folder) for folder in ("a", "b")]
    found = lead(KEY, *two)
    assert isinstance(found, Unresolved)
    assert found.reason.startswith("2 contracts are known as 'members.odcs.yaml'")
    beside = replace(KEY, contract=str(tmp_path / "a" / "members.odcs.yaml"))
    assert isinstance(lead(beside, *two), Resolved)


def test_a_contract_that_names_itself_is_read_where_it_is_run() -> None:
    own = Reference("claims_events", ("event_id",), "claims_events.odcs.yaml")
    assert lead(own) == Resolved(own, "claims_events", ("event_id",))


def job(folder: Path, roots: tuple[Path, ...] | None) -> tuple[ScanJob, Orphans]:
    claims, members = contract("claims_events", folder), contract("members", folder)
    (server,) = claims.contract.servers
    metric = Orphans("claims_events", ("member_id",), KEY)
    references = resolve_references([metric], Resolver(claims, server), Registry((claims, members)))
    tables, now = claims.contract.tables, system_clock().now()
    return ScanJob(
        server, tables, frozenset({metric}), (folder,), roots, now, references=references
    ), metric


def test_a_worker_reads_the_other_contracts_data_beside_its_own(tmp_path: Path) -> None:
    asked, metric = job(publish(tmp_path), (tmp_path,))
    reading = scan(pickle.loads(pickle.dumps(asked)))
    assert reading.measurements[metric] == OrphanCount(440, 0, 0)
    assert reading.readable is True


def test_the_other_contracts_data_is_held_to_the_roots_and_blames_nobody(tmp_path: Path) -> None:
    publish(tmp_path)
    asked, metric = job(tmp_path, (tmp_path / "data" / "claims_events",))
    reading = scan(asked)
    found = reading.measurements[metric]
    assert isinstance(found, Unmeasured)
    assert "the operator allowed" in found.reason
    assert (reading.readable, reading.error, reading.blame) == (True, "", None)


def test_other_data_that_is_broken_is_not_this_products_fault(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "data" / "members" / "part-0.parquet").write_bytes(b"PAR1 secret")
    asked, metric = job(tmp_path, None)
    reading = scan(asked)
    assert reading.measurements[metric] == Unmeasured(
        "table 'members' cannot be read as parquet: a file is no complete parquet file"
    )
    assert reading.readable is True


class Deaf:
    def reloaded(self, *, is_whole: bool, at: object) -> None: ...


def test_the_catalogue_knows_every_contract_that_it_runs(tmp_path: Path) -> None:
    publish(tmp_path / "a")
    catalog = Catalog(CatalogSettings((tmp_path,)), clock=system_clock(), series=Deaf())
    assert isinstance(catalog.registry().find(ID, tmp_path), str)
    catalog.rescan()
    found = catalog.registry().find(ID, tmp_path)
    assert isinstance(found, Published)
    assert found.folder == tmp_path / "a"
    assert _named(catalog.contracts()) == [
        "claims_events",
        "clinic_visits",
        "members",
        "patient_care",
    ]


def _named(contracts: tuple[Contract, ...]) -> list[str]:
    return sorted(one.name for one in contracts)


CSV = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}-1
name: {name}
version: 1.0.0
status: active
servers: [{{server: live, type: local, path: {name}.csv, format: csv}}]
schema:
  - name: {name}
    {where}
    properties:
      - {{name: id, logicalType: integer{to}}}
      - {{name: state, logicalType: string}}
"""


def test_only_rows_in_scope_are_keys_and_text_is_compared_as_its_type(tmp_path: Path) -> None:
    to = ', relationships: [{to: "b.yaml#/schema/b/properties/id"}]'
    where = "customProperties: [{property: contractwatch.where, value: \"state <> 'test'\"}]"
    (tmp_path / "a.yaml").write_text(CSV.format(name="a", to=to, where="tags: []"))
    (tmp_path / "b.yaml").write_text(CSV.format(name="b", to="", where=where))
    pl.DataFrame({"id": ["1", "02", ""], "state": "x"}).write_csv(tmp_path / "a.csv")
    pl.DataFrame({"id": ["01", "2"], "state": ["x", "test"]}).write_csv(tmp_path / "b.csv")
    own, other = (Published(load_contract(tmp_path / f"{n}.yaml")[0], tmp_path) for n in "ab")
    (server,) = own.contract.servers
    (relationship,) = own.contract.tables[0].relationships
    metric = Orphans("a", ("id",), relationship.target)
    references = resolve_references([metric], Resolver(own, server), Registry((own, other)))
    tables, now = own.contract.tables, system_clock().now()
    found = scan(
        ScanJob(server, tables, frozenset({metric}), (tmp_path,), None, now, references=references)
    )
    assert found.measurements[metric] == OrphanCount(2, 1, 0)


def test_a_contract_whose_segments_another_one_lists_refers_elsewhere() -> None:
    bare = contract("members").contract
    rule = SegmentRule(
        bare.tables[0].clause, "g", "at", Period(PeriodUnit.DAY), "Etc/UTC", ("c",),
        NONE_AT_ALL, Severity.ERROR, timedelta(days=7), ReferencedSegments(KEY),
    )  # fmt: skip
    own = replace(rule, expected=ReferencedSegments(replace(KEY, contract="")))
    for one, expected in ((rule, True), (own, False)):
        table = replace(bare.tables[0], segment_rules=(one,))
        assert refers_elsewhere(replace(bare, tables=(table,), inputs=())) is expected
