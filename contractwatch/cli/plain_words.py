"""Plain words of a command line are understood at once; the rest is left to typer.

Typer builds a validator for every option before it reads a word: a fifth of a second on each call,
as much as half of a small run. Words that leave no doubt need none of it. Where there is a doubt
(help, short options, a wrong value, an unknown word) the answer is None, and typer says what is
wrong; a test holds the two to the same understanding.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from contractwatch.cli.parameters import Argument, Option
from contractwatch.model.frozen import frozen

_MOST_DIGITS = 18


class _DoubtError(Exception):
    """Typer must look."""


@frozen
class _Word:
    """One parameter: its type without None and list, and the option's names, none for words."""

    name: str
    kind: type[Any]
    info: Argument | Option
    is_list: bool
    is_required: bool

    @property
    def options(self) -> tuple[str, ...]:
        if isinstance(self.info, Argument):
            return ()
        return (self.info.name or f"--{self.name.replace('_', '-')}",)

    def read(self, written: str) -> object:
        """Return the value that is written."""
        if issubclass(self.kind, Enum):
            if written not in {member.value for member in self.kind}:
                raise _DoubtError
            return self.kind(written)
        if self.kind is int:
            return self._number(written)
        if self.kind in (str, Path):
            return self.kind(written)
        raise _DoubtError

    def _number(self, written: str) -> int:
        if not (written.isascii() and written.isdecimal()) or len(written) > _MOST_DIGITS:
            raise _DoubtError
        if not isinstance(self.info, Option):
            raise _DoubtError
        low, high = self.info.min, self.info.max
        number = int(written)
        if (low is not None and number < low) or (high is not None and number > high):
            raise _DoubtError
        return number


def plain_call(command: Callable[..., Any], words: Sequence[str]) -> dict[str, object] | None:
    """Return the arguments for a command, or None if its words are not plain."""
    try:
        known = tuple(_parameters(command))
        found = dict(_pairs(known, words))
    except _DoubtError:
        return None
    return None if any(word.is_required and word.name not in found for word in known) else found


def _parameters(command: Callable[..., Any]) -> Iterator[_Word]:
    for name, parameter in inspect.signature(command).parameters.items():
        infos = getattr(parameter.annotation, "__metadata__", ())
        if len(infos) != 1 or not isinstance(infos[0], Argument | Option):
            raise _DoubtError
        kind = _without_none(get_args(parameter.annotation)[0])
        is_list = get_origin(kind) is list
        inner = get_args(kind)[0] if is_list else kind
        if not isinstance(inner, type):
            raise _DoubtError
        is_required = parameter.default is inspect.Parameter.empty
        yield _Word(name, inner, infos[0], is_list, is_required)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    if len(kinds) != 1:
        raise _DoubtError
    return kinds[0]


def _pairs(known: Sequence[_Word], words: Sequence[str]) -> Iterator[tuple[str, object]]:
    named = {option: word for word in known for option in word.options}
    given: dict[str, list[object]] = {}
    places: list[str] = []
    waiting = list(reversed(words))
    while waiting:
        written = waiting.pop()
        if not written.startswith("-"):
            places.append(written)
            continue
        name, _, _ = written.partition("=")
        if name not in named:
            raise _DoubtError
        word = named[name]
        given.setdefault(word.name, []).append(_value(word, written, waiting))
    yield from _arguments(known, places)
    for word in known:
        values = given.get(word.name, [])
        if len(values) > 1 and not word.is_list:
            raise _DoubtError
        if values:
            yield word.name, values if word.is_list else values[0]


def _value(word: _Word, written: str, waiting: list[str]) -> object:
    """Return the value of an option, which may be the next of the waiting words."""
    _, has_value, value = written.partition("=")
    if word.kind is bool:
        if has_value:
            raise _DoubtError
        return True
    if has_value:
        return word.read(value)
    if not waiting or waiting[-1].startswith("-"):
        raise _DoubtError
    return word.read(waiting.pop())


def _arguments(known: Sequence[_Word], places: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Yield what stands without an option: one word for each, or all for a single list."""
    asked = [word for word in known if not word.options]
    if len(asked) == 1 and asked[0].is_list and places:
        yield asked[0].name, [asked[0].read(place) for place in places]
        return
    if len(places) != len(asked) or any(word.is_list for word in asked):
        raise _DoubtError
    for word, place in zip(asked, places, strict=True):
        yield word.name, word.read(place)
