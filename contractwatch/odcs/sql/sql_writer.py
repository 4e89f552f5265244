"""Write a parsed expression as SQL of DuckDB or Polars, and check the functions that it calls."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.generator import Generator
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from contractwatch.odcs.sql.sql_allow_list import (
    CONDITION_FUNCTIONS,
    DATABASE_FUNCTIONS,
    QUERY_FUNCTIONS,
    REFUSED_WORDS,
    TYPE_WORDS,
    WORDS_BEFORE_PARENTHESES,
)
from contractwatch.odcs.sql.sql_errors import UnsupportedSqlError, truncated

_NOT_WRITTEN = "the SQL cannot be written for the engine"


def _in_either_case(writer: Generator, node: exp.RegexpILike) -> str:
    return writer.func("REGEXP_LIKE", node.this, node.expression, exp.Literal.string("i"))


class _PolarsGenerator(Generator):
    """Generates SQL in the dialect of Polars."""

    TRANSFORMS = {  # noqa: RUF012 - declared so by the library
        **Generator.TRANSFORMS,
        exp.RegexpILike: _in_either_case,
    }


def to_duckdb_sql(root: exp.Expr, text: str = "") -> str:
    """Return a query as SQL of DuckDB that calls allowed functions only.

    Args:
        root: The parsed query.
        text: Its source text, for the names of functions in messages.

    Raises:
        UnsupportedSqlError: If it cannot be written, or calls a function that is not allowed.
    """
    dialect = Dialect.get_or_raise("duckdb")
    writer = dialect.generator(identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    found, tokens = _written(root, writer, dialect.tokenizer())
    names = {cte.alias for cte in root.find_all(exp.CTE)}
    for name in _called_in_duckdb(tokens, names):
        if name not in QUERY_FUNCTIONS:
            raise UnsupportedSqlError(unsupported_function_message(_name_in_text(root, name, text)))
    return found


def to_database_sql(root: exp.Expr, dialect: str) -> str:
    """Return a query as SQL of a database that calls allowed functions only.

    Names keep their quotes, or that they have none: databases fold the case of plain names.

    Args:
        root: The parsed query.
        dialect: The database's dialect, by its name in the parser.

    Raises:
        UnsupportedSqlError: If it cannot be written, or calls a function that is not allowed.
    """
    known = Dialect.get_or_raise(dialect)
    writer = known.generator(comments=False, unsupported_level=ErrorLevel.RAISE)
    found, tokens = _written(root, writer, known.tokenizer())
    names = {cte.alias for cte in root.find_all(exp.CTE)}
    for name in _called_in_duckdb(tokens, names):
        if name not in DATABASE_FUNCTIONS | TYPE_WORDS:
            shown = truncated(name.lower())
            raise UnsupportedSqlError(f"the function '{shown}' is not asked of a database")
    return found


def to_polars_sql(root: exp.Expr, text: str = "") -> str:
    """Return an expression as SQL of Polars that calls allowed functions only.

    Args:
        root: The parsed expression.
        text: Its source text, for the names of functions in messages.

    Raises:
        UnsupportedSqlError: If it cannot be written, or calls a function that is not allowed.
    """
    writer = _PolarsGenerator(identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    found, tokens = _written(root, writer, Tokenizer())
    for name in _called_functions(tokens):
        if name not in CONDITION_FUNCTIONS:
            raise UnsupportedSqlError(unsupported_function_message(_name_in_text(root, name, text)))
    return found


def _written(
    root: exp.Expr, writer: Generator, tokenizer: Tokenizer
) -> tuple[str, Sequence[Token]]:
    """Return the SQL and its tokens; neither a comment nor a second statement is in it."""
    try:
        found = writer.generate(root)
        tokens = tokenizer.tokenize(found)
    except (SqlglotError, RecursionError, ValueError):
        raise UnsupportedSqlError(_NOT_WRITTEN) from None
    if any(one.comments or one.token_type is TokenType.SEMICOLON for one in tokens):
        raise UnsupportedSqlError(_NOT_WRITTEN)
    return found, tokens


def _called_in_duckdb(tokens: Sequence[Token], aliases: Collection[str]) -> Iterator[str]:
    """Yield the functions that SQL calls; in DuckDB a quoted name calls one, too.

    Only the name of a WITH with its columns may stand before a parenthesis.
    """
    before = TokenType.SELECT
    for word, after in zip(tokens, (*tokens[1:], None), strict=True):
        name, is_quoted = word.text.upper(), word.token_type is TokenType.IDENTIFIER
        is_call = after is not None and after.token_type is TokenType.L_PAREN
        is_name = before is TokenType.ALIAS or (is_quoted and word.text in aliases)
        if is_quoted:
            if is_call and not is_name:
                yield name
        elif word.token_type is not TokenType.STRING and (
            name in REFUSED_WORDS
            or (
                is_call
                and not is_name
                and word.text.isidentifier()
                and name not in WORDS_BEFORE_PARENTHESES
            )
        ):
            yield name
        before = word.token_type


def _called_functions(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield the functions that SQL calls, found in its tokens alone."""
    before = TokenType.SELECT
    for word, after in pairwise(tokens):
        is_call = after.token_type is TokenType.L_PAREN and word.text.isidentifier()
        is_name = word.token_type is TokenType.IDENTIFIER or before is TokenType.ALIAS
        name = word.text.upper()
        if is_call and not is_name and name not in WORDS_BEFORE_PARENTHESES:
            yield name
        before = word.token_type


def _name_in_text(root: exp.Expr, name: str, text: str) -> str:
    found = (node for node in root.find_all(exp.Func) if name in node.sql_names())
    node = next(found, None)
    return name.lower() if node is None else name_as_written(node, text)


def unsupported_function_message(name: str) -> str:
    """Return the message about a function that is not available."""
    return f"the function '{truncated(name)}' is not run over files"


def name_as_written(node: exp.Func, text: str) -> str:
    """Return the name of a function as it is spelt in the text."""
    start, end = node.meta.get("start"), node.meta.get("end")
    if start is None or end is None:
        names = (name for name in node.sql_names() if re.search(rf"(?i)\b{name}\s*\(", text))
        return next(names, function_name(node)).lower()
    return text[start : end + 1].strip('"').lower()


def function_name(node: exp.Func) -> str:
    """Return the name of a function as the parser knows it."""
    return (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
