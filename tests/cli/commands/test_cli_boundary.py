import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from cli_values import call, publish

from contractwatch import __version__
from contractwatch.cli.command_index import COMMANDS


def _python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )


def test_help_names_every_command_without_importing_one() -> None:
    ended = call("--help")
    assert ended.code == 0
    for name, entry in COMMANDS.items():
        assert name in ended.out
        assert entry.summary in ended.out


def test_no_words_at_all_is_a_call_for_help() -> None:
    assert call() == call("--help")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    ended = call(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"Example: contractwatch {name}" in ended.out


def test_version_is_told() -> None:
    assert call("--version").out == f"contractwatch {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tset",), "contractwatch: there is no command 'tset'; did you mean test?"),
        (("zzz",), "contractwatch: there is no command 'zzz'"),
        (
            ("status", "--only", "broken"),
            "contractwatch status: --only: 'broken'; expected one of kept, at-risk, breached, unk",
        ),
        (
            ("gate", "a/b", "--min-score", "high"),
            "contractwatch gate: --min-score: 'high'; expected a number from 0 to 100",
        ),
        (("test",), "contractwatch test: FILE|DIR... is missing; expected: contracts, or folders"),
        (("trust", "a", "b"), "contractwatch trust: got unexpected extra argument (b)"),
        (("test", "x", "--format", "xml"), "contractwatch test: --format: 'xml'; expected one of"),
        (("test", "x", "--format", "jsn"), "contractwatch test: --format: 'jsn'; expected one of"),
        (("test", "x", "--tag"), "contractwatch test: --tag needs a value: judge what has one of"),
        (("test", "x", "--all=yes"), "contractwatch test: --all takes no value"),
        (("test", "x", "--tag", ""), "contractwatch test: --tag: '' is no name"),
        (("test", "x", "--tag", " , "), "contractwatch test: --tag: '' is no name"),
        (("test", "x", "--output="), "contractwatch test: --output: '' is no path"),
        (("test", "x", "--filter", ""), "contractwatch test: --filter: an empty text"),
        (("gate", "x", "--url", ""), "contractwatch gate: --url: an empty text"),
        (
            ("test", "x", "--memory-mb", "1"),
            "contractwatch test: --memory-mb: '1'; expected a whole number from 256 to ",
        ),
        (("lint", "x", "--nope"), "contractwatch lint: there is no option --nope"),
        (
            ("lint", "x", "--debu"),
            "contractwatch lint: there is no option --debu; did you mean --d",
        ),
    ],
)
def test_wrong_usage_is_64_and_two_lines(words: tuple[str, ...], told: str) -> None:
    ended = call(*words)
    assert (ended.code, ended.out) == (64, "")
    first, second = ended.err.splitlines()
    assert first.startswith(told)
    assert second.startswith("try 'contractwatch")
    assert not first.endswith(".")


def test_short_help_is_help() -> None:
    with import_module(COMMANDS["gate"].module).command.make_context("gate", ["a/b"]) as alone:
        assert alone.help_option_names == ["--help", "-h"]
    assert call("-h") == call("--help")
    assert call("gate", "-h") == call("gate", "--help")


def test_a_stack_is_shown_only_on_demand() -> None:
    assert "Traceback" not in call("test", "nowhere").err
    assert "Traceback" in call("test", "nowhere", "--debug").err
    assert call("--debug", "test", "nowhere").code == 64


def _loaded(*words: str, before: str = "") -> set[str]:
    code = (
        f"{before}\nimport sys, json\n"
        "from contractwatch.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    return set(json.loads(_python(code, *words).stderr))


HEAVY = {
    *(
        "polars",
        "fastapi",
        "jinja2",
        "sqlalchemy",
        "pandera",
        "httpx",
        "sqlglot",
        "rich",
        "regress",
    ),
    *("jsonschema", "attr", "pydantic", "pydantic_settings", "croniter", "asyncio"),
    *("obstore", "deltalake", "pyiceberg", "pyarrow", "numpy"),
}


def test_lint_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    loaded = _loaded("lint", str(publish(tmp_path)))
    assert "contractwatch.odcs.load" in loaded
    assert not loaded & HEAVY


def test_a_small_test_loads_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    path = str(publish(tmp_path))
    assert not _loaded("test", path) & HEAVY  # the process that reads is another one
    in_place = _loaded("test", path, before="import polars")
    assert "contractwatch.engines.query.engine" in in_place
    assert not in_place & (HEAVY - {"polars"})


def test_a_gate_that_asks_an_agent_loads_neither_the_store_nor_the_settings() -> None:
    loaded = _loaded("gate", "a/b", "--url", "http://127.0.0.1:1")
    assert "contractwatch.cli.record_access.remote_gate" in loaded
    assert not loaded & (HEAVY | {"contractwatch.store.store", "contractwatch.settings", "yaml"})


@pytest.mark.parametrize("name", ["status", "trust", "gate", "notify-test"])
def test_commands_that_scan_nothing_do_not_load_polars(name: str) -> None:
    assert not _loaded(name, "--help") & {"polars", "fastapi", "jinja2", "pandera"}


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_what_is_known_without_a_contract_loads_none(words: tuple[str, ...]) -> None:
    assert not _loaded(*words) & (HEAVY | {"yaml", "contractwatch.odcs"})


def test_the_public_face_is_cheap_to_import() -> None:
    code = "import contractwatch, sys; print('polars' in sys.modules, 'pandera' in sys.modules)"
    assert _python(code).stdout == "False False\n"


def test_a_reader_that_goes_away_is_no_crash(tmp_path: Path) -> None:
    path = publish(tmp_path)
    command = f"{sys.executable} -m contractwatch export pandera {path} | head -c 1"
    ended = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (len(ended.stdout), ended.stderr) == (1, "")


@pytest.mark.parametrize("command", ["lint", "test"])
def test_a_folder_below_that_may_not_be_listed_is_told_and_not_left_out(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "team" / "closed"
    closed.mkdir(parents=True)
    publish(tmp_path)
    scandir = os.scandir

    def refused(path: str = ".") -> object:
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)  # root may list everything
    ended = call(command, tmp_path)

    assert ended.code == 2
    assert ended.err == f"{closed}: Permission denied\n"
