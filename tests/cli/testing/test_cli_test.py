import json
import os
from pathlib import Path
from typing import Any

import pytest
from cli_values import BAD, GOOD, NULLS, call, publish

from contractwatch.cli.testing.atomic_write import atomic_write


def _json(*words: str | Path) -> Any:
    ended = call("test", *words, "--format", "json")
    return ended, json.loads(ended.out)


@pytest.mark.parametrize(
    ("data", "outcome", "code", "strict_code"),
    [
        (GOOD, "passed", 0, 0),
        (BAD, "failed", 1, 1),
        (NULLS, "warning", 0, 1),
        ("id,state\n", "warning", 0, 1),
    ],
)
def test_the_exit_code_follows_the_outcome(
    tmp_path: Path, data: str, outcome: str, code: int, strict_code: int
) -> None:
    path = publish(tmp_path, data)
    ended, body = _json(path)
    assert [run["outcome"] for run in body["runs"]] == [outcome]
    assert ended.code == code
    assert call("test", path, "--fail-on", "warning").code == strict_code


def test_a_run_in_json_has_every_documented_field(tmp_path: Path) -> None:
    _, body = _json(publish(tmp_path, BAD))
    assert body["version"] == 1
    (run,) = body["runs"]
    contract = run["contract"]
    assert (contract["id"], contract["name"]) == ("orders-1", "orders")
    assert (contract["version"], contract["product"]) == ("1.2.0", "sales/orders")
    assert (run["server"], run["rows"], run["error"]) == ("local", 2, "")
    assert run["coverage"] == {"executed": 7, "promised": 7}
    unique = next(check for check in run["checks"] if check["kind"] == "unique")
    assert unique == {
        "id": "orders-1/orders/id/unique",
        "clause": {"path": "schema[0].properties[0].unique", "line": 19},
        "kind": "unique",
        "table": "orders",
        "column": "id",
        "dimension": "uniqueness",
        "objective": "uniqueness",
        "severity": "error",
        "outcome": "failed",
        "reason": "1 duplicate row, 1 repeated key, 2 affected rows",
        "cause": None,
        "promised": "no duplicate rows",
        "observed": 1,
        "threshold": "exactly 0 rows",
        "rows": 2,
        "violations": 1,
        "vacuous": False,
        "evidence": "scan",
        "stale_at": None,
        "samples": None,
    }
    assert [c["clause"]["line"] for c in run["checks"]] == sorted(
        c["clause"]["line"] for c in run["checks"]
    )


def test_every_field_of_the_result_is_described_in_the_docs(tmp_path: Path) -> None:
    _, body = _json(publish(tmp_path, BAD))
    docs = (Path(__file__).parents[3] / "docs" / "results.md").read_text()
    (run,) = body["runs"]
    fields = {*body, *run, *run["contract"], *run["coverage"], *run["checks"][0]}
    assert {field for field in fields if f"`{field}`" not in docs} == set()


def test_text_tells_the_broken_promise_first_and_coverage_last(tmp_path: Path) -> None:
    ended = call("test", publish(tmp_path, BAD))
    lines = [line for line in ended.out.splitlines() if line]
    assert lines[0].startswith("sales/orders 1.2.0, server local")
    assert lines[1] == "FAILED  1 failed, 6 passed; 2 rows"
    assert lines[3].startswith("failed")
    assert lines[-1] == "coverage: 7 of 7 clauses, 100 %"
    assert max(map(len, ended.out.splitlines()[1:])) <= 80


def test_passed_checks_of_a_long_contract_are_only_counted(tmp_path: Path) -> None:
    more = "".join(f"      - name: c{n}\n        logicalType: string\n" for n in range(5))
    path = publish(
        tmp_path,
        "id,state,c0,c1,c2,c3,c4\n1,open,a,a,a,a,a\n",
        edit=lambda text: text + more,
    )
    assert "passed: 7 presence, 7 type," in call("test", path).out
    assert call("test", path, "--all").out.count("presence") == 7


def test_a_contract_cannot_color_or_move_the_terminal(tmp_path: Path) -> None:
    path = publish(tmp_path, edit=lambda text: text.replace("domain: sales", 'domain: "s\\e[2J"'))
    ended = call("test", path)
    assert "\x1b" not in ended.out + ended.err
    assert "the domain 's\\x1b[2J' cannot be used" in ended.err


def test_a_broken_contract_is_told_on_stderr_and_is_a_run_in_error(tmp_path: Path) -> None:
    publish(tmp_path / "good")
    broken = publish(tmp_path / "bad", edit=lambda text: text.replace("version: ", "versoin: "))
    ended, body = _json(tmp_path)
    assert ended.code == 2
    assert f"{broken}:1: 'version' is missing" in ended.err
    assert [run["outcome"] for run in body["runs"]] == ["error", "passed"]
    refused = body["runs"][0]
    assert refused["contract"]["file"] == str(broken)
    assert refused["contract"]["id"] is None
    assert "'version' is missing; expected it here" in [
        one["message"] for one in refused["problems"]
    ]
    assert set(refused) == set(body["runs"][1])


