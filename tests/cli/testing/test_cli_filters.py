from pathlib import Path

import pytest
from cli_values import BAD, call, publish


def test_a_filter_narrows_the_rows_and_is_told(tmp_path: Path) -> None:
    path = publish(tmp_path, BAD)
    assert call("test", path).code == 1
    ended = call("test", path, "--filter", "state = 'open'")
    assert ended.code == 0
    assert "rows of orders in scope: (\"state\" = 'open')" in ended.out
    assert '"orders": "(\\"state\\" = \'open\')"' in (
        call("test", path, "--filters", "orders=state = 'open'", "--format", "json").out
    )


def test_filters_add_up(tmp_path: Path) -> None:
    path = publish(tmp_path, BAD)
    ended = call("test", path, "--filter", "-1 < id", "--filter", "state = 'open'")
    assert ended.code == 0
    assert 'rows of orders in scope: (-1 < "id") AND ("state" = \'open\')' in ended.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--filters", "order=id = 1"), "no table is named 'order'; did you mean 'orders'?"),
        (("--filters", "orders"), "'orders' names no table; expected OBJECT=PREDICATE"),
        (("--filter", "id IN (SELECT 1)"), "SUBQUERY is not allowed in a condition on rows"),
        (("--filter", "idd = 1"), "table 'orders' has no column 'idd'; did you mean 'id'?"),
    ],
)
def test_a_filter_that_is_refused_is_wrong_usage(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    ended = call("test", publish(tmp_path, BAD), *words)
    assert ended.code == 64
    assert message in ended.err
