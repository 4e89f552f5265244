"""The fleet at a glance: which products can be used now, and which need a look."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contractwatch.agent.clock import system_clock
from contractwatch.alerting.words import duration
from contractwatch.cli.output import say
from contractwatch.cli.parser import Command
from contractwatch.cli.record import open_record
from contractwatch.cli.record_words import Format, config_option, format_option
from contractwatch.cli.values import SomeOf, repeated
from contractwatch.display import visible
from contractwatch.slo.status import StatusWord
from contractwatch.web.board import View, view_of
from contractwatch.web.bodies import BODY_VERSION, product_body
from contractwatch.web.words import ago, count_of, iso, percent

_STYLES = {
    StatusWord.BREACHED: "bold red",
    StatusWord.UNKNOWN: "bold magenta",
    StatusWord.AT_RISK: "bold yellow",
    StatusWord.KEPT: "green",
}
_MARKS = {
    StatusWord.BREACHED: "✗",
    StatusWord.UNKNOWN: "?",
    StatusWord.AT_RISK: "!",
    StatusWord.KEPT: "✓",
}
_ORDER = tuple(_STYLES)


@click.command("status", cls=Command)
@format_option
@config_option
@repeated(
    "--only",
    kind=SomeOf(StatusWord),
    metavar="STATE,...",
    about=f"Show the products of these states only: {', '.join(StatusWord)}.",
)
def command(*, form: Format, config: Path | None, only: tuple[StatusWord, ...]) -> None:
    """Show every product: state, since when, budget left, trust, last run and coverage.

    Reads the agent's store; the agent may run or not. Exit code 0 whatever the states are (ask
    `contractwatch gate` for a decision), 2 if the store cannot be read, 64 for wrong usage.

    Example: contractwatch status --only breached
    """
    now = system_clock().now()
    with open_record(config) as store:
        views = [view_of(record, now=now) for record in store.records()]
        beat = store.last_beat()
    shown = sorted(
        (view for view in views if not only or view.status.word in only),
        key=lambda view: (_ORDER.index(view.status.word), view.product),
    )
    if form is Format.JSON:
        listed = [product_body(view) for view in shown]
        body = {
            "version": BODY_VERSION,
            "as_of": iso(now),
            "last_heartbeat": iso(beat) if beat else None,
            "products": listed,
        }
        say(json.dumps(body, indent=2))
        return
    console = Console(highlight=False)
    if shown:
        console.print(_table(shown, now))
    console.print(Text(visible(_summary(views, beat, now))))


def _table(views: list[View], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("product", "state", "for", "budget left", "trust", "last run", "coverage"):
        table.add_column(name, no_wrap=name == "state", overflow="fold")
    for view in views:
        word, run, since = view.status.word, view.record.last_run, view.status.since
        table.add_row(
            Text(visible(view.product)),
            Text(f"{_MARKS[word]} {word.value}", style=_STYLES[word]),
            Text(duration((now - since).total_seconds()) if since else "-"),
            Text(_budget_words(view)),
            Text(view.trust.badge),
            Text(f"{ago(run.finished_at, now)}, {run.outcome.value}" if run else "none yet"),
            Text(f"{run.coverage.executed} of {run.coverage.promised}" if run else "-"),
        )
    return table


def _budget_words(view: View) -> str:
    budget = view.headline.budget if view.headline else None
    if budget is None or budget.remaining_ratio is None:
        return "-"
    if budget.is_young:
        return f"too young, {duration(budget.spent_seconds)} bad"
    return "overspent" if budget.remaining_ratio < 0 else percent(budget.remaining_ratio, digits=0)


def _summary(views: list[View], beat: datetime | None, now: datetime) -> str:
    counts = Counter(view.status.word for view in views)
    states = ", ".join(f"{counts[word]} {word.value}" for word in _ORDER if counts[word])
    agent = f"the agent was last alive {ago(beat, now)}" if beat else "no agent ever ran here"
    return f"{count_of(len(views), 'product')}{f': {states}' if states else ''}; {agent}"
