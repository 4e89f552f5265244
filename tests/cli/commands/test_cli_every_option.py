"""Tests of every option and setting: default, bounds, choices, help and documentation."""

import math
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.cli.command_index import COMMANDS
from contractwatch.cli.values import FilePath, Name, Number, OneOf, SomeOf, Text, Whole, Words
from contractwatch.errors import SettingsError
from contractwatch.settings import _ReceiverTable, _Table, load_settings

ROOT = Path(__file__).resolve().parents[3]
PAGES = "".join(page.read_text() for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))


def _command(name: str) -> click.Command:
    return import_module(COMMANDS[name].module).command


def _all() -> Iterator[Any]:
    for name in COMMANDS:
        for parameter in _command(name).params:
            yield pytest.param(name, parameter, id=f"{name} {parameter.opts[-1]}")


PARAMETERS = list(_all())
NUMBERS = [one for one in PARAMETERS if isinstance(one.values[1].type, Whole | Number)]
CHOICES = [one for one in PARAMETERS if isinstance(one.values[1].type, OneOf)]


def _read(name: str, parameter: click.Parameter, written: str) -> Any:
    """What the command would get for this parameter, by the parser that a person meets."""
    command = _command(name)
    words: list[str] = []
    for one in command.params:
        if isinstance(one, click.Argument) and (one.required or one is parameter):
            choice = isinstance(one.type, OneOf) and one.type.choices[0].value
            words.append(written if one is parameter else choice or "x")
    if isinstance(parameter, click.Option):
        words.insert(0, f"{parameter.opts[-1]}={written}")
    with command.make_context(name, words) as context:
        return context.params[parameter.name]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_option_has_help_and_a_type_that_says_what_it_expects(
    name: str, parameter: Any
) -> None:
    assert parameter.help
    assert parameter.help[0].isupper()
    assert parameter.help.endswith(".")
    ours = (FilePath, Name, Number, OneOf, SomeOf, Text, Whole, Words)
    is_flag = isinstance(parameter, click.Option) and parameter.is_flag
    is_name = isinstance(parameter, click.Argument)
    assert is_flag or is_name or isinstance(parameter.type, ours)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_option_is_documented(name: str, parameter: Any) -> None:
    if isinstance(parameter, click.Option):
        assert re.search(rf"{re.escape(parameter.opts[-1])}(?![\w-])", PAGES)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_default_can_be_written_by_hand(name: str, parameter: Any) -> None:
    """A default is never outside of the option's own bounds."""
    with _command(name).make_context(name, [], resilient_parsing=True) as context:
        default = parameter.get_default(context, call=True)
    if default is None or "UNSET" in repr(default) or getattr(parameter, "is_flag", False):
        return
    assert _read(name, parameter, str(default)) == parameter.type.convert(default, parameter, None)


