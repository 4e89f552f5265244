"""Tests of a real agent: ended while it starts, restarted, and reloaded."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from agent_values import AgentProcess, Inbox, Place, contract_text, wait_until

pytestmark = pytest.mark.slow
ID = "53581432-6c55-4ba2-a65f-72344a91553a"


def decision(agent: AgentProcess) -> str:
    return agent.get("/api/v1/products/shop/orders/gate")[1]


def test_a_newcomer_takes_no_product_while_the_agent_is_down_and_its_breach_stays_open(
    place: Place, inbox: Inbox, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    place.publish(has_null=True)
    first = start()
    wait_until(lambda: bool(inbox.keys("opened")), "the breach is told")
    first.kill()
    newcomer = (
        contract_text(version="6.6.6").replace(ID, "somebody-else").replace("required: true", "")
    )
    (place.contract.parent / "a.odcs.yaml").write_text(newcomer)

    second = start()
    second.wait_ready()
    wait_until(lambda: second.runs("failed") > 1, "the holder's promise is judged again")

    assert '"allow":false' in decision(second)
    assert "is promised by contracts/orders.odcs.yaml already" in second.get("/api/v1/products")[1]
    assert inbox.keys("withdrawn") == inbox.keys("resolved") == []

    place.contract.unlink()  # the operator's act
    wait_until(lambda: second.runs("passed") > 1, "the other file holds the product")
    assert second.end()[0] == 0


def test_the_agent_is_ended_while_it_reads_its_contracts(
    place: Place, start: Callable[..., AgentProcess]
) -> None:
    head = b"apiVersion: v3.1.0\nkind: DataContract\nid: x\n"
    for number in range(30):
        slow = head + b"k%d: [" % number + b"1, " * 190_000 + b"1]\n"
        (place.contract.parent / f"{number}.odcs.yaml").write_bytes(slow)
    agent = start()
    wait_until(lambda: agent.get("/readyz")[0] == 503, "the agent answers while it reads")
    words = agent.get("/readyz")[1]

    code, seconds = agent.end()

    assert words == "the contracts are being read\n"
    assert (code, seconds < 8) == (0, True)


def test_sighup_reads_settings_and_contracts_again_and_wrong_settings_change_nothing(
    place: Place, start: Callable[..., AgentProcess]
) -> None:
    text = place.settings.read_text().replace("rescan_seconds = 1", "rescan_seconds = 3600")
    place.settings.write_text(text)
    place.contract.write_text(contract_text(interval="PT1S"))
    agent = start()
    agent.wait_ready()

    def hang_up() -> None:
        agent.process.send_signal(signal.SIGHUP)

    place.settings.write_text(text + "\n[receivers.inbox2]\nkind = 'carrier pigeon'\n")
    hang_up()
    wait_until(lambda: bool(agent.said("settings_not_reloaded")), "wrong settings are refused")
    assert agent.said("settings_refused")
    assert not agent.said("settings_reloaded")

    changed = text.replace("workers = 1", "workers = 2").replace(
        "shortest_interval_seconds = 1", "shortest_interval_seconds = 600"
    )
    changed += "\n[receivers.second]\nkind = 'log'\n"
    place.settings.write_text(changed)
    hang_up()
    wait_until(lambda: bool(agent.said("settings_reloaded")), "settings are taken")
    (taken,) = agent.said("settings_reloaded")
    (later,) = agent.said("settings_need_restart")
    assert sorted(taken["changed"]) == ["receivers", "shortest_interval_seconds"]
    assert "workers" in later["settings"]
    wait_until(
        lambda: "is too short for this agent" in agent.get("/api/v1/products")[1],
        "the contracts are judged by the settings of now",
    )
    before = len(agent.said("run_finished"))
    time.sleep(2.5)
    assert len(agent.said("run_finished")) - before <= 1

    other = place.contract.parent / "other.odcs.yaml"
    other.write_text(contract_text("other"))
    hang_up()
    wait_until(lambda: bool(agent.said("contract_taken")), "contracts are read")
    assert agent.process.poll() is None
    assert agent.end()[0] == 0


def test_a_hang_up_during_the_start_does_not_end_the_agent(
    place: Place, start: Callable[..., AgentProcess]
) -> None:
    place.contract.write_text(contract_text())
    agent = start()
    wait_until(lambda: agent.get("/readyz")[0] in {200, 503}, "the agent answers")
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.wait_ready()

    assert agent.end()[0] == 0
