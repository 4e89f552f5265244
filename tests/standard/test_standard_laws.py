"""Nothing that a contract promises is dropped: its raw document is held against its results."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from standard_cases import Case, cases

READ = [case for case in cases() if case.read()[0] is not None]
NO_PROMISE = frozenset(
    {"generalavailability", "ga", "endofsupport", "es", "endoflife", "el", "endofservice"}
)
DESCRIBING = frozenset(
    {"distanceMetric", "embeddingModel", "embeddingModelVersion", "timezone", "defaultTimezone"}
)
"""Type options that say how values are read, or something to people."""
TEXT_FORMATS = frozenset({"csv", "json"})
"""Files of text have no types of their own."""
STRING_FORMATS = frozenset({"uuid", "ipv4", "ipv6", "email", "uri", "hostname"})


def promised(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the path of everything in a document that promises something."""
    formats = {server.get("format") for server in document.get("servers") or ()}
    has_types = not formats or not formats <= TEXT_FORMATS
    for number, table in enumerate(document.get("schema") or ()):
        at = f"schema[{number}]"
        yield from listed(table, at, "quality", "relationships")
        keys = []
        for place, column in columns(table, at):
            if column.get("primaryKey"):
                keys.append(f"{place}.primaryKey")
            is_column = column.get("semanticType") != "measure"
            if column.get("physicalType") and is_column and has_types:
                yield f"{place}.physicalType"
            yield from of_column(column, place, is_part=False)
        yield from keys[:1]  # one promise, whatever the number of its members
    for number, level in enumerate(document.get("slaProperties") or ()):
        if level["property"].lower() not in NO_PROMISE:
            yield f"slaProperties[{number}]"


def columns(owner: Mapping[str, Any], at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, column in enumerate(owner.get("properties") or ()):
        yield f"{at}.properties[{number}]", column


def listed(owner: Mapping[str, Any], at: str, *keys: str) -> Iterator[str]:
    for key in keys:
        yield from (f"{at}.{key}[{number}]" for number in range(len(owner.get(key) or ())))


def of_column(column: Mapping[str, Any], at: str, *, is_part: bool) -> Iterator[str]:
    is_column = column.get("semanticType") != "measure"
    if column.get("encryptedName"):
        yield f"{at}.encryptedName"
    elif is_column and not is_part:
        yield at
    if is_column and column.get("logicalType"):
        yield f"{at}.logicalType"
    yield from (f"{at}.{key}" for key in ("required", "unique", "enum") if column.get(key))
    yield from of_options(column, f"{at}.logicalTypeOptions")
    yield from listed(column, at, "quality", "relationships")
    yield from below(column, at)


def below(column: Mapping[str, Any], at: str) -> Iterator[str]:
    for place, inner in columns(column, at):
        yield from of_column(inner, place, is_part=False)
    parts = column.get("map") or {}
    for key, part in (("items", column.get("items")), *((f"map.{k}", parts[k]) for k in parts)):
        if part:
            yield from of_column(part, f"{at}.{key}", is_part=True)
    if parts:
        yield f"{at}.map.key"


def of_options(column: Mapping[str, Any], at: str) -> Iterator[str]:
    options = dict(column.get("logicalTypeOptions") or {})
    kind, form = column.get("logicalType"), options.get("format")
    asserted = (kind == "string" and form in STRING_FORMATS) or kind == "integer"
    for key, value in options.items():
        is_described = key in DESCRIBING or value is False or (key == "format" and not asserted)
        # as in 3.0, true sharpens the bound that stands beside it
        is_sharpened = options.get(f"exclusive{key[0].upper()}{key[1:]}") is True
        if not is_described and not is_sharpened:
            yield f"{at}.{key}"


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_every_clause_that_promises_something_has_a_result(case: Case) -> None:
    contract, _ = case.read()
    assert contract is not None
    told = {result.promise.clause.path for result in case.without_data(contract).results}
    assert told == set(promised(case.document()))


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_no_promise_is_told_twice(case: Case) -> None:
    contract, _ = case.read()
    assert contract is not None
    promises = [result.promise for result in case.without_data(contract).results]
    again = Counter((one.clause.path, one.kind, one.table, one.column) for one in promises)
    assert [what for what, times in again.items() if times > 1] == []
    assert len({one.promise_id for one in promises}) == len(promises)
