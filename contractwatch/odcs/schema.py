"""The official JSON schema of ODCS stands ready: found, mended, and fast enough for thousands."""

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from jsonschema.protocols import Validator

from contractwatch.odcs.compiled import Schema, compiled

_PACKAGE = "open_data_contract_standard"


@cache
def official_schema() -> Schema:
    """Return the schema that the package open-data-contract-standard ships, mended.

    The package ships one schema, that of its newest version; it accepts every older `apiVersion`
    and is laxer than they were in a few places. The forms of 3.0 that it no longer knows are
    rewritten before (see older.py).
    """
    return mended(bundled_schema())


def bundled_schema() -> Schema:
    """Return the schema as it is shipped; the package itself is slow to import and is not."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package open-data-contract-standard is not installed")
    file = Path(spec.submodule_search_locations[0]) / "schema.json"
    return cast("Schema", json.loads(file.read_text(encoding="utf-8")))


def mended(schema: Schema) -> Schema:
    """Return the schema without its fault: a property without logicalType must not need `map`."""
    copy = cast("Schema", json.loads(json.dumps(schema)))
    for branch in copy["$defs"]["SchemaBaseProperty"]["allOf"]:
        condition = branch.get("if", {})
        if condition.get("properties") == {"logicalType": {"const": "map"}}:
            condition["required"] = ["logicalType"]
    return copy


@cache
def contract_validator() -> Validator:
    """Return the compiled validator of contracts."""
    return compiled(official_schema())


@cache
def extension_validators() -> Mapping[str, Validator]:
    """Return a validator for each of our custom properties and for `implementation`."""
    file = Path(__file__).with_name("extensions.schema.json")
    schema = cast("Schema", json.loads(file.read_text(encoding="utf-8")))
    named = {**schema["properties"], "implementation": schema["$defs"]["implementation"]}
    return {
        name.removeprefix("contractwatch."): compiled({**part, "$defs": schema["$defs"]})
        for name, part in named.items()
    }
