"""Tests of contracts that are large, slow or full of faults: bounded time, bounded log."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import watchfiles
from agent_values import contract_text, wait_until

from contractwatch.agent.catalog.catalog import MOST_SHOWN, CatalogChange
from contractwatch.agent.catalog.contract_reader import ClosedError, ContractReader, ParsedContract
from contractwatch.errors import MOST_PROBLEMS, Level, Problem
from tests.agent.catalog.test_agent_catalog import Reloads, catalog_of, versions, write


def test_ninety_thousand_faults_of_one_file_are_counted_and_few_are_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of(tmp_path, Reloads())
    doubled = "".join(f"k{number % 2}: 1\n" for number in range(90_000))
    write(tmp_path, "a.odcs.yaml", f"kind: DataContract\n{doubled}")
    catalog.rescan()
    said = capsys.readouterr().out

    assert len(said) < 5_000
    assert "contract_problems_not_listed" in said
    problems = catalog.problems()
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1].message.startswith("89,805 more errors and warnings are not listed")


def test_many_files_full_of_faults_are_shown_and_logged_within_a_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of(tmp_path, Reloads())
    doubled = "".join(f"{'k' * 300}{number % 2}: 1\n" for number in range(300))
    for number in range(40):
        write(tmp_path, f"{number}.odcs.yaml", f"kind: DataContract\n{doubled}")
    catalog.rescan()

    assert capsys.readouterr().out.count("\n") <= 201
    assert len(catalog.problems()) == MOST_SHOWN + 1
    assert "more problems are not shown" in catalog.problems()[-1].message


@pytest.mark.parametrize("interval", ["PT0.000001S", "PT1S", "PT9.9S"])
def test_an_interval_below_the_operators_shortest_is_refused_in_words(
    tmp_path: Path, interval: str
) -> None:
    catalog = catalog_of(tmp_path, Reloads(), shortest=timedelta(seconds=10))
    write(tmp_path, "a.odcs.yaml", contract_text(interval=interval))

    assert versions(catalog.rescan()) == [("shop/orders", "1.0.0")]
    (problem,) = catalog.problems()
    assert problem.level is Level.ERROR
    assert problem.line > 0
    assert "is too short for this agent and is refused; expected 10 s or more" in problem.message


def test_a_cron_or_a_frequency_may_be_too_often_as_well(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, Reloads(), shortest=timedelta(hours=1))
    text = contract_text()
    write(
        tmp_path,
        "cron.odcs.yaml",
        text.replace("{interval: PT1S}", '{cron: "*/5 * * * *"}').replace("orders", "a"),
    )
    promised = text[: text.index("customProperties")]
    promised += "slaProperties: [{property: frequency, value: 1, unit: m, element: orders}]\n"
    write(tmp_path, "promised.odcs.yaml", promised)
    write(tmp_path, "fine.odcs.yaml", contract_text("fine", interval="PT1H"))
    catalog.rescan()

    told = [str(one) for one in catalog.problems() if "too short" in one.message]
    assert len(told) == 2
    assert "the schedule '*/5 * * * *', which comes true 300 s apart," in told[0]
    assert "promised.odcs.yaml" in told[1]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (  # as watchfiles raises it
            RuntimeError("Error creating recommended watcher: Too many open files (os error 24)"),
            "the limit fs.inotify.max_user_instances, or of open files, is used up",
        ),
        (
            OSError('OS file watch limit reached. about ["/x"] (Error { kind: MaxFilesWatch })'),
            "the limit fs.inotify.max_user_watches is used up",
        ),
        (
            OSError(24, "Too many open files"),
            "the limit fs.inotify.max_user_instances, or of open files, is used up",
        ),
        (OSError(13, "Permission denied"), "permission denied"),
        (RuntimeError("PanicException: ()"), "the system refused to watch the folder"),
    ],
)
def test_without_notices_of_the_system_changes_are_found_by_polling_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def used_up(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr(watchfiles, "watch", used_up)
    catalog = catalog_of(tmp_path, Reloads())
    write(tmp_path, "a.odcs.yaml", contract_text())
    catalog.rescan()
    assert catalog.polling_status() == ""
    heard: list[CatalogChange] = []
    stop = threading.Event()
    watching = threading.Thread(target=lambda: catalog.watch(stop, heard.append), daemon=True)
    watching.start()
    wait_until(lambda: bool(catalog.polling_status()), "the lack of notices is known")
    write(tmp_path, "b.odcs.yaml", contract_text("refunds"))

    wait_until(lambda: bool(heard), "the new file is found")
    stop.set()
    watching.join(10)
    assert versions(heard[0]) == [("shop/refunds", "1.0.0")]
    said = f"changes of contracts are found by polling every 0.2 s ({reason})"
    assert catalog.polling_status() == said
    assert (catalog.problems()[0].message, catalog.problems()[0].level) == (said, Level.WARNING)


def test_notices_that_come_all_the_time_and_do_not_matter_hold_up_no_rescan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: object, stop_event: threading.Event, **__: object) -> object:
        stop_event.wait()  # as when each change is filtered away
        yield set()

    monkeypatch.setattr(watchfiles, "watch", deaf)
    catalog = catalog_of(tmp_path, Reloads())
    (tmp_path / "contracts").mkdir(exist_ok=True)
    catalog.rescan()
    heard: list[CatalogChange] = []
    stop = threading.Event()
    watching = threading.Thread(target=lambda: catalog.watch(stop, heard.append), daemon=True)
    watching.start()
    write(tmp_path, "a.odcs.yaml", contract_text())

    wait_until(lambda: bool(heard), "the file is found by the rescan")
    stop.set()
    watching.join(10)
    assert versions(heard[0]) == [("shop/orders", "1.0.0")]


def test_a_contract_that_is_late_is_a_problem_the_last_good_version_stays_and_others_are_read(
    tmp_path: Path,
) -> None:
    asked: list[tuple[str, float]] = []

    def parse(data: bytes, file: str, *, deadline_seconds: float) -> ParsedContract:
        asked.append((file, deadline_seconds))
        late = Problem(file, 0, "", "reading it takes longer than 10 s")
        return ParsedContract(None, (late,), is_final=False, seconds=deadline_seconds)

    catalog = catalog_of(tmp_path, Reloads(), parse=parse)
    for number in range(6):
        write(tmp_path, f"{number}.odcs.yaml", contract_text(f"p{number}"))
    catalog.rescan()

    assert [seconds for _, seconds in asked] == [10.0, 10.0, 10.0, 1.0, 1.0, 1.0]
    assert len(catalog.problems()) == 6
    catalog.rescan()
    assert len(asked) == 6  # what was late is not tried at each look


@pytest.fixture
def reader():
    reader = ContractReader()
    yield reader
    reader.close()


def test_a_contract_is_parsed_in_another_process_and_is_the_same(reader: ContractReader) -> None:
    here = contract_text().encode()
    parsed = reader.parse(here, "a.yaml", deadline_seconds=60)
    broken = reader.parse(b"kind: [", "b.yaml", deadline_seconds=60)

    assert parsed.contract is not None
    assert parsed.contract.product == "shop/orders"
    assert (broken.contract, broken.problems[0].file) == (None, "b.yaml")
    assert parsed.is_final
    assert broken.is_final


def test_a_parse_over_its_deadline_is_killed_and_the_next_one_is_done(
    reader: ContractReader,
) -> None:
    text = contract_text().encode()
    reader.parse(text, "a.yaml", deadline_seconds=60)
    slow = b"apiVersion: v3.1.0\nkind: DataContract\nid: x\n" + b"k: [" + b"1, " * 190_000 + b"1]\n"
    late = reader.parse(slow, "slow.yaml", deadline_seconds=0.05)

    assert not late.is_final
    assert "takes longer than 0.05 s" in late.problems[0].message
    assert reader.parse(text, "a.yaml", deadline_seconds=60).contract is not None


def test_the_end_of_the_agent_ends_a_parse_that_is_under_way(reader: ContractReader) -> None:
    reader.parse(contract_text().encode(), "a.yaml", deadline_seconds=60)
    slow = b"apiVersion: v3.1.0\nkind: DataContract\nid: x\n" + b"k: [" + b"1, " * 190_000 + b"1]\n"
    closing = threading.Timer(0.1, reader.close)
    closing.start()
    began = time.monotonic()

    def parse_on() -> None:
        while True:
            reader.parse(slow, "slow.yaml", deadline_seconds=60)

    with pytest.raises(ClosedError):
        parse_on()
    assert time.monotonic() - began < 20
