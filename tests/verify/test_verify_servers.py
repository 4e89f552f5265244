"""What is wrong at one server is no matter of the others."""

from datetime import UTC, datetime

import pytest

from contractwatch import verify
from contractwatch.model.record.run import Coverage, Reading
from contractwatch.odcs.load import parse_valid_part

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SERVER = "  - {{server: {name}, type: local, path: ./a.csv, format: csv{more}}}\n"


def contract_text(*more: str, extra: str = "") -> str:
    servers = "".join(SERVER.format(name=f"s{at}", more=one) for at, one in enumerate(more))
    return f"""apiVersion: v3.1.0
kind: DataContract
id: k
name: k
version: 1.0.0
status: active
{extra}servers:
{servers}schema:
  - name: t
    properties:
      - {{name: id}}
"""


@pytest.mark.parametrize(
    "wrong",
    [
        ", location: ./b",
        ", encoding: [utf-8]",
        ", roles: none",
        ", customProperties: [{property: contractwatch.read, value: {separatr: x}}]",
        ", roles: [{rol: x}]",
    ],
)
@pytest.mark.parametrize("at", [0, 1, 10])
def test_a_wrong_clause_of_a_server_is_skipped_in_its_own_runs_only(wrong: str, at: int) -> None:
    written = contract_text(*(wrong if one == at else "" for one in range(12)))
    contract, _ = parse_valid_part(written.encode(), "k.yaml")
    plan = verify.plan(contract)
    for server in contract.servers:
        run = verify.judge(
            plan, Reading(server.name, started_at=NOW, measurements={}, readable=False), now=NOW
        )
        skipped, coverage = verify.forecast(plan, server)
        paths = {one.promise.clause.path for one in run.results}
        is_wrong = server.name == f"s{at}"
        assert any(path.startswith("servers[") for path in paths) is is_wrong
        assert bool(skipped) is is_wrong
        if not is_wrong:
            assert coverage == Coverage(1, 1)
            assert run.coverage.promised == 1


def test_a_wrong_clause_that_is_of_no_server_is_skipped_in_every_run() -> None:
    written = contract_text("", "", extra="price: free\n")
    contract, _ = parse_valid_part(written.encode(), "k.yaml")
    plan = verify.plan(contract)
    found = [verify.forecast(plan, server)[1] for server in contract.servers]
    assert found == [Coverage(1, 2), Coverage(1, 2)]


def test_on_a_server_that_the_contract_does_not_list_nothing_is_left_out() -> None:
    written = contract_text(", location: ./b", ", roles: none")
    contract, _ = parse_valid_part(written.encode(), "k.yaml")
    read = Reading("elsewhere", started_at=NOW, measurements={}, readable=False)
    run = verify.judge(verify.plan(contract), read, now=NOW)
    paths = {one.promise.clause.path for one in run.results}
    assert {path[:10] for path in paths if path.startswith("servers")} == {
        "servers[0]",
        "servers[1]",
    }
