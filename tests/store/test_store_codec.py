"""Tests of the codec: every stored dataclass comes back equal."""

import json
import math
import types
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.contract.contract import AlertPolicy
from contractwatch.model.promises.rule import Bound, TypeOption, TypeOptionKind
from contractwatch.model.record.check import Promise, Verdict
from contractwatch.model.record.incident import BrokenPromise, Incident, Notification, Transition
from contractwatch.model.record.product import ProductCard
from contractwatch.store.database.codec import dump, from_micros, load, to_micros

INSTANTS = st.timedeltas(min_value=timedelta(days=-30_000), max_value=timedelta(days=90_000)).map(
    lambda span: datetime(1970, 1, 1, tzinfo=UTC) + span
)

LEAVES = {
    str: st.text(max_size=20),
    int: st.integers(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    types.NoneType: st.none(),
    date: st.dates(),
    datetime: INSTANTS,
    timedelta: st.timedeltas(min_value=timedelta(days=-9999), max_value=timedelta(days=9999)),
    Decimal: st.decimals(allow_nan=False),
}


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return values of a hint; hypothesis' own would draw times without a zone."""
    if hint in LEAVES:
        return LEAVES[hint]
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if get_origin(hint) is frozenset:
        return st.frozensets(values(get_args(hint)[0]), max_size=3)
    if get_args(hint):
        return st.one_of(*(values(member) for member in get_args(hint)))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    hints = get_type_hints(hint)
    return st.builds(hint, **{field.name: values(hints[field.name]) for field in fields(hint)})


NOUNS = (Notification, Incident, Transition, ProductCard, Promise, Verdict, BrokenPromise)


@pytest.mark.parametrize("noun", [*NOUNS, TypeOption, AlertPolicy], ids=lambda noun: noun.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_value_comes_back_equal(noun: type, data: st.DataObject) -> None:
    value = data.draw(values(noun))
    text = dump(value, noun)
    assert load(text, noun) == value
    assert dump(load(text, noun), noun) == text
    assert text.isascii()


@given(instant=INSTANTS)
@settings(max_examples=50)
def test_an_instant_is_kept_to_the_microsecond(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


def test_an_instant_of_another_zone_comes_back_in_utc() -> None:
    there = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    back = from_micros(to_micros(there))
    assert (back, back.tzinfo) == (there, UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    "value",
    [1, 1.5, "10:00:00", Decimal("1.10"), date(2026, 2, 28), datetime(2026, 1, 1, tzinfo=UTC)],
)
def test_a_union_remembers_which_type_it_holds(value: Bound) -> None:
    option = TypeOption(Clause("x", 1), TypeOptionKind.MINIMUM, value)
    back = load(dump(option, TypeOption), TypeOption)
    assert back == option
    assert type(back.value) is type(value)


def test_a_number_that_is_none_survives() -> None:
    verdict = load('{"outcome":"passed","observed":NaN}', Verdict)
    assert math.isnan(verdict.observed)
    assert load(dump(verdict, Verdict), Verdict).threshold == ""


def test_a_noun_may_gain_and_lose_fields() -> None:
    text = json.loads(dump(Clause("a", 1), Clause)) | {"unheard_of": 1}
    assert load(json.dumps(text), Clause) == Clause("a", 1)
    old = json.loads(
        dump(BrokenPromise("p", "c", 1, "t", None, "e", "o", Severity.INFO, 5), BrokenPromise)
    )
    del old["rows"]
    assert load(json.dumps(old), BrokenPromise).rows is None


def test_a_frozenset_has_one_spelling() -> None:
    both = frozenset[Severity]
    assert dump(frozenset({Severity.INFO, Severity.ERROR}), both) == '["error","info"]'
    assert load('["info","error"]', both) == {Severity.ERROR, Severity.INFO}


@pytest.mark.parametrize("hint", [complex, dict[str, int], tuple[int, str]])
def test_a_type_that_the_codec_does_not_know_is_refused(hint: object) -> None:
    with pytest.raises(TypeError, match="the codec"):
        dump(0, hint)
