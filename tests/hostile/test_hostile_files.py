"""Files made to harm their reader end in a clear message, and cost little."""

import gzip
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from contractwatch.engines.formats import bounds
from contractwatch.engines.query.engine import survey
from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Column
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.measure.metric import RowCount, SurplusRows, TableSchema, TimeSpan
from contractwatch.model.measure.state import Count, Unmeasured

COLUMNS = (Column(Clause("a", 1), "id", "id"), Column(Clause("b", 1), "name", "name"))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ASKED = {
    RowCount("t"),
    TableSchema("t"),
    SurplusRows("t", ("id",)),
    TimeSpan("t", "name"),
}


def _asked(path: Path, data_format: DataFormat, *, json_array: bool | None = None) -> str:
    """Return why the table cannot be read, without its first words; empty if it can."""
    files = (DataFile(str(path), path.stat().st_size, NOW),)
    table = TableFiles("t", files, data_format, COLUMNS, json_array=json_array)
    found = survey(Dataset("live", (table,), "v", NOW), ASKED, now=NOW)
    error = found.failures.get("t")
    if error is None:
        return ""
    assert error.blame is Blame.PRODUCT
    assert isinstance(found.measurements[RowCount("t")], Unmeasured)
    return str(error).removeprefix(f"table 't' cannot be read as {data_format.value}: ")


