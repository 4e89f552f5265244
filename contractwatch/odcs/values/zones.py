"""Check the names of time zones."""

import re
from functools import cache
from zoneinfo import ZoneInfo

from contractwatch.odcs.yaml.node import Findings, YamlNode

UTC_NAME = "Etc/UTC"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


@cache
def is_zone(name: str) -> bool:
    """Return whether a time zone is known by that IANA name."""
    if not _NAME.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def zone_at(node: YamlNode, key: str, default: str, findings: Findings) -> str:
    """Return the time zone at a key, else the default; an unknown one is an error."""
    name = node.text(key)
    if not name:
        return default
    if not is_zone(name):
        message = f"unknown time zone '{name[:60]}'; expected an IANA name such as Europe/Amsterdam"
        findings.error(node.at(key), message)
        return default
    return name
