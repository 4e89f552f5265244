"""Reading `schedule` of rules and service levels; an unusable one is a warning."""

import pytest
from odcs_values import HEAD, parsed, table, warnings_of

from contractwatch.model.contract.contract import PromiseSchedule
from contractwatch.odcs.product.promise_schedules import MAX_CRONS

RULE = "id: a, metric: nullValues, mustBe: 0"
PATH = "schema[0].properties[0].quality[0]"
WITH_ITS_CONTRACT = "the rule is judged with its contract"


def rule(*fields: str, below: str = "") -> str:
    listed = ", ".join((RULE, *fields))
    return table(f"name: code, logicalType: string, quality: [{{{listed}}}]", below=below)


def zone(name: str) -> str:
    schedule = f"{{interval: PT1H, timezone: {name}}}"
    return f"customProperties: [{{property: contractwatch.schedule, value: {schedule}}}]\n"


def crons(text: str) -> list[tuple[str, str]]:
    return [(one.clause.path, one.cron) for one in parsed(text).promise_schedules]


@pytest.mark.parametrize("scheduler", ["scheduler: cron", "scheduler: CRON", "description: none"])
def test_a_cron_of_five_fields_is_taken_by_any_spelling_of_cron_or_none(scheduler: str) -> None:
    text = rule(scheduler, "schedule: 0 3 * * *")
    assert crons(text) == [(PATH, "0 3 * * *")]
    assert warnings_of(text) == []


def test_the_zone_is_that_of_the_contracts_schedule_else_utc() -> None:
    scheduled = "schedule: 0 3 * * *"
    clause = parsed(rule(scheduled)).tables[0].columns[0].rules[0].clause
    assert parsed(rule(scheduled)).promise_schedules == (
        PromiseSchedule(clause, "0 3 * * *", "Etc/UTC"),
    )
    (own,) = parsed(rule(scheduled, below=zone("Europe/Berlin"))).promise_schedules
    assert own.timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("schedule: 0 30 * * *", "'0 30 * * *' is no cron expression that ever comes true; "),
        ("schedule: 0 0 12 * * *", "a cron expression has 5 fields: "),
        ("schedule: P1D, scheduler: cron", "a cron expression has 5 fields: "),
        ("schedule: R 3 * * *", "'R 3 * * *' is no cron expression that ever comes true; "),
        ("schedule: 0 3 * * *, scheduler: airflow", "the scheduler 'airflow' is not asked; "),
        ("scheduler: cron", "a scheduler without a schedule; "),
    ],
)
def test_what_cannot_be_used_is_a_warning_and_the_contracts_schedule_is_used(
    fields: str, said: str
) -> None:
    (warning,) = warnings_of(rule(fields))
    assert warning.startswith(said)
    assert "expected" in warning
    assert warning.endswith(WITH_ITS_CONTRACT)
    assert crons(rule(fields)) == []


def test_every_kind_of_rule_at_any_depth_may_have_its_own() -> None:
    own = "schedule: 0 3 * * *"
    quality = (
        "    quality:\n"
        f"      - {{metric: rowCount, mustBeGreaterThan: 0, {own}}}\n"
        f"      - {{type: sql, query: SELECT COUNT(*) FROM orders, mustBe: 1, {own}}}\n"
        "      - {type: custom, engine: contractwatch, "
        f"implementation: {{check: piiLeak, detectors: [email]}}, {own}}}\n"
        f"      - {{type: text, description: be good, {own}}}\n"
    )
    nested = (
        "name: o, logicalType: object, properties: [{name: lines, logicalType: array, items: "
        f"{{logicalType: string, quality: [{{metric: nullValues, mustBe: 0, {own}}}]}}}}]"
    )
    text = table(nested, above=quality)
    assert crons(text) == [
        ("schema[0].quality[0]", "0 3 * * *"),
        ("schema[0].quality[1]", "0 3 * * *"),
        ("schema[0].quality[2]", "0 3 * * *"),
        ("schema[0].properties[0].properties[0].items.quality[0]", "0 3 * * *"),
    ]


def test_a_service_level_may_have_its_own() -> None:
    listed = (
        "slaProperties:\n"
        "  - {property: latency, value: 2, unit: h, element: orders.at, schedule: '*/5 * * * *'}\n"
        "  - {property: availability, value: 99, scheduler: cron, schedule: 0 30 * * *}\n"
        "  - {property: beauty, value: 1, schedule: 0 3 * * *}\n"
    )
    text = table("name: at, logicalType: timestamp", below=listed)
    assert crons(text) == [("slaProperties[0]", "*/5 * * * *")]
    (warning,) = [one for one in warnings_of(text) if "cron" in one]
    assert warning.endswith("; the service level is judged with its contract")


def test_more_different_schedules_than_a_run_can_ask_are_a_warning() -> None:
    rules = "".join(
        f"      - {{id: r{n}, metric: rowCount, mustBe: 1, schedule: '{n % 60} {n // 60} * * *'}}\n"
        for n in range(MAX_CRONS + 1)
    )
    text = f"{HEAD}schema:\n  - name: orders\n    quality:\n{rules}"
    assert len(parsed(text).promise_schedules) == MAX_CRONS
    (warning,) = warnings_of(text)
    assert warning == f"more than 100 different schedules; expected fewer; {WITH_ITS_CONTRACT}"
