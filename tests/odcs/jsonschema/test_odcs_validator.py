"""The validator accepts and rejects what jsonschema, the reference, does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from contractwatch.odcs.jsonschema.rejections import Validator
from contractwatch.odcs.jsonschema.schema import (
    contract_validator,
    extension_validators,
    implementation_validator,
    official_schema,
)

INF = float("inf")
ROOT = Path(__file__).parents[3]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.0, 1.5, INF, -INF, float("nan"), 10**400, 2**64, 1e308),
    *("", "a", "1", "é", "\u0130", "\x00", "\ud800", "a" * 100_000),
    *([], [[]], [1, 1.0], [1, True], ["a", "a"], [None], [INF, INF], {}, {"": 1}, {"a": {"a": {}}}),
]


def _contracts() -> list[Path]:
    return [*sorted((ROOT / "contracts").glob("*/*.odcs.yaml"))]


def _changed(value: Any, odd: Any) -> Iterator[Any]:
    """Yield a value with another one in the place of each of its parts, one at a time."""
    yield odd
    if isinstance(value, dict):
        for key, part in value.items():
            for other in _changed(part, odd):
                yield {**value, key: other}
        yield {**value, "unknown": odd}
    if isinstance(value, list):
        for at, part in enumerate(value[:2]):
            for other in _changed(part, odd):
                yield [*value[:at], other, *value[at + 1 :]]
        yield [*value, odd]


def _disagreements(validator: Validator, values: Iterator[Any]) -> list[Any]:
    whole = Draft201909Validator(validator.schema)
    return [
        value
        for value in values
        if not (
            validator.accepts(value)
            == whole.is_valid(value)
            == (next(validator.rejections(value), None) is None)
        )
    ]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:20])
def test_an_odd_value_in_any_place_of_a_contract_is_accepted_by_both_or_worded(odd: Any) -> None:
    small = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "k",
        "version": "1.0.0",
        "status": "active",
        "tags": ["a"],
        "servers": [{"server": "s", "type": "local", "path": "x", "format": "csv"}],
        "slaProperties": [{"property": "latency", "value": 4, "unit": "d", "element": "t.c"}],
        "schema": [
            {
                "name": "t",
                "properties": [
                    {
                        "name": "c",
                        "logicalType": "integer",
                        "logicalTypeOptions": {"minimum": 0, "multipleOf": 2},
                        "quality": [{"metric": "nullValues", "mustBe": 0}],
                        "relationships": [{"to": "t.c"}],
                    }
                ],
            }
        ],
    }
    assert contract_validator().accepts(small)
    assert _disagreements(contract_validator(), _changed(small, odd)) == []


@pytest.mark.parametrize("name", [*extension_validators(), ""])
def test_an_odd_value_in_any_place_of_an_extension_is_accepted_by_both(name: str) -> None:
    validator = extension_validators()[name] if name else implementation_validator()
    part = {"to": "a", "value": 1, "kind": "x", "objective": 99.9, "quantile": 0.5, "minRows": 2}
    values = (other for one in (part, [part], "a") for odd in ODD for other in _changed(one, odd))
    assert _disagreements(validator, values) == []


@pytest.mark.parametrize("path", _contracts(), ids=lambda path: path.name)
def test_contracts_of_the_repository_are_accepted_by_both(path: Path) -> None:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    whole = Draft201909Validator(official_schema())
    # every value is text here, so that some are right and some are not
    assert contract_validator().accepts(data) == whole.is_valid(data)


def test_a_line_break_at_the_end_fits_no_id() -> None:
    """`$` is that of ECMA-262, the end of the text; jsonschema takes Python's."""
    validator = extension_validators()["sla.sla"]
    assert validator.accepts("aa")
    assert not validator.accepts("aa\n")
