"""Fixtures of the agent's tests: the bench of a runner, and real agents with a receiver."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_values import AgentProcess, Inbox, Place
from runner_bench import bench, workers

__all__ = ["bench", "workers"]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    yield inbox
    inbox.close()


@pytest.fixture
def place(tmp_path: Path, inbox: Inbox) -> Place:
    return Place(tmp_path, inbox.port)


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., AgentProcess]]:
    started: list[AgentProcess] = []

    def begin(*options: str) -> AgentProcess:
        started.append(AgentProcess(place, *options))
        return started[-1]

    yield begin
    for agent in started:
        if agent.process.poll() is None:
            agent.kill()
