"""Writing ODCS 3.1.0: the contract promises the same, and nothing is lost."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from contractwatch import verify
from contractwatch.errors import ContractError
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.compat.roundtrip import restore_kept
from contractwatch.odcs.compat.write import dump_odcs31
from contractwatch.odcs.load import parse_contract
from contractwatch.odcs.yaml.document import load_yaml
from contractwatch.odcs.yaml.dump import dump_yaml
from tests.clauses.clause_cases import cases, skipped_cases
from tests.standard import standard_cases

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "contractwatch/odcs/schemas/odcs-v3.1.0.schema.json").read_text())
VALIDATOR = Draft201909Validator(SCHEMA)
FILES = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
HEAD: dict[str, Any] = {
    "apiVersion": "v3.2.0",
    "kind": "DataContract",
    "id": "w",
    "name": "w",
    "version": "1.0.0",
    "status": "active",
}


def test_the_schema_of_3_1_0_is_the_published_one() -> None:
    data = (ROOT / "contractwatch/odcs/schemas/odcs-v3.1.0.schema.json").read_bytes()
    digest = "2cb7dd6fe43344d2233e0406438622681dc3ebadcf8f0d606a15b40c8f6752c0"
    assert hashlib.sha256(data).hexdigest() == digest


def documents() -> dict[str, bytes]:
    golden = {one.name: one for one in cases()} | {
        f"skipped {one.name}": one for one in skipped_cases()
    }
    made = {name: json.dumps(case.document()).encode() for name, case in golden.items()}
    made |= {file.name: file.read_bytes() for file in FILES}
    others = [case for case in standard_cases.cases() if case.read()[0] is not None]
    return made | {case.name: case.file.read_bytes() for case in others}


DOCUMENTS = documents()


def promises(contract: Contract) -> Counter[str]:
    """All that is judged and skipped, but for where it is written."""
    plan = verify.plan(contract)
    kept = [f"{check.__class__.__name__} {check.metrics()}" for check in plan.checks]
    told = [
        (check.promise.promise_id, check.promise.expected, check.promise.severity)
        for check in plan.checks
    ]
    left = [(one.promise.promise_id, one.verdict.reason) for one in plan.skipped]
    return Counter(map(str, (*kept, *told, *left)))


def rewritten(data: bytes) -> tuple[str, Contract, Contract]:
    """Return the text of 3.1.0, and the contract before and after."""
    text = dump_odcs31(load_yaml(data, "w.odcs.yaml"))
    before, _ = parse_contract(data, "w.odcs.yaml")
    after, _ = parse_contract(text.encode(), "w.odcs.yaml")
    return text, before, after


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_is_of_3_1_0_and_promises_the_same(name: str) -> None:
    text, before, after = rewritten(DOCUMENTS[name])
    data = load_yaml(text.encode(), "w.odcs.yaml").data
    assert [one.message for one in VALIDATOR.iter_errors(data)] == []
    assert data["apiVersion"] == "v3.1.0"
    assert promises(after) == promises(before)
    assert (after.owners, after.targets, after.alerts) == (
        before.owners,
        before.targets,
        before.alerts,
    )
    if "contractwatch.kept" in text:  # else there is nothing that could be put back twice
        again = dump_odcs31(load_yaml(text.encode(), "w.odcs.yaml"))
        assert original(again) == original(text)


def original(text: str) -> Mapping[str, object]:
    return restore_kept(load_yaml(text.encode(), "w.odcs.yaml")).data


def contract(**changes: object) -> bytes:
    return json.dumps({**HEAD, **changes}).encode()


def data_of(**changes: object) -> Any:
    text, before, after = rewritten(contract(**changes))
    assert promises(after) == promises(before)
    return load_yaml(text.encode(), "w.odcs.yaml").data


def column(**what: object) -> list[object]:
    return [{"name": "t", "logicalType": "object", "properties": [{"name": "c", **what}]}]


def kept(owner: Mapping[str, Any]) -> list[Any]:
    entries = [one for one in owner["customProperties"] if one["property"] == "contractwatch.kept"]
    return entries[0]["value"]


def test_the_forms_of_3_0_are_renamed() -> None:
    old = {"apiVersion": "v3.0.2", "team": [{"username": "ada", "role": "owner"}]}
    rules = [{"rule": "nullValues", "mustBe": 0}, {"rule": "rowCheck", "mustBe": 3}]
    options = {"minimum": 1, "exclusiveMinimum": True}
    schema = column(logicalType="integer", quality=rules, logicalTypeOptions=options)
    data = data_of(**old, schema=schema)
    found = data["schema"][0]["properties"][0]
    assert data["team"] == {"members": old["team"]}
    assert found["logicalTypeOptions"] == {"exclusiveMinimum": 1}
    assert found["quality"][0] == {"metric": "nullValues", "mustBe": 0}
    assert found["quality"][1]["implementation"] == "rowCheck"
    assert kept(found["quality"][1]) == [{"path": [], "value": {"mustBe": 3}}]


def test_a_contract_without_a_status_becomes_the_draft_that_it_counts_as() -> None:
    read = {key: value for key, value in HEAD.items() if key != "status"}
    assert "status: draft\n" in dump_odcs31(load_yaml(json.dumps(read).encode(), "w.odcs.yaml"))


def test_what_3_1_has_no_place_for_is_kept_where_it_stood() -> None:
    schema = column(logicalType="string", enum=[{"value": "a"}], synonyms=[{"synonym": "x"}])
    data = data_of(schema=schema, context={"instructions": "read this"})
    found = data["schema"][0]["properties"][0]
    assert sorted(kept(found), key=str) == [
        {"path": ["enum"], "value": [{"value": "a"}]},
        {"path": ["synonyms"], "value": [{"synonym": "x"}]},
    ]
    assert kept(data) == [{"path": ["context"], "value": {"instructions": "read this"}}]


def test_our_modifiers_of_a_level_stand_at_the_root_and_others_are_kept() -> None:
    custom = [
        {"vendor": "contractwatch", "property": "retentionMode", "value": "atLeast"},
        {"property": "other", "value": 1},
    ]
    level = {"id": "keep", "property": "retention", "value": 1, "unit": "y", "element": "t.c"}
    schema = column(logicalType="date")
    data = data_of(schema=schema, slaProperties=[{**level, "customProperties": custom}])
    assert data["slaProperties"] == [level]
    assert data["customProperties"][0] == {
        "property": "contractwatch.sla",
        "value": [{"sla": "keep", "retentionMode": "atLeast"}],
    }
    assert kept(data)[0]["path"] == ["slaProperties", 0, "customProperties"]


def test_of_modifiers_that_contradict_each_other_the_same_one_counts() -> None:
    schema = column(logicalType="date")
    level = {"id": "keep", "property": "retention", "value": 1, "unit": "y", "element": "t.c"}
    modes = [
        {"vendor": "contractwatch", "property": "retentionMode", "value": mode}
        for mode in ("atLeast", "atMost")
    ]
    root = {
        "property": "contractwatch.sla",
        "value": [{"sla": "keep", "retentionMode": "atMost", "severity": "warning"}],
    }
    for custom in (modes, modes[:1]):
        levels = [{**level, "customProperties": custom}]
        data = data_of(schema=schema, slaProperties=levels, customProperties=[root])
        assert data["customProperties"][0]["value"] == [
            {"sla": "keep", "retentionMode": "atLeast", "severity": "warning"}
        ]


def test_a_server_that_3_1_does_not_know_is_custom_there_and_itself_when_it_is_read() -> None:
    server = {"server": "s", "type": "iceberg", "catalog": "c", "catalogUrl": "https://c.test"}
    text, before, after = rewritten(contract(servers=[server]))
    data = load_yaml(text.encode(), "w.odcs.yaml").data
    assert cast("Any", data)["servers"][0]["type"] == "custom"
    assert [one.kind for one in after.servers] == [one.kind for one in before.servers]


def test_variables_are_written_as_they_are() -> None:
    server = {"server": "s", "type": "local", "path": "${DATA:-./here}/*.csv", "format": "csv"}
    assert data_of(servers=[server])["servers"] == [server]


def test_what_cannot_be_said_at_all_is_refused_with_its_place() -> None:
    with pytest.raises(ContractError) as refused:
        dump_odcs31(load_yaml(contract(slaProperties=[{"property": "latency"}]), "w.odcs.yaml"))
    (problem,) = refused.value.problems
    assert problem.path == "slaProperties[0]"
    expected = "'value' is needed there; change it, or keep the version"
    assert problem.message == f"cannot be said in ODCS 3.1.0: {expected}"


@pytest.mark.parametrize(
    "server",
    [
        {"type": "postgres", "host": "h", "port": "${P:-5432}", "database": "d", "schema": "x"},
        {"type": "athena", "schema": "x", "workgroup": "w"},
    ],
)
def test_a_server_in_a_form_of_3_2_is_custom_there_and_itself_when_it_is_read(
    server: dict[str, object],
) -> None:
    written_down = data_of(servers=[{"server": "s", **server}])
    assert [one["type"] for one in written_down["servers"]] == ["custom"]
    assert original(json.dumps(written_down))["servers"] == [{"server": "s", **server}]


def test_a_reference_with_more_dots_is_kept_with_its_neighbours() -> None:
    address = {"name": "a", "logicalType": "object", "properties": [{"name": "zip"}]}
    entries = [{"to": "t.id"}, {"to": "t.a.zip"}]
    columns = [{"name": "id"}, address, {"name": "c", "relationships": entries}]
    data = data_of(schema=[{"name": "t", "properties": columns}])
    assert "relationships" not in data["schema"][0]["properties"][2]
    assert original(json.dumps(data))["schema"] == [{"name": "t", "properties": columns}]


def test_a_key_that_3_0_left_free_is_kept_and_not_put_back() -> None:
    team = [{"username": "ada", "comment": "on leave"}]
    data = data_of(apiVersion="v3.0.2", team=team)
    (member,) = data["team"]["members"]
    assert kept(member) == [{"path": [], "value": {"comment": "on leave"}}]


TRAPS = """
NO|10:00|2026-01-01|1_000|0o17|017|1e3|~|| a|a |- a|# b|a: b|null|.nan|=|<<|0x1F|y|'|"|*a|&a|!b|%c
2026-01-01T00:00:00Z|a\nb|[a]|{a}|a #b|a:|?|-|+1|.5|1.|true|On|@|`
"""
TEXTS = st.text(max_size=12) | st.sampled_from(TRAPS.replace("\n", "|").split("|"))


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(TEXTS, max_size=4), min_size=1))
@settings(max_examples=30, deadline=None)
def test_a_text_stays_a_text_for_readers_of_both_yamls(data: dict[str, list[str]]) -> None:
    clean = {
        key: [text for text in texts if all(one.isprintable() or one == "\n" for one in text)]
        for key, texts in data.items()
    }
    text = dump_yaml(clean)
    assert yaml.safe_load(text) == clean
    assert load_yaml(text.encode(), "w.odcs.yaml").data == clean


@pytest.mark.parametrize("text", ["\x85", "a\u2028b", "\u2029 it's\n"])
def test_what_ends_a_line_for_some_readers_is_escaped(text: str) -> None:
    data: dict[str, object] = {text: [text]}
    assert load_yaml(dump_yaml(data), "w.odcs.yaml").data == data
