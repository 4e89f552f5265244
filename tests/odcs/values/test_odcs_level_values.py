"""Reading the values and modifiers of service levels."""

from datetime import UTC, datetime, time, timedelta

import pytest
from odcs_values import parsed, table

from contractwatch.alerting.message import AlertingSetup
from contractwatch.alerting.notices import announce_endings, notice_times
from contractwatch.errors import ContractError
from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.promises.lifetime import Lifetime
from contractwatch.model.promises.service_level import (
    DueTime,
    ErrorRate,
    Frequency,
    IncidentStep,
    MaxDelay,
    MaxIncidentTime,
    Throughput,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
COLUMNS = (
    "name: at, physicalName: AT_TS, logicalType: timestamp",
    "name: loaded, logicalType: timestamp",
    "name: day, logicalType: date",
)


def levels(*entries: str, sla: str = "") -> str:
    listed = "".join(f"  - {{{entry}}}\n" for entry in entries)
    modified = f"customProperties: [{{property: contractwatch.sla, value: [{{{sla}}}]}}]\n"
    below = f"slaProperties:\n{listed}{modified if sla else ''}"
    return table(*COLUMNS, below=below)


def promise(entry: str, sla: str = "") -> object:
    (level,) = parsed(levels(entry, sla=sla)).service_levels
    return level.promise


def problem(entry: str, sla: str = "") -> str:
    with pytest.raises(ContractError) as refused:
        parsed(levels(entry, sla=sla))
    return next(iter(refused.value.problems)).message


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "property: frequency, value: 1, unit: d, element: at",
            Frequency("orders", "at", DAY, 0, 1, whole_days=True),
        ),
        (
            "property: fy, value: PT6H, valueExt: 3, element: AT_TS",
            Frequency("orders", "at", 6 * HOUR, 0, 3),
        ),
        (
            "property: th, value: 2.5, unit: Rows/H, element: at",
            Throughput("orders", "at", 2.5, HOUR),
        ),
        (
            "property: throughput, value: 9, unit: rows / d, element: day",
            Throughput("orders", "day", 9, DAY),
        ),
        ("property: er, value: '0.5 %', element: orders", ErrorRate(0.5, ("orders",))),
        ("property: errorRate, value: 2, unit: percent", ErrorRate(2.0)),
        ("property: td, value: 1, unit: h", MaxIncidentTime(IncidentStep.DETECT, HOUR)),
        ("property: timeToNotify, value: PT30M", MaxIncidentTime(IncidentStep.NOTIFY, HOUR / 2)),
        ("property: TR, value: 1, unit: mo", MaxIncidentTime(IncidentStep.REPAIR, 0 * DAY, 1)),
        (
            "property: timeOfAvailability, value: '09:00', element: at",
            DueTime("orders", "at", time(9)),
        ),
        (
            "property: timeofavailability, value: '23:59:30+05:30', element: at",
            DueTime("orders", "at", time(23, 59, 30), utc_offset=5.5 * HOUR),
        ),
        (
            "property: timeOfAvailability, value: '09:00Z', element: day",
            DueTime("orders", "day", time(9), utc_offset=0 * HOUR, lag_days=1),
        ),
    ],
)
def test_a_level_is_read_with_its_synonyms_and_units(entry: str, expected: object) -> None:
    assert promise(entry) == expected


def test_a_deadline_takes_its_zone_its_lag_and_its_calendar_from_the_modifiers() -> None:
    found = promise(
        "id: nine, property: timeOfAvailability, value: '09:00', element: day",
        sla="sla: nine, timezone: Europe/Amsterdam, businessDateLag: P2D, calendar: weekdays",
    )
    assert found == DueTime("orders", "day", time(9), "Europe/Amsterdam", lag_days=2, weekdays=True)


def test_a_latency_between_two_columns_needs_no_element() -> None:
    entry = "id: l, property: latency, value: 90, unit: min"
    both = "sla: l, eventTime: orders.at, availableAt: loaded"
    assert promise(entry, both) == MaxDelay("orders", "at", "loaded", 1.5 * HOUR)
    most = promise(entry, f"{both}, quantile: 0.99")
    assert most == MaxDelay("orders", "at", "loaded", 1.5 * HOUR, 0.99)
    in_place = (
        "property: latency, value: 1, unit: h, customProperties:"
        " [{vendor: contractwatch, property: eventTime, value: at},"
        " {property: contractwatch.availableAt, value: loaded}]"
    )
    assert promise(in_place) == MaxDelay("orders", "at", "loaded", HOUR)


