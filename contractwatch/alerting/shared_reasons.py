"""Group checks without an answer by their reason, so that a report tells each reason once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunResult

_UNANSWERED = frozenset({Outcome.ERROR, Outcome.SKIPPED})
_OF_RUN = "see the error of the run"


@dataclass(frozen=True, slots=True)
class SharedReasons:
    """Reasons that several checks share, in the order in which they are numbered from 1.

    One that the error of the run tells already has no number. `pointers` says, by reason, where it
    is shown; `counts` how many checks have it.
    """

    listed: tuple[str, ...] = ()
    pointers: Mapping[str, str] = field(default_factory=dict[str, str])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    def reason_of(self, result: CheckResult) -> str:
        """Return the reason of a check's outcome, or a pointer to where it is shown."""
        reason = result.verdict.reason
        return self.pointers[reason] if self.is_shared(result) else reason

    def is_shared(self, result: CheckResult) -> bool:
        """Return whether the reason for which a check has no answer is shown elsewhere."""
        return result.outcome in _UNANSWERED and result.verdict.reason in self.pointers

    def number_of(self, result: CheckResult) -> int | None:
        """Return the number of a check's shared reason, or None if it has none."""
        is_listed = self.is_shared(result) and result.verdict.reason in self.listed
        return self.listed.index(result.verdict.reason) + 1 if is_listed else None


NO_SHARED_REASONS = SharedReasons()


def shared_reasons(run: RunResult) -> SharedReasons:
    """Return the reasons for which two checks or more of a run have no answer."""
    counts: dict[str, int] = {}
    for result in run.results:
        if result.outcome in _UNANSWERED and result.verdict.reason:
            counts[result.verdict.reason] = counts.get(result.verdict.reason, 0) + 1
    in_run_error = [reason for reason in counts if reason in run.error]
    listed = [
        reason for reason, count in counts.items() if count > 1 and reason not in in_run_error
    ]
    pointers = dict.fromkeys(in_run_error, _OF_RUN)
    pointers |= {reason: f"see cause {number}" for number, reason in enumerate(listed, 1)}
    return SharedReasons(tuple(listed), pointers, counts)
