"""Run the SQL rules of a contract in its database, in the database's own dialect."""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal

from sqlglot import exp

from contractwatch.engines.databases.session import QueryError, Row, Session
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import DatabaseTables, SqlTable
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import QueryValue, SqlScalar, text_digest
from contractwatch.odcs.sql.sql_errors import InvalidSqlError
from contractwatch.odcs.sql.sql_guard import guard_database_query
from contractwatch.odcs.sql.sql_writer import to_database_sql

NO_VALUE = "no value: the query returned NULL or no row"


class _NoAnswerError(Exception):
    """A query has no answer; the message says why."""


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
        return _answer(_only_value(session.rows(_query(dialect, metric, contract_tables, found))))
    except (InvalidSqlError, _NoAnswerError) as refused:
        return Unmeasured(str(refused))
    except QueryError as error:
        return Unmeasured(f"the query cannot be run: {error}")


def _query(
    dialect: Dialect,
    metric: SqlScalar,
    contract_tables: tuple[Table, ...],
    found: DatabaseTables,
) -> str:
    """Return the text of a query, in which tables have the database's names.

    Raises:
        InvalidSqlError: If the guard refuses it.
        _NoAnswerError: If a table or a column is not there.
    """
    # A query of our own, which no contract wrote, is in the dialect that files are asked in.
    own = "" if metric.written else "duckdb"
    query = guard_database_query(
        metric.written or metric.query,
        contract_tables,
        dialect.name,
        written_in=metric.dialect or own,
    )
    tables = {table.table: table for table in found.tables}
    for name in query.tables:
        if name not in tables:
            raise _NoAnswerError(found.missing_reason(name))
        if tables[name].where:
            raise _NoAnswerError(
                f"SQL rules are not run over table {name!r}, which has a condition on its rows"
            )
    unknown = _unknown_column(query.root, [tables[name] for name in query.tables])
    if unknown:
        raise _NoAnswerError(f"the query cannot be run: there is no column {unknown!r}")
    for node in list(query.root.find_all(exp.Table)):
        table = tables.get(node.name)
        if table is not None and node.args["this"].args.get("quoted"):
            node.set("this", exp.to_identifier(table.name, quoted=True))
            node.set("db", exp.to_identifier(table.schema, quoted=True) if table.schema else None)
    return to_database_sql(query.root, dialect.name)


def _only_value(rows: Sequence[Row]) -> object:
    if len(rows) > 1:
        raise _NoAnswerError("the query returned several rows; expected one value")
    if rows and len(rows[0]) != 1:
        raise _NoAnswerError(f"the query returned {len(rows[0])} columns; expected one value")
    return rows[0][0] if rows else None


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
