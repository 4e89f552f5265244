"""Words that are read without typer mean what they mean to typer."""

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.cli.by_typer import for_typer
from contractwatch.cli.commands import COMMANDS
from contractwatch.cli.parameters import Argument, Option
from contractwatch.cli.plain_words import plain_call


class Form(StrEnum):
    ONE = "one"
    TWO = "two"


def _recorder(heard: list[dict[str, object]]) -> Callable[..., Any]:
    def command(
        places: Annotated[list[Path], Argument()],
        *,
        form: Annotated[Form, Option("--form")] = Form.ONE,
        note: Annotated[str, Option()] = "",
        number: Annotated[int, Option("--number", min=0, max=9)] = 0,
        tags: Annotated[list[str] | None, Option("--tag")] = None,
        output: Annotated[Path | None, Option()] = None,
        show_all: Annotated[bool, Option("--all")] = False,
    ) -> None:
        heard.append(locals().copy())

    return command


def _by_typer(words: list[str]) -> dict[str, object] | None:
    heard: list[dict[str, object]] = []
    app = typer.Typer(add_completion=False)
    app.command()(for_typer(_recorder(heard)))
    try:
        typer.main.get_command(app)(words, standalone_mode=False)
    except typer.TyperException:
        return None
    return {name: value for name, value in heard[0].items() if name != "heard"}


def _plainly(words: list[str]) -> dict[str, object] | None:
    heard: list[dict[str, object]] = []
    command = _recorder(heard)
    found = plain_call(command, words)
    if found is None:
        return None
    command(**found)
    return {name: value for name, value in heard[0].items() if name != "heard"}


WORDS = st.sampled_from(
    [
        *("a", "b/c", "", "--form", "one", "two", "three", "--form=two", "--note", "--note="),
        *("--note=x=y", "--number", "3", "12", "-1", "--number=9", "--tag", "--tag=t"),
        *("--output", "--all", "--al"),
    ]
)


@given(words=st.lists(WORDS, max_size=6).map(lambda words: ["place", *words]))
@settings(max_examples=40, deadline=None)
def test_what_is_read_plainly_is_what_typer_reads(words: list[str]) -> None:
    plain = _plainly(words)
    if plain is not None:
        assert plain == _by_typer(words)


@pytest.mark.parametrize(
    "words",
    [
        ["a"],
        ["a", "b", "--form", "two", "--all"],
        ["--tag", "x", "a", "--tag=y", "--number", "9", "--output", "o", "--note=-"],
    ],
)
def test_plain_words_need_no_typer(words: list[str]) -> None:
    plain = _plainly(words)
    assert plain is not None
    assert plain == _by_typer(words)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["a", "--help"],
        ["a", "--nope"],
        ["a", "--form", "three"],
        ["a", "--number", "10"],
        ["a", "--number", "x"],
        ["a", "--note"],
        ["a", "--note", "--all"],
        ["a", "--all=yes"],
        ["a", "--form=one", "--form=two"],
        ["a", "--"],
    ],
)
def test_what_is_in_doubt_is_left_to_typer(words: list[str]) -> None:
    assert _plainly(words) is None


@pytest.mark.parametrize("name", ["lint", "test", "gate"])
def test_what_pipelines_call_can_be_called_plainly(name: str) -> None:
    command = import_module(COMMANDS[name].module).command
    assert plain_call(command, ["place"]) is not None


def test_a_number_of_absurd_length_is_left_to_typer() -> None:
    assert _plainly(["a", "--number", "0" * 5_000]) is None
