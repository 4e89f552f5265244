import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_values import BAD, GOOD, call, publish

from contractwatch.selection import METADATA_ONLY

TAGGED = """\
apiVersion: v3.1.0
kind: DataContract
id: shop-1
name: shop
version: 1.0.0
status: active
tags: [published]
servers:
  - {server: one, environment: prod, type: local, path: "data/{object}.csv", format: csv}
  - {server: two, environment: test, type: local, path: "data/{object}.csv", format: csv}
schema:
  - name: orders
    tags: [core]
    properties:
      - name: id
        logicalType: integer
        required: true
        tags: [key]
      - name: state
        quality:
          - {id: few_nulls, metric: nullValues, mustBe: 0, tags: [gold]}
          - id: ours
            type: custom
            engine: contractwatch
            implementation: {check: piiLeak, detectors: [email]}
          - {id: other, type: custom, engine: soda, implementation: "x"}
    quality:
      - {id: volume, metric: rowCount, mustBeGreaterThan: 0, dimension: accuracy}
  - name: lines
    properties:
      - {name: at, logicalType: timestamp, tags: ["whole, though odd"]}
slaProperties:
  - {id: fresh, property: latency, value: 100, unit: y, element: lines.at}
"""

GOLD = ["orders/state/nullValues/few_nulls"]
KEY = ["orders/id/presence", "orders/id/type", "orders/id/required"]
FRESH = ["lines/at/freshness/fresh"]
ODD = ["lines/at/presence", "lines/at/type", *FRESH]


def _shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "orders.csv").write_text("id,state\n1,open\n")
    (folder / "data" / "lines.csv").write_text("at\n2026-01-01T00:00:00Z\n")
    path = folder / "shop.odcs.yaml"
    path.write_text(TAGGED)
    return path


def _checks(*words: str | Path) -> list[str]:
    ended = call("test", *words, "--format", "json")
    assert ended.err == ""
    (run,) = json.loads(ended.out)["runs"]
    clauses = {json.dumps(check["clause"]) for check in run["checks"]}
    assert run["coverage"]["promised"] == len(clauses)
    return [check["id"].removeprefix("shop-1/") for check in run["checks"]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--quality-id", "few_nulls"), ["orders/state/nullValues/few_nulls"]),
        (
            ("--quality-id", "volume", "--quality-id", "few_nulls"),
            ["orders/state/nullValues/few_nulls", "orders/-/rowCount/volume"],
        ),
        (("--tag", "gold"), ["orders/state/nullValues/few_nulls"]),
        (
            ("--tag", "key"),
            ["orders/id/presence", "orders/id/type", "orders/id/required"],
        ),
        (("--dimension", "accuracy"), ["orders/-/rowCount/volume"]),
        (("--checks", "sla"), ["lines/at/freshness/fresh"]),
        (
            ("--checks", "quality"),
            ["orders/state/nullValues/few_nulls", "orders/-/rowCount/volume"],
        ),
        (
            ("--schema-name", "lines"),
            ["lines/at/presence", "lines/at/type", "lines/at/freshness/fresh"],
        ),
        (("--tag", "gold", "--tag", "key"), [*GOLD, *KEY]),
        (("--tag", "gold,key"), [*GOLD, *KEY]),
        (("--tag", "key, gold", "--tag", "gold"), [*GOLD, *KEY]),
        (("--tag=whole, though odd",), ODD),
        (("--tag=whole, though odd", "--tag=gold,key"), [*GOLD, *KEY, *ODD]),
        (("--quality-id", "volume,few_nulls"), [*GOLD, "orders/-/rowCount/volume"]),
        (("--dimension", "accuracy,timeliness"), [*FRESH, "orders/-/rowCount/volume"]),
        (
            ("--dimension", "Accuracy", "--dimension", "TIMELINESS"),
            [*FRESH, "orders/-/rowCount/volume"],
        ),
        (
            ("--checks", "sla,quality"),
            [*FRESH, *GOLD, "orders/-/rowCount/volume"],
        ),
        (
            ("--schema-name", "lines", "--schema-name", "orders", "--tag", "gold"),
            GOLD,
        ),
        (
            ("--tag", "core", "--checks", "quality", "--dimension", "accuracy"),
            ["orders/-/rowCount/volume"],
        ),
    ],
)
def test_only_what_is_selected_is_judged_shown_and_counted(
    tmp_path: Path, words: tuple[str, ...], expected: list[str]
) -> None:
    assert sorted(_checks(_shop(tmp_path), "--server", "one", *words)) == sorted(expected)


def test_rules_that_an_engine_runs_are_custom_checks(tmp_path: Path) -> None:
    found = _checks(_shop(tmp_path), "--server", "one", "--checks", "custom")
    assert {identity.rsplit("/", 1)[-1] for identity in found} == {"ours", "other"}


