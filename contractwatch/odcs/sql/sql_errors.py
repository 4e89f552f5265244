"""The error for SQL of a contract that is not run, and its messages."""

_MAX_SHOWN = 60


class InvalidSqlError(ValueError):
    """The SQL is not run; the message says what is wrong and what was expected."""


class UnsupportedSqlError(InvalidSqlError):
    """The SQL may be valid for another engine, with other tables, functions or limits."""


class UnsafeSqlError(InvalidSqlError):
    """The SQL would read something else than the contract's tables, or is no SELECT."""


def truncated(name: str) -> str:
    """Return a name, truncated for messages."""
    return name[:_MAX_SHOWN]
