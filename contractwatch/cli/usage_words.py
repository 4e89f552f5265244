"""What is wrong with a command line is told in our voice, whichever library found it."""

import re
from collections.abc import Iterable

_IN_OUR_VOICE = (
    (re.compile(r"\bValue error, "), ""),
    (re.compile(r"\bInput should be "), "expected "),
    (re.compile(r", unable to parse string as an? \w+"), ""),
)


def in_our_voice(message: str) -> str:
    """Return a message of wrong usage without the words of the library that found it."""
    for theirs, ours in _IN_OUR_VOICE:
        message = theirs.sub(ours, message)
    return message.rstrip().removesuffix(".")


def no_such_command(name: str, known: Iterable[str]) -> str:
    """Return the sentence about a command that does not exist, with the one that is meant."""
    # imported here: only a mistake needs it
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(name, list(known), n=1)
    return f"No such command {name!r}{f'; did you mean {near[0]!r}?' if near else ''}"
