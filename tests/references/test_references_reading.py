"""Reading each form in which a contract refers to other tables."""

from dataclasses import replace

import pytest

from contractwatch.errors import Problem
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.contract import Contract, Table
from contractwatch.model.promises.reference import (
    Aggregate,
    Reference,
    Relationship,
    Tolerance,
    TotalOf,
)
from contractwatch.model.promises.rule import Operator, Threshold, Unit
from contractwatch.odcs.load import parse_contract

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop-1
name: shop
version: 1.0.0
status: active
domain: sales
schema:
  - id: orders_id
    name: orders
    {at_orders}
    properties:
      - {{name: id, id: order_id, logicalType: integer}}
      - {{name: line, logicalType: integer}}
      - {{name: tags, logicalType: array}}
      - {{name: buyer, logicalType: string, {at_buyer}}}
  - id: buyers_id
    name: buyers
    physicalName: t_buyers
    properties:
      - {{name: key, id: key_id, logicalType: string, physicalName: k}}
      - {{name: total, logicalType: number}}
"""
OWN = Reference("buyers", ("key",))


def read(at_buyer: str = "", at_orders: str = "") -> tuple[Contract, tuple[Problem, ...]]:
    text = CONTRACT.format(at_buyer=at_buyer or "description: x", at_orders=at_orders or "tags: []")
    return parse_contract(text.encode(), "shop.odcs.yaml")


def orders(**at: str) -> Table:
    return read(**at)[0].tables[0]


def to(reference: str) -> Relationship:
    (found,) = orders(at_buyer=f'relationships: [{{to: "{reference}"}}]').relationships
    return found


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("buyers.key", OWN),
        ("t_buyers.key", replace(OWN, table="t_buyers")),
        ("schema/buyers_id/properties/key_id", Reference("buyers_id", ("key_id",), by_id=True)),
        ("/schema/buyers_id/properties/key_id", Reference("buyers_id", ("key_id",), by_id=True)),
        (
            "../crm/buyers.odcs.yaml#/schema/b/properties/k",
            Reference("b", ("k",), "../crm/buyers.odcs.yaml", by_id=True),
        ),
        (
            "https://contracts.test/crm.yaml#schema/b/properties/k",
            Reference("b", ("k",), "https://contracts.test/crm.yaml", by_id=True),
        ),
    ],
)
def test_a_reference_is_read_in_each_form(written: str, target: Reference) -> None:
    assert to(written).target == target


def test_a_relationship_is_an_error_inside_a_contract_and_a_warning_across() -> None:
    inside, across = to("buyers.key"), to("crm.odcs.yaml#/schema/b/properties/k")
    assert (inside.severity, across.severity) == (Severity.ERROR, Severity.WARNING)
    assert (inside.column, inside.columns) == ("buyer", ("buyer",))
    assert inside.threshold == Threshold(Operator.EQUAL, 0)


def test_a_tolerance_is_a_share_of_the_rows_with_a_key() -> None:
    custom = "{property: contractwatch.tolerance, value: {unit: percent, mustBeLessOrEqualTo: 0.5}}"
    text = f"relationships: [{{to: buyers.key, id: fk, customProperties: [{custom}]}}]"
    (found,) = orders(at_buyer=text).relationships
    expected = Threshold(Operator.LESS_OR_EQUAL, 0.5, None, Unit.PERCENT)
    assert (found.rule_id, found.threshold) == ("fk", expected)


def test_a_composite_key_stands_at_the_table() -> None:
    text = "relationships: [{from: [orders.id, orders.line], to: [buyers.key, buyers.total]}]"
    (found,) = orders(at_orders=text).relationships
    assert (found.column, found.columns) == (None, ("id", "line"))
    assert found.target == Reference("buyers", ("key", "total"))


@pytest.mark.parametrize(
    ("at_buyer", "at_orders", "reason"),
    [
        ("", "relationships: [{from: orders.tags, to: buyers.key}]", "keys of array columns"),
        (
            "",
            "relationships: [{from: [orders.id, orders.line], to: [buyers.key, orders.id]}]",
            "expected columns of one table, all written alike",
        ),
        (
            "relationships: [{to: buyers.key}, {to: buyers.key}]",
            "",
            "the same relationship as schema[0].properties[3].relationships[0]",
        ),
    ],
)
def test_what_is_not_executed_is_kept_as_skipped(
    at_buyer: str, at_orders: str, reason: str
) -> None:
    skipped = read(at_buyer, at_orders)[0].skipped
    assert [(one.kind, one.reason) for one in skipped] == [
        ("relationship", f"unsupported: {reason}")
    ]


ORDER_ID = "properties/o1"
NESTED = """\
apiVersion: v3.1.0
kind: DataContract
id: shop-1
name: shop
version: 1.0.0
status: active
schema:
  - name: orders
    id: t1
    {relationships}
    properties:
      - name: order
        id: o1
        physicalName: ORDER
        logicalType: object
        properties:
          - {{name: id, id: i1, logicalType: integer}}
          - name: lines
            logicalType: array
            items:
              logicalType: object
              properties:
                - {{name: sku, id: s1, logicalType: string, {of_sku}}}
  - name: goods
    properties:
      - {{name: sku, logicalType: string}}
      - name: info
        logicalType: object
        properties: [{{name: number, logicalType: integer}}]
