"""The columns of a file: none twice, none invented, none by a wrong cut."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from engine_values import NOW, TABLE, ask, bad_cells, column, dataset, json_text, text

from contractwatch.engines.cache.answer_values import columns_from_json, columns_to_json
from contractwatch.engines.query.engine import Survey, survey
from contractwatch.errors import Blame
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import Column
from contractwatch.model.contract.contract import LogicalType as L
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import CountWhere, IsNull, RowCount, TableSchema
from contractwatch.model.measure.state import Count, TableColumns, Unmeasured

ID, AMOUNT = column("id", L.INTEGER), column("amount", L.NUMBER)
ROWS, SCHEMA = RowCount(TABLE), TableSchema(TABLE)


def asked(data: Dataset) -> Survey:
    return survey(data, {ROWS, SCHEMA, CountWhere(TABLE, IsNull("id"))}, now=NOW)


def why(data: Dataset) -> str:
    """Return why the table cannot be read, after its first words; it is so for every question."""
    found = asked(data)
    failure = found.failures[TABLE]
    assert failure.blame is Blame.PRODUCT
    assert set(found.measurements.values()) == {Unmeasured(str(failure))}
    return str(failure).split(": ", 1)[1]


def names(data: Dataset) -> list[str]:
    found = asked(data)
    assert not found.failures
    schema = found.measurements[SCHEMA]
    assert isinstance(schema, TableColumns)
    return [one.name for one in schema.columns]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id,amount,id", "it has 2 columns named 'id' (columns 1, 3)"),
        ('id,"amount","id",id', "it has 3 columns named 'id' (columns 1, 3, 4)"),
        ("id,id_duplicated_0,id", "it has 2 columns named 'id' (columns 1, 3)"),
        ("id,,amount,", "it has 2 columns without a name (columns 2, 4)"),
        ("\n\nid,ü,ü", "it has 2 columns named 'ü' (columns 2, 3)"),
    ],
)
def test_a_header_with_a_name_twice_is_refused(tmp_path: Path, header: str, told: str) -> None:
    row = ",".join("1" * (header.count(",") + 1))
    said = why(text(tmp_path, f"{header}\n{row}\n", [ID]))
    assert said == f"{told}; give each a name of its own (orders.csv)"


def test_a_name_that_a_reader_might_invent_is_a_name(tmp_path: Path) -> None:
    data = text(tmp_path, "id,id_duplicated_0,\n1,2,3\n", [ID])
    assert names(data) == ["id", "id_duplicated_0", ""]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ('id,"5"" pipe"', ["id", '5" pipe']),
        ('"a ""b""","""c"""', ['a "b"', '"c"']),
        ('id,"two\nlines, ""q"""', ["id", 'two\nlines, "q"']),
        ('id,5" by 6"', ["id", '5" by 6"']),
    ],
)
def test_a_quote_in_a_name_is_one_quote(tmp_path: Path, header: str, columns: list[str]) -> None:
    last = column(columns[-1], L.INTEGER)
    data = text(tmp_path, f"{header}\n1,2\n3,x\n\n", [last])
    assert names(data) == columns
    assert bad_cells(data, columns[-1], ROWS) == 1
    with duckdb.connect() as connection:
        read = connection.read_csv(str(tmp_path / "orders.csv"), header=True, quotechar='"')
        assert read.columns == columns


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ('id,5" pipe', "a quote stands alone inside of a field"),
        ('"id"x,name', "a field goes on after its closing quote"),
        ('id,"name', "a "),
        ('\n\nid;5" pipe', "a quote stands alone inside of a field"),
    ],
)
@pytest.mark.parametrize("rows", ["1,2\n3,x\n", '1,"a"\n2,b\n', "", '1,"x"\n2,"b"\n'])
def test_a_quote_that_stands_alone_in_the_header_is_told_and_swallows_no_row(
    tmp_path: Path, header: str, told: str, rows: str
) -> None:
    policy = ReadPolicy(separator=";" if ";" in header else ",")
    said = why(text(tmp_path, f"{header}\n{rows}", [ID], read=policy))
    assert said.startswith(told)
    assert "each quote inside of it twice" in said
    assert f"(orders.csv, line {3 if header.startswith(chr(10)) else 1}, column" in said


