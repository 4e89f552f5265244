"""Check that every column of the contract exists, and suggest names where one is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    columns_of,
    measured,
    physical_names,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import StructField, format_path
from contractwatch.model.contract.contract import Contract, Table
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import Measurement, TableColumns
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

PRESENCE = KINDS["presence"]

_PRESENT = "present"
_MISSING = "missing"


@dataclass(frozen=True, slots=True)
class PresenceCheck:
    """Check that the table has the column, with the same name or differing in case only."""

    promise: Promise

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        error = unmeasured_verdict(answers, self.metrics(), _PRESENT)
        if error is not None:
            return error
        columns = measured(answers, TableSchema(self.promise.table), TableColumns)
        (name,) = self.promise.physical_columns
        column = columns.find(name)
        if column and column.follow(self.promise.path):
            told = _spelling_note(columns, column.name, name)
            return Verdict(Outcome.PASSED, observed=_PRESENT, threshold=_PRESENT, reason=told)
        what = format_path(name, self.promise.path)
        hint = "" if column else _alike_hint(columns, name)
        reason = f"the table has no column '{what}'{hint}"
        return Verdict(Outcome.FAILED, observed=_MISSING, threshold=_PRESENT, reason=reason)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each listed column, unless another one may stand in for it."""
    for place, column in columns_of(contract):
        if not column.optional:
            yield PresenceCheck(
                promise_of(PRESENCE, place, clause=column.clause, expected="the column is present")
            )
    for table in contract.tables:
        yield from _encrypted_twins(contract, table)
    for place, column in columns_of(contract):
        if column.twin_clause is not None and column.path:
            path = (*column.path[:-1], StructField(column.twin))
            yield _encrypted_twin(replace(place, path=path), column.twin, column.twin_clause)


def _spelling_note(columns: TableColumns, found: str, name: str) -> str:
    """Return a note on how the name of a column is spelled that was found."""
    if found != name:
        return f"the table spells it '{found}'"
    others = [column.name for column in columns.alike(name) if column.name != name]
    return f"the table also has {_named(others)}, which differs by case alone" if others else ""


def _alike_hint(columns: TableColumns, name: str) -> str:
    """Return a hint on columns whose names are close to that of the missing one."""
    alike = [column.name for column in columns.alike(name)]
    if len(alike) > 1:
        return f"; it has {_named(alike)}, which differ by case alone: promise one exactly"
    if alike:
        return f"; its {_named(alike)} is another promised column, and they differ by case alone"
    blank = next((c.name for c in columns.columns if _plain(c.name) == _plain(name)), "")
    if blank:
        return (
            f"; it has {_named([blank])}, with a blank before or after the name: remove the blank"
        )
    return ""


def _named(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _plain(name: str) -> str:
    return name.strip().lower()


def _encrypted_twins(contract: Contract, table: Table) -> Iterator[Check]:
    for column in table.columns:
        if column.twin_clause is not None:
            (twin,) = physical_names(table, (column.twin,))
            place = Subject(contract.contract_id, table.name, column.name, (twin,))
            yield _encrypted_twin(place, twin, column.twin_clause)


def _encrypted_twin(place: Subject, twin: str, clause: Clause) -> Check:
    words = f"its encrypted twin '{twin}' is present"
    promise = promise_of(PRESENCE, place, clause=clause, expected=words, level_id="encryptedName")
    return PresenceCheck(promise)
