"""Read the tables of a contract: columns, type options, rules, keys, relationships."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter

from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Column, LogicalType, PrimaryKey, Table
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION
from contractwatch.model.promises.rule import Rule
from contractwatch.odcs.columns.arguments import ColumnContext
from contractwatch.odcs.columns.enumeration import read_enum
from contractwatch.odcs.columns.nested_options import with_physical_names
from contractwatch.odcs.columns.options import read_options
from contractwatch.odcs.rules.rules import read_rules
from contractwatch.odcs.schema.affected_clauses import EXTRA_COLUMNS_SUFFIX
from contractwatch.odcs.schema.comparisons import with_comparisons
from contractwatch.odcs.schema.native_checks import with_native_checks
from contractwatch.odcs.schema.nested import SchemaField, read_nested, walk_fields
from contractwatch.odcs.schema.queries import read_where, with_queries
from contractwatch.odcs.schema.relationships import with_relationships
from contractwatch.odcs.values.literals import NESTED, logical_type_of
from contractwatch.odcs.values.names import check_table_name
from contractwatch.odcs.values.promises import promised
from contractwatch.odcs.values.units import parse_number
from contractwatch.odcs.yaml.node import Findings, YamlNode
from contractwatch.odcs.yaml.unique_names import check_unique, with_names

_MEASURE_REASON = "measures are no columns"
_NO_POSITION = 1_000_000


@dataclass(frozen=True)
class TablePrefixIndex:
    """The tables of a contract in the order of the file, with an index by name.

    It has no slots, because the index is a cached property: service levels may be many.
    """

    tables: tuple[Table, ...] = ()

    def tables_prefixing(self, written: str) -> list[tuple[Table, str]]:
        """Return the tables whose name is the text or its start before a dot, each with that name.

        Matches by name come first, then those by physical name.
        """
        dots = [at for at, letter in enumerate(written[: self._longest + 1]) if letter == "."]
        if len(dots) > len(self._by_name):
            names = [one for one in self._by_name if f"{written}.".startswith(f"{one}.")]
        else:
            names = [written, *(written[:at] for at in dots)]
        found = [one for name in dict.fromkeys(names) for one in self._by_name.get(name, ())]
        return [(table, name) for _, table, name in sorted(found, key=itemgetter(0))]

    @cached_property
    def _by_name(self) -> Mapping[str, list[tuple[int, Table, str]]]:
        found: dict[str, list[tuple[int, Table, str]]] = {}
        physical = ((table.physical_name, table) for table in self.tables)
        pairs = (*((table.name, table) for table in self.tables), *physical)
        for at, (name, table) in enumerate(pairs):
            found.setdefault(name, []).append((at, table, name))
        return found

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._by_name), default=0)


def read_tables(root: YamlNode, zone: str, findings: Findings) -> TablePrefixIndex:
    """Read the tables of a contract.

    Args:
        root: The contract.
        zone: In which naive timestamps are taken where a column names no zone.
        findings: Receives the problems and the skipped clauses.
    """
    nodes = with_names(root.at("schema"), "name", findings)
    for key, what in (("name", "table"), ("id", "id")):
        check_unique(nodes, key, what, findings)
    for node in nodes:
        check_table_name(node.at("name"), node.text("name"), findings)
    tables: list[Table] = []
    for node in nodes:
        table = _read_table(node, zone, findings)
        is_open = f"{node.path}{EXTRA_COLUMNS_SUFFIX}" in findings.removed_paths
        table = replace(table, closed_clause=None if is_open else _closed_clause(root, node))
        tables.append(replace(table, where=read_where(node, table, findings)))
    found = with_queries(nodes, tables, findings)
    found = with_relationships(nodes, found, findings)
    found = with_native_checks(nodes, found, findings)
    return TablePrefixIndex(with_comparisons(nodes, found, findings))


def _read_table(node: YamlNode, zone: str, findings: Findings) -> Table:
    name = node.text("name")
    columns = with_names(node.at("properties"), "name", findings)
    for key, what in (("name", "column"), ("id", "id")):
        check_unique(columns, key, what, findings)
    check_unique(node.at("quality").each(), "id", "id", findings)
    key = _primary_key(columns, name, findings)
    context = ColumnContext(
        table=name,
        column=None,
        logical_type=None,
        zone=zone,
        columns={one.name: logical_type_of(one.node) for one in _scalar_fields(columns)},
        key=key.columns if key else (),
    )
    read = [_read_column(entry, context, findings) for entry in columns]
    rules = read_rules(node.at("quality"), context, findings)
    return Table(
        clause=node.clause,
        name=name,
        physical_name=node.text("physicalName") or name,
        columns=tuple(column for column in read if column is not None),
        primary_key=_executable_key(key, node, context, findings),
        rules=rules,
        description=node.text("description"),
        table_id=node.text("id"),
    )


def _primary_key(columns: list[YamlNode], table: str, findings: Findings) -> PrimaryKey | None:
    members: list[tuple[float, SchemaField]] = []
    for one in _scalar_fields(columns):
        if one.node.flag("primaryKey"):
            position = parse_number(one.node.at("primaryKeyPosition").value)
            members.append(
                (position if position is not None and position > 0 else _NO_POSITION, one)
            )
    if not members:
        return None
    first = members[0][1].node
    positions = [position for position, _ in members if position != _NO_POSITION]
    if len(set(positions)) < len(positions):
        message = f"two columns of the key of '{table}' have one position; expected different ones"
        findings.warn(first.at("primaryKeyPosition"), message)
    ordered = sorted(members, key=lambda member: member[0])
    return PrimaryKey(first.at("primaryKey").clause, tuple(one.name for _, one in ordered))


def _scalar_fields(columns: list[YamlNode]) -> Iterator[SchemaField]:
    """Yield the columns and the members of objects: what a row has one value of."""
    for column in columns:
        yield from (one for one in walk_fields(column) if not one.in_array)


def _executable_key(
    key: PrimaryKey | None, node: YamlNode, context: ColumnContext, findings: Findings
) -> PrimaryKey | None:
    """Return the primary key, unless values of a member's type cannot be compared."""
    nested = [name for name in key.columns if context.columns[name] in NESTED] if key else []
    if key is None or not nested:
        return key
    at = YamlNode(node.document, key.clause.path, None)
    why = f"keys of {context.columns[nested[0]]} columns"
    findings.skip(at, promised("primaryKey", context.table), why)
    return None