def test_files_that_write_the_quote_in_a_name_otherwise_are_one_table(tmp_path: Path) -> None:
    for at, header in enumerate(('id,"5"" by 6"""', 'id,5" by 6"', '"5"" by 6""",id')):
        (tmp_path / f"{at}.csv").write_text(f"{header}\n1,1\n")
    pipe = column('5" by 6"', L.INTEGER)
    data = dataset(sorted(tmp_path.glob("*.csv")), DataFormat.CSV, [pipe, ID])
    assert names(data) == ["id", '5" by 6"']
    assert ask(data, CountWhere(TABLE, IsNull('5" by 6"')), ROWS) == Count(0)
    assert ask(data, ROWS) == Count(3)


def _parquet(table: pa.Table, path: Path) -> None:
    pyarrow.parquet.write_table(table, path)


def _arrow(table: pa.Table, path: Path) -> None:
    with pyarrow.ipc.new_file(path, table.schema) as file:
        file.write_table(table)


WRITERS = [(DataFormat.PARQUET, _parquet), (DataFormat.ARROW, _arrow)]


@pytest.mark.parametrize(("data_format", "write"), WRITERS)
def test_a_file_with_types_and_a_name_twice_is_refused(
    tmp_path: Path, data_format: DataFormat, write: Callable[[pa.Table, Path], None]
) -> None:
    path = tmp_path / "orders"
    write(pa.table([pa.array([1])] * 3, names=["id", "amount", "id"]), path)
    assert "columns named 'id'" in why(dataset([path], data_format, [ID]))
    write(pa.table([pa.array([1])] * 3, names=["id", "amount", "ID"]), path)
    assert names(dataset([path], data_format, [ID])) == ["id", "amount", "ID"]


@pytest.mark.parametrize(("data_format", "write"), WRITERS)
def test_an_object_with_a_member_twice_is_refused(
    tmp_path: Path, data_format: DataFormat, write: Callable[[pa.Table, Path], None]
) -> None:
    path = tmp_path / "orders"
    inner = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    write(pa.table([inner], names=["id"]), path)
    told = "an object in column 'id' has two members named 'a' (orders)"
    assert why(dataset([path], data_format, [ID])) == told


def test_an_avro_record_with_a_field_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.avro"
    fields = [{"name": name, "type": "long"} for name in ("id", "ix")]
    with path.open("wb") as file:
        fastavro.writer(
            file, {"type": "record", "name": "r", "fields": fields}, [{"id": 1, "ix": 2}]
        )
    path.write_bytes(path.read_bytes().replace(b'"ix"', b'"id"'))
    assert "it has 2 columns named 'id' (columns 1, 2)" in why(dataset([path], DataFormat.AVRO))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"id": 1}\n{"id": 1, "amount": 2, "id": 3}\n', ", line 2"),
        ('{"id": 1}\n{"id": 1, "o": {"x": 1}, "\\u0069d": 3}\n', ", line 2"),
        ('[{"id": 1},\n {"id": 1, "id": 1}]', ""),
    ],
)
@pytest.mark.parametrize("columns", [[ID], [ID, column("o", L.OBJECT)]])
def test_an_object_with_a_key_twice_is_refused(
    tmp_path: Path, content: str, line: str, columns: list[Column]
) -> None:
    told = f"an object has twice the key 'id' (orders.json{line})"
    assert why(json_text(tmp_path, content, columns)) == told


def test_an_object_inside_may_have_a_key_twice_where_nothing_is_promised_of_it(
    tmp_path: Path,
) -> None:
    assert names(json_text(tmp_path, '{"id": 1, "o": {"x": 1, "x": 2}}\n', [ID])) == ["id", "o"]


def test_a_file_in_two_folders_of_one_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k=1" / "k=2" / "orders.csv"
    path.parent.mkdir(parents=True)
    path.write_text("id\n1\n")
    data = dataset([path], DataFormat.CSV, [ID], hive_root=tmp_path)
    assert "a file is in two folders of the column 'k'" in str(asked(data).failures[TABLE])


