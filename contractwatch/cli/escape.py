"""Escape text for what shows it: a terminal, or the log of a build server."""

import re

from contractwatch.display import visible

_COMMAND = re.compile(r"^([ \t]*)::", re.MULTILINE)


def without_workflow_commands(text: str) -> str:
    """Return a document no line of which is a command to the workflow of GitHub that shows it."""
    return _COMMAND.sub(r"\1: :", text).replace("##[", "# #[")


def printable(text: str) -> str:
    """Return the text with escapes for what is invisible, moves a cursor, or is not allowed in XML.

    Line breaks stay.
    """
    return visible(text)
