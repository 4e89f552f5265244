"""Read the arguments of library rules, typed for the columns that they are about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from contractwatch.model.base.clause import Scalar
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.promises.rule import RuleMetric
from contractwatch.odcs.columns.options import read_pattern
from contractwatch.odcs.values.literals import NESTED, MistypedError, cast_scalar, have_one_type
from contractwatch.odcs.values.regex_dialect import Pattern
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

_KNOWN: Mapping[RuleMetric, tuple[str, ...]] = {
    RuleMetric.ROW_COUNT: (),
    RuleMetric.NULL_VALUES: (),
    RuleMetric.MISSING_VALUES: ("missingValues",),
    RuleMetric.INVALID_VALUES: ("validValues", "pattern"),
    RuleMetric.DUPLICATE_VALUES: ("properties",),
}


@dataclass(frozen=True, slots=True)
class ColumnContext:
    """The table and column that rules and options are read for; no column for a table's rules.

    `columns` maps the contract names of the table's columns to their types, `key` holds those of
    its primary key. `skip_reason` is set if no rule can be executed here. `in_array` is whether the
    column is inside an array.
    """

    table: str
    column: str | None
    logical_type: LogicalType | None
    zone: str
    columns: Mapping[str, LogicalType | None]
    key: tuple[str, ...]
    skip_reason: str = ""
    in_array: bool = False


@dataclass(frozen=True, slots=True)
class RuleArguments:
    """The arguments of a library rule; `skip_reason` is set if it cannot be executed."""

    values: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    ecma: bool = False
    columns: tuple[str, ...] = ()
    skip_reason: str = ""


def read_arguments(
    metric: RuleMetric, rule: YamlNode, context: ColumnContext, findings: Findings
) -> RuleArguments:
    """Read the arguments of a rule, and add errors about them to the findings."""
    arguments = rule.at("arguments")
    known = _KNOWN[metric]
    for entry in arguments.entries():
        name = entry.path.removeprefix(f"{arguments.path}.")
        if name not in known:
            expected = f"expected {' or '.join(known)}" if known else f"{metric} takes none"
            hint = suggestion(name, known)
            findings.error(entry, f"unknown argument '{name[:60]}'; {expected}{hint}")
    return _READERS[metric](rule, context, findings)


def _read_none(_rule: YamlNode, _owner: ColumnContext, _findings: Findings) -> RuleArguments:
    return RuleArguments()


def _read_missing(rule: YamlNode, context: ColumnContext, findings: Findings) -> RuleArguments:
    node = rule.at("arguments").at("missingValues")
    if node.value is None:
        return RuleArguments()
    return _with_values(_read_values(node, context, findings, foreign=True), context)


def _read_invalid(rule: YamlNode, context: ColumnContext, findings: Findings) -> RuleArguments:
    arguments = rule.at("arguments")
    allowed, pattern = arguments.at("validValues"), arguments.at("pattern")
    if allowed.value is None and pattern.value is None:
        message = "invalidValues has neither 'validValues' nor 'pattern'; expected one of them"
        findings.error(arguments if rule.has("arguments") else rule, message)
        return RuleArguments()
    values = None if allowed.value is None else _read_values(allowed, context, findings)
    found = _read_pattern(pattern, context, findings)
    asked = _with_values(values, context)
    if found is None:
        return asked
    return replace(asked, pattern=found.text, ecma=found.ecma)


def _read_pattern(node: YamlNode, context: ColumnContext, findings: Findings) -> Pattern | None:
    if node.value is None:
        return None
    if not isinstance(node.value, str):
        findings.error(node, "expected the pattern as text in quotes")
        return None
    if context.logical_type not in {None, LogicalType.STRING}:
        findings.error(node, f"a pattern needs a text column; this one is {context.logical_type}")
        return None
    return read_pattern(node, findings)


def _with_values(values: tuple[Scalar, ...] | None, context: ColumnContext) -> RuleArguments:
    if context.logical_type in NESTED:
        return RuleArguments(skip_reason=f"values of {context.logical_type} columns")
    return RuleArguments(values)


def _read_values(
    node: YamlNode, context: ColumnContext, findings: Findings, *, foreign: bool = False
) -> tuple[Scalar, ...]:
    """Return the list items cast to the column's type; null is left out, as it is never compared.

    With `foreign`, text is kept for a column of another type: a CSV may have "n/a" for a number.
    """
    if not isinstance(node.value, list):
        findings.error(node, "expected a list of values")
        return ()
    if context.logical_type in NESTED:
        return ()
    found: list[Scalar] = []
    for item in node.each():
        if item.value is None:
            continue
        try:
            found.append(cast_scalar(item.value, context.logical_type, zone=context.zone))
        except MistypedError as wrong:
            if foreign and isinstance(item.value, str):
                found.append(item.value)
            else:
                findings.error(item, str(wrong))
    values = tuple(found)
    if not foreign and not have_one_type(values):
        findings.error(node, "values of several types; expected one, or a 'logicalType' beside")
    return values


def _read_duplicates(rule: YamlNode, context: ColumnContext, findings: Findings) -> RuleArguments:
    if context.column is not None:
        skip_reason = "duplicates inside arrays" if context.in_array else ""
        if rule.at("arguments").has("properties"):
            message = "'properties' belongs to a rule of the table; expected none at a column"
            findings.error(rule.at("arguments").at("properties"), message)
        return RuleArguments(columns=(context.column,), skip_reason=skip_reason)
    names = rule.at("arguments").at("properties")
    if names.value is None:
        if not context.key:
            message = "duplicateValues of a table needs 'arguments.properties' or a primary key"
            findings.error(rule, f"{message}; expected a list of columns")
        return _with_columns(context.key, context)
    if not names.each():
        findings.error(names, "expected a list of column names")
        return RuleArguments()
    return _with_columns(tuple(_column_names(names, context, findings)), context)


def _column_names(names: YamlNode, context: ColumnContext, findings: Findings) -> list[str]:
    found: list[str] = []
    for item in names.each():
        name = item.value
        top = name.partition(".")[0].removesuffix("[]") if isinstance(name, str) else ""
        if not isinstance(name, str) or (
            name not in context.columns and top not in context.columns
        ):
            shown = name[:60] if isinstance(name, str) else "?"
            hint = suggestion(shown, context.columns)
            findings.error(item, f"unknown column '{shown}' of table '{context.table}'{hint}")
        else:
            found.append(name)
    return found


def _with_columns(columns: tuple[str, ...], context: ColumnContext) -> RuleArguments:
    if any(name not in context.columns for name in columns):
        return RuleArguments(columns=columns, skip_reason="duplicates inside arrays")
    nested = [context.columns[name] for name in columns if context.columns[name] in NESTED]
    return RuleArguments(
        columns=columns, skip_reason=f"duplicates of {nested[0]} columns" if nested else ""
    )


_READERS: Mapping[RuleMetric, Callable[[YamlNode, ColumnContext, Findings], RuleArguments]] = {
    RuleMetric.ROW_COUNT: _read_none,
    RuleMetric.NULL_VALUES: _read_none,
    RuleMetric.MISSING_VALUES: _read_missing,
    RuleMetric.INVALID_VALUES: _read_invalid,
    RuleMetric.DUPLICATE_VALUES: _read_duplicates,
}
