"""What a user can type, set, scrape or name is documented."""

from dataclasses import fields
from pathlib import Path

import pytest

from contractwatch.channels import CHANNELS
from contractwatch.checks import CHECKS
from contractwatch.cli.commands import COMMANDS
from contractwatch.settings import Settings
from contractwatch.sources import SOURCES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_in_the_readme_or_the_docs(command: str) -> None:
    pages = [ROOT / "README.md", *DOCS.glob("*.md")]
    assert any(f"contractwatch {command}" in page.read_text() for page in pages)


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_every_setting_is_documented(setting: str) -> None:
    named = {"receivers": "[receivers.", "default_receivers": "[alerts]"}.get(setting, setting)
    assert named in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_every_kind_of_check_is_documented(kind: str) -> None:
    assert f"`{kind}`" in (DOCS / "owners.md").read_text()


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_is_documented(source: str) -> None:
    assert f"`{source}`" in (DOCS / "owners.md").read_text()


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_every_channel_is_documented(channel: str) -> None:
    assert f'"{channel}"' in (DOCS / "receivers.md").read_text()


def test_every_page_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    linked = {part.split(")")[0] for part in readme.split("](")[1:]}
    local = {link for link in linked if not link.startswith("http")}
    assert [link for link in sorted(local) if not (ROOT / link).is_file()] == []
