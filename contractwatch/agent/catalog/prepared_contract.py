"""Prepared contracts: plan, server and inputs, computed once for each version and stage of life."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from contractwatch.agent.schedule.stamp_schedule import Crons, crons_of
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import RecordMetric
from contractwatch.scan.servers import choose_server
from contractwatch.verify import (
    Plan,
    as_of,
    asked_of_record,
    has_ended,
    plan,
    promised_objectives,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be computed of a contract before its data is read.

    `recorded` are the questions that the record answers, `crons` the promises with their own times.
    """

    plan: Plan
    promised: frozenset[Objective]
    server: Server
    has_ended: bool
    recorded: frozenset[type[RecordMetric]]
    crons: Crons

    def holds(self, contract: Contract, now: datetime) -> bool:
        """Whether it is of this very contract, at this stage of its life."""
        return self.plan.contract is contract and self.has_ended == has_ended(contract, now)


def prepare(contract: Contract, *, environment: str, now: datetime) -> Prepared:
    """Plan a contract and choose its server.

    Args:
        contract: What is promised.
        environment: The one whose servers are read.
        now: To know whether the product's life has ended.
    """
    planned = as_of(plan(contract), now)
    server, warning = choose_server(contract, environment)
    if warning:
        _log.warning("server_guessed", product=contract.product, problem=warning)
    return Prepared(
        planned,
        promised_objectives(planned),
        server,
        has_ended(contract, now),
        asked_of_record(planned),
        crons_of(planned),
    )
