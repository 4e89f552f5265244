"""Paths of a contract become files: matched, confined and fingerprinted, else clearly refused."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, ReadPolicy, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import Dataset
from contractwatch.sources import open_server

CLAUSE = Clause("servers[0]", 1)


def server(path: str, data_format: DataFormat = DataFormat.CSV, **more: object) -> Server:
    return Server(CLAUSE, "live", "local", path=path, data_format=data_format, **more)


def table(name: str, physical_name: str = "") -> Table:
    return Table(Clause("schema[0]", 1), name, physical_name or name, ())


ORDERS = table("orders")


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id\n1\n")


def found(data: Dataset, base: Path, name: str = "orders") -> list[str]:
    files = next(each.files for each in data.tables if each.table == name)
    return [Path(file.path).relative_to(base).as_posix() for file in files]


def refusal(
    path: str, base: Path, *, roots: tuple[Path, ...] | None = None, tables: int = 1
) -> SourceError:
    all_tables = (ORDERS, table("lines"))[:tables]
    with pytest.raises(SourceError) as raised:
        open_server(server(path), all_tables, bases=(base,), roots=roots)
    assert str(base) not in str(raised.value).replace(path, "")
    return raised.value


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("orders.csv", ["orders.csv"]),
        ("./orders.csv", ["orders.csv"]),
        ("{object}.csv", ["orders.csv"]),
        ("${model}.csv", ["orders.csv"]),
        ("{table}/*.csv", ["orders/1.csv", "orders/2.csv"]),
        ("orders", ["orders/1.csv", "orders/2.csv", "orders/deep/3.csv"]),
        ("orders/", ["orders/1.csv", "orders/2.csv", "orders/deep/3.csv"]),
        ("orders/**/*.csv", ["orders/1.csv", "orders/2.csv", "orders/deep/3.csv"]),
        ("orders/dee?", ["orders/deep/3.csv"]),
    ],
)
def test_a_path_stands_for_its_files(tmp_path: Path, path: str, names: list[str]) -> None:
    write(tmp_path, "orders.csv", "orders/1.csv", "orders/2.csv", "orders/deep/3.csv")
    write(tmp_path, "orders/.hidden.csv", "orders/_old/4.csv", "orders/notes.txt")
    data = open_server(server(path), (ORDERS,), bases=(tmp_path,), roots=None)
    assert found(data, tmp_path) == names
    assert open_server(server(path), (ORDERS,), bases=(tmp_path,), roots=(tmp_path,)) == data


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("orders [2024].csv", ["orders [2024].csv"]),
        ("orders [0-9].csv", ["orders [0-9].csv"]),
        ("orders [20?4].csv", ["orders [2024].csv"]),
        ("[eu] */1.csv", ["[eu] north/1.csv"]),
        ("[eu] north", ["[eu] north/1.csv"]),
        ("[eu] north/**", ["[eu] north/1.csv"]),
        ("*.csv", ["*.csv"]),
        ("what?", ["what?/1.csv"]),
        ("what?/*.csv", ["what?/1.csv", "whatX/1.csv"]),
        ("a*/b*.csv", ["a*/b*.csv"]),
        ("!x].csv", ["!x].csv"]),
        ("{object} [[].csv", ["orders [[].csv"]),
    ],
)
def test_a_path_that_is_there_as_it_is_written_is_that_file_or_folder(
    tmp_path: Path, path: str, names: list[str]
) -> None:
    write(tmp_path, "orders 2.csv", "orders [2024].csv", "orders [0-9].csv", "orders [.csv")
    write(tmp_path, "orders [[].csv", "e north/1.csv", "[eu] north/1.csv", "*.csv", "!x].csv")
    write(tmp_path, "what?/1.csv", "whatX/1.csv", "a*/b*.csv", "a/b.csv", "ab/bc.csv")
    data = open_server(server(path), (ORDERS,), bases=(tmp_path,), roots=None)
    assert found(data, tmp_path) == names
    assert open_server(server(path), (ORDERS,), bases=(tmp_path,), roots=(tmp_path,)) == data


def test_a_set_of_letters_is_no_pattern_and_that_is_said(tmp_path: Path) -> None:
    write(tmp_path, "orders_1.csv")
    said = (
        "no file matches 'orders_[0-9].csv'; '[' stands for itself: only *, ** and ? are patterns"
    )
    assert str(refusal("orders_[0-9].csv", tmp_path)) == said


@pytest.mark.parametrize(
    ("path", "name", "told"),
    [
        ("{a,b}.csv", "a.csv", "'{' stands for itself: only *, ** and ? are patterns"),
        ("a%20b.csv", "a b.csv", "'%20' stands for itself: write the character that it means"),
        ("in\\a.csv", "in/a.csv", "write / between folders"),
        ("A.csv", "a.csv", "there is 'a.csv', which differs by case alone"),
        ("In/a.csv", "in/a.csv", "there is 'in', which differs by case alone"),
        ("In/*.csv", "in/a.csv", "there is 'in', which differs by case alone"),
        (
            "caf\u00e9.csv",
            "cafe\u0301.csv",
            r"there is 'cafe\u0301.csv', which differs in the form of its letters alone",
        ),
    ],
)
def test_a_path_that_matches_nothing_is_told_with_what_is_meant(
    tmp_path: Path, path: str, name: str, told: str
) -> None:
    write(tmp_path, name)
    assert str(refusal(path, tmp_path)) == f"no file matches {path!r}; {told}"
    assert str(refusal(path, tmp_path, roots=(tmp_path,))).endswith(told)


def test_no_name_outside_the_roots_is_told(tmp_path: Path) -> None:
    write(tmp_path, "secret/Data.csv", "live/x.csv")
    error = refusal("../secret/data.csv", tmp_path / "live", roots=(tmp_path / "live",))
    assert "Data" not in str(error)


@pytest.mark.parametrize(
    "name",
    ["a#b.csv", "a%20b.csv", "{2024}.csv", "~x.csv", "a .csv", "$HOME.csv", "a&b;c.csv", "a'b.csv"],
)
def test_any_sign_but_those_of_patterns_is_literal(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, f"dir {name}/1.csv")
    for path, names in ((name, [name]), (f"dir {name}/*.csv", [f"dir {name}/1.csv"])):
        data = open_server(server(path), (ORDERS,), bases=(tmp_path,), roots=(tmp_path,))
        assert found(data, tmp_path) == names


def test_a_link_of_that_very_name_leads_nowhere_outside(tmp_path: Path) -> None:
    write(tmp_path, "secret/x.csv", "live/b.csv")
    (tmp_path / "live" / "*.csv").symlink_to(tmp_path / "secret" / "x.csv")
    error = refusal("live/*.csv", tmp_path, roots=(tmp_path / "live",))
    assert "outside the directories" in str(error)


def test_a_relative_path_is_tried_against_each_base_in_turn(tmp_path: Path) -> None:
    write(tmp_path, "b/orders.csv", "c/orders.csv")
    bases = tuple(tmp_path / name for name in "abc")
    data = open_server(server("orders.csv"), (ORDERS,), bases=bases, roots=None)
    assert found(data, tmp_path) == ["b/orders.csv"]
    absolute = server(str(tmp_path / "c" / "orders.csv"))
    assert found(open_server(absolute, (ORDERS,), bases=bases, roots=None), tmp_path) == [
        "c/orders.csv"
    ]


@pytest.mark.parametrize("path", ["data", "data/*.csv", "data/*"])
def test_several_tables_are_told_apart_by_their_physical_names(tmp_path: Path, path: str) -> None:
    write(tmp_path, "data/t_orders.csv", "data/lines.csv", "data/other.csv")
    tables = (table("orders", "t_orders"), table("lines"))
    data = open_server(server(path), tables, bases=(tmp_path,), roots=None)
    assert found(data, tmp_path) == ["data/t_orders.csv"]
    assert found(data, tmp_path, "lines") == ["data/lines.csv"]


def test_a_table_among_several_may_be_a_directory(tmp_path: Path) -> None:
    write(tmp_path, "data/orders/x=1/a.csv", "data/lines.csv")
    data = open_server(server("data"), (ORDERS, table("lines")), bases=(tmp_path,), roots=None)
    assert found(data, tmp_path) == ["data/orders/x=1/a.csv"]
    assert data.tables[0].hive_root == str(tmp_path / "data")
    assert data.tables[1].hive_root is None


def test_several_tables_in_one_file_are_told_to_use_a_placeholder(tmp_path: Path) -> None:
    write(tmp_path, "all.csv")
    error = refusal("all.csv", tmp_path, tables=2)
    assert "put {object} into the path" in str(error)
    assert error.blame is Blame.PRODUCT


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("data/year=*/*.csv", "data"),
        ("data/year=2026/*.csv", "data"),
        ("data/year=2026/a.csv", "data"),
        ("data", "data"),
    ],
)
def test_partitions_are_read_from_the_directory_above_all_of_them(
    tmp_path: Path, path: str, root: str
) -> None:
    write(tmp_path, "data/year=2026/a.csv")
    data = open_server(server(path), (ORDERS,), bases=(tmp_path,), roots=None)
    assert data.tables[0].hive_root == str(tmp_path / root)
    plain = server(path, read=ReadPolicy(hive_partitioning=False))
    data = open_server(plain, (ORDERS,), bases=(tmp_path,), roots=None)
    assert data.tables[0].hive_root is None


@pytest.mark.parametrize("path", ["gone.csv", "gone/*.csv", "gone/**/*.csv", "{object}.csv"])
def test_a_path_without_a_file_is_the_products_fault_in_the_words_of_the_contract(
    tmp_path: Path, path: str
) -> None:
    error = refusal(path, tmp_path)
    assert str(error) == f"no file matches {path!r}"
    assert (error.blame, error.retryable) == (Blame.PRODUCT, True)


@pytest.mark.parametrize("path", ["s3://bucket/orders.csv", "http://127.0.0.1/x", "file:///etc"])
def test_an_address_is_no_path(tmp_path: Path, path: str) -> None:
    assert "is an address" in str(refusal(path, tmp_path))


def test_a_pipe_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "orders.csv")
    assert "is no regular file" in str(refusal("orders.csv", tmp_path))


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "../*.csv",
        "link.csv",
        "linked/secret.csv",
        "linked/*.csv",
        "sub/../../secret.csv",
        "/",
        "/etc/passwd",
        "/**/*.csv",
        "../allowed2/x.csv",
        "~/x.csv/../../../secret.csv",
    ],
)
def test_nothing_outside_the_roots_is_opened_listed_or_told(tmp_path: Path, path: str) -> None:
    inside = tmp_path / "allowed"
    write(tmp_path, "secret.csv", "allowed/orders.csv", "allowed/sub/x.csv", "allowed2/x.csv")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    (inside / "linked").symlink_to(tmp_path)
    error = refusal(path, inside, roots=(inside,))
    assert error.blame is Blame.PRODUCT
    assert "outside the directories that the operator allowed" in str(error)
    assert str(refusal(path.replace("secret", "gone"), inside, roots=(inside,))) in {
        str(error).replace("secret", "gone"), f"no file matches {path.replace('secret', 'gone')!r}",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["../data/orders.csv", "../data/*.csv", "../data/{object}.csv"])
def test_a_file_that_vanished_is_not_called_forbidden_because_another_base_is(
    tmp_path: Path, path: str
) -> None:
    root = tmp_path / "root"
    (root / "contracts").mkdir(parents=True)
    bases = (root / "contracts", root)  # `root/../data` is outside, `contracts/../data` is not
    for tables in ((ORDERS,), (ORDERS, table("lines"))):
        with pytest.raises(SourceError) as raised:
            open_server(server(path), tables, bases=bases, roots=(root,))
        assert str(raised.value) == f"no file matches {path!r}"
        assert raised.value.retryable
        with pytest.raises(SourceError, match="outside the directories"):
            open_server(server(path), tables, bases=bases[1:], roots=(root,))


def test_a_wildcard_does_not_climb(tmp_path: Path) -> None:
    write(tmp_path, "secret.csv", "allowed/sub/x.csv")
    error = refusal("*/../../*.csv", tmp_path / "allowed", roots=(tmp_path / "allowed",))
    assert "goes up after a wildcard" in str(error)


def test_a_physical_name_cannot_climb_either(tmp_path: Path) -> None:
    write(tmp_path, "secret.csv", "allowed/orders.csv")
    climbing = table("orders", "../secret")
    with pytest.raises(SourceError, match="outside the directories"):
        open_server(
            server("{object}.csv"), (climbing,), bases=(tmp_path / "allowed",),
            roots=(tmp_path / "allowed",),
        )  # fmt: skip


def test_a_link_within_the_roots_is_followed_to_the_real_file(tmp_path: Path) -> None:
    write(tmp_path, "allowed/2026.csv")
    (tmp_path / "allowed" / "latest.csv").symlink_to("2026.csv")
    roots = (tmp_path / "allowed",)
    data = open_server(server("latest.csv"), (ORDERS,), bases=roots, roots=roots)
    assert found(data, tmp_path) == ["allowed/2026.csv"]


@pytest.fixture
def nobodys_rights() -> Iterator[Path]:
    """A directory that all may enter, seen with the rights of one who owns nothing."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        write(Path(folder), "orders.csv")
        (Path(folder) / "orders.csv").chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        yield Path(folder)
        if is_root:
            os.seteuid(0)


