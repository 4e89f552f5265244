"""Text sources: a bad cell is counted, and a broken file has a clear reason."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine_values import NOW, TABLE, ask, bad_cells, column, dataset, json_text, text

from contractwatch.engines.query.engine import survey
from contractwatch.errors import Blame
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    CountWhere,
    IsBelow,
    IsInvalid,
    IsMissing,
    IsNull,
    RowCount,
    SurplusRows,
    TableSchema,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import (
    Count,
    DuplicateCounts,
    TableColumns,
    TimeRange,
    Unmeasured,
)
from contractwatch.model.promises.personal_data import Detector, PersonalDataHits, SearchedColumn
from contractwatch.model.promises.sql import QueryValue, SqlScalar

ID = column("id", LogicalType.INTEGER)
COLUMNS = (ID, column("name", LogicalType.STRING))
ASKED = (CountWhere(TABLE, IsNull("id")), CountWhere(TABLE, IsNull("name")))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (LogicalType.INTEGER, ["1", "-5", "+7", "007", "99999999999999999999"],
         ["1.0", "1e3", "x", " 1", "1_000", "0x1f"]),
        (LogicalType.NUMBER, ["1", "1.5", "-.5", "1e-3"],
         ["1,5", "x", "1d", "NaN", "nan", "-nan", "inf", "-Inf", "Infinity", "+infinity"]),
        (LogicalType.BOOLEAN, ["true", "FALSE", "True"], ["1", "0", "yes", "t"]),
        (LogicalType.DATE, ["2026-01-31", "0001-01-01"],
         ["2026-02-30", "31.01.2026", "2026-1-5", "2026-01-31T00:00:00"]),
        (LogicalType.TIMESTAMP,
         ["2026-01-31T10:00:00", "2026-01-31 10:00:00.123456", "2026-01-31T10:00:00Z",
          "2026-01-31 10:00:00+02:00", "2026-01-31T10:00", "2026-01-31T10:00Z",
          "2026-01-31T10:00:00.123456789-0530", "2026-03-29T02:30:00"],
         ["2026-01-31", "10:00:00", "2026-01-31T25:00:00", "x",
          "2026-01-31T10:00:60", "2026-01-31 23:59:60Z", "2026-01-31 10:60"]),
        (LogicalType.TIME, ["10:00:00", "10:00", "23:59:59.5"],
         ["25:00:00", "x", "10:00:60", "23:59:60", "10:60", "24:00", "10:00:99.5"]),
        (LogicalType.STRING, ["x", "1"], []),
        (LogicalType.OBJECT, ["{}"], ["x"]),
        (None, ["x"], []),
    ],
)  # fmt: skip
def test_cells_are_parsed_to_the_declared_type(
    tmp_path: Path, kind: LogicalType | None, good: list[str], bad: list[str]
) -> None:
    lines = "\n".join(f'{at},"{cell}"' for at, cell in enumerate([*good, "", *bad]))
    declared = column("cell", kind, default_timezone="Europe/Berlin")
    data = text(tmp_path, f"id,cell\n{lines}\n", (ID, declared))
    assert bad_cells(data, "cell", RowCount(TABLE)) == len(bad)
    assert ask(data, CountWhere(TABLE, IsNull("cell"))) == Count(1)


def test_a_bad_cell_is_left_out_of_every_later_rule_but_is_not_null(tmp_path: Path) -> None:
    data = text(tmp_path, "id,name\n1,a\nsecret,b\n,\n1,\n", COLUMNS)
    assert bad_cells(data, "id") == 1
    assert ask(data, CountWhere(TABLE, IsNull("id"))) == Count(1)
    assert ask(data, CountWhere(TABLE, IsBelow("id", 5))) == Count(2)
    assert ask(data, CountWhere(TABLE, IsInvalid("id", values=(7,)))) == Count(2)
    assert ask(data, SurplusRows(TABLE, ("id",))) == DuplicateCounts(2, 1, 1, 2)


def test_missing_values_match_the_text_as_it_is_written_and_as_it_is_parsed(
    tmp_path: Path,
) -> None:
    data = text(tmp_path, "id,name\n-1,a\n007,b\nn/a,c\n2,d\n", COLUMNS)
    assert ask(data, CountWhere(TABLE, IsMissing("id", ("n/a", -1, 7)))) == Count(3)


def test_an_offset_may_be_the_letter_of_none(tmp_path: Path) -> None:
    at = column("at", LogicalType.TIMESTAMP, parse_format="yyyy-MM-dd'T'HH:mmXXX")
    data = text(tmp_path, "id,at\n1,2026-01-31T10:00Z\n2,2026-01-31T10:00+01:00\n3,x\n", (ID, at))
    assert bad_cells(data, "at", RowCount(TABLE)) == 1


def test_a_format_of_the_column_is_used_instead_of_iso(tmp_path: Path) -> None:
    day = column("day", LogicalType.DATE, parse_format="dd.MM.yyyy")
    at = column("at", LogicalType.TIMESTAMP, parse_format="dd/MM/yyyy HH:mm")
    data = text(tmp_path, "day,at\n31.01.2026,31/01/2026 10:00\n2026-01-31,x\n", (day, at))
    assert bad_cells(data, "day", Unparseable(TABLE, "at")) == 1
    instant = datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert ask(data, TimeSpan(TABLE, "at")) == TimeRange(instant, instant, rows=1)


def test_zoned_and_naive_texts_are_instants_of_one_column(tmp_path: Path) -> None:
    at = column("at", LogicalType.TIMESTAMP, default_timezone="Europe/Berlin")
    lines = ["2026-01-01T12:00:00", "2026-01-01T13:30:00+02:00", "2026-03-29T02:30:00"]
    data = text(tmp_path, "\n".join(["at", *lines]), (at,))
    expected = TimeRange(
        datetime(2026, 1, 1, 11, tzinfo=UTC), datetime(2026, 1, 1, 11, 30, tzinfo=UTC), rows=3
    )
    assert ask(data, TimeSpan(TABLE, "at", "Europe/Berlin")) == expected
    assert ask(
        data, CountWhere(TABLE, IsBelow("at", datetime(2026, 1, 1, 11, 15, tzinfo=UTC)))
    ) == (Count(1))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"id,name\n", 0),
        (b"id,name", 0),
        (b"\xef\xbb\xbfid,name\r\n1,a\r\n", 1),
        (b'id,name\n1,"a\nb"\n', 1),
        (b'id,name\r\n1,"a\rb"\r\n', 1),
        (b'id,name\n1,"a ""b"""\n2,\n', 2),
        (b"id,name\n1\n", 1),
        (b"name,id\na,1\n", 1),
    ],
)
def test_usual_turns_of_csv_are_read(tmp_path: Path, content: bytes, rows: int) -> None:
    data = text(tmp_path, content, COLUMNS)
    assert ask(data, RowCount(TABLE), Unparseable(TABLE, "id")) == Count(rows)
    assert bad_cells(data, "id") == 0
    schema = ask(data, TableSchema(TABLE))
    assert isinstance(schema, TableColumns)
    assert {(found.name, found.kind, found.text) for found in schema.columns} == {
        ("id", "string", True), ("name", "string", True),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a file is empty: it has no header"),
        (b"id,name\n1,a\n2,b,secret\n", "a row has more fields than the header"),
        (b'id,name\n1,"secret\n2,b\n', "a quoted field is never closed"),
        (b"id,name\n1,\xffsecret\n", "bytes that are not in the stated encoding"),
        (b"id,name\r1,secret\r2,b\r", "lines end in CR alone; expected LF or CRLF"),
        (b'"id","name"\r"1","secret"\r', "lines end in CR alone; expected LF or CRLF"),
        (b"id\rsecret\r\n", "lines end in CR alone; expected LF or CRLF"),
    ],
)
def test_a_broken_csv_is_the_products_fault_and_is_told_without_its_cells(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    metrics = [RowCount(TABLE), CountWhere(TABLE, IsNull("id")), CountWhere(TABLE, IsNull("name"))]
    found = survey(text(tmp_path, content, COLUMNS), metrics, now=NOW)
    assert found.failures[TABLE].blame is Blame.PRODUCT
    for answer in found.measurements.values():
        assert isinstance(answer, Unmeasured)
        assert reason in answer.reason
        assert "secret" not in answer.reason


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "(orders.csv)"),
        (b'id,name\n1,"a\nb"\n2,b,secret\n', "more fields than the header (orders.csv, line 4)"),
        (b"id,name\n1,\xffsecret\n", "(orders.csv, line 2)"),
    ],
)
def test_a_broken_csv_is_told_with_its_file_and_line(
    tmp_path: Path, content: bytes, where: str
) -> None:
    answer = ask(text(tmp_path, content, COLUMNS), *ASKED)
    assert isinstance(answer, Unmeasured)
    assert answer.reason.endswith(where)
    assert str(tmp_path) not in answer.reason


