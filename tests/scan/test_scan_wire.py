"""What goes to a worker and back is the same value at the other end."""

import pickle
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import Pipe
from pathlib import Path

import pytest

from contractwatch.model.base.clause import Clause
from contractwatch.model.measure.metric import CountWhere, IsNull, RowCount
from contractwatch.model.measure.state import Count, Unmeasured
from contractwatch.scan.wire import send


@dataclass(frozen=True, slots=True)
class Alone:
    name: str


@dataclass(frozen=True, slots=True)
class Empty:
    pass


@dataclass(frozen=True, slots=True)
class Counted:
    """A field that is not given to the class: left to pickle."""

    name: str
    length: int = field(init=False, default=3)


@dataclass
class Open:
    name: str
    when: datetime | None = None


VALUES = [
    None,
    (Alone("a"), Empty(), Counted("b"), Open("c", datetime(2026, 1, 1, tzinfo=UTC))),
    {RowCount("t"): Count(3), CountWhere("t", IsNull("x")): Unmeasured("no")},
    [Clause("schema[0]", 4)] * 3,
    (Path("a/b"), re.compile("^a"), 1 + 2j, frozenset({"x"}), Path.exists),
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_comes_out_as_it_went_in(value: object) -> None:
    here, there = Pipe()
    with here, there:
        send(here, value)
        assert there.recv() == value


def test_one_noun_that_is_sent_twice_stays_one() -> None:
    here, there = Pipe()
    with here, there:
        clause = Clause("schema[0]", 4)
        send(here, [clause, clause])
        first, second = there.recv()
    assert first is second


def test_what_cannot_be_pickled_is_refused() -> None:
    here, there = Pipe()
    with here, there, pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        send(here, lambda: None)
