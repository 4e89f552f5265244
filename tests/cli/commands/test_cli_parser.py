"""Tests of the command-line parser: every form in which options may be written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_values import BAD, call, publish

from contractwatch.cli.command_index import COMMANDS


@pytest.mark.parametrize(
    "words",
    [
        ("--", "FILE"),
        ("FILE", "--samples", "+1"),
        ("FILE", "--samples=1"),
        ("FILE", "--format", "json", "--format", "text"),
        ("FILE", "--output", "-"),
        ("FILE", "--format", "TEXT"),
        ("--fail-on", "failed", "FILE"),
        ("FILE", "FILE"),
        ("FILE", "--filter", "-1 < id"),
        ("--filter=-1 < id", "--", "FILE"),
        ("FILE", "--filters", "orders=id > -1", "--filters", "orders=id < 9"),
        ("FILE", "--deadline", "60", "--deadline", "0060"),
        ("FILE", "--memory-mb", "4096"),
        ("FILE", "--debug"),
    ],
)
def test_a_line_means_what_it_means_to_any_program(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = str(publish(tmp_path, BAD))
    ended = call("test", *(path if word == "FILE" else word for word in words))
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.splitlines()[1].startswith("FAILED")


def test_the_last_of_two_values_holds(tmp_path: Path) -> None:
    path = publish(tmp_path)
    assert json.loads(call("test", path, "--format", "text", "--format", "json").out)["runs"]


def test_a_file_whose_name_begins_with_a_dash_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path).rename(tmp_path / "-odd.odcs.yaml")
    monkeypatch.chdir(tmp_path)
    assert call("lint", "--", "-odd.odcs.yaml").code == 0
    assert call("lint", "./-odd.odcs.yaml").code == 0
    assert call("lint", "-odd.odcs.yaml").code == 64


def test_a_dash_as_output_is_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = publish(tmp_path)
    assert "class" not in call("test", path, "--output", "-").err
    assert call("export", "odcs", path, "--output", "-") == call("export", "odcs", path)
    assert not (tmp_path / "-").exists()


def _completed(words: str) -> list[str]:
    """What a shell is told that may follow."""
    asked = {"_CONTRACTWATCH_COMPLETE": "bash_complete", "COMP_WORDS": words}
    asked["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    done = subprocess.run(
        [sys.executable, "-m", "contractwatch"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("contractwatch ", sorted(COMMANDS)),
        ("contractwatch li", ["lint"]),
        ("contractwatch status --only at", ["at-risk"]),
        ("contractwatch test --fail-on ", ["failed", "warning"]),
        ("contractwatch test --sample", ["--sample-columns", "--samples"]),
        ("contractwatch export od", ["odcs"]),
    ],
)
def test_a_shell_can_complete_what_is_typed(words: str, expected: list[str]) -> None:
    assert sorted(_completed(words)) == expected
