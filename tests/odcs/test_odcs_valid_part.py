"""A wrong clause is skipped with those that depend on it; the rest is judged."""

from collections.abc import Iterator

import pytest

from contractwatch import verify
from contractwatch.errors import ContractError
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs import skipped_promises
from contractwatch.odcs.load import parse_valid_part
from contractwatch.odcs.schema import affected_clauses
from contractwatch.odcs.schema.nested import SchemaField, walk_fields
from contractwatch.odcs.yaml.node import YamlNode

TEXT = """apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
domain: sales
servers:
  - {server: here, type: local, path: ./orders.csv, format: csv}
schema:
  - name: orders
    properties:
      - {name: order_id, logicalType: integer, required: true, unique: true}
      - {name: status, logicalType: string, quality: [{metric: nullValues, mustBe: 0}]}
      - {name: placed_at, logicalType: timestamp, logicalTypeOptions: {format: "dd.MM.yyyy HH:mm"}}
    quality:
      - {id: many, metric: rowCount, mustBeGreaterThan: 0}
slaProperties:
  - {property: freshness, value: 2, unit: d, element: orders.placed_at}
"""


def held(old: str, new: str, text: str = TEXT) -> Contract:
    assert old in text
    return parse_valid_part(text.replace(old, new, 1).encode(), "orders.yaml")[0]


def judged(contract: Contract) -> set[str]:
    """Return which promises are judged, by column and kind."""
    promises = (check.promise for check in verify.plan(contract).checks)
    return {f"{one.column or '-'}/{one.kind}" for one in promises}


def skips(contract: Contract) -> dict[str, str]:
    return {f"{one.column or '-'}/{one.kind}": one.reason for one in contract.skipped}


EVERY = judged(held("a", "a"))


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("unique: true", "unique: true, nullable: false", {"order_id/clause"}),
        ("format: csv", "format: csv, location: ./other", {"-/clause"}),
        ("required: true", "required: 'yes'", {"order_id/required"}),
        ("metric: nullValues", "metric: nulValues", {"status/nulValues"}),
        ("mustBe: 0", "mustBe: 0, mustNotBe: 1", {"status/nullValues"}),
        ("mustBe: 0", "mustBe: none", {"status/nullValues"}),
        ("value: 2", "value: often", {"-/freshness"}),
        ("unit: d", "unit: parsec", {"-/freshness"}),
        ("status: active", "status: [active]", {"-/clause"}),
        ("domain: sales", "domain: sales\nprice: free", {"-/clause"}),
        ("domain: sales", "domain: sales\nteam: {members: [{role: owner}]}", {"-/clause"}),
        ("domain: sales", "domain: sales\nsupport: [{channel: 5}]", {"-/clause"}),
        ("domain: sales", "domain: sales\nstakeholders: []", {"-/clause"}),
        (
            "domain: sales",
            (
                "domain: sales\ncustomProperties:\n"
                "  - {property: contractwatch.schedule, value: {cron: hourly}}"
            ),
            {"-/clause"},
        ),
        (
            "HH:mm",
            "HH:qq",
            {"placed_at/type", "placed_at/format", "-/freshness"},
        ),
    ],
)
def test_one_wrong_clause_is_skipped_and_all_others_are_judged(
    old: str, new: str, lost: set[str]
) -> None:
    contract = held(old, new)
    found = skips(contract)
    assert found.keys() == lost
    assert all(reason.startswith("wrong in the contract") for reason in found.values())
    assert all("orders.yaml:" in reason for reason in found.values())
    kept = {
        one for one in EVERY if one not in lost and one.replace("placed_at/f", "-/f") not in lost
    }
    assert judged(contract) == kept - {one.replace("nulV", "nullV") for one in lost}
    assert [server.unsupported for server in contract.servers] == [""]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("format: csv", "format: csv, seperator: ';'"),
        ("format: csv", "format: [csv]"),
        ("type: local, path", "type: local, pth"),
        (
            "format: csv}",
            "format: csv, customProperties: [{property: contractwatch.read, value: {sepratr: ;}}]}",
        ),
    ],
)
def test_a_server_whose_reading_is_not_understood_is_not_read_and_others_are(
    old: str, new: str
) -> None:
    other = "  - {server: there, type: local, path: ./b.csv, format: csv}\nschema:"
    contract = held(old, new, TEXT.replace("schema:", other, 1))
    here, there = contract.servers
    assert here.unsupported.startswith("wrong in the contract: orders.yaml:9: servers[0]")
    assert there.unsupported == ""


@pytest.mark.parametrize(
    "entry",
    [
        "{property: contractwatch.where, value: \"state = 'x'\"}",
        "{property: contractwatch.were, value: \"status = 'x'\"}",
        "{property: contractwatch.rowFilter, value: \"status = 'x'\"}",
        "{property: contractwatch.where, value: [status]}",
    ],
)
def test_what_a_broken_condition_limited_is_not_judged_without_it(entry: str) -> None:
    contract = held("    properties:", f"    customProperties: [{entry}]\n    properties:")
    assert judged(contract) == set()
    assert {"order_id/required", "status/nullValues", "-/rowCount"} <= skips(contract).keys()


CONDITION = "\"status = 'x'\""


