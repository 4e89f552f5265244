"""Promises inside objects, lists and maps are kept as skipped, one by one."""

from collections.abc import Iterator

from contractwatch.odcs.arguments import Owner
from contractwatch.odcs.options import read_options
from contractwatch.odcs.place import Findings, Place
from contractwatch.odcs.promises import promised
from contractwatch.odcs.repeated import refuse_repeated
from contractwatch.odcs.rules import read_rules
from contractwatch.odcs.values import logical_type_of

_WHY = "nested properties"


def skip_nested(column: Place, owner: Owner, findings: Findings) -> None:
    """Keep as skipped whatever is promised below a column."""
    for place, path in _below(column, owner.column or ""):
        _skip_one(place, path, owner, findings)
        skip_nested(place, _inner(place, path, owner), findings)


def skip_other_promises(place: Place, table: str, column: str | None, findings: Findings) -> None:
    """Keep as skipped the relationships and the enumeration of a table or a column."""
    for entry in place.at("relationships").each():
        targets = entry.texts("to") or (entry.text("to"),)
        words = f"every value exists in {', '.join(targets)}"
        promise = promised("relationship", table, column, expected=words)
        findings.skip(entry, promise, "relationships")
    if place.has("enum"):
        findings.skip(place.at("enum"), promised("enum", table, column), "enum")


def _below(column: Place, path: str) -> Iterator[tuple[Place, str]]:
    properties = column.at("properties").each()
    for place in properties:
        yield place, f"{path}.{place.text('name')}"
    if column.has("items"):
        yield column.at("items"), f"{path}[]"
    for part in ("key", "value"):
        if column.at("map").has(part):
            yield column.at("map").at(part), f"{path}.{part}"


def _inner(place: Place, path: str, owner: Owner) -> Owner:
    return Owner(
        owner.table, path, logical_type_of(place), owner.zone, owner.columns, owner.key, _WHY
    )


def _skip_one(place: Place, path: str, owner: Owner, findings: Findings) -> None:
    table = owner.table
    refuse_repeated(place.at("properties").each(), "name", "column", findings)
    if place.has("name"):
        findings.skip(place, promised("presence", table, path), _WHY)
    for key, kind in (("logicalType", "type"), ("required", "required"), ("unique", "unique")):
        if place.flag(key) or place.text(key):
            findings.skip(place.at(key), promised(kind, table, path), _WHY)
    limits = read_options(
        place.at("logicalTypeOptions"),
        logical_type_of(place),
        owner=(table, path),
        zone=owner.zone,
        findings=findings,
    ).limits
    for limit in limits:
        at = Place(place.document, limit.clause.path, None)
        findings.skip(at, promised(limit.kind, table, path), _WHY)
    read_rules(place.at("quality"), _inner(place, path, owner), findings)
    skip_other_promises(place, table, path, findings)
