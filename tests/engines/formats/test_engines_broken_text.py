"""Errors of broken text name the file, the line, the column and what to write."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from engine_values import NOW, TABLE, ask, column, dataset, json_text, text

from contractwatch.engines.query.engine import survey
from contractwatch.errors import Blame
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import LogicalType as L
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import RowCount, TableSchema
from contractwatch.model.measure.state import Count

COLUMNS = [column("id", L.INTEGER), column("name", L.STRING)]
ROWS = RowCount(TABLE)
TWICE = 'write the whole field in quotes, and each quote inside of it twice ("")'


def why(data: Dataset) -> str:
    """Return why the table cannot be read, after its first words."""
    failure = survey(data, {ROWS, TableSchema(TABLE)}, now=NOW).failures[TABLE]
    assert failure.blame is Blame.PRODUCT
    assert "Error" not in str(failure)
    return str(failure).split(": ", 1)[1]


ALONE = "a quote stands alone inside of a field that does not begin with one"
GOES_ON = "a field goes on after its closing quote"
NEVER = "a quoted field is never closed"


@pytest.mark.parametrize(
    ("rows", "told", "line"),
    [
        (['1,5" pipe', "2,b"], ALONE, 2),
        (["1,a", '2,5" pipe', '3,6" pipe', "4,b"], ALONE, 3),
        (['1,"5" pipe"', "2,b"], GOES_ON, 2),
        (["1,a", '2,"5" pipe"', '3,"6" pipe"', "4,b"], GOES_ON, 3),
        (["1,a", '2,"5 pipe', "3,b"], NEVER, 3),
        (["1,a", '2,"a', 'b"', '3,"x"y'], GOES_ON, 5),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_that_are_not_in_pairs_are_told_with_their_place(
    tmp_path: Path, rows: Sequence[str], told: str, line: int, end: str
) -> None:
    content = end.join(["id,name", *rows, ""])
    place = f"(orders.csv, line {line}, column 2)"
    assert why(text(tmp_path, content, COLUMNS)) == f"{told}; {TWICE} {place}"


def test_the_file_with_the_stray_quote_is_named(tmp_path: Path) -> None:
    paths = [tmp_path / f"{at}.csv" for at in range(3)]
    for path, name in zip(paths, ("a", '"5" pipe"', "b"), strict=True):
        path.write_text(f"id;name\n1;{name}\n")
    data = dataset(paths, DataFormat.CSV, COLUMNS, read=ReadPolicy(separator=";"))
    assert "(1.csv, line 2, column 2)" in why(data)


@pytest.mark.parametrize(
    "row", ['"a""b"', '""', '"a,""b"", c"', '"x\ny ""z"" w"', 'a "b" c', '{"k": "v"}', '"""a"""']
)
def test_quotes_that_are_in_pairs_are_read(tmp_path: Path, row: str) -> None:
    separator = "|" if "," in row else ","
    content = f"id{separator}name\n1{separator}{row}\n2{separator}b\n"
    data = text(tmp_path, content, COLUMNS, read=ReadPolicy(separator=separator))
    assert ask(data, ROWS) == Count(2)


ENCODINGS = [
    ("utf-16", "utf-16"),
    ("utf-16-le", "utf-16-le"),
    ("utf-16-be", "utf-16-be"),
    ("utf-32", "utf-32"),
]


@pytest.mark.parametrize(("written", "told"), ENCODINGS)
def test_text_in_wide_letters_is_told_with_its_encoding(
    tmp_path: Path, written: str, told: str
) -> None:
    csv, lines = "id,name\n1,ä\n", '{"id": 1, "name": "ä"}\n'
    expected = (
        f"it is written in {told.upper()}; say so with contractwatch.read: {{encoding: {told}}}"
    )
    assert why(text(tmp_path, csv.encode(written), COLUMNS)).startswith(expected)
    assert why(json_text(tmp_path, lines.encode(written), COLUMNS)).startswith(expected)
    policy = ReadPolicy(encoding=told)
    assert ask(text(tmp_path, csv.encode(written), COLUMNS, read=policy), ROWS) == Count(1)
    assert ask(json_text(tmp_path, lines.encode(written), COLUMNS, read=policy), ROWS) == Count(1)


@pytest.mark.parametrize(("content", "line"), [("id,näme\n1,a\n", 1), ("id,name\n1,a\n2,ä\n", 3)])
def test_bytes_that_are_no_utf_8_are_told_with_their_line(
    tmp_path: Path, content: str, line: int
) -> None:
    told = why(text(tmp_path, content.encode("latin-1"), COLUMNS))
    assert told.endswith(f"(orders.csv, line {line})")
    assert "; it is read as utf-8: if it is written otherwise" in told
    assert "say so with contractwatch.read: {encoding: windows-1252}" in told
    policy = ReadPolicy(encoding="windows-1252")
    data = text(tmp_path, content.encode("latin-1"), COLUMNS, read=policy)
    assert ask(data, ROWS) == Count(line if line == 1 else 2)


def test_what_is_no_utf_8_may_be_read_with_losses_if_that_is_stated(tmp_path: Path) -> None:
    policy = ReadPolicy(encoding="utf8-lossy")
    assert ask(text(tmp_path, b"id,name\n1,\xe4\n", COLUMNS, read=policy), ROWS) == Count(1)


def test_a_file_of_another_format_is_told(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    pl.DataFrame({"id": [1]}).write_parquet(path)
    told = "it is no text but a file of format parquet; write format: parquet (orders.csv)"
    assert why(dataset([path], DataFormat.CSV, COLUMNS)) == told
