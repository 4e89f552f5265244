"""A relationship to a removed table is skipped for the same mistake."""

import pytest

from contractwatch import verify
from contractwatch.odcs.load import parse_valid_part

TEXT = """\
apiVersion: v3.1.0
kind: DataContract
id: k
name: k
version: 1.0.0
status: active
schema:
  - name: shops
    id: shop_table
    physicalName: dim_shops
    {wrong}
    properties:
      - {{name: shop_id, id: sid, logicalType: integer}}
  - name: orders
    properties:
      - {{name: shop_id, logicalType: integer, relationships: [{{id: r, to: "{to}"}}]}}
"""


@pytest.mark.parametrize(
    "to",
    [
        "shops.shop_id",
        "dim_shops.shop_id",
        "schema/shop_table/properties/sid",
        "/schema/shop_table/properties/sid",
    ],
)
def test_it_is_skipped_and_the_rest_of_its_table_is_judged(to: str) -> None:
    written = TEXT.format(wrong="filter: x > 1", to=to)
    contract, _ = parse_valid_part(written.encode(), "k.yaml")
    skipped = {one.promise_id: one.reason for one in contract.skipped}
    reason = skipped["k/orders/shop_id/relationship/r"]
    assert "in another clause that this one needs" in reason
    assert "k.yaml:11" in reason
    kinds = {check.promise.kind for check in verify.plan(contract).checks}
    assert kinds == {"presence", "type"}


def test_to_a_table_that_is_read_or_of_another_contract_it_is_judged() -> None:
    for wrong, to in (
        ("description: shops", "shops.shop_id"),
        ("filter: x", "other.yaml#/schema/shop_table/properties/sid"),
    ):
        contract, _ = parse_valid_part(TEXT.format(wrong=wrong, to=to).encode(), "k.yaml")
        kinds = {check.promise.kind for check in verify.plan(contract).checks}
        assert "relationship" in kinds


@pytest.mark.parametrize(
    ("column", "to"),
    [
        ("name: [sid], physicalName: shop_id", "shops.shop_id"),
        ("name: [sid], physicalName: shop_id", "dim_shops.shop_id"),
        ("name: [sid], id: sid", "schema/shop_table/properties/sid"),
        ("name: [sid], id: sid", "/schema/shop_table/properties/sid"),
        ("name: [o], physicalName: o", "shops.o.key"),
    ],
)
def test_one_to_a_column_that_is_removed_is_skipped_with_the_cause_of_the_column(
    column: str, to: str
) -> None:
    written = TEXT.format(wrong="description: shops", to=to)
    written = written.replace("{name: shop_id, id: sid, logicalType: integer}", f"{{{column}}}")
    written = written.replace("  - name: orders\n", "      - {name: shop_name}\n  - name: orders\n")
    contract, _ = parse_valid_part(written.encode(), "k.yaml")
    skipped = {one.promise_id: one.reason for one in contract.skipped}
    reason = skipped["k/orders/shop_id/relationship/r"]
    assert "in another clause that this one needs" in reason
    assert "schema[0].properties[0].name" in reason
    promises = {(c.promise.column, c.promise.kind) for c in verify.plan(contract).checks}
    assert promises == {("shop_name", "presence"), ("shop_id", "presence"), ("shop_id", "type")}


def test_one_beside_a_column_that_is_removed_is_judged() -> None:
    written = TEXT.format(wrong="description: shops", to="shops.shop_id")
    written = written.replace("    properties:\n", "    properties:\n      - {name: [shop]}\n", 1)
    contract, _ = parse_valid_part(written.encode(), "k.yaml")
    kinds = {check.promise.kind for check in verify.plan(contract).checks}
    assert "relationship" in kinds
