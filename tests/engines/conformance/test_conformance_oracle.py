"""Every engine agrees with the naive oracle: the same rows, the same metrics, the same answers.

The files' engine has the same test over each of its formats in `query/test_engines_oracle.py`.
"""

from database_engines import EngineUnderTest
from engine_values import NOW
from hypothesis import HealthCheck, given, settings
from naive_oracle import Row, answer
from oracle_strategies import SCHEMA, metrics, tables

from contractwatch.model.measure.metric import Metric

AT_A_GLANCE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@AT_A_GLANCE
@given(tables(list(SCHEMA)), metrics(list(SCHEMA)))
def test_a_database_and_the_naive_oracle_agree(
    engine: EngineUnderTest, rows: list[Row], asked: list[Metric]
) -> None:
    rows = list(engine.fitting(rows))
    found = engine.answers(rows, asked)
    assert found == {metric: answer(metric, rows, NOW) for metric in asked}


@AT_A_GLANCE
@given(tables(list(SCHEMA)), metrics(list(SCHEMA)))
def test_the_rows_that_are_pulled_give_the_same_answers(
    engine: EngineUnderTest, rows: list[Row], asked: list[Metric]
) -> None:
    rows = list(engine.fitting(rows))
    found = engine.answers_of_pulled_rows(rows, asked)
    assert found == {metric: answer(metric, rows, NOW) for metric in asked}
