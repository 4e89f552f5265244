"""Narrow a plan down to the promises selected by rule, tag, dimension, topic or table."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from contractwatch.model.base.clause import Dimension
from contractwatch.model.base.label import Label
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import (
    Metric,
    RecordMetric,
    RowCount,
    TableSchema,
    Unparseable,
)
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict
from contractwatch.model.record.run import CheckResult
from contractwatch.verify import Plan

METADATA_ONLY = "not asked: metadata only"
"""The reason of a check that would have to read rows."""

_TEXT_FORMATS = frozenset({"csv", "json"})
_WITHOUT_ROW_COUNT = frozenset({*_TEXT_FORMATS, "avro"})


class Topic(StrEnum):
    """Section of a contract that a promise belongs to."""

    SCHEMA = "schema"
    QUALITY = "quality"
    SLA = "sla"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Selection:
    """Criteria for the promises to judge: all that are set must match.

    Of the ids of quality rules, the tags, the dimensions, the topics and the names of tables one
    each must fit. With `metadata_only` the promises that need rows are shown as skipped.
    """

    rule_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    topics: tuple[Topic, ...] = ()
    tables: tuple[str, ...] = ()
    metadata_only: bool = False

    def __str__(self) -> str:
        criteria = (
            f"rule {' or '.join(self.rule_ids)}" if self.rule_ids else "",
            f"tag {' or '.join(self.tags)}" if self.tags else "",
            f"dimension {' or '.join(self.dimensions)}" if self.dimensions else "",
            f"checks {' and '.join(self.topics)}" if self.topics else "",
            f"table {' or '.join(self.tables)}" if self.tables else "",
            "metadata only" if self.metadata_only else "",
        )
        return ", ".join(filter(None, criteria))

    @property
    def is_everything(self) -> bool:
        """Whether no criterion is set."""
        return self == Selection()


def select(plan: Plan, selection: Selection) -> Plan:
    """Return the plan with the selected promises only, and the metrics that they need."""
    chosen = _PromiseFilter(plan.contract, selection)
    return _with_checks(
        plan,
        checks=tuple(check for check in plan.checks if chosen.matches(check.promise)),
        skipped=tuple(result for result in plan.skipped if chosen.matches(result.promise)),
    )


def from_metadata(plan: Plan, server: Server) -> Plan:
    """Return the plan with the checks that metadata answers; skip those that need rows."""
    data_format = server.data_format.value if server.data_format else ""
    narrowed = {table.name for table in plan.contract.tables if table.where}
    kept: list[Check] = []
    left: list[CheckResult] = []
    for check in plan.checks:
        if all(_is_metadata(metric, data_format, narrowed) for metric in check.metrics()):
            kept.append(check)
        else:
            verdict = Verdict(Outcome.SKIPPED, reason=METADATA_ONLY)
            left.append(CheckResult(check.promise, verdict))
    return _with_checks(plan, checks=tuple(kept), skipped=(*plan.skipped, *left))


def is_empty(plan: Plan) -> bool:
    """Return whether the plan has no promise left."""
    return not plan.checks and not plan.skipped


def selectable_names(contracts: Iterable[Contract]) -> Mapping[str, frozenset[str]]:
    """Return the names that can be selected in contracts, by `rule`, `tag` and `table`."""
    labels: list[Label] = []
    tags: set[str] = set()
    tables: set[str] = set()
    for contract in contracts:
        labels += contract.labels
        tags.update(contract.tags)
        tables.update(table.name for table in contract.tables)
    return {
        "rule": frozenset(label.rule_id for label in labels if label.rule_id),
        "tag": frozenset(tags.union(*(label.tags for label in labels))),
        "table": frozenset(tables),
    }


class _PromiseFilter:
    """Matches the promises of one contract against a selection."""

    def __init__(self, contract: Contract, selection: Selection) -> None:
        self._selection = selection
        self._labels = contract.labels
        self._contract_tags = contract.tags

    def matches(self, promise: Promise) -> bool:
        """Return whether the promise meets every criterion."""
        wanted = self._selection
        if wanted.dimensions and promise.dimension not in wanted.dimensions:
            return False
        if wanted.tables and promise.table not in wanted.tables:
            return False
        if not (wanted.rule_ids or wanted.tags or wanted.topics):
            return True
        labels = tuple(self._labels_of(promise))
        return self._has_rule(labels) and self._has_tag(labels) and self._has_topic(promise, labels)

    def _has_rule(self, labels: tuple[Label, ...]) -> bool:
        rule_ids = self._selection.rule_ids
        return not rule_ids or any(label.rule_id in rule_ids for label in labels if label.rule_id)

    def _has_tag(self, labels: tuple[Label, ...]) -> bool:
        tags = set(self._contract_tags).union(*(label.tags for label in labels))
        return not self._selection.tags or not tags.isdisjoint(self._selection.tags)

    def _has_topic(self, promise: Promise, labels: tuple[Label, ...]) -> bool:
        topics = self._selection.topics
        return not topics or _topic(promise, labels) in topics

    def _labels_of(self, promise: Promise) -> Iterator[Label]:
        """Yield the labels above the clause, and those of the table and column it speaks of."""
        for label in self._labels:
            is_subject = not label.rule_id and label.table == promise.table
            is_subject = is_subject and label.column in (None, promise.column)
            if is_subject or label.covers(promise.clause.path):
                yield label


def _topic(promise: Promise, labels: Iterable[Label]) -> Topic:
    rule = next((label for label in labels if label.rule_id), None)
    if rule is not None:
        return Topic.CUSTOM if rule.by_engine else Topic.QUALITY
    if promise.clause.path.startswith("slaProperties"):
        return Topic.SLA
    return Topic.SCHEMA if promise.clause.path.startswith("schema") else Topic.CUSTOM


def _with_checks(plan: Plan, checks: tuple[Check, ...], skipped: tuple[CheckResult, ...]) -> Plan:
    metrics = frozenset(metric for check in checks for metric in check.metrics())
    return replace(plan, checks=checks, metrics=metrics, skipped=skipped)


def _is_metadata(metric: Metric, data_format: str, narrowed: Set[str]) -> bool:
    if isinstance(metric, RecordMetric):
        return True
    match metric:
        case TableSchema():
            return True
        case Unparseable():
            return data_format not in _TEXT_FORMATS
        case RowCount():
            return metric.table not in narrowed and data_format not in _WITHOUT_ROW_COUNT
        case _:
            return False
