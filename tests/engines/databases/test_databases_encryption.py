"""Encrypted connections: whose certificate is believed, and what is told if it is not."""

from importlib import import_module
from pathlib import Path

import pytest

from contractwatch.engines.databases.session import Session
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import Connection, DatabaseKind
from tests.databases import Database, DatabaseServer

IS_ENCRYPTED = {
    DatabaseKind.POSTGRES: "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    DatabaseKind.MYSQL: (
        "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS"
        " WHERE VARIABLE_NAME = 'Ssl_cipher'"
    ),
}


@pytest.fixture(params=["postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(f"{request.param}_database")


def session(connection: Connection, password: str) -> Session:
    module = import_module(f"contractwatch.engines.databases.{connection.kind}")
    return module.connect(connection, password, application="contractwatch/test")


def is_encrypted(at: DatabaseServer, connection: Connection) -> bool:
    opened = session(connection, at.password)
    try:
        return bool(opened.rows(IS_ENCRYPTED[at.kind])[0][0])
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("mode", "encrypts"),
    [("", True), ("disable", False), ("require", True), ("verify-ca", True), ("verify-full", True)],
)
def test_the_mode_says_whether_a_connection_is_encrypted(
    mode: str, encrypts: bool, database: Database
) -> None:
    certificate = str(database.at.certificate)
    known = certificate if mode.startswith("verify") else ""
    connection = database.connection(sslmode=mode, sslrootcert=known)
    assert is_encrypted(database.at, connection) is encrypts


def refused(database: Database, **changes: str) -> str:
    with pytest.raises(SourceError) as caught:
        session(database.connection(**changes), database.at.password)
    assert caught.value.blame is Blame.AGENT
    assert database.at.password not in str(caught.value)
    return str(caught.value)


def test_a_certificate_of_another_authority_is_refused(database: Database) -> None:
    import certifi  # noqa: PLC0415 - the authorities of the web

    assert database.at.certificate.exists()
    said = refused(database, sslmode="verify-full", sslrootcert=certifi.where())
    assert "the server's certificate is refused" in said


def test_a_file_of_authorities_that_is_not_there_is_told_as_that(
    database: Database, tmp_path: Path
) -> None:
    assert database.at.certificate.exists()
    said = refused(database, sslmode="verify-full", sslrootcert=str(tmp_path / "gone.pem"))
    assert "file of authorities" in said
    assert "sslrootcert" in said
