"""Parsing numbers, units and durations."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.odcs.values.units import (
    Duration,
    UnitError,
    ambiguous_unit_warning,
    duration_of,
    parse_iso_duration,
    parse_number,
    parse_unit,
)


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("PT15M", Duration(timedelta(minutes=15))),
        ("P1DT6H", Duration(timedelta(hours=30))),
        ("P4D", Duration(timedelta(days=4), whole_days=True)),
        ("P1Y2M", Duration(timedelta(0), 14, whole_days=True)),
        ("PT0.5H", Duration(timedelta(minutes=30))),
        ("p1w", Duration(timedelta(days=7), whole_days=True)),
    ],
)
def test_an_iso_duration_keeps_calendar_and_fixed_parts_apart(
    written: str, length: Duration
) -> None:
    assert parse_iso_duration(written) == length


@pytest.mark.parametrize("written", ["P", "PT", "P1", "1D", "PT1D", "P1H", "P-1D", "P1DT", "P0.5M"])
def test_what_is_no_iso_duration_is_refused(written: str) -> None:
    with pytest.raises(UnitError):
        parse_iso_duration(written)


def test_fractions_are_kept() -> None:
    assert duration_of(1.5, "h").fixed == timedelta(minutes=90)
    assert duration_of(1.5, "y").calendar_months == 18


@pytest.mark.parametrize(
    ("word", "unit"),
    [
        ("Hours", "h"),
        ("MON", "mo"),
        ("yr", "y"),
        ("wk", "w"),
        ("sec", "s"),
        ("mins", "min"),
        ("hrs", "h"),
        ("mths", "mo"),
        ("day(s)", "d"),
        ("xx", None),
    ],
)
def test_units_have_synonyms_whatever_their_case(word: str, unit: str | None) -> None:
    assert parse_unit(word) == unit


def test_only_finite_numbers_are_numbers() -> None:
    values = ["4", " 1.5 ", True, float("nan"), "inf", "1e999", None, "4 d", 10**400, "0x1"]
    assert [parse_number(value) for value in values] == [4, 1.5, *[None] * 8]


@given(st.floats(0, 1000), st.sampled_from(["ms", "s", "min", "h", "d", "w"]))
@settings(max_examples=50)
def test_more_of_a_unit_is_longer(amount: float, unit: str) -> None:
    assert duration_of(amount, unit).fixed <= duration_of(amount + 1, unit).fixed


@pytest.mark.parametrize(
    ("word", "unit"), [("m", "min"), (" m ", "min"), ("M", "mo"), ("M.", "mo")]
)
def test_a_small_m_is_minutes_and_a_capital_one_months(word: str, unit: str) -> None:
    assert parse_unit(word) == unit
    assert ambiguous_unit_warning(word).startswith(f"'{word.strip()}' is read as m")


@pytest.mark.parametrize("word", ["min", "MIN", "mo", "d", "H", "parsec"])
def test_other_units_leave_no_doubt(word: str) -> None:
    assert not ambiguous_unit_warning(word)
