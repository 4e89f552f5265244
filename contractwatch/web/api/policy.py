"""Parse what a consumer requires, from a command line or a query string."""

import re
from datetime import timedelta

from contractwatch.errors import UsageError
from contractwatch.odcs.values.units import (
    UnitError,
    duration_of,
    is_iso_duration,
    parse_iso_duration,
    parse_unit,
)
from contractwatch.slo.gate import OnUnknown, Policy, on_unknown_of, required_objectives

_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_HIGHEST_SCORE = 100


def policy_of(
    *,
    require: str = "",
    min_score: float | None = None,
    max_evaluation_age: str = "",
    on_unknown: str = OnUnknown.FAIL.value,
) -> Policy:
    """Return the policy of these words; empty ones require nothing of their own.

    Args:
        require: Names of objectives, separated by commas.
        min_score: Lowest trust score, 0-100.
        max_evaluation_age: Such as `2h`, `90m`, `1d` or ISO-8601 `PT2H`.
        on_unknown: `fail` or `pass`.

    Raises:
        UsageError: If a word is none of those expected.
    """
    if min_score is not None and not 0 <= min_score <= _HIGHEST_SCORE:
        raise UsageError(f"--min-score: {min_score:g}; expected 0 to 100")
    names = [name for name in require.split(",") if name.strip()]
    return Policy(
        require=required_objectives(names),
        min_score=min_score,
        max_evaluation_age=_age(max_evaluation_age) if max_evaluation_age.strip() else None,
        on_unknown=on_unknown_of(on_unknown),
    )


def score_of(text: str) -> float:
    """Return the score that is written.

    Raises:
        UsageError: If it is no number.
    """
    try:
        return float(text)
    except ValueError as cause:
        raise UsageError(f"--min-score: {text.strip()[:40]!r}; expected 0 to 100") from cause


def _age(text: str) -> timedelta:
    wrong = f"--max-evaluation-age: {text.strip()!r}; expected such as 2h, 90m, 1d or PT2H"
    try:
        if is_iso_duration(text):
            return parse_iso_duration(text).approximate
        found = _SHORT.fullmatch(text.strip())
        unit = "min" if found and found[2] == "m" else parse_unit(found[2]) if found else None
        if found is None or unit is None:
            raise UsageError(wrong)
        return duration_of(float(found[1]), unit).approximate
    except UnitError as cause:
        raise UsageError(wrong) from cause
