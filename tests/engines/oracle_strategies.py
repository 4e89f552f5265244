"""Strategies of the property tests of engines: rows of nine types, and metrics about them."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
from engine_values import NOW, TABLE
from hypothesis import strategies as st
from naive_oracle import Row

from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    BadRows,
    CountWhere,
    Delays,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsMissing,
    IsNotMultiple,
    IsNull,
    IsShorter,
    Metric,
    RecentRows,
    RowCount,
    SurplusRows,
    TimeSpan,
    Unparseable,
)

ZONE = "Europe/Berlin"
SCHEMA = {
    "whole": pl.Int64,
    "small": pl.Int8,
    "real": pl.Float64,
    "money": pl.Decimal(12, 2),
    "word": pl.String,
    "flag": pl.Boolean,
    "day": pl.Date,
    "local": pl.Datetime("us"),
    "zoned": pl.Datetime("ms", "America/New_York"),
}
LOGICAL = {
    "whole": LogicalType.INTEGER,
    "real": LogicalType.NUMBER,
    "word": LogicalType.STRING,
    "flag": LogicalType.BOOLEAN,
    "day": LogicalType.DATE,
    "local": LogicalType.TIMESTAMP,
}

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4
) | st.sampled_from(["", "a", "ä", "日本", "🙂🙂", "AB-1", "e\u0301", "NULL"])
reals = (
    st.floats()
    | st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 0.3, 0.1 + 0.2, 1e300])
    | st.integers(-30, 30).map(lambda tenths: tenths / 10)
)
# Around the clock changes of Berlin in 2025 and 2026, and around the present.
locals_ = st.one_of(
    st.sampled_from(["2025-03-30T02:30:00", "2025-10-26T02:30:00"]).map(datetime.fromisoformat),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    st.timedeltas(timedelta(hours=-2), timedelta(hours=2)).map(
        lambda off: (NOW + off).replace(tzinfo=None)
    ),
)
cells = {
    "whole": st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1),
    "small": st.integers(-128, 127),
    "real": reals,
    "money": st.integers(-(10**6), 10**6).map(lambda cents: Decimal(cents) / 100),
    "word": words,
    "flag": st.booleans(),
    "day": st.dates(date(1900, 1, 1), date(2100, 1, 1)) | st.just(NOW.date()),
    "local": locals_,
    "zoned": locals_.map(lambda local: local.replace(microsecond=0, tzinfo=UTC)),
}
numbers = st.integers(-300, 300) | st.sampled_from([0.5, -0.1, 0.05, 2.675, 1e19, 3.0])
bounds = {
    "whole": numbers,
    "small": numbers,
    "real": numbers,
    "money": numbers,
    "day": st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    "local": locals_ | st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    "zoned": locals_ | locals_.map(lambda local: local.replace(tzinfo=UTC)),
}
scalars = {
    "whole": numbers,
    "small": numbers,
    "real": numbers,
    "money": numbers,
    "word": words,
    "flag": st.booleans(),
    "day": st.just(NOW.date().isoformat()),
}
PATTERNS = ["^[A-Z]{2}-[0-9]$", "a", "^$", "[^a]"]
PERIODS = [timedelta(hours=1), timedelta(days=30)]
DIVISORS = [1, 2, 7, 0.5, 0.1, 0.05, 300, Decimal("0.01")]


def tables(names: Sequence[str], *, nulls: bool = True) -> st.SearchStrategy[list[Row]]:
    row = {name: st.none() | cells[name] if nulls else cells[name] for name in names}
    return st.lists(st.fixed_dictionaries(row), max_size=12)


@st.composite
def metrics(draw: st.DrawFn, names: Sequence[str]) -> list[Metric]:
    asked: list[Metric] = [RowCount(TABLE)]
    asked += [CountWhere(TABLE, IsNull(name)) for name in names]
    asked += [Unparseable(TABLE, name) for name in names]
    for name in names:
        if name in bounds:
            low, high = draw(bounds[name]), draw(bounds[name])
            exclusive = draw(st.booleans())
            asked += [
                CountWhere(TABLE, IsBelow(name, low, exclusive=exclusive, timezone=ZONE)),
                CountWhere(TABLE, IsAbove(name, high, exclusive=exclusive, timezone=ZONE)),
            ]
        if name in scalars:
            listed = tuple(draw(st.lists(scalars[name], max_size=3)))
            asked += [
                CountWhere(TABLE, IsMissing(name, listed)),
                CountWhere(TABLE, IsInvalid(name, values=listed)),
            ]
        if name in {"whole", "small", "real", "money"}:
            asked.append(CountWhere(TABLE, IsNotMultiple(name, draw(st.sampled_from(DIVISORS)))))
        if name in {"day", "local", "zoned"}:
            asked += [TimeSpan(TABLE, name), TimeSpan(TABLE, name, ZONE)]
            asked.append(RecentRows(TABLE, name, draw(st.sampled_from(PERIODS)), ZONE))
    if "word" in names:
        asked += [
            CountWhere(TABLE, IsShorter("word", 2)),
            CountWhere(TABLE, IsLonger("word", 2)),
            CountWhere(TABLE, IsInvalid("word", pattern=draw(st.sampled_from(PATTERNS)))),
        ]
    later = "zoned" if "zoned" in names else "local"
    asked.append(Delays(TABLE, "day", later, draw(st.sampled_from(PERIODS)), ZONE, ZONE))
    rules = [metric.predicate for metric in asked if isinstance(metric, CountWhere)]
    broken = draw(st.lists(st.sampled_from(rules), min_size=1, max_size=5, unique=True))
    asked.append(BadRows(TABLE, tuple(broken)))
    key = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    return [*asked, SurplusRows(TABLE, tuple(key))]
