"""Runs as a person reads them: what is broken first, promised against observed, coverage last."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contractwatch.alerting.broken import observed_words
from contractwatch.cli.findings import Finding, Judged, Refused
from contractwatch.model.check import Outcome
from contractwatch.model.clause import Severity
from contractwatch.model.run import CheckResult, RunOutcome, RunResult

_UNANSWERED = frozenset({Outcome.ERROR, Outcome.SKIPPED})
_FEW = 8
_MANY = 3
_STYLES: Mapping[str, str] = {
    "failed": "bold red",
    "error": "bold magenta",
    "warning": "yellow",
    "skipped": "dim",
    "passed": "green",
}
_ORDER: Mapping[str, int] = {style: place for place, style in enumerate(_STYLES)}


def report(findings: Sequence[Finding], console: Console, *, show_all: bool) -> None:
    """Print every finding, and a count of outcomes if there are several."""
    for finding in findings:
        match finding:
            case Judged():
                _report_run(finding, console, show_all=show_all)
            case Refused():
                _report_refusal(finding, console)
        console.print()
    if len(findings) > 1:
        counts = Counter(finding.outcome.value for finding in findings)
        words = ", ".join(f"{counts[name]} {name}" for name in _STYLES if counts[name])
        console.print(_plain(f"{len(findings)} runs: {words}"))


def _report_run(finding: Judged, console: Console, *, show_all: bool) -> None:
    run, contract = finding.run, finding.contract
    server = f", server {run.server}" if run.server else ""
    console.print(
        _plain(f"{run.product} {run.contract_version}{server} ({contract.file})"), soft_wrap=True
    )
    console.print(_headline(run))
    shown = _shown(run.results, show_all=show_all)
    same, single = _same_reason(shown)
    if single:
        console.print(_table(single))
    for group in same:
        grade, reason = _grade(group[0]), group[0].verdict.reason
        console.print(_plain(f"{grade}: {_by_kind(group)}: {reason}", _STYLES[grade]))
    seen = set(map(id, shown))
    hidden = [result for result in run.results if id(result) not in seen]
    if hidden:
        console.print(_plain(f"passed: {_by_kind(hidden)}", "green"))
    console.print(_plain(_coverage_words(run)))


def _report_refusal(finding: Refused, console: Console) -> None:
    console.print(_plain(finding.file), soft_wrap=True)
    count = len(finding.problems)
    words = f"ERROR  the contract is refused: {count} problem{'s' if count != 1 else ''}"
    console.print(_plain(words, _STYLES["error"]))


def _headline(run: RunResult) -> Text:
    counts = Counter(_grade(result) for result in run.results)
    words = ", ".join(f"{counts[name]} {name}" for name in _STYLES if counts[name])
    rows = "" if run.rows is None else f"; {run.rows:,} rows"
    line = _plain(run.outcome.value.upper(), _STYLES[run.outcome.value])
    line.append_text(_plain(f"  {words or 'no checks'}{rows}"))
    if run.error:
        line.append_text(_plain(f"\n{run.error}", _STYLES["error"]))
    elif run.outcome is RunOutcome.WARNING and not counts["warning"]:
        line.append_text(_plain("\nthe table is empty: its rules had nothing to judge", "yellow"))
    return line


def _shown(results: Iterable[CheckResult], *, show_all: bool) -> tuple[CheckResult, ...]:
    found = sorted(results, key=lambda result: _ORDER[_grade(result)])
    if show_all or len(found) <= _FEW:
        return tuple(found)
    return tuple(result for result in found if result.outcome is not Outcome.PASSED)


def _same_reason(
    results: Sequence[CheckResult],
) -> tuple[list[list[CheckResult]], list[CheckResult]]:
    groups: dict[tuple[str, str], list[CheckResult]] = {}
    for result in results:
        if result.outcome in _UNANSWERED:
            groups.setdefault((_grade(result), result.verdict.reason), []).append(result)
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
        promise, grade = result.promise, _grade(result)
        table.add_row(
            _plain(grade, _STYLES[grade]),
            _plain(f"{_place(result)} {promise.kind}"),
            _plain(promise.expected or promise.kind),
            _plain(_observation(result)),
            _plain(str(promise.clause.line)),
        )
    return table


def _observation(result: CheckResult) -> str:
    observed, verdict = observed_words(result), result.verdict
    says_count = verdict.violations is not None and observed.endswith(("row", "rows"))
    if verdict.reason and says_count:
        return verdict.reason
    return "; ".join(filter(None, (observed, verdict.reason)))


def _place(result: CheckResult) -> str:
    promise = result.promise
    return f"{promise.table}.{promise.column}" if promise.column else promise.table


def _grade(result: CheckResult) -> str:
    is_mild = result.promise.severity is not Severity.ERROR
    return "warning" if result.outcome is Outcome.FAILED and is_mild else result.outcome.value


def _by_kind(results: Iterable[CheckResult]) -> str:
    counts = Counter(result.promise.kind for result in results)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _coverage_words(run: RunResult) -> str:
    share = f"{100 * run.coverage.ratio:.0f} %"
    return f"coverage: {run.coverage.executed} of {run.coverage.promised} clauses, {share}"


def _plain(text: str, style: str = "") -> Text:
    printable = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    return Text(printable, style=style)
