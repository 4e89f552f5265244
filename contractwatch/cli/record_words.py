"""What commands about the record are given, and what they say, costs no store and no settings."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

from contractwatch.cli.parameters import Argument, Option


class Format(StrEnum):
    """How an answer is told."""

    TEXT = "text"
    JSON = "json"


FormatOption: TypeAlias = Annotated[
    Format, Option("--format", help="A table to read, or JSON (docs/api.md).")
]
ConfigOption: TypeAlias = Annotated[
    Path | None,
    Option(
        metavar="FILE", help="Settings file; contractwatch.toml of this folder, if it is there."
    ),
]
ProductArgument: TypeAlias = Annotated[
    str, Argument(metavar="PRODUCT", help="Public name of the product, as domain/name.")
]


def no_such_product(product: str, near: list[str]) -> str:
    """Return the sentence about a name that no product has."""
    hint = f"did you mean {' or '.join(near)}?" if near else "see contractwatch status"
    return f"no product is called {product!r}; {hint}"