def test_a_level_has_the_severity_that_modifies_it() -> None:
    text = levels(
        "id: a, property: latency, value: 1, unit: h, element: at",
        "id: b, property: timeToRepair, value: 4, unit: h",
        "id: c, property: errorRate, value: 1",
        sla="sla: a, severity: info",
    )
    found = [level.severity for level in parsed(text).service_levels]
    assert found == [Severity.INFO, Severity.WARNING, Severity.ERROR]


@pytest.mark.parametrize(
    ("entry", "sla", "message"),
    [
        (
            "property: frequency, value: 1, unit: d, valueExt: 0, element: at",
            "",
            "no number of updates; expected a whole number from 1 on",
        ),
        (
            "property: frequency, value: 0, unit: d, element: at",
            "",
            "no length of time; expected more than 0",
        ),
        (
            "property: timeOfAvailability, value: '9 am', element: at",
            "",
            "no time of day; expected a text such as '09:00', '09:00:30' or '09:00+02:00'",
        ),
        (
            "property: timeOfAvailability, value: '25:00', element: at",
            "",
            "no time of day; expected a text such as '09:00', '09:00:30' or '09:00+02:00'",
        ),
        (
            "property: timeOfAvailability, value: 09:00, element: at",
            "",
            "",
        ),
        (
            "id: n, property: timeOfAvailability, value: '09:00', element: at",
            "sla: n, timezone: Europe/Amsterdm",
            "unknown time zone 'Europe/Amsterdm'; expected an IANA name such as Europe/Amsterdam",
        ),
        (
            "id: n, property: timeOfAvailability, value: '09:00', element: at",
            "sla: n, businessDateLag: PT6H",
            "no lag; expected whole days such as P1D, at most P100D",
        ),
        (
            "property: throughput, value: 5, unit: h, element: at",
            "",
            "unknown unit 'h'; expected rows/s, rows/h or rows/d",
        ),
        (
            "property: throughput, value: many, unit: rows/h, element: at",
            "",
            "no rate; expected a number of rows, and 'unit: rows/h'",
        ),
        (
            "property: errorRate, value: 101",
            "",
            "no share; expected a percentage from 0 to 100",
        ),
        (
            "id: l, property: latency, value: 1, unit: h",
            "sla: l, eventTime: at",
            "a latency between two columns without availableAt; expected table.column",
        ),
    ],
)
def test_a_wrong_value_is_an_error_that_says_what_was_expected(
    entry: str, sla: str, message: str
) -> None:
    if message:
        assert problem(entry, sla) == message
    else:  # a text without quotes is still a text
        assert promise(entry) == DueTime("orders", "at", time(9))


@pytest.mark.parametrize("name", ["ga", "endOfSupport", "endOfLife"])
@pytest.mark.parametrize("written", ["0001-01-01", "0001-01-01T00:00:00+14:00", "1899-12-31"])
def test_a_date_of_long_ago_is_none_since_days_before_it_are_counted(
    name: str, written: str
) -> None:
    contract = parsed(levels(f"property: {name}, value: '{written}'"))
    assert contract.lifetime == Lifetime()
    assert notice_times(contract.lifetime) == ()


@pytest.mark.parametrize("written", ["1900-01-01", "9999-12-31", "9999-12-31T23:59:59Z"])
def test_every_date_of_life_that_is_read_can_be_announced(written: str) -> None:
    entries = [f"property: {one}, value: '{written}'" for one in ("ga", "es", "endOfLife")]
    contract = parsed(levels(*entries))
    assert len(contract.lifetime.endings()) == 2
    for now in (datetime(1, 1, 2, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)):
        announce_endings(contract, (), setup=AlertingSetup(()), now=now)


def test_the_dates_of_life_are_read_and_promise_nothing() -> None:
    contract = parsed(
        levels(
            "property: ga, value: '2026-01-15T00:00:00Z'",
            "property: endOfSupport, value: '2030-01-01'",
            "property: endOfLife, value: '2031-01-01T12:00:00+01:00'",
        )
    )
    assert not contract.service_levels
    assert contract.lifetime == Lifetime(
        datetime(2026, 1, 15, tzinfo=UTC),
        datetime(2030, 1, 1, tzinfo=UTC),
        datetime(2031, 1, 1, 11, tzinfo=UTC),
        Clause("slaProperties[2]", 17),
    )
