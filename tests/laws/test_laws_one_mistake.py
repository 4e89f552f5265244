"""One mistake in a contract costs its clause: whatever it is and wherever it stands."""

import copy
import functools
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias, cast

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch import verify
from contractwatch.errors import ContractError, Problem
from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.load import parse_valid_part
from contractwatch.odcs.yaml.path_removal import is_within

Path: TypeAlias = tuple[str | int, ...]

RIGHT = """
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
domain: sales
tenant: shop
tags: [gold]
description: {purpose: to bill, usage: daily, limitations: none}
team:
  name: orders
  members:
    - {username: ann, role: owner}
    - {username: bob, role: engineer, dateIn: "2024-01-01"}
support:
  - {channel: "#orders", tool: slack, scope: issues, url: "https://example.com/orders"}
price: {priceAmount: 5, priceCurrency: EUR, priceUnit: month}
roles:
  - {role: reader, access: read}
contractCreatedTs: "2024-01-01T00:00:00Z"
servers:
  - {server: prod, type: local, environment: prod, path: ./orders.csv, format: csv,
     customProperties: [{property: contractwatch.read, value: {separator: ";", nullValues: ["-"]}}]}
  - {server: lake, type: s3, location: "s3://bucket/*.parquet", format: parquet}
slaProperties:
  - {property: freshness, value: 2, unit: d, element: orders.placed_at}
  - {id: keep, property: retention, value: 1, unit: y, element: orders.placed_at}
  - {property: frequency, value: 1, unit: d, element: orders.placed_at}
  - {property: availability, value: 99.5, unit: percent}
  - {property: errorRate, value: 1, unit: percent, element: orders}
  - {property: generalAvailability, value: "2024-01-01"}
customProperties:
  - {property: contractwatch.schedule, value: {cron: "0 6 * * *", timezone: Europe/Berlin}}
  - {property: contractwatch.sla, value: [{sla: keep, retentionMode: atLeast}]}
  - {property: contractwatch.slo, value: [
      {id: a, objective: 99.5, window: P28D, sli: {dimension: completeness}},
      {id: b, objective: 99, window: P7D, sli: {sla: keep}}]}
  - {property: contractwatch.alerts, value: {grace: PT5M, routes: [{to: "#orders"}]}}
  - {property: costCentre, value: 17}
schema:
  - name: orders
    id: orders_table
    physicalName: orders
    description: one row an order
    customProperties:
      - {property: contractwatch.where, value: "status <> 'test'"}
      - {property: contractwatch.schemaMode, value: closed}
    properties:
      - {name: order_id, id: oid, logicalType: integer, required: true, primaryKey: true,
         primaryKeyPosition: 1, logicalTypeOptions: {minimum: 1}}
      - {name: line, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: status, logicalType: string, required: true, classification: public,
         logicalTypeOptions: {maxLength: 10, pattern: "^[a-z]+$"},
         enum: [{value: open}, {value: closed}],
         quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [open, closed]}},
                   {metric: nullValues, mustBeLessThan: 1, unit: percent, severity: warning}]}
      - {name: placed_at, logicalType: timestamp, partitioned: true, physicalType: timestamp,
         logicalTypeOptions: {format: "yyyy-MM-dd HH:mm:ss", defaultTimezone: Europe/Berlin}}
      - {name: secret, logicalType: string, classification: restricted, encryptedName: secret_enc}
      - {name: address, logicalType: object, properties: [
          {name: zip, logicalType: string, required: true, logicalTypeOptions: {minLength: 4}}]}
      - {name: tags, logicalType: array, items: {logicalType: string, logicalTypeOptions: {
          maxLength: 9}}}
      - {name: shop_id, logicalType: integer, relationships: [{to: shops.shop_id}]}
    quality:
      - {id: many, metric: rowCount, mustBeGreaterThan: 0}
      - {metric: duplicateValues, mustBe: 0, arguments: {properties: [order_id, status]}}
      - {type: sql, query: "SELECT count(*) FROM {object} WHERE order_id < 0", mustBe: 0}
      - {type: custom, engine: contractwatch, implementation: {check: piiLeak, detectors: [email],
         includeUndeclared: true, mustBe: 0}}
      - {type: custom, engine: greatExpectations, implementation: "expect: something"}
  - name: shops
    properties:
      - {name: shop_id, logicalType: integer, unique: true}
    relationships: [{type: foreignKey, from: shops.shop_id, to: orders.shop_id}]
"""
DATA = yaml.safe_load(RIGHT)
IDENTITY = {"id", "version", "kind", "apiVersion", "name", "domain", "dataProduct", "", "table"}
WRONG_VALUES: list[Any] = [True, 7, 0.5, "zzz", "", [], [7], ["zzz"], {"zzz": 1}, None]
BY_TYPE = {
    "physicalType",
    "required",
    "unique",
    "primaryKey",
    "nullValues",
    "duplicateValues",
    "presence",
}
"""What can be judged of a column whose type is not known."""


def places_of(value: object, at: Path = ()) -> list[Path]:
    found = [at]
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            found += places_of(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            found += places_of(item, (*at, index))
    return found


PLACES = places_of(DATA)
MAPPINGS = [at for at in PLACES if isinstance(functools.reduce(lambda v, k: v[k], at, DATA), dict)]
WORDS = ["zzz", "nullable", "location", "filter", "optional", "type", "format"]


def written(at: Path) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in at)[1:]


