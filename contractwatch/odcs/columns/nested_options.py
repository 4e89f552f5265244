"""Read the type options of objects, arrays, maps and vectors."""

from dataclasses import replace

from contractwatch.model.promises.rule import Option, OptionKind
from contractwatch.odcs.values.units import number_of
from contractwatch.odcs.yaml.node import YamlNode

NESTED_KINDS = frozenset(
    {
        OptionKind.MIN_ITEMS,
        OptionKind.MAX_ITEMS,
        OptionKind.UNIQUE_ITEMS,
        OptionKind.MIN_PROPERTIES,
        OptionKind.MAX_PROPERTIES,
        OptionKind.REQUIRED_PROPERTIES,
        OptionKind.DIMENSIONS,
        OptionKind.ELEMENT_TYPE,
        OptionKind.NORMALIZED,
    }
)
_FLAGS = frozenset({OptionKind.UNIQUE_ITEMS, OptionKind.NORMALIZED})
_SIZES = NESTED_KINDS - _FLAGS - {OptionKind.REQUIRED_PROPERTIES, OptionKind.ELEMENT_TYPE}
_UNKNOWN_TYPES = frozenset({"bfloat16", "binary"})
"""Types of elements that no file declares."""


def kind_of(entry: YamlNode) -> str:
    """Return the kind of an option; `required` of an object is not the promise of its column."""
    name = entry.path.rpartition(".")[2]
    return OptionKind.REQUIRED_PROPERTIES if name == "required" else name


def is_executed(entry: YamlNode) -> bool:
    """Whether the option is one that is executed, or one that promises nothing."""
    if kind_of(entry) == OptionKind.ELEMENT_TYPE:
        return entry.value not in _UNKNOWN_TYPES
    return kind_of(entry) in NESTED_KINDS or entry.value is False


def nested_limit(entry: YamlNode) -> Option | None:
    """Return one option of a nested type as a limit; None if it promises nothing."""
    kind = kind_of(entry)
    if kind in _SIZES:
        size = None if isinstance(entry.value, str) else number_of(entry.value)
        return None if size is None else Option(entry.clause, OptionKind(kind), int(size))
    if kind == OptionKind.ELEMENT_TYPE:
        is_known = isinstance(entry.value, str) and is_executed(entry)
        return Option(entry.clause, OptionKind(kind), str(entry.value)) if is_known else None
    if kind in _FLAGS:
        return Option(entry.clause, OptionKind(kind), value=True) if entry.value is True else None
    members = tuple(item.value for item in entry.each() if isinstance(item.value, str))
    if kind != OptionKind.REQUIRED_PROPERTIES or not members:
        return None
    return Option(entry.clause, OptionKind(kind), ", ".join(members), members)


def with_physical_names(options: tuple[Option, ...], column: YamlNode) -> tuple[Option, ...]:
    """Return the options of a column with its members by the names that they have in the data."""
    physical = {
        entry.text("name"): entry.text("physicalName") or entry.text("name")
        for entry in column.at("properties").each()
    }
    return tuple(
        replace(option, members=tuple(physical.get(name, name) for name in option.members))
        for option in options
    )
