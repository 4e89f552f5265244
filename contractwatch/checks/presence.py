"""Every column that a contract lists is there."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from contractwatch.checks.terms import (
    Kind,
    Place,
    answer,
    columns_of,
    physical_names,
    promise_of,
    unanswered,
)
from contractwatch.model.check import Check, Outcome, Promise, Verdict
from contractwatch.model.clause import Clause, Dimension
from contractwatch.model.contract import Contract, Table
from contractwatch.model.frozen import frozen
from contractwatch.model.metric import Metric, TableSchema
from contractwatch.model.objective import Objective
from contractwatch.model.path import Member, printed
from contractwatch.model.state import Columns, Measurement

PRESENCE = Kind("presence", Dimension.CONFORMITY, Objective.SCHEMA)

_PRESENT = "present"
_MISSING = "missing"
_SEPARATORS = {";": '";"', "|": '"|"', "\t": r'"\t"', ",": '","'}
"""What stands between the columns of text files, and how a contract writes it."""


@frozen
class Presence:
    """One column is in the table's own schema, exactly so named or alike but for case."""

    promise: Promise

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        error = unanswered(answers, self.metrics(), _PRESENT)
        if error is not None:
            return error
        columns = answer(answers, TableSchema(self.promise.table), Columns)
        (name,) = self.promise.physical_columns
        column = columns.find(name)
        if column and column.follow(self.promise.inside):
            spelt = "" if column.name == name else f"the table spells it '{column.name}'"
            return Verdict(Outcome.PASSED, observed=_PRESENT, threshold=_PRESENT, reason=spelt)
        what = printed(name, self.promise.inside)
        reason = f"the table has no column '{what}'{_separator_hint(columns, name)}"
        return Verdict(Outcome.FAILED, observed=_MISSING, threshold=_PRESENT, reason=reason)


def checks(contract: Contract) -> Iterator[Check]:
    """Promise the presence of each listed column, unless another one may stand in for it."""
    for place, column in columns_of(contract):
        if not column.optional:
            yield Presence(
                promise_of(PRESENCE, place, clause=column.clause, expected="the column is present")
            )
    for table in contract.tables:
        yield from _twins(contract, table)
    for place, column in columns_of(contract):
        if column.twin_clause is not None and column.inside:
            inside = (*column.inside[:-1], Member(column.twin))
            yield _twin(replace(place, inside=inside), column.twin, column.twin_clause)


def _separator_hint(columns: Columns, name: str) -> str:
    """Return what to do if the only column of a text is several, the missing one among them."""
    if len(columns.columns) != 1 or not columns.columns[0].text:
        return ""
    header = columns.columns[0].name
    for separator, written in _SEPARATORS.items():
        names = [part.strip(' "').lower() for part in header.split(separator)]
        if len(names) > 1 and name.lower() in names:
            return (
                f"; the file has one column: is the separator {written}? "
                f"say so with contractwatch.read: {{separator: {written}}}"
            )
    return ""


def _twins(contract: Contract, table: Table) -> Iterator[Check]:
    for column in table.columns:
        if column.twin_clause is not None:
            (twin,) = physical_names(table, (column.twin,))
            place = Place(contract.contract_id, table.name, column.name, (twin,))
            yield _twin(place, twin, column.twin_clause)


def _twin(place: Place, twin: str, clause: Clause) -> Check:
    words = f"its encrypted twin '{twin}' is present"
    promise = promise_of(PRESENCE, place, clause=clause, expected=words, level_id="encryptedName")
    return Presence(promise)
