"""Apply predicates to values inside of objects and arrays.

A row violates once, however many of its values do; a null parent never violates.
"""

from collections.abc import Callable
from typing import TypeAlias, assert_never

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from contractwatch.engines.core.file_types import contract_word, has_entries, instance
from contractwatch.engines.core.json_tree import SIZE
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.model.base.path import ArrayItem, FieldPath, StructField
from contractwatch.model.measure.metric import (
    IsLarger,
    IsNotNormalized,
    IsSmaller,
    LacksMembers,
    PredicateOfWhole,
    RepeatsElements,
)

Judge: TypeAlias = Callable[[pl.Expr, pl.DataType], pl.Expr]
"""Returns whether a value of a type violates."""

MakeExpr: TypeAlias = Callable[[pl.Expr], pl.Expr]
"""Returns what is made of a value, or of the array of what was made of its elements."""

_UNIT_TOLERANCE = 1e-3
_NAMED_VALUES = (pl.Categorical, pl.Enum)
"""A tuple, for it is asked once a member: to build a union and ask it takes ten times as long."""


def any_violates(path: FieldPath, value: pl.Expr, dtype: pl.DataType, judge: Judge) -> pl.Expr:
    """Return whether any value at the end of a path violates; null or false if none does.

    Raises:
        UncastableError: If the type has no such path.
    """
    if not path:
        return judge(*_plain(value, dtype))
    if dtype == pl.Null:
        return _never(value)
    first, *rest = _through_entries(path, dtype)
    match first:
        case StructField():
            child, inner = member(first, value, dtype)
            return value.is_not_null() & any_violates(tuple(rest), child, inner, judge)
        case ArrayItem():
            items, inner = as_list(value, dtype)
            offending = any_violates(tuple(rest), pl.element(), inner, judge)
            return items.list.eval(offending.fill_null(value=False)).list.any()
        case _:
            assert_never(first)


def _through_entries(path: FieldPath, dtype: pl.DataType) -> FieldPath:
    """Return the path with a map's keys or values reached through its entries."""
    return (ArrayItem(), *path) if isinstance(path[0], StructField) and has_entries(dtype) else path


def values_at(path: FieldPath, value: pl.Expr, dtype: pl.DataType, leaf: Judge) -> pl.Expr:
    """Map each value at the end of a path by `leaf`, nested as their arrays.

    Args:
        path: The path.
        value: The cell.
        dtype: Its type.
        leaf: Returns what is made of a value of a type.

    Raises:
        UncastableError: If the type has no such path.
    """
    if not path:
        return leaf(*_plain(value, dtype))
    first, *rest = path
    match first:
        case StructField():
            child, inner = member(first, value, dtype)
            return values_at(tuple(rest), child, inner, leaf)
        case ArrayItem():
            items, inner = as_list(value, dtype)
            return items.list.eval(values_at(tuple(rest), pl.element(), inner, leaf))
        case _:
            assert_never(first)


def fold_arrays(values: pl.Expr, depth: int, made: MakeExpr, fold: MakeExpr) -> pl.Expr:
    """Fold values in nested arrays into one value a row.

    Args:
        values: As `values_at` returns them.
        depth: How many steps of their path are elements of arrays.
        made: What is made of each value.
        fold: How an array of that becomes one.
    """
    if not depth:
        return made(values)
    return fold(values.list.eval(fold_arrays(pl.element(), depth - 1, made, fold)))


def depth_of(path: FieldPath) -> int:
    """Return the number of array items on a path."""
    return sum(isinstance(step, ArrayItem) for step in path)


def member_at(
    path: tuple[StructField, ...], value: pl.Expr, dtype: pl.DataType
) -> tuple[pl.Expr, pl.DataType]:
    """Return the member at the end of a path into objects.

    Raises:
        UncastableError: If the type has no such path.
    """
    for step in path:
        value, dtype = member(step, value, dtype)
    return _plain(value, dtype)


def member(step: StructField, value: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, pl.DataType]:
    """Return the member of an object, by its exact name or the only one that differs in case.

    Raises:
        UncastableError: If the type has no such member.
    """
    name, inner = find_member(step, dtype)
    return value.struct.field(name), instance(inner)


def find_member(step: StructField, dtype: pl.DataType) -> tuple[str, DataType | DataTypeClass]:
    """Return the name and the type of a member, as `member` finds it.

    Raises:
        UncastableError: If the type has no such member.
    """
    if not isinstance(dtype, pl.Struct):
        raise UncastableError(f"values of type {contract_word(dtype)} have no members")
    alike = _members_of(dtype).get(step.name.lower(), {})
    name = step.name if step.name in alike else next(iter(alike)) if len(alike) == 1 else None
    if name is None:
        raise UncastableError("the object has no such member")
    return name, alike[name]