def _parquet(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """Write a Parquet file of 1,000 rows, with its footer changed."""
    rows = pl.DataFrame({"id": range(1000), "name": [f"n{n}" for n in range(1000)]})
    rows.write_parquet(path)
    whole = path.read_bytes()
    size = struct.unpack("<I", whole[-8:-4])[0]
    footer = change(whole[-8 - size : -8])
    path.write_bytes(whole[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1")
    return path


def _number(value: int) -> bytes:
    """Return an integer as Thrift's compact protocol writes it."""
    value = (value << 1) ^ (value >> 63)
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


BROKEN = "a file is no complete parquet file"
CONTRADICTS = "a file contradicts itself, or the reader cannot cope with it"


@pytest.mark.parametrize("rows", [1_000_000_000, 2**62])
def test_a_parquet_file_that_claims_a_billion_rows(tmp_path: Path, rows: int) -> None:
    claim = _parquet(
        tmp_path / "t.parquet", lambda footer: footer.replace(_number(1000), _number(rows))
    )
    assert _asked(claim, DataFormat.PARQUET) in {
        f"{BROKEN} (t.parquet)",
        f"{CONTRADICTS} (t.parquet)",
    }


def test_a_parquet_file_whose_columns_lie_outside_of_it(tmp_path: Path) -> None:
    footers: list[bytes] = []
    path = _parquet(tmp_path / "t.parquet", lambda footer: footers.append(footer) or footer)
    places = [_number(place) for place in range(100, path.stat().st_size)]
    once = [place for place in places if footers[0].count(place) == 1]
    assert once
    said = {
        _asked(
            _parquet(path, lambda f, at=place: f.replace(at, _number(2**40))), DataFormat.PARQUET
        )
        for place in once
    }
    assert said <= {"", f"{BROKEN} (t.parquet)", f"{CONTRADICTS} (t.parquet)"}
    assert f"{CONTRADICTS} (t.parquet)" in said


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1PAR1", b"\0" * 4096, b"PAR1" + b"\0" * 64 + struct.pack("<I", 2**31 - 1) + b"PAR1"],
)
def test_a_parquet_file_whose_footer_is_nowhere(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    assert _asked(tmp_path / "t.parquet", DataFormat.PARQUET) == f"{BROKEN} (t.parquet)"


def test_a_gzip_file_is_read_as_far_as_it_may_expand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(b"id,name\n" + b"1,n\n" * 1000))
    assert _asked(path, DataFormat.CSV) == ""
    lines = tmp_path / "t.json"
    lines.write_bytes(gzip.compress(b'{"id": 1, "name": "n"}\n' * 1000))
    assert _asked(lines, DataFormat.JSON) == ""
    monkeypatch.setattr(bounds, "MAX_EXPANDED_BYTES", 2 * 1024 * 1024)
    path.write_bytes(gzip.compress(b"id,name\n" + b"1,n\n" * 1_000_000))
    said = "it expands to more than 2 MB; publish plain text"
    assert _asked(path, DataFormat.CSV) == f"{said} (t.csv)"
    path.write_bytes(gzip.compress(b"id,name\n1,n\n")[:-9])
    assert "broken or cut off" in _asked(path, DataFormat.CSV)


def test_other_packed_text_is_refused(tmp_path: Path) -> None:
    packed = {
        "zip": tmp_path / "zip.csv",
        "zstd": tmp_path / "zstd.csv",
        "zlib": tmp_path / "zlib.csv",
    }
    with zipfile.ZipFile(packed["zip"], "w") as archive:
        archive.writestr("t.csv", "id,name\n1,n\n")
    packed["zstd"].write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    packed["zlib"].write_bytes(zlib.compress(b"id,name\n" + b"1,n\n" * 1000, 3))
    for name, path in packed.items():
        said = f"it is compressed by {name}; expected plain text, or gzip ({path.name})"
        assert _asked(path, DataFormat.CSV) == said


def test_a_line_without_an_end_is_not_held(tmp_path: Path) -> None:
    for name, begin in (("t.csv", b"id,"), ("t.json", b'{"id": "')):
        with (tmp_path / name).open("wb") as sparse:
            sparse.write(begin)
            sparse.truncate(1_000_000_000)  # takes no place on the disk
    assert _asked(tmp_path / "t.csv", DataFormat.CSV) == "its header is longer than 4 MB (t.csv)"
    assert _asked(tmp_path / "t.json", DataFormat.JSON) == "a line is longer than 16 MB (t.json)"


def test_more_columns_than_we_read(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(20_001)]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n")
    (tmp_path / "t.json").write_text(json.dumps(dict.fromkeys(names, 1)))
    assert "more than 20,000 columns" in _asked(tmp_path / "t.csv", DataFormat.CSV)
    assert "more than 20,000 columns" in _asked(tmp_path / "t.json", DataFormat.JSON)
    (tmp_path / "t.json").write_text(json.dumps([dict.fromkeys(names, 1)]))
    said = _asked(tmp_path / "t.json", DataFormat.JSON, json_array=True)
    assert "more than 20,000 columns" in said
    wide = pl.Struct(dict.fromkeys(names, pl.Int64))
    nested = [("id", wide)]
    with pytest.raises(UnicodeError, match="nested ones counted"):
        bounds.refuse_large_schema(nested)


def test_values_within_values_without_end(tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    (tmp_path / "t.json").write_text(f'{{"id": 1, "name": {deep}}}\n')
    assert "nested too deeply" in _asked(tmp_path / "t.json", DataFormat.JSON)
    late = '{"id": 1, "name": "n"}\n' * 1500 + f'{{"id": 1, "name": {deep}}}\n'
    (tmp_path / "t.json").write_text(late)
    assert "nested too deeply" in _asked(tmp_path / "t.json", DataFormat.JSON)
    (tmp_path / "t.json").write_text(f'[{{"id": 1, "name": {deep}}}]')
    assert "nested too deeply" in _asked(tmp_path / "t.json", DataFormat.JSON, json_array=True)
    dtype: pl.DataType = pl.Int64()
    for _ in range(bounds.MAX_DEPTH):
        dtype = pl.List(dtype)
    pl.DataFrame({"id": [None]}, schema={"id": dtype}).write_parquet(tmp_path / "t.parquet")
    assert "nested deeper than 64 levels" in _asked(tmp_path / "t.parquet", DataFormat.PARQUET)


def test_a_number_of_a_million_digits_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(f'{{"id": {"9" * 1_000_000}, "name": "n"}}\n')
    assert not _asked(tmp_path / "t.json", DataFormat.JSON)


def test_a_column_whose_name_is_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,\x00value0\n1,2\n")
    assert "the character NUL" in _asked(tmp_path / "t.csv", DataFormat.CSV)


@pytest.mark.parametrize("tail", ["x", '[{"id": 2}]', "]", "\n{}"])
def test_a_json_array_ends_its_file(tmp_path: Path, tail: str) -> None:
    (tmp_path / "t.json").write_text(f'[{{"id": 1}}]{tail}')
    said = _asked(tmp_path / "t.json", DataFormat.JSON, json_array=True)
    assert "something stands after the JSON array" in said
    (tmp_path / "t.json").write_text('[{"id": 1}]\r\n ')
    assert not _asked(tmp_path / "t.json", DataFormat.JSON, json_array=True)


@pytest.mark.parametrize("data_format", list(DataFormat)[:3])
@pytest.mark.parametrize("name", ["s*", "s?", "s[ab]", "**", "s[", "s]["])
def test_a_name_that_looks_like_a_pattern_is_a_name(
    tmp_path: Path, data_format: DataFormat, name: str
) -> None:
    text = {DataFormat.JSON: '{"id": 1}\n', DataFormat.CSV: "id\n1\n"}
    files: list[DataFile] = []
    for folder in (name, "sa"):
        path = tmp_path / folder / f"{name}x"
        path.parent.mkdir()
        path.write_text(text.get(data_format, ""))
        if data_format is DataFormat.PARQUET:
            with path.open("wb") as file:
                pl.DataFrame({"id": [1]}).write_parquet(file)
        files.append(DataFile(str(path), path.stat().st_size, NOW))
    table = TableFiles("t", tuple(files[:1]), data_format, COLUMNS)
    found = survey(Dataset("live", (table,), "v", NOW), {RowCount("t")}, now=NOW)
    assert found.measurements[RowCount("t")] == Count(1)


def test_what_is_whole_is_read(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "t.parquet", bytes)
    files = (DataFile(str(path), path.stat().st_size, NOW),)
    table = TableFiles("t", files, DataFormat.PARQUET, COLUMNS)
    found = survey(Dataset("live", (table,), "v", NOW), {RowCount("t")}, now=NOW)
    assert found.measurements[RowCount("t")] == Count(1000)
