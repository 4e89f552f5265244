"""`contractwatch gate`: tell a pipeline by exit code whether a product may be used now."""

import json
from pathlib import Path

import click

from contractwatch.agent.clock import system_clock
from contractwatch.cli.output import write_document
from contractwatch.cli.parser import Command
from contractwatch.cli.record_access.record_messages import config_option, product_argument
from contractwatch.cli.record_access.remote_gate import UnreachableError, ask_gate
from contractwatch.cli.values import Number, OneOf, SomeOf, Text, repeated
from contractwatch.errors import StoreError
from contractwatch.model.base.objective import Objective
from contractwatch.slo.gate import (
    BODY_VERSION,
    EXIT_UNREACHABLE,
    OnUnknown,
    Policy,
    decide,
    to_body,
)
from contractwatch.web.api.policy import policy_of


@click.command("gate", cls=Command)
@product_argument
@repeated(
    "--require",
    kind=SomeOf(Objective),
    metavar="OBJECTIVE,...",
    about="Such as schema,freshness; by default all that is promised.",
)
@click.option(
    "--min-score", type=Number(min=0, max=100), metavar="N", help="Lowest trust score, 0 to 100."
)
@click.option(
    "--max-evaluation-age",
    type=Text(),
    metavar="D",
    help="Oldest last run, such as 2h, 90m, 1d or PT2H.",
)
@click.option(
    "--on-unknown",
    type=OneOf(OnUnknown),
    default=OnUnknown.FAIL.value,
    help="What to do when a required promise is not known.",
)
@click.option("--url", type=Text(), metavar="URL", help="Ask the agent there; else read the store.")
@click.option(
    "--timeout-seconds",
    type=Number(min=0.1, max=300),
    default=10.0,
    metavar="S",
    help="Longest wait for the agent, in seconds.",
)
@config_option
def command(  # noqa: PLR0913 - the options of the policy, each its own word
    product: str,
    *,
    require: tuple[Objective, ...],
    min_score: float | None,
    max_evaluation_age: str | None,
    on_unknown: OnUnknown,
    url: str | None,
    timeout_seconds: float,
    config: Path | None,
) -> int:
    """Decide whether a product may be used now; the decision is JSON on stdout.

    Exit code 0: use it. 1: a required promise is broken, or the score is too low. 2: not known, or
    the last run is too old. 3: the agent or its store cannot be reached. 64: wrong usage, also a
    product that does not exist. Whether to go on after 3 is your choice, never ours.

    Example: contractwatch gate finance/orders --require schema,freshness --max-evaluation-age 2h
    """
    asked = {
        "require": ",".join(require),
        "max_evaluation_age": max_evaluation_age or "",
        "on_unknown": on_unknown.value,
    }
    policy = policy_of(**asked, min_score=min_score)
    if min_score is not None:
        asked["min_score"] = f"{min_score:g}"
    try:
        if url:
            body = ask_gate(url, product, asked, timeout_seconds=timeout_seconds)
        else:
            body = _decided(product, policy, config)
    except (StoreError, UnreachableError) as error:
        body = _unreachable(product, str(error))
    write_document(json.dumps(body, indent=2) + "\n")
    return int(str(body["exit_code"]))


def _decided(product: str, policy: Policy, config: Path | None) -> dict[str, object]:
    # Imported here because the store and the settings take longer than an agent does to answer.
    from contractwatch.cli.record_access.record import open_record, require_record  # noqa: PLC0415 - see above

    with open_record(config) as store:
        record = require_record(store, product)
    return to_body(decide(record, policy, now=system_clock().now()))


def _unreachable(product: str, reason: str) -> dict[str, object]:
    return {
        "version": BODY_VERSION,
        "product": product,
        "allow": False,
        "decision": "unreachable",
        "exit_code": EXIT_UNREACHABLE,
        "reasons": [reason],
    }
