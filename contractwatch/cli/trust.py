"""How far one product can be trusted, and every point that it lost."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contractwatch.agent.clock import system_clock
from contractwatch.cli.output import say
from contractwatch.cli.parser import Command
from contractwatch.cli.record import open_record, record_named
from contractwatch.cli.record_words import (
    Format,
    config_option,
    format_option,
    product_argument,
)
from contractwatch.display import visible
from contractwatch.slo.trust import TrustPart, TrustScore
from contractwatch.web.board import view_of
from contractwatch.web.bodies import trust_body
from contractwatch.web.words import count_of, percent


@click.command("trust", cls=Command)
@product_argument
@format_option
@config_option
def command(product: str, *, form: Format, config: Path | None) -> None:
    """Show the trust score of a product: its parts, the points each lost, and what caps it.

    The points lost add up to 100 less the score before caps. A product of which fewer than five
    data versions were seen has no number, but is "new".

    Exit code 0; 2 if the store cannot be read; 64 for a product that does not exist.

    Example: contractwatch trust finance/orders
    """
    with open_record(config) as store:
        view = view_of(record_named(store, product), now=system_clock().now())
    if form is Format.JSON:
        say(json.dumps(trust_body(view), indent=2))
        return
    console = Console(highlight=False)
    console.print(Text(visible(_headline(product, view.trust))))
    console.print(_table(view.trust))
    for cap in view.trust.caps:
        console.print(Text(visible(f"cap: {cap.reason}")))
    console.print(Text(visible(f"would raise it most: {view.trust.to_raise}")))


def _headline(product: str, trust: TrustScore) -> str:
    score = "new, no number yet" if trust.number is None else f"{trust.badge} of 100"
    before = ""
    if trust.number is not None and trust.number < trust.uncapped:
        before = f" ({trust.uncapped:.1f} before caps)"
    seen = count_of(trust.data_versions, "data version")
    known = percent(trust.known_share)
    return f"{product}: {score}{before}, {trust.score_version}; {seen} seen, {known} known"


def _table(trust: TrustScore) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("objective")
    for name in ("kept", "weight", "checked", "points lost"):
        table.add_column(name, justify="right")
    for part in sorted(trust.parts, key=lambda part: -part.points_lost):
        table.add_row(
            Text(part.objective.value),
            Text(_kept_words(part)),
            Text(percent(part.effective_weight)),
            Text(f"{part.executed} of {part.clauses}" if part.promised else ""),
            Text(f"{part.points_lost:.2f}"),
        )
    return table


def _kept_words(part: TrustPart) -> str:
    if not part.promised:
        return "no promise"
    return "not yet" if part.kept_share is None else percent(part.kept_share)
