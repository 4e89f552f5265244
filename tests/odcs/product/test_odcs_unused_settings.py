"""Settings of a contract that nothing follows are told, never kept in silence."""

import pytest

from contractwatch.odcs.load import parse_contract

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
support: [{channel: ops, url: "https://chat.example/ops"}]
schema: [{name: orders, properties: [{name: id, logicalType: string}]}]
customProperties:
"""
SLO = "  - {{property: contractwatch.slo, value: [{{id: v, sli: {{dimension: {0}}}, objective: 99, "


@pytest.mark.parametrize(
    ("extension", "path", "message"),
    [
        (
            "  - {property: contractwatch.trust, value: {}}",
            "customProperties[0].value",
            "'contractwatch.trust' is not used: the trust score is made alike for all products",
        ),
        (
            "  - {property: contractwatch.budgetPolicy, value: {burnAlerts: []}}",
            "customProperties[0].value",
            (
                "'contractwatch.budgetPolicy' is not used: alerts and the trust score follow fixed"
                " rules of the error budget"
            ),
        ),
        (
            "  - {property: contractwatch.alerts, value: {groupBy: [contract]}}",
            "customProperties[0].value.groupBy",
            "'groupBy' is not used: one message tells of all that breaks in a product",
        ),
        (
            "  - {property: contractwatch.alerts, value: {routes: [{to: ops, repeat: PT1H}]}}",
            "customProperties[0].value.routes[0].repeat",
            "'repeat' is not used: each incident is told once, and once when it ends",
        ),
        (
            SLO.format("conformity") + "window: P28D, budgeting: timeslices, timeslice: PT1H}]}",
            "customProperties[0].value[0].budgeting",
            "'timeslices' is not used: a budget is counted in the time that was bad",
        ),
    ],
)
def test_a_setting_that_nothing_follows_is_a_warning(
    extension: str, path: str, message: str
) -> None:
    _, problems = parse_contract((HEAD + extension + "\n").encode(), "orders.yaml")
    assert [(one.path, one.message) for one in problems] == [(path, message)]


def test_the_usual_budgeting_is_no_warning() -> None:
    extension = SLO.format("conformity") + "window: P28D, budgeting: occurrences}]}"
    _, problems = parse_contract((HEAD + extension + "\n").encode(), "orders.yaml")
    assert not problems
