"""Replace the variables of a contract: `${NAME}` and `${NAME:-default}`.

Their values come from the environment, as far as the operator allows it.
"""

import re
from collections.abc import Mapping

_OF_COLUMN = ("property", "column", "field")
PLACEHOLDERS = ("object", "table", "model", "schema", *_OF_COLUMN)
"""Placeholders for the table and column of a SQL rule; they are never variables."""

_VARIABLE = re.compile(
    r"\$\{(?!(?:" + "|".join(PLACEHOLDERS) + r")\})([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}"
)

_COLUMN = re.compile(r"\{(?:" + "|".join(_OF_COLUMN) + r")\}")


class UnresolvedVariableError(ValueError):
    """A variable has no value; the message names it and says what to do."""


def has_variables(text: str) -> bool:
    """Return whether a text has variables."""
    return _VARIABLE.search(text) is not None


def has_column_placeholder(query: str) -> bool:
    """Return whether a query has a placeholder for the column of its rule."""
    return _COLUMN.search(query) is not None


def substitute_variables(text: str, environment: Mapping[str, str]) -> str:
    """Return the text with its variables substituted; an empty value is treated as unset.

    Args:
        text: The text as written in the contract.
        environment: The variables that the operator allows, with their values.

    Raises:
        UnresolvedVariableError: If a variable is not allowed or not set, and has no default.
    """

    def value(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        given = environment.get(name) or default
        if not given:
            raise UnresolvedVariableError(
                f"the variable {name[:60]} of the contract has no value; allow it and set it"
            )
        return given

    return _VARIABLE.sub(value, text)
