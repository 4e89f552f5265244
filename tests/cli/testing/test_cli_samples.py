import json
from pathlib import Path
from typing import Any

import pytest
from cli_values import call

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: people-1
name: people
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: people.csv, format: csv}
schema:
  - name: people
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: region, logicalType: string, classification: internal}
      - {name: email, logicalType: string, classification: restricted}
      - {name: phone, logicalType: string, tags: ["PII:phone"]}
      - name: age
        logicalType: integer
        logicalTypeOptions: {minimum: 18}
        required: true
"""
ROWS = [
    "1,eu,ann@example.org,+1-555-0111,40",
    "2,us,bob@example.org,+1-555-0122,7",
    "3,eu,eve@example.org,+1-555-0133,x",
    "4,us,joe@example.org,+1-555-0144,",
    "5,us,tim@example.org,+1-555-0155,8",
]


def _publish(folder: Path, contract: str = CONTRACT) -> Path:
    (folder / "people.csv").write_text("\n".join(["id,region,email,phone,age", *ROWS]) + "\n")
    path = folder / "people.odcs.yaml"
    path.write_text(contract)
    return path


def _samples(*words: str | Path) -> dict[str, Any]:
    body = json.loads(call("test", *words, "--format", "json").out)
    return {c["kind"]: c["samples"] for c in body["runs"][0]["checks"] if c["samples"]}


def test_failing_rows_are_told_by_their_keys_and_only_on_demand(tmp_path: Path) -> None:
    path = _publish(tmp_path)
    assert _samples(path) == {}
    found = _samples(path, "--samples", "5")
    rows = {kind: sample["rows"] for kind, sample in found.items()}
    assert rows == {
        "minimum": [{"id": "2"}, {"id": "5"}],
        "type": [{"id": "3"}],
        "required": [{"id": "4"}],
    }


def test_no_more_rows_are_told_than_asked_for(tmp_path: Path) -> None:
    path = _publish(tmp_path)
    assert _samples(path, "--samples", "1")["minimum"]["rows"] == [{"id": "2"}]
    ended = call("test", path, "--samples", "101")
    assert (ended.code, ended.out) == (64, "")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_classified_column_is_never_told(tmp_path: Path, form: str) -> None:
    path = _publish(tmp_path)
    words = ("--samples", "9", "--sample-columns", "region,email,phone", "--format", form)
    out = call("test", path, *words).out
    assert "us" in out
    assert "@" not in out
    assert "+1-555" not in out
    assert "withheld" in out
    found = _samples(path, "--samples", "9", "--sample-columns", "region,email,phone")
    assert found["minimum"] == {
        "rows": [{"id": "2", "region": "us"}, {"id": "5", "region": "us"}],
        "why_none": "",
        "withheld": ["email", "phone"],
    }


def test_a_tag_of_the_table_or_the_contract_classifies_every_column(tmp_path: Path) -> None:
    for tagged in (
        CONTRACT.replace("  - name: people\n", "  - name: people\n    tags: [pii]\n"),
        CONTRACT.replace("status: active\n", "status: active\ntags: [Confidential]\n"),
        CONTRACT.replace("primaryKey: true", "primaryKey: true, classification: secret"),
    ):
        found = _samples(_publish(tmp_path, tagged), "--samples", "3")
        assert {sample["why_none"] for sample in found.values()} == {
            "no column may be shown: they are classified"
        }
        assert all(sample["rows"] == [] for sample in found.values())


def test_only_rows_in_scope_are_told(tmp_path: Path) -> None:
    scope = "    customProperties: [{property: contractwatch.where, value: region = 'eu'}]\n"
    scoped = CONTRACT.replace("  - name: people\n", f"  - name: people\n{scope}")
    found = _samples(_publish(tmp_path, scoped), "--samples", "5")
    assert {kind: sample["rows"] for kind, sample in found.items()} == {"type": [{"id": "3"}]}


@pytest.mark.parametrize("clause", [", unique: true", ", required: true", ""])
def test_a_table_without_a_key_says_so(tmp_path: Path, clause: str) -> None:
    keyless = CONTRACT.replace(", primaryKey: true", clause)
    found = _samples(_publish(tmp_path, keyless), "--samples", "3")
    assert "no primary key and no column that is required" in found["minimum"]["why_none"]


def test_without_a_primary_key_a_required_unique_column_tells_the_rows_apart(
    tmp_path: Path,
) -> None:
    path = _publish(tmp_path, CONTRACT.replace("primaryKey: true", "required: true, unique: true"))
    assert _samples(path, "--samples", "5")["minimum"]["rows"] == [{"id": "2"}, {"id": "5"}]
    assert 'id="2"' in call("test", path, "--samples", "5").out


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("", {"id": "2"}),
        (", classification: public", {"email": "bob@example.org"}),
        (", classification: restricted", {"id": "2"}),
        (", classification: public, tags: [pii]", {"id": "2"}),
    ],
)
def test_of_several_unique_columns_the_least_private_is_taken(
    tmp_path: Path, email: str, expected: dict[str, str]
) -> None:
    both = "required: true, unique: true"
    contract = CONTRACT.replace("primaryKey: true", both).replace(
        "logicalType: string, classification: restricted", f"logicalType: string, {both}{email}"
    )
    assert _samples(_publish(tmp_path, contract), "--samples", "1")["minimum"]["rows"] == [expected]


def test_a_required_unique_column_that_is_classified_is_no_key(tmp_path: Path) -> None:
    closed = "required: true, unique: true, classification: secret"
    path = _publish(tmp_path, CONTRACT.replace("primaryKey: true", closed))
    found = _samples(path, "--samples", "3")["minimum"]
    assert (found["rows"], found["withheld"]) == ([], [])
    assert "no column may be shown" in found["why_none"]


@pytest.mark.parametrize(
    ("declared", "rows"),
    [
        ("classification: public", [{"id": "2", "age": "7"}, {"id": "5", "age": "8"}]),
        ("classification: Public", [{"id": "2", "age": "7"}, {"id": "5", "age": "8"}]),
        ("classification: internal", [{"id": "2"}, {"id": "5"}]),
        ("classification: restricted", [{"id": "2"}, {"id": "5"}]),
        ("classification: public, tags: [pii]", [{"id": "2"}, {"id": "5"}]),
        ("description: no word", [{"id": "2"}, {"id": "5"}]),
    ],
)
def test_the_failing_column_is_shown_only_if_it_is_declared_public(
    tmp_path: Path, declared: str, rows: list[dict[str, str]]
) -> None:
    lines = "".join(f"        {one}\n" for one in declared.split(", "))
    contract = CONTRACT.replace("required: true\n", f"required: true\n{lines}")
    found = _samples(_publish(tmp_path, contract), "--samples", "5")
    assert (found["minimum"]["rows"], found["minimum"]["withheld"]) == (rows, [])


def test_other_forms_never_tell_a_row(tmp_path: Path) -> None:
    path = _publish(tmp_path)
    (tmp_path / "people.csv").write_text("id,region,email,phone,age\n987654,eu,a,1,7\n")
    for form in ("junit", "github", "sarif", "markdown"):
        assert "987654" not in call("test", path, "--samples", "5", "--format", form).out
    assert "987654" in call("test", path, "--samples", "5").out


def test_rows_of_a_repeated_key_stand_side_by_side_if_their_columns_may_be_shown(
    tmp_path: Path,
) -> None:
    path = _publish(tmp_path, CONTRACT.replace("restricted}", "restricted, unique: true}"))
    rows = ["1,eu,ann,1,40", "2,us,bob,2,41", "3,eu,,3,42", "1,us,ann,4,43", "4,us,,5,44"]
    (tmp_path / "people.csv").write_text("\n".join(["id,region,email,phone,age", *rows]) + "\n")
    found = _samples(path, "--samples", "5", "--sample-columns", "region,email")
    twice = [{"id": "1", "region": "eu"}, {"id": "1", "region": "us"}]
    assert found["unique"] == {"rows": twice, "why_none": "", "withheld": ["email"]}
    assert found["primaryKey"]["rows"] == twice
    assert len(_samples(path, "--samples", "1")["unique"]["rows"]) == 1


def test_a_query_says_why_it_has_no_rows(tmp_path: Path) -> None:
    query = "{id: q, type: sql, query: SELECT COUNT(*) FROM people, mustBe: 99}"
    rule = f"  - name: people\n    quality: [{query}]\n"
    path = _publish(tmp_path, CONTRACT.replace("  - name: people\n", rule))
    assert "one number" in _samples(path, "--samples", "3")["sql"]["why_none"]
    assert "one number" in call("test", path, "--samples", "3").out


NESTED = """\
apiVersion: v3.1.0
kind: DataContract
id: people-1
name: people
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: people.json, format: json}
schema:
  - name: people
    properties:
      - name: who
        logicalType: object
        properties:
          - {name: id, logicalType: integer, primaryKey: true}
          - {name: region, logicalType: string}
          - {name: email, logicalType: string, classification: restricted}
          - {name: tags, logicalType: array, items: {logicalType: string}}
      - name: health
        logicalType: object
        classification: confidential
        properties: [{name: blood, logicalType: string}]
      - {name: age, logicalType: integer, logicalTypeOptions: {minimum: 18}}
"""
PERSON = '{"who": {"id": %d, "region": "eu", "email": "x@y", "tags": []}, "health": {"blood": "0-"}'


def test_a_member_of_an_object_is_told_unless_it_or_its_object_is_classified(
    tmp_path: Path,
) -> None:
    path = _publish(tmp_path, NESTED)
    lines = [f'{PERSON % number}, "age": {age}}}' for number, age in ((1, 7), (2, 40), (2, 41))]
    (tmp_path / "people.json").write_text("\n".join(lines))
    found = _samples(
        path, "--samples", "5", "--sample-columns", "who.region,who.email,health.blood"
    )
    first, twice = ({"who.id": number, "who.region": "eu"} for number in ("1", "2"))
    withheld = ["who.email", "health.blood"]
    assert found == {
        "minimum": {"rows": [first], "why_none": "", "withheld": withheld},
        "primaryKey": {"rows": [twice, twice], "why_none": "", "withheld": withheld},
    }
    told = call("test", path, "--samples", "5", "--sample-columns", "who.tags[]")
    assert (told.code, "no column is named 'who.tags[]'" in told.err) == (64, True)
