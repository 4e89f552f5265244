"""Word the inputs in trouble that may be the cause of a breach."""

from collections.abc import Iterable, Iterator

from contractwatch.alerting.words import duration, instant
from contractwatch.model.promises.upstream import Upstream


def upstream_words(one: Upstream) -> str:
    """Word the trouble of an input: `freshness broken since ...; 14h old, allowed 12h`."""
    said: list[str] = []
    if one.objectives:
        names = ", ".join(objective.value for objective in one.objectives)
        said.append(f"{names} broken{f' since {instant(one.since)}' if one.since else ''}")
    if one.age_seconds is not None and one.max_lag_seconds is not None:
        allowed = duration(one.max_lag_seconds)
        said.append(
            f"its newest data are {duration(one.age_seconds)} old, at most {allowed} allowed"
        )
    return "; ".join(said)


def upstream_lines(upstream: Iterable[Upstream]) -> Iterator[str]:
    """Yield a sentence for each input in trouble."""
    for one in upstream:
        yield f"Upstream: {one.product}: {upstream_words(one)}; that may be the cause."


def upstream_json(upstream: Iterable[Upstream]) -> list[dict[str, object]]:
    """Return the inputs in trouble as data: times ISO-8601 in UTC, lengths in seconds."""
    return [
        {
            "product": one.product,
            "breached": [objective.value for objective in one.objectives],
            "since": one.since.isoformat() if one.since else None,
            "age_seconds": one.age_seconds,
            "max_lag_seconds": one.max_lag_seconds,
        }
        for one in upstream
    ]
