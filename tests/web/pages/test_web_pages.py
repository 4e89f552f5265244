"""Tests of the HTML pages."""

import re
from collections.abc import Callable

import httpx
import pytest

from contractwatch.errors import Problem
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, Target
from contractwatch.model.record.incident import BrokenPromise, Phase
from contractwatch.model.record.run import RunOutcome
from contractwatch.web.server.site import HealthReport
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web import web_values as values
from tests.web.web_reader import Memory
from tests.web.web_words import words_of

PAGES = ("/", "/products/finance/orders", "/products/marketing/leads", "/incidents", "/nothing")


def test_the_first_page_shows_what_needs_a_look_first(client: httpx.Client) -> None:
    text = words_of(client.get("/"))
    order = [
        text.index(name)
        for name in ("finance/orders", "logistics/shipments", "marketing/leads", "finance/refunds")
    ]
    assert order == sorted(order)
    assert "6 products" in text
    assert "1 breached" in text
    assert "2 unknown" in text
    assert "3 kept" in text
    assert "for 1h14m : freshness" in text or "for 1h14m: freshness" in text


def test_a_state_is_a_word_beside_its_shape_and_not_only_a_colour(client: httpx.Client) -> None:
    page = client.get("/").text
    for word in ("breached", "unknown", "kept"):
        assert re.search(rf'<span class="state is-{word}">\s*<svg.+?</svg>\s*<span>', page, re.S)
        assert f"{word}</span>" in page


