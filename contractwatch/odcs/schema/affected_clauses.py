"""Find the clauses that a mistake makes unusable: its own, and those that depend on it.

A removed clause may have limited others: a condition on rows, the type that values are compared as,
one column of a key. The clauses that it limited are removed with it, and never judged without it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import cast

from contractwatch.errors import Problem
from contractwatch.odcs.schema.key_synonyms import (
    COLUMN_IDENTITY_KEYS,
    COLUMN_LIST_KEYS,
    COLUMN_TYPE_KEYS,
    PARSING_KEYS,
    PRIMARY_KEY_KEYS,
    READ_POLICY_KEYS,
    ROW_FILTER_KEYS,
    ROW_PROMISE_KEYS,
    SERVER_KEYS,
    TABLE_IDENTITY_KEYS,
    is_similar,
    letters_of,
)
from contractwatch.odcs.schema.nested import walk_fields
from contractwatch.odcs.values.level_names import level_kind
from contractwatch.odcs.values.literals import TEMPORAL, logical_type_of
from contractwatch.odcs.yaml.node import YamlNode, extension_name, unprefixed_name

EXTRA_COLUMNS_SUFFIX = "#extraColumns"
"""Follows the path of a table: the promise that it has no other columns, wherever it is written."""

_IDENTITY = ("id", "version", "kind", "apiVersion", "name", "domain", "dataProduct")
_OWNER = re.compile(
    r"(?P<table>schema\[\d+\])(?P<column>(?:\.properties\[\d+\]|\.items|\.map\.(?:key|value))*)"
    r"(?:\.(?P<rest>.*))?",
    re.DOTALL,
)
_PEOPLE = re.compile(r"(?:team(?:\.members)?|support|roles|authoritativeDefinitions)\[\d+\]")
_SERVER = re.compile(r"servers\[\d+\]")
_ENTRY = re.compile(r"(?:quality|relationships)\[\d+\]")

_GENERAL_AVAILABILITY = frozenset({"generalavailability", "ga"})
_HARMLESS = frozenset({"schemaMode", "incremental", "entity", "receiver", "budgetPolicy", "trust"})
_REQUIRED_ANTONYMS = frozenset({"optional", "nullable", "isnullable", "notnull", "mandatory"})
_DESCRIPTIVE = frozenset(
    {"id", "name", "description", "businessImpact", "tags", "method", "authoritativeDefinitions"}
)


class NoValidPartError(Exception):
    """Nothing of the contract can be judged because of a mistake."""


class AffectedClauses:
    """Finds the paths of one document that cannot be judged because of a mistake."""

    def __init__(self, root: YamlNode, fatal_paths: frozenset[str]) -> None:
        """Index the upgraded document; a mistake at a fatal path rejects the whole contract."""
        self._root = root
        self._fatal_paths = fatal_paths
        self._column_name_counts: dict[str, Counter[str]] = {}
        self._rule_arguments_cache: dict[str, tuple[tuple[str, Mapping[str, object]], ...]] = {}
        self._primary_key_cache: dict[str, tuple[str, ...]] = {}
        self._repeated_keys = {mistake.path for mistake in root.document.mistakes}

    def paths_of(self, problem: Problem) -> frozenset[str]:
        """Return the paths that are not judged because of a mistake.

        Raises:
            NoValidPartError: If it costs the contract.
        """
        path = problem.path
        top = _first_key(path)
        if path in self._fatal_paths or not path or top in _IDENTITY:
            raise NoValidPartError
        return frozenset(self._affected(path, top))

    def _affected(self, path: str, top: str) -> Iterator[str]:
        owner, people = _OWNER.fullmatch(path), _PEOPLE.match(path)
        if owner is not None:
            yield from self._in_table(path, owner)
        elif path.startswith("servers["):
            yield from self._in_server(path)
        elif path.startswith("slaProperties["):
            yield from self._with_retentions(self._at(_first_entry(path)))
        elif path.startswith("customProperties"):
            yield from self._in_contract_extension(path)
        else:
            yield people.group() if people else path
            yield from self._by_top_key(top)

    def _by_top_key(self, top: str) -> Iterator[str]:
        """Yield what depends on a top-level key of the contract."""
        if is_similar(top, ("customProperties",)) and "sla" in _extension_names(
            self._root.at(top).value
        ):
            yield from self._modified_levels("")
        if is_similar(top, ("slaDefaultElement",)):
            yield from self._levels_without_element()
        if top == "contractCreatedTs":
            yield from self._retentions()

    def _in_table(self, path: str, owner: re.Match[str]) -> Iterator[str]:
        table, above = self._at(owner["table"]), owner["table"] + owner["column"]
        rest = owner["rest"] or ""
        entry = _ENTRY.match(rest)
        key = _first_key(rest)
        if entry is not None:
            yield f"{above}.{entry.group()}"
        elif owner["column"]:
            yield from self._in_column(path, table, self._at(above), rest)
        else:
            yield from self._in_table_key(path, table, rest)
        if not key or is_similar(
            key, (*ROW_PROMISE_KEYS, *COLUMN_IDENTITY_KEYS, *COLUMN_TYPE_KEYS)
        ):
            yield from self._error_rates(table)

    def _error_rates(self, table: YamlNode) -> Iterator[str]:
        """Yield the error rates of a table: they count rows over all of its promises."""
        names = {table.text("name"), table.text("physicalName")}
        for path, about in self._error_rate_levels:
            if about == frozenset({""}) or not about.isdisjoint(names):
                yield path

    @cached_property
    def _error_rate_levels(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """The error rates of the contract, with the tables of each."""
        levels = (one for one in self._root.at("slaProperties").each() if one.mapping())
        return tuple(
            (one.path, frozenset(part.strip() for part in one.text("element").split(",")))
            for one in levels
            if level_kind(one) == "errorRate"
        )

    def _in_table_key(self, path: str, table: YamlNode, rest: str) -> Iterator[str]:
        key = _first_key(rest)
        if key == "name" and table.text("name") and path not in self._repeated_keys:
            raise NoValidPartError  # a duplicate or an invalid name
        if not rest or is_similar(key, TABLE_IDENTITY_KEYS):
            yield table.path
        elif key != "customProperties" and is_similar(key, ("customProperties",)):
            yield path
            value = table.at(key).value
            if set(_extension_names(value)) - _HARMLESS or _may_restrict(table.at(key)):
                yield table.path
        elif is_similar(key, COLUMN_LIST_KEYS):
            yield path
            yield from self._needing_all_columns(table, is_key=True)
        elif key == "customProperties":
            yield from self._in_table_extension(rest, table)
        else:
            yield path

    def _in_table_extension(self, rest: str, table: YamlNode) -> Iterator[str]:
        entry, names = self._extension_at(f"{table.path}.{rest}", table)
        yield entry.path
        if "schemaMode" in names:
            yield f"{table.path}{EXTRA_COLUMNS_SUFFIX}"
        is_named = isinstance(entry.at("property").value, str)
        if not is_named and not names and _may_restrict(entry):
            yield table.path
        for name in names - _HARMLESS:
            if is_similar(name, ("kept", *ROW_FILTER_KEYS)) or _is_condition(
                entry.at("value").value
            ):
                yield table.path

    def _in_column(self, path: str, table: YamlNode, column: YamlNode, rest: str) -> Iterator[str]:
        key = _first_key(rest)
        is_named = key == "name" and column.text("name") and path not in self._repeated_keys
        if is_named and not self._is_repeated(column):
            raise NoValidPartError  # an invalid name
        if letters_of(key) in _REQUIRED_ANTONYMS:
            yield path
        elif not rest or is_similar(key, COLUMN_IDENTITY_KEYS):
            yield from self._whole_column(table, column)
        elif key == "logicalTypeOptions":
            yield from self._in_options(rest, table, column)
        elif key == "customProperties":
            yield from self._in_column_extension(path, table, column)
        else:
            yield f"{column.path}.{key}" if key in {"enum", "map", "classification"} else path
            yield from self._by_column_key(key, table, column)

    def _by_column_key(self, key: str, table: YamlNode, column: YamlNode) -> Iterator[str]:
        """Yield what depends on a key of a column."""
        is_said = letters_of(key) in {"type", "datatype"} and column.has("logicalType")
        if not is_said and is_similar(key, COLUMN_TYPE_KEYS):
            yield from self._value_promises(table, column)
        if is_similar(key, PRIMARY_KEY_KEYS):
            yield from self._primary_key_paths(table)
        if is_similar(key, ("classification",)):
            yield from self._pii_rules(table)
        if is_similar(key, ("partitioned",)):
            yield from self._levels_without_element()

    def _in_column_extension(self, path: str, table: YamlNode, column: YamlNode) -> Iterator[str]:
        entry, names = self._extension_at(path, column)
        yield entry.path
        if any(is_similar(name, ("pii", "allow")) for name in names) or _is_single_value(entry):
            yield from self._pii_rules(table)
        if any(is_similar(name, ("kept", *ROW_FILTER_KEYS)) for name in names):
            yield from self._whole_column(table, column)

    def _is_repeated(self, column: YamlNode) -> bool:
        above = column.path.rpartition(".")[0]
        if above not in self._column_name_counts:
            beside = self._at(above).at("properties").each()
            self._column_name_counts[above] = Counter(one.text("name") for one in beside)
        return self._column_name_counts[above][column.text("name")] > 1

    def _in_options(self, rest: str, table: YamlNode, column: YamlNode) -> Iterator[str]:
        options = f"{column.path}.logicalTypeOptions"
        option = _first_key(rest.removeprefix("logicalTypeOptions").lstrip("."))
        yield (
            f"{options}.{option}"
            if option in column.at("logicalTypeOptions").mapping()
            else (f"{column.path}.{rest}")
        )
        kind = logical_type_of(column)
        is_parsed = kind in TEMPORAL or kind is None
        if is_parsed and (not option or is_similar(option, PARSING_KEYS)):
            yield from self._value_promises(table, column)

    def _whole_column(self, table: YamlNode, column: YamlNode) -> Iterator[str]:
        """Yield a column, and what needs to know all columns or the primary key."""
        yield column.path
        # without a name it may be what is left of any column, one of the key included
        is_key = column.at("primaryKey").value not in (None, False) or not column.text("name")
        yield from self._needing_all_columns(table, is_key=is_key)

    def _needing_all_columns(self, table: YamlNode, *, is_key: bool) -> Iterator[str]:
        yield f"{table.path}{EXTRA_COLUMNS_SUFFIX}"
        for rule in table.at("quality").each():
            if rule.at("implementation").mapping().get("includeUndeclared"):
                yield rule.path
        if is_key:
            yield from self._primary_key_paths(table)

    def _primary_key_paths(self, table: YamlNode) -> tuple[str, ...]:
        """Return the paths that declare the primary key of a table.

        They are cached per table, because each of its columns may be wrong.
        """
        found = self._primary_key_cache.get(table.path)
        if found is None:
            keys = (column.path for column in _columns(table) if column.has("primaryKey"))
            found = self._primary_key_cache[table.path] = tuple(
                f"{path}.primaryKey" for path in keys
            )
        return found

    def _value_promises(self, table: YamlNode, column: YamlNode) -> Iterator[str]:
        """Yield the promises about values of a column whose type or format is not known."""
        for key in ("logicalType", "logicalTypeOptions", "enum", "relationships"):
            if column.has(key):
                yield f"{column.path}.{key}"
        for rule in column.at("quality").each():
            if rule.text("metric") not in {"nullValues", "duplicateValues"}:
                yield rule.path
        names = {column.text("name"), column.text("physicalName")} - {""}
        yield from self._about_columns(table, names)
        yield from self._pii_rules(table)
        if column.flag("partitioned"):
            yield from self._levels_without_element()

    def _about_columns(self, table: YamlNode, names: set[str]) -> Iterator[str]:
        """Yield whatever names one of these columns and is about its values."""
        for path, arguments in self._arguments_of_rules(table):
            if _mentions(arguments, names):
                yield path
        for entry in table.at("customProperties").each():
            if _mentions(entry.value, names):
                yield table.path if extension_name(entry) == "where" else entry.path
        yield from self._levels_about(names)

    def _arguments_of_rules(self, table: YamlNode) -> tuple[tuple[str, Mapping[str, object]], ...]:
        """Return the rules and relationships of a table that may name columns, and what they ask.

        They are cached per table, because each column that is wrong asks for them.
        """
        found = self._rule_arguments_cache.get(table.path)
        if found is None:
            found = self._rule_arguments_cache[table.path] = tuple(_rule_arguments(table))
        return found

    def _levels_about(self, names: set[str]) -> Iterator[str]:
        for level, texts in self._level_texts:
            if _mentions(texts, names):
                yield from self._with_retentions(level)
        for entry in self._modifiers():
            if _mentions(entry.value, names):
                yield from self._modified_levels(entry.text("sla"))
        if _mentions(self._root.text("slaDefaultElement"), names):
            yield from self._levels_without_element()

    @cached_property
    def _level_texts(self) -> tuple[tuple[YamlNode, list[object]], ...]:
        """The service levels, with the parts of each that may name columns."""
        return tuple(
            (level, [level.text("element"), level.at("customProperties").value])
            for level in self._root.at("slaProperties").each()
        )

    def _pii_rules(self, table: YamlNode) -> Iterator[str]:
        """Yield the rules about personal data: they need to know where it is allowed."""
        for rule in table.at("quality").each():
            if rule.at("implementation").text("check") == "piiLeak":
                yield rule.path

    def _in_server(self, path: str) -> Iterator[str]:
        """Yield the server if the mistake may change how it is read, else the path alone."""
        server = self._at(_first_entry(path))
        key = _first_key(path.removeprefix(server.path).lstrip("."))
        is_own = key == "customProperties" and self._is_read_policy(
            *self._extension_at(path, server)
        )
        if is_similar(key, ("customProperties",)) and key != "customProperties":
            is_own = self._is_read_policy(
                server.at(key), set(_extension_names(server.at(key).value))
            )
        if not key or is_own or key in SERVER_KEYS[:3] or self._affects_reading(server, key):
            yield server.path
        else:
            yield path

    def _is_read_policy(self, entry: YamlNode, names: set[str]) -> bool:
        """Return whether an entry is, or may be meant as, the policy by which files are read."""
        says = entry.at("value").mapping() or entry.mapping()
        return (
            bool(names)
            or _is_single_value(entry)
            or any(is_similar(key, READ_POLICY_KEYS) for key in says)
        )

    def _affects_reading(self, server: YamlNode, key: str) -> bool:
        where = {"local": "path", "s3": "location"}.get(server.text("type"), "")
        if key in {"path", "location"}:
            return key == where or not where
        return key in SERVER_KEYS or is_similar(
            key, (where, "format", "delimiter", *READ_POLICY_KEYS)
        )

    def _in_contract_extension(self, path: str) -> Iterator[str]:
        entry, names = self._extension_at(path, self._root)
        inside = re.match(r"(customProperties\[\d+\]\.value(?:\.routes)?\[\d+\])", path)
        is_named = isinstance(entry.at("property").value, str)
        modifies = any(one.has("sla") for one in entry.at("value").each())
        if "schemaMode" in names:
            yield from (
                f"{one.path}{EXTRA_COLUMNS_SUFFIX}" for one in self._root.at("schema").each()
            )
        is_sla = any(is_similar(name, ("sla",)) for name in names) or _is_single_value(entry)
        if is_sla or (modifies and not is_named):
            item = self._at(inside.group(1)) if inside else None
            level_id = item.text("sla") if item else ""
            yield item.path if item else entry.path
            yield from self._modified_levels(level_id)
        else:
            yield inside.group(1) if inside else entry.path

    def _extension_at(self, path: str, owner: YamlNode) -> tuple[YamlNode, set[str]]:
        """Return an entry of `customProperties`, or all of them, and the extensions in it."""
        found = re.match(r"\.?customProperties(\[\d+\])?", path.removeprefix(owner.path))
        where = f"{owner.path}." if owner.path else ""
        entry = self._at(f"{where}customProperties{found[1] or '' if found else ''}")
        name = extension_name(entry)
        return entry, {unprefixed_name(name) or name} if name else set(
            _extension_names(entry.value)
        )

    def _modifiers(self) -> tuple[YamlNode, ...]:
        listed = self._root.extension("sla")
        return listed.each() if listed is not None else ()

    def _modified_levels(self, level_id: str) -> Iterator[str]:
        """Yield the service level with an id; every level that has an id, if that is not known."""
        for level in self._root.at("slaProperties").each():
            written = level.text("id")
            if written and level_id in ("", written):
                yield from self._with_retentions(level)

    def _with_retentions(self, level: YamlNode) -> Iterator[str]:
        yield level.path
        if level.text("property").lower() in _GENERAL_AVAILABILITY:
            yield from self._retentions()

    def _retentions(self) -> Iterator[str]:
        """Yield the retentions: they are judged from the day on which the product began."""
        for level in self._root.at("slaProperties").each():
            if level.mapping() and level_kind(level) == "retention":
                yield level.path

    def _levels_without_element(self) -> Iterator[str]:
        for level in self._root.at("slaProperties").each():
            if level.mapping() and not level.text("element"):
                yield level.path

    def _at(self, path: str) -> YamlNode:
        """Return the node at a path of known keys."""
        node = self._root
        for key, index in re.findall(r"([A-Za-z]+)|\[(\d+)\]", path):
            if key:
                node = node.at(key)
            else:
                items, number = node.value, int(index)
                is_there = isinstance(items, list) and number < len(cast("list[object]", items))
                value = cast("list[object]", items)[number] if is_there else None
                node = YamlNode(node.document, f"{node.path}[{index}]", value)
        return node


def _columns(node: YamlNode) -> Iterator[YamlNode]:
    """Yield every column of a table, and every value below them."""
    for column in node.at("properties").each():
        yield from (inner.node for inner in walk_fields(column))


def _rule_arguments(table: YamlNode) -> Iterator[tuple[str, Mapping[str, object]]]:
    for one in (table, *_columns(table)):
        for entry in (*one.at("quality").each(), *one.at("relationships").each()):
            if not entry.text("metric"):
                texts = entry.mapping().items()
                yield entry.path, {key: item for key, item in texts if key not in _DESCRIPTIVE}


def is_server_path(path: str) -> bool:
    """Return whether a path is that of a server."""
    return _SERVER.fullmatch(path) is not None


def server_path_of(path: str) -> str:
    """Return the path of the server that a path belongs to; empty if it belongs to none."""
    found = _SERVER.match(path)
    return found.group() if found is not None else ""


def _first_entry(path: str) -> str:
    return path[: path.index("]") + 1]


def _first_key(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _is_single_value(node: YamlNode) -> bool:
    """Return whether a single value is where a list should be, so that its meaning is not known."""
    is_single = node.value is not None and not isinstance(node.value, dict | list)
    return is_single and not node.path.endswith("]")


def _may_restrict(node: YamlNode) -> bool:
    """Return whether something malformed may have been meant as a condition on rows."""
    return _is_single_value(node) or _holds_condition(node.value)


def _holds_condition(value: object) -> bool:
    if isinstance(value, dict):
        inside = cast("dict[str, object]", value).items()
        return any(is_similar(key, ROW_FILTER_KEYS) or _holds_condition(one) for key, one in inside)
    if isinstance(value, list):
        return any(map(_holds_condition, cast("list[object]", value)))
    return _is_condition(value)


def _is_condition(value: object) -> bool:
    return isinstance(value, str) and bool(
        re.search(r"[=<>]|\b(in|is|like|between)\b", value, re.I)
    )


def _mentions(value: object, names: set[str]) -> bool:
    words = "|".join(map(re.escape, names))
    search = re.compile(rf"(?<![A-Za-z0-9_])(?:{words})(?![A-Za-z0-9_])", re.IGNORECASE)
    return bool(names) and any(search.search(text) for text in _texts(value))


def _extension_names(value: object) -> Iterator[str]:
    for text in _texts(value):
        if name := unprefixed_name(text):
            yield name


def _texts(value: object) -> Iterator[str]:
    """Yield every text and key in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)
