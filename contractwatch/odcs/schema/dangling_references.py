"""Find the relationships that lead to a table which was removed because of a mistake."""

from collections.abc import Iterator, Mapping

from contractwatch.errors import Problem
from contractwatch.odcs.schema.nested import walk_fields
from contractwatch.odcs.yaml.node import YamlNode


def references_to_removed(root: YamlNode, removed: Mapping[str, Problem]) -> dict[str, Problem]:
    """Return the relationships to removed tables, each with the mistake that removed the table."""
    tables = [table for table in root.at("schema").each() if table.mapping()]
    starts = {start: removed[t.path] for t in tables if t.path in removed for start in _starts(t)}
    if not starts:
        return {}
    found: dict[str, Problem] = {}
    for table in tables:
        for entry in _entries(table):
            named = (entry.text("to"), *entry.texts("to"), entry.text("from"), *entry.texts("from"))
            for text in named:
                cause = next((why for start, why in starts.items() if text.startswith(start)), None)
                if cause is not None and table.path not in removed:
                    found.setdefault(entry.path, cause)
    return found


def _starts(table: YamlNode) -> Iterator[str]:
    """Yield the prefixes of references to columns of a table."""
    yield from (f"{table.text(key)}." for key in ("name", "physicalName") if table.text(key))
    if table.text("id"):
        yield from (f"{slash}schema/{table.text('id')}/" for slash in ("", "/"))


def _entries(table: YamlNode) -> Iterator[YamlNode]:
    yield from table.at("relationships").each()
    for column in table.at("properties").each():
        for inner in walk_fields(column):
            yield from inner.node.at("relationships").each()
