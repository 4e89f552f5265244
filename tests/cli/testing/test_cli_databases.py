"""`contractwatch test` of contracts whose data is in a database."""

import json
import re
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


def test_rows_that_break_a_promise_are_shown_by_their_keys(folder: Path) -> None:
    ended = call("test", "orders.odcs.yaml", "--format", "json", "--samples", "5")
    (run,) = json.loads(ended.out)["runs"]
    shown = {
        one["kind"]: one["samples"]["rows"] for one in run["checks"] if one["outcome"] == "failed"
    }
    assert shown["maximum"] == [{"id": 3}]


WRONG = "[connections.shop]\ntype = 'x'\n"


def test_wrong_settings_that_were_named_are_told_and_nothing_is_judged(folder: Path) -> None:
    (folder / "other.toml").write_text(WRONG)
    ended = call("test", "orders.odcs.yaml", "--config", "other.toml")
    assert ended.code == 64
    assert "connections.shop" in ended.err


def test_wrong_settings_that_nobody_named_cost_the_databases_only(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "contractwatch.toml").write_text(WRONG)
    (folder / "orders.csv").write_text("id,customer,state,total\n1,2,open,3\n")
    (folder / "customers.csv").write_text("id\n2\n")
    text = (folder / "orders.odcs.yaml").read_text().splitlines(keepends=True)
    at = text.index("servers:\n")
    text[at + 1] = "  - {server: files, type: local, path: '{object}.csv', format: csv}\n"
    beside = "".join(text).replace("name: orders\nversion", "name: beside\nversion")
    (folder / "beside.odcs.yaml").write_text(beside.replace("orders-1", "beside-1"))
    ended = call("test", ".", "--format", "json")
    runs = {one["contract"]["file"]: one for one in json.loads(ended.out)["runs"]}
    of_files = next(run for file, run in runs.items() if file.endswith("beside.odcs.yaml"))
    of_database = next(run for file, run in runs.items() if file.endswith("orders.odcs.yaml"))
    assert {one["outcome"] for one in of_files["checks"]} == {"passed"}
    assert {one["outcome"] for one in of_database["checks"]} == {"skipped"}
    assert all("connections.shop" in one["reason"] for one in of_database["checks"])


def test_lint_says_what_is_skipped_for_want_of_a_connection(folder: Path) -> None:
    (folder / "contractwatch.toml").rename(folder / "other.toml")
    said = call("lint", "orders.odcs.yaml")
    assert said.code == 0
    assert "`test` would judge 0 of" in said.out
    assert "add [connections." in said.out
    assert "skipped" not in call("lint", "orders.odcs.yaml", "--config", "other.toml").out


def test_lint_looks_for_the_tables_with_the_connections_that_are_named(folder: Path) -> None:
    (folder / "contractwatch.toml").rename(folder / "other.toml")
    assert call("lint", "--data", "orders.odcs.yaml", "--config", "other.toml").code == 0
    without = call("lint", "--data", "orders.odcs.yaml")
    assert without.code == 1
    assert "the data is not found: no connection is configured" in without.out


def test_lint_names_a_variable_without_a_value_in_place_of_a_connection(folder: Path) -> None:
    contract = folder / "orders.odcs.yaml"
    place = re.sub(r"database: [\w.]+", "database: '${PLACE}'", contract.read_text())
    contract.write_text(place)
    assert "variable PLACE" in call("lint", "--data", "orders.odcs.yaml").out