def test_names_that_are_promised_alike_have_each_their_own_column(tmp_path: Path) -> None:
    upper = column("ID", L.INTEGER)
    schema = asked(text(tmp_path, "id\n1\n", [ID, upper])).measurements[SCHEMA]
    assert isinstance(schema, TableColumns)
    for columns in (schema, columns_from_json(json.loads(json.dumps(columns_to_json(schema))))):
        assert (columns.find("id") is not None, columns.find("ID")) == (True, None)
    other = asked(text(tmp_path, "Id\n1\n", [ID, upper])).measurements[SCHEMA]
    assert isinstance(other, TableColumns)
    assert (other.find("id"), other.find("ID")) == (None, None)
    alone = asked(text(tmp_path, "Id\n1\n", [upper])).measurements[SCHEMA]
    assert isinstance(alone, TableColumns)
    assert alone.find("ID") == alone.columns[0]


@pytest.mark.parametrize(
    ("content", "read", "told"),
    [
        ("sep=;\nid;amount\n1;2\n", ReadPolicy(), "line 1 is 'sep='"),
        ("SEP=;\r\nid;amount\r\n1;2\r\n", ReadPolicy(separator=";"), "line 1 is 'sep='"),
        ("id;amount\n1;2\n", ReadPolicy(), 'is the separator ";"?'),
        ('"id"|"amount"\n1|2,5\n', ReadPolicy(), 'contractwatch.read: {separator: "|"}'),
        ("x\tAMOUNT\n1\t2\n", ReadPolicy(), r'separator: "\t"'),
        (
            "id,amount\n1,2\n",
            ReadPolicy(separator=";"),
            'by the separator ";"; is the separator ","?',
        ),
    ],
)
def test_a_first_line_that_is_cut_wrongly_is_told_with_what_to_write(
    tmp_path: Path, content: str, read: ReadPolicy, told: str
) -> None:
    assert told in why(text(tmp_path, content, [ID, AMOUNT], read=read))


def test_a_single_column_may_hold_any_letter_in_its_name(tmp_path: Path) -> None:
    assert names(text(tmp_path, "a;b\n1\n", [column("a;b")])) == ["a;b"]
    assert names(text(tmp_path, "x;y\n1\n", [ID])) == ["x;y"]


BLANK = [
    ("id,amount\n1,2\n\n3,4\n\n\n", 2, 0),
    ("id,amount\r\n1,2\r\n\r\n3,4\r\n\r\n", 2, 0),
    ("id,amount\n1,2\n  \t\n3,4\n", 2, 0),
    ("\n\nid,amount\n\n1,2\n", 1, 0),
    ("id,amount\n1,2\n,\n3,4\n", 3, 1),
    ('id,amount\n1,2\n"",\n3,4\n', 3, 1),
    ("id\n1\n\n3\n\n", 2, 0),
    ("id,amount\n1,2\n3,4\n   ", 2, 0),
    ("id,amount\r\n1,2\r\n \t", 1, 0),
    ('id,amount\r\n1,"x\r\n\r\nz"\r\n3,4\r\n\r\n', 2, 0),
    ('id,amount\n1,2\n""\n3,4\n', 3, 1),
    ('id\n1\n""\n3\n\n', 3, 1),
    ("\ufeffid,amount\n1,2\n\n", 1, 0),
]


@pytest.mark.parametrize(("content", "rows", "nulls"), BLANK)
def test_a_blank_line_is_no_record(tmp_path: Path, content: str, rows: int, nulls: int) -> None:
    found = asked(text(tmp_path, content, [ID, AMOUNT][: content.count(",") or 1]))
    assert found.measurements[ROWS] == Count(rows)
    assert found.measurements[CountWhere(TABLE, IsNull("id"))] == Count(nulls)


def test_blank_lines_in_quotes_and_lines_of_separators_stay(tmp_path: Path) -> None:
    data = text(tmp_path, 'id,amount\n1,"a\n\n\nb"\n\n2,x\n', [ID, AMOUNT])
    assert ask(data, ROWS) == Count(2)
    assert bad_cells(data, "amount") == 2
    tabs = text(tmp_path, "id\tamount\n1\t2\n\t\n", [ID, AMOUNT], read=ReadPolicy(separator="\t"))
    assert asked(tabs).measurements[ROWS] == Count(2)


def test_of_several_files_only_those_with_blank_lines_are_held(tmp_path: Path) -> None:
    paths = [tmp_path / f"{at}.csv" for at in range(3)]
    for path, content in zip(paths, ("id\n1\n", "id\n2\n\n\n", "id\n3\n4\n"), strict=True):
        path.write_text(content)
    assert asked(dataset(paths, DataFormat.CSV, [ID])).measurements[ROWS] == Count(4)


