"""Read the type options of objects, arrays, maps and vectors."""

from dataclasses import replace

from contractwatch.model.promises.rule import TypeOption, TypeOptionKind
from contractwatch.odcs.values.units import parse_number
from contractwatch.odcs.yaml.node import YamlNode

NESTED_KINDS = frozenset(
    {
        TypeOptionKind.MIN_ITEMS,
        TypeOptionKind.MAX_ITEMS,
        TypeOptionKind.UNIQUE_ITEMS,
        TypeOptionKind.MIN_PROPERTIES,
        TypeOptionKind.MAX_PROPERTIES,
        TypeOptionKind.REQUIRED_PROPERTIES,
        TypeOptionKind.DIMENSIONS,
        TypeOptionKind.ELEMENT_TYPE,
        TypeOptionKind.NORMALIZED,
    }
)
_FLAGS = frozenset({TypeOptionKind.UNIQUE_ITEMS, TypeOptionKind.NORMALIZED})
_SIZES = NESTED_KINDS - _FLAGS - {TypeOptionKind.REQUIRED_PROPERTIES, TypeOptionKind.ELEMENT_TYPE}
_UNKNOWN_TYPES = frozenset({"bfloat16", "binary"})
"""Types of elements that no file declares."""


def option_kind(entry: YamlNode) -> str:
    """Return the kind of an option; `required` of an object is `requiredProperties` here."""
    name = entry.path.rpartition(".")[2]
    return TypeOptionKind.REQUIRED_PROPERTIES if name == "required" else name


def is_executed(entry: YamlNode) -> bool:
    """Return whether an option is checked, or promises nothing that could be checked."""
    if option_kind(entry) == TypeOptionKind.ELEMENT_TYPE:
        return entry.value not in _UNKNOWN_TYPES
    return option_kind(entry) in NESTED_KINDS or entry.value is False


def nested_limit(entry: YamlNode) -> TypeOption | None:
    """Return one option of a nested type as a limit; None if it promises nothing."""
    kind = option_kind(entry)
    if kind in _SIZES:
        size = None if isinstance(entry.value, str) else parse_number(entry.value)
        return None if size is None else TypeOption(entry.clause, TypeOptionKind(kind), int(size))
    if kind == TypeOptionKind.ELEMENT_TYPE:
        is_known = isinstance(entry.value, str) and is_executed(entry)
        return (
            TypeOption(entry.clause, TypeOptionKind(kind), str(entry.value)) if is_known else None
        )
    if kind in _FLAGS:
        return (
            TypeOption(entry.clause, TypeOptionKind(kind), value=True)
            if entry.value is True
            else None
        )
    members = tuple(item.value for item in entry.each() if isinstance(item.value, str))
    if kind != TypeOptionKind.REQUIRED_PROPERTIES or not members:
        return None
    return TypeOption(entry.clause, TypeOptionKind(kind), ", ".join(members), members)


def with_physical_names(
    options: tuple[TypeOption, ...], column: YamlNode
) -> tuple[TypeOption, ...]:
    """Return the options with the members that they name under their physical names."""
    physical = {
        entry.text("name"): entry.text("physicalName") or entry.text("name")
        for entry in column.at("properties").each()
    }
    return tuple(
        replace(option, members=tuple(physical.get(name, name) for name in option.members))
        for option in options
    )
