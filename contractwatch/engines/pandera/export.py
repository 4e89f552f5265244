"""Build a pandera schema from a contract, to validate a frame before it is published.

pandera is imported only here and in `rules`, whose source an exported schema contains.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from pprint import pformat
from typing import Any, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from contractwatch.checks import CHECKS
from contractwatch.checks.common.counts import RepeatedRowsCheck, ViolatingRowsCheck
from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.checks.schema.presence import PresenceCheck
from contractwatch.checks.schema.types import TimeZoneCheck, TypeCheck
from contractwatch.checks.values.required import REQUIRED
from contractwatch.checks.volume.row_count import RowCountCheck
from contractwatch.errors import ContractwatchError, UsageError
from contractwatch.model.contract.contract import Column, Contract, LogicalType, Table
from contractwatch.model.measure.metric import (
    Inside,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLarger,
    IsLonger,
    IsMissing,
    IsNotMultiple,
    IsNotNormalized,
    IsNull,
    IsShorter,
    IsSmaller,
    LacksMembers,
    Predicate,
    RepeatsElements,
)
from contractwatch.model.promises.rule import DuplicateCounting, Threshold
from contractwatch.model.record.check import Check

Literals: TypeAlias = dict[str, Any]
"""The promises of a table in plain values, which have a source text."""

_NESTED = frozenset({LogicalType.OBJECT, LogicalType.ARRAY, LogicalType.MAP, LogicalType.VECTOR})
_OF_NESTED = (IsSmaller, IsLarger, RepeatsElements, IsNotNormalized, LacksMembers, Inside)
_REPEATED = {
    DuplicateCounting.SURPLUS: "repeated",
    DuplicateCounting.KEYS: "repeated key",
    DuplicateCounting.AFFECTED: "affected",
}
_RULES_FILE = Path(__file__).with_name("rules.py")
_EXTRA = "pandera is not installed; install contractwatch-agent[pandera]"


def to_pandera(contract: Contract, table: str | None = None) -> Any:
    """Return the `pandera.polars.DataFrameSchema` of a contract's table.

    Its metadata lists under `not_said` the promises that a frame alone cannot keep or break: ages,
    retention, availability, and what contractwatch skips, too.

    Args:
        contract: The contract.
        table: Name of the table; needed if there are several.

    Raises:
        UsageError: If there is no such table, or several and none is named.
        ContractwatchError: If pandera is not installed.
    """
    literals = _literals(contract, _table(contract, table))
    try:
        from contractwatch.engines.pandera import rules as pandera_rules  # noqa: PLC0415 - heavy and optional
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "pandera":
            raise
        raise ContractwatchError(_EXTRA) from error
    return pandera_rules.build(literals)


def pandera_source(contract: Contract) -> str:
    """Return Python source that builds a schema for each table; it needs pandera and polars only.

    Raises:
        UsageError: If the contract has no table.
    """
    if not contract.tables:
        raise UsageError(f"{contract.file}: the contract has no table")
    tables = {table.name: _literals(contract, table) for table in contract.tables}
    rules = _RULES_FILE.read_text(encoding="utf-8").split('"""', 2)[2].strip()
    title = ascii(f"Pandera schemas of the data contract {contract.product} {contract.version}.")
    literals = f"TABLES = {pformat(tables, width=96, sort_dicts=False)}"
    schemas = "SCHEMAS = {name: build(table) for name, table in TABLES.items()}"
    return f"{title}\n\n{rules}\n\n\n{literals}\n\n{schemas}\n"


def _table(contract: Contract, name: str | None) -> Table:
    names = ", ".join(table.name for table in contract.tables) or "none"
    if name is not None:
        found = contract.table(name)
        if found is None:
            raise UsageError(f"{contract.file}: no table '{name}'; the contract has: {names}")
        return found
    if len(contract.tables) != 1:
        raise UsageError(f"{contract.file}: name one table with table=; the contract has: {names}")
    return contract.tables[0]


def _literals(contract: Contract, table: Table) -> Literals:
    columns = _columns(table)
    rules: list[Literals] = []
    not_said = [_note(s.promise_id, s.reason) for s in contract.skipped if s.table == table.name]
    for check in _checks_of(contract, table):
        promise = check.promise
        names = promise.physical_columns if promise.column else ()
        column = columns[names[0]] if names else None
        why = _why_not_said(check, table)
        match check:
            case _ if why:
                not_said.append(_note(promise.promise_id, why))
            case TypeCheck() if column is not None and _may_be_json(check, table):
                column["rules"].append(_json_rule(check))
            case ViolatingRowsCheck() | RepeatedRowsCheck() | RowCountCheck() | TimeZoneCheck():
                if column is None or column["nullable"] or promise.kind != REQUIRED.name:
                    (rules if column is None else column["rules"]).append(_rule(check))
            case _:
                pass
    return {
        "name": table.name,
        "description": f"{contract.product} {contract.version}, table {table.name}",
        "columns": columns,
        "rules": rules,
        "metadata": {
            "contract": contract.contract_id,
            "version": contract.version,
            "not_said": not_said,
        },
    }


def _why_not_said(check: Check, table: Table) -> str:
    """Return why a promise is not in the schema; empty if it is."""
    if _is_nested(check, table):
        return "pandera does not look inside a cell"
    if _is_ecma(check):
        return "polars cannot run its pattern"
    if isinstance(check, PresenceCheck | TypeCheck):
        return ""
    if table.where:
        return "it is about some of the rows only"
    is_one = isinstance(
        check, ViolatingRowsCheck | RepeatedRowsCheck | RowCountCheck | TimeZoneCheck
    )
    return "" if is_one else "a frame alone cannot answer it"


