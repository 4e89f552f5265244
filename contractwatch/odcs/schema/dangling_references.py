"""Find the relationships that lead to a table or a column which was removed for a mistake."""

from collections.abc import Iterator, Mapping

from contractwatch.errors import Problem
from contractwatch.odcs.schema.nested import walk_fields
from contractwatch.odcs.yaml.node import YamlNode


def references_to_removed(root: YamlNode, removed: Mapping[str, Problem]) -> dict[str, Problem]:
    """Return the relationships to what was removed, each with the mistake that it was removed for.

    A relationship that is itself part of a removed table or column is left out.
    """
    tables = [table for table in root.at("schema").each() if table.mapping()]
    causes = {
        written: removed[path]
        for table in tables
        for path, written in _references_in(table)
        if path in removed
    }
    if not causes:
        return {}
    found: dict[str, Problem] = {}
    for entry in (entry for table in tables for entry in _entries(table)):
        named = (entry.text("to"), *entry.texts("to"), entry.text("from"), *entry.texts("from"))
        cause = next((why for text in named if (why := _cause(text, causes)) is not None), None)
        if cause is not None and not _is_below(entry.path, removed):
            found.setdefault(entry.path, cause)
    return found


def _references_in(table: YamlNode) -> Iterator[tuple[str, str]]:
    """Yield the path of a table and of each column in it, with each way to refer to it."""
    names = [table.text(key) for key in ("name", "physicalName") if table.text(key)]
    by_id = f"schema/{table.text('id')}" if table.text("id") else ""
    yield from ((table.path, one) for one in (*names, *filter(None, [by_id])))
    for column in table.at("properties").each():
        keys = [column.text(key) for key in ("name", "physicalName") if column.text(key)]
        yield from ((column.path, f"{name}.{key}") for name in names for key in keys)
        if by_id and column.text("id"):
            yield column.path, f"{by_id}/properties/{column.text('id')}"


def _cause(reference: str, causes: Mapping[str, Problem]) -> Problem | None:
    """Return why what a reference leads to, or what that is part of, was removed."""
    ends = [at for at, letter in enumerate(reference) if letter in "./["]
    starts = (reference[:end] for end in (*ends, len(reference)))
    return next((causes[one.strip("/")] for one in starts if one.strip("/") in causes), None)


def _is_below(path: str, removed: Mapping[str, Problem]) -> bool:
    ends = [at for at, letter in enumerate(path) if letter in ".["]
    return any(path[:end] in removed for end in ends)


def _entries(table: YamlNode) -> Iterator[YamlNode]:
    yield from table.at("relationships").each()
    for column in table.at("properties").each():
        for inner in walk_fields(column):
            yield from inner.node.at("relationships").each()
