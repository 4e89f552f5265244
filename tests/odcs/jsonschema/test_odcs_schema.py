"""The patched official schema accepts what jsonschema, the reference, accepts."""

import copy
from typing import Any

from hypothesis import given, settings
from jsonschema import Draft201909Validator
from odcs_values import mutated

from contractwatch.odcs.jsonschema.schema import (
    bundled_schema,
    contract_validator,
    extension_validators,
    official_schema,
    patched,
)

UNTYPED: dict[str, Any] = {
    "apiVersion": "v3.2.0",
    "kind": "DataContract",
    "id": "a",
    "version": "1.0.0",
    "schema": [{"name": "orders", "properties": [{"name": "code"}]}],
}
PLAIN = Draft201909Validator(official_schema())


def test_the_shipped_schema_still_demands_a_map_of_a_column_without_type() -> None:
    """Fails once upstream has mended it: then `patched` can go."""
    errors = list(Draft201909Validator(bundled_schema()).iter_errors(UNTYPED))
    assert any("'map' is a required property" in error.message for error in errors)


def test_the_mended_schema_lets_a_column_be_without_type() -> None:
    assert Draft201909Validator(patched(bundled_schema())).is_valid(UNTYPED)
    assert contract_validator().accepts(UNTYPED)


def test_the_mended_schema_still_demands_a_map_of_maps() -> None:
    wrong = copy.deepcopy(UNTYPED)
    wrong["schema"][0]["properties"][0]["logicalType"] = "map"
    assert not contract_validator().accepts(wrong)


def test_there_is_a_validator_for_each_of_our_custom_properties() -> None:
    validators = extension_validators()
    assert validators["where"].accepts("a > 1")
    assert not validators["schedule"].accepts({"cron": 5})


@given(mutated())
@settings(max_examples=60, deadline=None)
def test_what_is_accepted_and_rejected_is_what_the_reference_says(contract: Any) -> None:
    plain = PLAIN.is_valid(contract)
    assert contract_validator().accepts(contract) == plain
    assert (next(contract_validator().rejections(contract), None) is None) == plain
