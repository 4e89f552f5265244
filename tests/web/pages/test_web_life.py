"""Tests of lifetime and inputs on a product's page."""

import httpx

from contractwatch.model.promises.upstream import InputProduct
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web import web_values as values
from tests.web.pages.test_web_pages import words_of
from tests.web.web_reader import Memory


def test_a_product_without_support_says_so_and_when_its_life_ends(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    memory.become(values.kept(card=values.card("finance/refunds", lifetime=values.ENDING)))
    snapshots.refresh()
    text = words_of(client.get("/products/finance/refunds"))
    assert "unsupported" in text
    assert "support ended 2026-10-19 14:30 UTC" in text
    assert "life ends 2026-10-30 14:30 UTC, in 10d" in text
    body = client.get("/api/v1/products/finance/refunds").json()["lifetime"]
    assert (body["stage"], body["support_left_seconds"], body["life_left_seconds"]) == (
        "unsupported",
        -86_400,
        864_000,
    )


def test_a_product_names_the_input_that_is_in_trouble(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    inputs = (InputProduct("o", "finance/orders"), InputProduct("gone", ""))
    made = values.kept(card=values.card("finance/refunds", inputs=inputs))
    memory.become(made, values.breached())
    snapshots.refresh()
    text = words_of(client.get("/products/finance/refunds"))
    assert "Upstream: finance/orders : freshness broken since" in text
    assert "gone, not found" in text
    body = client.get("/api/v1/products/finance/refunds").json()
    assert [one["product"] for one in body["inputs"]] == ["finance/orders", None]
    assert [one["product"] for one in body["upstream"]] == ["finance/orders"]
