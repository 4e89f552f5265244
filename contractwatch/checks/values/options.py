"""Check values against the limits of their column's `logicalTypeOptions`."""

from collections.abc import Callable, Iterator, Mapping

from contractwatch.checks.common.counts import ViolatingRowsCheck
from contractwatch.checks.common.promise_builder import columns_of, promise_of, with_violation
from contractwatch.checks.common.text_formats import FORMAT_PATTERNS, INTEGER_RANGES
from contractwatch.checks.common.thresholds import NONE_AT_ALL, number_words
from contractwatch.checks.values.element_type import ElementTypeCheck
from contractwatch.model.base.clause import Severity
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
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import Bound, TypeOption, TypeOptionKind
from contractwatch.model.record.check import Check

_WORDS: Mapping[TypeOptionKind, tuple[str, str]] = {
    TypeOptionKind.MIN_LENGTH: ("no text shorter than {}", "shorter than {}"),
    TypeOptionKind.MAX_LENGTH: ("no text longer than {}", "longer than {}"),
    TypeOptionKind.PATTERN: ("every text matches {}", "not like {}"),
    TypeOptionKind.FORMAT: ("every value has the format {}", "not of the format {}"),
    TypeOptionKind.MINIMUM: ("no value below {}", "below {}"),
    TypeOptionKind.MAXIMUM: ("no value above {}", "above {}"),
    TypeOptionKind.EXCLUSIVE_MINIMUM: ("every value above {}", "not above {}"),
    TypeOptionKind.EXCLUSIVE_MAXIMUM: ("every value below {}", "not below {}"),
    TypeOptionKind.MULTIPLE_OF: ("every value a multiple of {}", "no multiple of {}"),
    TypeOptionKind.ENUM: ("every value one of {}", "not one of {}"),
    TypeOptionKind.MIN_ITEMS: ("no array shorter than {}", "with an array shorter than {}"),
    TypeOptionKind.MAX_ITEMS: ("no array longer than {}", "with an array longer than {}"),
    TypeOptionKind.UNIQUE_ITEMS: (
        "no value twice within one array",
        "with a value twice within one array",
    ),
    TypeOptionKind.MIN_PROPERTIES: ("no fewer entries than {}", "with fewer entries than {}"),
    TypeOptionKind.MAX_PROPERTIES: ("no more entries than {}", "with more entries than {}"),
    TypeOptionKind.REQUIRED_PROPERTIES: ("no object without {}", "with an object without {}"),
    TypeOptionKind.DIMENSIONS: ("every vector of length {}", "not a vector of length {}"),
    TypeOptionKind.ELEMENT_TYPE: ("vectors of {}", ""),
    TypeOptionKind.NORMALIZED: (
        "every vector of the Euclidean length 1",
        "not a vector of the Euclidean length 1",
    ),
}
"""What is promised, and what is said of a row that breaks it."""


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each type option of each column; a null never violates one."""
    for subject, column in columns_of(contract):
        for option in column.options:
            kind = KINDS[option.kind.value]
            bound = _bound_words(option.value)
            expected, violation = (words.format(bound) for words in _WORDS[option.kind])
            promise = promise_of(
                kind,
                subject,
                clause=option.clause,
                expected=expected,
                severity=_severity(column, option),
            )
            promise = with_violation(promise, violation)
            if option.kind is TypeOptionKind.ELEMENT_TYPE:
                yield ElementTypeCheck(promise, str(option.value))
            else:
                yield ViolatingRowsCheck(
                    promise, NONE_AT_ALL, _PREDICATES[option.kind](column, option)
                )


def _severity(column: Column, option: TypeOption) -> Severity:
    is_hint = option.kind is TypeOptionKind.FORMAT and column.logical_type is LogicalType.STRING
    is_hint = is_hint or option.kind is TypeOptionKind.NORMALIZED
    return Severity.WARNING if is_hint else Severity.ERROR


def _bound_words(value: Bound) -> str:
    return number_words(value) if isinstance(value, int | float) else str(value)


def _length(option: TypeOption) -> int:
    if not isinstance(option.value, int):
        raise TypeError(f"{option.clause.path}: a length is a whole number")
    return option.value


def _smaller(column: Column, option: TypeOption) -> tuple[Predicate, ...]:
    return (IsSmaller(column.physical_name, _length(option)),)


def _larger(column: Column, option: TypeOption) -> tuple[Predicate, ...]:
    return (IsLarger(column.physical_name, _length(option)),)


def _other_length(column: Column, option: TypeOption) -> tuple[Predicate, ...]:
    return (*_smaller(column, option), *_larger(column, option))


def _format(column: Column, option: TypeOption) -> tuple[Predicate, ...]:
    name = str(option.value).lower()
    if column.logical_type is LogicalType.INTEGER:
        low, high = INTEGER_RANGES[name]
        return (IsBelow(column.physical_name, low), IsAbove(column.physical_name, high))
    return (IsInvalid(column.physical_name, pattern=FORMAT_PATTERNS[name]),)


def _below(column: Column, option: TypeOption, *, exclusive: bool = False) -> tuple[Predicate, ...]:
    zone = column.default_timezone
    return (IsBelow(column.physical_name, option.value, exclusive=exclusive, timezone=zone),)


def _above(column: Column, option: TypeOption, *, exclusive: bool = False) -> tuple[Predicate, ...]:
    zone = column.default_timezone
    return (IsAbove(column.physical_name, option.value, exclusive=exclusive, timezone=zone),)


_PREDICATES: Mapping[TypeOptionKind, Callable[[Column, TypeOption], tuple[Predicate, ...]]] = {
    TypeOptionKind.MIN_LENGTH: lambda column, option: (
        IsShorter(column.physical_name, _length(option)),
    ),
    TypeOptionKind.MAX_LENGTH: lambda column, option: (
        IsLonger(column.physical_name, _length(option)),
    ),
    TypeOptionKind.PATTERN: lambda column, option: (
        IsInvalid(column.physical_name, pattern=str(option.value), ecma=option.ecma),
    ),
    TypeOptionKind.FORMAT: _format,
    TypeOptionKind.MINIMUM: _below,
    TypeOptionKind.MAXIMUM: _above,
    TypeOptionKind.EXCLUSIVE_MINIMUM: lambda column, option: _below(column, option, exclusive=True),
    TypeOptionKind.EXCLUSIVE_MAXIMUM: lambda column, option: _above(column, option, exclusive=True),
    TypeOptionKind.MULTIPLE_OF: lambda column, option: (
        IsNotMultiple(column.physical_name, option.value),
    ),
    TypeOptionKind.ENUM: lambda column, option: (IsInvalid(column.physical_name, option.values),),
    TypeOptionKind.MIN_ITEMS: _smaller,
    TypeOptionKind.MAX_ITEMS: _larger,
    TypeOptionKind.UNIQUE_ITEMS: lambda column, _: (RepeatsElements(column.physical_name),),
    TypeOptionKind.MIN_PROPERTIES: _smaller,
    TypeOptionKind.MAX_PROPERTIES: _larger,
    TypeOptionKind.REQUIRED_PROPERTIES: lambda column, option: (
        LacksMembers(column.physical_name, option.members),
    ),
    TypeOptionKind.DIMENSIONS: _other_length,
    TypeOptionKind.NORMALIZED: lambda column, _: (IsNotNormalized(column.physical_name),),
}
