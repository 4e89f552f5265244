"""Generators of large contracts: thousands of one thing, valid, wrong and hostile."""

# ruff: noqa: E501 - each contract is written in one line, as a person would read it

from collections.abc import Callable

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: k\nname: k\nversion: 1.0.0\nstatus: active\n"
_T = "schema:\n  - name: t\n    properties:\n"
_B = "      - {name: b, logicalType: string"
_C = "      - {name: c, logicalType: number}\n"


def _lines(before: str, line: str, after: str = "") -> Callable[[int], str]:
    """Return what repeats a line; NUMBER counts in it, and NEXT is the number after it."""

    def made(count: int) -> str:
        each = (
            line.replace("NUMBER", str(at)).replace("NEXT", str((at + 1) % count))
            for at in range(count)
        )
        return f"{HEAD}{before}{''.join(each)}{after}"

    return made


def _columns(line: str) -> Callable[[int], str]:
    return _lines(_T, f"      - {line}\n")


def _tables(line: str) -> Callable[[int], str]:
    return _lines("schema:\n", f"  - {line}\n")


def _rules(line: str) -> Callable[[int], str]:
    return _lines(f"{_T}{_B}}}\n{_C}    quality:\n", f"      - {line}\n")


def _levels(line: str) -> Callable[[int], str]:
    return _lines(
        f"{_T}      - {{name: at, logicalType: timestamp}}\nslaProperties:\n", f"  - {line}\n"
    )


def _top(key: str, line: str) -> Callable[[int], str]:
    return _lines(f"{_T}{_C}{key}:\n", f"  - {line}\n")


def _own_rule(implementation: str) -> Callable[[int], str]:
    return _rules(f"{{type: custom, engine: contractwatch, implementation: {{{implementation}}}}}")


def _items(before: str, item: str, after: str) -> Callable[[int], str]:
    def made(count: int) -> str:
        listed = ", ".join(item.replace("NUMBER", str(at)) for at in range(count))
        return f"{HEAD}{before}{listed}{after}"

    return made


