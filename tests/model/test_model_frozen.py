"""A noun does what a frozen, slotted dataclass of the standard library does, and makes it later."""

import copy
import inspect
import pickle
import typing
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from contractwatch.model.base.frozen import frozen

Declare = Callable[[type], type[Any]]
BY_THE_LIBRARY: Declare = dataclass(frozen=True, slots=True)


def empty(declare: Declare) -> type[Any]:
    @declare
    class Nothing:
        """No field."""

    return Nothing


def plain(declare: Declare) -> type[Any]:
    @declare
    class Point:
        x: int
        y: float = 0.5

        def __str__(self) -> str:
            return f"at {self.x}"

        @property
        def twice(self) -> int:
            return self.x * 2

    return Point


def full(declare: Declare) -> type[Any]:
    @declare
    class Cell:
        """A field of each kind that nouns have."""

        x: int
        y: tuple[str, ...] = ()
        known: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
        shown: bool = field(default=True, repr=False, compare=False)

    return Cell


VALUES = [
    (empty, [(), ()]),
    (plain, [(1,), (1, 0.5), (2, 0.5), (1, float("nan"))]),
    (full, [(1,), (1, ("a",)), (1, (), {"a": 1}), (1, (), {}, False)]),
]


@frozen
class Kept:
    """A noun that a pickle can find."""

    name: str
    inner: tuple["Kept", ...] = ()


@pytest.mark.parametrize(("declared", "values"), VALUES)
def test_values_are_equal_shown_and_hashed_as_the_librarys(declared: Any, values: Any) -> None:
    ours, theirs = (
        [declared(declare)(*one) for one in values] for declare in (frozen, BY_THE_LIBRARY)
    )
    assert [[one == other for other in ours] for one in ours] == [
        [one == other for other in theirs] for one in theirs
    ]
    assert [one.__eq__(1) for one in ours] == [NotImplemented for _ in theirs]
    assert [repr(one) for one in ours] == [repr(one) for one in theirs]
    assert [hash(one) for one in ours] == [hash(one) for one in theirs]
    assert [str(one) for one in ours] == [str(one) for one in theirs]
    assert [asdict(one) for one in ours] == [asdict(one) for one in theirs]


@pytest.mark.parametrize(("declared", "values"), VALUES)
def test_a_class_looks_from_outside_as_the_librarys(declared: Any, values: Any) -> None:
    ours, theirs = declared(frozen), declared(BY_THE_LIBRARY)
    assert is_dataclass(ours)
    assert [(one.name, one.type, one.default) for one in fields(ours)] == [
        (one.name, one.type, one.default) for one in fields(theirs)
    ]
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert ours.__qualname__ == theirs.__qualname__
    assert ours.__module__ == theirs.__module__
    assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters]
    assert typing.get_type_hints(ours.__init__) == typing.get_type_hints(theirs.__init__)
    assert not hasattr(ours(*values[0]), "__dict__")


@pytest.mark.parametrize("declare", [frozen, BY_THE_LIBRARY])
@pytest.mark.parametrize(("words", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"z": 1})])
def test_wrong_arguments_are_refused_in_the_librarys_words(
    declare: Declare, words: Any, named: Any
) -> None:
    with pytest.raises(
        TypeError, match=r"plain\.<locals>\.Point\.__init__\(\) (missing|takes|got)"
    ):
        plain(declare)(*words, **named)


@pytest.mark.parametrize("declare", [frozen, BY_THE_LIBRARY])
def test_a_field_can_neither_be_set_nor_deleted(declare: Declare) -> None:
    point = plain(declare)(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point.twice == 2


def test_a_default_factory_makes_a_new_value_each_time() -> None:
    cell = full(frozen)
    assert cell(1).known is not cell(1).known


def test_a_noun_matches_by_place_and_is_replaced() -> None:
    match replace(Kept("a"), name="b"):
        case Kept(name, inner):
            assert (name, inner) == ("b", ())
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_noun_comes_back_equal_from_a_pickle_and_a_copy(protocol: int) -> None:
    kept = Kept("a", (Kept("b"),))
    assert pickle.loads(pickle.dumps(kept, protocol)) == kept
    assert copy.deepcopy(kept) == kept
    assert {kept: 1}[copy.copy(kept)] == 1


def test_a_noun_below_a_noun_has_the_fields_of_both() -> None:
    def below(declare: Declare) -> Any:
        base = plain(declare)

        @declare
        class Below(base):
            z: int = 0

        return Below(1, z=3)

    ours, theirs = below(frozen), below(BY_THE_LIBRARY)
    assert (repr(ours), hash(ours)) == (repr(theirs), hash(theirs))
    assert ours.__slots__ == theirs.__slots__


def test_a_wish_that_is_not_granted_is_refused() -> None:
    with pytest.raises(TypeError, match="has plain fields only"):

        @frozen
        class Checked:
            x: int

            def __post_init__(self) -> None: ...

    @frozen
    class Hidden:
        x: int = field(default=1, init=False)

    @frozen
    class Counted:
        total: typing.ClassVar[int] = 0
        x: int = 1

    for refused in (Hidden, Counted, Hidden):
        with pytest.raises(TypeError, match="has plain fields only"):
            refused()


def test_no_method_is_made_before_it_is_asked_for() -> None:
    point = plain(frozen)
    waiting = {name for name, value in vars(point).items() if type(value).__name__ == "_Later"}
    assert waiting == {"__init__", "__eq__", "__hash__"}
    point(1)
    assert inspect.isfunction(vars(point)["__init__"])
    assert not inspect.isfunction(vars(point)["__eq__"])
