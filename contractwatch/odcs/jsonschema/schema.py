"""Load the JSON schemas of ODCS and of our extensions, and cache their validators."""

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from contractwatch.model.promises.column_check import COLUMN_CHECKS
from contractwatch.odcs.jsonschema.rejections import Schema, Validator

VERSIONS = ("v3.2.0", "v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0")
OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
_PACKAGE = "open_data_contract_standard"


@cache
def official_schema() -> Schema:
    """Return the patched schema of the package open-data-contract-standard.

    The package ships one schema, that of its newest version; it accepts every older `apiVersion`
    and is laxer than they were in a few places. The forms of 3.0 that it no longer knows are
    rewritten before (see upgrade.py).
    """
    return patched(bundled_schema())


def bundled_schema() -> Schema:
    """Return the schema as it is shipped, without the slow import of its package."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package open-data-contract-standard is not installed")
    file = Path(spec.submodule_search_locations[0]) / "schema.json"
    return cast("Schema", json.loads(file.read_text(encoding="utf-8")))


def patched(schema: Schema) -> Schema:
    """Patch a fault of the schema: a property without `logicalType` must not need `map`."""
    for branch in schema["$defs"]["SchemaBaseProperty"]["allOf"]:
        condition = branch.get("if", {})
        if condition.get("properties") == {"logicalType": {"const": "map"}}:
            condition["required"] = ["logicalType"]
    return schema


@cache
def contract_validator() -> Validator:
    """Return the validator of contracts."""
    return Validator(official_schema())


@cache
def extension_validators() -> Mapping[str, Validator]:
    """Return a validator for each `contractwatch.*` custom property, by its name.

    `sla.<name>` is one modifier of a service level, as a custom property of the level itself.
    """
    schema = _extensions()
    of_level = schema["properties"]["contractwatch.sla"]["items"]["properties"]
    named = {
        **{
            name.removeprefix("contractwatch."): part for name, part in schema["properties"].items()
        },
        **{f"sla.{name}": part for name, part in of_level.items()},
    }
    definitions = schema["$defs"]
    return {name: Validator({**part, "$defs": definitions}) for name, part in named.items()}


@cache
def implementation_validator() -> Validator:
    """Return the validator of `implementation` in a rule of `engine: contractwatch`."""
    definitions = _extensions()["$defs"]
    known = [*definitions["implementation"]["oneOf"], *map(_column_check, COLUMN_CHECKS)]
    return Validator({"oneOf": known, "$defs": definitions})


def _column_check(check: str) -> Schema:
    """Return the schema of `implementation` for a check about named columns."""
    columns = {key: {"type": "string"} for key in COLUMN_CHECKS[check]}
    number = {"type": "number"}
    both = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    bounds = {name: both if name.endswith("Between") else number for name in OPERATORS}
    return {
        "type": "object",
        "properties": {"check": {"const": check}, **columns, **bounds},
        "required": ["check", *columns],
        "additionalProperties": False,
    }


def _extensions() -> Schema:
    file = Path(__file__).parents[1] / "schemas" / "extensions.schema.json"
    return cast("Schema", json.loads(file.read_text(encoding="utf-8")))
