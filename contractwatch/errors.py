"""The tree of exceptions.

ContractwatchError
  ContractError     the contract file is wrong   (carries problems)
  SettingsError     the operator is wrong        (carries problems)
  UsageError        the command line asks for something that does not exist
  SourceError       data cannot be read          (retryable, blame)
  ChannelError      a message cannot be sent     (retryable, reason, retry_after_seconds)
  StoreError        our own memory fails         (kind)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contractwatch.display import visible


class Level(StrEnum):
    """Severity of a problem: an error refuses the contract, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a file: where, what was found, what was expected, what to do.

    `line` counts from 1; 0 means the file as a whole. `path` is the place in the document,
    such as `schema[0].quality[2].metric`; empty for the file as a whole.
    """

    file: str
    line: int
    path: str
    message: str
    level: Level = Level.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        place = f"{where}: {self.path}" if self.path else where
        return one_line(f"{place}: {self.message}")


def one_line(text: str) -> str:
    """Return a text as one line that moves no cursor and is no command.

    Words of a file stand in it, and where lines are commands, as in the log of a build server, a
    line of its own would be one.
    """
    said = visible(text, keep="").replace("##[", "# #[")
    return f": :{said[2:]}" if said.startswith("::") else said


def unreadable_reason(error: OSError | UnicodeDecodeError) -> str:
    """Return in words why a file cannot be read."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    return (error.strerror or "the system gives no reason").lower()


MOST_PROBLEMS = 200
"""Of one document so many are told; the others are counted."""


def limited_problems(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return at most `MOST_PROBLEMS` problems of one document, errors first if there are more."""
    if len(problems) <= MOST_PROBLEMS + 1:
        return tuple(problems)
    errors = [one for one in problems if one.level is Level.ERROR]
    warnings = [one for one in problems if one.level is not Level.ERROR]
    kept = set(map(id, [*errors, *warnings][:MOST_PROBLEMS]))
    told = [one for one in problems if id(one) in kept]
    hidden = len(problems) - len(told)
    left = sum(one.level is Level.ERROR and id(one) not in kept for one in problems)
    what = "errors" if left == hidden else "warnings" if not left else "errors and warnings"
    level = Level.ERROR if left else Level.WARNING
    said = f"{hidden:,} more {what} are not listed; mend those above and look again"
    return (*told, Problem(told[-1].file, told[-1].line, "", said, level))


class Blame(StrEnum):
    """The party responsible for data that cannot be read."""

    PRODUCT = "product"
    AGENT = "agent"
    AMBIGUOUS = "ambiguous"


class ContractwatchError(Exception):
    """Base class of all exceptions of contractwatch."""


class ContractError(ContractwatchError):
    """Raised for a wrong contract file; `problems` are in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = limited_problems(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SettingsError(ContractwatchError):
    """Raised for wrong settings; `problems` holds one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class UsageError(ContractwatchError):
    """Raised when the command line names something that does not exist."""


class SourceError(ContractwatchError):
    """Raised when data cannot be read."""

    def __init__(self, message: str, *, retryable: bool, blame: Blame) -> None:
        self.retryable = retryable
        self.blame = blame
        super().__init__(message)


class ChannelError(ContractwatchError):
    """Raised when a message cannot be sent.

    `reason` is one of timeout, dns, tls, refused, 429, 4xx, 5xx, reset, config: bounded, so that it
    can be a label. `retry_after_seconds` is what the receiver asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool,
        reason: str,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.retryable = retryable
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class StoreError(ContractwatchError):
    """Raised when the record fails; `kind` is locked, readonly, full, io, constraint or version."""

    def __init__(self, message: str, *, kind: str) -> None:
        self.kind = kind
        super().__init__(message)
