"""Validate a document against the official schema of ODCS and those of our extensions."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, cast

from contractwatch.errors import Problem
from contractwatch.odcs.compat.roundtrip import restore_kept
from contractwatch.odcs.compat.upgrade import allows_any_key, upgraded_data
from contractwatch.odcs.jsonschema.schema import VERSIONS, contract_validator, extension_validators
from contractwatch.odcs.jsonschema.schema_error_messages import schema_errors
from contractwatch.odcs.yaml.document import Document
from contractwatch.odcs.yaml.node import (
    Findings,
    YamlNode,
    extension_name,
    suggestion,
    unprefixed_name,
)

NEWEST_VERSION = "v3.2.0"
MAX_SCHEMA_ERRORS = 1_000
"""Errors of the official schema in one document; a file with more is no contract."""
_ANY_VERSION_3 = re.compile(r"v3\.\d+\.\d+")
_SHORT_VERSION_3 = re.compile(r"[vV]?(3\.\d+)(\.\d+)?")


def validate(document: Document) -> tuple[Problem, ...]:
    """Return all errors and warnings of the official schema about a document, by line.

    Raises:
        ContractError: Never; a document of another kind is one problem of its own.
    """
    findings = Findings(document, "")
    upgrade_and_validate(document, findings)
    return tuple(findings.problems)


def upgrade_and_validate(document: Document, findings: Findings) -> Document:
    """Return the document in the newest version's forms, and add schema errors to the findings."""
    document = _with_whole_version(document, findings)
    root = YamlNode(document, "", document.data)
    if not _is_readable(root, findings):
        return document
    document = restore_kept(document)
    document = replace(document, data=upgraded_data(document, findings))
    add_schema_errors(document, findings)
    return document


def add_schema_errors(document: Document, findings: Findings) -> None:
    """Add what the schemas reject in an upgraded document, except at removed paths."""
    data = document.data
    seen: set[tuple[str, str]] = set()
    found = schema_errors(contract_validator(), _as_newest_version(data), document, "")
    for number, (path, message) in enumerate(islice(found, MAX_SCHEMA_ERRORS), 1):
        if number == MAX_SCHEMA_ERRORS:
            findings.fatal_paths.add(path)  # later errors are not known
        is_known = (path, message) in seen or path in findings.removed_paths
        if not is_known and not _is_tolerated(data, path):
            seen.add((path, message))
            _add_error(YamlNode(document, path, None), message, findings)
    _check_extensions(YamlNode(document, "", data), findings)


def _add_error(node: YamlNode, message: str, findings: Findings) -> None:
    if message.startswith("unknown key") and allows_any_key(node.document, node.path):
        unknown = message.partition("; expected one of")[0]
        findings.warn(node, f"{unknown}; ODCS 3.0 allows any key here, and it is not used")
    else:
        findings.error(node, message)


def _with_whole_version(document: Document, findings: Findings) -> Document:
    """Return the document with `3.1.0`, `v3.1` or `3.1` as its version spelled out, and warn."""
    value = document.data.get("apiVersion")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    written = document.written.get("apiVersion", "") if is_number else value
    found = _SHORT_VERSION_3.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        return document
    minor, patch = found.groups()
    known = [one for one in VERSIONS if one.startswith(f"v{minor}.")]
    version = f"v{minor}{patch}" if patch else next(iter(known), f"v{minor}.0")
    if version == value:
        return document
    node = YamlNode(document, "apiVersion", value)
    findings.warn(node, f"'{written}' is read as {version}; write 'apiVersion: {version}'")
    spelled = {path: one for path, one in document.written.items() if path != "apiVersion"}
    return replace(document, data={**document.data, "apiVersion": version}, written=spelled)


def _is_readable(root: YamlNode, findings: Findings) -> bool:
    """Return whether this is a data contract of a version that can be read."""
    kind, version = root.at("kind"), root.at("apiVersion")
    if kind.value == "DataProduct":
        findings.error(kind, "a data product (ODPS) is no contract; expected 'DataContract'")
        return False
    written = version.value
    if root.has("dataContractSpecification"):
        findings.error(
            root.at("dataContractSpecification"),
            "the Data Contract Specification is another standard; expected ODCS, apiVersion v3.1.0",
        )
        return False
    if isinstance(written, str) and re.match(r"v?[012]\.", written):
        findings.error(
            version,
            f"ODCS {written} has another structure and is not read; expected v3.0.0 or later:"
            " move 'dataset' to 'schema' and 'columns' to 'properties'",
        )
        return False
    if isinstance(written, str) and _ANY_VERSION_3.fullmatch(written) and written not in VERSIONS:
        _note_version(version, written, findings)
    return True


def _note_version(version: YamlNode, written: str, findings: Findings) -> None:
    findings.warn(version, f"ODCS {written} is not known yet; it is read as {NEWEST_VERSION}")


def _as_newest_version(data: Mapping[str, object]) -> Mapping[str, object]:
    """Return the data with any version 3 replaced by the newest one that the schema knows."""
    version = data.get("apiVersion")
    if isinstance(version, str) and _ANY_VERSION_3.fullmatch(version):
        return {**data, "apiVersion": NEWEST_VERSION}
    return data


def _is_tolerated(data: Mapping[str, object], path: str) -> bool:
    """Return whether a rejected key is used all the same: `delimiter` of local JSON files."""
    found = re.fullmatch(r"servers\[(\d+)\]\.delimiter", path)
    if found is None:
        return False
    server = cast("list[Any]", data["servers"])[int(found.group(1))]
    return server.get("type") == "local" and server["delimiter"] in ("array", "new_line")


def _check_extensions(root: YamlNode, findings: Findings) -> None:
    validators = extension_validators()
    for entry in _custom_properties(root):
        name = extension_name(entry)
        if not name:
            continue
        value = entry.at("value")
        # a service level has its modifiers as single properties (ODCS 3.2)
        key = f"sla.{name}" if value.path.startswith("slaProperties[") else name
        if key not in validators:
            known = [f"contractwatch.{word}" for word in validators if "." not in word]
            written = entry.text("property")
            hint = suggestion(f"contractwatch.{unprefixed_name(name) or name}", known)
            findings.error(entry.at("property"), f"unknown property '{written[:80]}'{hint}")
            continue
        for path, message in schema_errors(validators[key], value.value, root.document, value.path):
            if path not in findings.removed_paths:
                findings.error(YamlNode(root.document, path, None), message)


def _custom_properties(root: YamlNode) -> Iterator[YamlNode]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for entry in (*node.entries(), *node.each()):
            if not isinstance(entry.value, dict | list):
                continue
            if entry.path.endswith("customProperties"):
                yield from entry.each()
            else:
                waiting.append(entry)
