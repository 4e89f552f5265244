"""Click types of option values, with clear messages, and options that may be repeated."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any, Generic, TypeVar

import click

Choice = TypeVar("Choice", bound=StrEnum)

_LONGEST_SHOWN = 60


class OneOf(click.Choice[Choice], Generic[Choice]):
    """A member of an enumeration, written as its value, in any case."""

    def __init__(self, kind: type[Choice]) -> None:
        """Take every member."""
        super().__init__(tuple(kind), case_sensitive=False)

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        """Return how a member is written."""
        return str(choice).strip().casefold().replace(" ", "-").replace("_", "-")

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Return what was found, what was expected and what is near."""
        known = [self.normalize_choice(member, ctx) for member in self.choices]
        return _no_choice(str(value), known)


class SomeOf(OneOf[Choice]):
    """Members of an enumeration, separated by commas."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the members in the order in which they are written."""
        words = split_list(value) or [value]
        return tuple(super(SomeOf, self).convert(word, param, ctx) for word in words)


class Words(click.ParamType[tuple[str, ...]]):
    """A comma-separated list of words."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the words in the order in which they are written."""
        return tuple(split_list(value)) or self.fail("'' is no name", param, ctx)


class Name(click.ParamType[tuple[str, ...]]):
    """A name, or several separated by commas; resolved once the contracts are known."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return what is written, as it is."""
        return (value,) if split_list(value) else self.fail("'' is no name", param, ctx)


class Text(click.ParamType[str]):
    """A text that is not empty, as an unset variable of a script would be."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        return value if value.strip() else self.fail("an empty text", param, ctx)


class Whole(click.IntRange):
    """A whole number within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            expected = f"expected a whole number{_bounds(self.min, self.max)}"
            self.fail(f"{_shown(value)}; {expected}", param, ctx)


class Number(click.FloatRange):
    """A finite number within bounds."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        try:
            number = super().convert(value, param, ctx)
        except click.BadParameter:
            number = float("nan")
        if not isfinite(number):
            expected = f"expected a number{_bounds(self.min, self.max)}"
            self.fail(f"{_shown(value)}; {expected}", param, ctx)
        return number


class FilePath(click.Path[Path]):
    """A path, which need not exist."""

    def __init__(self) -> None:
        """Take any path that is not empty."""
        super().__init__(readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        if not str(value):
            self.fail("'' is no path; expected the name of a file or folder", param, ctx)
        return super().convert(value, param, ctx)


def repeated(
    *names: str, kind: click.ParamType[Any, Any], metavar: str, about: str
) -> Callable[[Any], Any]:
    """Return an option that may be given several times, each time with several values.

    The command gets one tuple, each value once, in the order in which they were given.
    """

    def joined(
        context: click.Context, parameter: click.Parameter, given: Sequence[Iterable[object]]
    ) -> tuple[object, ...]:
        return tuple(dict.fromkeys(value for values in given for value in values))

    return click.option(
        *names, type=kind, metavar=metavar, help=about, multiple=True, callback=joined
    )


def split_list(written: str) -> list[str]:
    """Return the words of a list that is written with commas."""
    return [part.strip() for part in written.split(",") if part.strip()]


def _no_choice(word: str, known: Sequence[str]) -> str:
    # imported here: only a mistake needs it
    from difflib import get_close_matches  # noqa: PLC0415 - see above

    near = get_close_matches(word.casefold(), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{_shown(word)}; expected one of {', '.join(known)}{hint}"


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}...")


def _bounds(low: float | None, high: float | None) -> str:
    match (low, high):
        case (None, None):
            return ""
        case (None, _):
            return f" of at most {high}"
        case (_, None):
            return f" of at least {low}"
        case _:
            return f" from {low} to {high}"