def test_a_tag_of_the_contract_is_a_tag_of_all(tmp_path: Path) -> None:
    path = _shop(tmp_path)
    every = _checks(path, "--server", "one")
    assert _checks(path, "--server", "one", "--tag", "published") == every


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--quality-id", "few_null"),
            "no quality rule has the id 'few_null'; did you mean 'few_n",
        ),
        (("--tag", "golf"), "no tag is 'golf'; did you mean 'gold'?"),
        (("--tag", "zzz"), "no tag is 'zzz'; the contracts have: core, gold, key, published"),
        (("--schema-name", "order"), "no table is named 'order'; did you mean 'orders'?"),
        (("--server", "on"), "no server is named 'on'; did you mean 'one'?"),
        (("--environment", "prd"), "no server has the environment 'prd'; did you mean 'prod'?"),
        (("--server", "one", "--environment", "test"), "no server 'one' is in the environment"),
        (("--checks", "slas"), "contractwatch test: --checks: 'slas'; expected one of schema, qua"),
        (("--samples", "1", "--sample-columns", "stat"), "no column is named 'stat'; did you mean"),
        (("--tag", "gold", "--checks", "sla"), "nothing is selected: no promise has tag gold, che"),
    ],
)
def test_what_no_contract_knows_is_wrong_usage(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    ended = call("test", _shop(tmp_path), *words)
    assert (ended.code, ended.out) == (64, "")
    assert ended.err.startswith(told)


def test_servers_are_chosen_by_environment(tmp_path: Path) -> None:
    path = _shop(tmp_path)

    def servers(*words: str) -> list[Any]:
        body = json.loads(call("test", path, "--format", "json", *words).out)
        return [run["server"] for run in body["runs"]]

    assert servers("--environment", "test") == ["two"]
    assert servers("--environment", "test,prod") == ["one", "two"]
    assert servers("--server", "two", "--server", "one") == ["one", "two"]
    assert servers("--server", "two,all") == ["one", "two"]
    assert servers("--server", "all") == servers() == ["one", "two"]


def test_a_contract_with_nothing_selected_is_left_out(tmp_path: Path) -> None:
    publish(tmp_path / "a", GOOD)
    publish(tmp_path / "b", BAD, edit=lambda text: text.replace("id: few_nulls", "id: none_null"))
    ended = call("test", tmp_path, "--quality-id", "few_nulls", "--format", "json")
    assert (ended.code, len(json.loads(ended.out)["runs"])) == (0, 1)


def test_a_selection_is_told(tmp_path: Path) -> None:
    path = _shop(tmp_path)
    words = ("--tag", "gold", "--metadata-only", "--server", "one")
    selection = json.loads(call("test", path, "--format", "json", *words).out)["selection"]
    assert selection == {
        "quality_ids": [],
        "tag": "gold",
        "tags": ["gold"],
        "dimension": None,
        "dimensions": [],
        "checks": [],
        "schema_name": None,
        "schema_names": [],
        "metadata_only": True,
    }
    assert call("test", path, *words).out.startswith("selected: tag gold, metadata only\n")


def test_several_words_of_a_kind_are_told_as_an_alternative(tmp_path: Path) -> None:
    words = ("--tag", "gold,key", "--dimension", "completeness", "--server", "one")
    path = _shop(tmp_path)
    selection = json.loads(call("test", path, "--format", "json", *words).out)["selection"]
    assert (selection["tag"], selection["tags"]) == ("gold,key", ["gold", "key"])
    assert selection["dimensions"] == [selection["dimension"]] == ["completeness"]
    told = "selected: tag gold or key, dimension completeness\n"
    assert call("test", path, *words).out.startswith(told)


def test_metadata_only_skips_what_needs_a_row(tmp_path: Path) -> None:
    ended = call("test", publish(tmp_path, BAD), "--metadata-only", "--format", "json")
    (run,) = json.loads(ended.out)["runs"]
    assert ended.code == 0
    judged = {c["kind"] for c in run["checks"] if c["outcome"] == "passed"}
    (cause,) = run["causes"]
    skipped = {c["cause"] for c in run["checks"] if c["outcome"] == "skipped"}
    assert (judged, skipped, cause["reason"]) == ({"presence"}, {1}, METADATA_ONLY)
    assert run["coverage"] == {"executed": 2, "promised": 7}


def test_metadata_of_a_typed_source_answers_types_and_counts(tmp_path: Path) -> None:
    def parquet(text: str) -> str:
        return text.replace("orders.csv", "orders.parquet").replace(
            "format: csv", "format: parquet"
        )

    path = publish(tmp_path, edit=parquet)
    pl.DataFrame({"id": [1, 1], "state": ["a", None]}).write_parquet(tmp_path / "orders.parquet")
    (run,) = json.loads(call("test", path, "--metadata-only", "--format", "json").out)["runs"]
    judged = {c["kind"] for c in run["checks"] if c["outcome"] == "passed"}
    assert judged == {"presence", "type"}
