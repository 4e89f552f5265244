"""Tests of the stored evidence of verdicts, and of results from before it was stored."""

from dataclasses import replace

from store_values import check, run

from contractwatch.model.measure.evidence import Evidence
from contractwatch.store.record.results import pack_results, plan_of, unpack_results


def test_each_verdict_keeps_its_evidence() -> None:
    kept: list[Evidence | None] = [*Evidence, None]
    results = tuple(check(number, evidence=evidence) for number, evidence in enumerate(kept))
    plan = plan_of(replace(run(), results=results))
    assert unpack_results(pack_results(results, plan), plan) == results


def test_verdicts_without_evidence_take_no_room() -> None:
    results = (check(1), check(2))
    plan = plan_of(replace(run(), results=results))
    assert unpack_results(pack_results(results, plan), plan) == results
