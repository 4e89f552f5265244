"""Tests that the API's documentation lists every route and parameter."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import httpx
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from contractwatch.agent.series import AgentSeries

DOCS = Path(__file__).parents[3] / "docs"


def exported_name(family: str, kind: str) -> str:
    return f"{family}_total" if kind == "counter" else family


def test_every_series_is_documented_and_every_documented_series_exists(client_of) -> None:
    series = AgentSeries(CollectorRegistry())
    series.know_receivers(["ops"])
    text = client_of(registry=series.registry).get("/metrics").text
    exported = {
        exported_name(family.name, family.type) for family in text_string_to_metric_families(text)
    }
    tables = re.findall(r"^\|.*\|$", (DOCS / "series.md").read_text(), re.M)
    documented = set(re.findall(r"`(contractwatch_\w+)`", "\n".join(tables)))
    assert documented == exported


def test_every_route_is_documented(client: httpx.Client) -> None:
    page = (DOCS / "api.md").read_text()
    routes = {*client.get("/openapi.json").json()["paths"], "/metrics", "/healthz", "/readyz"}
    assert [route for route in sorted(routes) if f"`{route}`" not in page] == []


def _names(value: object) -> Iterator[str]:
    """Yield every name in a body, however deep."""
    if isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield name
            # what stands below it is named by the contract, not by the API
            yield from () if name == "status" and "word" not in str(inner) else _names(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _names(inner)


def test_every_field_of_the_answers_is_documented(client: httpx.Client) -> None:
    pages = "".join((DOCS / name).read_text() for name in ("api.md", "consumers.md", "results.md"))
    product = client.get("/api/v1/products/finance/orders").json()
    gate = client.get("/api/v1/products/finance/orders/gate").json()
    lists = [client.get(f"/api/v1/{name}?page=1").json() for name in ("products", "incidents")]
    fields = {*_names([product, gate, *lists])}
    missing = [
        name for name in sorted(fields) if f"`{name}`" not in pages and f'"{name}"' not in pages
    ]
    assert missing == []
