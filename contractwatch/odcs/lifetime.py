"""When a product begins and ends to be served is read from its service levels."""

from datetime import datetime

from contractwatch.model.service_level import Lifetime
from contractwatch.odcs.level_values import moment_of
from contractwatch.odcs.place import Findings, Place

_AVAILABLE = frozenset({"generalavailability", "ga"})
_SUPPORTED = frozenset({"endofsupport", "endofservice", "es"})
_ALIVE = frozenset({"endoflife", "el"})


def read_lifetime(root: Place, findings: Findings) -> Lifetime:
    """Return the dates of a product's life; the first of each kind counts."""
    return Lifetime(
        _moment(root, _AVAILABLE, findings),
        _moment(root, _SUPPORTED, findings),
        _moment(root, _ALIVE, findings),
    )


def _moment(root: Place, names: frozenset[str], findings: Findings) -> datetime | None:
    for level in root.at("slaProperties").each():
        if level.text("property").lower() in names:
            written = level.at("value")
            moment = moment_of(written.value) if isinstance(written.value, str) else None
            if moment is None:
                message = "no date is read here; expected ISO-8601 such as '2030-12-31'"
                findings.warn(written if level.has("value") else level, message)
            return moment
    return None