@pytest.mark.parametrize(
    ("data_format", "content", "reason"),
    [
        (DataFormat.CSV, b"id,name\n1,a\n2,b,secret\n", "more fields than the header"),
        (DataFormat.JSON, b'{"id": 1}\n{"id": 2} {"id": "secret"}\n', "as one array"),
        (DataFormat.JSON, b'{"id": 1}\n["secret"]\n', "as one array"),
    ],
)
@pytest.mark.parametrize("beside", [(), (TableSchema(TABLE),), (RowCount(TABLE),)])
def test_a_query_does_not_count_what_is_broken(
    tmp_path: Path,
    data_format: DataFormat,
    content: bytes,
    reason: str,
    beside: tuple[TableSchema | RowCount, ...],
) -> None:
    path = tmp_path / "orders"
    path.write_bytes(content)
    query = SqlScalar(TABLE, f"SELECT COUNT(*) FROM {TABLE}", (TABLE,))
    found = survey(dataset([path], data_format, (ID,)), [query, *beside], now=NOW)
    answer = found.measurements[query]
    assert isinstance(answer, Unmeasured)
    assert f"{reason} (orders, line " in answer.reason
    assert "secret" not in answer.reason
    assert found.failures[TABLE].blame is Blame.PRODUCT


def test_a_pass_of_its_own_does_not_count_what_is_broken(tmp_path: Path) -> None:
    data = text(tmp_path, b"id,name\n1,a\n2,b,secret\n", (ID, column("name")))
    hits = PersonalDataHits(TABLE, (SearchedColumn("name", (Detector.EMAIL,)),), ("id", "name"))
    found = survey(data, [hits], now=NOW)
    assert "more fields than the header" in found.failures[TABLE].args[0]
    assert isinstance(found.measurements[hits], Unmeasured)