def test_a_product_at_risk_has_its_own_word_and_shape_before_the_kept_ones(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    recovering = values.incident(phase=Phase.RECOVERING, severity=Severity.WARNING)
    memory.become(values.kept("a/kept"), values.kept("b/risky", incidents=(recovering,)))
    snapshots.refresh()

    page, own = client.get("/").text, client.get("/products/b/risky")

    assert page.index("b/risky") < page.index("a/kept")
    assert re.search(r'<span class="state is-at_risk">\s*<svg.+?<span>at risk</span>', page, re.S)
    assert "an incident is not over: freshness" in words_of(own)
    assert client.get("/api/v1/products/b/risky").json()["status"]["at_risk"] == ["freshness"]
    assert "at risk" in client.get("/badge/b/risky.svg").text
    assert 'contractwatch_product_breached{product="b/risky"} 0' in client.get("/metrics").text


def test_problems_of_contract_files_stand_on_the_first_page(
    client_of: Callable[..., httpx.Client],
) -> None:
    wrong = Problem("invoices.odcs.yaml", 41, "schema[0]", "unknown key <b>colour</b>")
    page = client_of(problems=lambda: [wrong]).get("/")
    assert "1 problem in contract files" in words_of(page)
    assert "unknown key &lt;b&gt;colour&lt;/b&gt;" in page.text


def test_an_empty_fleet_says_what_to_do(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    memory.become()
    snapshots.refresh()
    assert "No contract is in force yet" in words_of(client.get("/"))


def test_the_search_narrows_by_product_and_team(client: httpx.Client) -> None:
    text = words_of(client.get("/", params={"q": "logistics"}))
    assert "logistics/shipments" in text
    assert "finance/orders" not in text


def test_a_product_page_shows_every_clause_with_promise_and_observation(
    client: httpx.Client,
) -> None:
    text = words_of(client.get("/products/finance/orders"))
    for told in (
        "breached for 1h14m",
        "Order Platform",
        "newest row at most 1 h old",
        "2h14m old",
        "contracts/finance/orders.odcs.yaml:121",
        "3.482 %",
        "41,943 of 1,204,554 rows",
        "unsupported: rules of type sql are not executed in this version",
        "the pattern cannot be run: look-around is not supported",
        "6 of 8 promises checked",
        "overspent by 1h12m",
        "target 99.5 %",
        "default 99 %",
        "freshness breached now: at most 49",
    ):
        assert told in text, told
    order = [text.index(title) for title in ("Broken 2", "No answer 1", "Not checked 1", "Kept 4")]
    assert order == sorted(order)


def test_a_default_objective_is_called_default(client: httpx.Client) -> None:
    text = words_of(client.get("/products/finance/refunds"))
    assert "The contract names no objective: the default of 99 % is applied." in text


def test_the_heading_names_no_objective_only_if_every_target_is_a_default(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    declared = Target(Objective.FRESHNESS, ratio=0.995, is_default=False)
    memory.become(values.breached(card=values.card("finance/orders", targets=(declared,))))
    snapshots.refresh()
    text = words_of(client.get("/products/finance/orders"))
    assert "target 99.5 %" in text
    assert "names no objective" not in text


def test_what_the_trust_table_counts_is_what_can_be_checked(client: httpx.Client) -> None:
    text = words_of(client.get("/products/finance/orders"))
    assert "Can be checked" in text
    assert " Checked " not in text


def test_data_that_cannot_be_read_are_told_with_their_cause(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    why = "table 'orders' cannot be read as csv: <b> has no header"
    whole = BrokenPromise(
        promise_id="finance/orders/-/-/schema",
        clause_path="",
        clause_line=0,
        table="-",
        column=None,
        expected="data that can be read",
        observed="not readable",
        severity=Severity.ERROR,
        reason=why,
    )
    run = values.run_result(RunOutcome.ERROR, (), readable=False, rows=None, error=why)
    memory.become(
        values.breached(last_run=run, incidents=(values.incident(broken=(whole,)),)),
        values.unknown(),
    )
    snapshots.refresh()
    page = client.get("/products/finance/orders")
    text = words_of(page)
    assert text.index(why) < text.index("The last 28 days")
    assert f"data that can be read; found not readable: {why}" in text
    assert "line 0" not in text
    assert "-, line" not in text
    assert "<b>" not in page.text
    assert "line 0" not in words_of(client.get("/incidents"))
    blind = words_of(client.get("/products/logistics/shipments"))
    cause = "the files of server production cannot be read: permission denied"
    assert blind.index(cause) < blind.index("The last 28 days")


def test_unknown_time_is_hatched_and_named(client: httpx.Client) -> None:
    page = client.get("/products/finance/orders").text
    assert '<pattern id="hatch"' in page
    assert re.search(r'<rect [^>]*fill="url\(#hatch\)"><title>unknown for 20h from ', page)
    assert re.search(r'aria-label="All promises: good \S+, bad 4h14m, unknown 20h"', page)


def test_a_product_that_was_never_run_is_unknown_and_has_no_numbers(client: httpx.Client) -> None:
    text = words_of(client.get("/products/marketing/leads"))
    assert "No run has ended yet." in text
    assert "Nothing was recorded yet." in text
    assert "unknown" in text


def test_a_product_that_waits_for_its_first_run_is_unknown_and_not_missing(
    client_of: Callable[..., httpx.Client],
) -> None:
    card = values.card("new/one", purpose="all that is new")
    client = client_of(awaited={"new/one": card}.get)
    page = client.get("/products/new/one")
    body = client.get("/api/v1/products/new/one").json()
    gate = client.get("/api/v1/products/new/one/gate").json()

    assert page.status_code == 200
    assert "Not judged yet" in words_of(page)
    assert "all that is new" in words_of(page)
    assert (body["status"]["word"], body["last_run"], body["checks"]) == ("unknown", None, [])
    assert (gate["decision"], gate["reasons"]) == ("unknown", ["the contract was never run"])
    assert "unknown" in client.get("/badge/new/one.svg").text
    assert client.get("/products/new/two").status_code == 404


def test_a_record_that_cannot_be_read_is_shown_from_the_snapshot(
    memory: Memory, client: httpx.Client
) -> None:
    memory.fails = True
    answer = client.get("/products/finance/orders")
    assert answer.status_code == 200
    assert "newest row at most 1 h old" in answer.text


def test_an_unknown_name_is_answered_with_those_like_it(client: httpx.Client) -> None:
    answer = client.get("/products/finance/order")
    assert answer.status_code == 404
    assert "Did you mean finance/orders" in words_of(answer)


def test_a_page_that_is_not_there_is_named_as_it_was_asked_for(client: httpx.Client) -> None:
    answer = client.get("/prodcuts/<b>&orders")
    assert answer.status_code == 404
    assert "There is nothing at /prodcuts/<b>&orders" in words_of(answer)
    assert "<b>" not in answer.text
    long = client.get("/" + "x" * 5000)
    assert len(long.text) < 4000


def test_words_of_a_contract_are_escaped(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    wicked = "<script>alert(1)</script>"
    name = "finance/<img src=x>"
    memory.become(values.kept(name, card=values.card(name, purpose=wicked, team=wicked)))
    snapshots.refresh()
    for path in ("/", "/products/finance/%3Cimg%20src%3Dx%3E"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "<img" not in page.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_guarded_and_needs_no_script(path: str, client: httpx.Client) -> None:
    answer = client.get(path)
    words_of(answer)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert " on" + "click" not in answer.text


def test_every_link_of_the_pages_leads_somewhere(client: httpx.Client) -> None:
    seen: set[str] = set()
    for path in PAGES:
        page = client.get(path).text
        seen |= set(re.findall(r'(?:href|src)="(/[^"#]*)"', page))
    assert {link: client.get(link).status_code for link in sorted(seen)} == dict.fromkeys(
        sorted(seen), 200
    )


def test_a_failure_tells_no_secret_of_the_house(client_of: Callable[..., httpx.Client]) -> None:
    def broken() -> tuple[Problem, ...]:
        raise RuntimeError("the key is hunter2")

    client = client_of(problems=broken)
    page, twin = client.get("/"), client.get("/api/v1/products")
    assert (page.status_code, twin.status_code) == (500, 500)
    assert "hunter2" not in page.text + twin.text
    assert "Traceback" not in page.text + twin.text
    assert "The agent failed to answer" in words_of(page)
    assert twin.json() == {"error": "the agent failed; see its log"}


@pytest.mark.parametrize(
    ("report", "alive", "ready"),
    [
        (HealthReport(alive=True, ready=True, words="well"), 200, 200),
        (HealthReport(alive=True, ready=False, words="starting"), 200, 503),
        (HealthReport(alive=False, ready=False, words="no heartbeat for 80 s"), 503, 503),
    ],
)
def test_health_is_what_the_agent_says(
    report: HealthReport, alive: int, ready: int, client_of: Callable[..., httpx.Client]
) -> None:
    client = client_of(health=lambda: report)
    assert client.get("/healthz").status_code == alive
    assert client.get("/readyz").status_code == ready
    assert client.get("/healthz").text == f"{report.words}\n"


def test_a_badge_says_state_and_score_in_words(client: httpx.Client) -> None:
    badge = client.get("/badge/finance/orders.svg")
    assert badge.headers["content-type"] == "image/svg+xml"
    assert "<title>data contract: breached · trust 49.0</title>" in badge.text
    new = client.get("/badge/logistics/shipments.svg")
    assert "unknown · trust new" in new.text
    assert client.get("/badge/none.svg").status_code == 404
