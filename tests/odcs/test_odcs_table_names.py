"""The index of tables and columns finds what a linear search finds."""

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import ArrayItem, StructField
from contractwatch.model.contract.contract import Column, Table, TableIndex

AT = Clause("", 0)


def _column(name: str, physical: str = "", **more: object) -> Column:
    return Column(AT, name, physical or name, **more)  # pyright: ignore[reportArgumentType]


def _table(name: str, physical: str = "", *columns: Column, table_id: str = "") -> Table:
    return Table(AT, name, physical or name, columns, table_id=table_id)


def test_a_contract_name_wins_over_a_physical_name_wherever_it_stands() -> None:
    first, second = _column("a", "b"), _column("b", "a")
    table = _table("t", "", first, second)
    assert (table.column("a"), table.column("b")) == (first, second)
    assert (table.find("a"), table.find("b")) == (first, second)


def test_of_two_columns_of_one_name_the_first_is_found() -> None:
    first, second = _column("a", "x"), _column("a", "y")
    table = _table("t", "", first, second)
    assert table.column("a") is first
    assert table.column("y") is second


def test_a_value_inside_is_found_by_either_way_with_or_without_brackets() -> None:
    path = (StructField("l"), ArrayItem(), StructField("p"))
    inner = _column("orders.lines[].price", "o", path=path)
    table = _table("t", "", _column("orders", "o", nested=(inner,)))
    for written in ("orders.lines[].price", "o.l[].p", "orders.lines.price", "o.l.p"):
        assert table.find(written) is inner
        assert table.column(written) is None
    assert table.find("orders.lines[].other") is None


def test_an_exact_way_wins_over_one_without_its_brackets() -> None:
    array = _column("a.b[].c", "a", path=(StructField("b"), ArrayItem(), StructField("c")))
    member = _column("a.b.c", "a", path=(StructField("b"), StructField("c")))
    table = _table("t", "", _column("a", nested=(array, member)))
    assert table.find("a.b.c") is member
    assert table.find("a.b[].c") is array


def test_an_id_wins_over_a_name_and_only_where_ids_are_written() -> None:
    named, with_id = _column("x"), _column("y", column_id="x")
    table = _table("t", "", named, with_id)
    assert table.find_reference("x", by_id=True) is with_id
    assert table.find_reference("x", by_id=False) is named
    assert table.find_reference("y", by_id=True) is with_id


def test_a_table_is_found_by_id_then_name_then_physical_name() -> None:
    one, two, three = _table("a", "b"), _table("b", "c"), _table("d", table_id="a")
    names = TableIndex((one, two, three))
    assert names.find("a", by_id=False) is one
    assert names.find("b", by_id=False) is two
    assert names.find("c", by_id=False) is two
    assert names.find("a", by_id=True) is three
    assert names.find("b", by_id=True) is two
    assert names.find("", by_id=True) is None
    assert names.find("e", by_id=True) is None


def test_the_longest_name_before_a_dot_begins_a_reference() -> None:
    names = TableIndex((_table("a"), _table("a.b"), _table("x", "a.b.c")))
    assert names.prefix("a.b.c.d") == "a.b.c"
    assert names.prefix("a.b.c") == "a.b"
    assert names.prefix("a.bc") == "a"
    assert names.prefix("ab.c") == ""
    assert names.prefix("a") == ""
    # more dots than there are names
    assert names.prefix("a.b" + ".z" * 50) == "a.b"
    assert TableIndex(()).prefix("a.b") == ""
