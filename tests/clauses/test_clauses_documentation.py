"""The page of the clauses names every kind of check, every golden case and every ODCS key."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from clause_cases import FOLDER, cases

from contractwatch.odcs.jsonschema import schema
from contractwatch.odcs.jsonschema.schema import bundled_schema

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "clauses.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]


def keys(part: object) -> Iterator[str]:
    """Yield every key that the official schema knows, at any depth."""
    if isinstance(part, dict):
        known = cast("dict[str, Any]", part)
        if isinstance(known.get("properties"), Mapping):
            yield from known["properties"]
        for value in known.values():
            yield from keys(value)
    elif isinstance(part, list):
        for value in cast("list[Any]", part):
            yield from keys(value)


@pytest.mark.parametrize("kind", sorted({case.kind for case in cases()}))
def test_every_kind_of_check_has_a_row_with_its_golden_case(kind: str) -> None:
    link = f"[`{kind}`](../tests/golden/clauses/{kind}.yaml)"
    assert [row for row in ROWS if link in row]


def test_every_golden_case_that_is_linked_exists() -> None:
    linked = set(re.findall(r"\.\./tests/golden/clauses/([^)]*)\.yaml", PAGE))
    assert linked == {file.stem for file in FOLDER.glob("*.yaml")}


def test_every_key_of_the_official_schema_is_named() -> None:
    unnamed = {key for key in keys(bundled_schema()) if f"`{key}`" not in PAGE}
    assert unnamed == set()


def test_every_custom_property_of_ours_is_named() -> None:
    file = Path(schema.__file__).parents[1] / "schemas" / "extensions.schema.json"
    ours = json.loads(file.read_text())["properties"]
    assert {name for name in ours if f"`{name}`" not in PAGE} == set()
