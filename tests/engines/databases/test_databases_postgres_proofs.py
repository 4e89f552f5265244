"""What PostgreSQL's catalogue proves, and what only looks like a proof and is scanned."""

import pytest
from database_engines import PostgresDatabase, asked_of_table
from engine_values import TABLE

from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import (
    CountWhere,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsNull,
    IsShorter,
    Predicate,
    SurplusRows,
)
from contractwatch.model.measure.state import Count, DuplicateCounts
from tests.databases import Database


@pytest.fixture
def database(postgres_database: Database) -> PostgresDatabase:
    return PostgresDatabase(postgres_database)


PROVED: list[tuple[str, Predicate]] = [
    ("a int NOT NULL", IsNull("a")),
    ("a int PRIMARY KEY", IsNull("a")),
    ("a varchar(5)", IsLonger("a", 5)),
    ("a text CHECK (char_length(a) <= 5)", IsLonger("a", 5)),
    ("a text CHECK (length(a) > 1)", IsShorter("a", 2)),
    ("a int CHECK (a >= 0)", IsBelow("a", 0)),
    ("a int CHECK (a > 0)", IsBelow("a", 0, exclusive=True)),
    ("a int CHECK (0 <= a AND a < 10)", IsAbove("a", 10)),
    ("a int CHECK (a BETWEEN 1 AND 5)", IsAbove("a", 5)),
    ("a numeric(8, 2) CHECK (a >= 0 AND a <= 9.5)", IsBelow("a", 0)),
    ("a text CHECK (a IN ('x', 'y'))", IsInvalid("a", ("x", "y", "z"))),
    ("a varchar(3) CHECK (a IN ('x', 'y'))", IsInvalid("a", ("x", "y"))),
    ("a text CHECK (a = 'x')", IsInvalid("a", ("x",))),
    ("a int CHECK (a IN (1, 2))", IsInvalid("a", (1, 2))),
    ("a int CHECK (a IN (1, 2))", IsAbove("a", 2)),
]
SCANNED: list[tuple[str, Predicate]] = [
    ("a int", IsNull("a")),
    ("a int UNIQUE", IsNull("a")),
    ("a int CHECK (a IS NOT NULL OR random() < 2)", IsNull("a")),
    ("a int CHECK (a >= 0) NO INHERIT", IsBelow("a", 0)),
    ("a int CHECK (a >= 0)", IsBelow("a", 0, exclusive=True)),
    ("a int CHECK (a >= -5)", IsBelow("a", 0)),
    ("a int CHECK (a >= 0 OR a < -100)", IsBelow("a", 0)),
    ("a int CHECK (NOT a < 0)", IsBelow("a", 1)),
    ("a int, b int CHECK (b >= 0)", IsBelow("a", 0)),
    ("a int, b int CHECK (a >= b)", IsBelow("a", 0)),
    ("a int CHECK (abs(a) >= 0)", IsBelow("a", 0)),
    ("a int CHECK (a + 5 >= 0)", IsBelow("a", 0)),
    ("a float8 CHECK (a >= 0)", IsBelow("a", 0)),
    ("a numeric CHECK (a >= 0)", IsBelow("a", 0)),
    ("a numeric(8, 2) CHECK (a >= 0)", IsBelow("a", 0)),
    ("a numeric(8, 2) CHECK (a::int >= 1)", IsBelow("a", 1)),
    ("a text CHECK (a IN ('x', 'y'))", IsInvalid("a", ("x",))),
    ("a text CHECK (lower(a) IN ('x', 'y'))", IsInvalid("a", ("x", "y"))),
    ("a char(3) CHECK (a IN ('x', 'y'))", IsInvalid("a", ("x", "y"))),
    ("a text CHECK (octet_length(a) <= 5)", IsLonger("a", 5)),
    ("a text CHECK (substr(a, 1, 1) = 'x')", IsInvalid("a", ("x",))),
    ("a varchar(5) CHECK (a::varchar(1) = 'x')", IsInvalid("a", ("x",))),
]


