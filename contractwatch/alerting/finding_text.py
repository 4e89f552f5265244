"""One plain clause says what is wrong with a broken promise: `orders.amount: 3 of 10 rows below 0`.

A kind's own words of the promise (`no value below 0`) are turned into words of what was seen
(`below 0`). Where that does not apply, the observation and the limit are put side by side.
"""

from contractwatch.model.record.incident import BrokenPromise

_VERBS = {
    "required": ("", "null"),
    "nullValues": ("", "null"),
    "missingValues": ("", "without a value"),
    "invalidValues": ("", "with an invalid value"),
    "errorRate": ("", "against a rule"),
    "minLength": ("no text ", ""),
    "maxLength": ("no text ", ""),
    "minimum": ("no value ", ""),
    "maximum": ("no value ", ""),
    "exclusiveMinimum": ("every value ", "not "),
    "exclusiveMaximum": ("every value ", "not "),
    "multipleOf": ("every value a ", "no "),
    "enum": ("every value ", "not "),
    "pattern": ("every text matches ", "not like "),
    "format": ("every value has the format ", "not of the format "),
    "minItems": ("no array ", "with an array "),
    "maxItems": ("no array ", "with an array "),
    "uniqueItems": ("no value ", "with a value "),
    "minProperties": ("no ", "with "),
    "maxProperties": ("no ", "with "),
    "requiredProperties": ("no object ", "with an object "),
    "dimensions": ("every ", "not a "),
    "normalized": ("every ", "not a "),
}
"""Kind: how its promise begins, and what stands there in the words of what was seen."""

_WHOLE_WORDS = frozenset({"required", "nullValues", "missingValues", "invalidValues", "errorRate"})
_KEYS = frozenset({"unique", "primaryKey", "duplicateValues"})
_BY_REASON = frozenset(
    {
        "frequency",
        "reconcile",
        "referenceCoverage",
        "relationship",
        "segmentCompleteness",
        "throughput",
        "piiLeak",
    }
)
_IN_UNITS = frozenset({"freshness", "retention", "rowCount", "type", "physicalType", "presence"})
_NOTHING_ALLOWED = frozenset(
    f"{limit} 0 {unit}" for limit in ("exactly", "at most") for unit in ("rows", "%", "columns")
)
_OF_TYPE = "the column is of type "


def what_is_wrong(broken: BrokenPromise) -> str:
    """Return what is wrong, with the place first; no value of the data."""
    said = _counted(broken) or _keys(broken) or _other(broken)
    place = place_of(broken)
    return f"{place}: {said}" if place else said


def says_all(broken: BrokenPromise) -> bool:
    """Say whether the clause leaves nothing of the promise and of the reason to be told."""
    if not place_of(broken):
        return True
    return bool(_counted(broken)) or broken.kind in _BY_REASON | _IN_UNITS


def place_of(broken: BrokenPromise) -> str:
    """Return the table or its column; nothing for data that could not be read at all."""
    if broken.table in {"", "-"}:
        return ""
    return f"{broken.table}.{broken.column}" if broken.column else broken.table


def _counted(broken: BrokenPromise) -> str:
    """Return `3 of 10 rows below 0` for a check that counts rows; empty for another."""
    if broken.violations is None or broken.rows is None:
        return ""
    wrong = _wrong_rows(broken)
    if not wrong:
        return ""
    return f"{_rows_of(broken)} {wrong}{_limit(broken)}"


def _wrong_rows(broken: BrokenPromise) -> str:
    if broken.kind == "type":
        is_text = broken.observed.endswith(("row", "rows"))
        verb = "is" if broken.violations == 1 else "are"
        return f"{verb} no {broken.expected.removeprefix(_OF_TYPE)}" if is_text else ""
    begins, instead = _VERBS.get(broken.kind, ("", ""))
    if broken.kind in _WHOLE_WORDS:
        return instead
    if not begins or not broken.expected.startswith(begins):
        return ""
    return instead + broken.expected.removeprefix(begins)


def _keys(broken: BrokenPromise) -> str:
    if broken.kind not in _KEYS or broken.violations is None:
        return ""
    one = broken.violations == 1
    if "array" in broken.expected:
        said = "repeats a value in its array" if one else "repeat a value in their array"
    elif "keyless" in broken.reason:
        said = "repeats a key or has none" if one else "repeat a key or have none"
    else:
        said = "repeats a key" if one else "repeat a key"
    noun = "row" if one else "rows"
    return f"{broken.violations:,} {noun} {said}{_share(broken)}{_limit(broken)}"


def _other(broken: BrokenPromise) -> str:
    seen = broken.observed or broken.reason or "not kept"
    if not place_of(broken):
        because = broken.reason if broken.reason != seen else ""
        return f"{seen}: {because}" if because else f"{seen}, promised {broken.expected}"
    if broken.kind == "presence":
        return broken.expected.replace(" is present", " is missing")
    if broken.kind == "type":
        return f"of type {seen}, promised {broken.threshold or broken.expected}"
    if broken.kind == "rowCount":
        return f"{seen}, promised {broken.threshold.removesuffix(' rows') or broken.expected}"
    if broken.kind in _BY_REASON and broken.reason:
        return f"{broken.reason}{_limit(broken)}"
    return f"{seen}, promised {broken.threshold or broken.expected}"


def _rows_of(broken: BrokenPromise) -> str:
    noun = "row" if broken.rows == 1 else "rows"
    if broken.observed.endswith("%"):
        return f"{broken.observed} of {broken.rows:,} {noun}"
    return f"{broken.violations:,} of {broken.rows:,} {noun}"


def _share(broken: BrokenPromise) -> str:
    return f" ({broken.observed})" if broken.observed.endswith("%") else ""


def _limit(broken: BrokenPromise) -> str:
    if not broken.threshold or broken.threshold in _NOTHING_ALLOWED:
        return ""
    return f", promised {broken.threshold}"
