"""What another tool wrote is read as far as it goes."""

from datetime import UTC, datetime

from contractwatch.errors import Level
from contractwatch.model.check import Outcome
from contractwatch.model.run import Reading
from contractwatch.odcs.load import parse_contract
from contractwatch.verify import judge, plan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTRACT = b"""\
apiVersion: v3.1.0
kind: DataContract
id: payments-1
version: 1.0.0
name: payments
status: active
servers:
  - {server: here, type: local, path: payments.csv, format: csv}
schema:
  - name: payments
    physicalName: payments_1
    properties:
      - {name: paid_on, physicalName: paid_dt, logicalType: date, partitioned: true}
      - {name: amount, logicalType: number, required: true}
slaDefaultElement: table_one.paid_dt
slaProperties:
  - {property: latency, value: 4, unit: d, element: table_one.paid_dt}
  - {property: retention, value: 3, unit: y}
  - {property: timeOfAvailability, value: 09:00-08:00, driver: regulatory}
  - {property: timeOfAvailability, value: 08:00-08:00, driver: analytics}
  - {property: errorRate, value: 1, unit: percent, element: table_one}
  - {property: frequency, value: 1, unit: d, element: payments.paid_dt}
"""


def test_service_levels_that_lead_nowhere_are_skipped_and_the_rest_is_judged() -> None:
    contract, problems = parse_contract(CONTRACT, "payments.odcs.yaml")
    skipped = [(clause.kind, clause.clause.line) for clause in contract.skipped]
    assert skipped == [
        ("freshness", 17),
        ("retention", 18),
        ("timeOfAvailability", 19),
        ("timeOfAvailability", 20),
        ("errorRate", 21),
    ]
    warned = [
        problem for problem in problems if "the service level is skipped: " in problem.message
    ]
    assert len(warned) == 3
    assert {problem.level for problem in problems} == {Level.WARNING}
    assert [level.name for level in contract.service_levels] == ["frequency"]
    planned = plan(contract)
    run = judge(planned, Reading("here", NOW, {}, readable=None), now=NOW)
    assert run.coverage.promised == len({result.promise.clause for result in run.results})
    reasons = [r.verdict.reason for r in run.results if r.outcome is Outcome.SKIPPED]
    assert sum("expected table.column" in reason for reason in reasons) == 4
