"""Tests of product ownership: a file keeps its product until the operator hands it over."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from agent_values import contract_text

from contractwatch.agent.catalog.catalog import Catalog, CatalogChange
from contractwatch.agent.catalog.holders import Holder
from contractwatch.agent.clock import Clock
from tests.agent.catalog.test_agent_catalog import Reloads, catalog_of, versions

ID = "53581432-6c55-4ba2-a65f-72344a91553a"
OTHER = "11111111-6c55-4ba2-a65f-72344a91553a"


def publish(folder: Path, name: str, *, version: str = "1.0.0", contract_id: str = ID) -> Path:
    file = folder / "contracts" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(contract_text(version=version).replace(ID, contract_id))
    return file


def restarted(folder: Path, *, file: str = "contracts/b.odcs.yaml") -> Catalog:
    known = {"shop/orders": Holder(file, ID, "of the first start")}
    return catalog_of(folder, Reloads(), holders=known)


@pytest.mark.parametrize("newcomer", ["a.odcs.yaml", "0/orders.odcs.yaml", "z.odcs.yml"])
def test_a_second_file_does_not_take_a_product_over_a_restart(
    tmp_path: Path, newcomer: str
) -> None:
    publish(tmp_path, "b.odcs.yaml")
    publish(tmp_path, newcomer, version="6.6.6", contract_id=OTHER)
    catalog = restarted(tmp_path)

    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]
    (problem,) = catalog.problems()
    assert problem.file == f"contracts/{newcomer}"
    assert "remove contracts/b.odcs.yaml to hand the product over" in problem.message


def test_a_holder_whose_file_is_broken_at_the_start_still_holds_its_product(
    tmp_path: Path,
) -> None:
    publish(tmp_path, "b.odcs.yaml").write_text("kind: DataContract\nname: [\n")
    publish(tmp_path, "a.odcs.yaml", version="6.6.6", contract_id=OTHER)
    catalog = restarted(tmp_path)

    assert versions(catalog.rescan()) == []
    assert catalog.contested() == {"shop/orders"}
    assert any("is held by contracts/b.odcs.yaml" in str(one) for one in catalog.problems())

    publish(tmp_path, "b.odcs.yaml", version="1.0.1")
    assert versions(catalog.rescan()) == [("shop/orders", "1.0.1")]


def test_the_operator_hands_a_product_over_by_removing_the_file_that_holds_it(
    tmp_path: Path,
) -> None:
    holder = publish(tmp_path, "b.odcs.yaml")
    publish(tmp_path, "a.odcs.yaml", version="2.0.0", contract_id=OTHER)
    catalog = restarted(tmp_path)
    catalog.rescan()
    holder.unlink()

    assert versions(catalog.rescan()) == [("shop/orders", "2.0.0")]
    assert catalog.problems() == ()


def test_the_operator_hands_a_product_over_by_retiring_the_contract_that_holds_it(
    tmp_path: Path,
) -> None:
    holder = publish(tmp_path, "b.odcs.yaml")
    publish(tmp_path, "a.odcs.yaml", version="2.0.0", contract_id=OTHER)
    catalog = restarted(tmp_path)
    catalog.rescan()
    holder.write_text(contract_text().replace("status: active", "status: retired"))

    assert versions(catalog.rescan()) == [("shop/orders", "2.0.0")]


def test_a_contract_that_moved_while_nobody_looked_is_known_by_its_id(tmp_path: Path) -> None:
    publish(tmp_path, "new/orders.odcs.yaml", version="1.0.1")
    publish(tmp_path, "a.odcs.yaml", version="6.6.6", contract_id=OTHER)

    assert versions(restarted(tmp_path).rescan()) == [("shop/orders", "1.0.1")]


def test_of_several_strangers_nobody_gets_a_product_and_it_is_not_withdrawn(
    tmp_path: Path,
) -> None:
    publish(tmp_path, "a.odcs.yaml", version="6.6.6", contract_id=OTHER)
    publish(tmp_path, "c.odcs.yaml", version="7.7.7", contract_id=OTHER)
    catalog = restarted(tmp_path)

    assert versions(catalog.rescan()) == []
    assert catalog.contested() == {"shop/orders"}
    assert all("none of them held it; keep one" in one.message for one in catalog.problems())

    (tmp_path / "contracts" / "c.odcs.yaml").unlink()
    assert versions(catalog.rescan()) == [("shop/orders", "6.6.6")]


def test_a_newcomer_that_looks_like_a_product_is_not_run(tmp_path: Path) -> None:
    publish(tmp_path, "b.odcs.yaml")
    like = tmp_path / "contracts" / "a.odcs.yaml"
    like.write_text(contract_text("\u043erders"), encoding="utf-8")
    catalog = restarted(tmp_path)

    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]
    (problem,) = catalog.problems()
    assert "looks like 'shop/orders'" in problem.message


def test_a_product_is_new_by_its_content_whatever_size_and_times_say(tmp_path: Path) -> None:
    file = publish(tmp_path, "b.odcs.yaml", version="1.0.0")
    before = file.stat()
    catalog = restarted(tmp_path)
    catalog.rescan()

    file.write_text(contract_text(version="2.0.0"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert file.stat().st_size == before.st_size
    assert versions(catalog.rescan()) == [("shop/orders", "2.0.0")]

    other = publish(tmp_path, "next.tmp", version="3.0.0")  # renamed over it: another inode
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)
    assert versions(catalog.rescan()) == [("shop/orders", "3.0.0")]


class Watch:
    """A clock whose monotonic seconds are set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def clock(self) -> Clock:
        return Clock(now=lambda: datetime(2026, 3, 1, tzinfo=UTC), monotonic=lambda: self.seconds)


