"""Read the library rules of a table or a column; what cannot be executed is kept as skipped."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace

from contractwatch.model.promises.column_check import COLUMN_CHECKS
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION
from contractwatch.model.promises.rule import Baseline, Operator, Rule, RuleMetric, Threshold, Unit
from contractwatch.odcs.columns.arguments import ColumnContext, read_arguments
from contractwatch.odcs.jsonschema.schema import OPERATORS, implementation_validator
from contractwatch.odcs.jsonschema.schema_error_messages import schema_errors
from contractwatch.odcs.rules.baselines import read_baseline, read_duplicate_counting
from contractwatch.odcs.values.promises import (
    dimension_of,
    promised,
    severity_of,
)
from contractwatch.odcs.values.units import bound_error, parse_number
from contractwatch.odcs.yaml.node import Findings, Promised, YamlNode

_DESCRIPTIVE = frozenset(
    {
        "id",
        "name",
        "description",
        "tags",
        "authoritativeDefinitions",
        "businessImpact",
        "method",
        "severity",
        "dimension",
    }
)
COVERAGE_CHECK = "referenceCoverage"
RECONCILE_CHECK = "reconcile"
SEGMENTS_CHECK = "segmentCompleteness"
PII_CHECK = "piiLeak"
_PERCENT = frozenset({"percent", "percentage", "%"})
_INTERVALS = frozenset({Operator.BETWEEN, Operator.NOT_BETWEEN})
_COLUMN_METRICS = frozenset(
    {RuleMetric.NULL_VALUES, RuleMetric.MISSING_VALUES, RuleMetric.INVALID_VALUES}
)
SQL = "sql"
_TOP_LEVEL = re.compile(r"schema\[\d+\]\.(properties\[\d+\]\.)?quality\[\d+\]")
_MAX_SHOWN = 40


def read_rules(node: YamlNode, context: ColumnContext, findings: Findings) -> tuple[Rule, ...]:
    """Read the executable rules of a `quality` list, in the order of the file."""
    found: list[Rule] = []
    known: dict[str, Rule] = {}
    for number, entry in enumerate(node.each()):
        rule = _read_rule(entry, context, findings)
        if rule is None:
            continue
        first = known.setdefault(f"{rule.metric}/{rule.rule_id}", rule)
        other_id = f"{rule.rule_id}-{number}"
        if first is rule:
            found.append(rule)
        elif first.severity is not rule.severity:
            found.append(replace(rule, rule_id=other_id))
        else:
            again = replace(_promised(rule.metric, entry, context, findings), rule_id=other_id)
            findings.skip(entry, again, f"the same rule as {first.clause.path}")
    return tuple(found)


def is_top_level(rule: YamlNode) -> bool:
    """Return whether a rule belongs to a table or a top-level column."""
    return _TOP_LEVEL.fullmatch(rule.path) is not None


def is_comparison(rule: YamlNode) -> bool:
    """Return whether a rule of `engine: contractwatch` compares two tables."""
    is_ours = rule.text("type") == "custom" and rule.text("engine").lower() == "contractwatch"
    check = rule.at("implementation").text("check")
    return is_ours and not rule.has("metric") and check in {COVERAGE_CHECK, RECONCILE_CHECK}


def is_native_check(rule: YamlNode) -> bool:
    """Return whether a rule of `engine: contractwatch` is about one table."""
    is_ours = rule.text("type") == "custom" and rule.text("engine").lower() == "contractwatch"
    check = rule.at("implementation").text("check")
    return (
        is_ours
        and not rule.has("metric")
        and (check in {SEGMENTS_CHECK, PII_CHECK} or check in COLUMN_CHECKS)
    )


def rule_id_of(rule: YamlNode) -> str:
    """Return the rule's id, else 8 hex digits of a hash of its content."""
    written = rule.text("id")
    if written:
        return written
    body = {key: value for key, value in rule.mapping().items() if key not in _DESCRIPTIVE}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _read_rule(rule: YamlNode, context: ColumnContext, findings: Findings) -> Rule | None:
    if not isinstance(rule.value, dict):
        return None
    if _is_library(rule):
        return _read_library_rule(rule, context, findings)
    kind = rule.text("type")
    if kind == SQL and not rule.has("metric"):
        return None  # read by queries.py, once all tables are known
    if is_native_check(rule) and context.column is None:
        return None  # read by native_checks.py, once all columns are known
    if is_comparison(rule) and is_top_level(rule):
        return None  # read by comparisons.py, once all tables are known
    if rule.has("metric"):
        message = f"a rule of type '{kind[:_MAX_SHOWN]}' has a metric; expected type 'library'"
        findings.error(rule.at("metric"), message)
        return None
    if kind in {"", "library"} and not rule.text("description"):
        expected = ", ".join(RuleMetric)
        findings.error(rule, f"the rule has no metric; expected one of {expected}")
        return None
    name, why = _custom_kind(rule, findings) if kind == "custom" else (kind or "text", "")
    findings.skip(rule, _promised(name, rule, context, findings), why or f"{name} rules")
    return None


