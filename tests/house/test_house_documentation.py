"""Tests that commands, settings, series and names are documented."""

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from contractwatch.channels import CHANNELS
from contractwatch.checks import CHECKS
from contractwatch.cli.command_index import COMMANDS
from contractwatch.model.base.connection import Connection
from contractwatch.odcs.jsonschema.schema import official_schema
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


def test_every_type_of_server_stands_in_the_table_of_places() -> None:
    types = official_schema()["$defs"]["Server"]["properties"]["type"]["enum"]
    table = (DOCS / "places.md").read_text().split("## Every type of server")[1]
    assert [one for one in types if f"`{one}`" not in table] == []


@pytest.mark.parametrize("key", sorted({field.name for field in fields(Connection)}))
def test_every_key_of_a_connection_is_documented(key: str) -> None:
    written = {"kind": "type", "password_ref": "password", "schemas": "roots"}.get(key, key)
    named = "[connections.NAME]" if key == "name" else f"`{written}`"
    assert named in (DOCS / "places.md").read_text()


def test_every_page_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    linked = {part.split(")")[0] for part in readme.split("](")[1:]}
    local = {link for link in linked if not link.startswith("http")}
    assert [link for link in sorted(local) if not (ROOT / link).is_file()] == []


def _pages(place: Path) -> Iterable[Path]:
    return place.glob("*.md") if place == ROOT else place.rglob("*.md")


def _texts() -> dict[str, str]:
    """Return every text of the repository in which a page may be named."""
    folders = ("contractwatch", "docs", "tests", "benchmarks", "contracts", "grafana", ".ci")
    files = [path for name in folders for path in (ROOT / name).rglob("*")]
    files += [path for path in ROOT.iterdir() if path.name != "CHANGELOG.md"]
    kinds = {".py", ".md", ".yaml", ".yml", ".toml", ".jinja", ".html", ".json", ".sh", ""}
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(errors="replace")
        for path in files
        if path.is_file() and path.suffix in kinds and "data" not in path.parts
    }


def test_every_page_that_is_cited_is_in_the_repository() -> None:
    names = {
        page.name for place in (ROOT, DOCS, ROOT / "tests" / "golden") for page in _pages(place)
    }
    missing = {
        f"{file}: {cited}"
        for file, text in _texts().items()
        for cited in re.findall(r"[\w./-]*\w\.md\b", text)
        if cited.rpartition("/")[2] not in names
    }

    assert missing == set()


def test_no_page_is_cited_by_a_name_and_a_number() -> None:
    """Pages have no numbered sections: such a citation is of a text that is somewhere else."""
    cited = {
        f"{file}: {found}"
        for file, text in _texts().items()
        if not file.startswith("tests/house")
        for found in re.findall(
            r"\([a-z]+(?:-[a-z]+)+ \d+\.\d+\)|\b[a-z]+-and-[a-z]+ \d+\.\d+", text
        )
    }

    assert cited == set()


_WORDS_OF_THE_CODE = (
    r"surplus row|\bcounts? for\b|\brests? on\b|\bvacuous(?!`)|\bU?Int128\b|Struct\("
)


def test_no_page_and_no_report_uses_words_that_only_the_code_knows() -> None:
    pages = [ROOT / "README.md", *DOCS.glob("*.md"), *(ROOT / "tests/golden/reports").iterdir()]
    found = {
        f"{page.name}: {word}"
        for page in pages
        for word in re.findall(_WORDS_OF_THE_CODE, page.read_text().replace('"vacuous":', ""))
    }

    assert found == set()


def test_every_link_of_the_pages_leads_to_a_file_and_a_heading() -> None:
    dead: list[str] = []
    # the changelog tells what was, and links to what was then
    for page in {*ROOT.glob("*.md"), *DOCS.glob("*.md")} - {ROOT / "CHANGELOG.md"}:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            file, _, heading = link.partition("#")
            target = page.parent / file if file else page
            is_there = link.startswith("http") or (
                target.exists() and (not heading or heading in _headings(target))
            )
            dead += [] if is_there else [f"{page.name}: {link}"]

    assert dead == []


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    anchors = re.findall(r'<a id="([^"]+)">', page.read_text())
    return {*anchors} | {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
    }
