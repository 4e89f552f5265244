"""The names of service levels: synonyms, short names, near misses."""

from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

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
_LIFECYCLE_NAMES = frozenset(
    {"generalavailability", "ga", "endofsupport", "es", "endoflife", "el", "endofservice"}
)
_NAMES = (
    *("latency", *_SYNONYMS.values()),
    *("generalAvailability", "endOfSupport", "endOfLife", "endOfService"),
)


def level_kind(level: YamlNode) -> str:
    """Return the kind of promise of a service level; empty if it is a lifecycle date."""
    name = level.text("property").lower()
    return "" if name in _LIFECYCLE_NAMES else _SYNONYMS.get(name, "serviceLevel")


def warn_if_misspelled(level: YamlNode, findings: Findings) -> None:
    """Warn if the name of a service level is a near miss of a known one."""
    name = level.text("property")
    if near := suggestion(name, _NAMES):
        message = f"unknown service level '{name[:40]}' is not executed{near}"
        findings.warn(level.at("property"), message)
