"""Check foreign keys: every complete key of a row exists in the table that it refers to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.checks.common.counts import ViolationCount, judge_count
from contractwatch.checks.common.promise_builder import (
    key_subject,
    measured,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, limit_words, promised_words
from contractwatch.model.contract.contract import Contract, Table
from contractwatch.model.measure.metric import Metric, RowCount
from contractwatch.model.measure.state import Count, Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.reference import OrphanCount, Orphans, Reference, Relationship
from contractwatch.model.promises.rule import Threshold
from contractwatch.model.record.check import Check, Promise, Verdict

RELATIONSHIP = KINDS["relationship"]


@dataclass(frozen=True, slots=True)
class RelationshipCheck:
    """Check that rows with a complete key have a match; a percentage is of these rows.

    Of keys inside of an array every whole one has a match; a row counts once.
    """

    promise: Promise
    threshold: Threshold
    target: Reference

    def metrics(self) -> tuple[Metric, ...]:
        table, columns = self.promise.table, self.promise.physical_columns
        return (RowCount(table), Orphans(table, columns, self.target, self.promise.paths))

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        of_table, of_keys = self.metrics()
        error = unmeasured_verdict(answers, self.metrics(), limit_words(self.threshold))
        if error is not None:
            return error
        rows = measured(answers, of_table, Count).rows
        found = measured(answers, of_keys, OrphanCount)
        words = f"{found.orphans:,} of {count_words(found.rows, 'row')} with a key have no match"
        verdict = judge_count(
            self.threshold, ViolationCount(rows, found.orphans, found.rows, words)
        )
        if not found.repeated:
            return verdict
        note = f"the key is not unique there: {count_words(found.repeated, 'duplicate row')}"
        return replace(verdict, reason="; ".join(filter(None, (verdict.reason, note))))


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each relationship of each table, a composite key as one check."""
    for table in contract.tables:
        for relationship in table.relationships:
            yield _check(contract, table, relationship)


def _check(contract: Contract, table: Table, relationship: Relationship) -> Check:
    key = ", ".join(relationship.columns)
    noun = "rows" if relationship.column is not None else f"rows by ({key})"
    missing = f"{noun} without a match in {relationship.target}"
    words = promised_words(relationship.threshold, missing)
    subject = key_subject(contract, table, relationship.columns, relationship.column)
    promise = promise_of_rule(RELATIONSHIP, subject, relationship, expected=words)
    return RelationshipCheck(promise, relationship.threshold, relationship.target)
