"""The dialects of SQL that a rule may be written in; without one it is read as DuckDB's."""

DEFAULT_DIALECT = "duckdb"
_INTEGER_DIVISION = frozenset(
    {"athena", "postgres", "presto", "redshift", "sqlite", "teradata", "trino", "tsql"}
)
DIALECTS = _INTEGER_DIVISION | frozenset(
    {
        "bigquery",
        "clickhouse",
        "databricks",
        "duckdb",
        "hive",
        "mysql",
        "oracle",
        "snowflake",
        "spark",
    }
)
"""Names of dialects, as the parser spells them."""

_BACKTICKS = frozenset({"bigquery", "databricks", "hive", "mysql", "spark"})
_OTHER_NAMES = {"postgresql": "postgres", "sqlserver": "tsql", "synapse": "tsql", "azure": "tsql"}


def dialect_named(written: str) -> str | None:
    """Return the dialect of this name, or None if it is not known."""
    name = written.strip().lower()
    name = _OTHER_NAMES.get(name, name)
    return name if name in DIALECTS else None


def name_quote(dialect: str) -> str:
    """Return the quote of names in a dialect; the other one may be that of texts."""
    return "`" if dialect in _BACKTICKS else '"'


def divides_integers(dialect: str) -> bool:
    """Return whether `7 / 2` of integers is 3 in a dialect, and not 3.5."""
    return dialect in _INTEGER_DIVISION