def _deep(count: int) -> str:
    """Return columns of twenty levels each."""
    one = "{name: z, logicalType: string, required: true}"
    for at in range(18):
        one = f"{{name: n{at}, logicalType: object, properties: [{one}]}}"
    lines = "".join(
        f"      - {{name: c{at}, logicalType: object, properties: [{one}]}}\n"
        for at in range(count // 10 + 1)
    )
    return f"{HEAD}{_T}{lines}"


def _aliases(count: int) -> str:
    first = "      - &one {name: a, logicalType: string, tags: [a, b, c], quality: [{metric: rowCount, mustBe: 1}]}\n"
    rest = "".join(
        f"      - {{name: c{at}, logicalType: object, properties: [*one]}}\n" for at in range(count)
    )
    return f"{HEAD}{_T}{first}{rest}"


def _chain(count: int) -> str:
    links = "".join(
        f"  - {{property: a{at}, value: {'&' if at == 0 else '*'}v{0}{' x' if at == 0 else ''}}}\n"
        for at in range(count)
    )
    return f"{HEAD}{_T}{_C}customProperties:\n{links}"


def _relationships_across(count: int) -> str:
    tables = "".join(
        f"  - {{name: t{at}, properties: [{{name: c, logicalType: integer, "
        f"relationships: [{{to: t{(at * 7 + 1) % count}.c}}]}}]}}\n"
        for at in range(count)
    )
    return f"{HEAD}schema:\n{tables}"


def _relationships_by_id(count: int) -> str:
    columns = "".join(
        f"      - {{name: c{at}, id: i{at}, logicalType: integer, "
        f"relationships: [{{to: schema/tt/properties/i{(at + 1) % count}}}]}}\n"
        for at in range(count)
    )
    return f"{HEAD}schema:\n  - name: t\n    id: tt\n    properties:\n{columns}"


def _composite(count: int) -> str:
    columns = "".join(f"      - {{name: c{at}, logicalType: integer}}\n" for at in range(count))
    pairs = "".join(
        f"      - {{from: [t.c{at}, t.c{(at + 1) % count}], to: [t.c{(at + 2) % count}, t.c{(at + 3) % count}]}}\n"
        for at in range(count)
    )
    return f"{HEAD}{_T}{columns}    relationships:\n{pairs}"


def _levels_of_tables(line: str) -> Callable[[int], str]:
    def made(count: int) -> str:
        tables = "".join(
            f"  - {{name: t{at}, properties: [{{name: at, logicalType: timestamp}}]}}\n"
            for at in range(count)
        )
        levels = "".join(f"  - {line.replace('NUMBER', str(at))}\n" for at in range(count))
        return f"{HEAD}schema:\n{tables}slaProperties:\n{levels}"

    return made


def _keys(count: int) -> str:
    return (
        HEAD
        + _T
        + "".join(
            f"      - {{name: c{at}, logicalType: integer, primaryKey: true, primaryKeyPosition: {at}}}\n"
            for at in range(count)
        )
    )


def _nested_relationships(count: int) -> str:
    members = ", ".join(
        f"{{name: m{at}, logicalType: integer, relationships: [{{to: t.b}}]}}"
        for at in range(count)
    )
    return f"{HEAD}{_T}{_B}}}\n      - {{name: o, logicalType: object, properties: [{members}]}}\n"


KINDS: dict[str, Callable[[int], str]] = {
    # columns
    "one name for all columns": _columns("{name: c, logicalType: number, required: true}"),
    "names that differ by case": lambda n: (
        HEAD
        + _T
        + "".join(
            f"      - {{name: '{''.join(c.upper() if at >> bit & 1 else c for bit, c in enumerate('abcdefghijkl'))}'}}\n"
            for at in range(min(n, 4096))
        )
    ),
    "columns without a name": _columns("{logicalType: number, required: true}"),
    "columns of one physical name": _columns(
        "{name: cNUMBER, physicalName: x, logicalType: number}"
    ),
    "every promise of a column": _columns(
        "{name: cNUMBER, logicalType: integer, required: true, unique: true, logicalTypeOptions: {minimum: 0, maximum: 9, multipleOf: 2}}"
    ),
    "own keys misspelt": _columns(
        "{name: cNUMBER, customProperties: [{property: contractwatch.timezne, value: 1}]}"
    ),
    "types misspelt": _columns("{name: cNUMBER, logicalType: nmber}"),
    "keys misspelt": _columns("{name: cNUMBER, logicalTyp: number, requird: true}"),
    "text where flags stand": _columns(
        "{name: cNUMBER, required: 'yes', unique: 'no', primaryKey: 1}"
    ),
    "columns that are texts": _columns("cNUMBER"),
    "columns that are lists": _columns("[a, b]"),
    "options of another type": _columns(
        "{name: cNUMBER, logicalType: string, logicalTypeOptions: {minimum: 1}}"
    ),
    "date formats that are none": _columns(
        "{name: cNUMBER, logicalType: date, logicalTypeOptions: {format: dd.mm.yyyyNUMBER}}"
    ),
    "zones that are none": _columns(
        "{name: cNUMBER, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europa/BerlinNUMBER}}"
    ),
    "patterns": _columns(
        "{name: cNUMBER, logicalType: string, logicalTypeOptions: {pattern: '^(a|b){1,NEXT}$'}}"
    ),
    "patterns that are none": _columns(
        "{name: cNUMBER, logicalType: string, logicalTypeOptions: {pattern: '(((NUMBER'}}"
    ),
    "encrypted twins": _columns("{name: cNUMBER, logicalType: string, encryptedName: cNEXT}"),
    "one key of many columns": _keys,
    "physical types": _columns(
        "{name: cNUMBER, physicalType: VARCHAR(NUMBER), logicalType: string}"
    ),
    "tags of columns": _columns("{name: cNUMBER, tags: [a, b, cNUMBER, a]}"),
    "duplicate keys": _columns(
        "{name: cNUMBER, name: dNUMBER, logicalType: string, logicalType: date}"
    ),
    # nested
    "deep columns": _deep,
    "members of one object": _items(
        f"{_T}      - {{name: o, logicalType: object, properties: [",
        "{name: mNUMBER, logicalType: string, required: true}",
        "]}\n",
    ),
    "members of one name": _items(
        f"{_T}      - {{name: o, logicalType: object, properties: [",
        "{name: m, logicalType: string}",
        "]}\n",
    ),
    "encrypted members": _items(
        f"{_T}      - {{name: o, logicalType: object, properties: [",
        "{name: mNUMBER, logicalType: string, encryptedName: x}",
        "]}\n",
    ),
    "arrays of objects": _columns(
        "{name: cNUMBER, logicalType: array, items: {logicalType: object, properties: [{name: x, logicalType: integer, unique: true}]}}"
    ),
    "maps": _columns(
        "{name: cNUMBER, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: integer}}}"
    ),
    "relationships of members": _nested_relationships,
    # tables
    "tables": _tables(
        "{name: tNUMBER, properties: [{name: a, logicalType: string, required: true}]}"
    ),
    "tables of one name": _tables("{name: t, properties: [{name: a}]}"),
    "tables of one physical name": _tables(
        "{name: tNUMBER, physicalName: x, properties: [{name: a}]}"
    ),
    "tables with conditions": _tables(
        "{name: tNUMBER, properties: [{name: a, logicalType: integer}], customProperties: [{property: contractwatch.where, value: a > NUMBER}]}"
    ),
    # enums
    "an enum of objects": _items(f"{_T}{_B}, enum: [", "{value: vNUMBER}", "]}\n"),
    "an enum of texts": _items(f"{_T}{_B}, enum: [", "vNUMBER", "]}\n"),
    "an enum of equal values": _items(f"{_T}{_B}, enum: [", "{value: v}", "]}\n"),
    "valid values": _items(
        f"{_T}{_B}, quality: [{{metric: invalidValues, mustBe: 0, arguments: {{validValues: [",
        "vNUMBER",
        "]}}]}\n",
    ),
    # rules
    "rules of one form": _rules("{metric: rowCount, mustBeGreaterThan: NUMBER}"),
    "equal rules": _rules("{metric: rowCount, mustBe: 1}"),
    "rules of one id": _rules("{id: same, metric: rowCount, mustBe: NUMBER}"),
    "rules that only tell": _rules("{type: text, description: dNUMBER}"),
    "metrics misspelt": _rules("{metric: rowCont, mustBe: NUMBER}"),
    "metrics of columns at tables": _rules("{metric: nullValues, mustBe: NUMBER}"),
    "rules without an operator": _rules("{metric: rowCount}"),
    "rules of many operators": _rules(
        "{metric: rowCount, mustBe: 1, mustNotBe: 2, mustBeLessThan: NUMBER}"
    ),
    "rules with units that are none": _rules("{metric: rowCount, mustBe: 1, unit: percnt}"),
    "rules of other engines": _rules("{type: custom, engine: soda, implementation: 'x > NUMBER'}"),
    "SQL": _rules("{type: sql, query: 'select count(*) from t where b is null', mustBe: NUMBER}"),
    "SQL of other tables": _rules(
        "{type: sql, query: 'select count(*) from othNUMBER', mustBe: 0}"
    ),
    "SQL that is none": _rules("{type: sql, query: 'selec count(* from tNUMBER', mustBe: 0}"),
    "duplicates of keys": _rules(
        "{metric: duplicateValues, mustBe: 0, arguments: {properties: [b, c]}}"
    ),
    "duplicates of unknown columns": _rules(
        "{metric: duplicateValues, mustBe: 0, arguments: {properties: [bNUMBER]}}"
    ),
    "own rules about personal data": _own_rule(
        "check: personalData, detectors: [email], mustBe: NUMBER"
    ),
    "own rules about coverage": _own_rule(
        "check: referenceCoverage, property: b, to: t.b, mustBeGreaterThan: 0.NUMBER"
    ),
    "own rules that lead nowhere": _own_rule(
        "check: referenceCoverage, property: b, to: t.xNUMBER, mustBeGreaterThan: 0"
    ),
    "own rules about segments": _own_rule(
        "check: segmentCompleteness, by: [b], expected: {values: [aNUMBER]}"
    ),
    "own rules misspelt": _own_rule("check: personalDta, mustBe: NUMBER"),
    # relationships
    "relationships of columns": _columns(
        "{name: cNUMBER, logicalType: integer, relationships: [{to: t.cNEXT}]}"
    ),
    "relationships by id": _relationships_by_id,
    "relationships across tables": _relationships_across,
    "relationships of several columns": _composite,
    "relationships that lead nowhere": _columns(
        "{name: cNUMBER, logicalType: integer, relationships: [{to: t.xNEXT}]}"
    ),
    "relationships to unknown tables": _columns(
        "{name: cNUMBER, logicalType: integer, relationships: [{to: uNUMBER.c}]}"
    ),
    "relationships to other contracts": _columns(
        "{name: cNUMBER, logicalType: integer, relationships: [{to: 'oNUMBER.odcs.yaml#t.c'}]}"
    ),
    "relationships of one column": _items(
        f"{_T}{_B}, relationships: [", "{to: t.b, id: rNUMBER}", "]}\n"
    ),
    "relationships that are equal": _items(f"{_T}{_B}, relationships: [", "{to: t.b}", "]}\n"),
    # service levels
    "latencies": _levels("{property: latency, value: NUMBER, unit: d, element: t.at}"),
    "service levels misspelt": _levels("{property: latncy, value: NUMBER, unit: d, element: t.at}"),
    "elements that are unknown": _levels(
        "{property: latency, value: 1, unit: d, element: t.xNUMBER}"
    ),
    "elements of many tables": _levels_of_tables(
        "{property: latency, value: 1, unit: d, element: tNUMBER.at}"
    ),
    "unknown elements of many tables": _levels_of_tables(
        "{property: latency, value: 1, unit: d, element: uNUMBER.at}"
    ),
    "units that are none": _levels(
        "{property: latency, value: 1, unit: dayyNUMBER, element: t.at}"
    ),
    "service levels of anything": _levels("{property: anythingNUMBER, value: NUMBER}"),
    # what is around
    "servers": _top("servers", "{server: sNUMBER, type: local, path: x, format: csv}"),
    "servers of one name": _top("servers", "{server: s, type: local, path: x, format: csv}"),
    "servers of an unknown type": _top("servers", "{server: sNUMBER, type: locl}"),
    "tags": _top("tags", "aNUMBER"),
    "custom properties": _top("customProperties", "{property: pNUMBER, value: NUMBER}"),
    "our custom properties": _top(
        "customProperties", "{property: contractwatch.schedul, value: NUMBER}"
    ),
    "our custom properties, again": _top(
        "customProperties",
        "{property: contractwatch.slo, value: [{objective: 99, dimension: validity}]}",
    ),
    "roles": _top("roles", "{role: rNUMBER, access: read}"),
    "roles misspelt": _top("roles", "{rle: rNUMBER, acces: read}"),
    "support channels": _top("support", "{channel: cNUMBER, url: 'https://example.org/NUMBER'}"),
    "team members": _lines(
        f"{_T}{_C}team:\n  name: x\n  members:\n", "    - {username: uNUMBER, role: owner}\n"
    ),
    "keys of the contract": _lines(f"{_T}{_C}", "unknown_NUMBER: x\n"),
    "the same key of the contract": _lines(f"{_T}{_C}", "tags: [a]\n"),
    "definitions": _top(
        "authoritativeDefinitions", "{url: 'https://example.org/NUMBER', type: canonical}"
    ),
    "aliases": _aliases,
    "aliases of a value": _chain,
    # long texts
    "one long name": lambda n: (
        f"{HEAD}schema:\n  - name: {'n' * (30 * n)}\n    properties:\n      - {{name: c, logicalType: integer}}\n"
    ),
    "one long description": lambda n: (
        f"{HEAD}description: {{purpose: '{'word ' * (6 * n)}'}}\n{_T}{_C}"
    ),
    "one long pattern": lambda n: (
        f"{HEAD}{_T}{_B}, logicalTypeOptions: {{pattern: '{'(a|b)?' * (5 * n)}'}}}}\n"
    ),
    "one long query": lambda n: (
        f"{HEAD}{_T}{_B}, quality: [{{type: sql, query: 'select count(*) from t where {' or '.join(['b is null'] * n)}', mustBe: 0}}]}}\n"
    ),
    "one long condition": lambda n: (
        f"{HEAD}schema:\n  - name: t\n    customProperties: [{{property: contractwatch.where, value: '{' + '.join(['c'] * n)} > 1'}}]\n    properties:\n{_C}"
    ),
    "one long reference": lambda n: (
        f"{HEAD}{_T}{_B}, relationships: [{{to: {'a.' * (10 * n)}b}}]}}\n"
    ),
    "one long element": lambda n: (
        f"{HEAD}{_T}{_C}slaProperties:\n  - {{property: latency, value: 1, unit: d, element: {'t.' * (10 * n)}c}}\n"
    ),
    "one long number": lambda n: (
        f"{HEAD}{_T}      - {{name: c, logicalType: number, logicalTypeOptions: {{minimum: {'9' * (20 * n)}}}}}\n"
    ),
    "one long cron": lambda n: (
        f"{HEAD}{_T}{_C}customProperties: [{{property: contractwatch.schedule, value: {{cron: '{','.join(['0'] * n)} * * * *'}}}}]\n"
    ),
    "one long list in brackets": lambda n: (
        f"{HEAD}tags: {'[' * min(n, 60)}{']' * min(n, 60)}\n{_T}{_C}"
    ),
    "brackets that never end": lambda n: f"{HEAD}{_T}{_C}x: {'[' * n}\n",
    "comments and blank lines": lambda n: (
        f"{HEAD}{'# ' + 'c' * 20}\n" * 1 + "\n# x\n" * n + f"{_T}{_C}"
    ),
}
