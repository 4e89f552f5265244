"""Tests of wrapping on narrow terminals, and of grouped results."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from cli_values import call

from contractwatch.cli.command_index import COMMANDS
from contractwatch.cli.reports.text_layout import TextLayout

LONG = "the_unabbreviated_name_of_a_column_that_somebody_chose_with_care"
CONTRACT = f"""\
apiVersion: v3.1.0
kind: DataContract
id: wide-1
name: wide
version: 1.0.0
status: active
domain: a-domain-of-some-length
servers:
  - {{server: local, type: local, path: wide.csv, format: csv}}
schema:
  - name: table_with_a_name_that_is_long_enough_to_matter
    physicalName: wide
    properties:
      - {{name: {LONG}, logicalType: integer, required: true, unique: true}}
      - {{name: completeness-of-well-known-things, logicalType: string, required: true}}
      - {{name: v, logicalType: number, logicalTypeOptions: {{minimum: 3, maximum: 4}}}}
"""
WIDTHS = range(60, 201, 20)


def _words(text: str) -> set[str]:
    return set(text.split())


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    header = f"{LONG},completeness-of-well-known-things,v"
    (tmp_path / "wide.csv").write_text(f"{header}\n1,a,1\n1,,9\nx,b,3\n")
    path = tmp_path / "wide.odcs.yaml"
    path.write_text(CONTRACT)
    return path


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_of_a_report_is_split(
    width: int, wide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = json.loads(call("test", wide, "--format", "json").out)["runs"][0]
    expected = {word for check in run["checks"] for word in check["promised"].split()}
    monkeypatch.setenv("COLUMNS", str(width))
    out = call("test", wide, "--all").out
    assert expected <= _words(out.replace("promised: ", "promised "))
    assert f"table_with_a_name_that_is_long_enough_to_matter.{LONG}" in _words(out)
    monkeypatch.setenv("COLUMNS", "1000")
    assert _words(out.replace(": ", " ")) - {"line"} <= (
        _words(call("test", wide, "--all").out.replace(": ", " "))
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_word_of_a_help_page_is_split_and_no_line_is_too_long(
    command: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = call(*filter(None, [command]), "--help").out
    monkeypatch.setenv("COLUMNS", "1000")
    assert _words(narrow) == _words(call(*filter(None, [command]), "--help").out)
    assert max(map(len, narrow.splitlines())) <= width


@pytest.mark.parametrize("width", range(20, 200, 9))
def test_a_table_of_any_words_has_them_whole(width: int) -> None:
    rows = [("failed", LONG, "no value below 3", "well-known, x/y", "17")] * 2
    header = ("outcome", "where", "promised", "observed", "line")
    told = list(TextLayout(width, coloured=False).table(header, rows, ["failed"] * 2))
    found = _words(" ".join(told))
    assert {word for cell in rows[0] for word in cell.split()} <= found
    longest = max(len(LONG) + len("failed") + 2, width)
    assert all(len(line) <= longest for line in told)


def test_lines_for_programs_are_whole_and_lines_for_a_terminal_are_wrapped() -> None:
    text = "word " * 40
    assert len(list(TextLayout(60, coloured=False).line(text))) == 1
    assert all(len(one) <= 60 for one in TextLayout(60, coloured=True, is_terminal=True).line(text))


def _many(folder: Path, properties: Iterable[str], rows: str) -> Path:
    path = folder / "many.odcs.yaml"
    listed = "".join(f"      - {one}\n" for one in properties)
    head, _, _ = CONTRACT.replace("wide.csv", "many.csv").partition("      - ")
    path.write_text(head.replace("physicalName: wide", "physicalName: many") + listed)
    (folder / "many.csv").write_text(rows)
    return path


def test_warnings_of_one_kind_over_many_columns_are_one_line_with_a_count(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(104)]
    rule = "{metric: nullValues, mustBe: 0, severity: warning}"
    columns = [f"{{name: {name}, logicalType: string, quality: [{rule}]}}" for name in names]
    row = ",".join(["x"] * 50 + [""] * 54)
    path = _many(tmp_path, columns, f"{','.join(names)}\n{row}\n")
    out = call("test", path).out
    told = [line for line in out.splitlines() if "nullValues" in line]
    assert any(line.startswith("warning: 54 nullValues: ") for line in told)
    assert "and 51 more" in out
    assert len(out.splitlines()) < 15