@pytest.mark.parametrize(("name", "parameter"), CHOICES)
def test_every_choice_is_accepted_in_any_case_and_offered_by_the_help(
    name: str, parameter: Any
) -> None:
    many = isinstance(parameter.type, SomeOf)
    with _command(name).make_context(name, [], resilient_parsing=True) as context:
        told = " ".join(_command(name).get_help(context).split())
    for choice in parameter.type.choices:
        expected = (choice,) if many else choice
        for written in (
            choice.value,
            choice.value.upper(),
            choice.value.replace(" ", "_"),
            f" {choice.value}",
        ):
            assert _read(name, parameter, written) == expected
        assert choice.value in told or many
    if many:
        every = ",".join(parameter.type.choices)
        assert _read(name, parameter, every) == tuple(parameter.type.choices)


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_number_is_read_within_its_bounds_and_refused_beyond_them(
    name: str, parameter: Any, data: st.DataObject
) -> None:
    low, high = parameter.type.min, parameter.type.max
    edges = [one + by for one in (low, high) if one is not None for by in (-1, 0, 1)]
    numbers = st.integers() if isinstance(parameter.type, Whole) else st.floats()
    number = data.draw(st.sampled_from(edges) | numbers)
    is_good = math.isfinite(number)
    is_good = is_good and (low is None or number >= low) and (high is None or number <= high)
    if is_good:
        assert _read(name, parameter, repr(number)) == number
        return
    with pytest.raises(click.BadParameter, match="expected a"):
        _read(name, parameter, repr(number))


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
def test_every_number_has_two_bounds(name: str, parameter: Any) -> None:
    assert None not in (parameter.type.min, parameter.type.max)


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
@given(written=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
@settings(max_examples=40, deadline=None)
def test_what_is_no_number_is_refused_in_words(name: str, parameter: Any, written: str) -> None:
    try:
        read: object = _read(name, parameter, written)
    except click.BadParameter as error:
        read = error.message
    assert isinstance(read, int | float) or re.search("expected a (whole )?number from", str(read))


def _fields(table: Any, kind: type) -> list[Any]:
    return [
        pytest.param(name, field, id=name)
        for name, field in table.model_fields.items()
        if get_origin(field.annotation) is kind
        or (kind is float and field.annotation in (int, float))
    ]


def _loaded(name: str, value: object, folder: Path) -> Any:
    environ = {f"CONTRACTWATCH_{name.upper()}": str(value)}
    empty = folder / "contractwatch.toml"
    empty.touch()
    return getattr(load_settings(empty, environ), name)


def _bounds(field: Any) -> Iterator[tuple[float, bool]]:
    """Yield numbers at and beyond the bounds of a setting, and whether they are accepted."""
    step = 1 if field.annotation is int else 0.001
    for bound in field.metadata:
        match bound:
            case annotated_types.Ge(ge=low):
                yield from ((low, True), (low - step, False))
            case annotated_types.Gt(gt=low):
                yield from ((low + step, True), (low, False))
            case annotated_types.Le(le=high):
                yield from ((high, True), (high + step, False))
            case _:
                pass


@pytest.mark.parametrize("table", [_Table, _ReceiverTable])
def test_every_default_of_a_setting_is_within_its_own_bounds(table: Any) -> None:
    for name, field in table.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, int | float) and not isinstance(default, bool):
            for bound in field.metadata:
                assert default >= getattr(bound, "ge", default), name
                assert default <= getattr(bound, "le", default), name
                assert not hasattr(bound, "gt") or default > bound.gt, name


@pytest.mark.parametrize(("name", "field"), _fields(_Table, float))
def test_a_setting_is_accepted_at_its_bounds_and_refused_beyond_them(
    name: str, field: Any, tmp_path: Path
) -> None:
    seen = list(_bounds(field))
    assert {is_good for _, is_good in seen} == {True, False}
    assert {type(bound) for bound in field.metadata} & {annotated_types.Le}, f"{name} has no top"
    for value, is_good in seen:
        if is_good and not (name in ZERO_IS_COMPUTED and value == 0):
            assert _loaded(name, value, tmp_path) == value
        elif not is_good:
            with pytest.raises(SettingsError, match=f"(?i){name}"):
                _loaded(name, value, tmp_path)


ZERO_IS_COMPUTED = {"worker_threads", "run_limit"}


@pytest.mark.parametrize(("name", "field"), _fields(_Table, float))
@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "x", "", "1e999"])
def test_a_setting_that_is_no_finite_number_is_refused(
    name: str, field: Any, word: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=f"(?i){name}"):
        _loaded(name, word, tmp_path)


@pytest.mark.parametrize(("name", "field"), _fields(_Table, Literal))  # type: ignore[arg-type]
def test_every_choice_of_a_setting_is_accepted(name: str, field: Any, tmp_path: Path) -> None:
    for choice in get_args(field.annotation):
        assert _loaded(name, choice, tmp_path) == choice
    with pytest.raises(SettingsError, match=f"(?i){name}"):
        _loaded(name, "neither", tmp_path)


@pytest.mark.parametrize("name", sorted(_ReceiverTable.model_fields))
def test_every_setting_of_a_receiver_is_documented(name: str) -> None:
    pages = (ROOT / "docs" / "receivers.md").read_text() + (
        ROOT / "docs" / "settings.md"
    ).read_text()
    assert re.search(rf"\b{name}\b", pages)
