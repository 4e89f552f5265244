"""`contractwatch demo`: replay flights data, break promises, and watch them reported."""

import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from contractwatch.cli.output import say
from contractwatch.cli.parser import Command
from contractwatch.cli.values import Whole
from contractwatch.demo.agent_process import AgentProcess, free_port
from contractwatch.demo.faults import FAULTS
from contractwatch.demo.flights_data import read_flights_data
from contractwatch.demo.inbox import Inbox
from contractwatch.demo.publisher import Publisher
from contractwatch.demo.stage import HOUR, clear, set_up
from contractwatch.demo.story import Story, log_tail

_PAUSE_SECONDS = 15.0


@click.command("demo", cls=Command)
@click.option("--once", is_flag=True, help="Run the script once, in about a minute, and end.")
@click.option(
    "--port", type=Whole(min=0, max=65535), default=0, help="Port of the page; 0 takes a free one."
)
def command(*, once: bool, port: int) -> int:
    """Replay live flights data, break promises, and watch them told.

    An hour lasts two seconds, in the data and in the contracts; every file is in a temporary
    folder. With --once the exit code is 0 only if all that should have been told was told, once.

    Example: contractwatch demo --once
    """
    # SIGTERM ends it as Ctrl-C does: else its agent would be left behind, without a parent.
    signal.signal(signal.SIGTERM, _interrupt)
    say("reading the 2013 New York flights ...")
    data = read_flights_data()
    inbox = Inbox()
    folder = Path(tempfile.mkdtemp(prefix="contractwatch-demo-"))
    page_port = port or free_port()
    stage = set_up(folder, port=page_port, inbox_port=inbox.port)
    agent = AgentProcess(stage, page_port)
    story = Story(Publisher(data, stage.live, HOUR), agent, inbox, say)
    interrupted = False
    try:
        kept = _once(story) if once else _for_ever(story)
    except KeyboardInterrupt:
        interrupted, kept = True, not once  # a script that was cut short has shown nothing
    finally:
        code = agent.stop()
        inbox.close()
    if code != 0 or not (kept or interrupted):
        say(f"the agent ended with {code}; its log ends:\n{log_tail(stage.log)}")
        say(f"everything is left in {folder}")
        return 1
    clear(stage)
    return 0 if kept else 1


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: a second signal must not cut short how the agent is ended.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _once(story: Story) -> bool:
    if not story.begin():
        return False
    for fault in FAULTS:
        story.chapter(fault)
    return story.verdict()


def _for_ever(story: Story) -> bool:
    if not story.begin():
        return False
    say("press Ctrl-C to end")
    while True:
        for fault in FAULTS:
            story.linger(_PAUSE_SECONDS)
            story.chapter(fault)
