import os
from pathlib import Path

import pytest

from contractwatch.settings import load_settings

CONTRACT = "apiVersion: v3.1.0\nkind: DataContract\nid: a\n"


@pytest.fixture(autouse=True)
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of states."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    return tmp_path / "states" / "contractwatch"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder in which the agent is started."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def record(home: Path, *, text: str = "", **environ: str) -> Path:
    """Return the path of the record."""
    config = home / "contractwatch.toml"
    if not config.is_file():
        config.write_text(text)
    return Path(load_settings(config, environ).store_url.removeprefix("sqlite:///"))


def _is_written(path: Path, _: int) -> bool:
    return bool(path.stat().st_mode & 0o200)


def test_the_record_lies_in_the_folder_that_can_be_written_and_holds_no_contracts(
    home: Path,
) -> None:
    (home / "contracts").mkdir()
    (home / "contracts" / "a.odcs.yaml").write_text(CONTRACT)
    (home / "compose.yaml").write_text("services: {}\nkind: Deployment\n")

    assert record(home) == home / "contractwatch.db"


@pytest.mark.parametrize("name", ["a.odcs.yaml", "a.odcs.yml", "a.yaml", "a.yml"])
def test_the_record_does_not_lie_beside_a_contract_file(
    name: str, home: Path, states: Path
) -> None:
    (home / name).write_text(CONTRACT)

    assert record(home).is_relative_to(states)


@pytest.mark.parametrize("place", [".", "..", "one.yaml"])
def test_the_record_does_not_lie_within_what_the_settings_call_contracts(
    place: str, home: Path, states: Path
) -> None:
    (home / "one.yaml").write_text("kind: unclear")
    (home / "deep").mkdir()
    (home / "deep" / "b.odcs.yaml").write_text(CONTRACT)

    assert record(home, text=f'contracts = ["{place}"]').is_relative_to(states)


def test_the_record_does_not_lie_in_a_folder_that_cannot_be_written(
    home: Path, states: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "contractwatch.toml").write_text("")
    home.chmod(0o500)
    if os.geteuid() == 0:  # who may write everywhere, whatever the folder says
        monkeypatch.setattr(os, "access", _is_written)

    found = record(home)
    home.chmod(0o700)

    assert found.is_relative_to(states)


def test_commands_without_the_option_contracts_find_what_the_agent_began_with_it(
    home: Path, states: Path
) -> None:
    (home / "deep").mkdir()
    (home / "deep" / "b.odcs.yaml").write_text(CONTRACT)
    begun = record(home, CONTRACTWATCH_CONTRACTS=f'["{home}"]')
    begun.parent.mkdir(parents=True)
    begun.touch()

    assert begun.is_relative_to(states)
    assert record(home) == begun


def test_a_record_that_is_there_is_taken_though_contracts_came_beside_it(home: Path) -> None:
    (home / "contractwatch.db").touch()
    (home / "a.odcs.yaml").write_text(CONTRACT)

    assert record(home) == home / "contractwatch.db"


def test_two_folders_of_one_name_have_two_records_and_a_link_to_one_has_the_same(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / "a" / "contracts", tmp_path / "b" / "contracts"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "a.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "link").symlink_to(folders[0])

    first, second, linked = (record(one) for one in [*folders, tmp_path / "link"])

    assert first != second
    assert linked == first


def test_what_the_settings_name_is_the_record_wherever_it_is(home: Path) -> None:
    (home / "a.odcs.yaml").write_text(CONTRACT)

    assert record(home, text='store_url = "sqlite:///mine.db"') == home / "mine.db"


def test_the_root_of_the_file_system_has_a_record_of_its_own(
    states: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")

    found = load_settings(None, {"CONTRACTWATCH_CONTRACTS": '["/"]'}).store_url

    assert Path(found.removeprefix("sqlite:///")).parent.parent == states
