"""Check that every column of the contract exists, and suggest names where one is missing."""

import unicodedata
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
    with_violation,
)
from contractwatch.display import escape_of, is_visible, visible
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import FieldPath, StructField, format_path
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
            note = _spelling_note(columns, name, self.promise.path)
            return Verdict(Outcome.PASSED, observed=_PRESENT, threshold=_PRESENT, reason=note)
        what = format_path(name, self.promise.path)
        hint = _alike_hint(columns, name, self.promise.path)
        reason = f"the table has no column '{what}'{hint}"
        return Verdict(Outcome.FAILED, observed=_MISSING, threshold=_PRESENT, reason=reason)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each listed column, unless another one may stand in for it."""
    for subject, column in columns_of(contract):
        if not column.optional:
            promise = promise_of(
                PRESENCE, subject, clause=column.clause, expected="the column is present"
            )
            yield PresenceCheck(with_violation(promise, "the column is missing"))
    for table in contract.tables:
        yield from _encrypted_twins(contract, table)
    for subject, column in columns_of(contract):
        if column.encrypted_name_clause is not None and column.path:
            path = (*column.path[:-1], StructField(column.encrypted_name))
            yield _encrypted_twin(
                replace(subject, path=path), column.encrypted_name, column.encrypted_name_clause
            )


def _spelling_note(columns: TableColumns, name: str, path: FieldPath) -> str:
    """Return a note on how the name of a column or a member is spelled that was found."""
    beside, written = _siblings_of(columns, name, path)
    found = beside.find(written)
    if found and found.name != written:
        return f"the {'object' if path else 'table'} spells it '{found.name}'"
    others = [one.name for one in beside.alike(written) if one.name != written]
    where = "object" if path else "table"
    return (
        f"the {where} also has {_quoted_names(others)}, which differs by case alone"
        if others
        else ""
    )


def _alike_hint(columns: TableColumns, name: str, path: FieldPath) -> str:
    """Return a hint on columns, or members, whose names are close to that of the missing one."""
    beside, written = _siblings_of(columns, name, path)
    alike = [one.name for one in beside.alike(written)]
    if len(alike) > 1:
        return f"; it has {_quoted_names(alike)}, which differ by case alone: promise one exactly"
    if alike:
        what = "member" if path else "column"
        names = _quoted_names(alike)
        return f"; its {names} is another promised {what}, and they differ by case alone"
    shown = _visible_form(written)
    same = next((one.name for one in beside.columns if _visible_form(one.name) == shown), "")
    if not same:
        return ""
    if same.strip().lower() == written.strip().lower():
        return f"; it has '{same}', with a blank before or after the name: remove the blank"
    return f"; it has '{_escaped(same)}', which looks the same: write it so, or mend the file"


def _siblings_of(columns: TableColumns, name: str, path: FieldPath) -> tuple[TableColumns, str]:
    """Return the columns or members among which the last name of a path stands, and that name."""
    if not path:
        return columns, name
    column, last = columns.find(name), path[-1]
    object_type = column.follow(path[:-1]) if column else None
    if object_type is None or not isinstance(last, StructField):
        return TableColumns(), ""
    return object_type.members, last.name


def _quoted_names(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _visible_form(name: str) -> str:
    """Return what can be seen of a name: without blanks around it, in composed letters."""
    seen = "".join(one for one in name if is_visible(one) or one.isspace())
    return unicodedata.normalize("NFC", seen).strip().lower()


def _escaped(name: str) -> str:
    """Return a name with escapes for what cannot be seen of it, marks on letters among them."""
    return "".join(escape_of(one) if unicodedata.combining(one) else visible(one) for one in name)


def _encrypted_twins(contract: Contract, table: Table) -> Iterator[Check]:
    for column in table.columns:
        if column.encrypted_name_clause is not None:
            (twin,) = physical_names(table, (column.encrypted_name,))
            subject = Subject(contract.contract_id, table.name, column.name, (twin,))
            yield _encrypted_twin(subject, twin, column.encrypted_name_clause)


def _encrypted_twin(subject: Subject, twin: str, clause: Clause) -> Check:
    words = f"its encrypted twin '{twin}' is present"
    promise = promise_of(PRESENCE, subject, clause=clause, expected=words, level_id="encryptedName")
    return PresenceCheck(with_violation(promise, f"its encrypted twin '{twin}' is missing"))
