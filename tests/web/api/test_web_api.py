"""Tests of the JSON API."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from contractwatch.errors import Problem
from contractwatch.model.record.run import Timing
from contractwatch.web.api.bodies import check_body
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web import web_values as values
from tests.web.web_reader import Clock, Memory
from tests.web.web_values import HOUR


def test_products_are_listed_with_everything_of_the_page(client: httpx.Client) -> None:
    body = client.get("/api/v1/products").json()
    orders = next(one for one in body["products"] if one["product"] == "finance/orders")
    assert body["version"] == 1
    assert body["problems"] == []
    assert [one["product"] for one in body["products"]] == sorted(
        record.card.product for record in values.fleet()
    )
    assert orders["status"] == {
        "word": "breached",
        "since": "2026-10-20T13:16:00Z",
        "breached": ["freshness"],
        "unknown": [],
        "at_risk": [],
    }
    assert orders["coverage"] == {"executed": 6, "promised": 8}
    assert orders["score"] == 49.0
    assert orders["budget"]["target_ratio"] == 0.995
    assert orders["budget"]["target_is_default"] is False
    assert orders["budget"]["remaining_ratio"] < 0


def test_a_product_has_every_check_with_its_clause(client: httpx.Client) -> None:
    body = client.get("/api/v1/products/finance/orders").json()
    assert len(body["checks"]) == len(values.failing_results())
    assert body["checks"][1] == {
        "id": "urn:datacontract:orders/orders/country/nullValues",
        "clause": {"path": "schema[0].properties[7]", "line": 70},
        "kind": "nullValues",
        "table": "orders",
        "column": "country",
        "dimension": "conformity",
        "objective": "completeness",
        "severity": "warning",
        "outcome": "failed",
        "reason": "",
        "expected": "at most 1 % empty",
        "observed": 3.482,
        "threshold": "at most 1 %",
        "rows": 1_204_554,
        "violations": 41_943,
        "vacuous": False,
        "judged_at": None,
        "next_at": None,
    }


def test_a_check_with_a_schedule_of_its_own_says_when_it_was_judged_and_when_it_is_next() -> None:
    judged = values.NOW - values.HOUR
    timing = Timing(judged, judged + values.DAY)
    body = check_body(replace(values.failing_results()[0], timing=timing))
    assert (body["judged_at"], body["next_at"]) == ("2026-10-20T13:30:00Z", "2026-10-21T13:30:00Z")


def test_the_seconds_of_the_intervals_are_those_of_the_budget(client: httpx.Client) -> None:
    body = client.get("/api/v1/products/finance/orders").json()
    for objective in body["objectives"]:
        seconds = dict.fromkeys(("good", "bad", "unknown", "excluded"), 0.0)
        for interval in objective["intervals"]:
            start, end = (values.datetime.fromisoformat(interval[at]) for at in ("start", "end"))
            seconds[interval["state"]] += (end - start).total_seconds()
        assert seconds == objective["budget"]["seconds"]


def test_trust_adds_up(client: httpx.Client) -> None:
    body = client.get("/api/v1/products/finance/orders/trust").json()
    lost = sum(part["points_lost"] for part in body["parts"])
    assert lost == pytest.approx(100 - body["uncapped"])
    assert body["score"] == min(round(body["uncapped"], 1), body["caps"][0]["limit"])
    new = client.get("/api/v1/products/logistics/shipments/trust").json()
    assert (new["score"], new["score_badge"]) == (None, "new")


def test_the_gate_always_answers_200_with_a_decision(client: httpx.Client) -> None:
    answers = {
        name: client.get(f"/api/v1/products/{name}/gate")
        for name in ("finance/refunds", "finance/orders", "logistics/shipments", "marketing/leads")
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )
    assert {name: answer.json()["exit_code"] for name, answer in answers.items()} == {
        "finance/refunds": 0,
        "finance/orders": 1,
        "logistics/shipments": 2,
        "marketing/leads": 2,
    }


def test_the_gate_takes_a_policy(client: httpx.Client) -> None:
    def gate(product: str, **query: str) -> dict[str, object]:
        return client.get(f"/api/v1/products/{product}/gate", params=query).json()

    assert gate("finance/orders", require="schema,validity")["allow"] is True
    assert gate("finance/refunds", min_score="99")["allow"] is False
    assert gate("finance/refunds", max_evaluation_age="PT3M")["decision"] == "unknown"
    assert gate("finance/refunds", max_evaluation_age="2h")["decision"] == "allow"
    assert gate("logistics/shipments", on_unknown="pass")["allow"] is True


@pytest.mark.parametrize(
    "query", ["require=colour", "min_score=101", "max_evaluation_age=soon", "on_unknown=perhaps"]
)
def test_a_policy_that_cannot_be_read_never_reads_as_allow(
    query: str, client: httpx.Client
) -> None:
    answer = client.get(f"/api/v1/products/finance/refunds/gate?{query}")
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


GATE = "products/finance/refunds/gate"
FILTERS = "q, state, team, severity, page"
POLICY = ("require", "min_score", "max_evaluation_age", "on_unknown")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (f"{GATE}?min_scor=90", "unknown parameter 'min_scor'; did you mean 'min_score'"),
        (f"{GATE}?min-score=90", "unknown parameter 'min-score'; did you mean 'min_score'"),
        (
            f"{GATE}?zzz=1",
            f"unknown parameter 'zzz'; expected one of {', '.join(POLICY)}",
        ),
        (
            f"{GATE}?min_score=99&min_score=1",
            "parameter 'min_score' is given 2 times; expected once",
        ),
        (f"{GATE}?min_score=high", "--min-score: 'high'; expected 0 to 100"),
        ("products?only=bad", f"unknown parameter 'only'; expected one of {FILTERS}"),
        ("incidents?since=1", f"unknown parameter 'since'; expected one of {FILTERS}"),
        ("incidents?stat=open", "unknown parameter 'stat'; did you mean 'state'"),
        (
            "products?state=open",
            "state: 'open'; expected one of breached, unknown, at risk, kept",
        ),
        ("incidents?state=kept", "state: 'kept'; expected one of open, recovering, resolved"),
        ("incidents?severity=page", "severity: 'page'; expected one of info, warning, error"),
        ("products?page=2", "page: '2'; expected 1, the only one"),
        ("products?page=-1", "page: '-1'; expected 1, the only one"),
        ("incidents?page=٢", "page: '٢'; expected 1, the only one"),
        ("products/finance/refunds?x", "unknown parameter 'x'; this address takes none"),
        ("products/finance/refunds/trust?x=", "unknown parameter 'x'; this address takes none"),
    ],
)
def test_a_parameter_that_is_not_known_is_refused(
    asked: str, said: str, client: httpx.Client
) -> None:
    answer = client.get(f"/api/v1/{asked}")
    assert (answer.status_code, answer.json()) == (400, {"error": said})


def test_the_gates_mark_changes_with_the_decision_only(
    clock: Clock, memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    path = "/api/v1/products/finance/refunds/gate"
    first = client.get(path).headers["etag"]
    clock.pass_by(HOUR / 60)
    assert client.get(path).headers["etag"] == first
    clock.pass_by(2 * HOUR)
    snapshots.refresh()
    assert client.get(path).headers["etag"] != first


@pytest.mark.parametrize("tail", ["", "/trust", "/gate"])
def test_an_unknown_product_is_404_with_names_like_it(tail: str, client: httpx.Client) -> None:
    answer = client.get(f"/api/v1/products/finance/order{tail}")
    assert answer.status_code == 404
    if not tail:
        assert answer.json()["near"][0] == "finance/orders"
    assert "no product is called" in answer.json()["error"]


def test_a_product_may_be_called_gate(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    memory.become(values.kept("airport/gate"))
    snapshots.refresh()
    assert client.get("/api/v1/products/airport/gate").json()["product"] == "airport/gate"
    assert client.get("/api/v1/products/airport/gate/gate").json()["allow"] is True


def test_incidents_are_listed_open_first(client: httpx.Client) -> None:
    listed = client.get("/api/v1/incidents").json()["incidents"]
    assert [(one["phase"], one["product"]) for one in listed][:1] == [("open", "finance/orders")]
    assert [one["resolved_at"] is None for one in listed] == sorted(
        (one["resolved_at"] is None for one in listed), reverse=True
    )
    assert listed[0]["broken"][0]["clause"] == {"path": "slaProperties[0]", "line": 121}


def test_a_pending_incident_was_not_told_and_is_not_listed(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    pending = values.incident(opened_at=None, phase=values.Phase.PENDING)
    memory.become(replace(values.breached(), incidents=(pending,)))
    snapshots.refresh()
    assert client.get("/api/v1/incidents").json()["incidents"] == []


def test_problems_are_told(client_of: Callable[..., httpx.Client]) -> None:
    wrong = Problem("a.yaml", 3, "name", "missing")
    body = client_of(problems=lambda: (wrong,)).get("/api/v1/products").json()
    assert body["problems"] == ["a.yaml:3: name: missing"]


def test_the_api_describes_itself_and_errors_are_json(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()["paths"]
    assert set(described) == {
        "/api/v1/products",
        "/api/v1/incidents",
        "/api/v1/products/{product}",
        "/api/v1/products/{product}/trust",
        "/api/v1/products/{product}/gate",
    }
    missing = client.get("/api/v2/none")
    assert (missing.status_code, missing.json()) == (404, {"error": "Not Found"})
    refused = client.post("/api/v1/products")
    assert refused.status_code == 405