NUMBERS = '{"id": 1, "amount": 1e400}\n{"id": 2, "amount": -1E+999}\n{"id": 3, "amount": 1e308}\n'


@pytest.mark.parametrize("columns", [[ID, AMOUNT], [ID, AMOUNT, column("o", L.OBJECT)]])
@pytest.mark.parametrize("content", [NUMBERS, f"[{','.join(NUMBERS.splitlines())}]"])
def test_a_number_that_no_double_holds_is_counted_by_its_type(
    tmp_path: Path, columns: list[Column], content: str
) -> None:
    data = json_text(tmp_path, content, columns)
    assert ask(data, ROWS) == Count(3)
    assert bad_cells(data, "amount", ROWS) == 2
    assert ask(data, CountWhere(TABLE, IsNull("amount"))) == Count(0)


def test_a_broken_line_is_still_told_though_another_holds_such_a_number(tmp_path: Path) -> None:
    data = json_text(tmp_path, '{"id": 1e400}\n{"id": 1\n', [ID])
    assert str(asked(data).failures[TABLE]).endswith("as one array (orders.json, line 2)")


@pytest.mark.parametrize(
    "content", ['[{"id": 1}]', '\n\r\n [\n{"id": 1}\n]\n', '\ufeff[{"id": 1}]']
)
def test_the_first_letter_tells_an_array_where_the_contract_does_not(
    tmp_path: Path, content: str
) -> None:
    columns = [ID]
    assert asked(json_text(tmp_path, content, columns)).measurements[ROWS] == Count(1)
    said = why(json_text(tmp_path, content, columns, json_array=False))
    assert "it begins as a JSON array" in said
    assert "write delimiter: array" in said
    lines = json_text(tmp_path, '{"id": 1}\n', columns, json_array=True)
    assert "write delimiter: new_line" in why(lines)


def test_files_of_one_table_may_be_arrays_and_lines(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text('[{"id": 1}, {"id": 2}]')
    second.write_text('{"id": 3}\n')
    assert asked(dataset([first, second], DataFormat.JSON, [ID])).measurements[ROWS] == Count(3)


def test_the_library_still_invents_names(tmp_path: Path) -> None:
    """Else what looks after them can go."""
    path = tmp_path / "x.csv"
    path.write_text("id,id\n1,2\n")
    assert pl.read_csv(path).columns == ["id", "id_duplicated_0"]


@pytest.mark.parametrize(
    "content",
    [
        '{\n "id": 1\n}\n',
        '{"id": 1}{"id": 2}\n',
        '{"id": 1},\n{"id": 2}\n',
        '{"id": 1}\r{"id": 2}\r',
        "// orders\n" + '{"id": 1}\n',
        '\u00a0[{"id": 1}]',
    ],
)
@pytest.mark.parametrize("columns", [[ID], [ID, column("o", L.OBJECT)]])
def test_json_in_another_layout_is_told_with_what_to_write(
    tmp_path: Path, content: str, columns: list[Column]
) -> None:
    told = "write each object on a line of its own, or all of them as one array"
    assert told in str(asked(json_text(tmp_path, content, columns)).failures[TABLE])


@pytest.mark.parametrize(
    "written",
    [
        "-1e400",
        "1E+309",
        "1.7976931348623159e308",
        "1" + "0" * 400,
        '"1e400"',
        '"NaN"',
        '"-Infinity"',
    ],
)
@pytest.mark.parametrize("kind", [L.NUMBER, L.INTEGER])
def test_no_other_form_of_a_number_that_no_double_holds_is_a_number(
    tmp_path: Path, written: str, kind: L
) -> None:
    for content in ('{"amount": %s}\n{"amount": 1}\n', '[{"amount": %s}, {"amount": 1}]'):
        for more in ([], [column("o", L.OBJECT)]):
            data = json_text(tmp_path, content % written, [column("amount", kind), *more])
            assert bad_cells(data, "amount", ROWS) == 1


@pytest.mark.parametrize("written", ["1e-400", "1.7976931348623157e308", "-0.0", "0." + "1" * 400])
def test_a_number_near_the_limits_of_a_double_is_one(tmp_path: Path, written: str) -> None:
    for more in ([], [column("o", L.OBJECT)]):
        data = json_text(tmp_path, f'{{"amount": {written}}}\n', [AMOUNT, *more])
        assert bad_cells(data, "amount", ROWS) == 0
