"""Tests of the agent as a real process: start, signals, shut-down."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from agent_values import AgentProcess, Inbox, Place, contract_text, free_port, wait_until

from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.store.store import Store

pytestmark = pytest.mark.slow


def test_a_broken_promise_is_told_once_though_the_agent_is_killed_in_between(
    place: Place, inbox: Inbox, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    first = start()
    first.wait_ready()
    wait_until(lambda: first.runs("passed") > 0, "a run has passed")
    place.publish(has_null=True)
    wait_until(lambda: first.runs("failed") > 0, "a run has failed")
    first.kill()
    killed_at = datetime.now(UTC)

    second = start()
    second.wait_ready()
    wait_until(lambda: bool(inbox.keys("opened")), "the incident is told")
    place.publish(has_null=False)
    wait_until(lambda: bool(inbox.keys("resolved")), "the resolution is told")
    code, seconds = second.end()

    assert (code, seconds < 10) == (0, True)
    assert len(set(inbox.keys("opened"))) == 1
    assert len(set(inbox.keys("resolved"))) == 1
    store = Store.open(f"sqlite:///{place.folder / 'record.db'}", read_only=True)
    record = store.record("shop/orders")
    store.close()
    assert record is not None
    line = next(x for x in record.lines if x.standing.objective is Objective.COMPLETENESS)
    at_kill = [one.state for one in line.intervals if one.start <= killed_at < one.end]
    assert at_kill == [ObjectiveState.UNKNOWN]


def test_a_broken_contract_file_is_reported_and_the_last_good_version_runs_on(
    place: Place, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    agent = start()
    agent.wait_ready()
    wait_until(lambda: agent.runs("passed") > 0, "a run has passed")

    place.contract.write_text("kind: DataContract\nname: [\n")
    wait_until(lambda: bool(agent.said("contract_problem")), "the file is reported")
    before = agent.runs("passed")
    wait_until(lambda: agent.runs("passed") > before + 1, "the last good version runs")
    series = agent.get("/metrics")[1]
    assert "contractwatch_config_last_reload_successful 0.0" in series
    assert 'sli_measured_seconds_total{product="shop/orders",slo="schema"}' in series
    assert agent.get("/api/v1/products/shop/orders")[0] == 200

    place.contract.write_text(contract_text(version="1.1.0"))
    wait_until(
        lambda: [one["version"] for one in agent.said("contract_taken")] == ["1.1.0"],
        "the mended file is taken",
    )
    assert agent.end()[0] == 0


def test_a_contract_that_is_deleted_is_withdrawn_and_its_incident_told(
    place: Place, inbox: Inbox, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    place.publish(has_null=True)
    agent = start()
    wait_until(lambda: bool(inbox.keys("opened")), "the incident is told")

    place.contract.unlink()

    wait_until(lambda: bool(inbox.keys("withdrawn")), "the withdrawal is told")
    wait_until(
        lambda: agent.get("/api/v1/products/shop/orders")[0] == 404, "the product is not served"
    )
    assert agent.end()[0] == 0


def test_a_second_agent_on_the_same_store_is_refused_and_the_first_goes_on(
    place: Place, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    first = start()
    first.wait_ready()

    second = start("--port", "0")

    assert second.process.wait(30) == 2
    assert "another agent" in second.log.read_text()
    assert first.get("/healthz")[0] == 200
    assert first.end()[0] == 0


def test_a_port_that_is_taken_is_said_at_once(
    place: Place, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    with socket.create_server(("127.0.0.1", place.port)):
        agent = start()

        assert agent.process.wait(30) == 2
    assert f"cannot listen on 127.0.0.1:{place.port}: address already in use" in (
        agent.log.read_text()
    )


def test_an_agent_started_among_contracts_keeps_its_record_elsewhere_and_commands_find_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "contracts"
    home.mkdir()
    (home / "orders.odcs.yaml").write_text(contract_text())
    environ = os.environ | {
        "XDG_STATE_HOME": str(tmp_path / "states"),
        "CONTRACTWATCH_PORT": str(free_port()),
        "NO_COLOR": "1",
    }

    def start(*words: str, out: int | IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "contractwatch", *words]
        return subprocess.Popen(command, cwd=home, env=environ, stdout=out, stderr=out)

    def status() -> str:
        return start("status", out=subprocess.PIPE).communicate(timeout=60)[0].decode()

    with (tmp_path / "agent.log").open("wb") as log:
        agent = start("run", "--contracts", ".", out=log)
    try:
        wait_until(lambda: "shop/orders" in status(), "status shows the product")
    finally:
        agent.terminate()
        agent.wait(timeout=20)

    (record,) = (tmp_path / "states" / "contractwatch").glob("contracts-*/contractwatch.db")
    assert str(record) in (tmp_path / "agent.log").read_text()
    assert [path.name for path in home.iterdir()] == ["orders.odcs.yaml"]
