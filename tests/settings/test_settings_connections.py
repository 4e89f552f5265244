"""Tables `[connections.NAME]` of the settings."""

from pathlib import Path

import pytest

from contractwatch.errors import SettingsError
from contractwatch.model.base.connection import Connection, DatabaseKind
from contractwatch.model.base.receiver import SecretRef, SecretSource
from contractwatch.settings import load_settings

SHOP = """
[connections.shop]
type = "postgres"
host = "db.example.org"
database = "shop"
"""


def connections(folder: Path, text: str, **environ: str) -> tuple[Connection, ...]:
    file = folder / "contractwatch.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ).connections


def problem(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        connections(folder, text)
    (only,) = caught.value.problems
    return only


def test_a_connection_has_its_defaults(tmp_path: Path) -> None:
    (found,) = connections(tmp_path, SHOP)
    assert found == Connection(
        "shop", DatabaseKind.POSTGRES, "db.example.org", 5432, database="shop"
    )


def test_all_keys_are_read_and_the_environment_wins(tmp_path: Path) -> None:
    text = SHOP + (
        'port = 5433\nuser = "reader"\npassword = {file = "secret"}\nsslmode = "require"\n'
        'roots = ["sales"]\nstatement_timeout_seconds = 5\nconnections_limit = 1\n'
        "pull_max_rows = 0\n"
    )
    (found,) = connections(tmp_path, text, CONTRACTWATCH_CONNECTIONS__SHOP__USER="other")
    secret = SecretRef(SecretSource.FILE, str(tmp_path / "secret"))
    assert found == Connection(
        "shop", DatabaseKind.POSTGRES, "db.example.org", 5433, "shop", "other", secret, "require",
        ("sales",), 5, 1, 0,
    )  # fmt: skip


def test_the_file_of_duckdb_starts_at_the_settings(tmp_path: Path) -> None:
    text = '[connections.w]\ntype = "duckdb"\ndatabase = "data/w.duckdb"\n'
    (found,) = connections(tmp_path, text)
    assert found.database == str(tmp_path / "data" / "w.duckdb")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHOP.replace("postgres", "oracle"), "databases of this type are not read"),
        (SHOP.replace('host = "db.example.org"\n', ""), "host: write the name"),
        (SHOP.replace("db.example.org", "https://db.example.org"), "host alone"),
        (SHOP.replace("db.example.org", "me:hunter2@db.example.org"), "a secret is never written"),
        (SHOP.replace("db.example.org", "db.example.org:5432"), "host alone; its port is port"),
        (SHOP.replace('"shop"', '"/var/lib/shop"'), "the name of the database alone"),
        (
            SHOP.replace("postgres", "mariadb") + 'sslmode = "prefer"\n',
            "sslmode: expected one of disable, require, verify-ca, verify-full",
        ),
        (
            SHOP + SHOP.replace("shop]", "again]").replace(".org", ".ORG."),
            "is to the same database",
        ),
        (SHOP + 'password = "hunter2"\n', "a secret is never written"),
        (SHOP + "port = 70000\n", "port"),
        (SHOP + 'sslmode = "maybe"\n', "sslmode"),
        (SHOP + 'sslmode = "require"\nsslrootcert = "ca.pem"\n', "verify-ca and verify-full only"),
        (SHOP + 'usr = "x"\n', "did you mean 'user'?"),
        (SHOP + SHOP.replace("shop]", "again]"), "is to the same database"),
        ('[connections.w]\ntype = "duckdb"\ndatabase = "x"\nhost = "y"\n', "has no host"),
        ('[connections.w]\ntype = "duckdb"\ndatabase = ":memory:"\n', "path of a DuckDB file"),
        ('[connections.w]\ntype = "duckdb"\ndatabase = "md:shop"\n', "path of a DuckDB file"),
    ],
)
def test_a_wrong_connection_is_told_without_its_secret(
    tmp_path: Path, text: str, said: str
) -> None:
    found = problem(tmp_path, text)
    assert said in found
    assert "hunter2" not in found


def test_an_address_of_version_6_is_a_host(tmp_path: Path) -> None:
    (found,) = connections(tmp_path, SHOP.replace("db.example.org", "::1"))
    assert found.host == "::1"


def test_the_file_of_authorities_starts_at_the_settings(tmp_path: Path) -> None:
    text = SHOP + 'sslmode = "verify-full"\nsslrootcert = "ca.pem"\n'
    (found,) = connections(tmp_path, text)
    assert found.sslrootcert == str(tmp_path / "ca.pem")


def test_two_ways_to_one_file_are_one_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    text = "".join(
        f'[connections.{name}]\ntype = "duckdb"\ndatabase = "{path}"\n'
        for name, path in (("a", "w.duckdb"), ("b", "link/w.duckdb"))
    )
    assert "connections.b: connections.a is to the same database" in problem(tmp_path, text)
