"""Word what is wrong with a broken promise: `orders.amount: 3 of 10 rows below 0`.

A promise brings the words of what breaks it (`below 0`), and the verdict the counts. Where a kind
has no such words, the observation and the limit are put side by side.
"""

from contractwatch.model.record.incident import BrokenPromise

_KEYS = {
    "unique": ("repeats a key", "repeat a key"),
    "duplicateValues": ("repeats a key", "repeat a key"),
    "primaryKey": ("repeats a key or has none", "repeat a key or have none"),
}
"""What one row does, and what several do."""

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
    if broken.kind == "type" and broken.violation:
        return f"{'is' if broken.violations == 1 else 'are'} {broken.violation}"
    return broken.violation


def _keys(broken: BrokenPromise) -> str:
    if broken.kind not in _KEYS or broken.violations is None:
        return ""
    one, many = _KEYS[broken.kind]
    noun, said = ("row", one) if broken.violations == 1 else ("rows", many)
    return f"{broken.violations:,} {noun} {said}{_share(broken)}{_limit(broken)}"


def _other(broken: BrokenPromise) -> str:
    seen = broken.observed or broken.reason or "not kept"
    if not place_of(broken):
        because = broken.reason if broken.reason != seen else ""
        return f"{seen}: {because}" if because else f"{seen}, promised {broken.expected}"
    if broken.kind == "presence":
        return broken.violation or broken.reason or seen
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
