"""`contractwatch status`: list the products, their state, budget and trust."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from contractwatch.agent.clock import system_clock
from contractwatch.alerting.words import duration
from contractwatch.cli.output import write, write_document
from contractwatch.cli.parser import Command
from contractwatch.cli.record_access.record import open_record
from contractwatch.cli.record_access.record_messages import (
    OutputFormat,
    config_option,
    format_option,
    percent,
)
from contractwatch.cli.reports.text_layout import TextLayout, terminal_layout
from contractwatch.cli.values import SomeOf, repeated
from contractwatch.slo.status import StatusWord
from contractwatch.web.api.bodies import BODY_VERSION, product_body
from contractwatch.web.snapshot_cache import ProductView, view_of
from contractwatch.web.views.words import ago, count_of, iso

_GRADES = {
    StatusWord.BREACHED: "failed",
    StatusWord.UNKNOWN: "error",
    StatusWord.AT_RISK: "warning",
    StatusWord.KEPT: "passed",
}
_MARKS = {
    StatusWord.BREACHED: "✗",
    StatusWord.UNKNOWN: "?",
    StatusWord.AT_RISK: "!",
    StatusWord.KEPT: "✓",
}
_ORDER = tuple(_GRADES)


@click.command("status", cls=Command)
@format_option
@config_option
@repeated(
    "--only",
    kind=SomeOf(StatusWord),
    metavar="STATE,...",
    about=f"Show the products of these states only: {', '.join(StatusWord)}.",
)
def command(*, form: OutputFormat, config: Path | None, only: tuple[StatusWord, ...]) -> None:
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
    if form is OutputFormat.JSON:
        listed = [product_body(view) for view in shown]
        body = {
            "version": BODY_VERSION,
            "as_of": iso(now),
            "last_heartbeat": iso(beat) if beat else None,
            "products": listed,
        }
        write_document(json.dumps(body, indent=2) + "\n")
        return
    page = terminal_layout()
    for line in _table(shown, now, page) if shown else ():
        write(f"{line}\n")
    for line in page.line(_summary(views, beat, now)):
        write(f"{line}\n")


def _table(views: list[ProductView], now: datetime, page: TextLayout) -> Iterator[str]:
    header = ("product", "state", "for", "budget left", "trust", "last run", "coverage")
    rows = [_row(view, now) for view in views]
    yield from page.table(header, rows, [_GRADES[view.status.word] for view in views], graded=1)


def _row(view: ProductView, now: datetime) -> tuple[str, ...]:
    word, run, since = view.status.word, view.record.last_run, view.status.since
    return (
        view.product,
        f"{_MARKS[word]} {word.value}",
        duration((now - since).total_seconds()) if since else "-",
        _budget_words(view),
        view.trust.badge,
        f"{ago(run.finished_at, now)}, {run.outcome.value}" if run else "none yet",
        f"{run.coverage.executed} of {run.coverage.promised}" if run else "-",
    )


def _budget_words(view: ProductView) -> str:
    budget = view.headline.budget if view.headline else None
    if budget is None or budget.remaining_ratio is None:
        return "-"
    if budget.is_young:
        return f"too young, {duration(budget.spent_seconds)} bad"
    return "overspent" if budget.remaining_ratio < 0 else percent(budget.remaining_ratio, digits=0)


def _summary(views: list[ProductView], beat: datetime | None, now: datetime) -> str:
    counts = Counter(view.status.word for view in views)
    states = ", ".join(f"{counts[word]} {word.value}" for word in _ORDER if counts[word])
    agent = f"the agent was last alive {ago(beat, now)}" if beat else "no agent ever ran here"
    return f"{count_of(len(views), 'product')}{f': {states}' if states else ''}; {agent}"