def test_a_file_without_the_right_to_read_is_the_agents_fault(nobodys_rights: Path) -> None:
    error = refusal("orders.csv", nobodys_rights)
    assert error.blame is Blame.AGENT
    assert str(error) == "permission denied for 'orders.csv'"


def test_the_version_changes_with_name_size_and_time_and_with_nothing_else(tmp_path: Path) -> None:
    def version() -> str:
        return open_server(server("*.csv"), (ORDERS,), bases=(tmp_path,), roots=None).version

    write(tmp_path, "a.csv")
    os.utime(tmp_path / "a.csv", ns=(1, 10))
    first = version()
    assert version() == first
    os.utime(tmp_path / "a.csv", ns=(1, 11))
    later = version()
    (tmp_path / "a.csv").write_text("id\n")
    os.utime(tmp_path / "a.csv", ns=(1, 11))
    shorter = version()
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    assert len({first, later, shorter, version()}) == 4


def test_a_server_that_is_not_read_says_so(tmp_path: Path) -> None:
    kafka = Server(CLAUSE, "stream", "kafka")
    with pytest.raises(SourceError, match="servers of type 'kafka' are not read"):
        open_server(kafka, (ORDERS,), bases=(tmp_path,), roots=None)


@pytest.mark.parametrize("path", ["around", "around/x.csv", "around*", "a\x00b", "a**b.csv"])
def test_a_path_that_leads_nowhere_leaves_the_other_tables_found(tmp_path: Path, path: str) -> None:
    write(tmp_path, "lines.csv")
    (tmp_path / "around").symlink_to("around")
    tables = (table("orders", path), table("lines", "lines.csv"))
    for roots in ((tmp_path,), None):
        data = open_server(server("{object}"), tables, bases=(tmp_path,), roots=roots)
        assert found(data, tmp_path, "lines") == ["lines.csv"]
        assert [name for name, _ in data.missing_tables] == ["orders"]


@pytest.mark.parametrize("name", ["x" * 300, "y" * 300 + "/a.csv", "a/" * 3000 + "b.csv"])
def test_a_name_that_no_file_can_have_is_a_refusal_like_others(name: str, tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    error = refusal(name, tmp_path)
    assert str(error) in {f"{name!r} cannot be listed", f"no file matches {name!r}"}
    assert error.blame in {Blame.AMBIGUOUS, Blame.PRODUCT}