def _read_column(node: YamlNode, of_table: ColumnContext, findings: Findings) -> Column | None:
    name, logical_type = node.text("name"), logical_type_of(node)
    table = of_table.table
    options = read_options(
        node.at("logicalTypeOptions"),
        logical_type,
        owner=(table, name),
        zone=of_table.zone,
        findings=findings,
    )
    context = replace(of_table, column=name, logical_type=logical_type, zone=options.timezone)
    check_unique(node.at("quality").each(), "id", "id", findings)
    check_unique(node.at("properties").each(), "name", "column", findings)
    column = Column(
        clause=node.clause,
        name=name,
        physical_name=node.text("physicalName") or name,
        logical_type=logical_type,
        type_clause=node.at("logicalType").clause if logical_type else None,
        required_clause=node.at("required").clause if node.flag("required") else None,
        unique_clause=node.at("unique").clause if node.flag("unique") else None,
        options=with_physical_names(options.limits, node) + read_enum(node, context, findings),
        rules=read_rules(node.at("quality"), context, findings),
        default_timezone=options.timezone,
        timezone_aware=options.timezone_aware,
        parse_format=options.parse_format,
        binary=options.binary,
        classification=node.text("classification"),
        critical=bool(node.flag("criticalDataElement")),
        partitioned=bool(node.flag("partitioned")),
        description=node.text("description"),
        column_id=node.text("id"),
        physical_type=node.text("physicalType"),
        physical_clause=node.at("physicalType").clause if node.text("physicalType") else None,
        optional=bool(node.text("encryptedName")),
        encrypted_name=node.text("encryptedName"),
        encrypted_name_clause=node.at("encryptedName").clause
        if node.text("encryptedName")
        else None,
        nested=read_nested(node, context, findings),
    )
    if node.text("semanticType") != "measure":
        return column
    _skip_measure(table, replace(column, type_clause=None), _MEASURE_REASON, findings)
    return None


def _closed_clause(root: YamlNode, node: YamlNode) -> Clause | None:
    mode = node.extension("schemaMode") or root.extension("schemaMode")
    return mode.clause if mode is not None and mode.value == "closed" else None


def _skip_measure(table: str, column: Column, why: str, findings: Findings) -> Column:
    owner = (table, column.name)
    for clause, kind in _clauses(column):
        _skip_at(clause, kind, owner, why, findings)
    for rule in column.rules:
        _skip_rule(rule, owner, why, findings)
    return replace(
        column,
        logical_type=None,
        type_clause=None,
        required_clause=None,
        unique_clause=None,
        options=(),
        rules=(),
        timezone_aware=None,
        nested=tuple(_skip_measure(table, inner, why, findings) for inner in column.nested),
    )


def _clauses(column: Column) -> Iterator[tuple[Clause, str]]:
    of_column = (
        (column.type_clause, "type"),
        (column.required_clause, "required"),
        (column.unique_clause, "unique"),
    )
    yield from ((clause, kind) for clause, kind in of_column if clause is not None)
    yield from ((option.clause, option.kind) for option in column.options)


def _skip_at(
    clause: Clause, kind: str, owner: tuple[str, str | None], why: str, findings: Findings
) -> None:
    node = YamlNode(findings.document, clause.path, None)
    findings.skip(node, promised(kind, *owner), why)


def _skip_rule(rule: Rule, owner: tuple[str, str | None], why: str, findings: Findings) -> None:
    promise = promised(rule.metric, *owner, severity=rule.severity, rule_id=rule.rule_id)
    if rule.dimension is not None:
        objective = OBJECTIVE_OF_DIMENSION[rule.dimension]
        promise = replace(promise, dimension=rule.dimension, objective=objective)
    findings.skip(YamlNode(findings.document, rule.clause.path, None), promise, why)


def temporal_columns(tables: tuple[Table, ...]) -> list[tuple[Table, Column]]:
    """Return the partitioned date and timestamp columns of all tables."""
    kinds = {LogicalType.DATE, LogicalType.TIMESTAMP}
    return [
        (table, column)
        for table in tables
        for column in table.columns
        if column.partitioned and column.logical_type in kinds
    ]
