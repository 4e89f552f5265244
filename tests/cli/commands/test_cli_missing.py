"""Tests of tables without files: they get no verdict, their neighbours do."""

import json
from pathlib import Path

from cli_values import call

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop-1
name: shop
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: "{object}.csv", format: csv}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true}
  - name: payments
    quality:
      - {id: pairs, type: sql, query: "SELECT COUNT(*) FROM payments, orders", mustBe: 0}
    properties:
      - {name: id, logicalType: integer, required: true, relationships: [{to: orders.id}]}
"""


def test_a_table_without_files_leaves_its_neighbours_judged(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id\n1\n2\n")
    (tmp_path / "shop.odcs.yaml").write_text(CONTRACT)
    ended = call("test", tmp_path, "--format", "json")
    (run,) = json.loads(ended.out)["runs"]
    outcomes = {(c["table"], c["kind"]): (c["outcome"], c["reason"]) for c in run["checks"]}
    assert run["error"] == "5 of 8 checks have no answer: no file matches '{object}.csv'"
    lacks = ("error", "no file matches '{object}.csv'")
    assert outcomes == {
        ("orders", "presence"): ("passed", ""),
        ("orders", "type"): ("passed", ""),
        ("orders", "required"): ("passed", ""),
        ("payments", "presence"): lacks,
        ("payments", "type"): lacks,
        ("payments", "required"): lacks,
        ("payments", "relationship"): lacks,
        ("payments", "sql"): lacks,
    }
    assert (ended.code, run["outcome"]) == (2, "error")
    (tmp_path / "orders.csv").unlink()
    (run,) = json.loads(call("test", tmp_path, "--format", "json").out)["runs"]
    assert {check["outcome"] for check in run["checks"]} == {"error"}
    assert run["error"] == "no file matches '{object}.csv'"
