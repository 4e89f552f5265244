"""What a command's parameters are called and may be is said here, and typer is told when asked.

Typer takes a tenth of a small run to import, and words that leave no doubt need none of it.
"""

from contractwatch.model.frozen import frozen


@frozen
class Argument:
    """A word that stands without an option."""

    metavar: str = ""
    help: str = ""


@frozen
class Option:
    """An option; without a `name` it is called as its parameter. Bounds belong to numbers."""

    name: str = ""
    metavar: str = ""
    help: str = ""
    min: float | None = None
    max: float | None = None
    show_default: bool = True