def test_a_query_over_text_without_a_row_is_answered(tmp_path: Path) -> None:
    query = SqlScalar(TABLE, "SELECT 5", (TABLE,))
    assert ask(json_text(tmp_path, b"\n", (ID,)), query) == QueryValue(5)
    assert ask(dataset([], DataFormat.CSV, (ID,)), query) == QueryValue(5)


def test_a_name_of_a_column_may_go_over_two_lines(tmp_path: Path) -> None:
    data = text(tmp_path, b'id,"name\r\nof it"\r\n1,a\r\n', (ID,))
    assert ask(data, RowCount(TABLE)) == Count(1)


def test_the_broken_one_of_several_files_is_told_without_its_partition(tmp_path: Path) -> None:
    paths = [tmp_path / f"country={name}" / "1.csv" for name in ("first", "secret", "third")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("id,name\n1,a,b\n" if path is paths[1] else "id,name\n1,a\n")
    answer = ask(dataset(paths, DataFormat.CSV, COLUMNS), *ASKED)
    assert isinstance(answer, Unmeasured)
    assert answer.reason.endswith("(country=.../1.csv, line 2)")


def test_a_broken_line_of_json_is_told_with_its_file(tmp_path: Path) -> None:
    data = json_text(tmp_path, '{"id": "1"}\n\n{"id": "secret"\n{"id": "2"}\n', (ID,))
    answer = ask(data, CountWhere(TABLE, IsNull("id")))
    assert isinstance(answer, Unmeasured)
    assert answer.reason.endswith("as one array (orders.json, line 3)")


def test_separator_nulls_and_encoding_are_the_servers(tmp_path: Path) -> None:
    read = ReadPolicy(separator=";", null_values=("NA",), encoding="iso-8859-1")
    data = text(tmp_path, "id;name\n1;Müller\n2;\nNA;NA\n".encode("latin-1"), COLUMNS, read=read)
    assert ask(data, CountWhere(TABLE, IsInvalid("name", values=("Müller", "")))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsNull("name"))) == Count(1)
    assert ask(data, CountWhere(TABLE, IsNull("id"))) == Count(1)


