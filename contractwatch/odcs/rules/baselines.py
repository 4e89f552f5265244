"""Read the baseline of a `rowCount` rule, and which duplicates a rule counts."""

from datetime import timedelta

from contractwatch.model.promises.rule import (
    Baseline,
    DuplicateCounting,
    RuleMetric,
    Threshold,
    Unit,
)
from contractwatch.odcs.values.units import UnitError, parse_iso_duration
from contractwatch.odcs.yaml.node import Findings, YamlNode

_RECORD_KEEPS = timedelta(days=90)
_PREVIOUS = "previousRun"

ROW_COUNT_ONLY = "which only rowCount in percent has; give this rule a limit of its own without it"
"""Why a rule with a baseline is not executed, and what to do."""


def read_baseline(
    rule: YamlNode, metric: RuleMetric, threshold: Threshold, findings: Findings
) -> Baseline | str | None:
    """Return the baseline of a rule, a reason why it is not executed, or None for no baseline."""
    written = rule.extension("baseline")
    is_share = threshold.unit is Unit.PERCENT
    if written is None:
        if metric is RuleMetric.ROW_COUNT and is_share:
            message = "rowCount in percent needs contractwatch.baseline; expected 'rows'"
            findings.error(rule.at("unit"), message)
        return None
    if metric is not RuleMetric.ROW_COUNT:
        return f"contractwatch.baseline of {metric}, {ROW_COUNT_ONLY}"
    if not is_share:
        return "contractwatch.baseline in rows; say 'unit: percent', where 100 is as many as before"
    if written.text("kind") == _PREVIOUS:
        return Baseline()
    return _same_period(written, findings)


def _same_period(written: YamlNode, findings: Findings) -> Baseline | str | None:
    node = written.at("offset")
    if not isinstance(node.value, str):
        findings.error(written, "samePeriod needs an offset; expected a length such as P7D")
        return None
    try:
        length = parse_iso_duration(node.value)
    except UnitError as wrong:
        findings.error(node, str(wrong))
        return None
    if length.is_zero:
        findings.error(node, "no length of time; expected more than 0")
        return None
    if length.calendar_months:
        return "contractwatch.baseline in months or years, which vary; say days, such as P28D"
    if length.fixed > _RECORD_KEEPS:
        findings.error(node, "the record keeps 90 days; expected an offset of P90D or less")
    return Baseline(length.fixed)


def read_duplicate_counting(rule: YamlNode) -> DuplicateCounting:
    """Return how a rule counts duplicates: the rows after the first ones by default."""
    written = rule.extension("duplicateCounting")
    known = written is not None and written.value in DuplicateCounting.__members__.values()
    return DuplicateCounting(str(written.value)) if written and known else DuplicateCounting.SURPLUS
