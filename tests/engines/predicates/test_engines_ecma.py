"""ECMA-262 patterns are matched or have no answer, and never stop the other questions."""

from pathlib import Path

import polars as pl
import pytest
from engine_values import TABLE, ask, column, parquet, text

from contractwatch.engines.core.ecma_regex import TOO_LONG
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import CountWhere, IsInvalid, RowCount
from contractwatch.model.measure.state import Count, Unmeasured

TEXTS = ["ab1", "abc", None, "", "aé2", "123", "a\nb", "\U0001d4b31"] * 500


def mismatches(pattern: str) -> CountWhere:
    return CountWhere(TABLE, IsInvalid("code", pattern=pattern, ecma=True))


@pytest.mark.parametrize(
    ("pattern", "violating"),
    [
        (r"^(?=.*\d)\w", 2000),
        (r"(?<!a)b", 3000),
        (r"^(.)\1$", 3500),
        (r"(?!)", 3500),
        (r"\B", 1000),
        (r"^(?=.1$)..?$", 3000),
    ],
)
def test_every_text_is_matched_and_null_is_no_violation(
    tmp_path: Path, pattern: str, violating: int
) -> None:
    data = parquet(tmp_path, pl.DataFrame({"code": TEXTS}))
    assert ask(data, mismatches(pattern), RowCount(TABLE)) == Count(violating)


def test_a_text_source_is_matched_like_any_other(tmp_path: Path) -> None:
    data = text(tmp_path, "code\nab\nba\n", [column("code", LogicalType.STRING)])
    assert ask(data, mismatches("a(?=b)")) == Count(1)


def test_a_pattern_that_explodes_has_no_answer_and_the_others_have(tmp_path: Path) -> None:
    data = parquet(tmp_path, pl.DataFrame({"code": ["a" * 60 + "b", "c"]}))
    slow, fast = mismatches("(?=a)(a+)+$"), mismatches("(?=c)c")
    assert ask(data, slow, fast, RowCount(TABLE)) == Unmeasured(TOO_LONG)
    assert ask(data, fast, RowCount(TABLE)) == Count(1)
