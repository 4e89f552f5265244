"""Reading thousands of one thing takes linear, not quadratic, time."""

import sys
from types import FrameType

import pytest
from large_contracts import KINDS

from contractwatch.errors import ContractError
from contractwatch.odcs.load import parse_valid_part
from contractwatch.verify import plan


def _steps(text: str) -> int:
    """Count the calls of Python functions and generators: what time measures, without a clock."""
    steps = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        plan(parse_valid_part(text.encode(), "k.odcs.yaml")[0])
    except ContractError:
        pass  # refused as a whole: that must be found out in as few steps
    finally:
        sys.setprofile(None)
    return steps


@pytest.mark.parametrize("kind", KINDS)
def test_four_times_as_many_cost_about_four_times_as_much(kind: str) -> None:
    made = KINDS[kind]
    _steps(made(3))  # imports, and what is made once
    few, many = (_steps(made(count)) for count in (60, 240))
    assert many < 5.5 * few
