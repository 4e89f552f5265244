"""Check that the entries of a list have names, each only once."""

from collections.abc import Iterable

from contractwatch.odcs.yaml.node import Findings, YamlNode


def with_names(listed: YamlNode, key: str, findings: Findings) -> list[YamlNode]:
    """Return the entries of a list that have a name at a key; report empty names."""
    found: list[YamlNode] = []
    for entry in listed.each():
        if entry.text(key):
            found.append(entry)
        elif isinstance(entry.at(key).value, str):
            findings.error(entry.at(key), f"the {key} is empty; expected some text")
    return found


def check_unique(nodes: Iterable[YamlNode], key: str, what: str, findings: Findings) -> None:
    """Report entries whose name an earlier entry has."""
    known: dict[str, YamlNode] = {}
    for node in nodes:
        name = node.text(key)
        if not name:
            continue
        first = known.setdefault(name, node)
        if first is not node:
            line = first.at(key).clause.line
            message = f"duplicate {what} '{name[:60]}', also in line {line}; expected another {key}"
            findings.error(node.at(key), message)
