"""Read the promises about what is inside objects, arrays and maps, at any depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import ArrayItem, FieldPath, Step, StructField, struct_fields
from contractwatch.model.contract.contract import Column
from contractwatch.odcs.columns.arguments import ColumnContext
from contractwatch.odcs.columns.enumeration import read_enum
from contractwatch.odcs.columns.nested_options import with_physical_names
from contractwatch.odcs.columns.options import read_options
from contractwatch.odcs.rules.rules import read_rules
from contractwatch.odcs.values.literals import logical_type_of
from contractwatch.odcs.values.promises import promised
from contractwatch.odcs.yaml.node import Findings, YamlNode
from contractwatch.odcs.yaml.unique_names import check_unique, with_names

_KEY, _VALUE = "key", "value"


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A column, or a field below one: its contract name, its ids, and its physical path.

    `top` is the node of the column.
    """

    node: YamlNode
    name: str
    id_path: str
    top: YamlNode
    path: FieldPath = ()
    is_part: bool = False
    """Whether it is the items of an array, or the keys or values of a map: it is always present."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The physical names from the column to the field."""
        return (_physical_name(self.top), *(step.name for step in struct_fields(self.path)))

    @property
    def in_array(self) -> bool:
        """Return whether the field is inside an array: a row may have several values of it."""
        return ArrayItem() in self.path

    @property
    def is_key(self) -> bool:
        """Return whether this is the key of a map, which is always present and unique."""
        return self.is_part and self.path[-1] == StructField(_KEY)


def read_nested(column: YamlNode, context: ColumnContext, findings: Findings) -> tuple[Column, ...]:
    """Read every field below a top-level column."""
    physical = column.text("physicalName") or column.text("name")
    return tuple(_read_below(_top_field(column), physical, context, findings))


def walk_fields(column: YamlNode) -> Iterator[SchemaField]:
    """Yield a top-level column and every field below it, in the order of the file."""
    top = _top_field(column)
    yield top
    yield from _walk_below(top)


def _top_field(column: YamlNode) -> SchemaField:
    name = column.text("name")
    return SchemaField(column, name, column.text("id") or name, column)


def _walk_below(parent: SchemaField) -> Iterator[SchemaField]:
    for inner in _children(parent):
        yield inner
        yield from _walk_below(inner)


def _skip_unsupported(inner: SchemaField, context: ColumnContext, findings: Findings) -> None:
    """Add promises that a nested field cannot have as skipped."""
    node = inner.node
    if node.flag("primaryKey") and inner.in_array:
        promise = promised("primaryKey", context.table, context.column)
        findings.skip(node.at("primaryKey"), promise, "keys inside arrays")
    if node.text("encryptedName") and not node.has("name"):
        promise = promised(
            "presence", context.table, context.column, expected="its twin is present"
        )
        findings.skip(node.at("encryptedName"), promise, "encryptedName of what has no name")


def _read_below(
    parent: SchemaField, physical: str, context: ColumnContext, findings: Findings
) -> Iterator[Column]:
    with_names(parent.node.at("properties"), "name", findings)
    physical_names = _physical_names(parent.node)
    for inner in _children(parent):
        check_unique(inner.node.at("properties").each(), "name", "column", findings)
        column = _read_column(inner, physical, context, findings)
        if inner.node.text("encryptedName") and inner.node.has("name"):
            column = _with_twin(column, inner.node, physical_names)
        yield column
        zone = column.default_timezone
        yield from _read_below(inner, physical, replace(context, zone=zone), findings)


def _children(parent: SchemaField) -> Iterator[SchemaField]:
    node, name, id_path, path = parent.node, parent.name, parent.id_path, parent.path

    def below(child: YamlNode, name: str, id_path: str, *steps: Step) -> SchemaField:
        return SchemaField(child, name, id_path, parent.top, (*path, *steps))

    for entry in node.at("properties").each():
        written = entry.text("name")
        if written:
            child_ids = f"{id_path}/properties/{entry.text('id') or written}"
            yield below(entry, f"{name}.{written}", child_ids, StructField(_physical_name(entry)))
    if node.has("items"):
        yield replace(below(node.at("items"), f"{name}[]", id_path, ArrayItem()), is_part=True)
    entries = node.at("map")
    for part in filter(entries.has, (_KEY, _VALUE)):
        steps = (ArrayItem(), StructField(part))
        inner = below(entries.at(part), f"{name}.{part}", f"{id_path}/map/{part}", *steps)
        yield replace(inner, is_part=True)


def _physical_name(entry: YamlNode) -> str:
    return entry.text("physicalName") or entry.text("name")


def _physical_names(parent: YamlNode) -> dict[str, str]:
    """Return the physical names of members by their names; the first of each name."""
    found: dict[str, str] = {}
    for one in parent.at("properties").each():
        found.setdefault(one.text("name"), _physical_name(one))
    return found


def _with_twin(column: Column, node: YamlNode, physical_names: Mapping[str, str]) -> Column:
    """Return the column with the physical name of the member that has its encrypted value."""
    written = node.text("encryptedName")
    clause = node.at("encryptedName").clause
    return replace(
        column, encrypted_name=physical_names.get(written, written), encrypted_name_clause=clause
    )


def _read_column(
    inner: SchemaField, physical: str, of_outer: ColumnContext, findings: Findings
) -> Column:
    node, name, logical_type = inner.node, inner.name, logical_type_of(inner.node)
    options = read_options(
        node.at("logicalTypeOptions"),
        logical_type,
        owner=(of_outer.table, name),
        zone=of_outer.zone,
        findings=findings,
    )
    context = replace(
        of_outer,
        column=name,
        logical_type=logical_type,
        zone=options.timezone,
        in_array=inner.in_array,
    )
    _skip_unsupported(inner, context, findings)
    return Column(
        clause=node.clause,
        name=name,
        physical_name=physical,
        logical_type=logical_type,
        type_clause=node.at("logicalType").clause if logical_type else None,
        required_clause=_flag_clause("required", inner),
        unique_clause=_flag_clause("unique", inner),
        options=with_physical_names(options.limits, node) + read_enum(node, context, findings),
        rules=read_rules(node.at("quality"), context, findings),
        default_timezone=options.timezone,
        timezone_aware=options.timezone_aware,
        parse_format=options.parse_format,
        binary=options.binary,
        classification=node.text("classification"),
        critical=bool(node.flag("criticalDataElement")),
        description=node.text("description"),
        optional=inner.is_part or _may_be_absent(node),
        column_id=inner.id_path,
        path=inner.path,
    )


def _may_be_absent(node: YamlNode) -> bool:
    return bool(node.text("encryptedName")) or node.text("semanticType") == "measure"


def _flag_clause(key: str, inner: SchemaField) -> Clause | None:
    if inner.node.flag(key):
        return inner.node.at(key).clause
    return inner.node.clause if inner.is_key else None
