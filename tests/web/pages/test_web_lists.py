"""Tests of filters and pagination of long lists."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from contractwatch.model.base.clause import Severity
from contractwatch.model.record.incident import Incident, Phase
from contractwatch.model.record.product import ProductRecord
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web import web_values as values
from tests.web.web_reader import Memory
from tests.web.web_words import words_of


def opened(product: str, number: int, **changes: object) -> Incident:
    """An incident of its own, begun so many minutes ago."""
    since = values.NOW - timedelta(minutes=number + 1)
    given: dict[str, object] = {
        "incident_id": f"i{number}",
        "product": product,
        "since": since,
        "opened_at": since,
    }
    return values.incident(**given | changes)


@pytest.fixture
def many(memory: Memory, snapshots: SnapshotCache) -> None:
    """250 products of three teams; the first 30 have 10 incidents each, every fifth is over."""
    records: list[ProductRecord] = []
    for number in range(250):
        name = f"shop/p{number:03}"
        card = values.card(name, team=f"team {number % 3}", owners=(f"owner-{number}",))
        incidents = tuple(
            opened(name, number * 10 + one, severity=_severity(one), **_end(one))
            for one in range(10 if number < 30 else 0)
        )
        records.append(values.kept(name, card=card, incidents=incidents))
    memory.become(*records)
    snapshots.refresh()


def _severity(number: int) -> Severity:
    return Severity.WARNING if number % 2 else Severity.ERROR


def _end(number: int) -> dict[str, object]:
    if number % 5:
        return {"phase": Phase.OPEN, "resolved_at": None}
    return {"phase": Phase.RESOLVED, "resolved_at": values.NOW}


def _next(page: httpx.Response) -> str | None:
    found = re.search(r'<a rel="next" href="([^"]+)"', page.text)
    return None if found is None else unescape(found[1])


def _products(page: httpx.Response) -> list[str]:
    return re.findall(r'<td><a href="/products/([^"]+)"', page.text)


@pytest.mark.usefixtures("many")
def test_the_pages_of_products_lead_to_every_product_once(client: httpx.Client) -> None:
    page = client.get("/")
    seen = _products(page)
    while path := _next(page):
        page = client.get(path)
        seen += _products(page)

    assert sorted(seen) == [f"shop/p{number:03}" for number in range(250)]
    assert "201 to 250 of 250" in words_of(page)
    assert "page 3 of 3" in words_of(page)
    assert 'rel="prev" href="/?page=2"' in page.text


@pytest.mark.usefixtures("many")
def test_the_pages_of_incidents_lead_to_every_incident_once(client: httpx.Client) -> None:
    page = client.get("/incidents")
    count = page.text.count('<div class="row">')
    while path := _next(page):
        page = client.get(path)
        count += page.text.count('<div class="row">')

    assert count == 300
    assert "of each product the last 20 that were resolved" in words_of(page)


@pytest.mark.parametrize("path", ["/api/v1/products", "/api/v1/incidents"])
@pytest.mark.usefixtures("many")
def test_the_twins_pages_hold_together_what_it_holds_without_pages(
    path: str, client: httpx.Client
) -> None:
    kind, key = ("incidents", "id") if "incidents" in path else ("products", "product")
    whole = client.get(path).json()
    body = client.get(f"{path}?page=1").json()
    rows = body[kind]
    while after := body["next"]:
        body = client.get(after).json()
        rows += body[kind]

    assert len(whole[kind]) == whole["found"] == body["found"]
    assert (whole["pages"], whole["next"], whole["previous"]) == (1, None, None)
    assert body["previous"] == f"{path}?page=2"
    assert sorted(str(row[key]) for row in rows) == sorted(str(row[key]) for row in whole[kind])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=kept", 220),
        ("state=at+risk", 30),
        ("state=at_risk", 30),
        ("state=AT+RISK&team=TEAM+1", 10),
        ("team=team+2", 83),
        ("team=owner-17", 1),
        ("team=team", 0),
        ("severity=error", 30),
        ("q=p01", 10),
        ("q=owner-249", 1),
        ("q=shop+p24&state=kept&team=team+0", 4),
    ],
)
@pytest.mark.usefixtures("many")
def test_products_are_narrowed_alike_on_the_page_and_in_its_twin(
    query: str, found: int, client: httpx.Client
) -> None:
    page, twin = client.get(f"/?{query}"), client.get(f"/api/v1/products?{query}").json()

    assert twin["found"] == len(twin["products"]) == found
    assert len(_products(page)) == min(found, 100)
    assert (f"of {found}" in words_of(page)) is (found > 0)
    assert ("No product is like this" in words_of(page)) is (found == 0)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=open", 240),
        ("state=resolved", 60),
        ("state=recovering", 0),
        ("severity=warning", 150),
        ("severity=warning&state=resolved", 30),
        ("team=team+0", 100),
        ("q=p003", 10),
        ("q=p003&state=open&severity=error", 4),
    ],
)
@pytest.mark.usefixtures("many")
def test_incidents_are_narrowed_alike_on_the_page_and_in_its_twin(
    query: str, found: int, client: httpx.Client
) -> None:
    page = client.get(f"/incidents?{query}")
    twin = client.get(f"/api/v1/incidents?{query}").json()

    assert twin["found"] == len(twin["incidents"]) == found
    assert page.text.count('<div class="row">') == min(found, 100)
    assert ("No incident is like this" in words_of(page)) is (found == 0)


@pytest.mark.usefixtures("many")
def test_the_next_page_keeps_what_the_list_is_narrowed_to(client: httpx.Client) -> None:
    page = client.get("/incidents", params={"state": "open", "team": "team 0", "q": "shop"})
    assert _next(page) is None
    page = client.get("/incidents", params={"state": "open", "q": "shop"})

    assert _next(page) == "/incidents?q=shop&state=open&page=2"
    assert "/api/v1/incidents?q=shop&amp;state=open&amp;page=1" in page.text
    assert re.search(r"<option selected>open</option>", page.text)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?state=open", "state: 'open'; expected one of breached, unknown, at risk, kept"),
        ("/?page=4", "page: '4'; expected a number from 1 to 3"),
        ("/?page=0", "page: '0'; expected a number from 1 to 3"),
        ("/?page=1e1", "page: '1e1'; expected a number from 1 to 3"),
        ("/incidents?severity=high", "severity: 'high'; expected one of info, warning, error"),
        ("/incidents?page=" + "9" * 5000, "expected a number from 1 to 3"),
        ("/?state=<script>", "state: '<script>'"),
    ],
)
@pytest.mark.usefixtures("many")
def test_a_page_that_cannot_be_narrowed_so_says_what_can_be_asked(
    path: str, said: str, client: httpx.Client
) -> None:
    page = client.get(path)

    assert page.status_code == 400
    assert said in unescape(page.text)
    assert "<script>" not in page.text
    assert _products(page) == []


@pytest.mark.parametrize("refresh", ["x", "-1", "0", "9" * 5000, ""])
def test_a_page_that_is_asked_to_refresh_by_no_number_does_not(
    refresh: str, client: httpx.Client
) -> None:
    page = client.get("/", params={"refresh": refresh})

    assert page.status_code == 200
    assert "http-equiv" not in page.text
