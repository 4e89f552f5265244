"""The error for SQL of a contract that is not run, and its messages."""

_LONGEST_SHOWN = 60


class InvalidSqlError(ValueError):
    """The SQL may not run; the message says what is wrong with it and what was expected."""


class UnsupportedSqlError(InvalidSqlError):
    """The SQL may be right for another engine, which has other tables, functions and sizes."""


class UnsafeSqlError(InvalidSqlError):
    """The SQL would read what is not the contract's, or is no SELECT: no slip of the pen."""


def truncated(name: str) -> str:
    """Return a name as messages show it."""
    return name[:_LONGEST_SHOWN]
