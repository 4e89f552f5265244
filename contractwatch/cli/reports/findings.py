"""The findings of `contractwatch test`: plain values that every report format renders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from contractwatch.errors import Problem
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.run import RunOutcome, RunResult
from contractwatch.selection import Selection


@dataclass(frozen=True, slots=True)
class Samples:
    """Sampled rows that break a promise, in columns that may be shown.

    `why_none` says why there are no rows; `withheld` are classified columns that were asked for.
    """

    rows: tuple[Mapping[str, int | float | bool | str | None], ...]
    why_none: str = ""
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The run of a contract against one server; `problems` are the contract's warnings.

    `samples` are rows by promise id, empty unless they were asked for.
    """

    contract: Contract
    run: RunResult
    problems: tuple[Problem, ...] = ()
    samples: Mapping[str, Samples] = field(default_factory=dict[str, Samples])

    @property
    def outcome(self) -> RunOutcome:
        """The run's outcome."""
        return self.run.outcome


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that holds no valid contract, and was not run."""

    file: str
    problems: tuple[Problem, ...]

    @property
    def outcome(self) -> RunOutcome:
        """Always `error`: there is no verdict."""
        return RunOutcome.ERROR


Finding: TypeAlias = Judged | Refused

EVERYTHING = Selection()


class FailOn(StrEnum):
    """The lowest severity of failure that makes the exit code 1."""

    FAILED = "failed"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one call of `contractwatch test`.

    `selection` is what was picked out; `show_all` lists passed checks, too, where a form leaves
    them out.
    """

    findings: tuple[Finding, ...]
    selection: Selection = EVERYTHING
    fail_on: FailOn = FailOn.FAILED
    show_all: bool = False


def exit_code(findings: Iterable[Finding], fail_on: FailOn) -> int:
    """Return 1 for a failed promise, else 2 for a missing verdict, else 0."""
    outcomes = {finding.outcome for finding in findings}
    broken = {RunOutcome.FAILED}
    if fail_on is FailOn.WARNING:
        broken.add(RunOutcome.WARNING)
    if outcomes & broken:
        return 1
    return 2 if RunOutcome.ERROR in outcomes else 0
