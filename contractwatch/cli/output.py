"""What a command prints leaves at once, so that a reader who went away is noticed."""

import sys


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text on stdout, or on stderr, as a line of its own."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{text}\n" if nl else text)
    stream.flush()