def test_a_contract_with_one_wrong_clause_is_judged_without_it(tmp_path: Path) -> None:
    broken = publish(
        tmp_path, edit=lambda text: text.replace("logicalType: integer", "logicalType: int")
    )
    ended, body = _json(tmp_path)
    (run,) = body["runs"]
    assert (ended.code, run["outcome"]) == (0, "warning")
    assert f"{broken}:17: " in ended.err
    (skipped,) = (one for one in run["checks"] if one["outcome"] == "skipped")
    assert (skipped["kind"], skipped["clause"]["line"]) == ("type", 17)
    assert skipped["reason"].startswith(f"wrong in the contract: {broken}:17: ")
    assert run["coverage"]["executed"] == run["coverage"]["promised"] - 1
    assert "something is wrong in the contract" in call("test", tmp_path).out
    assert call("test", tmp_path, "--fail-on", "warning").code == 1


def test_a_failed_run_outweighs_one_without_a_verdict(tmp_path: Path) -> None:
    publish(tmp_path / "a", BAD)
    publish(tmp_path / "b").with_name("orders.csv").unlink()
    ended = call("test", tmp_path)
    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "2 runs: 1 failed, 1 error"


def test_a_missing_file_is_no_verdict_and_says_so_once(tmp_path: Path) -> None:
    path = publish(tmp_path)
    (tmp_path / "orders.csv").unlink()
    ended = call("test", path)
    assert ended.code == 2
    assert "ERROR  7 error" in ended.out
    assert "coverage: 0 of 7 clauses, 0 %" in ended.out
    assert ended.out.count("orders.csv") == 1


_SECOND_SERVER = """\
servers:
  - server: other
    type: local
    path: other.csv
    format: csv
"""


def test_each_server_is_a_run_and_one_can_be_named(tmp_path: Path) -> None:
    path = publish(tmp_path, edit=lambda text: text.replace("servers:\n", _SECOND_SERVER))
    (tmp_path / "other.csv").write_text(BAD)
    _, body = _json(path)
    assert [(r["server"], r["outcome"]) for r in body["runs"]] == [
        ("other", "failed"),
        ("local", "passed"),
    ]
    _, body = _json(path, "--server", "local")
    assert [r["server"] for r in body["runs"]] == ["local"]


def test_an_unknown_server_is_wrong_usage_and_names_those_there_are(tmp_path: Path) -> None:
    ended = call("test", publish(tmp_path), "--server", "prod")
    assert (ended.code, ended.out) == (64, "")
    assert ended.err == "no server is named 'prod'; the contracts have: local\n"


def test_a_contract_that_lacks_the_named_server_is_told_and_not_left_out(tmp_path: Path) -> None:
    publish(tmp_path / "a")
    publish(tmp_path / "b", edit=lambda text: text.replace("server: local", "server: prod"))
    ended, body = _json(tmp_path, "--server", "prod")
    assert ended.code == 2
    assert [(run["outcome"], run["error"]) for run in body["runs"]] == [
        ("error", "the contract has no server 'prod'"),
        ("passed", ""),
    ]


def test_a_contract_without_servers_is_no_verdict(tmp_path: Path) -> None:
    def cut(text: str) -> str:
        return text[: text.index("servers:")] + text[text.index("schema:") :]

    ended, body = _json(publish(tmp_path, edit=cut))
    (run,) = body["runs"]
    assert (ended.code, run["server"], run["outcome"]) == (2, None, "error")
    assert run["error"] == "the contract names no server"


def test_a_retired_contract_is_no_verdict(tmp_path: Path) -> None:
    path = publish(tmp_path, edit=lambda text: text.replace("status: active", "status: retired"))
    ended, body = _json(path)
    assert ended.code == 2
    (run,) = body["runs"]
    assert run["error"] == "nothing was executed: the contract is retired"
    assert {check["reason"] for check in run["checks"]} == {"the contract is retired"}


def test_a_server_that_is_not_opened_skips_its_checks(tmp_path: Path) -> None:
    def remote(text: str) -> str:
        start, end = text.index("servers:"), text.index("schema:")
        kafka = "servers:\n  - server: k\n    type: kafka\n    host: kafka.example.org\n"
        return text[:start] + kafka + text[end:]

    ended, body = _json(publish(tmp_path, edit=remote))
    checks = body["runs"][0]["checks"]
    assert ended.code == 2
    assert {check["outcome"] for check in checks} == {"skipped"}
    told = str([body["runs"][0]["error"], body["runs"][0]["causes"]])
    assert "unsupported" in told
    assert all("unsupported" in check["reason"] for check in checks)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_who_may_read_what_is_written_is_as_the_umask_says(
    tmp_path: Path, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        atomic_write(tmp_path / "report", "words")
        atomic_write(tmp_path / "kept", "words", is_private=True)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("report", "kept")]
    assert modes == [mode, 0o600]


def test_output_is_written_whole_beside_nothing_else(tmp_path: Path) -> None:
    path = publish(tmp_path)
    there = tmp_path / "out" / "runs.json"
    ended = call("test", path, "--format", "json", "--output", there)
    assert (ended.code, ended.out) == (64, "")
    there.parent.mkdir()
    ended = call("test", path, "--format", "json", "--output", there)
    assert (ended.code, ended.out) == (0, "")
    assert json.loads(there.read_text())["version"] == 1
    assert [file.name for file in there.parent.iterdir()] == ["runs.json"]
    assert call("test", path, "--output", there).code == 0
    assert there.read_text().startswith("sales/orders")


def test_no_value_of_the_data_is_told(tmp_path: Path) -> None:
    path = publish(tmp_path, "id,state\nsecret-1,open\nsecret-2,open\n")
    for form in ("text", "json"):
        ended = call("test", path, "--format", form, "--all")
        assert ended.code == 1
        assert "secret" not in ended.out + ended.err
