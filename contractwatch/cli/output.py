"""What a command prints leaves at once, so that a reader who went away is noticed."""

import sys

from contractwatch.display import visible


def say(text: str, *, err: bool = False, nl: bool = True, exact: bool = False) -> None:
    """Print a text on stdout, or on stderr, as a line of its own.

    What is invisible or moves a cursor is escaped; with `exact` on a terminal only, because the
    text is a file that somebody may redirect.
    """
    stream = sys.stderr if err else sys.stdout
    if not exact or stream.isatty():
        text = visible(text)
    stream.write(f"{text}\n" if nl else text)
    stream.flush()
