import os
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from agent_values import contract_text, wait_until

from contractwatch.agent.catalog.catalog import Catalog, CatalogChange, CatalogSettings
from contractwatch.agent.clock import system_clock


class Reloads:
    """What the catalogue counted: whether each look found every file whole."""

    def __init__(self) -> None:
        self.looks: list[bool] = []

    def reloaded(self, *, is_whole: bool, at: datetime) -> None:
        self.looks.append(is_whole)


@pytest.fixture
def reloads() -> Reloads:
    return Reloads()


@pytest.fixture
def catalog(tmp_path: Path, reloads: Reloads) -> Catalog:
    (tmp_path / "contracts").mkdir()
    return catalog_of(tmp_path, reloads)


def catalog_of(folder: Path, reloads: Reloads, **options: Any) -> Catalog:
    """A catalogue that reads often, of the contracts of a folder."""
    shortest = options.pop("shortest", timedelta(seconds=1))
    deadline = options.pop("deadline_seconds", 10.0)
    gone = options.pop("gone_seconds", 0.0)
    places = options.pop("places", (folder / "contracts",))
    options.setdefault("clock", system_clock())
    return Catalog(
        CatalogSettings(places, 0.2, deadline, shortest, gone),
        series=reloads,
        **options,
    )


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / "contracts" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    # Two writes within one tick of the file system's clock would look like one.
    os.utime(file, ns=(before + 10**9, before + 10**9))
    return file


def versions(change: CatalogChange) -> list[tuple[str, str]]:
    return [(one.product, one.version) for one in change.put]


def gone(change: CatalogChange) -> list[str]:
    return [one.product for one in change.withdrawn]


def test_a_contract_that_cannot_be_read_is_told_in_words_and_not_by_a_class(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text("orders"))

    def refused(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)  # root may read everything
    catalog.rescan()

    assert [one.message for one in catalog.problems()] == ["cannot be read: permission denied"]


def test_contracts_are_found_in_every_folder_below_and_named_for_people(
    tmp_path: Path, catalog: Catalog
) -> None:
    write(tmp_path, "a/orders.odcs.yaml", contract_text("orders"))
    write(tmp_path, "refunds.yml", contract_text("refunds"))
    write(tmp_path, "notes.yaml", "kind: Shopping\n")
    write(tmp_path, "README.md", contract_text("readme"))
    write(tmp_path, ".git/old.odcs.yaml", contract_text("old"))

    change = catalog.rescan()

    assert sorted(versions(change)) == [("shop/orders", "1.0.0"), ("shop/refunds", "1.0.0")]
    orders = catalog.contract("shop/orders")
    assert orders is not None
    assert orders.file == "contracts/a/orders.odcs.yaml"
    assert catalog.folder(orders) == tmp_path / "contracts" / "a"


def test_a_second_look_at_the_same_files_finds_nothing(tmp_path: Path, catalog: Catalog) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()

    assert catalog.rescan() == CatalogChange()


def test_a_changed_file_is_swapped_in(tmp_path: Path, catalog: Catalog) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    write(tmp_path, "orders.odcs.yaml", contract_text(version="1.1.0"))

    assert versions(catalog.rescan()) == [("shop/orders", "1.1.0")]


def test_a_broken_file_is_reported_and_the_last_good_version_stays(
    tmp_path: Path, catalog: Catalog, reloads: Reloads
) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    write(tmp_path, "orders.odcs.yaml", "kind: DataContract\nname: [\n")

    change = catalog.rescan()

    assert change == CatalogChange()
    orders = catalog.contract("shop/orders")
    assert orders is not None
    assert orders.version == "1.0.0"
    assert [problem.file for problem in catalog.problems()] == ["contracts/orders.odcs.yaml"]
    assert reloads.looks == [True, False]
    assert catalog.broken() == frozenset()


def test_a_file_with_one_wrong_clause_is_taken_without_it(
    tmp_path: Path, catalog: Catalog, reloads: Reloads
) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    wrong = contract_text(version="1.1.0") + "stakeholders: []\n"
    write(tmp_path, "orders.odcs.yaml", wrong)

    assert versions(catalog.rescan()) == [("shop/orders", "1.1.0")]
    orders = catalog.contract("shop/orders")
    assert orders is not None
    assert [one.clause.path for one in orders.skipped] == ["stakeholders"]
    assert [problem.path for problem in catalog.problems()] == ["stakeholders"]
    assert reloads.looks == [True, False]


def test_a_file_that_never_was_good_is_broken_and_holds_up_nothing(
    tmp_path: Path, catalog: Catalog
) -> None:
    write(tmp_path, "bad.odcs.yaml", "kind: [")
    write(tmp_path, "orders.odcs.yaml", contract_text())

    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]
    assert catalog.broken() == frozenset({"contracts/bad.odcs.yaml"})


def test_a_deleted_file_withdraws_its_product(tmp_path: Path, catalog: Catalog) -> None:
    file = write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    file.unlink()

    assert gone(catalog.rescan()) == ["shop/orders"]
    assert catalog.contracts() == ()


def test_a_file_that_moves_keeps_its_product(tmp_path: Path, catalog: Catalog) -> None:
    file = write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    file.rename(file.with_name("moved.odcs.yaml"))

    change = catalog.rescan()

    assert (versions(change), gone(change)) == ([("shop/orders", "1.0.0")], [])


