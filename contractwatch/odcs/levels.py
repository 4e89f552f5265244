"""The service levels of a contract are read, one for each element, or kept as skipped."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from contractwatch.model.service_level import (
    Availability,
    MaxAge,
    Retention,
    RetentionMode,
    ServiceLevel,
)
from contractwatch.odcs.elements import Found, Unfound, default_element, find_element
from contractwatch.odcs.place import Findings, Place, suggestion
from contractwatch.odcs.promises import promised
from contractwatch.odcs.repeated import refuse_repeated
from contractwatch.odcs.tables import WHERE, ReadTables
from contractwatch.odcs.units import (
    Length,
    UnitError,
    is_iso_length,
    iso_length,
    length_of,
    number_of,
    unit_of,
)

_SYNONYMS = {
    "latency": "freshness",
    "ly": "freshness",
    "freshness": "freshness",
    "retention": "retention",
    "re": "retention",
    "availability": "availability",
    "av": "availability",
    "frequency": "frequency",
    "fy": "frequency",
    "timeofavailability": "timeOfAvailability",
    "throughput": "throughput",
    "th": "throughput",
    "errorrate": "errorRate",
    "er": "errorRate",
    "timetodetect": "timeToDetect",
    "td": "timeToDetect",
    "timetonotify": "timeToNotify",
    "tn": "timeToNotify",
    "timetorepair": "timeToRepair",
    "tr": "timeToRepair",
}
_NO_PROMISE = frozenset(
    {"generalavailability", "ga", "endofsupport", "es", "endoflife", "el", "endofservice"}
)
_EXECUTED = frozenset({"freshness", "retention", "availability"})
_PERCENT = frozenset({"", "percent", "percentage", "%"})
_WHOLE = 100
_SUSPICIOUSLY_SMALL = 1
_DESCRIPTIVE = frozenset({"id", "description", "driver", "authoritativeDefinitions"})


def kind_of(level: Place) -> str:
    """Return the kind of promise of an SLA property; empty if it promises nothing to execute."""
    name = level.text("property").lower()
    return "" if name in _NO_PROMISE else _SYNONYMS.get(name, "serviceLevel")


def length_at(level: Place, findings: Findings) -> Length | None:
    """Return the length of time that an SLA property states; None if it is wrong."""
    value, unit = level.at("value"), level.text("unit")
    written = value.value
    try:
        if isinstance(written, str) and is_iso_length(written):
            if unit:
                findings.error(level.at("unit"), "an ISO-8601 duration has no unit; remove it")
            return iso_length(written)
        amount = number_of(written)
        if amount is None:
            expected = "expected a number beside 'unit', or ISO-8601 such as PT2H"
            findings.error(value, f"no length of time; {expected}")
            return None
        canonical = _unit(level, unit, findings)
        return length_of(amount, canonical) if canonical else None
    except UnitError as wrong:
        findings.error(value, str(wrong))
        return None


def _unit(level: Place, unit: str, findings: Findings) -> str | None:
    if not unit:
        findings.warn(level, "no unit is read as days; write 'unit: d'")
        return "d"
    if unit.lower() == "m":
        months = kind_of(level) == "retention"
        meant, word = ("mo", "months") if months else ("min", "minutes")
        findings.warn(level.at("unit"), f"'m' is read as {word}; write '{meant}'")
        return meant
    canonical = unit_of(unit)
    if canonical is None:
        known = ("s", "min", "h", "d", "w", "mo", "y", "hours", "minutes", "days", "weeks", "years")
        expected = "expected s, min, h, d, w, mo or y"
        hint = suggestion(unit, known)
        findings.error(level.at("unit"), f"unknown unit '{unit[:40]}'; {expected}{hint}")
    return canonical


def read_levels(root: Place, tables: ReadTables, findings: Findings) -> tuple[ServiceLevel, ...]:
    """Return the service levels that are executed, in the order of the file."""
    places = [place for place in root.at("slaProperties").each() if place.text("property")]
    refuse_repeated(places, "id", "id", findings)
    reading = _Reading(root, tables, findings)
    return tuple(level for place in places for level in reading.levels(place))


def _level_id(level: Place) -> str:
    written = level.text("id")
    if written:
        return written
    body = {key: value for key, value in level.mapping().items() if key not in _DESCRIPTIVE}
    body["driver"] = level.text("driver")
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class _Reading:
    """Reads one SLA property after the other; remembers which it has read."""

    def __init__(self, root: Place, tables: ReadTables, findings: Findings) -> None:
        self._root = root
        self._tables = tables
        self._findings = findings
        self._known: set[tuple[str, str, str]] = set()

    def levels(self, place: Place) -> Iterator[ServiceLevel]:
        """Yield the service levels of one entry."""
        kind = kind_of(place)
        if not kind:
            return
        if kind not in _EXECUTED:
            self._skip(place, kind, f"the service level {place.text('property')[:40]}")
            return
        if kind == "availability":
            yield from self._availability(place)
            return
        length = length_at(place, self._findings)
        if length is not None and length.is_zero and kind == "freshness":
            self._findings.error(place.at("value"), "no length of time; expected more than 0")
        why_not = self._modified(place, kind)
        for found in self._elements(place):
            reason = why_not or self._unusable(found, kind, place)
            if reason:
                self._skip(place, kind, reason, found)
            elif isinstance(found, Found) and length is not None:
                promise = self._aged(kind, found, length, place)
                yield self._level(place, promise)

    def _level(self, place: Place, promise: MaxAge | Retention | Availability) -> ServiceLevel:
        return ServiceLevel(
            clause=place.clause,
            level_id=_level_id(place),
            name=place.text("property"),
            promise=promise,
            driver=place.text("driver"),
            description=place.text("description"),
        )

    def _aged(self, kind: str, found: Found, length: Length, place: Place) -> MaxAge | Retention:
        table, column = found.table.name, found.column.name
        if kind == "freshness":
            return MaxAge(table, column, length.fixed, length.calendar_months, length.whole_days)
        mode = self._modifier(place, "retentionMode")
        at_least = mode is not None and mode.value == RetentionMode.AT_LEAST
        return Retention(
            table,
            column,
            length.fixed,
            length.calendar_months,
            RetentionMode.AT_LEAST if at_least else RetentionMode.AT_MOST,
            self._existing_since(),
        )

    def _elements(self, place: Place) -> Iterator[Found | Unfound]:
        source = place if place.text("element") else self._root
        key = "element" if place.text("element") else "slaDefaultElement"
        written = [part.strip() for part in source.text(key).split(",") if part.strip()]
        if not written:
            found = default_element(self._tables)
            if isinstance(found, Unfound):
                self._findings.warn(place, f"{found.why}; expected 'element: table.column'")
            yield found
        for part in written:
            found = find_element(part, self._tables)
            if isinstance(found, Unfound) and found.is_wrong:
                self._findings.error(source.at(key), found.why)
            yield found

    def _unusable(self, found: Found | Unfound, kind: str, place: Place) -> str:
        if isinstance(found, Unfound):
            return found.why
        if found.table.name in self._tables.narrowed:
            return WHERE
        promise = (f"{kind}/{_level_id(place)}", found.table.name, found.column.name)
        if promise in self._known:
            return "the same service level again"
        self._known.add(promise)
        return ""

    def _modified(self, place: Place, kind: str) -> str:
        """Return which modifier would change the meaning of the check; else nothing."""
        understood = {"sla", "retentionMode"} if kind == "retention" else {"sla"}
        for entry in self._modifiers(place):
            name = entry[0]
            is_error = name == "severity" and entry[1].value == "error"
            if name not in understood and not is_error:
                return f"contractwatch.sla {name}"
        return ""

    def _modifier(self, place: Place, name: str) -> Place | None:
        found = [value for key, value in self._modifiers(place) if key == name]
        return found[0] if found else None

    def _modifiers(self, place: Place) -> Iterator[tuple[str, Place]]:
        """Yield what modifies an SLA property: in place (3.2), or at the root by its id."""
        for entry in place.at("customProperties").each():
            name = entry.text("property")
            if entry.text("vendor") == "contractwatch" or name.startswith("contractwatch."):
                yield name.removeprefix("contractwatch."), entry.at("value")
        listed = self._root.custom("sla")
        level_id = place.text("id")
        for entry in listed.each() if listed is not None and level_id else ():
            if entry.text("sla") == level_id:
                for key in entry.mapping():
                    yield key, entry.at(key)

    def _availability(self, place: Place) -> Iterator[ServiceLevel]:
        unit, value = place.text("unit").lower(), place.at("value")
        written = value.value.rstrip(" %") if isinstance(value.value, str) else value.value
        percent = number_of(written)
        if unit not in _PERCENT:
            shown = place.text("unit")[:40]
            self._findings.error(place.at("unit"), f"unknown unit '{shown}'; expected percent")
        if percent is None or not 0 <= percent <= _WHOLE:
            self._findings.error(value, "no share; expected a percentage from 0 to 100")
            return
        if 0 < percent <= _SUSPICIOUSLY_SMALL:
            message = f"{percent} is read as {percent} %; expected a percentage from 0 to 100"
            self._findings.warn(value, message)
        why_not = self._modified(place, "availability")
        if why_not or (f"availability/{_level_id(place)}", "", "") in self._known:
            self._skip(place, "availability", why_not or "the same service level again")
            return
        self._known.add((f"availability/{_level_id(place)}", "", ""))
        yield self._level(place, Availability(float(percent)))

    def _skip(
        self, place: Place, kind: str, why: str, found: Found | Unfound | None = None
    ) -> None:
        table, column = "-", None
        if isinstance(found, Found):
            table, column = found.table.name, found.column.name
        expected = place.text("description") or _words_of(place)
        promise = promised(kind, table, column, rule_id=_level_id(place), expected=expected)
        self._findings.skip(place, promise, why)

    def _existing_since(self) -> datetime | None:
        """Return when the product began: its general availability, else the contract's birth."""
        candidates = [
            place.at("value")
            for place in self._root.at("slaProperties").each()
            if place.text("property").lower() in {"generalavailability", "ga"}
        ]
        for place in (*candidates, self._root.at("contractCreatedTs")):
            if isinstance(place.value, str):
                moment = _moment(place.value)
                if moment is not None:
                    return moment
        return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words_of(place: Place) -> str:
    value = place.at("value").value
    shown = value if isinstance(value, str | int | float) else ""
    return f"{place.text('property')} {shown} {place.text('unit')}".strip()[:120]
