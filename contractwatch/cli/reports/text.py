"""Runs as a person reads them: what is broken first, promised against observed, coverage last."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contractwatch.cli.findings import Judged, Refused, Report, Samples
from contractwatch.cli.reports.words import (
    counts_of,
    coverage_of,
    grade_of,
    observation_of,
    place_of,
    printable,
    title_of,
    worst_first,
)
from contractwatch.model.check import Outcome
from contractwatch.model.run import CheckResult, RunOutcome, RunResult

_UNANSWERED = frozenset({Outcome.ERROR, Outcome.SKIPPED})
_FEW = 8
_FILE_WIDTH = 100
_MANY = 3
_STYLES: Mapping[str, str] = {
    "failed": "bold red",
    "error": "bold magenta",
    "warning": "yellow",
    "skipped": "dim",
    "passed": "green",
}


def render(report: Report) -> str:
    """Return the whole report without colours, for a file."""
    buffer = io.StringIO()
    show(report, Console(file=buffer, width=_FILE_WIDTH, highlight=False, color_system=None))
    return buffer.getvalue()


def show_in_terminal(report: Report) -> None:
    """Print the whole report, with colours where they are seen."""
    show(report, Console(highlight=False))


def show(report: Report, console: Console) -> None:
    """Print every finding, and a count of outcomes if there are several."""
    if not report.selection.is_everything:
        console.print(_plain(f"selected: {report.selection}"), soft_wrap=True)
    for finding in report.findings:
        match finding:
            case Judged():
                _report_run(finding, console, show_all=report.show_all)
            case Refused():
                _report_refusal(finding, console)
        console.print()
    if len(report.findings) > 1:
        counts = Counter(finding.outcome.value for finding in report.findings)
        words = ", ".join(f"{counts[name]} {name}" for name in _STYLES if counts[name])
        console.print(_plain(f"{len(report.findings)} runs: {words}"))


def _report_run(finding: Judged, console: Console, *, show_all: bool) -> None:
    run, contract = finding.run, finding.contract
    console.print(_plain(f"{title_of(finding)} ({contract.file})"), soft_wrap=True)
    console.print(_headline(run))
    shown = _shown(run.results, show_all=show_all)
    same, single = _same_reason(shown)
    if single:
        console.print(_table(single))
    for result in shown:
        samples = finding.samples.get(result.promise.promise_id)
        if samples is not None:
            _show_samples(f"{place_of(result)} {result.promise.kind}", samples, console)
    for group in same:
        grade, reason = grade_of(group[0]), group[0].verdict.reason
        console.print(_plain(f"{grade}: {_by_kind(group)}: {reason}", _STYLES[grade]))
    seen = set(map(id, shown))
    hidden = [result for result in run.results if id(result) not in seen]
    if hidden:
        console.print(_plain(f"passed: {_by_kind(hidden)}", "green"))
    console.print(_plain(coverage_of(run)))


def _show_samples(place: str, samples: Samples, console: Console) -> None:
    withheld = f" (withheld: {', '.join(samples.withheld)})" if samples.withheld else ""
    console.print(_plain(f"rows of {place}{withheld}:", "dim"), soft_wrap=True)
    if samples.why_none:
        console.print(_plain(f"  {samples.why_none}"), soft_wrap=True)
    for row in samples.rows:
        cells = ", ".join(f"{name}={json.dumps(cell)}" for name, cell in row.items())
        console.print(_plain(f"  {cells}"), soft_wrap=True)


def _report_refusal(finding: Refused, console: Console) -> None:
    console.print(_plain(finding.file), soft_wrap=True)
    count = len(finding.problems)
    words = f"ERROR  the contract is refused: {count} problem{'s' if count != 1 else ''}"
    console.print(_plain(words, _STYLES["error"]))


def _headline(run: RunResult) -> Text:
    words = counts_of(run.results)
    rows = "" if run.rows is None else f"; {run.rows:,} rows"
    line = _plain(run.outcome.value.upper(), _STYLES[run.outcome.value])
    line.append_text(_plain(f"  {words or 'no checks'}{rows}"))
    if run.error:
        line.append_text(_plain(f"\n{run.error}", _STYLES["error"]))
    elif run.outcome is RunOutcome.WARNING and "warning" not in words:
        line.append_text(_plain("\nthe table is empty: its rules had nothing to judge", "yellow"))
    return line


def _shown(results: Iterable[CheckResult], *, show_all: bool) -> tuple[CheckResult, ...]:
    found = worst_first(results)
    if show_all or len(found) <= _FEW:
        return tuple(found)
    return tuple(result for result in found if result.outcome is not Outcome.PASSED)


def _same_reason(
    results: Sequence[CheckResult],
) -> tuple[list[list[CheckResult]], list[CheckResult]]:
    groups: dict[tuple[str, str], list[CheckResult]] = {}
    for result in results:
        if result.outcome in _UNANSWERED:
            groups.setdefault((grade_of(result), result.verdict.reason), []).append(result)
    same = [group for group in groups.values() if len(group) >= _MANY]
    grouped = {id(result) for group in same for result in group}
    return same, [result for result in results if id(result) not in grouped]


def _table(results: Iterable[CheckResult]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("outcome", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=3)
    table.add_column("promised", overflow="fold", ratio=3)
    table.add_column("observed", overflow="fold", ratio=4)
    table.add_column("line", justify="right", no_wrap=True)
    for result in results:
        promise, grade = result.promise, grade_of(result)
        table.add_row(
            _plain(grade, _STYLES[grade]),
            _plain(f"{place_of(result)} {promise.kind}"),
            _plain(promise.expected or promise.kind),
            _plain(observation_of(result)),
            _plain(str(promise.clause.line)),
        )
    return table


def _by_kind(results: Iterable[CheckResult]) -> str:
    counts = Counter(result.promise.kind for result in results)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _plain(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)
