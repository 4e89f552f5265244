"""Restrict the rows of tables for one run, by guarded SQL conditions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from contractwatch.errors import UsageError
from contractwatch.model.contract.contract import Contract, Table
from contractwatch.odcs.yaml.node import suggestion


def with_row_filters(
    contracts: Sequence[Contract], alone: Sequence[str], conditions: Sequence[str]
) -> tuple[Contract, ...]:
    """Return the contracts with these conditions beside their own.

    Args:
        contracts: Those that are run.
        alone: On the only table of each.
        conditions: `OBJECT=PREDICATE` each.

    Raises:
        UsageError: If a table is not known, or a condition is refused.
    """
    wished = _by_table(conditions)
    known = {table.name for contract in contracts for table in contract.tables}
    for name in wished if contracts else ():
        if name not in known:
            listed = f"; the contracts have: {', '.join(sorted(known)[:12]) or 'none'}"
            near = suggestion(name, known)
            raise UsageError(f"--filters: no table is named '{name[:60]}'{near or listed}")
    return tuple(_of_contract(contract, alone, wished) for contract in contracts)


def _by_table(conditions: Iterable[str]) -> dict[str, list[str]]:
    wished: dict[str, list[str]] = {}
    for written in conditions:
        name, sign, condition = written.partition("=")
        if not (sign and name.strip() and condition.strip()):
            message = f"--filters: '{written[:60]}' names no table; expected OBJECT=PREDICATE"
            raise UsageError(message)
        wished.setdefault(name.strip(), []).append(condition)
    return wished


def _of_contract(
    contract: Contract, alone: Sequence[str], wished: Mapping[str, Sequence[str]]
) -> Contract:
    if alone and len(contract.tables) != 1:
        count = len(contract.tables)
        message = f"--filter needs a contract of one table; {contract.file} has {count}"
        raise UsageError(f"{message}; expected --filters OBJECT=PREDICATE")
    tables = (_of_table(table, [*alone, *wished.get(table.name, ())]) for table in contract.tables)
    return replace(contract, tables=tuple(tables))


def _of_table(table: Table, conditions: Sequence[str]) -> Table:
    if not conditions:
        return table
    # Imported here because the parser takes a third of a second that only conditions need.
    from contractwatch.odcs.sql.sql_errors import InvalidSqlError  # noqa: PLC0415 - see above
    from contractwatch.odcs.sql.sql_guard import guard_predicate  # noqa: PLC0415 - see above

    try:
        guarded = [guard_predicate(condition, table) for condition in conditions]
    except InvalidSqlError as wrong:
        raise UsageError(f"the filter of table '{table.name}' is refused: {wrong}") from None
    every = [table.where, *guarded] if table.where else guarded
    return replace(table, where=" AND ".join(f"({one})" for one in every))
