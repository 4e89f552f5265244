"""Output formats and messages of the commands about the record."""

from enum import StrEnum

import click

from contractwatch.cli.values import FilePath, OneOf
from contractwatch.web.views import words


class OutputFormat(StrEnum):
    """Output format of a command about the record."""

    TEXT = "text"
    JSON = "json"


format_option = click.option(
    "--format",
    "form",
    type=OneOf(OutputFormat),
    default=OutputFormat.TEXT.value,
    help="A table to read, or JSON (docs/api.md).",
)
config_option = click.option(
    "--config",
    type=FilePath(),
    metavar="FILE",
    help="Settings file; contractwatch.toml of this folder, if it is there.",
)
product_argument = click.argument(
    "product", metavar="PRODUCT", help="Public name of the product, as domain/name."
)


def unknown_product_message(product: str, near: list[str]) -> str:
    """Return the sentence about a name that no product has."""
    hint = f"did you mean {' or '.join(near)}?" if near else "see contractwatch status"
    return f"no product is called {product!r}; {hint}"


def percent(ratio: float, *, digits: int = 1) -> str:
    """Return a ratio as the pages say it, but with a space that every terminal shows."""
    return words.percent(ratio, digits=digits).replace("\N{NO-BREAK SPACE}", " ")
