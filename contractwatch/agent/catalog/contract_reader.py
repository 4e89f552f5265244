"""Parse contracts in a worker process that is killed when it takes too long or too much memory."""

from dataclasses import dataclass

from contractwatch.errors import ContractError, Problem
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.load import parse_valid_part
from contractwatch.scan.workers import JobCancelled, JobDone, JobFailed, WorkerLimits, Workers
from contractwatch.verify import plan

_MEMORY_MB = 768
_PRELOAD = ("contractwatch.agent.catalog.contract_reader",)


@dataclass(frozen=True, slots=True)
class ParsedContract:
    """What the bytes of a file say: a contract, or None, and the problems.

    One that is not `final` may be answered otherwise another time: it was late, or nobody read it.
    """

    contract: Contract | None
    problems: tuple[Problem, ...] = ()
    is_final: bool = True
    seconds: float = 0.0


class ClosedError(Exception):
    """Raised when the reader is closed before the contract is parsed."""


def parse_here(data: bytes, file: str, *, deadline_seconds: float = 0.0) -> ParsedContract:
    """Parse a contract in this process; there is no deadline."""
    del deadline_seconds
    try:
        contract, problems = parse_valid_part(data, file)
    except ContractError as error:
        return ParsedContract(None, error.problems)
    return ParsedContract(contract, problems)


class ContractReader:
    """One worker process that parses contracts; used by one thread at a time."""

    def __init__(self) -> None:
        self._workers = Workers(1, WorkerLimits(_MEMORY_MB, 1), preload=_PRELOAD)
        self._is_started = False

    def start(self) -> None:
        """Start the worker process, if nobody did."""
        if not self._is_started:
            self._is_started = True
            self._workers.start()

    def close(self) -> None:
        """End the worker process, and a parse that is under way with it; may be called twice."""
        self._workers.close()

    def parse(self, data: bytes, file: str, *, deadline_seconds: float) -> ParsedContract:
        """Parse a contract, and plan it, so that one that cannot be planned in time is told now.

        Raises:
            ClosedError: If the reader is closed, also while it parses.
        """
        self.start()
        answer = self._workers.run(_parse, (data, file), deadline_seconds=deadline_seconds)
        match answer:
            case JobCancelled():
                raise ClosedError
            case JobDone(value, seconds):
                return ParsedContract(value.contract, value.problems, seconds=seconds)
            case JobFailed(reason, seconds, was_late):
                said = (
                    f"reading it takes longer than {deadline_seconds:g} s; expected a smaller "
                    "contract: split it, or raise contract_deadline_seconds"
                    if was_late
                    else f"it cannot be read: {reason}; expected a smaller contract"
                )
                return ParsedContract(
                    None, (Problem(file, 0, "", said),), is_final=False, seconds=seconds
                )


def _parse(asked: tuple[bytes, str]) -> ParsedContract:
    parsed = parse_here(*asked)
    if parsed.contract is not None:
        plan(parsed.contract)
    return parsed
