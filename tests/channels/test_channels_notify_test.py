"""Tests of `contractwatch notify-test`."""

import re
from pathlib import Path

import pytest

from benchmarks.receiver import Answer, Behaviour, Receiver, Script
from tests.cli.cli_values import Ended, call

HOOK = """
[receivers.{name}]
kind = "webhook"
url = "{url}"
allow_private = true
"""


def settings_file(folder: Path, **urls: str) -> Path:
    path = folder / "contractwatch.toml"
    path.write_text("".join(HOOK.format(name=name, url=url) for name, url in urls.items()))
    return path


def notify_test(*words: str) -> Ended:
    return call("notify-test", *words)


def answered(behaviour: Behaviour, folder: Path) -> tuple[Ended, Receiver]:
    with Receiver(Script(behaviour)) as server:
        file = settings_file(folder, owners=server.url)
        return notify_test("owners", "--config", str(file)), server


def test_a_receiver_that_takes_it_ends_with_0(tmp_path: Path) -> None:
    result, server = answered(Answer(202), tmp_path)
    assert (result.code, result.err) == (0, "")
    assert result.out == "owners (webhook): took it; it answered 202\n"
    event = server.taken[0].json()
    assert event["data"]["test"] is True
    assert event["data"]["title"].startswith("TEST")


@pytest.mark.parametrize(
    ("status", "outlook"), [(503, "would try again"), (404, "would not try again")]
)
def test_a_receiver_that_does_not_ends_with_1_and_is_asked_once(
    tmp_path: Path, status: int, outlook: str
) -> None:
    result, server = answered(Answer(status), tmp_path)
    assert (result.code, result.out) == (1, "")
    assert f"did not take it: 127.0.0.1 answered {status}" in result.err
    assert outlook in result.err
    assert len(server.seen) == 1


def test_all_receivers_are_tried_even_if_the_first_fails(tmp_path: Path) -> None:
    with Receiver(Script(Answer(500))) as bad, Receiver() as good:
        file = settings_file(tmp_path, bad=bad.url, good=good.url)
        result = notify_test("--all", "--config", str(file))
        assert (len(bad.seen), len(good.taken)) == (1, 1)
    assert result.code == 1
    assert "good (webhook): took it" in result.out
    assert "bad (webhook): did not take it" in result.err


def test_two_tests_have_two_keys(tmp_path: Path) -> None:
    with Receiver() as server:
        file = settings_file(tmp_path, owners=server.url)
        for _ in range(2):
            notify_test("owners", "--config", str(file))
        assert len({seen.headers["webhook-id"] for seen in server.taken}) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["owner"], "did you mean 'owners'"),
        (["zzz"], "there are owners"),
        ([], "name one receiver"),
        (["owners", "--all"], "name one receiver"),
    ],
)
def test_wrong_usage_says_what_to_do(tmp_path: Path, words: list[str], message: str) -> None:
    file = settings_file(tmp_path, owners="http://127.0.0.1:1/hook")
    result = notify_test(*words, "--config", str(file))
    assert result.code == 64
    assert re.search(message, result.err)


def test_settings_without_receivers_are_told(tmp_path: Path) -> None:
    result = notify_test("--all", "--config", str(settings_file(tmp_path)))
    assert result.code == 64
    assert "no receivers" in result.err


def test_a_settings_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = notify_test("--all", "--config", str(tmp_path / "nowhere.toml"))
    assert (result.code, result.err.endswith("nowhere.toml: there is no such file\n")) == (64, True)


def test_the_help_has_an_example() -> None:
    assert "contractwatch notify-test owners-slack" in notify_test("--help").out
