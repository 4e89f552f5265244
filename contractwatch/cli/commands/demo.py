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
from contractwatch.demo.demo_folder import HOUR, create_demo_folder, remove_demo_folder
from contractwatch.demo.faults import FAULTS
from contractwatch.demo.flights_data import read_flights_data
from contractwatch.demo.inbox import Inbox
from contractwatch.demo.publisher import Publisher
from contractwatch.demo.replay import Replay, log_tail

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
    demo_folder = create_demo_folder(folder, port=page_port, inbox_port=inbox.port)
    agent = AgentProcess(demo_folder, page_port)
    replay = Replay(Publisher(data, demo_folder.live, HOUR), agent, inbox, say)
    interrupted = False
    try:
        kept = _once(replay) if once else _for_ever(replay)
    except KeyboardInterrupt:
        interrupted, kept = True, not once  # a script that was cut short has shown nothing
    finally:
        code = agent.stop()
        inbox.close()
    if code != 0 or not (kept or interrupted):
        say(f"the agent ended with {code}; its log ends:\n{log_tail(demo_folder.log)}")
        say(f"everything is left in {folder}")
        return 1
    remove_demo_folder(demo_folder)
    return 0 if kept else 1


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: a second signal must not cut short how the agent is ended.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _once(replay: Replay) -> bool:
    if not replay.start():
        return False
    for fault in FAULTS:
        replay.replay_fault(fault)
    return replay.report()


def _for_ever(replay: Replay) -> bool:
    if not replay.start():
        return False
    say("press Ctrl-C to end")
    while True:
        for fault in FAULTS:
            replay.keep_publishing(_PAUSE_SECONDS)
            replay.replay_fault(fault)
