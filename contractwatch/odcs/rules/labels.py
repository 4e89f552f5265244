"""Read the labels of tables, columns and rules, by which a person selects promises."""

from collections.abc import Iterator

from contractwatch.model.base.label import Label
from contractwatch.odcs.rules.rules import rule_id_of
from contractwatch.odcs.yaml.node import YamlNode


def read_labels(root: YamlNode) -> tuple[Label, ...]:
    """Read the labels of all tables, columns at any depth, and rules, in the order of the file."""
    tables = (node for node in root.at("schema").each() if node.text("name"))
    return tuple(label for table in tables for label in _of_table(table, table.text("name")))


def _of_table(table: YamlNode, name: str) -> Iterator[Label]:
    yield Label(table.path, name, tags=table.texts("tags"))
    yield from _rules(table, name, None)
    for column in table.at("properties").each():
        yield from _of_column(column, name, column.text("name"))


def _of_column(column: YamlNode, table: str, path: str) -> Iterator[Label]:
    yield Label(column.path, table, path, tags=column.texts("tags"))
    yield from _rules(column, table, path)
    for inner in column.at("properties").each():
        yield from _of_column(inner, table, f"{path}.{inner.text('name')}")
    if column.has("items"):
        yield from _of_column(column.at("items"), table, f"{path}[]")
    for part in ("key", "value"):
        if column.at("map").has(part):
            yield from _of_column(column.at("map").at(part), table, f"{path}.{part}")


def _rules(owner: YamlNode, table: str, column: str | None) -> Iterator[Label]:
    for rule in owner.at("quality").each():
        if rule.mapping():
            by_engine = rule.text("type") == "custom"
            tags = rule.texts("tags")
            yield Label(rule.path, table, column, rule_id_of(rule), tags, by_engine)
