"""Check values against the limits of their column's `logicalTypeOptions`."""

from collections.abc import Callable, Iterator, Mapping

from contractwatch.checks.common.counts import ViolatingRowsCheck
from contractwatch.checks.common.promise_builder import Kind, columns_of, promise_of
from contractwatch.checks.common.text_formats import FORMAT_PATTERNS, INTEGER_RANGES
from contractwatch.checks.common.thresholds import NONE_AT_ALL, number_words
from contractwatch.checks.values.element_type import ElementTypeCheck
from contractwatch.model.base.clause import Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import Column, Contract, LogicalType
from contractwatch.model.measure.metric import (
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLarger,
    IsLonger,
    IsNotMultiple,
    IsNotNormalized,
    IsShorter,
    IsSmaller,
    LacksMembers,
    Predicate,
    RepeatsElements,
)
from contractwatch.model.promises.rule import Bound, Option, OptionKind
from contractwatch.model.record.check import Check

_WORDS: Mapping[OptionKind, str] = {
    OptionKind.MIN_LENGTH: "no text shorter than {}",
    OptionKind.MAX_LENGTH: "no text longer than {}",
    OptionKind.PATTERN: "every text matches {}",
    OptionKind.FORMAT: "every value has the format {}",
    OptionKind.MINIMUM: "no value below {}",
    OptionKind.MAXIMUM: "no value above {}",
    OptionKind.EXCLUSIVE_MINIMUM: "every value above {}",
    OptionKind.EXCLUSIVE_MAXIMUM: "every value below {}",
    OptionKind.MULTIPLE_OF: "every value a multiple of {}",
    OptionKind.ENUM: "every value one of {}",
    OptionKind.MIN_ITEMS: "no array shorter than {}",
    OptionKind.MAX_ITEMS: "no array longer than {}",
    OptionKind.UNIQUE_ITEMS: "no value twice within one array",
    OptionKind.MIN_PROPERTIES: "no fewer entries than {}",
    OptionKind.MAX_PROPERTIES: "no more entries than {}",
    OptionKind.REQUIRED_PROPERTIES: "no object without {}",
    OptionKind.DIMENSIONS: "every vector of length {}",
    OptionKind.ELEMENT_TYPE: "vectors of {}",
    OptionKind.NORMALIZED: "every vector of the Euclidean length 1",
}


def checks(contract: Contract) -> Iterator[Check]:
    """Promise each type option of each column; a null never violates one."""
    for place, column in columns_of(contract):
        for option in column.options:
            kind = Kind(option.kind.value, Dimension.CONFORMITY, Objective.VALIDITY)
            promise = promise_of(
                kind,
                place,
                clause=option.clause,
                expected=_WORDS[option.kind].format(_bound_words(option.value)),
                severity=_severity(column, option),
            )
            if option.kind is OptionKind.ELEMENT_TYPE:
                yield ElementTypeCheck(promise, str(option.value))
            else:
                yield ViolatingRowsCheck(
                    promise, NONE_AT_ALL, _PREDICATES[option.kind](column, option)
                )


def _severity(column: Column, option: Option) -> Severity:
    is_hint = option.kind is OptionKind.FORMAT and column.logical_type is LogicalType.STRING
    is_hint = is_hint or option.kind is OptionKind.NORMALIZED
    return Severity.WARNING if is_hint else Severity.ERROR


def _bound_words(value: Bound) -> str:
    return number_words(value) if isinstance(value, int | float) else str(value)


def _length(option: Option) -> int:
    if not isinstance(option.value, int):
        raise TypeError(f"{option.clause.path}: a length is a whole number")
    return option.value


def _smaller(column: Column, option: Option) -> tuple[Predicate, ...]:
    return (IsSmaller(column.physical_name, _length(option)),)


def _larger(column: Column, option: Option) -> tuple[Predicate, ...]:
    return (IsLarger(column.physical_name, _length(option)),)


def _other_length(column: Column, option: Option) -> tuple[Predicate, ...]:
    return (*_smaller(column, option), *_larger(column, option))


def _format(column: Column, option: Option) -> tuple[Predicate, ...]:
    name = str(option.value).lower()
    if column.logical_type is LogicalType.INTEGER:
        low, high = INTEGER_RANGES[name]
        return (IsBelow(column.physical_name, low), IsAbove(column.physical_name, high))
    return (IsInvalid(column.physical_name, pattern=FORMAT_PATTERNS[name]),)


def _below(column: Column, option: Option, *, exclusive: bool = False) -> tuple[Predicate, ...]:
    zone = column.default_timezone
    return (IsBelow(column.physical_name, option.value, exclusive=exclusive, timezone=zone),)


def _above(column: Column, option: Option, *, exclusive: bool = False) -> tuple[Predicate, ...]:
    zone = column.default_timezone
    return (IsAbove(column.physical_name, option.value, exclusive=exclusive, timezone=zone),)


_PREDICATES: Mapping[OptionKind, Callable[[Column, Option], tuple[Predicate, ...]]] = {
    OptionKind.MIN_LENGTH: lambda column, option: (
        IsShorter(column.physical_name, _length(option)),
    ),
    OptionKind.MAX_LENGTH: lambda column, option: (
        IsLonger(column.physical_name, _length(option)),
    ),
    OptionKind.PATTERN: lambda column, option: (
        IsInvalid(column.physical_name, pattern=str(option.value), ecma=option.ecma),
    ),
    OptionKind.FORMAT: _format,
    OptionKind.MINIMUM: _below,
    OptionKind.MAXIMUM: _above,
    OptionKind.EXCLUSIVE_MINIMUM: lambda column, option: _below(column, option, exclusive=True),
    OptionKind.EXCLUSIVE_MAXIMUM: lambda column, option: _above(column, option, exclusive=True),
    OptionKind.MULTIPLE_OF: lambda column, option: (
        IsNotMultiple(column.physical_name, option.value),
    ),
    OptionKind.ENUM: lambda column, option: (IsInvalid(column.physical_name, option.values),),
    OptionKind.MIN_ITEMS: _smaller,
    OptionKind.MAX_ITEMS: _larger,
    OptionKind.UNIQUE_ITEMS: lambda column, _: (RepeatsElements(column.physical_name),),
    OptionKind.MIN_PROPERTIES: _smaller,
    OptionKind.MAX_PROPERTIES: _larger,
    OptionKind.REQUIRED_PROPERTIES: lambda column, option: (
        LacksMembers(column.physical_name, option.members),
    ),
    OptionKind.DIMENSIONS: _other_length,
    OptionKind.NORMALIZED: lambda column, _: (IsNotNormalized(column.physical_name),),
}
