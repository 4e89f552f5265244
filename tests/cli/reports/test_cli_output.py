"""Tests that all output is escaped, and that any terminal can show it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_values import BAD, call, publish

from contractwatch.cli.output import say

ODD = "\x1b[31m[red]x[/red]\u202e\u200b\x07"


def _run(
    *words: str | Path, shell: str = "", cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "contractwatch", *map(str, words)]
    if shell:
        command = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "bash", *command]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR")}
    path = str(Path(__file__).resolve().parents[3])
    return subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=cwd,
        env=kept | {"PYTHONPATH": path} | environ,
    )


def test_a_line_moves_no_cursor_is_no_markup_and_no_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(f"{ODD}\n::error::pwned")
    assert capsys.readouterr().out == "\\x1b[31m[red]x[/red]\\u202e\\u200b\\x07\n: :error::pwned\n"


@pytest.mark.parametrize(
    "words",
    [
        ("test", ODD),
        ("lint", f"{ODD}\n::error::x"),
        ("test", "x", "--tag", ODD, "--format", ODD),
        (ODD,),
        ("lint", f"--{ODD}"),
        ("trust", ODD, "--config", ODD),
        ("gate", "x", "--url", f"http://{ODD}"),
        ("gate", "x", "--url", "http://[red"),
        ("gate", "x", "--max-evaluation-age", ODD),
        ("export", "odcs", ODD),
        ("run", "--config", ODD),
        ("notify-test", ODD, "--config", "/dev/null"),
        ("trust", "a", ODD),
    ],
)
def test_words_of_the_command_line_are_escaped_in_errors(words: tuple[str, ...]) -> None:
    ended = call(*words)
    assert ended.code in (2, 3, 64)
    for told in (ended.out, ended.err):
        assert not set(told) & set("\x1b\u202e\u200b\x07")
        assert not any(line.lstrip().startswith("::") for line in told.splitlines())
        assert "unexpected" not in told.replace("unexpected extra", "")


@pytest.mark.parametrize("form", ["text", "json", "junit", "github", "sarif", "markdown"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_form_can_be_written_in_any_encoding(
    form: str, encoding: str, tmp_path: Path
) -> None:
    path = publish(tmp_path / "größe-✓", BAD)
    ended = _run("test", path, "--format", form, PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stderr) == (1, b"")
    ended.stdout.decode(encoding if form == "text" else "utf-8")


def test_a_reader_that_goes_away_ends_a_test_without_a_verdict(tmp_path: Path) -> None:
    ended = _run("test", publish(tmp_path), shell="| true")
    assert ended.stderr == b""
    assert ended.returncode in (0, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk here")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    ended = _run("test", publish(tmp_path), shell="> /dev/full")
    assert ended.returncode == 2
    assert ended.stderr == b"the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("shell", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_code(shell: str, tmp_path: Path) -> None:
    assert _run("test", publish(tmp_path, BAD), shell=shell).returncode == 1
    assert _run("test", "nowhere", shell=shell).returncode == 64


@pytest.mark.parametrize("environ", [{"LANG": "C"}, {"LC_ALL": "C"}, {"HOME": "/nowhere"}, {}])
def test_a_bare_environment_is_enough(environ: dict[str, str], tmp_path: Path) -> None:
    ended = _run("test", publish(tmp_path), cwd=tmp_path, **environ)
    assert (ended.returncode, ended.stderr) == (0, b"")