def _may_be_json(check: TypeCheck, table: Table) -> bool:
    return check.logical_type in _NESTED and not table.where


def _is_nested(check: Check, table: Table) -> bool:
    of_whole = isinstance(check, ViolatingRowsCheck) and any(
        isinstance(predicate, _OF_NESTED) for predicate in check.predicates
    )
    if check.promise.path or any(check.promise.paths) or of_whole:
        return True
    found = (table.column(name) for name in check.promise.physical_columns)
    types = (column.logical_type for column in found if column is not None)
    return isinstance(check, RepeatedRowsCheck) and any(one in _NESTED for one in types)


def _is_ecma(check: Check) -> bool:
    return isinstance(check, ViolatingRowsCheck) and any(
        isinstance(predicate, IsInvalid) and predicate.ecma for predicate in check.predicates
    )


def _columns(table: Table) -> dict[str, Literals]:
    """Return the columns of the contract, with the twins of encrypted ones."""
    own = {one.physical_name: _column(one, of_all_rows=not table.where) for one in table.columns}
    named = (one.encrypted_name for one in table.columns if one.encrypted_name)
    twins = (known.physical_name if (known := table.column(twin)) else twin for twin in named)
    return {**own, **{twin: _twin() for twin in twins if twin not in own}}


def _column(column: Column, *, of_all_rows: bool) -> Literals:
    # pandera takes NaN for null where it checks `nullable` itself; ODCS does not.
    may_hold_nan = column.logical_type in {None, LogicalType.NUMBER}
    return {
        "type": column.logical_type.value if column.logical_type else None,
        "nullable": column.required_clause is None or may_hold_nan or not of_all_rows,
        "required": not column.optional,
        "rules": [],
    }


def _twin() -> Literals:
    """Return the column of an encrypted twin, of which only its existence is promised."""
    return {"type": None, "nullable": True, "required": True, "rules": []}


def _checks_of(contract: Contract, table: Table) -> Iterable[Check]:
    for generate in CHECKS.values():
        for check in generate(contract):
            if check.promise.table in {table.name, "-"}:
                yield check


def _note(promise_id: str, reason: str) -> Literals:
    return {"id": promise_id, "reason": reason}


def _rule(
    check: ViolatingRowsCheck | RepeatedRowsCheck | RowCountCheck | TimeZoneCheck,
) -> Literals:
    promise = check.promise
    rule: Literals = {
        "id": promise.promise_id,
        "words": promise.expected,
        "severity": promise.severity.value,
    }
    names = promise.physical_columns
    match check:
        case ViolatingRowsCheck():
            violates = [_predicate(predicate) for predicate in check.predicates]
            return rule | {"violates": violates} | _threshold(check.threshold)
        case RepeatedRowsCheck():
            kind = _REPEATED[check.counting]
            repeated = {"is": kind, "columns": names, "whole": check.demand_key}
            limit = _threshold(check.threshold, base=names)
            return rule | {"violates": [repeated]} | limit
        case RowCountCheck():
            return rule | {"violates": [{"is": "row"}]} | _threshold(check.threshold)
        case TimeZoneCheck():
            wrong = {"is": "wrong zone", "column": names[0], "aware": check.aware}
            return rule | {"violates": [wrong]}


def _json_rule(check: TypeCheck) -> Literals:
    """Return the rule for a column whose values may be JSON texts in a frame."""
    (name,) = check.promise.physical_columns
    return {
        "id": check.promise.promise_id,
        "words": check.promise.expected,
        "severity": check.promise.severity.value,
        "violates": [{"is": "no JSON", "column": name, "type": check.logical_type.value}],
    }


def _threshold(threshold: Threshold, base: tuple[str, ...] = ()) -> Literals:
    if threshold == NONE_AT_ALL:
        return {}
    limit = {
        "operator": threshold.operator.value,
        "low": threshold.low,
        "high": threshold.high,
        "unit": threshold.unit.value,
    }
    return {"threshold": limit, "base": base}


def _predicate(predicate: Predicate) -> Literals:
    match predicate:
        case IsNull(column):
            return {"is": "null", "column": column}
        case IsMissing(column, values):
            return {"is": "missing", "column": column, "values": values}
        case IsInvalid(column, values, pattern):
            return {"is": "invalid", "column": column, "values": values, "pattern": pattern}
        case IsBelow() | IsAbove():
            return _limit(predicate)
        case IsShorter(column, length) | IsLonger(column, length):
            word = "shorter" if isinstance(predicate, IsShorter) else "longer"
            return {"is": word, "column": column, "length": length}
        case IsNotMultiple(column, divisor):
            return {"is": "no multiple", "column": column, "divisor": divisor}
        case (
            IsSmaller()
            | IsLarger()
            | RepeatsElements()
            | IsNotNormalized()
            | LacksMembers()
            | Inside()
        ):
            raise TypeError(f"{predicate} is about nested values, which are not exported")
        case _:
            assert_never(predicate)


def _limit(predicate: IsBelow | IsAbove) -> Literals:
    bound = predicate.bound
    if isinstance(bound, datetime):
        aware = bound if bound.tzinfo else bound.replace(tzinfo=ZoneInfo(predicate.timezone))
        bound = aware.astimezone(UTC)
    return {
        "is": "below" if isinstance(predicate, IsBelow) else "above",
        "column": predicate.column,
        "bound": bound,
        "exclusive": predicate.exclusive,
        "timezone": predicate.timezone,
    }
