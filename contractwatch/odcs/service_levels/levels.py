"""Read the service levels of a contract; what cannot be executed is kept as skipped."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime

from contractwatch.model.base.clause import Severity
from contractwatch.model.base.path import ArrayItem
from contractwatch.model.promises.service_level import (
    Availability,
    ErrorRate,
    IncidentStep,
    LevelPromise,
    MaxDelay,
    MaxIncidentTime,
    RetentionMode,
    ServiceLevel,
)
from contractwatch.odcs.schema.tables import TablePrefixIndex
from contractwatch.odcs.service_levels.builders import (
    frequency_builder,
    freshness_builder,
    retention_builder,
    throughput_builder,
    time_of_availability_builder,
)
from contractwatch.odcs.service_levels.elements import (
    ResolvedElement,
    UnresolvedElement,
    default_element,
    resolve_element,
)
from contractwatch.odcs.service_levels.level_values import (
    Modifier,
    daily_time_at,
    find_modifier,
    parse_moment,
    percent_at,
    quantile_at,
    rate_at,
    severity_at,
    updates_at,
)
from contractwatch.odcs.values.level_names import level_kind, warn_if_misspelled
from contractwatch.odcs.values.promises import promised
from contractwatch.odcs.values.units import (
    Duration,
    UnitError,
    ambiguous_unit_warning,
    duration_of,
    is_iso_duration,
    parse_iso_duration,
    parse_number,
    parse_unit,
    split_unit,
)
from contractwatch.odcs.yaml.node import Findings, YamlNode, extension_name, suggestion
from contractwatch.odcs.yaml.unique_names import check_unique, with_names

_ELEMENT_KINDS = frozenset(
    {"freshness", "retention", "frequency", "timeOfAvailability", "throughput"}
)
_PRODUCT_KINDS = frozenset({"availability", "timeToDetect", "timeToNotify", "timeToRepair"})
_MODIFIERS = {
    "freshness": {"eventTime", "availableAt", "quantile"},
    "retention": {"retentionMode"},
    "timeOfAvailability": {"timezone", "businessDateLag", "calendar"},
}
_LATENCY_ENDS = ("eventTime", "availableAt")
_LEVEL_IS_SKIPPED = "the service level is skipped"
_DESCRIPTIVE = frozenset({"id", "description", "driver", "authoritativeDefinitions"})


def level_duration(level: YamlNode, findings: Findings) -> Duration | None:
    """Read the duration that a service level states; None, with an error, if it is wrong."""
    value, unit = level.at("value"), level.text("unit")
    written = value.value
    try:
        if isinstance(written, str) and is_iso_duration(written):
            if unit:
                findings.error(level.at("unit"), "an ISO-8601 duration has no unit; remove it")
            return parse_iso_duration(written)
        at = level.at("unit")
        if isinstance(written, str) and not unit:
            # other tools write `1h`
            (written, unit), at = split_unit(written), value
        amount = parse_number(written)
        if amount is None:
            expected = "expected a number beside 'unit', or ISO-8601 such as PT2H"
            findings.error(value, f"no length of time; {expected}")
            return None
        canonical = _unit(level, unit, at, findings)
        return duration_of(amount, canonical) if canonical else None
    except UnitError as wrong:
        findings.error(value, str(wrong))
        return None


def _unit(level: YamlNode, unit: str, at: YamlNode, findings: Findings) -> str | None:
    if not unit:
        findings.warn(level, "no unit is read as days; write 'unit: d'")
        return "d"
    doubt = ambiguous_unit_warning(unit)
    if doubt:
        findings.warn(at, doubt)
    canonical = parse_unit(unit)
    if canonical is None:
        known = ("s", "min", "h", "d", "w", "mo", "y", "hours", "minutes", "days", "weeks", "years")
        expected = "expected s, min, h, d, w, mo or y"
        hint = suggestion(unit, known)
        findings.error(at, f"unknown unit '{unit[:40]}'; {expected}{hint}")
    return canonical


def read_levels(
    root: YamlNode, tables: TablePrefixIndex, findings: Findings
) -> tuple[ServiceLevel, ...]:
    """Read the executable service levels, in the order of the file."""
    nodes = with_names(root.at("slaProperties"), "property", findings)
    check_unique(nodes, "id", "id", findings)
    reading = _LevelReader(root, tables, findings)
    return tuple(level for node in nodes for level in reading.levels(node))


def level_id_of(level: YamlNode) -> str:
    """Return the id of a service level, else 8 hex digits of a hash of its content."""
    written = level.text("id")
    if written:
        return written
    body = {key: value for key, value in level.mapping().items() if key not in _DESCRIPTIVE}
    body["driver"] = level.text("driver")
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class _LevelReader:
    """Reads service levels one after the other; remembers those that it has read."""

    def __init__(self, root: YamlNode, tables: TablePrefixIndex, findings: Findings) -> None:
        self._root = root
        self._tables = tables
        self._findings = findings
        self._seen: set[tuple[str, str, str]] = set()

    def levels(self, node: YamlNode) -> Iterator[ServiceLevel]:
        """Yield the service levels of one entry of `slaProperties`."""
        kind = level_kind(node)
        if not kind:
            return
        modifiers = tuple(self._modifiers(node))
        if kind in _PRODUCT_KINDS:
            yield from self._product_level(node, kind, modifiers)
        elif kind == "errorRate":
            yield from self._error_rate(node, modifiers)
        elif kind == "freshness" and any(one.name in _LATENCY_ENDS for one in modifiers):
            yield from self._latency(node, modifiers)
        elif kind in _ELEMENT_KINDS:
            yield from self._element_levels(node, kind, modifiers)
        else:
            warn_if_misspelled(node, self._findings)
            self._skip(node, kind, f"the service level {node.text('property')[:40]}")

    def _element_levels(
        self, node: YamlNode, kind: str, modifiers: tuple[Modifier, ...]
    ) -> Iterator[ServiceLevel]:
        build = self._builder(node, kind, modifiers)
        skip_reason = _unsupported_modifier(modifiers, kind) or (
            build if isinstance(build, str) else ""
        )
        for found in self._elements(node):
            reason = skip_reason or self._why_unusable(found, kind, node)
            if reason:
                self._skip(node, kind, reason, found)
            elif (
                isinstance(found, ResolvedElement)
                and build is not None
                and not isinstance(build, str)
            ):
                yield self._level(node, build(found), modifiers)

    def _builder(
        self, node: YamlNode, kind: str, modifiers: tuple[Modifier, ...]
    ) -> Callable[[ResolvedElement], LevelPromise] | str | None:
        """Return the builder of a level, a reason why it is skipped, or None if it is wrong."""
        match kind:
            case "timeOfAvailability":
                return time_of_availability_builder(daily_time_at(node, modifiers, self._findings))
            case "throughput":
                return throughput_builder(rate_at(node, self._findings))
            case _:
                length = level_duration(node, self._findings)
                if length is not None and length.is_zero and kind != "retention":
                    wrong = "no length of time; expected more than 0"
                    self._findings.error(node.at("value"), wrong)
                if length is None:
                    return None
        if kind == "frequency":
            return frequency_builder(length, updates_at(node, self._findings))
        if kind == "retention":
            mode = find_modifier(modifiers, "retentionMode")
            at_least = mode is not None and mode.value == RetentionMode.AT_LEAST
            return retention_builder(length, self._available_since(), at_least=at_least)
        return freshness_builder(length)

    def _product_level(
        self, node: YamlNode, kind: str, modifiers: tuple[Modifier, ...]
    ) -> Iterator[ServiceLevel]:
        promise: LevelPromise | None = None
        if kind == "availability":
            percent = percent_at(node, self._findings, is_small=False)
            promise = None if percent is None else Availability(percent)
        else:
            length = level_duration(node, self._findings)
            if length is not None:
                reaction = IncidentStep(kind)
                promise = MaxIncidentTime(reaction, length.fixed, length.calendar_months)
        if promise is not None:
            yield from self._single_level(node, kind, promise, modifiers)

    def _error_rate(
        self, node: YamlNode, modifiers: tuple[Modifier, ...]
    ) -> Iterator[ServiceLevel]:
        percent = percent_at(node, self._findings, is_small=True)
        names: list[str] = []
        for part in filter(None, (one.strip() for one in node.text("element").split(","))):
            known = (one for one in self._tables.tables if part in (one.name, one.physical_name))
            table = next(known, None)
            if table is None:
                near = suggestion(part, [one.name for one in self._tables.tables])
                message = f"unknown table '{part[:60]}'; expected a table of 'schema'{near}"
                self._findings.warn(node.at("element"), f"{_LEVEL_IS_SKIPPED}: {message}")
                self._skip(node, "errorRate", message)
                return
            names.append(table.name)
        tables = tuple(dict.fromkeys(names))
        judged = tables or tuple(one.name for one in self._tables.tables)
        if not judged:
            self._skip(node, "errorRate", "the errorRate of a contract without tables")
        elif percent is not None:
            yield from self._single_level(node, "errorRate", ErrorRate(percent, tables), modifiers)

    def _latency(self, node: YamlNode, modifiers: tuple[Modifier, ...]) -> Iterator[ServiceLevel]:
        """Yield a latency from one column to another."""
        length = level_duration(node, self._findings)
        quantile = quantile_at(find_modifier(modifiers, "quantile"), self._findings)
        ends = [
            self._latency_end(node, find_modifier(modifiers, name), name) for name in _LATENCY_ENDS
        ]
        skip_reason = next((one.why for one in ends if isinstance(one, UnresolvedElement)), "")
        event, available = ends
        if length is None or event is None or available is None:
            return
        if length.calendar_months:
            skip_reason = skip_reason or "a latency between two columns in months or years"
        if any(isinstance(one, ResolvedElement) and ArrayItem() in one.column.path for one in ends):
            skip_reason = skip_reason or "a latency between values inside arrays"
        if (
            skip_reason
            or isinstance(event, UnresolvedElement)
            or isinstance(available, UnresolvedElement)
        ):
            self._skip(node, "freshness", skip_reason)
            return
        table = event.table.name
        if available.table.name != table:
            wrong = f"eventTime is in table '{table}'; expected both in one table"
            self._findings.error(node, wrong)
        else:
            names = event.column.name, available.column.name
            promise = MaxDelay(table, *names, length.fixed, quantile)
            yield from self._single_level(node, "freshness", promise, modifiers)

    def _latency_end(
        self, node: YamlNode, written: YamlNode | None, name: str
    ) -> ResolvedElement | UnresolvedElement | None:
        if written is None or not isinstance(written.value, str):
            wrong = f"a latency between two columns without {name}; expected table.column"
            self._findings.error(written or node, wrong)
            return None
        found = resolve_element(written.value.strip(), self._tables)
        if isinstance(found, UnresolvedElement) and found.is_wrong:
            self._findings.error(written, found.why)
            return None
        return found

    def _single_level(
        self, node: YamlNode, kind: str, promise: LevelPromise, modifiers: tuple[Modifier, ...]
    ) -> Iterator[ServiceLevel]:
        """Yield one level that is not about elements."""
        identity = (f"{kind}/{level_id_of(node)}", "", "")
        skip_reason = _unsupported_modifier(modifiers, kind)
        if skip_reason or identity in self._seen:
            self._skip(node, kind, skip_reason or "the same service level again")
            return
        self._seen.add(identity)
        yield self._level(node, promise, modifiers)

    def _level(
        self, node: YamlNode, promise: LevelPromise, modifiers: tuple[Modifier, ...]
    ) -> ServiceLevel:
        # how fast an incident is handled is no property of the data, so it is a warning by default
        default = Severity.WARNING if isinstance(promise, MaxIncidentTime) else Severity.ERROR
        return ServiceLevel(
            clause=node.clause,
            level_id=level_id_of(node),
            name=node.text("property"),
            promise=promise,
            driver=node.text("driver"),
            description=node.text("description"),
            severity=severity_at(find_modifier(modifiers, "severity"), default, self._findings),
        )

    def _elements(self, node: YamlNode) -> Iterator[ResolvedElement | UnresolvedElement]:
        source = node if node.text("element") else self._root
        key = "element" if node.text("element") else "slaDefaultElement"
        written = [part.strip() for part in source.text(key).split(",") if part.strip()]
        if not written:
            found = default_element(self._tables)
            if isinstance(found, UnresolvedElement):
                self._findings.warn(node, f"{found.why}; expected 'element: table.column'")
            yield found
        for part in written:
            found = resolve_element(part, self._tables)
            if isinstance(found, UnresolvedElement) and found.is_wrong:
                # a warning only, as other tools write unknown elements, and so does an example
                # of the standard: the contract's other promises are judged all the same
                self._findings.warn(source.at(key), f"{_LEVEL_IS_SKIPPED}: {found.why}")
            yield found

    def _why_unusable(
        self, found: ResolvedElement | UnresolvedElement, kind: str, node: YamlNode
    ) -> str:
        if isinstance(found, UnresolvedElement):
            return found.why
        promise = (f"{kind}/{level_id_of(node)}", found.table.name, found.column.name)
        if promise in self._seen:
            return "the same service level again"
        self._seen.add(promise)
        return ""

    def _modifiers(self, node: YamlNode) -> Iterator[Modifier]:
        """Yield the modifiers of a level: its own (3.2), or those at the root by its id."""
        for entry in node.at("customProperties").each():
            if name := extension_name(entry):
                yield Modifier(name, entry.at("value"))
        listed = self._root.extension("sla")
        level_id = node.text("id")
        for entry in listed.each() if listed is not None and level_id else ():
            if entry.text("sla") == level_id:
                for key in entry.mapping():
                    yield Modifier(key, entry.at(key))

    def _skip(
        self,
        node: YamlNode,
        kind: str,
        why: str,
        found: ResolvedElement | UnresolvedElement | None = None,
    ) -> None:
        table, column = "-", None
        if isinstance(found, ResolvedElement):
            table, column = found.table.name, found.column.name
        expected = node.text("description") or _expected_words(node)
        promise = promised(kind, table, column, rule_id=level_id_of(node), expected=expected)
        self._findings.skip(node, promise, why)

    def _available_since(self) -> datetime | None:
        """Return the date of general availability, else of the contract's creation."""
        candidates = [
            node.at("value")
            for node in self._root.at("slaProperties").each()
            if node.text("property").lower() in {"generalavailability", "ga"}
        ]
        for node in (*candidates, self._root.at("contractCreatedTs")):
            if isinstance(node.value, str):
                moment = parse_moment(node.value)
                if moment is not None:
                    return moment
        return None


def _unsupported_modifier(modifiers: tuple[Modifier, ...], kind: str) -> str:
    """Return the modifier that this kind does not support; empty if there is none."""
    understood = {"sla", "severity"} | _MODIFIERS.get(kind, set())
    names = (one.name for one in modifiers if one.name not in understood)
    return next((f"contractwatch.sla {name[:40]}" for name in names), "")


def _expected_words(node: YamlNode) -> str:
    value = node.at("value").value
    shown = value if isinstance(value, str | int | float) else ""
    return f"{node.text('property')} {shown} {node.text('unit')}".strip()[:120]
