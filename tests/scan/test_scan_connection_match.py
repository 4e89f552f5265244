"""Which connection of the operator a server of a contract gets."""

import tomllib
from pathlib import Path

import pytest

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.connection import Connection, DatabaseKind
from contractwatch.model.base.server import Server
from contractwatch.scan.connection_match import match_connection
from contractwatch.scan.servers import connected_server

SHOP = Connection("shop", DatabaseKind.POSTGRES, "db.example.org", 5432, "shop")
STOCK = Connection("stock", DatabaseKind.POSTGRES, "db.example.org", 5432, "stock")


def server(kind: str = "postgres", **more: str) -> Server:
    return Server(Clause("servers[0]", 1), "live", kind, **more)


def matched(of: Server, *connections: Connection, base: Path = Path("/")) -> Connection:
    return match_connection(of, connections, [base])


def refused(of: Server, *connections: Connection) -> str:
    with pytest.raises(SourceError) as caught:
        matched(of, *connections)
    assert caught.value.blame is Blame.AGENT
    return str(caught.value)


def test_host_port_and_database_choose_the_connection() -> None:
    of = server(host="DB.example.org", port="5432", database="stock")
    assert matched(of, SHOP, STOCK) is STOCK
    assert matched(server("cloudsql", host="db.example.org", database="shop"), SHOP) is SHOP


def test_what_a_contract_leaves_out_fits_any_but_never_two() -> None:
    assert matched(server(database="shop"), SHOP, STOCK) is SHOP
    assert "shop, stock" in refused(server(host="db.example.org"), SHOP, STOCK)


@pytest.mark.parametrize(
    "other",
    [
        {"host": "db.example.com", "database": "shop"},
        {"host": "db.example.org", "database": "Shop"},
        {"host": "db.example.org", "database": "shop", "port": "5433"},
    ],
)
def test_another_place_has_no_connection(other: dict[str, str]) -> None:
    assert "no connection is configured for postgres" in refused(server(**other), SHOP)


def test_the_reason_is_the_entry_that_is_missing() -> None:
    said = refused(server(host='h"x', database="a b"))
    assert said == (
        'no connection is configured for postgres h"x:5432/a b; add [connections.ab] type ='
        ' "postgres", host = "h\\"x", port = 5432, database = "a b", user = "...",'
        ' password = {env = "..."}'
    )


def test_a_file_of_duckdb_is_matched_by_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "w.duckdb").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "w.duckdb")
    known = Connection("w", DatabaseKind.DUCKDB, database=str(tmp_path / "w.duckdb"))
    assert matched(server("duckdb", database="./w.duckdb"), known, base=tmp_path) is known
    assert matched(server("duckdb", database="link"), known, base=tmp_path) is known
    assert "no connection" in refused(server("duckdb", database="w.duckdb"), known)


def test_the_first_folder_that_has_the_file_is_meant(tmp_path: Path) -> None:
    first, second = tmp_path / "contracts", tmp_path / "roots"
    for folder in (first, second):
        folder.mkdir()
    (second / "w.duckdb").write_bytes(b"")
    of = server("duckdb", database="w.duckdb")
    known = Connection("w", DatabaseKind.DUCKDB, database=str(second / "w.duckdb"))
    assert match_connection(of, [known], [first, second]) is known
    (first / "w.duckdb").write_bytes(b"")
    with pytest.raises(SourceError, match="no connection is configured"):
        match_connection(of, [known], [first, second])


def test_the_entry_of_a_file_can_be_copied_anywhere_and_has_a_name_of_its_own(
    tmp_path: Path,
) -> None:
    taken = Connection("w", DatabaseKind.POSTGRES, "h", 5432, "w")
    said = refused(server("duckdb", database=str(tmp_path / "w.duckdb")), taken)
    entry = said.partition("; add ")[2].replace("] ", "]\n").replace(", ", "\n")
    read = tomllib.loads(entry)
    assert read == {
        "connections": {"w2": {"type": "duckdb", "database": str(tmp_path / "w.duckdb")}}
    }


def test_links_in_a_circle_match_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    known = Connection("w", DatabaseKind.DUCKDB, database=str(tmp_path / "w.duckdb"))
    assert "no connection" in refused(server("duckdb", database=str(tmp_path / "a")), known)


@pytest.mark.parametrize("host", ["db.example.org.", " DB.EXAMPLE.ORG"])
def test_a_host_is_compared_without_case_and_the_dot_of_the_root(host: str) -> None:
    assert matched(server(host=host, database="shop"), SHOP) is SHOP


def test_an_address_matches_in_and_without_brackets() -> None:
    known = Connection("six", DatabaseKind.POSTGRES, "[::1]", 5432, "shop")
    assert matched(server(host="::1", database="shop"), known) is known


def test_a_port_that_no_contract_names_is_the_usual_one_of_a_named_host() -> None:
    odd = Connection("odd", DatabaseKind.POSTGRES, "db.example.org", 5433, "shop")
    assert "no connection" in refused(server(host="db.example.org", database="shop"), odd)
    assert matched(server(database="shop"), odd) is odd


def test_a_variable_that_gives_no_port_breaks_no_entry() -> None:
    said = refused(server(host="x", port="5432 or so", database="shop"), SHOP)
    assert "port = 5432," in said


def test_a_database_without_a_connection_is_unsupported_and_files_are_left_alone() -> None:
    of, none = connected_server(server(host="x"), (SHOP,), bases=(), environment={})
    assert none is None
    assert of.unsupported.startswith("no connection is configured")
    files = server("local")
    assert connected_server(files, (), bases=(), environment={}) == (files, None)


def test_variables_are_replaced_before_a_connection_is_looked_for() -> None:
    of = server(host="${HOST}", database="shop")
    known, connection = connected_server(
        of, (SHOP,), bases=(), environment={"HOST": "db.example.org"}
    )
    assert (known, connection) == (of, SHOP)
    assert connected_server(of, (SHOP,), bases=(), environment={}) == (of, None)
