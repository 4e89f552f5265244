"""Suggestions for date formats that cannot be executed."""

import pytest

from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.date_format import DateFormatError, compile_format
from contractwatch.odcs.values.jdk_formats import format_suggestion


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (LogicalType.DATE, "dd.mm.yyyy", "dd.MM.yyyy"),
        (LogicalType.DATE, "YYYY-MM-DD", "yyyy-MM-dd"),
        (LogicalType.DATE, "DD/MM/YYYY", "dd/MM/yyyy"),
        (LogicalType.DATE, "mm/dd/yy", "MM/dd/yy"),
        (LogicalType.DATE, "yyyymmdd", "yyyyMMdd"),
        (LogicalType.DATE, "DD-MON-YYYY", "dd-MMM-yyyy"),
        (LogicalType.DATE, "%Y-%m-%d", "yyyy-MM-dd"),
        (LogicalType.TIMESTAMP, "%d/%m/%Y %H:%M:%S", "dd/MM/yyyy HH:mm:ss"),
        (LogicalType.TIMESTAMP, "yyyy-mm-dd hh:mm:ss", "yyyy-MM-dd HH:mm:ss"),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd HH:MM:SS", "yyyy-MM-dd HH:mm:ss"),
        (LogicalType.TIMESTAMP, "YYYY-MM-DD HH24:MI:SS", "yyyy-MM-dd HH:mm:ss"),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd HH:mm:ss.fff", "yyyy-MM-dd HH:mm:ss.SSS"),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd'T'HH:mm:ss z", "yyyy-MM-dd'T'HH:mm:ss XXX"),
        (LogicalType.TIME, "hh:mm", "HH:mm"),
        (LogicalType.TIME, "hh:mm AM", "hh:mm a"),
    ],
)
def test_a_wrong_format_is_reported_with_the_one_that_is_meant(
    kind: LogicalType, written: str, meant: str
) -> None:
    with pytest.raises(DateFormatError):
        compile_format(written, kind)
    assert format_suggestion(written, kind) == f"did you mean '{meant}'?"
    compile_format(meant, kind)


@pytest.mark.parametrize("written", ["date-time", "ISO 8601", "iso8601", "DATETIME"])
def test_a_name_of_iso_8601_needs_no_format(written: str) -> None:
    assert format_suggestion(written, LogicalType.TIMESTAMP).startswith("leave the format out")


@pytest.mark.parametrize(
    ("kind", "written", "told"),
    [
        (LogicalType.DATE, "MM/yyyy", "has no day (dd)"),
        (LogicalType.DATE, "dd.MM", "has no year (yyyy)"),
        (LogicalType.TIME, "mm:ss", "has no hour (HH)"),
        (LogicalType.TIME, "HH:ss", "has no minute (mm)"),
        (LogicalType.TIME, "HH:mm.SSS", "has no second (ss)"),
        (LogicalType.TIME, "HH:mmXXX", "has an offset"),
        (LogicalType.DATE, "dMyyyy", "where 'd' ends before 'M' cannot be told"),
        (LogicalType.TIME, "H[mm]", "where 'H' ends before 'mm' cannot be told"),
        (LogicalType.TIMESTAMP, "yyyy-MM-dd HH:mm VV", "it is a zone's name"),
        (LogicalType.DATE, "yyyy-ww", "it is the week"),
        (LogicalType.DATE, "yyyy-MM-dd}", "stands for nothing"),
        (LogicalType.DATE, "yyyy-MM-dd]", "closes nothing"),
        (LogicalType.DATE, "yyyy-MM-'dd", "a quote of the date format is not closed"),
        (LogicalType.DATE, "yyyyyyyyyy-MM-dd", "so many letters"),
        (LogicalType.DATE, "yyyy-MM-dd MM", "has the month twice"),
        (LogicalType.DATE, "''", "has no letter"),
        (LogicalType.DATE, "y" * 300, "is longer than 200 characters"),
    ],
)
def test_a_format_that_cannot_be_executed_exactly_says_which_part_and_why(
    kind: LogicalType, written: str, told: str
) -> None:
    with pytest.raises(DateFormatError) as raised:
        compile_format(written, kind)
    assert told in str(raised.value)


@pytest.mark.parametrize("part", ["[yyyy]", "%Y-", "HH24'", "["])
def test_a_format_of_absurd_length_is_not_searched_for_what_is_meant(part: str) -> None:
    assert (
        format_suggestion(part * 40_000, LogicalType.DATE) == "expected a form such as yyyy-MM-dd"
    )


@pytest.mark.parametrize(
    "written", ["epoch", "EPOCH", "epoch_millis", "epochSecond", "unix", "unix-time"]
)
def test_a_word_for_seconds_since_1970_is_no_date_format_but_a_number(written: str) -> None:
    for kind in (LogicalType.DATE, LogicalType.TIMESTAMP):
        with pytest.raises(DateFormatError, match="a count of seconds since 1970"):
            compile_format(written, kind)
        assert format_suggestion(written, kind) == "write logicalType: integer and no format"