"""


def nested(relationships: str = "tags: []", of_sku: str = "tags: []") -> tuple[Table, list[str]]:
    text = NESTED.format(relationships=relationships, of_sku=of_sku)
    contract, problems = parse_contract(text.encode(), "shop.odcs.yaml")
    assert contract.skipped == ()
    return contract.tables[0], [problem.message for problem in problems]


def test_a_value_inside_an_array_may_refer_to_a_column() -> None:
    table, problems = nested(of_sku="relationships: [{to: goods.sku}]")
    (found,) = table.relationships
    assert (found.column, found.columns) == ("order.lines[].sku", ("order.lines[].sku",))
    assert found.target == Reference("goods", ("sku",))
    assert problems == []


@pytest.mark.parametrize(
    "key",
    [
        "orders.order.id, orders.order.lines.sku",
        "orders.ORDER.id, orders.ORDER.lines.sku",
        f"schema/t1/{ORDER_ID}/properties/i1, /schema/t1/{ORDER_ID}/properties/lines/properties/s1",
    ],
)
def test_a_key_of_several_nested_values_is_read_by_names_and_by_ids(key: str) -> None:
    table, problems = nested(
        f"relationships: [{{from: [{key}], to: [goods.info.number, goods.sku]}}]"
    )
    (found,) = table.relationships
    assert (found.column, found.columns) == (None, ("order.id", "order.lines[].sku"))
    assert found.target == Reference("goods", ("info.number", "sku"))
    assert problems == []


def test_a_way_that_no_column_has_is_told_with_the_nearest_one() -> None:
    _, problems = nested(of_sku="relationships: [{to: goods.info.numbr}]")
    (problem,) = problems
    assert problem.endswith("'goods.info.numbr'; did you mean 'goods.info.number'?")


def test_a_reference_to_nothing_is_a_warning_and_its_check_stays() -> None:
    contract, problems = read("relationships: [{to: buyer.key}]")
    assert contract.tables[0].relationships
    assert [problem.message for problem in problems] == [
        "the relationship cannot be resolved: unknown table 'buyer'; did you mean 'buyers'?"
    ]


RULE = (
    "quality: [{{id: r, type: custom, engine: contractwatch, severity: warning,"
    " implementation: {{{asked}}}}}]"
)


def test_reference_coverage_and_reconcile_are_read() -> None:
    asked = "check: referenceCoverage, property: buyer, to: buyers.key, mustBeGreaterThan: 3"
    (covered,) = orders(at_orders=RULE.format(asked=asked)).coverages
    assert (covered.column, covered.target, covered.rule_id) == ("buyer", OWN, "r")
    assert covered.severity is Severity.WARNING
    asked = (
        "check: reconcile, left: {aggregate: sum, property: line, where: id > 3},"
        " right: {contract: crm, object: b, aggregate: avg, property: p, where: x = 1},"
        " tolerance: {unit: absolute, value: 0.5}"
    )
    (total,) = orders(at_orders=RULE.format(asked=asked)).reconciliations
    assert total.left == TotalOf(Aggregate.SUM, Reference("orders", ("line",)), "id > 3")
    assert total.right == TotalOf(Aggregate.AVG, Reference("b", ("p",), "crm"), "x = 1")
    assert total.tolerance == Tolerance(0.5, is_percent=False)


def test_a_contract_knows_its_canonical_addresses() -> None:
    head, _, rest = CONTRACT.format(at_buyer="description: x", at_orders="tags: []").partition(
        "schema:"
    )
    url = "https://contracts.test/shop.yaml"
    stated = f"authoritativeDefinitions: [{{type: canonicalUrl, url: '{url}'}}]\nschema:"
    contract, _ = parse_contract(f"{head}{stated}{rest}".encode(), "shop.odcs.yaml")
    assert contract.addresses == (url,)
