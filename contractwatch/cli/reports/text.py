"""Render runs as text for people: failures first, expected against observed, coverage last."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from contractwatch import verify
from contractwatch.cli.escape import without_workflow_commands
from contractwatch.cli.output import write
from contractwatch.cli.reports.findings import Judged, Refused, Report, Samples
from contractwatch.cli.reports.text_layout import STYLES, TextLayout, terminal_layout
from contractwatch.cli.reports.words import (
    column_path,
    counts_of,
    coverage_of,
    grade_of,
    observation_of,
    similarity_key,
    title_of,
    worst_first,
)
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunOutcome, RunResult

_UNANSWERED = frozenset({Outcome.ERROR, Outcome.SKIPPED})
_FEW = 8
_FILE_WIDTH = 100
_MANY = 3
_HEADER = ("outcome", "where", "promised", "observed", "line")


def render(report: Report) -> str:
    """Return the whole report without colours, for a file."""
    return _text(report, TextLayout(_FILE_WIDTH, coloured=False))


def show_in_terminal(report: Report) -> None:
    """Print the whole report, with colours where they are seen."""
    write(_text(report, terminal_layout()))


def _text(report: Report, page: TextLayout) -> str:
    return without_workflow_commands("".join(f"{line}\n" for line in _lines(report, page)))


def _lines(report: Report, page: TextLayout) -> Iterator[str]:
    """Yield every finding, and a count of outcomes if there are several."""
    if not report.selection.is_everything:
        yield from page.line(f"selected: {report.selection}")
    for finding in report.findings:
        match finding:
            case Judged():
                yield from _run(finding, page, show_all=report.show_all)
            case Refused():
                yield from _refusal(finding, page)
        yield ""
    if len(report.findings) > 1:
        counts = Counter(finding.outcome.value for finding in report.findings)
        words = ", ".join(f"{counts[name]} {name}" for name in STYLES if counts[name])
        yield page.plain(f"{len(report.findings)} runs: {words}")


def _run(finding: Judged, page: TextLayout, *, show_all: bool) -> Iterator[str]:
    run = finding.run
    yield from _headline(finding, page)
    shown = _shown(run.results, show_all=show_all)
    same, alike, single = _grouped(shown)
    if single:
        rows = [_row(result) for result in single]
        yield from page.table(_HEADER, rows, [grade_of(result) for result in single])
    for result in shown:
        samples = finding.samples.get(result.promise.promise_id)
        if samples is not None:
            yield from _samples(f"{column_path(result)} {result.promise.kind}", samples, page)
    for group in alike:
        yield from page.wrapped(_similar_results_text(group), "warning")
    for group in same:
        grade, reason = grade_of(group[0]), group[0].verdict.reason
        untold = "" if reason in run.error else f": {reason}"  # the headline told what ended all
        yield from page.wrapped(f"{grade}: {_by_kind(group)}{untold}", grade)
    seen = set(map(id, shown))
    hidden = [result for result in run.results if id(result) not in seen]
    if hidden:
        yield from page.wrapped(f"passed: {_by_kind(hidden)}", "passed")
    yield from page.line(coverage_of(run))


def _samples(place: str, samples: Samples, page: TextLayout) -> Iterator[str]:
    withheld = f" (withheld: {', '.join(samples.withheld)})" if samples.withheld else ""
    yield from page.line(f"rows of {place}{withheld}:", "skipped")
    if samples.why_none:
        yield from page.line(f"  {samples.why_none}")
    for row in samples.rows:
        cells = ", ".join(f"{name}={json.dumps(cell)}" for name, cell in row.items())
        yield page.plain(f"  {cells}")


def _refusal(finding: Refused, page: TextLayout) -> Iterator[str]:
    yield page.plain(finding.file)
    count = len(finding.problems)
    words = f"ERROR  the contract is refused: {count} problem{'s' if count != 1 else ''}"
    yield page.plain(words, "error")


def _headline(finding: Judged, page: TextLayout) -> Iterator[str]:
    run, contract = finding.run, finding.contract
    yield from page.line(f"{title_of(finding)} ({contract.file})")
    yield from _outcome(run, page)
    for table in contract.tables:
        if table.where:
            yield from page.line(f"rows of {table.name} in scope: {table.where}")


def _outcome(run: RunResult, page: TextLayout) -> Iterator[str]:
    words = counts_of(run.results)
    rows = "" if run.rows is None else f"; {run.rows:,} row{'s' if run.rows != 1 else ''}"
    outcome = page.plain(run.outcome.value.upper(), run.outcome.value)
    yield outcome + page.plain(f"  {words or 'no checks'}{rows}")
    if run.error:
        yield from page.wrapped(run.error, "error")
    elif verify.has_wrong_clause(run.results):
        what = (
            "something is wrong in the contract: those clauses are skipped, all others are judged"
        )
        yield from page.wrapped(f"{what}; `contractwatch lint` says what to write", "warning")
    elif run.outcome is RunOutcome.WARNING and "warning" not in words:
        yield page.plain("the table is empty: its rules had nothing to judge", "warning")


def _shown(results: Iterable[CheckResult], *, show_all: bool) -> tuple[CheckResult, ...]:
    found = worst_first(results)
    if show_all or len(found) <= _FEW:
        return tuple(found)
    return tuple(result for result in found if result.outcome is not Outcome.PASSED)


def _grouped(
    results: Sequence[CheckResult],
) -> tuple[list[list[CheckResult]], list[list[CheckResult]], list[CheckResult]]:
    """Return results of one reason, warnings that are alike, and the rest one by one."""
    groups: dict[tuple[str, str], list[CheckResult]] = {}
    warnings: dict[str, list[CheckResult]] = {}
    for result in results:
        if result.outcome in _UNANSWERED:
            groups.setdefault((grade_of(result), result.verdict.reason), []).append(result)
        elif grade_of(result) == "warning":
            warnings.setdefault(similarity_key(result), []).append(result)
    same = [group for group in groups.values() if len(group) >= _MANY]
    alike = [group for group in warnings.values() if len(group) > _MANY]
    grouped = {id(result) for group in (*same, *alike) for result in group}
    return same, alike, [result for result in results if id(result) not in grouped]


def _similar_results_text(group: Sequence[CheckResult]) -> str:
    """Return one sentence for warnings that are alike, with their number."""
    first, count = group[0], len(group)
    places = ", ".join(column_path(result) for result in group[:_MANY])
    words = f"{count} {first.promise.kind}: {observation_of(first)}"
    return f"warning: {words}; in {places} and {count - _MANY} more"


def _row(result: CheckResult) -> tuple[str, ...]:
    promise = result.promise
    return (
        grade_of(result),
        f"{column_path(result)} {promise.kind}",
        promise.expected or promise.kind,
        observation_of(result),
        str(promise.clause.line),
    )


def _by_kind(results: Iterable[CheckResult]) -> str:
    counts = Counter(result.promise.kind for result in results)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())
