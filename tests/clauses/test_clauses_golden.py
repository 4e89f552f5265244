"""Each kind of clause, from the contract's text to the verdict: once kept and once broken."""

import importlib
import pkgutil
from functools import cache
from pathlib import Path

import pytest
from clause_cases import Case, cases, skipped_cases

from contractwatch import checks
from contractwatch.checks import CHECKS
from contractwatch.checks.common.promise_builder import Kind
from contractwatch.model.contract.contract import Contract
from contractwatch.model.promises.rule import TypeOptionKind
from contractwatch.model.promises.service_level import IncidentStep
from contractwatch.model.record.check import Outcome

CASES = cases()


def kinds() -> set[str]:
    """Every word that the shelf gives to a promise."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}.")
    ]
    named = {
        value.name
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Kind)
    }
    return (
        named
        | {str(kind) for kind in TypeOptionKind}
        | {str(reaction) for reaction in IncidentStep}
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clause_is_kept_by_the_data_that_keep_it(case: Case, tmp_path: Path) -> None:
    results = case.run("keeps", tmp_path).results
    asked = {result.outcome for result in results if result.promise.kind == case.kind}
    others = {result.outcome for result in results if result.promise.kind not in case.tolerated}
    assert asked == {Outcome.PASSED}
    assert others <= {Outcome.PASSED}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clause_is_broken_by_the_data_that_break_it(case: Case, tmp_path: Path) -> None:
    results = case.run("breaks", tmp_path).results
    asked = {result.outcome for result in results if result.promise.kind == case.kind}
    assert Outcome.FAILED in asked
    assert asked <= {Outcome.PASSED, Outcome.FAILED}
    assert Outcome.ERROR not in {result.outcome for result in results}


def test_every_kind_of_check_has_a_golden_case() -> None:
    assert {case.kind for case in CASES} == kinds()


@cache
def contracts() -> tuple[Contract, ...]:
    return tuple(case.contract() for case in CASES)


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_every_file_of_the_shelf_judges_a_golden_case(family: str) -> None:
    made = {check.promise.kind for given in contracts() for check in CHECKS[family](given)}
    assert made
    assert made <= {case.kind for case in CASES}


@pytest.mark.parametrize("case", skipped_cases(), ids=lambda case: case.name)
def test_a_clause_that_is_not_executed_is_told_with_its_reason(case: Case, tmp_path: Path) -> None:
    run = case.run("data", tmp_path)
    reasons = [
        result.verdict.reason
        for result in run.results
        if result.promise.kind == case.kind and result.outcome is Outcome.SKIPPED
    ]
    assert [reason for reason in reasons if case.body["why"] in reason]
    assert run.coverage.executed < run.coverage.promised
