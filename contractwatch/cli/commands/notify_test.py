"""`contractwatch notify-test`: send a test message to a receiver."""

import difflib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click

from contractwatch.agent.clock import system_clock
from contractwatch.agent.secrets import read_secret
from contractwatch.channels import CHANNELS, ChannelContext
from contractwatch.cli.output import say
from contractwatch.cli.parser import Command
from contractwatch.cli.record_access.record_messages import config_option
from contractwatch.errors import ChannelError, UsageError
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.record.incident import (
    Cause,
    Notification,
    TransitionKind,
    TransitionNote,
    Urgency,
)
from contractwatch.settings import environment, load_settings

_PRODUCT = "contractwatch/notify-test"


@click.command("notify-test", cls=Command)
@click.argument("receiver", metavar="[RECEIVER]", required=False, help="Its name in the settings.")
@click.option("--all", "everyone", is_flag=True, help="Every receiver there is.")
@config_option
def command(receiver: str | None, *, everyone: bool, config: Path | None) -> int:
    """Send one message, marked as a test, and say what the receiver answered.

    It is sent at once, once, and is not recorded. At PagerDuty it opens an incident of severity
    info, to be resolved there by hand.

    Exit code 0: every receiver took it. 1: one did not. 64: wrong usage or settings.

    Example: contractwatch notify-test owners-slack
    """
    settings = load_settings(config, environment())
    chosen = _chosen(receiver or "", settings.receivers, everyone=everyone)
    context = ChannelContext(read_secret, None, system_clock().now)
    failed = 0
    for each in chosen:
        try:
            answer = CHANNELS[each.kind](marked_message(each, context.now()), each, context)
            say(f"{each.name} ({each.kind}): took it; it {answer}")
        except ChannelError as error:
            failed += 1
            say(f"{each.name} ({each.kind}): did not take it: {error}", err=True)
            say(f"  {_outlook(error)}", err=True)
    return 1 if failed else 0


def marked_message(receiver: Receiver, now: datetime) -> Notification:
    """Return a message that is marked as a test."""
    key = f"test-{receiver.name}-{now:%Y%m%dT%H%M%S%f}"
    note = TransitionNote(
        incident_id=key,
        sequence=1,
        kind=TransitionKind.OPENED,
        cause=Cause.BREACH,
        objective=Objective.CONFORMANCE,
        severity=Severity.INFO,
        episode=1,
        since=now,
        at=now,
        broken=(),
        budget_remaining_ratio=None,
        budget_is_default=True,
    )
    return Notification(
        key=key,
        receiver=receiver.name,
        lane=f"{receiver.name}/{_PRODUCT}",
        urgency=Urgency.INFO,
        kind=TransitionKind.OPENED,
        product=_PRODUCT,
        contract_id="notify-test",
        contract_version="0",
        contract_file="",
        owner="",
        title=f"TEST of receiver {receiver.name}",
        notes=(note,),
        created_at=now,
        is_test=True,
    )


def _chosen(name: str, receivers: tuple[Receiver, ...], *, everyone: bool) -> Iterable[Receiver]:
    if bool(name) == everyone:
        raise UsageError("name one receiver, or give --all")
    if everyone and not receivers:
        raise UsageError("the settings have no receivers; add [receivers.NAME] to the file")
    if everyone:
        return receivers
    found = tuple(each for each in receivers if each.name == name)
    if not found:
        names = sorted(each.name for each in receivers)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}"
        raise UsageError(f"the settings have no receiver {name!r}; {hint}")
    return found


def _outlook(error: ChannelError) -> str:
    if error.retryable:
        return f"reason {error.reason}: the agent would try again, and later give up"
    return f"reason {error.reason}: the agent would not try again; mend it here or there"