def test_an_unknown_encoding_is_told(tmp_path: Path) -> None:
    data = text(tmp_path, "id\n", (ID,), read=ReadPolicy(encoding="klingon"))
    answer = ask(data, RowCount(TABLE))
    assert isinstance(answer, Unmeasured)
    assert "encoding is not known" in answer.reason


def test_csv_files_of_different_headers_unite_with_their_hive_directory(tmp_path: Path) -> None:
    for day, content in (("2026-01-01", "id\n1\n"), ("2026-01-02", "name,id\nx,2\n")):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        (folder / "part.csv").write_text(content)
    columns = (*COLUMNS, column("day", LogicalType.DATE))
    data = dataset(sorted(tmp_path.rglob("*.csv")), DataFormat.CSV, columns, hive_root=tmp_path)
    assert ask(data, CountWhere(TABLE, IsNull("name"))) == Count(1)
    newest = datetime(2026, 1, 2, tzinfo=UTC)
    assert ask(data, TimeSpan(TABLE, "day")) == TimeRange(
        datetime(2026, 1, 1, tzinfo=UTC), newest, 2
    )


LINES = (
    b'{"id": 1, "name": "a"}\n\n{"name": null, "id": "2", "more": {"x": [1]}}\r\n'
    b'{"id": 2.5, "name": 7}\n{"id": true}\n'
)


@pytest.mark.parametrize("form", ["lines", "array", "marked"])
def test_json_of_mixed_values_is_read_as_text(tmp_path: Path, form: str) -> None:
    content = LINES
    if form == "array":
        objects = [line for line in LINES.split(b"\n") if line.strip()]
        content = b" [\n" + b",\n".join(objects).replace(b', "', b',\n "') + b"\n]\n"
    if form == "marked":
        content = b"\xef\xbb\xbf" + LINES
    data = json_text(tmp_path, content, COLUMNS, json_array=form == "array")
    assert ask(data, RowCount(TABLE), Unparseable(TABLE, "id")) == Count(4)
    assert bad_cells(data, "id") == 2
    assert ask(data, CountWhere(TABLE, IsNull("name"))) == Count(2)
    assert ask(data, CountWhere(TABLE, IsInvalid("name", values=("a", 7)))) == Count(0)
    schema = ask(data, TableSchema(TABLE))
    assert isinstance(schema, TableColumns)
    assert [found.name for found in schema.columns] == ["id", "name", "more"]


@pytest.mark.parametrize(
    ("content", "is_array", "reason"),
    [
        (b'{"id": 1}\n{"id": "secret\n', False, "a line is no JSON object"),
        (b'{"id": 1}\n[1]\n', False, "a line is no JSON object"),
        (b'{"id": 1}', True, "does not begin as a JSON array"),
        (b"", True, "does not begin as a JSON array"),
        (b'[{"id": 1}, {"id": "secret', True, "broken or ends too early"),
        (b'[{"id": 1}', True, "broken or ends too early"),
        (b"[1]", True, "is no object"),
        (b"[" * 100_000, True, "a value is nested too deeply"),
    ],
)
def test_broken_json_is_the_products_fault_and_is_told_without_its_values(
    tmp_path: Path, content: bytes, is_array: bool, reason: str
) -> None:
    data = json_text(tmp_path, content, COLUMNS, json_array=is_array)
    found = survey(data, [CountWhere(TABLE, IsNull("id"))], now=NOW)
    assert found.failures[TABLE].blame is Blame.PRODUCT
    assert reason in str(found.failures[TABLE])
    assert "secret" not in str(found.failures[TABLE])


@pytest.mark.parametrize(("content", "is_array"), [(b"", False), (b"\n", False), (b"[ ]", True)])
def test_json_without_a_row_is_empty_and_its_columns_are_not_known(
    tmp_path: Path, content: bytes, is_array: bool
) -> None:
    data = json_text(tmp_path, content, COLUMNS, json_array=is_array)
    assert ask(data, RowCount(TABLE), CountWhere(TABLE, IsNull("id"))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsNull("id"))) == Count(0)
    assert isinstance(ask(data, TableSchema(TABLE)), Unmeasured)


