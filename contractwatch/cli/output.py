"""Write escaped output to stdout and stderr, and flush it at once."""

import os
import sys

from contractwatch.cli.escape import printable, without_workflow_commands
from contractwatch.errors import ContractwatchError


class OutputError(ContractwatchError):
    """Raised when stdout is closed or its disk is full.

    `is_told` is whether a person has to be told: a reader that went away wants no more.
    """

    def __init__(self, error: OSError) -> None:
        """Take the words of the system."""
        self.is_told = not isinstance(error, BrokenPipeError)
        super().__init__(f"the output cannot be written: {error.strerror}")


def open_streams() -> None:
    """Open closed standard streams on the null device, so that no other file gets their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def say(text: str, *, err: bool = False) -> None:
    """Print text for people as a line of its own, escaped, on stdout or stderr."""
    write(without_workflow_commands(printable(text)) + "\n", err=err)


def write(text: str, *, err: bool = False) -> None:
    """Print text that is escaped already; unencodable characters become escapes."""
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        raise OutputError(error) from error


def write_document(text: str) -> None:
    """Print a document in UTF-8, whatever the terminal's encoding; its form escapes for itself."""
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        write(text)
        return
    try:
        sys.stdout.flush()
        binary.write(text.encode("utf-8", "backslashreplace"))
        binary.flush()
    except OSError as error:
        raise OutputError(error) from error
