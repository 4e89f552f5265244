"""`contractwatch notify-test` sends one marked message and says what was answered."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from benchmarks.receiver import Answer, Behaviour, Receiver, Script
from contractwatch.cli.by_typer import for_typer
from contractwatch.cli.notify_test import command
from contractwatch.errors import SettingsError, UsageError

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


def notify_test(*words: str) -> Result:
    app = typer.Typer()
    app.command()(for_typer(command))
    return CliRunner().invoke(app, list(words))


def answered(behaviour: Behaviour, folder: Path) -> tuple[Result, Receiver]:
    with Receiver(Script(behaviour)) as server:
        file = settings_file(folder, owners=server.url)
        return notify_test("owners", "--config", str(file)), server


def test_a_receiver_that_takes_it_ends_with_0(tmp_path: Path) -> None:
    result, server = answered(Answer(202), tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "owners (webhook): took it; it answered 202\n"
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
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"did not take it: 127.0.0.1 answered {status}" in result.stderr
    assert outlook in result.stderr
    assert len(server.seen) == 1


def test_all_receivers_are_tried_even_if_the_first_fails(tmp_path: Path) -> None:
    with Receiver(Script(Answer(500))) as bad, Receiver() as good:
        file = settings_file(tmp_path, bad=bad.url, good=good.url)
        result = notify_test("--all", "--config", str(file))
        assert (len(bad.seen), len(good.taken)) == (1, 1)
    assert result.exit_code == 1
    assert "good (webhook): took it" in result.stdout
    assert "bad (webhook): did not take it" in result.stderr


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
    assert isinstance(result.exception, UsageError)
    assert re.search(message, str(result.exception))


def test_settings_without_receivers_are_told(tmp_path: Path) -> None:
    result = notify_test("--all", "--config", str(settings_file(tmp_path)))
    assert isinstance(result.exception, UsageError)
    assert "no receivers" in str(result.exception)


def test_a_settings_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = notify_test("--all", "--config", str(tmp_path / "nowhere.toml"))
    assert isinstance(result.exception, SettingsError)


def test_the_help_has_an_example() -> None:
    assert "contractwatch notify-test owners-slack" in notify_test("--help").stdout
