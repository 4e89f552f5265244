"""Two tables are compared by their keys or by a total, after each was asked by itself.

The distinct keys of the target are read first and held; the rows that refer to them stream past.
Only the columns in question are read. Members are compared by value: integers of any width, text of
any coding, decimals of any scale, times of one kind. A key with a null member is no key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.expressions import Cells
from contractwatch.engines.failures import UNREADABLE, unreadable
from contractwatch.engines.frames import Frame, open_table
from contractwatch.errors import SourceError
from contractwatch.model.dataset import Dataset, TableFiles
from contractwatch.model.frozen import frozen
from contractwatch.model.reference import (
    Aggregate,
    ComparingMetric,
    Covered,
    CoveredKeys,
    Orphaned,
    Orphans,
    Reference,
    Total,
    Totalled,
    TotalOf,
)
from contractwatch.model.state import Measurement, Unmeasured


@frozen
class Side:
    """Columns of a table by their physical names; `shown` is how a person knows the table."""

    files: TableFiles
    columns: tuple[str, ...]
    shown: str


Sides: TypeAlias = Mapping[Reference | TotalOf, Side | Unmeasured]


def compare(
    dataset: Dataset, metrics: Iterable[ComparingMetric], sides: Sides
) -> dict[ComparingMetric, Measurement]:
    """Answer every question about two tables; what has no answer is `Unmeasured` with the reason.

    Args:
        dataset: The tables of the contract that asks.
        metrics: The questions.
        sides: Where each reference or total of the questions leads, or why it leads nowhere.
    """
    comparison = _Comparison(dataset, sides)
    return {metric: comparison.answer(metric) for metric in metrics}


class _NotComparedError(Exception):
    """The question has no answer; the text says why and holds no value of the data."""


@dataclass(slots=True)
class _Comparison:
    """The tables at hand, each opened once."""

    own: Dataset
    sides: Sides
    frames: dict[int, Frame] = field(default_factory=dict[int, Frame])

    def answer(self, metric: ComparingMetric) -> Measurement:
        wanted = metric.total if isinstance(metric, Total) else metric.target
        side = self.sides.get(wanted, Unmeasured("nobody looked for what is referred to"))
        if isinstance(side, Unmeasured):
            return side
        try:
            match metric:
                case Total():
                    return _total(metric.total.aggregate, self._frame(side.files), side)
                case Orphans() | CoveredKeys():
                    return self._matched(metric, side)
                case _:
                    assert_never(metric)
        except (_NotComparedError, SourceError) as error:
            return Unmeasured(str(error))

    def _matched(self, metric: Orphans | CoveredKeys, target: Side) -> Measurement:
        files = next((one for one in self.own.tables if one.table == metric.table), None)
        if files is None:
            return Unmeasured(self.own.why_not(metric.table))
        asking = Side(files, metric.columns, metric.table)
        frame, keys_frame = self._frame(files), self._frame(target.files)
        pairs = [
            _pair((asking, left), (target, right))
            for left, right in zip(_cells(frame, asking), _cells(keys_frame, target), strict=True)
        ]
        rows = _keyed(frame, [left for left, _ in pairs])
        plan = _keyed(keys_frame, [right for _, right in pairs])
        names = plan.collect_schema().names()
        keys = _collected(keys_frame, plan.group_by(names).agg(pl.len().alias("rows")))
        if isinstance(metric, CoveredKeys):
            present = rows.join(keys.lazy(), on=names, how="semi").unique().select(pl.len())
            return Covered(keys.height, _collected(frame, present).item())
        matched = rows.join(keys.lazy(), on=names, how="left")
        counts = matched.select(pl.len(), orphans=pl.col("rows").null_count())
        of_target = int(keys["rows"].sum())
        all_rows, orphans = _collected(frame, counts).row(0)
        return Orphaned(all_rows, orphans, of_target - keys.height)

    def _frame(self, files: TableFiles) -> Frame:
        if id(files) not in self.frames:
            self.frames[id(files)] = open_table(files)
        frame = self.frames[id(files)]
        if frame.refused:
            raise _NotComparedError(frame.refused)
        return frame


def _cells(frame: Frame, side: Side) -> list[Cells]:
    found: list[Cells] = []
    for column in side.columns:
        known = frame.columns.find(column)
        cells = frame.cells.get(column if known is None else known.name)
        if cells is None:
            why = "is missing" if known is None else "is of different types in the files"
            raise _NotComparedError(f"column {column!r} of {side.shown} {why}")
        found.append(cells)
    return found


def _keyed(frame: Frame, members: Iterable[pl.Expr]) -> pl.LazyFrame:
    """Return the keys of all rows without a null member; `rows` is not among their names."""
    return frame.rows.select(
        member.alias(f"key{position}") for position, member in enumerate(members)
    ).drop_nulls()


def _collected(frame: Frame, plan: pl.LazyFrame) -> pl.DataFrame:
    try:
        return plan.collect(engine="streaming")
    except UNREADABLE as error:
        raise unreadable(error, frame.table, frame.data_format) from error


def _pair(left: tuple[Side, Cells], right: tuple[Side, Cells]) -> tuple[pl.Expr, pl.Expr]:
    """Return both members as one type.

    Raises:
        _NotComparedError: If they are of kinds that are never equal.
    """
    (asking, one), (target, other) = left, right
    common = _common(one.dtype, other.dtype)
    if common is None:
        kinds = f"{one.dtype} and {target.shown} as {other.dtype}"
        raise _NotComparedError(f"the types differ: {asking.shown} has the key as {kinds}")
    return _as(one, common), _as(other, common)


def _common(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """Return the type in which two columns are compared exactly, or None."""
    if pl.Null in (one, other):
        return pl.String() if one == other else _common(*[one if one != pl.Null else other] * 2)
    if one.is_nested() or other.is_nested():
        return None
    if _is_whole(one) and _is_whole(other):
        return one if one == other else pl.Int128()
    if isinstance(one, pl.Decimal) and isinstance(other, pl.Decimal):
        return pl.Decimal(38, max(one.scale, other.scale))
    if one.is_float() and other.is_float():
        return pl.Float64()
    if isinstance(one, pl.Datetime) and isinstance(other, pl.Datetime):
        same_kind = (one.time_zone is None) == (other.time_zone is None)
        unit = one.time_unit if one.time_unit == other.time_unit else "us"
        return pl.Datetime(unit, "UTC" if one.time_zone else None) if same_kind else None
    return one if one == other else None


def _is_whole(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or (isinstance(dtype, pl.Decimal) and dtype.scale == 0)


def _as(cells: Cells, common: pl.DataType) -> pl.Expr:
    if cells.dtype == common:
        return cells.value
    if isinstance(common, pl.Datetime) and common.time_zone is not None:
        return cells.value.dt.convert_time_zone("UTC").dt.cast_time_unit(common.time_unit)
    return cells.value.cast(common)


def _total(aggregate: Aggregate, frame: Frame, side: Side) -> Measurement:
    if not side.columns:
        return Totalled(Decimal(_collected(frame, frame.rows.select(pl.len())).item()))
    (cells,) = _cells(frame, side)
    if aggregate is Aggregate.COUNT:
        counted = frame.rows.select(cells.is_present.sum())
        return Totalled(Decimal(_collected(frame, counted).item() or 0))
    if not cells.dtype.is_numeric() and cells.dtype != pl.Null:
        column = f"column {side.columns[0]!r} of {side.shown}"
        raise _NotComparedError(f"{column} is of type {cells.dtype}; expected numbers")
    numbers = _wide(cells)
    plan = frame.rows.select(
        sum=numbers.sum(), count=numbers.count(), min=numbers.min(), max=numbers.max()
    )
    return _totalled(aggregate, _collected(frame, plan).row(0, named=True), side)


def _wide(cells: Cells) -> pl.Expr:
    """Return the numbers in a type whose sum does not overflow."""
    if isinstance(cells.dtype, pl.Decimal):
        return cells.value.cast(pl.Decimal(38, cells.dtype.scale))
    return cells.value.cast(pl.Float64 if cells.dtype.is_float() else pl.Int128)


def _totalled(aggregate: Aggregate, numbers: Mapping[str, object], side: Side) -> Measurement:
    of_column = f"of column {side.columns[0]!r} of {side.shown}"
    count = Decimal(str(numbers["count"]))
    if not count and aggregate is not Aggregate.SUM:
        return Unmeasured(f"there is no value {of_column} to take the {aggregate} of")
    written = numbers["sum" if aggregate is Aggregate.AVG else aggregate.value]
    total = Decimal(str(written or 0))
    if not total.is_finite():
        return Unmeasured(f"the {aggregate} {of_column} is no finite number")
    return Totalled(total / count if aggregate is Aggregate.AVG else total)
