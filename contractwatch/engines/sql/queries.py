"""Run the SQL rules of a contract in its database, in the database's own dialect."""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from sqlglot import exp

from contractwatch.engines.databases.session import QueryError, Session
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import DatabaseTables, SqlTable
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import QueryValue, SqlScalar, text_digest
from contractwatch.odcs.sql.database_guard import guard_database_query, written_query
from contractwatch.odcs.sql.sql_errors import InvalidSqlError

NO_VALUE = "no value: the query returned NULL or no row"


def answer_query(
    session: Session,
    dialect: Dialect,
    metric: SqlScalar,
    contract_tables: tuple[Table, ...],
    found: DatabaseTables,
) -> Measurement:
    """Return the one value of a query.

    The query is guarded once more, in the dialect of the database that runs it.

    Raises:
        SourceError: If the database cannot be read any more.
    """
    try:
        query = guard_database_query(metric.written, contract_tables, dialect.name)
    except InvalidSqlError as refused:
        return Unmeasured(str(refused))
    tables = {table.table: table for table in found.tables}
    for name in query.tables:
        if name not in tables:
            return Unmeasured(found.missing_reason(name))
        if tables[name].where:
            return Unmeasured(f"a query over table {name!r}, which has a condition on its rows")
    unknown = _unknown_column(query.root, [tables[name] for name in query.tables])
    if unknown:
        return Unmeasured(f"the query cannot be run: there is no column {unknown!r}")
    for node in list(query.root.find_all(exp.Table)):
        table = tables.get(node.name)
        if table is not None and not node.args.get("db"):
            node.set("this", exp.to_identifier(table.name, quoted=True))
            node.set("db", exp.to_identifier(table.schema, quoted=True) if table.schema else None)
    try:
        rows = session.rows(written_query(query.root, dialect.name))
    except InvalidSqlError as refused:
        return Unmeasured(str(refused))
    except QueryError as error:
        return Unmeasured(f"the query cannot be run: {error}")
    if len(rows) > 1:
        return Unmeasured("the query returned several rows; expected one value")
    if rows and len(rows[0]) != 1:
        return Unmeasured(f"the query returned {len(rows[0])} columns; expected one value")
    return _answer(rows[0][0] if rows else None)


def _unknown_column(root: exp.Expr, tables: Iterable[SqlTable]) -> str:
    """Return a column that neither a table has nor the query names; empty if there is none.

    A name that is no column could be a function that takes a whole row.
    """
    known = {column.name.lower() for table in tables for column in table.found}
    known.update(alias.alias.lower() for alias in root.find_all(exp.Alias))
    for alias in root.find_all(exp.TableAlias):
        known.update(column.name.lower() for column in alias.columns)
    names = (column.name for column in root.find_all(exp.Column))
    return next((name for name in names if name != "*" and name.lower() not in known), "")


def _answer(value: object) -> Measurement:
    match value:
        case None:
            return Unmeasured(NO_VALUE)
        case bool() | int():
            return QueryValue(value)
        case float() | Decimal():
            number = float(value)
            if not math.isfinite(number):
                return Unmeasured("the answer is no finite number")
            return QueryValue(number)
        case str():
            return QueryValue(text_digest=text_digest(value))
        case datetime() | date() | time():
            return QueryValue(text_digest=text_digest(value.isoformat()))
        case _:
            return Unmeasured("the answer is of another type; expected a number, a text or a truth")


def answer_queries(
    session: Session,
    dialect: Dialect,
    metrics: Iterable[SqlScalar],
    contract_tables: tuple[Table, ...],
    found: DatabaseTables,
) -> Mapping[SqlScalar, Measurement]:
    """Return the value of each query."""
    return {
        metric: answer_query(session, dialect, metric, contract_tables, found)
        for metric in metrics
    }