def _is_library(rule: YamlNode) -> bool:
    return rule.text("metric") in RuleMetric.__members__.values() and rule.text("type") in {
        "",
        "library",
    }


def _custom_kind(rule: YamlNode, findings: Findings) -> tuple[str, str]:
    """Return the kind of a custom rule and the reason why it is not executed."""
    engine = rule.text("engine")[:_MAX_SHOWN]
    if engine.lower() != "contractwatch":
        return "custom", f"rules of the engine '{engine}'"
    implementation = rule.at("implementation")
    validator = implementation_validator()
    for path, message in schema_errors(
        validator, implementation.value, rule.document, implementation.path
    ):
        findings.error(YamlNode(rule.document, path, None), message)
    check = implementation.text("check")[:_MAX_SHOWN] or "custom"
    return check, f"the check '{check}'"


def _read_library_rule(rule: YamlNode, context: ColumnContext, findings: Findings) -> Rule | None:
    metric = RuleMetric(rule.text("metric"))
    if not _is_at_right_level(metric, rule, context, findings):
        return None
    severity, threshold = severity_of(rule, findings), read_threshold(rule, findings)
    arguments = read_arguments(metric, rule, context, findings)
    if threshold is None:
        return None
    baseline = read_baseline(rule, metric, threshold, findings)
    skip_reason = (
        context.skip_reason
        or arguments.skip_reason
        or (baseline if isinstance(baseline, str) else "")
    )
    if skip_reason:
        findings.skip(rule, _promised(metric, rule, context, findings), skip_reason)
        return None
    return Rule(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        metric=metric,
        threshold=threshold,
        severity=severity,
        dimension=dimension_of(rule),
        values=arguments.values,
        pattern=arguments.pattern,
        ecma=arguments.ecma,
        columns=arguments.columns,
        description=rule.text("description") or rule.text("name"),
        counting=read_duplicate_counting(rule),
        baseline=baseline if isinstance(baseline, Baseline) else None,
    )


def _is_at_right_level(
    metric: RuleMetric, rule: YamlNode, context: ColumnContext, findings: Findings
) -> bool:
    node = rule.at("metric")
    if metric is RuleMetric.ROW_COUNT and context.column is not None:
        findings.error(node, "rowCount counts the rows of a table; expected at the table")
        return False
    if metric in _COLUMN_METRICS and context.column is None:
        findings.error(node, f"{metric} needs a column; expected at a property of the table")
        return False
    return True


def read_threshold(rule: YamlNode, findings: Findings) -> Threshold | None:
    """Read the operator of a rule with its bounds; None if there is not exactly one."""
    unit = _unit(rule, findings)
    given = [name for name in OPERATORS if rule.has(name)]
    if len(given) != 1:
        if len(given) > 1:
            message = f"{len(given)} operators ({', '.join(given)}); expected exactly one"
            findings.error(rule, message)
        return None
    operator, node = Operator(given[0]), rule.at(given[0])
    bounds = tuple(_bounds(node))
    if None in bounds or len(bounds) != (2 if operator in _INTERVALS else 1):
        findings.error(node, bound_error(operator, node.value))
        return None
    low, high = bounds[0] or 0, bounds[1] or 0 if len(bounds) > 1 else None
    if high is not None and low > high:
        findings.error(node, f"the range {low} to {high} is empty; expected the lower number first")
        return None
    return Threshold(operator, low, high, unit)


def _bounds(node: YamlNode) -> Iterator[float | None]:
    for item in node.each() or (node,):
        yield None if isinstance(item.value, str) else parse_number(item.value)


def _unit(rule: YamlNode, findings: Findings) -> Unit:
    written = rule.text("unit").lower()
    if written in _PERCENT:
        return Unit.PERCENT
    if written not in {"", "rows"}:
        shown = rule.text("unit")[:_MAX_SHOWN]
        findings.error(rule.at("unit"), f"unknown unit '{shown}'; expected rows or percent")
    return Unit.ROWS


def _promised(kind: str, rule: YamlNode, context: ColumnContext, findings: Findings) -> Promised:
    made = promised(
        kind,
        context.table,
        context.column,
        severity=severity_of(rule, findings),
        rule_id=rule_id_of(rule),
        expected=rule.text("description") or rule.text("name"),
    )
    dimension = dimension_of(rule)
    if dimension is None:
        return made
    return replace(made, dimension=dimension, objective=OBJECTIVE_OF_DIMENSION[dimension])
