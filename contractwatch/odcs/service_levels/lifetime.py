"""Read from the service levels when a product is first and last served."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise

from contractwatch.model.contract.contract import Status
from contractwatch.model.promises.lifetime import LifecycleStage, Lifetime
from contractwatch.odcs.service_levels.level_values import MIN_YEAR, parse_moment
from contractwatch.odcs.yaml.node import Findings, YamlNode

_GENERAL_AVAILABILITY = frozenset({"generalavailability", "ga"})
_END_OF_SUPPORT = frozenset({"endofsupport", "endofservice", "es"})
_END_OF_LIFE = frozenset({"endoflife", "el"})
_NAMES = {
    "generalAvailability": _GENERAL_AVAILABILITY,
    "endOfSupport": _END_OF_SUPPORT,
    "endOfLife": _END_OF_LIFE,
}


@dataclass(frozen=True, slots=True)
class _Date:
    """A date of the product's life and its node."""

    name: str
    node: YamlNode
    moment: datetime


def read_lifetime(root: YamlNode, today: date | None, findings: Findings) -> Lifetime:
    """Read the dates of a product's life; the first of each kind counts.

    With `today`, a status that contradicts them is a warning.
    """
    dates = {
        name: found
        for name, words in _NAMES.items()
        if (found := _date(root, name, words, findings)) is not None
    }
    _warn_order(tuple(dates.values()), findings)
    moments = [dates[name].moment if name in dates else None for name in _NAMES]
    life = dates.get("endOfLife")
    lifetime = Lifetime(*moments, life_clause=life.node.clause if life else None)
    if today is not None:
        _warn_status(root, lifetime, today, findings)
    return lifetime


def _date(root: YamlNode, name: str, words: frozenset[str], findings: Findings) -> _Date | None:
    for level in root.at("slaProperties").each():
        if level.text("property").lower() in words:
            written = level.at("value")
            moment = parse_moment(written.value) if isinstance(written.value, str) else None
            if moment is None:
                message = (
                    f"no date from {MIN_YEAR} on is read here; "
                    "expected ISO-8601 such as '2030-12-31'"
                )
                findings.warn(written if level.has("value") else level, message)
                return None
            return _Date(name, level, moment)
    return None


def _warn_order(dates: tuple[_Date, ...], findings: Findings) -> None:
    for earlier, later in pairwise(dates):
        if later.moment < earlier.moment:
            message = f"{later.name} is before {earlier.name}; expected it later"
            findings.warn(later.node.at("value"), message)


def _warn_status(root: YamlNode, lifetime: Lifetime, today: date, findings: Findings) -> None:
    written = root.text("status").lower()
    if written not in Status.__members__.values():
        return
    noon = datetime.combine(today, time(12), UTC)  # a date is valid from its midnight on
    for message in _status_warnings(Status(written), lifetime, lifetime.stage_at(noon)):
        findings.warn(root.at("status"), message)


def _status_warnings(status: Status, lifetime: Lifetime, stage: LifecycleStage) -> Iterator[str]:
    match stage:
        case LifecycleStage.UPCOMING if status is Status.ACTIVE:
            since = _day(lifetime.general_availability)
            yield f"active before the general availability on {since}; expected 'draft' until then"
        case LifecycleStage.UNSUPPORTED if status not in {Status.DEPRECATED, Status.RETIRED}:
            ended = _day(lifetime.end_of_support)
            yield f"the support ended on {ended}; expected the status 'deprecated'"
        case LifecycleStage.ENDED if status is not Status.RETIRED:
            yield f"the life ended on {_day(lifetime.end_of_life)}; expected the status 'retired'"
        case _:
            return


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else "an unknown day"