def test_a_key_that_only_a_late_line_has_is_a_column(tmp_path: Path) -> None:
    lines = [b'{"id": 1}'] * 2000 + [b'{"id": 2, "name" : "x"}']
    data = json_text(tmp_path, b"\n".join(lines), COLUMNS)
    assert ask(data, CountWhere(TABLE, IsNull("name"))) == Count(2000)


def test_a_key_that_no_line_has_is_missing_although_it_is_a_value(tmp_path: Path) -> None:
    lines = [b'{"id": "name"}'] * 2000
    data = json_text(tmp_path, b"\n".join(lines), COLUMNS)
    assert ask(data, CountWhere(TABLE, IsNull("name"))) == Unmeasured("column 'name' is missing")


def test_json_has_one_kind_of_number_so_a_whole_one_is_an_integer(tmp_path: Path) -> None:
    data = json_text(tmp_path, b'{"id": 1.0}\n{"id": 2e3}\n{"id": 0.5}\n', COLUMNS)
    assert bad_cells(data, "id") == 1


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (
            ReadPolicy(separator=";", decimal=",", thousands="."),
            ["1.234,5", "1234,5", "-1.234.567", "0,5", ",5", "7", "1e3", "1,5E-2"],
            ["1.5", "1.23,4", "12.34.567", "1,234.5", "1,", "x", ".123", "1..234"],
        ),
        (ReadPolicy(separator=";", decimal=","), ["1,5", "-3"], ["1.5", "1.234,5", "1,2,3"]),
        (
            ReadPolicy(separator=";", thousands=","),
            ["1,234.5", "12.5", "12,34,567.00", "1,23,456", "-1,00,00,000"],
            ["1,5", "1.234,5", "12,34", "123,45,678", "1,2,345", "12,34,5678", "1,234,56,789"],
        ),
        (
            ReadPolicy(thousands="\u202f"),
            ["1\u202f234", "5", "1 234", "1\u00a0234\u2009567"],
            ["1\u202f23", " 1", "1 ", "1  234", "1\t234"],
        ),
        (
            ReadPolicy(separator=";", decimal=",", thousands=" "),
            ["1 234,56", "1\u00a0234,56", "-12\u202f345", "1\u2009234", "1234,5"],
            ["1 23", "1.234", "12 34 567", "NaN", "inf"],
        ),
        (
            ReadPolicy(thousands="'"),
            ["1'234.5", "1\u2019234\u2019567.25", "12"],
            ["1'23", "'123", "1`234", "1'234'56"],
        ),
    ],
)
def test_numbers_are_read_with_the_stated_marks(
    tmp_path: Path, read: ReadPolicy, good: list[str], bad: list[str]
) -> None:
    rows = "".join(f"1{read.separator}{cell}\n" for cell in (*good, *bad))
    data = text(
        tmp_path,
        f"id{read.separator}cell\n{rows}",
        (ID, column("cell", LogicalType.NUMBER)),
        read=read,
    )
    assert bad_cells(data, "cell") == len(bad)
    assert ask(data, CountWhere(TABLE, IsNull("cell"))) == Count(0)


def test_whole_numbers_and_bounds_know_the_marks_too(tmp_path: Path) -> None:
    read = ReadPolicy(separator=";", decimal=",", thousands=".")
    columns = (column("id", LogicalType.INTEGER), column("cell", LogicalType.NUMBER))
    data = text(tmp_path, "id;cell\n1.234;1.000,5\n2,5;3\n", columns, read=read)
    assert bad_cells(data, "id") == 1
    assert ask(data, CountWhere(TABLE, IsBelow("cell", 1000))) == Count(1)


def test_a_number_that_is_not_finite_is_no_number_and_no_null_in_text(tmp_path: Path) -> None:
    columns = (ID, column("cell", LogicalType.NUMBER))
    data = text(tmp_path, "id,cell\n1,NaN\n2,-inf\n3,5\n", columns)
    assert bad_cells(data, "cell") == 2
    assert ask(data, CountWhere(TABLE, IsNull("cell"))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsMissing("cell", (float("nan"), "-inf")))) == Count(2)
    as_null = text(
        tmp_path, "id,cell\n1,NaN\n2,5\n", columns, read=ReadPolicy(null_values=("NaN",))
    )
    assert bad_cells(as_null, "cell") == 0
    assert ask(as_null, CountWhere(TABLE, IsNull("cell"))) == Count(1)
