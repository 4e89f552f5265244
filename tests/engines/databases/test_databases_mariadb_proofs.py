"""What MariaDB's catalogue proves (NOT NULL and unique keys), and what is scanned all the same."""

import pytest
from database_engines import MysqlDatabase, asked_of_table
from engine_values import TABLE

from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import (
    CountWhere,
    IsAbove,
    IsInvalid,
    IsLonger,
    IsNull,
    Predicate,
    SurplusRows,
)
from contractwatch.model.measure.state import Count, DuplicateCounts
from tests.databases import Database


@pytest.fixture
def database(mariadb_database: Database) -> MysqlDatabase:
    made = MysqlDatabase(mariadb_database)
    made.run(f"DROP TABLE {TABLE}")
    return made


@pytest.mark.parametrize(
    ("columns", "predicate", "evidence"),
    [
        ("a int NOT NULL", IsNull("a"), Evidence.METADATA),
        ("a int PRIMARY KEY", IsNull("a"), Evidence.METADATA),
        ("a int UNIQUE", IsNull("a"), Evidence.SCAN),
        ("a int CHECK (a < 5)", IsAbove("a", 5), Evidence.SCAN),
        ("a enum('x', 'y')", IsInvalid("a", ("x", "y")), Evidence.SCAN),
        ("a varchar(5)", IsLonger("a", 5), Evidence.SCAN),
    ],
)
def test_only_what_no_session_can_switch_off_is_a_proof(
    database: MysqlDatabase, columns: str, predicate: Predicate, evidence: Evidence
) -> None:
    database.run(f"CREATE TABLE {TABLE} ({columns})")
    assert asked_of_table(database, CountWhere(TABLE, predicate)) == (Count(0), evidence)


def test_a_check_that_was_switched_off_is_not_believed(database: MysqlDatabase) -> None:
    database.run(
        f"CREATE TABLE {TABLE} (a int CHECK (a < 5))",
        "SET check_constraint_checks = OFF",
        f"INSERT INTO {TABLE} VALUES (9)",
    )
    found = asked_of_table(database, CountWhere(TABLE, IsAbove("a", 5)))
    assert found == (Count(1), Evidence.SCAN)


def test_keys_are_compared_letter_by_letter_and_proved_by_their_index(
    database: MysqlDatabase,
) -> None:
    database.run(
        f"CREATE TABLE {TABLE} (a varchar(9), b int UNIQUE) DEFAULT CHARACTER SET utf8mb4",
        f"INSERT INTO {TABLE} VALUES ('x', 1), ('X', 2), ('x ', 3), ('x', 4)",
    )
    by_text = asked_of_table(database, SurplusRows(TABLE, ("a",)))
    assert by_text == (DuplicateCounts(4, 1, 1, 2), Evidence.SCAN)
    by_key = asked_of_table(database, SurplusRows(TABLE, ("b",)))
    assert by_key == (DuplicateCounts(4), Evidence.METADATA)


def test_a_view_proves_nothing(database: MysqlDatabase) -> None:
    database.run(
        "CREATE TABLE base (a int NOT NULL)",
        f"CREATE VIEW {TABLE} AS SELECT b.a FROM (SELECT 1 x) v LEFT JOIN base b ON true",
    )
    assert asked_of_table(database, CountWhere(TABLE, IsNull("a"))) == (Count(1), Evidence.SCAN)
