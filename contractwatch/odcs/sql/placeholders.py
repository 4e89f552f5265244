"""Replace the placeholders of a SQL rule by the names of its table and column."""

import re
from collections.abc import Mapping

from contractwatch.odcs.sql.sql_errors import InvalidSqlError
from contractwatch.odcs.values.variables import PLACEHOLDERS

_OF_TABLE = ("object", "table", "model", "schema")
_SCHEMA_PREFIX = re.compile(r"([\"`]?)\$?\{schema\}\1\.")
_PLACEHOLDER = re.compile(r"""(["'`]?)\$?\{([A-Za-z_][A-Za-z0-9_]*)\}\1""")


def fill_placeholders(query: str, table: str, column: tuple[str, ...], *, quote: str = '"') -> str:
    """Return the query with its placeholders replaced; variables stay as they are.

    Args:
        query: The query as written in the contract.
        table: The physical name of the rule's table.
        column: The physical names from the rule's column to its field; empty for a rule of a table.
        quote: The quote of names in the query's dialect.

    Raises:
        InvalidSqlError: If a placeholder is not known, or stands for a column at a table.
    """
    names = {**dict.fromkeys(PLACEHOLDERS, column), **dict.fromkeys(_OF_TABLE, (table,))}
    # files have no database schema: `{schema}.{object}` is the table alone
    bare = _SCHEMA_PREFIX.sub("", query)
    return _PLACEHOLDER.sub(lambda found: _name(found, names, quote), bare)


def _name(found: re.Match[str], names: Mapping[str, tuple[str, ...]], quote: str) -> str:
    written_in, placeholder = found[1], found[2]
    if placeholder not in names:
        if "${" in found[0]:
            return found[0]
        known = ", ".join(f"{{{name}}}" for name in ("object", "property"))
        raise InvalidSqlError(f"unknown placeholder '{placeholder[:40]}'; expected {known}")
    if not names[placeholder]:
        message = f"'{{{placeholder}}}' stands for a column; expected a rule of a column"
        raise InvalidSqlError(message)
    if written_in == "'":
        text = ".".join(names[placeholder])
        return "'" + text.replace("'", "''") + "'"
    return ".".join(quote + name.replace(quote, 2 * quote) + quote for name in names[placeholder])
