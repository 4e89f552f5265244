"""`contractwatch trust`: explain the trust score of one product."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from contractwatch.agent.clock import system_clock
from contractwatch.cli.output import write, write_document
from contractwatch.cli.parser import Command
from contractwatch.cli.record_access.record import open_record, require_record
from contractwatch.cli.record_access.record_messages import (
    OutputFormat,
    config_option,
    format_option,
    percent,
    product_argument,
)
from contractwatch.cli.reports.text_layout import TextLayout, terminal_layout
from contractwatch.slo.trust import TrustPart, TrustScore
from contractwatch.web.api.bodies import trust_body
from contractwatch.web.snapshot_cache import view_of
from contractwatch.web.views.words import count_of


@click.command("trust", cls=Command)
@product_argument
@format_option
@config_option
def command(product: str, *, form: OutputFormat, config: Path | None) -> None:
    """Show the trust score of a product: its parts, the points each lost, and what caps it.

    The points lost add up to 100 less the score before caps. A product of which fewer than five
    data versions were seen has no number, but is "new".

    Exit code 0; 2 if the store cannot be read; 64 for a product that does not exist.

    Example: contractwatch trust finance/orders
    """
    with open_record(config) as store:
        view = view_of(require_record(store, product), now=system_clock().now())
    if form is OutputFormat.JSON:
        write_document(json.dumps(trust_body(view), indent=2) + "\n")
        return
    page = terminal_layout()
    for line in _lines(product, view.trust, page):
        write(f"{line}\n")


def _lines(product: str, trust: TrustScore, page: TextLayout) -> Iterator[str]:
    yield from page.line(_headline(product, trust))
    yield from _table(trust, page)
    for cap in trust.caps:
        yield from page.line(f"cap: {cap.reason}")
    yield from page.line(f"would raise it most: {trust.to_raise}")


def _headline(product: str, trust: TrustScore) -> str:
    score = "new, no number yet" if trust.number is None else f"{trust.badge} of 100"
    before = ""
    if trust.number is not None and trust.number < trust.uncapped:
        before = f" ({trust.uncapped:.1f} before caps)"
    seen = count_of(trust.data_versions, "data version")
    known = percent(trust.known_share)
    return f"{product}: {score}{before}, {trust.score_version}; {seen} seen, {known} known"


def _table(trust: TrustScore, page: TextLayout) -> Iterator[str]:
    header = ("objective", "kept", "weight", "checked", "points lost")
    parts = sorted(trust.parts, key=lambda part: -part.points_lost)
    rows = [
        (
            part.objective.value,
            _kept_words(part),
            percent(part.effective_weight),
            f"{part.executed} of {part.clauses}" if part.promised else "",
            f"{part.points_lost:.2f}",
        )
        for part in parts
    ]
    yield from page.table(header, rows, [""] * len(rows))


def _kept_words(part: TrustPart) -> str:
    if not part.promised:
        return "no promise"
    return "not yet" if part.kept_share is None else percent(part.kept_share)
