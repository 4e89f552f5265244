"""Write a parsed expression as SQL of Polars, and check the functions that it calls."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.generator import Generator
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from contractwatch.odcs.sql.sql_allow_list import ALLOWED_FUNCTIONS, WORDS_BEFORE_PARENTHESES
from contractwatch.odcs.sql.sql_errors import UnsupportedSqlError, truncated

_NOT_WRITTEN = "the SQL cannot be written for the engine"


def _position(writer: Generator, node: exp.StrPosition) -> str:
    return writer.func("STRPOS", node.this, node.args["substr"])


def _truncated(writer: Generator, node: exp.TimestampTrunc) -> str:
    return writer.func("DATE_TRUNC", exp.Literal.string(node.args["unit"].name.lower()), node.this)


def _in_either_case(writer: Generator, node: exp.RegexpILike) -> str:
    return writer.func("REGEXP_LIKE", node.this, node.expression, exp.Literal.string("i"))


def _logarithm(writer: Generator, node: exp.Log) -> str:
    """Write LOG(base, value) for Polars, which has the base last; the default base is 10."""
    base, value = node.this, node.args.get("expression")
    if value is None:
        return writer.func("LOG10", base)
    if isinstance(base, exp.Literal) and base.name in ("2", "10"):
        return writer.func(f"LOG{base.name}", value)
    return f"({writer.func('LN', value)} / {writer.func('LN', base)})"


def _joined(writer: Generator, node: exp.ConcatWs) -> str:
    return writer.func("CONCAT_WS", *node.expressions)  # nulls are skipped, not empty


class _PolarsGenerator(Generator):
    """Generates SQL in the dialect of Polars."""

    TRANSFORMS = {  # noqa: RUF012 - declared so by the library
        **Generator.TRANSFORMS,
        exp.ConcatWs: _joined,
        exp.Log: _logarithm,
        exp.RegexpILike: _in_either_case,
        exp.StrPosition: _position,
        exp.TimestampTrunc: _truncated,
    }


def to_polars_sql(root: exp.Expr, text: str = "") -> str:
    """Return an expression as SQL of Polars that calls allowed functions only.

    Args:
        root: The parsed expression.
        text: Its source text, for the names of functions in messages.

    Raises:
        UnsupportedSqlError: If it cannot be written, or calls a function that is not allowed.
    """
    writer = _PolarsGenerator(identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    try:
        found = writer.generate(root)
        tokens = Tokenizer().tokenize(found)
    except (SqlglotError, RecursionError):
        raise UnsupportedSqlError(_NOT_WRITTEN) from None
    if any(one.comments or one.token_type is TokenType.SEMICOLON for one in tokens):
        raise UnsupportedSqlError(_NOT_WRITTEN)
    for name in _called_functions(tokens):
        if name not in ALLOWED_FUNCTIONS:
            raise UnsupportedSqlError(unsupported_function_message(_name_in_text(root, name, text)))
    return found


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