@pytest.mark.parametrize(("columns", "predicate"), PROVED)
def test_what_the_database_enforces_is_not_scanned(
    database: PostgresDatabase, columns: str, predicate: Predicate
) -> None:
    database.run(f"DROP TABLE IF EXISTS {TABLE} CASCADE", f"CREATE TABLE {TABLE} ({columns})")
    metric = CountWhere(TABLE, predicate)
    assert asked_of_table(database, metric) == (Count(0), Evidence.METADATA)
    assert asked_of_table(database, metric, trusts=False) == (Count(0), Evidence.SCAN)


@pytest.mark.parametrize(("columns", "predicate"), SCANNED)
def test_what_is_no_proof_is_scanned(
    database: PostgresDatabase, columns: str, predicate: Predicate
) -> None:
    database.run(f"DROP TABLE IF EXISTS {TABLE} CASCADE", f"CREATE TABLE {TABLE} ({columns})")
    assert asked_of_table(database, CountWhere(TABLE, predicate)) == (Count(0), Evidence.SCAN)


def _violated(database: PostgresDatabase, predicate: Predicate, *statements: str) -> None:
    """Assert that one row violates a predicate that a constraint seems to rule out."""
    database.run(f"DROP TABLE IF EXISTS {TABLE} CASCADE", *statements)
    assert asked_of_table(database, CountWhere(TABLE, predicate)) == (Count(1), Evidence.SCAN)


def test_a_constraint_that_is_not_valid_proves_nothing(database: PostgresDatabase) -> None:
    _violated(
        database,
        IsBelow("a", 0),
        f"CREATE TABLE {TABLE} (a int)",
        f"INSERT INTO {TABLE} VALUES (-1)",
        f"ALTER TABLE {TABLE} ADD CHECK (a >= 0) NOT VALID",
    )


def test_a_view_proves_nothing(database: PostgresDatabase) -> None:
    _violated(
        database,
        IsNull("a"),
        "DROP TABLE IF EXISTS base CASCADE",
        "CREATE TABLE base (a int NOT NULL)",
        f"CREATE VIEW {TABLE} AS SELECT b.a FROM (VALUES (1)) v(x) LEFT JOIN base b ON true",
    )
    database.run(f"DROP VIEW {TABLE}")


def _keys(database: PostgresDatabase, *statements: str) -> tuple[object, object]:
    database.run(f"DROP TABLE IF EXISTS {TABLE} CASCADE", *statements)
    return asked_of_table(database, SurplusRows(TABLE, ("a",)))


def test_a_key_of_the_database_is_not_counted(database: PostgresDatabase) -> None:
    made = (f"CREATE TABLE {TABLE} (a int UNIQUE)", f"INSERT INTO {TABLE} VALUES (1), (2), (null)")
    assert _keys(database, *made) == (DuplicateCounts(rows=2), Evidence.METADATA)


def test_a_key_of_fewer_columns_proves_one_of_more(database: PostgresDatabase) -> None:
    database.run(
        f"DROP TABLE IF EXISTS {TABLE} CASCADE",
        f"CREATE TABLE {TABLE} (a int PRIMARY KEY, b int)",
        f"INSERT INTO {TABLE} VALUES (1, 1), (2, 1)",
    )
    found = asked_of_table(database, SurplusRows(TABLE, ("b", "a")))
    assert found == (DuplicateCounts(rows=2), Evidence.METADATA)
    found = asked_of_table(database, SurplusRows(TABLE, ("b",)))
    assert found == (DuplicateCounts(2, 1, 1, 2), Evidence.SCAN)


REPEATED = (DuplicateCounts(2, 1, 1, 2), Evidence.SCAN)
DISTINCT = (DuplicateCounts(1), Evidence.SCAN)


def test_a_key_that_children_repeat_is_counted(database: PostgresDatabase) -> None:
    assert (
        _keys(
            database,
            f"CREATE TABLE {TABLE} (a int PRIMARY KEY)",
            f"CREATE TABLE child () INHERITS ({TABLE})",
            f"INSERT INTO {TABLE} VALUES (1)",
            "INSERT INTO child VALUES (1)",
        )
        == REPEATED
    )


