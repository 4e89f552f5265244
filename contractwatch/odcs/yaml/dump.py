"""Dump plain values as YAML that every reader takes for the same values.

PyYAML writes; the quotes are chosen here, for it leaves them out where readers of YAML 1.1 need
none, and readers of 1.2 would take some of these texts for other values.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")
_OTHER_BREAK = re.compile("[\x85\u2028\u2029]")
"""Line breaks of YAML 1.1: its readers lose them unless they are escaped."""

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


def dump_yaml(data: Mapping[str, object]) -> str:
    """Return the values as YAML, with keys in their order.

    A text stays a text for readers of YAML 1.1 and 1.2: what looks like a number, a date, a time of
    day or a boolean is quoted.
    """
    text: str = yaml.dump(
        dict(data),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=False,
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Dumps texts in quotes wherever that may matter, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS
    is_escaped = _OTHER_BREAK.search(value) is not None
    style = None if is_plain else "|" if "\n" in value else '"' if "'" in value else "'"
    # the type stubs of PyYAML leave the style open
    represent: Callable[..., yaml.ScalarNode] = dumper.represent_scalar  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return represent("tag:yaml.org,2002:str", value, style='"' if is_escaped else style)


_Dumper.add_representer(str, _text)
