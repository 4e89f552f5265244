"""`contractwatch test` of contracts whose data is in a database."""

import json
from pathlib import Path

import duckdb
import pytest
from cli_values import call

from tests.databases import Database

ROWS = """
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer bigint NOT NULL, state varchar(10), total numeric(10, 2)
);
INSERT INTO customers VALUES (1), (2);
INSERT INTO orders VALUES (1, 1, 'open', 5), (2, 2, 'paid', 7.5), (3, 9, 'lost', 200);
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
domain: sales
servers:
  - {server}
schema:
  - name: orders
    properties:
      - {{name: id, logicalType: integer, primaryKey: true}}
      - name: customer
        logicalType: integer
        required: true
        relationships: [{{to: customers.id}}]
      - {{name: state, logicalType: string, logicalTypeOptions: {{pattern: '^\\w+$'}}}}
      - {{name: total, logicalType: number, logicalTypeOptions: {{maximum: 100}}}}
  - name: customers
    properties:
      - {{name: id, logicalType: integer, primaryKey: true}}
"""
DUCKDB = ("{server: live, type: duckdb, database: shop.duckdb}",
          '[connections.shop]\ntype = "duckdb"\ndatabase = "shop.duckdb"\n')  # fmt: skip


@pytest.fixture(params=["duckdb", "postgres"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a contract and settings for a database that has its rows."""
    monkeypatch.chdir(tmp_path)
    if request.param == "duckdb":
        server, settings = DUCKDB
        with duckdb.connect("shop.duckdb") as opened:
            opened.execute(ROWS)
    else:
        database: Database = request.getfixturevalue("postgres_database")
        database.execute(ROWS)
        at = database.at
        server = (
            f"{{server: live, type: postgres, host: {at.host}, port: {at.port},"
            f" database: {database.name}, schema: public}}"
        )
        settings = (
            f'[connections.shop]\ntype = "postgres"\nhost = "{at.host}"\nport = {at.port}\n'
            f'database = "{database.name}"\nuser = "{at.reader}"\n'
            f'password = {{file = "{at.password_file}"}}\n'
        )
    (tmp_path / "orders.odcs.yaml").write_text(CONTRACT.format(server=server))
    (tmp_path / "contractwatch.toml").write_text(settings)
    return tmp_path


def outcomes(*words: str) -> dict[tuple[str, str], str]:
    ended = call("test", "orders.odcs.yaml", "--format", "json", *words)
    (run,) = json.loads(ended.out)["runs"]
    return {
        (one.get("column") or one["table"], one["kind"]): one["outcome"] for one in run["checks"]
    }


def test_every_promise_is_judged_where_the_data_lives(folder: Path) -> None:
    found = outcomes()
    failed = {key for key, outcome in found.items() if outcome != "passed"}
    assert failed == {("customer", "relationship"), ("total", "maximum")}
    assert found[("state", "pattern")] == "passed"


def test_all_rows_are_scanned_where_constraints_are_not_trusted(folder: Path) -> None:
    assert outcomes("--evidence", "scan") == outcomes()


def test_without_a_connection_every_clause_is_skipped_with_the_entry(folder: Path) -> None:
    (folder / "contractwatch.toml").unlink()
    ended = call("test", "orders.odcs.yaml")
    assert ended.code == 2
    assert "add [connections." in " ".join(ended.out.split())
    assert set(outcomes().values()) == {"skipped"}


def test_a_table_that_is_not_there_is_the_products_fault(folder: Path) -> None:
    contract = folder / "orders.odcs.yaml"
    contract.write_text(contract.read_text().replace("name: customers", "name: clients"))
    found = outcomes()
    assert "error" in found.values()
    ended = call("test", "orders.odcs.yaml")
    assert "has no table" in " ".join(ended.out.split())


def test_wrong_settings_are_told_and_nothing_is_judged(folder: Path) -> None:
    (folder / "contractwatch.toml").write_text("[connections.shop]\ntype = 'x'\n")
    ended = call("test", "orders.odcs.yaml")
    assert ended.code != 0
    assert "connections.shop" in ended.err
