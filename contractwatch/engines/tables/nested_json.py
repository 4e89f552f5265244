"""Apply predicates to values inside of JSON cells, each parsed to its promised type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from contractwatch.engines.core.json_tree import (
    UNPROMISED,
    JsonNode,
    json_tree,
    names_alike,
    observed_type,
)
from contractwatch.engines.formats import readers
from contractwatch.engines.formats.json_rows import (
    JsonText,
    Lines,
    note_columns,
    present_paths,
    scan,
)
from contractwatch.engines.predicates import text
from contractwatch.engines.predicates.expressions import ColumnView, violates
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.predicates.nested import Judge, any_violates
from contractwatch.engines.predicates.object_columns import JudgeColumns, MemberColumns, ObjectIndex
from contractwatch.model.base.path import FieldPath
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Column
from contractwatch.model.contract.dataset import TableFiles
from contractwatch.model.measure.metric import (
    Inside,
    IsNotNormalized,
    IsNull,
    Predicate,
    RepeatsElements,
)
from contractwatch.model.measure.state import ColumnType


@dataclass(frozen=True, slots=True)
class JsonTable:
    """A table of JSON files: rows, types of flat columns, and nested columns.

    `types` and `cells` of the nested columns are by the name that each has in the contract.
    """

    rows: pl.LazyFrame
    flat: dict[str, pl.DataType]
    types: tuple[ColumnType, ...]
    cells: dict[str, ColumnView]
    has_rows: bool


def has_nested_promises(files: TableFiles) -> bool:
    """Return whether the contract promises something inside of JSON values."""
    return files.data_format is DataFormat.JSON and bool(_trees(files.columns))


def open_json_table(files: TableFiles, partitions: Sequence[Mapping[str, str | None]]) -> JsonTable:
    """Return the table; reads rows until all members were seen.

    Args:
        files: The table.
        partitions: The columns that each file has by its folders.

    Raises:
        OSError, UnicodeError, PolarsError: If a file is no such JSON.
        SourceError: If an object of a store cannot be read.
    """
    trees = _trees(files.columns)
    texts: list[JsonText] = []
    keys: dict[str, None] = {}
    for file, partition in zip(files.files, partitions, strict=True):
        opened = readers.open_file(files, file)
        keys.update(dict.fromkeys(name for name, _ in opened.schema))
        keys.update(dict.fromkeys(partition))
        if not opened.is_empty:
            texts.append(JsonText(Lines(opened.source, files.remote), partition))
    named = {name: tree for name, tree in trees.items() if _find(keys, name, tree)}
    taken = {_find(keys, name, tree) for name, tree in named.items()}
    flat = [name for name in keys if name not in taken]
    rows, types = scan(texts, flat, named)
    seen = present_paths(texts, named)
    return JsonTable(
        rows,
        {name: types[name] for name in flat},
        tuple(observed_type(tree, name, seen[name]) for name, tree in named.items()),
        {name: nested_view(tree, name, pl.col(name)) for name, tree in named.items()},
        has_rows=bool(texts),
    )


def _find(keys: Mapping[str, None], name: str, tree: JsonNode) -> str | None:
    if name in keys:
        return name
    if tree.is_exact:
        return None
    alike = [key for key in keys if key.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def _trees(columns: Sequence[Column]) -> dict[str, JsonNode]:
    alike = names_alike((c.physical_name.lower(), c.physical_name) for c in columns)
    found = ((column.physical_name, json_tree(column)) for column in columns)
    trees = {name: tree for name, tree in found if tree is not None}
    for name, tree in trees.items():
        tree.is_exact = name.lower() in alike
    return trees


def nested_view(tree: JsonNode, name: str, raw: pl.Expr) -> ColumnView:
    """Return a column as it is compared.

    Args:
        tree: What is promised of its values.
        name: Under which they stand in the rows, laid out along the tree.
        raw: The column as the file has it.
    """
    value, dtype = _typed_value(tree, pl.col(name))
    nodes = {node.path: node for node in tree.walk()}
    notes = {what: note_columns(tree, name, what) for what in ("mismatched", "null")}
    within = _NestedColumn(tree, name, tree.dtype(), nodes, notes)
    return ColumnView(raw, value, dtype, ~within.type_mismatches(()), within=within)


@dataclass(frozen=True, slots=True)
class _NestedColumn:
    """Nested column whose values have the shape of a JSON tree.

    `nodes` is the tree by path, and `dtype` its type; `notes` are the columns that say of a row
    whether a value is mismatched or null, by kind and path.
    """

    tree: JsonNode
    name: str
    dtype: pl.DataType
    nodes: Mapping[FieldPath, JsonNode]
    notes: Mapping[str, Mapping[FieldPath, str]]

    def type_mismatches(self, path: FieldPath) -> pl.Expr:
        """Return whether a value at a path does not have the promised type."""
        return self._type_mismatches(path, _over_objects)[0]

    def type_mismatches_over_columns(
        self, path: FieldPath, objects: ObjectIndex
    ) -> tuple[pl.Expr, MemberColumns]:
        """Return what `type_mismatches` does, over members as columns, and those columns."""
        return self._type_mismatches(path, objects.offends)

    def is_well_typed(self, path: FieldPath) -> pl.Expr:
        """Return whether a value and all values inside of it have the promised types."""
        typed = (
            self.type_mismatches(node.path)
            for node in self.nodes.values()
            if node.path[: len(path)] == path and _is_typed(node)
        )
        return ~pl.any_horizontal(pl.lit(value=False), *typed)

    def violates(self, predicate: Predicate) -> pl.Expr:
        """Return what `expressions.violates` does.

        Raises:
            UncastableError: If a value of the contract has no meaning in the promised type.
        """
        return self._violates(predicate, _over_objects)[0]

    def violates_over_columns(
        self, predicate: Predicate, objects: ObjectIndex
    ) -> tuple[pl.Expr, MemberColumns]:
        """Return what `expressions.violates_over_columns` does.

        Raises:
            UncastableError: If a value of the contract has no meaning in the promised type.
        """
        return self._violates(predicate, objects.offends)

    def _type_mismatches(
        self, path: FieldPath, over: JudgeColumns
    ) -> tuple[pl.Expr, MemberColumns]:
        mismatched = self._noted("mismatched", path)
        node = self.nodes.get(path, self.tree)
        if node.kind != "scalar":
            return mismatched, MemberColumns()

        def judge(value: pl.Expr, _: pl.DataType) -> pl.Expr:
            parsed = text.parse(value, node.column) if node.column else None
            if parsed is None:
                return value.is_null() & value.is_not_null()
            if parsed.refused:
                raise UncastableError(parsed.refused)
            return ~parsed.readable

        unread, members = over(self.name, path, self.dtype, judge)
        return mismatched | unread.fill_null(value=False), members

    def _violates(self, predicate: Predicate, over: JudgeColumns) -> tuple[pl.Expr, MemberColumns]:
        path: FieldPath = predicate.path if isinstance(predicate, Inside) else ()
        asked = predicate.predicate if isinstance(predicate, Inside) else predicate
        node = self.nodes.get(path)
        is_whole = node is not None and node.kind != "scalar"
        if isinstance(asked, IsNull) and is_whole:
            return self._noted("null", path), MemberColumns()
        if isinstance(asked, RepeatsElements | IsNotNormalized):
            value, dtype = _typed_value(self.tree, pl.col(self.name))
            found = any_violates(
                path, value, dtype, lambda v, d: violates(asked, ColumnView(v, v, d))
            )
            return found, MemberColumns()

        def judge(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
            parsed = text.parse(value, node.column) if node and node.column else None
            if is_whole or parsed is None:
                return violates(asked, ColumnView(value, value, dtype))
            return violates(asked, _parsed_cells(value, parsed))

        return over(self.name, path, self.dtype, judge)

    def _noted(self, what: str, path: FieldPath) -> pl.Expr:
        column = self.notes[what].get(path)
        if column is None:
            raise UncastableError("another property promises other values inside this column")
        return pl.col(column).fill_null(value=False)


def _over_objects(
    column: str, path: FieldPath, dtype: pl.DataType, judge: Judge
) -> tuple[pl.Expr, MemberColumns]:
    return any_violates(path, pl.col(column), dtype, judge), MemberColumns()


def _parsed_cells(value: pl.Expr, parsed: text.ParsedText) -> ColumnView:
    return ColumnView(value, parsed.value, parsed.dtype, parsed.readable, refused=parsed.refused)


def _is_typed(node: JsonNode) -> bool:
    return node.kind != "scalar" or bool(node.column and node.column.logical_type)


def _typed_value(node: JsonNode, value: pl.Expr) -> tuple[pl.Expr, pl.DataType]:
    """Return a value in its promised type, null where it cannot be read so."""
    if node.kind == "scalar":
        parsed = text.parse(value, node.column) if node.column else None
        return (value, pl.String()) if parsed is None else (parsed.value, parsed.dtype)
    if node.kind == "object":
        return _typed_object(node, value)
    if node.element is None:
        return value, node.dtype()
    element, dtype = _typed_value(node.element, pl.element())
    return value.list.eval(element), pl.List(dtype)


def _typed_object(node: JsonNode, value: pl.Expr) -> tuple[pl.Expr, pl.DataType]:
    if not node.members:
        return value, node.dtype()
    inner = {
        name: _typed_value(child, value.struct.field(name)) for name, child in node.members.items()
    }
    if node.is_compared:
        inner[UNPROMISED] = value.struct.field(UNPROMISED), pl.String()
    whole = pl.struct(expression.alias(name) for name, (expression, _) in inner.items())
    dtype = pl.Struct({name: kind for name, (_, kind) in inner.items()})
    return pl.when(value.is_not_null()).then(whole), dtype
