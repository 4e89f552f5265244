"""Runs of contracts whose data is in a database: who is to blame, and what is told."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from agent_values import contract_text
from runner_bench import MINUTE, Bench
from structlog.testing import capture_logs

from contractwatch.model.base.connection import Connection, DatabaseKind
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.base.receiver import SecretRef, SecretSource
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.check import Outcome
from tests.databases import Database

FILES = "type: local, path: ../data/orders.parquet, format: parquet"


@pytest.fixture
def shop(bench: Bench) -> Connection:
    """Return the connection to a DuckDB file with the orders."""
    file = bench.folder / "data" / "shop.duckdb"
    with duckdb.connect(str(file)) as opened:
        opened.execute("CREATE TABLE orders (id bigint NOT NULL, city varchar)")
        opened.execute("INSERT INTO orders VALUES (1, 'a'), (2, 'b')")
    return Connection("shop", DatabaseKind.DUCKDB, database=str(file))


def contract_on(bench: Bench, server: str) -> Contract:
    return bench.contract(contract_text(interval="PT24H").replace(FILES, server))


def connect(bench: Bench, *connections: Connection) -> None:
    bench.runner.change_rules(replace(bench.rules, connections=connections))


def test_without_a_connection_all_is_skipped_and_nobody_is_told(bench: Bench) -> None:
    result = bench.run(contract_on(bench, "type: duckdb, database: shop.duckdb"))

    assert result is not None
    assert {one.outcome for one in result.results} == {Outcome.SKIPPED}
    assert result.coverage.executed == 0
    assert all("add [connections.shop]" in one.verdict.reason for one in result.results)
    assert not bench.messages
    assert not bench.counted.reads
    assert ObjectiveState.BAD not in bench.states().values()


def test_a_connection_that_is_added_while_it_runs_is_used_by_the_next_run(
    bench: Bench, shop: Connection
) -> None:
    contract = contract_on(bench, "type: duckdb, database: shop.duckdb")
    bench.run(contract)
    connect(bench, shop)
    result = bench.run(contract)

    assert result is not None
    assert {one.outcome for one in result.results} == {Outcome.PASSED}
    assert bench.counted.reads == [("duckdb", True)]
    assert bench.states()[Objective.CONFORMANCE] is ObjectiveState.GOOD


def on_postgres(bench: Bench, database: Database) -> Contract:
    database.execute("CREATE TABLE orders (id bigint, city text)")
    of = database.at
    place = f"host: {of.host}, port: {of.port}, database: {database.name}, schema: public"
    return contract_on(bench, f"type: postgres, {place}")


@pytest.mark.parametrize("wrong", ["variable", "file", "password"])
def test_a_password_that_does_not_open_is_the_agents_fault_and_is_never_shown(
    wrong: str, bench: Bench, postgres_database: Database, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("not the one 4711")
    refs = {
        "variable": SecretRef(SecretSource.ENVIRONMENT, "NO_SUCH_SHOP_PASSWORD"),
        "file": SecretRef(SecretSource.FILE, str(tmp_path / "gone")),
        "password": SecretRef(SecretSource.FILE, str(other)),
    }
    said = {
        "variable": "environment variable NO_SUCH_SHOP_PASSWORD is not set",
        "file": f"secret file {tmp_path / 'gone'} cannot be read: no such file",
        "password": "the user or the password is refused",
    }
    contract = on_postgres(bench, postgres_database)
    connect(bench, postgres_database.connection(password_ref=refs[wrong]))
    with capture_logs() as events:
        result = bench.run(contract)

    assert result is not None
    assert result.readable is None
    assert said[wrong] in result.error
    assert {one.outcome for one in result.results} == {Outcome.ERROR}
    assert ObjectiveState.BAD not in bench.states().values()
    everything = f"{result} {events} {bench.store.record('shop/orders')} {bench.messages}"
    assert "4711" not in everything
    assert postgres_database.at.password not in everything


def test_a_right_that_the_owner_took_away_is_the_products_fault(
    bench: Bench, postgres_database: Database
) -> None:
    database = postgres_database
    contract = on_postgres(bench, database)
    role, word = f"poor_{database.name}", database.at.password.replace("'", "''")
    database.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD '{word}'",
        f"GRANT SELECT ON orders TO {role}",
    )
    connect(bench, database.connection(user=role))
    before = bench.run(contract)
    database.execute(f"REVOKE SELECT ON orders FROM {role}")
    bench.time.pass_by(MINUTE)
    after = bench.run(contract)
    database.execute(f"DROP ROLE {role}")

    assert before is not None
    assert (before.readable, before.error) == (True, "")
    assert after is not None
    assert (after.readable, after.error) == (False, "the user may not read table public.orders")
    assert ObjectiveState.BAD in bench.states().values()