def patient(folder: Path, watch: Watch, **options: object) -> Catalog:
    return catalog_of(folder, Reloads(), clock=watch.clock(), gone_seconds=10.0, **options)


def deleted(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_text("")


def begun(file: Path) -> None:
    file.write_text("apiVersion: v3.1.0\n")


def renamed(file: Path) -> None:
    file.rename(file.with_name("orders.yml~"))


@pytest.mark.parametrize("replaced", [deleted, emptied, begun, renamed])
@pytest.mark.parametrize("rival", ["a.odcs.yaml", "z.odcs.yaml", "b/orders.yml"])
def test_a_file_that_is_gone_for_a_moment_hands_nothing_over(
    tmp_path: Path, replaced: Callable[[Path], None], rival: str
) -> None:
    watch = Watch()
    holder = publish(tmp_path, "orders.yml")  # known as a contract by its words alone
    catalog = patient(tmp_path, watch)
    catalog.rescan()
    publish(tmp_path, rival, version="6.6.6", contract_id=OTHER)
    catalog.rescan()

    replaced(holder)
    assert catalog.rescan() == CatalogChange()
    watch.seconds += 9
    assert catalog.rescan() == CatalogChange()
    publish(tmp_path, "orders.yml", version="1.0.1")
    assert versions(catalog.rescan()) == [("shop/orders", "1.0.1")]

    watch.seconds += 60
    holder.unlink()
    assert catalog.rescan() == CatalogChange()
    watch.seconds += 11
    assert versions(catalog.rescan()) == [("shop/orders", "6.6.6")]


def test_a_copy_of_the_holder_gets_nothing_while_the_holder_is_gone_for_a_moment(
    tmp_path: Path,
) -> None:
    watch = Watch()
    holder = publish(tmp_path, "b.odcs.yaml")
    catalog = patient(tmp_path, watch)
    catalog.rescan()
    copy = Path(shutil.copy(holder, holder.with_name("a.odcs.yaml")))
    catalog.rescan()
    holder.unlink()
    catalog.rescan()
    copy.write_text(contract_text(version="6.6.6"))
    assert catalog.rescan() == CatalogChange()
    publish(tmp_path, "b.odcs.yaml")

    assert catalog.rescan() == CatalogChange()
    (contract,) = catalog.contracts()
    assert (contract.file, contract.version) == ("contracts/b.odcs.yaml", "1.0.0")


def test_a_file_that_promises_something_else_for_a_moment_hands_nothing_over(
    tmp_path: Path,
) -> None:
    watch = Watch()
    holder = publish(tmp_path, "b.odcs.yaml")
    catalog = patient(tmp_path, watch)
    catalog.rescan()
    publish(tmp_path, "a.odcs.yaml", version="6.6.6", contract_id=OTHER)
    catalog.rescan()

    holder.write_text(contract_text().replace("name: orders", ""))  # half of it is written
    assert "shop/orders" not in dict(versions(catalog.rescan()))
    assert catalog.contested() == {"shop/orders"}
    publish(tmp_path, "b.odcs.yaml")
    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]


def test_at_a_start_without_the_holder_a_newcomer_waits_and_nothing_is_withdrawn(
    tmp_path: Path,
) -> None:
    watch = Watch()
    publish(tmp_path, "a.odcs.yaml", version="6.6.6", contract_id=OTHER)
    known = {
        "shop/orders": Holder("contracts/b.odcs.yaml", ID, "of the first start"),
        "shop/refunds": Holder("contracts/c.odcs.yaml", ID, "of the first start"),
    }
    catalog = patient(tmp_path, watch, holders=known)

    assert versions(catalog.rescan()) == []
    assert catalog.contested() == {"shop/orders", "shop/refunds"}
    watch.seconds += 11
    assert versions(catalog.rescan()) == [("shop/orders", "6.6.6")]
    assert catalog.contested() == frozenset()


def test_a_retired_contract_hands_over_at_once(tmp_path: Path) -> None:
    holder = publish(tmp_path, "b.odcs.yaml")
    catalog = patient(tmp_path, Watch())
    catalog.rescan()
    publish(tmp_path, "a.odcs.yaml", version="2.0.0", contract_id=OTHER)
    catalog.rescan()
    holder.write_text(contract_text().replace("status: active", "status: retired"))

    assert versions(catalog.rescan()) == [("shop/orders", "2.0.0")]


def test_files_of_one_name_in_two_folders_are_two_files(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "sales" / "contracts", tmp_path / "billing" / "contracts"
    for folder, version in ((ours, "1.0.0"), (theirs, "6.6.6")):
        publish(folder.parent, "orders.odcs.yaml", version=version)
    places = {"places": (ours, theirs)}
    known = {"shop/orders": Holder("sales/contracts/orders.odcs.yaml", ID, "of the first start")}
    catalog = patient(tmp_path, Watch(), holders=known, **places)

    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]
    (contract,) = catalog.contracts()
    assert catalog.folder(contract) == ours
    (problem,) = catalog.problems()
    assert problem.file == "billing/contracts/orders.odcs.yaml"
