"""What a hostile contract holds thousands of costs a step for each, not one for every pair."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from contractwatch.odcs.load import parse_what_holds

_HEAD = (
    "apiVersion: v3.1.0\nkind: DataContract\nid: k\nname: k\nversion: 1.0.0\nstatus: active\n"
    "schema:\n  - name: t\n    properties:\n"
)
_B = "      - {name: b, logicalType: string"


def _columns(line: str) -> Callable[[int], str]:
    return lambda count: "".join(
        f"      - {line.replace('NUMBER', str(n))}\n" for n in range(count)
    )


_FORMS: dict[str, Callable[[int], str]] = {
    "one name for all": _columns("{name: c, logicalType: number, required: true}"),
    "own keys misspelt": _columns(
        "{name: cNUMBER, customProperties: [{property: contractwatch.timezne, value: 1}]}"
    ),
    "types misspelt": _columns("{name: cNUMBER, logicalType: nmber}"),
    "an enum of objects": lambda count: (
        f"{_B}, enum: [{', '.join(f'{{value: v{n}}}' for n in range(count))}]}}\n"
    ),
    "rules that only tell": lambda count: (
        f"{_B}}}\n    quality:\n"
        + "".join(f"      - {{type: text, description: d{n}}}\n" for n in range(count))
    ),
    "rules that are wrong": lambda count: (
        f"{_B}}}\n    quality:\n"
        + "".join(f"      - {{metric: rowCont, mustBe: {n}}}\n" for n in range(count))
    ),
}


def _steps(text: str) -> int:
    """Count the calls of Python functions and generators: what time measures, without a clock."""
    steps = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        parse_what_holds(text.encode(), "k.odcs.yaml")
    finally:
        sys.setprofile(None)
    return steps


@pytest.mark.parametrize("form", _FORMS)
def test_four_times_as_many_cost_about_four_times_as_much(form: str) -> None:
    made = _FORMS[form]
    _steps(_HEAD + made(3))  # imports, and what is made once
    few, many = (_steps(_HEAD + made(count)) for count in (150, 600))
    assert many < 5.5 * few
