"""Read the `enum` of a column, cast to the column's type."""

from collections.abc import Iterator

from contractwatch.model.base.clause import Scalar
from contractwatch.model.promises.rule import TypeOption, TypeOptionKind
from contractwatch.odcs.columns.arguments import ColumnContext
from contractwatch.odcs.values.literals import NESTED, MistypedError, cast_scalar, have_one_type
from contractwatch.odcs.values.promises import promised
from contractwatch.odcs.yaml.node import Findings, YamlNode

_MAX_SHOWN = 5


def read_enum(node: YamlNode, context: ColumnContext, findings: Findings) -> tuple[TypeOption, ...]:
    """Read the `enum` of a column as a limit; an empty tuple if it has none."""
    listed = node.at("enum")
    if not listed.each():
        return ()
    if context.logical_type in NESTED:
        promise = promised("enum", context.table, context.column)
        findings.skip(listed, promise, f"enum of {context.logical_type} columns")
        return ()
    values = tuple(_values(listed, context, findings))
    if not have_one_type(values):
        message = "values of several types; expected one, or a 'logicalType' beside"
        findings.error(listed, message)
    return (TypeOption(listed.clause, TypeOptionKind.ENUM, _words(values), values=values),)


def _values(listed: YamlNode, context: ColumnContext, findings: Findings) -> Iterator[Scalar]:
    for entry in listed.each():
        item = entry.at("value")
        if item.value is None:
            continue
        try:
            yield cast_scalar(item.value, context.logical_type, zone=context.zone)
        except MistypedError as wrong:
            findings.error(item, str(wrong))


def _words(values: tuple[Scalar, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:_MAX_SHOWN])
    more = f" and {len(values) - _MAX_SHOWN} more" if len(values) > _MAX_SHOWN else ""
    return shown + more
