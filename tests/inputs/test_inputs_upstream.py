"""A breach is told with the input that may be its cause, if one is in trouble."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contractwatch.agent.catalog.input_lookup import input_problems, resolve_inputs
from contractwatch.alerting import text
from contractwatch.alerting.message import with_upstream
from contractwatch.cli.commands.lint import _problems as lint
from contractwatch.cli.commands.notify_test import marked_message
from contractwatch.errors import ContractError
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective, ObjectiveState, Standing, StateSeconds
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.contract.contract import Contract
from contractwatch.model.promises.upstream import Input, InputProduct, Upstream
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.incident import TransitionKind
from contractwatch.model.record.product import LedgerLine, ProductCard, ProductRecord
from contractwatch.model.record.run import CheckResult, Coverage, RunOutcome, RunResult
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.reference_resolver import Published, Registry
from contractwatch.slo.upstream import inputs_in_trouble

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLAIMS = "7d2f4f1e-6b1c-4a59-9a2e-0c5d1b7f0a01"


def document(name: str, contract_id: str, inputs: str = "", version: str = "2.1.0") -> str:
    below = f"customProperties: [{{property: contractwatch.inputs, value: [{inputs}]}}]\n"
    return f"""\
apiVersion: v3.1.0
kind: DataContract
id: {contract_id}
name: {name}
domain: care
version: {version}
status: active
servers: [{{server: s, type: local, path: ./t.csv, format: csv}}]
schema: [{{name: t, logicalType: object, properties: [{{name: a, logicalType: string}}]}}]
{below if inputs else ""}"""


def loaded(name: str, contract_id: str, inputs: str = "", version: str = "2.1.0") -> Contract:
    read, _ = parse_contract(
        document(name, contract_id, inputs, version).encode(), f"contracts/{name}.odcs.yaml"
    )
    return read


def published(*contracts: Contract) -> tuple[Published, ...]:
    return tuple(Published(one, Path("/contracts")) for one in contracts)


def failing(table: str) -> CheckResult:
    promise = Promise(
        "p", "freshness", Clause("x", 1), table, "a", Severity.ERROR, Dimension.TIMELINESS,
        Objective.FRESHNESS, "fresh",
    )  # fmt: skip
    return CheckResult(promise, Verdict(Outcome.FAILED))


def record(
    state: ObjectiveState = ObjectiveState.GOOD, *failed: str, newest: datetime | None = None
) -> ProductRecord:
    since = NOW - HOUR
    standing = Standing(Objective.FRESHNESS, state, since, NOW, NOW, NOW + HOUR)
    card = ProductCard("care/claims", CLAIMS, "1", "active", "care", "", (), "", "", "", (), 60.0)
    run = RunResult(
        CLAIMS, "care/claims", "1", "", "s", NOW, NOW, RunOutcome.FAILED, Coverage(1, 1),
        tuple(map(failing, failed)), readable=True, data_timestamp=newest,
    )  # fmt: skip
    return ProductRecord(card, (LedgerLine(standing, (), StateSeconds()),), (), run, (), ())


def trouble(known: ProductRecord | None, **wanted: object) -> tuple[Upstream, ...]:
    one = replace(InputProduct(CLAIMS, "care/claims"), **wanted)
    return inputs_in_trouble([one], lambda _: known, now=NOW)


BROKEN = Upstream("care/claims", (Objective.FRESHNESS,), NOW - HOUR)


def test_an_input_in_breach_is_in_trouble_since_it_broke() -> None:
    assert trouble(record(ObjectiveState.BAD, "t")) == (BROKEN,)
    assert trouble(record(ObjectiveState.BAD, "t"), tables=("t",)) == (BROKEN,)
    assert trouble(record(ObjectiveState.BAD), tables=("t",)) == (BROKEN,)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (record(), {}),
        (None, {}),
        (record(ObjectiveState.BAD, "t"), {"product": ""}),
        (record(ObjectiveState.BAD, "other"), {"tables": ("t",)}),
        (record(newest=NOW - 2 * HOUR), {"max_lag": 2 * HOUR}),
        (record(), {"max_lag": HOUR}),
    ],
)
def test_what_is_well_not_known_or_not_meant_is_no_trouble(
    known: ProductRecord | None, wanted: dict[str, object]
) -> None:
    assert trouble(known, **wanted) == ()


def test_an_input_that_is_older_than_allowed_is_in_trouble() -> None:
    known = record(newest=NOW - 3 * HOUR)
    late = Upstream("care/claims", age_seconds=10_800.0, max_lag_seconds=7_200.0)
    assert trouble(known, max_lag=2 * HOUR) == (late,)


def test_every_input_is_looked_up_by_its_own_name() -> None:
    records = {"care/claims": record(ObjectiveState.BAD), "care/visits": record()}
    inputs = [
        InputProduct("a", "care/visits"),
        InputProduct("b", ""),
        InputProduct("c", "care/gone"),
        InputProduct(CLAIMS, "care/claims"),
    ]
    asked: list[str] = []

    def record_of(product: str) -> ProductRecord | None:
        asked.append(product)
        return records.get(product)

    assert inputs_in_trouble(inputs, record_of, now=NOW) == (BROKEN,)
    assert asked == ["care/visits", "care/gone", "care/claims"]


def with_results(*results: CheckResult) -> ProductRecord:
    """Return a record whose freshness is broken, with what the last run found."""
    known = record(ObjectiveState.BAD)
    assert known.last_run is not None
    return replace(known, last_run=replace(known.last_run, results=results))


def of(table: str, outcome: Outcome = Outcome.FAILED, **promise: object) -> CheckResult:
    found = failing(table)
    return replace(found, promise=replace(found.promise, **promise), verdict=Verdict(outcome))


@pytest.mark.parametrize(
    ("results", "is_meant"),
    [
        ([of("t")], True),
        ([of("-")], True),
        ([of("other")], False),
        ([of("other"), of("t")], True),
        # neither what is kept, nor a warning, nor another objective points to a table
        ([of("other"), of("t", Outcome.PASSED)], False),
        ([of("other"), of("t", severity=Severity.WARNING)], False),
        ([of("other"), of("t", objective=Objective.SCHEMA)], False),
        # nothing that failed says where it is broken: then it may be here
        ([of("other", Outcome.PASSED)], True),
        ([of("other", severity=Severity.WARNING)], True),
        ([of("other", objective=Objective.SCHEMA)], True),
    ],
)
def test_a_breach_is_of_the_tables_in_which_its_own_checks_fail(
    results: list[CheckResult], is_meant: bool
) -> None:
    known = with_results(*results)
    assert trouble(known, tables=("t",)) == ((BROKEN,) if is_meant else ())
    assert trouble(known) == (BROKEN,)


def test_an_input_that_is_late_and_broken_says_both_and_one_as_old_as_allowed_neither() -> None:
    known = record(ObjectiveState.BAD, newest=NOW - 3 * HOUR)
    assert trouble(known, max_lag=2 * HOUR) == (
        replace(BROKEN, age_seconds=10_800.0, max_lag_seconds=7_200.0),
    )
    assert trouble(known, max_lag=3 * HOUR) == (BROKEN,)


def test_a_message_names_the_input_unless_it_tells_of_an_end() -> None:
    log = Receiver("log", ReceiverKind.LOG)
    opened = replace(marked_message(log, NOW), is_test=False)
    late = replace(BROKEN, age_seconds=10_800.0, max_lag_seconds=7_200.0)
    told = with_upstream(opened, (late,))
    assert text.lines(told)[1] == (
        "Upstream: care/claims: freshness broken since 2026-03-10 11:00:00 UTC; "
        "its newest data are 3h old, at most 2h allowed; that may be the cause."
    )
    assert text.as_json(told)["upstream"] == [
        {
            "product": "care/claims",
            "breached": ["freshness"],
            "since": "2026-03-10T11:00:00+00:00",
            "age_seconds": 10_800.0,
            "max_lag_seconds": 7_200.0,
        }
    ]
    resolved = replace(opened, kind=TransitionKind.RESOLVED)
    assert with_upstream(resolved, (late,)) == resolved


def test_inputs_are_read_with_their_range_tables_and_lag() -> None:
    written = f"{{contract: {CLAIMS}, version: '>=2.0.0 <3.0.0', objects: [t], maxLag: PT12H}}"
    (one,) = loaded("care", "c", written).inputs
    clause = Clause("customProperties[0].value[0]", 10)
    assert one == Input(clause, CLAIMS, ">=2.0.0 <3.0.0", ("t",), 12 * HOUR)


def test_a_range_that_is_none_is_an_error() -> None:
    with pytest.raises(ContractError) as refused:
        loaded("care", "c", f"{{contract: {CLAIMS}, version: newest}}")
    assert [problem.message for problem in refused.value.problems] == [
        "no range of versions: 'newest'; expected such as '>=2.0.0 <3.0.0'"
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("version: '>=2.0.0 <3.0.0', objects: [t]", ""),
        ("version: ^1.0", "contracts/claims.odcs.yaml has the version 2.1.0; expected ^1.0"),
        ("objects: [u]", "no table of contracts/claims.odcs.yaml is 'u'"),
    ],
)
def test_an_input_that_is_not_as_expected_is_a_warning(written: str, message: str) -> None:
    both = published(
        loaded("claims", CLAIMS), loaded("care", "c", f"{{contract: {CLAIMS}, {written}}}")
    )
    found = input_problems(both, Registry(both))
    assert [problem.message for problem in found] == ([message] if message else [])


def test_an_input_that_is_not_known_is_a_warning_and_has_no_product() -> None:
    care = loaded("care", "c", "{contract: gone}")
    (problem,) = input_problems(published(care), Registry(published(care)))
    assert problem.message.startswith("the input is not found: no contract is known as 'gone'")
    (gone,) = published(care)
    assert resolve_inputs(gone, Registry()) == (InputProduct("gone", ""),)


def test_an_input_that_is_named_by_its_file_is_found_beside_the_contract_that_names_it() -> None:
    written = {"claims": "", "other": "", "care": "{contract: ../claims/contract.odcs.yaml}"}
    alike = {
        name: Published(
            parse_contract(document(name, name, inputs).encode(), "it/contract.odcs.yaml")[0],
            Path("/contracts") / name,
        )
        for name, inputs in written.items()
    }
    (found,) = resolve_inputs(alike["care"], Registry(alike.values()))
    assert found.product == "care/claims"


def test_lint_looks_for_inputs_beside_the_files_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "claims.odcs.yaml").write_text(document("claims", CLAIMS))
    care = tmp_path / "care.odcs.yaml"
    care.write_text(document("care", "c", f"{{contract: {CLAIMS}, version: '<2'}}"))
    assert [problem.message for problem in lint([care])[0]] == [
        f"{tmp_path / 'claims.odcs.yaml'} has the version 2.1.0; expected <2"
    ]
