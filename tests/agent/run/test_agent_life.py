"""Tests of product lifetimes and inputs, from run to run."""

from dataclasses import replace
from datetime import datetime, timedelta

from agent_values import contract_text
from runner_bench import MINUTE, NOW, Bench

from contractwatch.errors import Blame
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import RunOutcome, RunResult
from contractwatch.scan.reference_resolver import Published, Registry


def dated(**dates: datetime) -> str:
    levels = "".join(
        f"  - {{property: {name}, value: '{at.isoformat()}'}}\n" for name, at in dates.items()
    )
    return f"{contract_text(interval='PT24H')}slaProperties:\n{levels}"


def test_a_notice_that_was_not_saved_is_told_by_the_next_run_and_then_never_again(
    bench: Bench,
) -> None:
    ends = bench.contract(dated(endOfSupport=NOW + timedelta(days=31)))
    bench.run(ends)
    bench.time.pass_by(timedelta(days=1))
    bench.store.is_full = True
    bench.run(ends)
    bench.store.is_full = False
    bench.heart.beat()
    for _ in range(3):
        bench.run(ends)
        bench.runner.withdraw(ends)  # it leaves and comes back: what was told stays told
        bench.runner.add(ends.product)

    told = [(one.notice.days, one.receiver) for one in bench.messages if one.notice]
    assert told == [(90, "log"), (30, "log")]


def test_the_next_notice_is_looked_at_when_it_is_due(bench: Bench) -> None:
    bench.run(bench.contract(dated(endOfLife=NOW + timedelta(days=7, hours=1))))
    assert bench.looks == [("shop/orders", NOW + timedelta(hours=1, seconds=1))]


def test_after_its_life_nothing_is_checked_and_data_that_are_left_are_a_warning(
    bench: Bench,
) -> None:
    bench.publish(has_null=True)
    ends = bench.contract(dated(endOfLife=NOW + MINUTE))
    bench.run(ends)
    bench.time.pass_by(2 * MINUTE)

    left = bench.run(ends)
    (bench.folder / "data" / "orders.parquet").unlink()
    gone = bench.run(ends)

    assert left is not None
    assert gone is not None
    assert left.outcome is RunOutcome.WARNING
    assert {one.verdict.reason for one in left.results} == {
        "not due any more: the product's life has ended",
        "2 columns can still be read",
    }
    assert (gone.outcome, gone.readable, gone.error) == (RunOutcome.PASSED, None, "")
    assert set(bench.states().values()) == {ObjectiveState.GOOD}


def test_each_table_of_an_ended_product_is_judged_by_its_own_failure(bench: Bench) -> None:
    """One that nobody can look at is not gone because another is."""
    each = "'../data/{object}.parquet'"
    text = dated(endOfLife=NOW - MINUTE).replace("../data/orders.parquet", each)
    unlistable = f"{{name: spare, physicalName: {'x' * 300}, properties: [{{name: id}}]}}"
    ended = bench.contract(text.replace("schema:\n", f"schema:\n  - {unlistable}\n"))

    left = bench.run(ended)
    (bench.folder / "data" / "orders.parquet").unlink()
    gone = bench.run(ended)

    assert left is not None
    assert gone is not None
    assert _ends(left) == {"orders": Outcome.FAILED, "spare": Outcome.ERROR}
    assert _ends(gone) == {"orders": Outcome.PASSED, "spare": Outcome.ERROR}
    assert (gone.readable, gone.blame) == (None, Blame.AMBIGUOUS)


def _ends(run: RunResult) -> dict[str, Outcome]:
    return {
        one.promise.table: one.outcome for one in run.results if one.promise.kind == "endOfLife"
    }


def test_a_breach_is_told_with_the_input_that_is_broken(bench: Bench) -> None:
    source = bench.contract(contract_text("source", interval="PT24H"))
    text = contract_text("orders", interval="PT24H").replace("customProperties:\n", "", 1)
    own = f"{{property: contractwatch.inputs, value: [{{contract: {source.contract_id}}}]}}"
    text = text.replace("53581432-6c55", "53581433-6c55").replace(
        "  - property: contractwatch.schedule\n    value: {interval: PT24H}\n",
        f"customProperties: [{own}]\n",
    )
    made = bench.contract(text)
    registry = Registry([Published(one, bench.folder) for one in (source, made)])
    context = replace(bench.runner._context, registry=lambda: registry)
    bench.runner._context = context
    bench.publish(has_null=True)
    for contract in (source, source, made, made):
        bench.run(contract)
        bench.time.pass_by(MINUTE)

    (_, told) = bench.messages
    assert [(one.product, one.objectives) for one in told.upstream] == [
        ("shop/source", (Objective.COMPLETENESS,))
    ]