@pytest.mark.parametrize(
    "written",
    [
        f"customProperties: [{{property: contractWatch.where, value: {CONDITION}}}]",
        f"customProperties: [{{property: contractwatch_where, value: {CONDITION}}}]",
        f"customProperties: [{{property: 'contract-watch:where', value: {CONDITION}}}]",
        f"customProperties: [{{where: {CONDITION}}}]",
        f"customProperties: {{filter: [{CONDITION}]}}",
        f"customProperties: {{ours: {{rows: {CONDITION}}}}}",
        f"customProperties: {CONDITION}",
        "customProperties: where",
        "customProperties: 5",
        "customProperties: true",
        f"custom_properties: {{where: {CONDITION}}}",
        "customProperty: x",
    ],
)
def test_what_may_have_been_a_condition_is_never_left_out(written: str) -> None:
    contract = held("    properties:", f"    {written}\n    properties:")
    assert judged(contract) == set()
    assert {"order_id/required", "status/nullValues", "-/rowCount"} <= skips(contract).keys()


@pytest.mark.parametrize(
    "written",
    [
        "customProperties:",
        "customProperties: {costCenter: 5, owner: {team: x}}",
        "customProperties: [pii, gdpr]",
        "customProperties: [{name: assetId, value: 5}, {property: other.where}]",
    ],
)
def test_what_cannot_have_been_a_condition_costs_itself(written: str) -> None:
    contract = held("    properties:", f"    {written}\n    properties:")
    assert judged(contract) == EVERY
    assert set(skips(contract)) == {"-/clause"}


@pytest.mark.parametrize(
    "written",
    [
        "customProperties: ;",
        "customProperties: {contractwatch.read: {separator: ;}}",
        "customProperties: [{property: contractWatch.read, value: {separator: ;}}]",
        "custom_properties: [{property: contractwatch.read, value: {separator: ;}}]",
        "customProperty: {sep: ;}",
    ],
)
def test_a_server_that_may_say_how_files_are_read_is_not_read_without_it(written: str) -> None:
    contract = held("format: csv", "format: csv, " + written.replace(": ;", ": ';'"))
    assert contract.servers[0].unsupported.startswith("wrong in the contract: orders.yaml:9:")


@pytest.mark.parametrize(
    "written", ["5", "[{property: contractWatch.sla, value: [{sla: fresh, timezone: UTC}]}]"]
)
def test_a_level_that_may_be_modified_is_not_judged_without_it(written: str) -> None:
    text = TEXT.replace("property: freshness", "id: fresh, property: freshness")
    contract = held("domain: sales", f"domain: sales\ncustomProperties: {written}", text)
    assert judged(contract) == {one for one in EVERY if one != "placed_at/freshness"} - {
        "-/freshness"
    }


@pytest.mark.parametrize("key", ["filter", "where", "zzz"])
def test_a_rule_with_a_word_that_is_not_known_is_not_judged_without_it(key: str) -> None:
    contract = held("mustBe: 0", f"mustBe: 0, {key}: x")
    assert judged(contract) == EVERY - {"status/nullValues"}


@pytest.mark.parametrize(
    "change",
    [("primaryKey: true, name: b", "primarykey: true, name: b"), ("name: b", "name: 5")],
)
def test_a_key_that_lost_a_column_is_not_judged_over_the_others(change: tuple[str, str]) -> None:
    keys = "".join(f"      - {{primaryKey: true, name: {name}}}\n" for name in "ab")
    text = TEXT.replace("    properties:\n", f"    properties:\n{keys}")
    assert "-/primaryKey" in judged(held("a", "a", text))
    assert "-/primaryKey" not in judged(held(*change, text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: orders-1\n", ""),
        ("id: orders-1", "id: ''"),
        ("version: 1.0.0", "version: [1.0]"),
        ("kind: DataContract", "kind: Contract"),
        ("apiVersion: v3.1.0", "apiVersion: v9"),
        ("name: orders\nversion", "name: [orders]\nversion"),
        ("slaProperties:", "  - {name: orders}\nslaProperties:"),
        ("status: active", "status: [active"),
        ("{id: many,", "{type: sql, query: DROP TABLE orders, mustBe: 0}\n      - {id: many,"),
        (
            "{id: many,",
            (
                "{type: sql, query: \"SELECT count(*) FROM read_csv('/etc/passwd')\", mustBe: 0}\n"
                "      - {id: many,"
            ),
        ),
    ],
)
def test_a_contract_is_refused_if_it_is_none_or_nobody_knows_whose_or_it_attacks(
    old: str, new: str
) -> None:
    with pytest.raises(ContractError):
        held(old, new)


def test_a_contract_with_two_mistakes_loses_two_clauses() -> None:
    text = TEXT.replace("required: true", "required: yes please")
    contract = held("mustBe: 0", "mustBee: 0", text)
    assert judged(contract) == EVERY - {"order_id/required", "status/nullValues"}


def wide(columns: int) -> str:
    listed = "".join(
        f"      - {{name: c{at}, logicalType: string, logicalTyp{at}: string}}\n"
        for at in range(columns)
    )
    head = "apiVersion: v3.1.0\nkind: DataContract\nid: x\nname: x\nversion: 1.0.0\n"
    return f"{head}status: active\nschema:\n  - name: t\n    properties:\n{listed}"


def looks(monkeypatch: pytest.MonkeyPatch, columns: int) -> int:
    """Count how often a column is walked while each of so many has one wrong key."""
    count = 0

    def counted(column: YamlNode) -> Iterator[SchemaField]:
        nonlocal count
        count += 1
        yield from walk_fields(column)

    for module in (affected_clauses, skipped_promises):
        monkeypatch.setattr(module, "walk_fields", counted)
    contract, _ = parse_valid_part(wide(columns).encode(), "wide.yaml")
    assert len(contract.tables[0].columns) == columns
    return count


def test_what_a_mistake_in_each_column_costs_is_found_in_one_walk_for_each_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few, many = looks(monkeypatch, 20), looks(monkeypatch, 80)

    assert 0 < many <= 4 * few