_Members: TypeAlias = dict[str, dict[str, DataType | DataTypeClass]]
_INDEXES: dict[int, tuple[pl.Struct, _Members]] = {}
_MAX_INDEXES = 64


def _members_of(dtype: pl.Struct) -> _Members:
    """Return the types of the members by name, below the name in lower case.

    Kept by the identity of the type: to hash or to compare one takes as long as to index it.
    """
    known = _INDEXES.get(id(dtype))
    if known is not None and known[0] is dtype:
        return known[1]
    members: _Members = {}
    for field in dtype.fields:
        members.setdefault(field.name.lower(), {})[field.name] = field.dtype
    if len(_INDEXES) >= _MAX_INDEXES:
        _INDEXES.clear()
    _INDEXES[id(dtype)] = (dtype, members)
    return members


def whole_value_violates(
    predicate: PredicateOfWhole, value: pl.Expr, dtype: pl.DataType
) -> pl.Expr:
    """Return whether an object or an array as a whole violates the predicate.

    Raises:
        UncastableError: If the type is neither, or not the one that is asked about.
    """
    if dtype == pl.Null:
        return _never(value)
    match predicate:
        case IsSmaller():
            return _size(value, dtype) < predicate.size
        case IsLarger():
            return _size(value, dtype) > predicate.size
        case RepeatsElements():
            return _repeats(predicate.path, value, dtype)
        case IsNotNormalized():
            return _has_other_length(value, dtype)
        case LacksMembers():
            return _lacks_members(predicate.members, value, dtype)
        case _:
            assert_never(predicate)


def _size(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Struct):
        if any(field.name == SIZE for field in dtype.fields):
            return pl.when(value.is_not_null()).then(value.struct.field(SIZE))
        present = [value.struct.field(field.name).is_not_null() for field in dtype.fields]
        size = pl.sum_horizontal(present) if present else value.is_null().cast(pl.UInt32)
        return pl.when(value.is_not_null()).then(size)
    return as_list(value, dtype)[0].list.len()


def _repeats(path: FieldPath, value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    items, inner = as_list(value, dtype)
    element = pl.element()
    for step in path:
        if isinstance(step, ArrayItem):
            raise UncastableError("an array inside an array has no single value for each element")
        element, inner = member(step, element, inner)
    if inner == pl.Null:
        return _never(value)
    present = items.list.eval(element).list.drop_nulls() if path else items.list.drop_nulls()
    return present.list.n_unique() < present.list.len()


def _has_other_length(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    items, inner = as_list(value, dtype)
    if not inner.is_numeric():
        raise UncastableError(f"values of type {contract_word(inner)} have no length as a vector")
    squares = items.list.eval(pl.element().cast(pl.Float64) ** 2).list.sum()
    return value.is_not_null() & ~((squares.sqrt() - 1).abs() <= _UNIT_TOLERANCE)


def _lacks_members(members: tuple[str, ...], value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    lacking: list[pl.Expr] = []
    if isinstance(dtype, pl.List) and has_entries(dtype):  # a map: its members are its keys
        keys, inner = member(StructField("key"), pl.element(), instance(dtype.inner))
        if inner != pl.String:
            raise UncastableError(f"keys of type {contract_word(inner)} are no names of members")
        known = value.list.eval(keys)
        absent = [~known.list.contains(name) for name in members]
        return value.is_not_null() & pl.any_horizontal(_never(value), *absent)
    for name in members:
        try:
            lacking.append(member(StructField(name), value, dtype)[0].is_null())
        except UncastableError:
            if not isinstance(dtype, pl.Struct):
                raise
            return value.is_not_null()
    return value.is_not_null() & pl.any_horizontal(_never(value), *lacking)


def as_list(value: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, pl.DataType]:
    """Return an array as a list, and the type of its elements.

    Raises:
        UncastableError: If the type has no elements.
    """
    if isinstance(dtype, pl.List):
        return value, instance(dtype.inner)
    if isinstance(dtype, pl.Array):
        return value.arr.to_list(), instance(dtype.inner)
    raise UncastableError(f"values of type {contract_word(dtype)} have no elements")


def _plain(value: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, pl.DataType]:
    if isinstance(dtype, _NAMED_VALUES):
        return value.cast(pl.String), pl.String()
    return value, dtype


def _never(value: pl.Expr) -> pl.Expr:
    return value.is_null() & value.is_not_null()