def test_a_product_promised_twice_stays_with_the_file_that_has_it(
    tmp_path: Path, catalog: Catalog
) -> None:
    write(tmp_path, "b.odcs.yaml", contract_text(version="1.0.0"))
    catalog.rescan()
    first = write(tmp_path, "a.odcs.yaml", contract_text(version="2.0.0"))

    assert catalog.rescan() == CatalogChange()
    (problem,) = catalog.problems()
    assert problem.file == "contracts/a.odcs.yaml"
    assert "is promised by contracts/b.odcs.yaml already" in problem.message

    (tmp_path / "contracts" / "b.odcs.yaml").unlink()
    assert versions(catalog.rescan()) == [("shop/orders", "2.0.0")]
    assert catalog.problems() == ()
    assert first.exists()


def test_a_retired_contract_is_not_run(tmp_path: Path, catalog: Catalog) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    retired = contract_text(version="1.0.1").replace("status: active", "status: retired")
    write(tmp_path, "orders.odcs.yaml", retired)

    assert gone(catalog.rescan()) == ["shop/orders"]
    assert catalog.broken() == frozenset()


def test_a_folder_that_vanishes_withdraws_nothing(tmp_path: Path, catalog: Catalog) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    (tmp_path / "contracts").rename(tmp_path / "elsewhere")

    with pytest.raises(FileNotFoundError):
        catalog.rescan()

    assert catalog.contract("shop/orders") is not None


def test_a_folder_that_is_gone_is_named_and_its_contracts_stay(
    tmp_path: Path, catalog: Catalog, reloads: Reloads, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    (tmp_path / "contracts").rename(tmp_path / "elsewhere")
    stop = threading.Event()
    watching = threading.Thread(target=lambda: catalog.watch(stop, lambda _: None))

    watching.start()
    wait_until(lambda: reloads.looks[-1] is False, "the missing folder is noticed")
    stop.set()
    watching.join()

    assert "there is no contracts; the contracts that were read run on" in capsys.readouterr().out
    assert catalog.contract("shop/orders") is not None


def test_a_change_is_noticed_by_itself(tmp_path: Path, catalog: Catalog) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    catalog.rescan()
    heard: list[CatalogChange] = []
    stop = threading.Event()
    watching = threading.Thread(target=lambda: catalog.watch(stop, heard.append), daemon=True)
    watching.start()
    write(tmp_path, "refunds.odcs.yaml", contract_text("refunds"))

    wait_until(lambda: bool(heard), "the new file is noticed")
    stop.set()
    watching.join(10)

    assert versions(heard[0]) == [("shop/refunds", "1.0.0")]
    assert not watching.is_alive()


def test_a_folder_below_that_may_not_be_listed_withdraws_nothing(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "team/orders.odcs.yaml", contract_text("orders"))
    catalog.rescan()
    scandir = os.scandir

    def refused(path: str = ".") -> object:
        if str(path).rstrip("/").endswith("team"):  # with or without its slash, as Python likes
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    with monkeypatch.context() as closed:
        closed.setattr(os, "scandir", refused)  # root may list everything
        write(tmp_path, "refunds.odcs.yaml", contract_text("refunds"))
        change = catalog.rescan()
        assert (versions(change), gone(change)) == ([("shop/refunds", "1.0.0")], [])
        said = [one.message for one in catalog.problems()]
        assert said == ["its folder cannot be read: permission denied"]
    change = catalog.rescan()
    assert (change, catalog.problems()) == (CatalogChange(), ())


def test_a_contract_that_is_a_link_out_of_its_folder_is_not_read_and_nothing_of_it_is_told(
    catalog: Catalog, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("kind: DataContract\napiVersion: v3.1.0\nhunter2: swordfish\n")
    folder = tmp_path / "contracts"
    (folder / "a.odcs.yaml").symlink_to(secret)
    (folder / "b.yaml").symlink_to("../secret.yaml")
    (folder / "c.odcs.yaml").symlink_to("b.yaml")
    other = tmp_path / "values.yaml"
    other.write_text("kind: Deployment\n")
    (folder / "values.yaml").symlink_to(other)
    assert catalog.rescan() == CatalogChange()
    told = [str(problem) for problem in catalog.problems()]
    assert [one.partition(":")[0] for one in told] == [
        "contracts/a.odcs.yaml", "contracts/b.yaml", "contracts/c.odcs.yaml",
    ]  # fmt: skip
    assert all("a link leads out of the folders of `contracts`" in one for one in told)
    assert "hunter2" not in str(told)
    assert "swordfish" not in str(told)


def test_links_within_the_folder_and_to_what_the_settings_name_are_followed(
    tmp_path: Path, reloads: Reloads
) -> None:
    inner, beside = tmp_path / "contracts" / "..2026", tmp_path / "beside"
    inner.mkdir(parents=True)
    beside.mkdir()
    (inner / "one.odcs.yaml").write_text(contract_text("one"))
    (beside / "two.odcs.yaml").write_text(contract_text("two"))
    (tmp_path / "contracts" / "..data").symlink_to("..2026")  # as a ConfigMap is mounted
    (tmp_path / "contracts" / "one.odcs.yaml").symlink_to("..data/one.odcs.yaml")
    (tmp_path / "linked").symlink_to("contracts")
    (tmp_path / "three.odcs.yaml").write_text(contract_text("three"))
    (tmp_path / "named.odcs.yaml").symlink_to("three.odcs.yaml")
    places = (tmp_path / "linked", beside, tmp_path / "named.odcs.yaml")
    found = catalog_of(tmp_path, reloads, places=places).rescan()
    assert {name for name, _ in versions(found)} == {"shop/one", "shop/two", "shop/three"}


def test_a_pipe_in_the_place_of_a_contract_stops_nothing(catalog: Catalog, tmp_path: Path) -> None:
    write(tmp_path, "orders.odcs.yaml", contract_text())
    os.mkfifo(tmp_path / "contracts" / "pipe.odcs.yaml")
    (tmp_path / "contracts" / "zero.odcs.yaml").symlink_to("/dev/zero")
    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]
