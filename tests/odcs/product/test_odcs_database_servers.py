"""Servers that are databases: where they are, and what is wrong with it."""

import pytest
from odcs_values import parsed, problems_of, table

POSTGRES = """servers:
  - server: live
    type: postgres
    host: db.example.org
    port: 5433
    database: shop
    schema: sales
"""


def with_servers(text: str) -> str:
    return table("name: id, logicalType: integer") + text


def test_a_database_is_read_with_its_place() -> None:
    (server,) = parsed(with_servers(POSTGRES)).servers
    place = (server.host, server.port, server.database, server.schema)
    assert place == ("db.example.org", "5433", "shop", "sales")
    assert not server.unsupported


def test_each_part_may_be_a_variable() -> None:
    text = POSTGRES.replace("db.example.org", "${DB_HOST}").replace("5433", "'${DB_PORT}'")
    (server,) = parsed(with_servers(text)).servers
    assert (server.host, server.port) == ("${DB_HOST}", "${DB_PORT}")


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        ("host: https://db.example.org", 15, "the name of a host alone"),
        ("host: me:secret@db.example.org", 15, "a user or a password never stands in a contract"),
        ("host: me:secret@${HOST}", 15, "a user or a password never stands in a contract"),
        ("host: db.example.org:5432", 15, "the port stands in the key 'port'"),
        ("host: ''", 15, "the host is empty"),
        ("host: my db", 15, "this is no host"),
        ("database: ./shop.db", 17, "this is a path or an address; expected the name of a data"),
        ("database: ' '", 17, "the database is empty"),
        ("schema: ''", 18, "the schema is empty; expected the name of a schema, such as public"),
        ("port: 0", 16, "expected a port of 1 to 65,535"),
        ("port: 123456789012345678901234567890", 16, "expected a port"),
    ],
)
def test_a_wrong_place_is_told_at_its_line(wrong: str, line: int, said: str) -> None:
    key = wrong.split(":", maxsplit=1)[0]
    lines = [f"    {wrong}" if one.strip().startswith(f"{key}:") else one
             for one in POSTGRES.splitlines()]  # fmt: skip
    found = list(problems_of(with_servers("\n".join(lines) + "\n")))
    assert any(one.line == line and said in one.message for one in found), found
    assert not any("secret@" in one.message for one in found)


@pytest.mark.parametrize("database", ["''", "':memory:'", "md:shop", "s3://bucket/shop.duckdb"])
def test_a_duckdb_server_needs_its_file(database: str) -> None:
    text = f"servers:\n  - {{server: live, type: duckdb, database: {database}}}\n"
    assert any("path of a DuckDB file" in one.message for one in problems_of(with_servers(text)))


@pytest.mark.parametrize("host", ["'::1'", "'[::1]'", "192.0.2.7", "db_1"])
def test_addresses_and_short_names_are_hosts(host: str) -> None:
    text = POSTGRES.replace("db.example.org", host)
    (server,) = parsed(with_servers(text)).servers
    assert server.host == host.strip("'")


def test_the_time_zone_of_a_database_is_that_of_its_columns() -> None:
    zone = (
        "    customProperties:\n"
        "      - {property: contractwatch.read, value: {timezone: Europe/Amsterdam}}\n"
    )
    plain = with_servers(POSTGRES + zone).replace("logicalType: integer", "logicalType: timestamp")
    (column,) = parsed(plain).tables[0].columns
    assert column.default_timezone == "Europe/Amsterdam"
