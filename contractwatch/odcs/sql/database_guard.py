"""Guard SQL of a contract that a database runs, in the database's own dialect.

The rules are those of `sql_guard`: one SELECT over the contract's own tables, nodes and functions
of an allow-list, written anew from what was parsed. Columns need not be listed in the contract.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from contractwatch.model.contract.contract import Table
from contractwatch.odcs.sql.sql_allow_list import QUERY_NODES, WORDS_BEFORE_PARENTHESES
from contractwatch.odcs.sql.sql_errors import (
    InvalidSqlError,
    UnsafeSqlError,
    UnsupportedSqlError,
    truncated,
)
from contractwatch.odcs.sql.sql_guard import bind_tables, check_node, check_size, check_source

_NODES = (*QUERY_NODES, exp.AtTimeZone, exp.Collate, exp.CurrentTimestamp, exp.CurrentDate)
_FORBIDDEN = (exp.Into, exp.Lock, exp.TableSample, exp.Pivot, exp.Lateral, exp.UDTF, exp.Explode)
_TYPES = frozenset(
    {
        exp.DType.BIGINT,
        exp.DType.BINARY,
        exp.DType.BOOLEAN,
        exp.DType.CHAR,
        exp.DType.DATE,
        exp.DType.DATETIME,
        exp.DType.DECIMAL,
        exp.DType.DOUBLE,
        exp.DType.FLOAT,
        exp.DType.INT,
        exp.DType.INTERVAL,
        exp.DType.SMALLINT,
        exp.DType.TEXT,
        exp.DType.TIME,
        exp.DType.TIMESTAMP,
        exp.DType.TIMESTAMPTZ,
        exp.DType.TINYINT,
        exp.DType.UBIGINT,
        exp.DType.UUID,
        exp.DType.VARCHAR,
    }
)
_FUNCTIONS = frozenset(
    """
    ABS ACOS ADDDATE AGE ASIN ATAN ATAN2 AVG BIT_LENGTH BOOL_AND BOOL_OR BTRIM CBRT CEIL CEILING
    CHARACTER_LENGTH CHAR_LENGTH COALESCE CONCAT CONCAT_WS CORR COS COT COUNT COVAR_POP COVAR_SAMP
    CUME_DIST CURRENT_DATE CURRENT_TIMESTAMP CURDATE DATE DATEDIFF DATE_ADD DATE_DIFF DATE_FORMAT
    DATE_PART DATE_SUB DATE_TRUNC DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR DEGREES DENSE_RANK DIV
    EPOCH EXISTS EXP EXTRACT FIRST_VALUE FLOOR FROM_UNIXTIME GREATEST HOUR IF IFNULL INITCAP ISNULL
    JULIANDAY LAG LAST_DAY LAST_VALUE LEAD LEAST LEFT LENGTH LN LOCATE LOG LOG10 LOG2 LOWER LPAD LTRIM MAX
    MEDIAN MIN MINUTE MOD MODE MONTH NOW NTH_VALUE NTILE NULLIF OCTET_LENGTH PERCENTILE_CONT
    PERCENTILE_DISC PERCENT_RANK PI POSITION POW POWER QUANTILE_CONT QUANTILE_DISC QUARTER RADIANS
    RANK REGEXP_INSTR REGEXP_LIKE REGEXP_MATCHES REGEXP_REPLACE REGR_SLOPE REPLACE REVERSE RIGHT
    ROUND ROW_NUMBER RPAD RTRIM SECOND SIGN SIN SPLIT_PART SQRT STARTS_WITH STDDEV STDDEV_POP
    STDDEV_SAMP STRFTIME STRPOS STR_TO_DATE SUBSTR SUBSTRING SUBSTRING_INDEX SUM TAN TIMESTAMPDIFF
    TO_CHAR TO_DATE TO_TIMESTAMP TRANSLATE TRIM TRUNC TRUNCATE TRY_CAST UNIX_TIMESTAMP UPPER
    VARIANCE VAR_POP VAR_SAMP WEEK WEEKDAY YEAR
    """.split()  # noqa: SIM905 - as a list it would be a page long
)
"""Functions that a database may be asked to run: pure, and none makes much out of little."""

_TYPE_WORDS = frozenset(
    "BIGINT BINARY CAST CHAR CHARACTER CONVERT DATETIME DECIMAL DOUBLE FLOAT INTERVAL NUMERIC TEXT TIME"
    " TIMESTAMP TIMESTAMPTZ VARCHAR VARYING AGAINST RECURSIVE".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class DatabaseQuery:
    """Guarded SELECT, in which tables have their contract names, and the tables that it reads."""

    root: exp.Expr
    tables: tuple[str, ...]


def guard_database_query(text: str, tables: Sequence[Table], dialect: str) -> DatabaseQuery:
    """Return the query of a rule, checked to read none but these tables.

    Args:
        text: The query, without placeholders and variables.
        tables: The tables of the contract.
        dialect: The database's dialect, by its name in sqlglot.

    Raises:
        UnsupportedSqlError: If it is too large, or uses other tables, functions or syntax.
        InvalidSqlError: If it is anything else, or would read or change something else.
    """
    root = _parse(text, dialect)
    while isinstance(root, exp.Subquery) and not root.args.get("alias"):
        root = root.this
    if not isinstance(root, exp.Select | exp.SetOperation):
        raise UnsafeSqlError("the query is no SELECT; expected one SELECT, or WITH ... SELECT")
    if not root.selects:
        raise InvalidSqlError("the query selects nothing; expected one value")
    for node in root.walk():
        check_node(node, _NODES, "a query of a contract")
        _check_more(node)
    check_size(root, text)
    read = bind_tables(root, tables)
    written_query(root, dialect)
    return DatabaseQuery(root, tuple(dict.fromkeys(read)))


def written_query(root: exp.Expr, dialect: str) -> str:
    """Return a guarded query as text, in which no function but allowed ones is called.

    Raises:
        UnsupportedSqlError: If one is, or the query cannot be written.
    """
    try:
        text = root.sql(dialect=dialect, comments=False, unsupported_level=ErrorLevel.RAISE)
        tokens = sqlglot.tokenize(text, dialect=dialect)
    except (SqlglotError, RecursionError):
        raise UnsupportedSqlError("the SQL cannot be written for the database") from None
    if any(one.comments or one.token_type is TokenType.SEMICOLON for one in tokens):
        raise UnsupportedSqlError("the SQL cannot be written for the database")
    for name in _called(tokens):
        if name not in _FUNCTIONS:
            message = f"the function '{truncated(name.lower())}' is not asked of a database"
            raise UnsupportedSqlError(message)
    return text


def _parse(text: str, dialect: str) -> exp.Expr:
    check_source(text, "query")
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would quote the contract
    try:
        parsed = sqlglot.parse(text, dialect=dialect)
    except (SqlglotError, RecursionError):
        raise UnsupportedSqlError(
            "the query is not understood as SQL of the database; expected one query"
        ) from None
    found = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
    if len(found) != 1:
        raise UnsafeSqlError(f"{len(found)} statements instead of one; expected one query")
    return found[0]


def _check_more(node: exp.Expr) -> None:
    if isinstance(node, _FORBIDDEN):
        raise UnsupportedSqlError(f"{node.key.upper()} is not allowed in a query of a contract")
    if isinstance(node, exp.DataType) and node.this not in _TYPES:
        raise UnsupportedSqlError("a query of a contract casts to plain types only")
    if isinstance(node, exp.Anonymous) and node.name.upper() not in _FUNCTIONS:
        name = truncated(node.name)
        raise UnsupportedSqlError(f"the function '{name}' is not asked of a database")
    if isinstance(node, exp.Var) and not node.name.isidentifier():
        raise UnsafeSqlError(f"found '{truncated(node.name)}' where a word is expected")


def _called(tokens: Sequence[Token]) -> Iterable[str]:
    """Yield the functions that SQL calls, found in its tokens alone."""
    before = TokenType.SELECT
    for word, after in pairwise(tokens):
        name = word.text.upper()
        is_call = after.token_type is TokenType.L_PAREN and word.text.isidentifier()
        is_name = word.token_type is TokenType.IDENTIFIER or before is TokenType.ALIAS
        if is_call and not is_name and name not in WORDS_BEFORE_PARENTHESES | _TYPE_WORDS:
            yield name
        before = word.token_type
