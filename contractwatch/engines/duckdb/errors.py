"""Say why a query gave no answer, without a value of the data.

DuckDB's messages quote cells ("Could not convert string 'x'"), so none is passed on: known ones are
recognized, and what they name of the query (a column, a function, types) is put in words of ours.
"""

import re

import duckdb

_COLUMN = re.compile(r'^Binder Error: Referenced column "([^"]{1,80})" not found')
_MEMBER = re.compile(
    r'^Binder Error: Table "[^"]{1,80}" does not have a column named "([^"]{1,80})"'
)
_QUALIFIER = re.compile(r'^Binder Error: Referenced table "([^"]{1,80})" not found')
_FUNCTION = re.compile(
    r"^Binder Error: No function matches the given name and argument types '(\w{1,60})\("
)
_UNKNOWN = re.compile(r"^Catalog Error: \w+ Function with name (\w{1,60}) does not exist")
_COMPARED = re.compile(
    r"^Binder Error: Cannot (?:compare|mix) values of type ([A-Z_]{1,40})\S* (?:and|with) "
    r"(?:values of )?(?:type )?([A-Z_]{1,40})"
)
_GROUPED = re.compile(r'^Binder Error: column "([^"]{1,80})" must appear in the GROUP BY')
_AMBIGUOUS = re.compile(r'^Binder Error: Ambiguous reference to column name "([^"]{1,80})"')
_NOT_RUN = "the query cannot be run"
_ON_DATA = "the query failed on the data: it does not fit the columns' types or values"
_BEFORE_ROWS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
    duckdb.PermissionException,
)
"""Raised before a row is read."""

_WORDED = (
    (_COLUMN, "its tables have no column '{0}'"),
    (_MEMBER, "its tables have no column '{0}'"),
    (_QUALIFIER, "it names no table '{0}'"),
    (_FUNCTION, "the function '{0}' does not take values of these types; cast them"),
    (_UNKNOWN, "the function '{0}' is not run over files"),
    (_COMPARED, "it compares {0} with {1}; cast one of them"),
    (_GROUPED, "column '{0}' must be in GROUP BY or inside an aggregate"),
    (_AMBIGUOUS, "column '{0}' is in several tables; write the table before it"),
)


class QueryError(Exception):
    """A query without an answer; the message may be shown."""


def query_error(error: BaseException, seconds: float) -> QueryError:
    """Return the error of a query as it may be shown.

    Args:
        error: What DuckDB raised.
        seconds: The deadline of the query.
    """
    if isinstance(error, duckdb.InterruptException):
        return QueryError(f"the query was ended: it took longer than {seconds:.3g} s")
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException) or _is_allocation(error):
        return QueryError("the query was ended: it needs more memory than it may have")
    if isinstance(error, duckdb.PermissionException):
        return QueryError(f"{_NOT_RUN}: it would read something else than its tables")
    if isinstance(error, _BEFORE_ROWS):
        return QueryError(f"{_NOT_RUN}: {_reason(str(error))}")
    return QueryError(_ON_DATA)


def _is_allocation(error: BaseException) -> bool:
    said = str(error).lower()
    return "bad_alloc" in said or "failed to allocate" in said or "bad allocation" in said


def _reason(said: str) -> str:
    line = "".join(c if c.isprintable() else " " for c in said)
    for pattern, words in _WORDED:
        found = pattern.search(line)
        if found:
            return words.format(*found.groups())
    return "a part of it does not fit the tables or the engine"