@dataclass(frozen=True)
class Mistake:
    """What is done to a right contract, and where."""

    at: Path
    kind: str
    word: Any = None

    def made(self) -> Any:
        """Return the document with the mistake."""
        data = copy.deepcopy(DATA)
        owner: Any = {"root": data}
        key: Any = "root"
        for step in self.at:
            owner, key = owner[key], step
        if self.kind == "value":
            owner[key] = self.word
        elif self.kind == "key":
            owner[key].setdefault(self.word, False)
        else:
            owner[self.misspelt] = owner.pop(key)
        return data

    @property
    def misspelt(self) -> str:
        key = str(self.at[-1])
        at = min(self.word, len(key) - 1)
        return key[:at] + key[at + 1 :] or "x"

    @property
    def path(self) -> str:
        """Where the mistake stands, as the program writes it."""
        at = (*self.at, self.word) if self.kind == "key" else self.at
        return written((*self.at[:-1], self.misspelt) if self.kind == "misspelt" else at)

    @property
    def was(self) -> str:
        """Where something stood before it was misspelt."""
        return written(self.at)


VALUES = [
    Mistake(at, "value", word)
    for at in PLACES[1:]
    for word in WRONG_VALUES
    # nothing would say that something of ours stood there
    if not {at[-1], *at[-2:-1]} & {"customProperties"} and at[-1] != "logicalTypeOptions"
]
KEYS = [Mistake(at, "key", word) for at in MAPPINGS for word in WORDS]
MISSPELT = [
    Mistake(at, "misspelt", drop)
    for at in PLACES
    if at and isinstance(at[-1], str)
    for drop in range(6)
]


def without_lines(value: Any) -> Any:
    """Return a value as it is anywhere in the file."""
    if isinstance(value, Clause):
        return value.path
    if isinstance(value, Enum) or not is_dataclass(value) or isinstance(value, type):
        if isinstance(value, tuple):
            return tuple(without_lines(one) for one in cast("tuple[Any, ...]", value))
        return value
    return (
        type(value).__name__,
        *(without_lines(getattr(value, field.name)) for field in fields(value)),
    )


def judged(contract: Contract) -> dict[tuple[str, str, str, str | None], Any]:
    checks = verify.plan(contract).checks
    return {
        (one.promise.clause.path, one.promise.kind, one.promise.table, one.promise.column): one
        for one in checks
    }


def read_as(contract: Contract, table: str, column: str | None) -> Any:
    found = next((one for one in contract.tables if one.name == table), None)
    where = found.where if found else ""
    one = found.find(column) if found and column else None
    return where, one and (
        one.physical_name,
        one.logical_type,
        one.parse_format,
        one.default_timezone,
    )


BEFORE, _ = parse_valid_part(RIGHT.encode(), "orders.yaml")
CHECKS = judged(BEFORE)


def is_about(path: str, other: str) -> bool:
    """Whether one path is the other, or the one that holds it."""
    return (
        path == other
        or path.rpartition(".")[0] == other
        or path.startswith((f"{other}.", f"{other}["))
    )


def is_refused_rightly(data: Any, problems: tuple[Problem, ...]) -> bool:
    """Whether the contract is refused for one of the reasons for which it may be."""
    wrong = {one.path.partition(".")[0].partition("[")[0] for one in problems}
    schema = data.get("schema")
    tables = (
        [one.get("name") for one in schema or () if isinstance(one, dict)]
        if isinstance(schema, list)
        else []
    )
    return bool(wrong & IDENTITY) or len(set(map(str, tables))) < len(tables)


def outcome_of(text: bytes) -> tuple[Contract, tuple[Problem, ...]] | ContractError:
    try:
        return parse_valid_part(text, "orders.yaml")
    except ContractError as refused:
        return refused


def hold(mistake: Mistake) -> None:
    """Say that a mistake costs its clause, and what needs it, and is shown."""
    data = mistake.made()
    text = yaml.safe_dump(data, sort_keys=False).encode()
    read = outcome_of(text)
    if isinstance(read, ContractError):
        assert is_refused_rightly(data, read.problems), f"{mistake}: {read}"
        return
    contract, problems = read
    errors = [one for one in problems if one.level == "error"]
    own = [
        one
        for one in errors
        if is_about(one.path, mistake.path) or is_about(mistake.path, one.path)
    ]
    if not own:
        return  # it is right by itself, or only doubtful
    if mistake.path in IDENTITY:  # read as it is written: nothing is lost, and so nothing skipped
        assert all("in quotes" in str(error) for error in own), mistake
        assert len(contract.skipped) == len(BEFORE.skipped), mistake
        assert judged(contract).keys() == CHECKS.keys(), mistake
        return
    skipped = [one.reason for one in contract.skipped]
    told = " ".join([*skipped, *(one.unsupported for one in contract.servers)])
    assert any(str(error) in told for error in own), f"{mistake} is not shown"
    after = judged(contract)
    shown = {one.clause.path for one in contract.skipped}
    for key, check in after.items():
        assert key in CHECKS, f"{mistake}: {key} is judged and was not promised"
        if key[1] != "primaryKey":  # the order of its columns changes no verdict
            assert without_lines(check) == without_lines(CHECKS[key]), f"{mistake}: {key}"
        if key[1] not in BY_TYPE:
            assert read_as(contract, *key[2:]) == read_as(BEFORE, *key[2:]), f"{mistake}: {key}"
    for key in CHECKS.keys() - after.keys():
        is_shown = any(is_within(key[0], one) or is_within(one, key[0]) for one in shown)
        is_shown |= is_within(key[0], mistake.was)
        is_shown |= key[1] == "primaryKey" and "primaryKey" in {o.kind for o in contract.skipped}
        assert is_shown, f"{mistake}: {key} is not shown"


@given(st.sampled_from([*VALUES, *KEYS, *MISSPELT]))
@settings(max_examples=100, deadline=None)
def test_one_mistake_costs_its_clause_and_what_needs_it(mistake: Mistake) -> None:
    hold(mistake)
