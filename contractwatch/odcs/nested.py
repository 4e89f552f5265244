"""Promises inside objects, arrays and maps are read as those of columns, at any depth."""

from collections.abc import Iterator
from dataclasses import replace

from contractwatch.model.clause import Clause
from contractwatch.model.contract import Column
from contractwatch.model.frozen import frozen
from contractwatch.model.path import Each, Member, Step
from contractwatch.odcs.arguments import Owner
from contractwatch.odcs.enumeration import read_enum
from contractwatch.odcs.nested_options import with_physical_names
from contractwatch.odcs.options import read_options
from contractwatch.odcs.place import Findings, Place
from contractwatch.odcs.promises import promised
from contractwatch.odcs.repeated import named, refuse_repeated
from contractwatch.odcs.rules import read_rules
from contractwatch.odcs.values import NESTED, logical_type_of

_KEY, _VALUE = "key", "value"


@frozen
class _Inner:
    """A place below a column: its way in contract names, and the physical one from the column."""

    place: Place
    name: str
    inside: tuple[Step, ...]
    is_part: bool = False
    """Whether it is a part of an array or a map: it is there with it, even if it has a name."""

    @property
    def is_key(self) -> bool:
        """Whether it is the key of a map, which is there and is unique by being one."""
        return self.is_part and self.inside[-1] == Member(_KEY)


def read_nested(column: Place, owner: Owner, findings: Findings) -> tuple[Column, ...]:
    """Return every value below a top-level column that something is promised of."""
    physical = column.text("physicalName") or column.text("name")
    return tuple(_below(_Inner(column, owner.column or "", ()), physical, owner, findings))


def _skip_relationships(place: Place, table: str, column: str | None, findings: Findings) -> None:
    for entry in place.at("relationships").each():
        targets = entry.texts("to") or (entry.text("to"),)
        words = f"every value exists in {', '.join(targets)}"
        promise = promised("relationship", table, column, expected=words)
        findings.skip(entry, promise, "relationships of nested properties")


def _skip_of_columns(place: Place, owner: Owner, findings: Findings) -> None:
    """Keep as skipped what only a column of a table can promise."""
    if place.flag("primaryKey"):
        promise = promised("primaryKey", owner.table, owner.column)
        findings.skip(place.at("primaryKey"), promise, "keys of nested properties")
    if place.text("encryptedName"):
        promise = promised("presence", owner.table, owner.column, expected="its twin is present")
        findings.skip(place.at("encryptedName"), promise, "encryptedName of nested properties")


def _below(outer: _Inner, physical: str, owner: Owner, findings: Findings) -> Iterator[Column]:
    for inner in _children(outer, findings):
        refuse_repeated(inner.place.at("properties").each(), "name", "column", findings)
        column = _read(inner, physical, owner, findings)
        yield column
        zone = column.default_timezone
        yield from _below(inner, physical, replace(owner, zone=zone), findings)


def _children(outer: _Inner, findings: Findings) -> Iterator[_Inner]:
    place, name, inside = outer.place, outer.name, outer.inside
    for entry in named(place.at("properties"), "name", findings):
        written = entry.text("name")
        step = Member(entry.text("physicalName") or written)
        yield _Inner(entry, f"{name}.{written}", (*inside, step))
    if place.has("items"):
        yield _Inner(place.at("items"), f"{name}[]", (*inside, Each()), is_part=True)
    for part in (_KEY, _VALUE):
        if place.at("map").has(part):
            way = (*inside, Each(), Member(part))
            yield _Inner(place.at("map").at(part), f"{name}.{part}", way, is_part=True)


def _read(inner: _Inner, physical: str, of_outer: Owner, findings: Findings) -> Column:
    place, name, logical_type = inner.place, inner.name, logical_type_of(inner.place)
    options = read_options(
        place.at("logicalTypeOptions"),
        logical_type,
        owner=(of_outer.table, name),
        zone=of_outer.zone,
        findings=findings,
    )
    owner = replace(
        of_outer,
        column=name,
        logical_type=logical_type,
        zone=options.timezone,
        in_array=Each() in inner.inside,
    )
    _skip_of_columns(place, owner, findings)
    _skip_relationships(place, owner.table, name, findings)
    return Column(
        clause=place.clause,
        name=name,
        physical_name=physical,
        logical_type=logical_type,
        type_clause=place.at("logicalType").clause if logical_type else None,
        required_clause=_flagged("required", inner),
        unique_clause=_unique(inner, owner, findings),
        options=with_physical_names(options.limits, place) + read_enum(place, owner, findings),
        rules=read_rules(place.at("quality"), owner, findings),
        default_timezone=options.timezone,
        timezone_aware=options.timezone_aware,
        parse_format=options.parse_format,
        binary=options.binary,
        classification=place.text("classification"),
        critical=bool(place.flag("criticalDataElement")),
        description=place.text("description"),
        optional=inner.is_part or _may_be_absent(place),
        inside=inner.inside,
    )


def _may_be_absent(place: Place) -> bool:
    return bool(place.text("encryptedName")) or place.text("semanticType") == "measure"


def _flagged(key: str, inner: _Inner) -> Clause | None:
    if inner.place.flag(key):
        return inner.place.at(key).clause
    return inner.place.clause if inner.is_key else None


def _unique(inner: _Inner, owner: Owner, findings: Findings) -> Clause | None:
    clause = _flagged("unique", inner)
    if clause is None or owner.logical_type not in NESTED:
        return clause
    why = f"unique {owner.logical_type} values"
    findings.skip(inner.place.at("unique"), promised("unique", owner.table, owner.column), why)
    return None
