"""Tests of `contractwatch gate`: exit codes and JSON."""

import json
from pathlib import Path

import pytest


def test_a_kept_product_is_allowed(cli, store_url: str) -> None:
    code, out, err = cli("gate", "finance/refunds", store=store_url)
    body = json.loads(out)
    assert (code, err) == (0, "")
    assert body["allow"] is True
    assert body["decision"] == "allow"
    assert set(body["status"]) == {"schema", "completeness", "validity", "uniqueness"}


def test_a_breached_product_is_denied_with_the_promise_that_broke(cli, store_url: str) -> None:
    code, out, _ = cli("gate", "finance/orders", store=store_url)
    body = json.loads(out)
    assert (code, body["allow"], body["exit_code"]) == (1, False, 1)
    assert any(reason.startswith("freshness is broken") for reason in body["reasons"])
    assert [incident["objective"] for incident in body["incidents"]] == ["freshness"]


def test_only_what_is_required_counts(cli, store_url: str) -> None:
    code, out, _ = cli("gate", "finance/orders", "--require", "schema,validity", store=store_url)
    assert code == 0
    assert json.loads(out)["status"] == {"schema": "good", "validity": "good"}


def test_unknown_is_denied_unless_the_consumer_says_otherwise(cli, store_url: str) -> None:
    denied, out, _ = cli("gate", "logistics/shipments", store=store_url)
    allowed, _, _ = cli("gate", "logistics/shipments", "--on-unknown", "pass", store=store_url)
    assert (denied, json.loads(out)["decision"], allowed) == (2, "unknown", 0)


def test_a_run_that_is_too_old_is_not_known(cli, store_url: str) -> None:
    old, out, _ = cli("gate", "finance/refunds", "--max-evaluation-age", "1m", store=store_url)
    young, _, _ = cli("gate", "finance/refunds", "--max-evaluation-age", "PT2H", store=store_url)
    assert (old, young) == (2, 0)
    assert "the last run ended" in json.loads(out)["reasons"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("finance/refunds", "--require", "colour"), "--require: 'colour'; expected one of fresh"),
        (("finance/refunds", "--min-score", "400"), "expected a number from 0 to 100"),
        (("finance/refunds", "--max-evaluation-age", "soon"), "expected such as 2h"),
        (("finance/refunds", "--on-unknown", "perhaps"), "perhaps"),
        (("finance/refunds", "--url", "ftp://agent"), "expected such as http://agent:8321"),
        (("finance/order",), "did you mean finance/orders"),
        (("shop/orders",), "did you mean finance/orders"),
        (("zzz",), "see contractwatch status"),
        ((), "PRODUCT"),
    ],
)
def test_wrong_usage_ends_with_64_and_one_sentence(
    words: tuple[str, ...], said: str, cli, store_url: str
) -> None:
    code, out, err = cli("gate", *words, store=store_url)
    assert (code, out) == (64, "")
    assert said in err
    assert len(err.splitlines()) <= 2


def test_a_store_that_is_not_there_cannot_be_reached(cli, tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path / 'none.db'}"
    code, out, _ = cli("gate", "finance/orders", store=missing)
    body = json.loads(out)
    assert (code, body["allow"], body["decision"]) == (3, False, "unreachable")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("words", [("status",), ("trust", "finance/orders")])
def test_reading_a_store_that_is_not_there_ends_with_2(
    words: tuple[str, ...], cli, tmp_path: Path
) -> None:
    ended, out, err = cli(*words, store=f"sqlite:///{tmp_path / 'none.db'}")
    assert (ended, out) == (2, "")
    assert "there is no store at" in err
    assert not (tmp_path / "none.db").exists()


def test_help_has_an_example_and_the_exit_codes(cli) -> None:
    for command in ("gate", "trust", "status"):
        code, out, _ = cli(command, "--help")
        assert code == 0
        assert f"Example: contractwatch {command}" in " ".join(out.split())


def test_status_lists_the_fleet_with_what_needs_a_look_first(cli, store_url: str) -> None:
    code, out, _ = cli("status", store=store_url)
    lines = out.splitlines()
    assert code == 0
    assert lines[1].startswith("finance/orders")
    assert "breached" in lines[1]
    assert lines[-1].startswith("6 products: 1 breached, 2 unknown, 3 kept; the agent was last")


def test_status_calls_a_young_budget_too_young(cli, young_url: str) -> None:
    _, out, _ = cli("status", store=young_url)
    assert "too young, 1h bad" in " ".join(out.split())
    assert "overspent" not in out


def test_status_as_json_says_what_the_api_says(cli, store_url: str) -> None:
    code, out, _ = cli("status", "--format", "json", "--only", "breached", store=store_url)
    body = json.loads(out)
    assert code == 0
    assert [one["product"] for one in body["products"]] == ["finance/orders"]
    assert body["products"][0]["status"]["breached"] == ["freshness"]


def test_the_points_that_trust_lists_add_up_to_the_loss(cli, store_url: str) -> None:
    code, out, _ = cli("trust", "finance/orders", "--format", "json", store=store_url)
    body = json.loads(out)
    assert code == 0
    lost = sum(part["points_lost"] for part in body["parts"])
    assert lost == pytest.approx(100 - body["uncapped"])


def test_trust_of_a_new_product_is_a_word_and_no_number(cli, store_url: str) -> None:
    code, out, _ = cli("trust", "logistics/shipments", store=store_url)
    assert code == 0
    assert out.startswith("logistics/shipments: new, no number yet, ts/1;")
    assert "would raise it most" in out


@pytest.mark.parametrize("words", [("status",), ("trust", "finance/orders")])
def test_percentages_on_a_terminal_have_an_ordinary_space(
    cli, store_url: str, words: tuple[str, ...]
) -> None:
    code, out, _ = cli(*words, store=store_url)
    assert code == 0
    assert " %" in out
    assert "\\x" not in out
    assert "\N{NO-BREAK SPACE}" not in out