def test_a_key_that_is_checked_later_is_counted(database: PostgresDatabase) -> None:
    made = (
        f"CREATE TABLE {TABLE} (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        f"INSERT INTO {TABLE} VALUES (1)",
    )
    assert _keys(database, *made) == DISTINCT


def test_an_index_over_some_rows_or_expressions_is_no_key(database: PostgresDatabase) -> None:
    for index in ("(a) WHERE a > 0", "((a % 10))", "(a, b)"):
        made = (
            f"CREATE TABLE {TABLE} (a int, b int)",
            f"CREATE UNIQUE INDEX ON {TABLE} {index}",
            f"INSERT INTO {TABLE} VALUES (1, 1)",
        )
        assert _keys(database, *made) == DISTINCT


def test_a_column_that_an_index_only_includes_is_no_key(database: PostgresDatabase) -> None:
    database.run(
        f"DROP TABLE IF EXISTS {TABLE} CASCADE",
        f"CREATE TABLE {TABLE} (a int, b int)",
        f"CREATE UNIQUE INDEX ON {TABLE} (b) INCLUDE (a)",
        f"INSERT INTO {TABLE} VALUES (1, 1), (1, 2)",
    )
    assert asked_of_table(database, SurplusRows(TABLE, ("a",))) == REPEATED
    found = asked_of_table(database, SurplusRows(TABLE, ("a", "b")))
    assert found == (DuplicateCounts(2), Evidence.METADATA)


def test_a_partitioned_table_proves_by_its_key(database: PostgresDatabase) -> None:
    made = (
        f"CREATE TABLE {TABLE} (a int PRIMARY KEY) PARTITION BY RANGE (a)",
        f"CREATE TABLE part PARTITION OF {TABLE} FOR VALUES FROM (0) TO (10)",
        f"INSERT INTO {TABLE} VALUES (1), (2)",
    )
    assert _keys(database, *made) == (DuplicateCounts(rows=2), Evidence.METADATA)


def test_an_enumerated_type_and_a_domain_prove_their_values(database: PostgresDatabase) -> None:
    database.run(
        f"DROP TABLE IF EXISTS {TABLE} CASCADE",
        "DROP TYPE IF EXISTS mood CASCADE",
        "DROP DOMAIN IF EXISTS whole CASCADE",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE DOMAIN whole AS int NOT NULL",
        f"CREATE TABLE {TABLE} (a mood, b whole)",
        f"INSERT INTO {TABLE} VALUES ('bad', 1)",
    )
    both = CountWhere(TABLE, IsInvalid("a", ("good", "bad")))
    assert asked_of_table(database, both) == (Count(0), Evidence.METADATA)
    one = CountWhere(TABLE, IsInvalid("a", ("good",)))
    assert asked_of_table(database, one) == (Count(1), Evidence.SCAN)
    null = CountWhere(TABLE, IsNull("b"))
    assert asked_of_table(database, null) == (Count(0), Evidence.METADATA)


def test_texts_are_equal_only_letter_by_letter(database: PostgresDatabase) -> None:
    database.run(
        f"DROP TABLE IF EXISTS {TABLE} CASCADE",
        "CREATE COLLATION IF NOT EXISTS any_case"
        " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        f"CREATE TABLE {TABLE} (a text COLLATE any_case CHECK (a IN ('x')), b char(4))",
        f"INSERT INTO {TABLE} VALUES ('X', 'ab'), ('x', 'AB')",
    )
    exact = CountWhere(TABLE, IsInvalid("a", ("x",)))
    assert asked_of_table(database, exact) == (Count(1), Evidence.SCAN)
    padded = CountWhere(TABLE, IsInvalid("b", ("ab", "AB")))
    assert asked_of_table(database, padded) == (Count(0), Evidence.SCAN)
    assert asked_of_table(database, CountWhere(TABLE, IsShorter("b", 3)))[0] == Count(2)
