"""Warnings about likely slips that break no rule of the standard."""

import pytest
from odcs_values import HEAD, parsed, problems_of, table, warnings_of

SUPPORT = 'support: [{id: oncall, channel: "#orders", tool: slack, scope: notifications}]\n'


def routed(to: str) -> str:
    routes = f'[{{match: {{severity: error}}, to: "{to}"}}]'
    value = f"{{property: contractwatch.alerts, value: {{routes: {routes}}}}}"
    return f"{HEAD}{SUPPORT}customProperties:\n  - {value}\n"


@pytest.mark.parametrize("to", ["oncall", "#oncall", "OnCall", "#orders", "orders", "Orders"])
def test_a_route_leads_to_the_id_or_the_channel_of_a_support_entry(to: str) -> None:
    (route,) = parsed(routed(to)).alerts.routes
    assert route.to == to


@pytest.mark.parametrize(("to", "hint"), [("oncal", "oncall"), ("#order", "#orders")])
def test_a_route_to_an_unknown_channel_names_the_known_ones(to: str, hint: str) -> None:
    (problem,) = problems_of(routed(to))
    assert problem.message.endswith(f"did you mean '{hint}'?")
    assert parsed(routed(hint)).alerts.routes


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "scope: notification",
            (
                "unknown scope 'notification'; expected one of interactive, announcements, issues, "
                "notifications; did you mean 'notifications'?"
            ),
        ),
        (
            "tool: slak",
            (
                "unknown tool 'slak'; expected one of email, slack, teams, discord, ticket,"
                " googlechat, other; did you mean 'slack'?"
            ),
        ),
    ],
)
def test_an_unknown_word_of_a_support_entry_is_warned_about(entry: str, message: str) -> None:
    assert warnings_of(f'{HEAD}support: [{{channel: "#orders", {entry}}}]\n') == [message]


def test_the_known_words_of_a_support_entry_give_no_warning_in_any_case() -> None:
    assert warnings_of(HEAD + SUPPORT) == []
    assert warnings_of(HEAD + SUPPORT.replace("slack", "Slack")) == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            "logicalType: integer, logicalTypeOptions: {minimum: 10, maximum: 5}",
            "no value meets minimum 10 and maximum 5; expected a minimum that is not above it",
        ),
        (
            "logicalType: number, logicalTypeOptions: {exclusiveMinimum: 5, maximum: 5}",
            (
                "no value meets exclusiveMinimum 5 and maximum 5;"
                " expected an exclusiveMinimum that is below it"
            ),
        ),
        (
            "logicalType: string, logicalTypeOptions: {minLength: 3, maxLength: 2}",
            "no value meets minLength 3 and maxLength 2; expected a minLength that is not above it",
        ),
        (
            (
                "logicalType: array, items: {logicalType: string},"
                " logicalTypeOptions: {maxItems: 1, minItems: 2}"
            ),
            "no value meets minItems 2 and maxItems 1; expected a minItems that is not above it",
        ),
    ],
)
def test_options_that_no_value_can_meet_are_doubtful(column: str, message: str) -> None:
    assert warnings_of(table(f"name: a, {column}")) == [message]


def test_a_minimum_that_is_the_maximum_leaves_one_value() -> None:
    options = "logicalTypeOptions: {minimum: 5, maximum: 5}"
    assert warnings_of(table(f"name: a, logicalType: integer, {options}")) == []


def segments(lookback: str, lag: str = "PT0S") -> str:
    asked = (
        "check: segmentCompleteness, element: at, period: P1D, by: [region],"
        f" lookback: {lookback}, lag: {lag}, expect: {{values: [N]}}"
    )
    rule = f"type: custom, engine: contractwatch, implementation: {{{asked}}}"
    columns = ("name: at, logicalType: timestamp", "name: region, logicalType: string")
    return table(*columns, above=f"    quality:\n      - {{{rule}}}\n")


@pytest.mark.parametrize(("lookback", "lag"), [("P1D", "PT0S"), ("P1D", "PT6H"), ("P2D", "P1D")])
def test_a_look_back_that_ends_before_a_period_is_due_is_warned_about(
    lookback: str, lag: str
) -> None:
    assert parsed(segments(lookback, lag)).tables[0].segment_rules
    assert warnings_of(segments(lookback, lag)) == [
        "no period is ever due so soon; expected a look-back of two periods and the lag, or longer"
    ]


def test_a_look_back_of_two_periods_finds_one_that_is_due() -> None:
    assert warnings_of(segments("P2D")) == []
