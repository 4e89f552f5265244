"""Every sentence of a message, as a whole: titles, lines and data for machines."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alerting_values import T0, at

from contractwatch.alerting import text
from contractwatch.alerting.upstream import upstream_json, upstream_words
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.promises.lifetime import Ending, Notice
from contractwatch.model.promises.upstream import Upstream
from contractwatch.model.record.incident import (
    BrokenPromise,
    Cause,
    Notification,
    TransitionKind,
    TransitionNote,
    Urgency,
)

OPENED, REOPENED, WORSENED = (
    TransitionKind.OPENED,
    TransitionKind.REOPENED,
    TransitionKind.WORSENED,
)
RESOLVED, WITHDRAWN = TransitionKind.RESOLVED, TransitionKind.WITHDRAWN
DAY = timedelta(days=1)

NULLS = BrokenPromise(
    promise_id="p/t/c/nullValues/r1",
    clause_path="schema[0].properties[1]",
    clause_line=41,
    table="orders",
    column="customer_id",
    expected="no null rows",
    observed="12 rows",
    severity=Severity.ERROR,
    rows=3000,
    violations=12,
    reason="12 of 3,000 rows",
    threshold="exactly 0 rows",
    kind="nullValues",
    violation="null",
)
REPEATED = replace(
    NULLS,
    kind="unique",
    violation="",
    column=None,
    clause_line=0,
    expected="no duplicate rows",
    reason="2 rows are there twice",
    violations=2,
)
UNREAD = replace(NULLS, table="-", column=None, kind="", rows=None, violations=None, clause_line=0)


def note(kind: TransitionKind = OPENED, **more: Any) -> TransitionNote:
    known: dict[str, Any] = {
        "incident_id": "i1",
        "sequence": 3,
        "kind": kind,
        "cause": Cause.BREACH,
        "objective": Objective.COMPLETENESS,
        "severity": Severity.ERROR,
        "episode": 2,
        "since": at(0),
        "at": at(10),
        "broken": (NULLS,),
        "budget_remaining_ratio": None,
        "budget_is_default": False,
    }
    return TransitionNote(**(known | more))


def message(*notes: TransitionNote, **more: Any) -> Notification:
    known: dict[str, Any] = {
        "key": "k1",
        "receiver": "chat",
        "lane": "chat/finance/orders",
        "urgency": Urgency.TICKET,
        "kind": notes[0].kind if notes else OPENED,
        "product": "finance/orders",
        "contract_id": "orders-v1",
        "contract_version": "1.2.0",
        "contract_file": "orders.odcs.yaml",
        "owner": "Orders team",
        "title": "",
        "notes": notes,
        "created_at": at(11),
    }
    return Notification(**(known | more))


UNKNOWN: Mapping[str, Any] = {
    "cause": Cause.UNKNOWN,
    "broken": (replace(UNREAD, reason="a worker was killed"),),
}


@pytest.mark.parametrize(
    ("kind", "more", "title", "opening"),
    [
        (
            OPENED,
            {},
            "TICKET finance/orders: completeness broken: orders.customer_id: 12 of 3,000 rows null",
            "Completeness is broken since 2026-11-22 09:30:00 UTC, for 10m by now.",
        ),
        (
            REOPENED,
            {},
            (
                "TICKET finance/orders: completeness broken again: "
                "orders.customer_id: 12 of 3,000 rows null"
            ),
            (
                "Completeness is broken again since 2026-11-22 09:30:00 UTC, for 10m by now; "
                "episode 2 of one incident."
            ),
        ),
        (
            WORSENED,
            {},
            (
                "TICKET finance/orders: completeness broken worse: "
                "orders.customer_id: 12 of 3,000 rows null"
            ),
            (
                "Completeness is broken since 2026-11-22 09:30:00 UTC, for 10m by now; "
                "it was told as less, and is of severity error now."
            ),
        ),
        (
            RESOLVED,
            {"lasted_seconds": 480.0, "cost_seconds": 90.0},
            "RESOLVED finance/orders: completeness kept again after 8m",
            (
                "Completeness is kept again as of 2026-11-22 09:40:00 UTC. "
                "It lasted 8m, from 2026-11-22 09:30:00 UTC, and cost 1m30s of the error budget."
            ),
        ),
        (
            WITHDRAWN,
            {"lasted_seconds": 480.0, "cost_seconds": 0.0},
            "WITHDRAWN finance/orders: completeness is promised no longer, broken for 8m",
            (
                "Completeness: the incident since 2026-11-22 09:30:00 UTC is closed, because the "
                "contract promises or publishes this no longer. It lasted 8m, "
                "from 2026-11-22 09:30:00 UTC, and cost 0s of the error budget."
            ),
        ),
        (
            OPENED,
            UNKNOWN,
            "TICKET finance/orders: nothing is known: a worker was killed",
            "Knowledge of the product is missing since 2026-11-22 09:30:00 UTC, for 10m by now.",
        ),
        (
            REOPENED,
            UNKNOWN,
            "TICKET finance/orders: nothing is known again: a worker was killed",
            (
                "Knowledge of the product is missing again since 2026-11-22 09:30:00 UTC, "
                "for 10m by now; episode 2 of one incident."
            ),
        ),
        (
            WORSENED,
            UNKNOWN,
            "TICKET finance/orders: nothing is known: a worker was killed",
            (
                "Knowledge of the product is missing since 2026-11-22 09:30:00 UTC, "
                "for 10m by now; it was told as less, and is of severity error now."
            ),
        ),
        (
            RESOLVED,
            UNKNOWN | {"lasted_seconds": 480.0},
            "RESOLVED finance/orders: known again after 8m",
            (
                "Knowledge of the product is back as of 2026-11-22 09:40:00 UTC. "
                "It lasted 8m, from 2026-11-22 09:30:00 UTC."
            ),
        ),
        (
            WITHDRAWN,
            UNKNOWN,
            "WITHDRAWN finance/orders: watched no longer, not known for 0s",
            (
                "Knowledge of the product: the incident since 2026-11-22 09:30:00 UTC is closed, "
                "because the contract promises or publishes this no longer. "
                "It lasted 0s, from 2026-11-22 09:30:00 UTC."
            ),
        ),
    ],
)
def test_each_thing_that_happens_has_its_title_and_its_opening(
    kind: TransitionKind, more: dict[str, Any], title: str, opening: str
) -> None:
    said = message(note(kind, **more))
    assert text.title(said) == title
    assert text.lines(said)[0] == opening


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (OPENED, "2 objectives broken: completeness, schema"),
        (REOPENED, "2 objectives broken again: completeness, schema"),
        (WORSENED, "2 objectives broken worse: completeness, schema"),
        (RESOLVED, "2 objectives kept again: completeness, schema"),
        (WITHDRAWN, "2 objectives promised no longer: completeness, schema"),
    ],
)
def test_several_objectives_are_named_in_one_title(kind: TransitionKind, words: str) -> None:
    word = {RESOLVED: "RESOLVED", WITHDRAWN: "WITHDRAWN"}.get(kind, "PAGE")
    notes = note(kind), note(kind, objective=Objective.SCHEMA)
    assert text.title(message(*notes, urgency=Urgency.PAGE)) == f"{word} finance/orders: {words}"


@pytest.mark.parametrize(
    ("urgency", "word"),
    [(Urgency.PAGE, "PAGE"), (Urgency.TICKET, "TICKET"), (Urgency.INFO, "INFO")],
)
def test_a_title_begins_with_its_urgency(urgency: Urgency, word: str) -> None:
    found = text.title(message(note(broken=()), urgency=urgency))
    assert found == f"{word} finance/orders: completeness broken: no detail"


def test_of_several_broken_promises_the_title_says_the_worst_and_counts_the_rest() -> None:
    found = text.title(message(note(broken=(REPEATED, NULLS, NULLS))))
    assert found == (
        "TICKET finance/orders: completeness broken: orders: 2 rows repeat a key (+2 more)"
    )


@pytest.mark.parametrize("broken", [(), (replace(UNREAD, reason=""),)])
def test_what_is_unknown_without_a_reason_says_so(broken: tuple[BrokenPromise, ...]) -> None:
    found = text.title(message(note(cause=Cause.UNKNOWN, broken=broken)))
    assert found == "TICKET finance/orders: nothing is known: no reason given"


def test_a_long_product_is_cut_to_60_characters_and_a_title_to_100() -> None:
    short, long = "p" * 60, "p" * 61
    kept = note(RESOLVED, lasted_seconds=60.0)
    assert text.title(message(kept, product=short)) == (
        f"RESOLVED {short}: completeness kept again after 1m"[:99] + "…"
    )
    assert text.title(message(kept, product=long)).startswith(f"RESOLVED {'p' * 59}…: complete")
    ends = Notice(Ending.LIFE, at(11) + 5 * DAY, 7)
    assert text.title(message(product=long, notice=ends)) == (
        f"INFO {'p' * 59}…: life ends in 5d, on 2026-11-27"
    )
    test = text.title(message(receiver="r" * 100, is_test=True))
    assert test == f"TEST of receiver {'r' * 82}…"
    assert len(test) == 100


def test_a_line_is_cut_to_300_characters() -> None:
    owner = "o" * 300
    said = text.lines(message(note(), owner=owner))
    assert f"Owner: {'o' * 292}…" in said
    exact = text.lines(message(note(), owner="o" * 292))
    assert f"Owner: {'o' * 292}." in exact


def test_no_character_that_cannot_be_seen_stands_in_a_message() -> None:
    said = message(note(), product="a\u202e\tb\nc", owner="x\ny\t\u200bz")
    hidden = set("\u202e\t\n\u200b")
    assert not hidden & set(text.title(said))
    assert not any(hidden & set(line) for line in text.lines(said))
    assert text.title(said) == (
        "TICKET a\\u202e\\x09b\\x0ac: completeness broken: orders.customer_id: "
        "12 of 3,000 rows null"
    )


def test_all_lines_of_a_message_of_two_objectives_stand_in_their_order() -> None:
    first = note(broken=(NULLS, REPEATED), budget_remaining_ratio=0.125, budget_is_default=True)
    second = note(
        objective=Objective.SCHEMA,
        broken=(UNREAD,),
        budget_remaining_ratio=-1.0,
        young_bad_seconds=90.0,
    )
    third = note(objective=Objective.FRESHNESS, broken=())
    upstream = Upstream("crm/customers", (Objective.FRESHNESS, Objective.SCHEMA), at(-60))
    said = message(
        first,
        second,
        third,
        owner="",
        page_url="https://cw.example.test/products/finance/orders",
        upstream=(upstream,),
    )
    assert text.lines(said) == (
        "Completeness is broken since 2026-11-22 09:30:00 UTC, for 10m by now.",
        "Schema is broken since 2026-11-22 09:30:00 UTC, for 10m by now.",
        "Freshness is broken since 2026-11-22 09:30:00 UTC, for 10m by now.",
        (
            "Upstream: crm/customers: freshness, schema broken since 2026-11-22 08:30:00 UTC; "
            "that may be the cause."
        ),
        "Look: https://cw.example.test/products/finance/orders",
        "Owner: not named in the contract.",
        "orders.customer_id: 12 of 3,000 rows null (orders.odcs.yaml:41).",
        "orders: 2 rows repeat a key (orders.odcs.yaml).",
        "Promised: no duplicate rows; found: 2 rows are there twice.",
        "12 rows: 12 of 3,000 rows (orders.odcs.yaml).",
        (
            "Error budget: completeness 12 % left; schema too young for a budget, 1m30s bad so far "
            "(default objective: the contract declares none)."
        ),
        "Contract: orders-v1, version 1.2.0.",
    )


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(REPEATED, reason=""), "Promised: no duplicate rows."),
        (replace(REPEATED, reason="12 rows"), "Promised: no duplicate rows."),
        (replace(REPEATED, reason="repeat a key"), "Promised: no duplicate rows."),
        (replace(REPEATED, reason="a key"), "Promised: no duplicate rows."),
        (replace(REPEATED, reason="seen"), "Promised: no duplicate rows; found: seen."),
    ],
)
def test_a_promise_is_told_with_what_was_found_unless_that_is_said_already(
    broken: BrokenPromise, said: str
) -> None:
    lines = text.lines(message(note(broken=(broken,))))
    assert [line for line in lines if line.startswith("Promised")] == [said]


@pytest.mark.parametrize("kind", [RESOLVED, WITHDRAWN])
def test_an_end_says_what_was_last_seen_broken_and_no_budget(kind: TransitionKind) -> None:
    said = message(note(kind, broken=(REPEATED,), lasted_seconds=60.0, budget_remaining_ratio=0.5))
    assert text.lines(said)[1:] == (
        "Owner: Orders team.",
        "Last seen broken: orders: 2 rows repeat a key (orders.odcs.yaml).",
        "Contract: orders-v1, version 1.2.0.",
    )


@pytest.mark.parametrize(
    ("ratio", "young", "words"),
    [
        (1.0, None, "100 % left"),
        (0.0, None, "0 % left"),
        (0.005, None, "0 % left"),
        (0.999, None, "100 % left"),
        (-0.25, None, "overspent by 25 %"),
        (-2.0, None, "overspent by 200 %"),
        (0.5, 0.0, "too young for a budget, 0s bad so far"),
    ],
)
def test_a_budget_is_said_in_words(ratio: float, young: float | None, words: str) -> None:
    one = note(budget_remaining_ratio=ratio, young_bad_seconds=young)
    assert f"Error budget: {words}." in text.lines(message(one))


@pytest.mark.parametrize(
    ("ratio", "young", "told"),
    [
        (-22.0, 60.0, None),
        (0.5, 0.0, None),
        (1.0, 0.0, None),
        (-22.0, None, -22.0),
        (0.0, None, 0.0),
        (None, None, None),
        (None, 60.0, None),
    ],
)
def test_a_machine_is_told_no_share_of_a_budget_where_a_person_is_told_none(
    ratio: float | None, young: float | None, told: float | None
) -> None:
    known = note(objective=Objective.SCHEMA, budget_remaining_ratio=0.75)
    said = message(note(budget_remaining_ratio=ratio, young_bad_seconds=young), known)
    incidents: Any = text.as_json(said)["incidents"]
    assert [one["budget_remaining_ratio"] for one in incidents] == [told, 0.75]
    words = " ".join(text.lines(said))
    assert (told is None) is ("completeness overspent" not in words and " % left;" not in words)


def test_a_budget_that_nobody_knows_is_not_said() -> None:
    known = note(objective=Objective.SCHEMA, budget_remaining_ratio=0.5)
    lines = text.lines(message(note(budget_is_default=True), known))
    assert [line for line in lines if line.startswith("Error")] == [
        "Error budget: schema 50 % left."
    ]
    assert not any(line.startswith("Error") for line in text.lines(message(note())))


@pytest.mark.parametrize(
    ("counts", "listed", "more"),
    [
        ((20,), 20, None),
        ((21,), 20, "And 1 more."),
        ((19, 3), 20, "And 2 more."),
        ((25, 3), 20, "And 8 more."),
        ((10, 10), 20, None),
    ],
)
def test_at_most_20_broken_promises_of_all_objectives_are_listed(
    counts: tuple[int, ...], listed: int, more: str | None
) -> None:
    lines = text.lines(message(*(note(broken=(NULLS,) * count) for count in counts)))
    assert sum(line.startswith("orders.customer_id: ") for line in lines) == listed
    assert [line for line in lines if line.startswith("And ")] == ([more] if more else [])


def test_a_test_message_is_two_sentences() -> None:
    assert text.lines(message(is_test=True, page_url="https://x.example.test")) == (
        "This is a test of receiver chat; no promise is broken.",
        "Sent 2026-11-22 09:41:00 UTC.",
    )


@pytest.mark.parametrize(
    ("ending", "left", "title", "said"),
    [
        (
            Ending.SUPPORT,
            DAY,
            "support ends in 1d, on 2026-11-23",
            (
                "Support ends at 2026-11-23 09:41:00 UTC, in 1d.",
                "From then on broken promises are told as information only.",
            ),
        ),
        (
            Ending.LIFE,
            DAY / 2,
            "life ends in 12h, on 2026-11-22",
            (
                "Life ends at 2026-11-22 21:41:00 UTC, in 12h.",
                "From then on no promise is checked, and data that can still be read is a warning.",
            ),
        ),
        (
            Ending.SUPPORT,
            timedelta(0),
            "support has ended on 2026-11-22",
            (
                "Support has ended at 2026-11-22 09:41:00 UTC, 0s ago.",
                "Broken promises are told as information only.",
            ),
        ),
        (
            Ending.LIFE,
            -2 * DAY,
            "life has ended on 2026-11-20",
            (
                "Life has ended at 2026-11-20 09:41:00 UTC, 2d ago.",
                "No promise is checked any more, and data that can still be read is a warning.",
            ),
        ),
        (
            Ending.LIFE,
            timedelta(seconds=1),
            "life ends in 1s, on 2026-11-22",
            (
                "Life ends at 2026-11-22 09:41:01 UTC, in 1s.",
                "From then on no promise is checked, and data that can still be read is a warning.",
            ),
        ),
    ],
)
def test_the_end_of_support_and_of_life_are_said_before_and_after(
    ending: Ending, left: timedelta, title: str, said: tuple[str, ...]
) -> None:
    notice = Notice(ending, at(11) + left, 0)
    one = message(notice=notice)
    assert text.title(one) == f"INFO finance/orders: {title}"
    assert text.lines(one) == (
        *said,
        "Owner: Orders team.",
        "Contract: orders-v1, version 1.2.0.",
    )
    assert text.as_json(one)["notice"] == {
        "ending": ending.value,
        "at": notice.at.isoformat(),
        "seconds_left": left.total_seconds(),
    }


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Upstream("a"), ""),
        (Upstream("a", (Objective.SCHEMA,)), "schema broken"),
        (
            Upstream("a", (Objective.SCHEMA,), T0, 7200.0, 3600.0),
            (
                "schema broken since 2026-11-22 09:30:00 UTC; "
                "its newest data are 2h old, at most 1h allowed"
            ),
        ),
        (Upstream("a", age_seconds=7200.0), ""),
        (Upstream("a", max_lag_seconds=7200.0), ""),
        (
            Upstream("a", age_seconds=7200.0, max_lag_seconds=60.0),
            "its newest data are 2h old, at most 1m allowed",
        ),
    ],
)
def test_the_trouble_of_an_input_is_said(one: Upstream, words: str) -> None:
    assert upstream_words(one) == words


def test_inputs_in_trouble_are_data_for_machines() -> None:
    objectives = Objective.SCHEMA, Objective.FRESHNESS
    assert upstream_json([Upstream("a", objectives, T0, 7200.0, 3600.0), Upstream("b")]) == [
        {
            "product": "a",
            "breached": ["schema", "freshness"],
            "since": "2026-11-22T09:30:00+00:00",
            "age_seconds": 7200.0,
            "max_lag_seconds": 3600.0,
        },
        {
            "product": "b",
            "breached": [],
            "since": None,
            "age_seconds": None,
            "max_lag_seconds": None,
        },
    ]


def test_a_message_is_data_for_machines_as_a_whole() -> None:
    one = note(
        RESOLVED,
        severity=Severity.WARNING,
        broken=(REPEATED,) * 21,
        lasted_seconds=480.0,
        cost_seconds=90.0,
        budget_remaining_ratio=0.25,
        budget_is_default=True,
    )
    said = message(
        one,
        page_url="https://cw.example.test/p",
        is_test=False,
        upstream=(Upstream("crm/customers", (Objective.SCHEMA,)),),
    )
    broken = {
        "promise": "p/t/c/nullValues/r1",
        "clause": {"path": "schema[0].properties[1]", "line": 0},
        "table": "orders",
        "column": None,
        "severity": "error",
        "expected": "no duplicate rows",
        "threshold": "exactly 0 rows",
        "observed": "12 rows",
        "reason": "2 rows are there twice",
        "rows": 3000,
        "violations": 2,
    }
    assert text.as_json(said) == {
        "version": 1,
        "key": "k1",
        "kind": "resolved",
        "urgency": "ticket",
        "test": False,
        "title": "RESOLVED finance/orders: completeness kept again after 8m",
        "product": "finance/orders",
        "contract": {"id": "orders-v1", "version": "1.2.0", "file": "orders.odcs.yaml"},
        "owner": "Orders team",
        "page_url": "https://cw.example.test/p",
        "created_at": "2026-11-22T09:41:00+00:00",
        "incidents": [
            {
                "id": "i1",
                "sequence": 3,
                "kind": "resolved",
                "cause": "breach",
                "objective": "completeness",
                "severity": "warning",
                "episode": 2,
                "since": "2026-11-22T09:30:00+00:00",
                "at": "2026-11-22T09:40:00+00:00",
                "lasted_seconds": 480.0,
                "cost_seconds": 90.0,
                "budget_remaining_ratio": 0.25,
                "budget_is_default": True,
                "broken_count": 21,
                "broken": [broken] * 20,
            }
        ],
        "notice": None,
        "upstream": [
            {
                "product": "crm/customers",
                "breached": ["schema"],
                "since": None,
                "age_seconds": None,
                "max_lag_seconds": None,
            }
        ],
        "lines": list(text.lines(said)),
    }
    assert text.as_json(replace(said, notice=Notice(Ending.LIFE, at(0), 0)))["kind"] == "notice"


def test_what_several_objectives_have_in_common_is_said_once() -> None:
    unread = replace(UNREAD, reason="no file matches 'orders.csv'", observed="")
    several = message(
        note(objective=Objective.SCHEMA, broken=(unread,)),
        note(objective=Objective.FRESHNESS, broken=(unread, NULLS)),
    )
    said = text.lines(several)
    about_the_file = [line for line in said if "no file matches" in line]
    assert len(about_the_file) == len(set(about_the_file))
    assert any("customer_id" in line for line in said)
