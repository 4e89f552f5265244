"""Two tables are compared by their keys or by a total, after each was asked by itself.

The distinct keys of a target are read first and held; the rows that refer to them stream past, once
for all targets of one question. Only the columns in question are read. Members are compared by
value: integers of any width, text of any coding, decimals of any scale, times of one kind. A key
with a null member is no key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.cells import segment_text
from contractwatch.engines.expressions import Cells, violates
from contractwatch.engines.failures import QUERY_FAILURES, UNREADABLE, refusal, unreadable
from contractwatch.engines.frames import Frame, open_table
from contractwatch.engines.literals import UncastableError
from contractwatch.errors import SourceError
from contractwatch.model.dataset import Dataset, TableFiles
from contractwatch.model.frozen import frozen
from contractwatch.model.metric import BadRowsAcross, ComparingMetric, ForeignKey
from contractwatch.model.reference import (
    Aggregate,
    Covered,
    CoveredKeys,
    Orphaned,
    Orphans,
    Reference,
    Segments,
    SegmentsOf,
    Total,
    Totalled,
    TotalOf,
)
from contractwatch.model.segment import MOST_SEGMENTS, Segment
from contractwatch.model.state import Count, Measurement, Unmeasured


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


@frozen
class _Pair:
    """Two tables, and the whole keys of their rows with members of one type."""

    here: Frame
    there: Frame
    asking: pl.LazyFrame
    targeted: pl.LazyFrame
    names: list[str]


@dataclass(slots=True)
class _Comparison:
    """The tables at hand, each opened once."""

    own: Dataset
    sides: Sides
    frames: dict[int, Frame] = field(default_factory=dict[int, Frame])
    whole: dict[str, TableFiles] = field(default_factory=dict[str, TableFiles])

    def answer(self, metric: ComparingMetric) -> Measurement:
        try:
            match metric:
                case Total():
                    side = self._side(metric.total)
                    return _total(metric.total.aggregate, self._frame(side.files), side)
                case Orphans():
                    return self._orphans(metric)
                case CoveredKeys():
                    return self._covered(metric)
                case SegmentsOf():
                    return self._segments(metric)
                case BadRowsAcross():
                    return self._bad_rows(metric)
                case _:
                    assert_never(metric)
        except (_NotComparedError, SourceError, UncastableError) as error:
            return Unmeasured(str(error))

    def _orphans(self, metric: Orphans) -> Measurement:
        pair = self._joined(metric)
        keys = _collected(
            pair.there, pair.targeted.group_by(pair.names).agg(pl.len().alias("rows"))
        )
        matched = pair.asking.join(keys.lazy(), on=pair.names, how="left")
        counts = matched.select(pl.len(), orphans=pl.col("rows").null_count())
        all_rows, orphans = _collected(pair.here, counts).row(0)
        return Orphaned(all_rows, orphans, int(keys["rows"].sum()) - keys.height)

    def _covered(self, metric: CoveredKeys) -> Measurement:
        pair = self._joined(metric, is_whole=True)
        keys = _collected(pair.there, pair.targeted.unique())
        asking = pair.asking.join(keys.lazy(), on=pair.names, how="semi")
        found = _collected(pair.here, asking.unique().select(pl.len())).item()
        return Covered(keys.height, found)

    def _joined(self, metric: Orphans | CoveredKeys, *, is_whole: bool = False) -> "_Pair":
        here, there, pairs = self._pairs(
            metric.table, metric.columns, metric.target, is_whole=is_whole
        )
        asking = _keyed(here, [left for left, _ in pairs])
        targeted = _keyed(there, [right for _, right in pairs])
        return _Pair(here, there, asking, targeted, _names(pairs))

    def _segments(self, metric: SegmentsOf) -> Measurement:
        """Return the segments; they are counted batch by batch, so that too many fill no memory."""
        here, there, pairs = self._pairs(metric.table, metric.columns, metric.target)
        types = here.rows.select(left.alias(str(at)) for at, (left, _) in enumerate(pairs))
        dtypes = types.collect_schema().dtypes()
        texts = [segment_text(key, of) for (_, key), of in zip(pairs, dtypes, strict=True)]
        plan, found = _keyed(there, texts), set[Segment]()
        try:
            for batch in plan.collect_batches(engine="streaming", maintain_order=False):
                found.update(batch.unique().iter_rows())
                if len(found) > MOST_SEGMENTS:
                    many = f"{metric.target} has more than {MOST_SEGMENTS:,} distinct values"
                    return Unmeasured(f"{many}; expected fewer segments")
        except UNREADABLE as error:
            raise unreadable(error, there.table, there.data_format) from error
        return Segments(tuple(sorted(found)))

    def _bad_rows(self, metric: BadRowsAcross) -> Measurement:
        frame = self._own(metric.table)
        broken = [
            violates(one, _cells(frame, (one.column,), metric.table)[0])
            for one in metric.predicates
        ]
        rows = frame.rows
        for at, key in enumerate(metric.keys):
            rows, is_orphan = self._flagged(rows, metric.table, key, at)
            broken.append(is_orphan)
        masks = [mask.fill_null(value=False) for mask in broken]
        try:
            found = rows.select(pl.any_horizontal(masks).sum()).collect(engine="streaming")
        except QUERY_FAILURES as error:  # whether the rows can be read is asked beside
            return Unmeasured(refusal(error))
        except OSError as error:
            raise unreadable(error, frame.table, frame.data_format) from error
        return Count(found.item() or 0)

    def _flagged(
        self, rows: pl.LazyFrame, table: str, key: ForeignKey, at: int
    ) -> tuple[pl.LazyFrame, pl.Expr]:
        """Return the rows beside what is known of their keys, and whether one has no match."""
        _, there, pairs = self._pairs(table, key.columns, key.target)
        found = f"\x00found{at}"
        names = [f"\x00key{at} {member}" for member in range(len(pairs))]
        targeted = _keyed(there, [right for _, right in pairs]).unique()
        keys = _collected(there, targeted).rename(dict(zip(_names(pairs), names, strict=True)))
        members = {name: left for name, (left, _) in zip(names, pairs, strict=True)}
        flagged = rows.with_columns(**members).join(
            keys.lazy().with_columns(pl.lit(value=True).alias(found)), on=names, how="left"
        )
        is_whole = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
        return flagged, is_whole & pl.col(found).is_null()

    def _pairs(
        self, table: str, columns: tuple[str, ...], target: Reference, *, is_whole: bool = False
    ) -> "tuple[Frame, Frame, list[tuple[pl.Expr, pl.Expr]]]":
        """Return both tables, and each member of the key in both as one type."""
        there = self._side(target)
        here, other = self._own(table, is_whole=is_whole), self._frame(there.files)
        known = _cells(other, there.columns, there.shown)
        members = zip(_cells(here, columns, table), known, strict=True)
        return here, other, [_pair((table, one), (there.shown, two)) for one, two in members]

    def _side(self, wanted: Reference | TotalOf) -> Side:
        side = self.sides.get(wanted, Unmeasured("nobody looked for what is referred to"))
        if isinstance(side, Unmeasured):
            raise _NotComparedError(side.reason)
        return side

    def _own(self, table: str, *, is_whole: bool = False) -> Frame:
        files = next((one for one in self.own.tables if one.table == table), None)
        if files is None:
            raise _NotComparedError(self.own.why_not(table))
        return self._frame(self._whole(files) if is_whole else files)

    def _whole(self, files: TableFiles) -> TableFiles:
        """Return a table without its window: what is found in one is in the table, not so the rest.

        It is remembered, for frames are known by the table that they were opened from.
        """
        if files.window is None:
            return files
        return self.whole.setdefault(files.table, replace(files, window=None))

    def _frame(self, files: TableFiles) -> Frame:
        if id(files) not in self.frames:
            self.frames[id(files)] = open_table(files)
        frame = self.frames[id(files)]
        if frame.refused:
            raise _NotComparedError(frame.refused)
        return frame


def _cells(frame: Frame, columns: Iterable[str], shown: str) -> list[Cells]:
    found: list[Cells] = []
    for column in columns:
        known = frame.columns.find(column)
        cells = frame.cells.get(column if known is None else known.name)
        if cells is None:
            why = "is missing" if known is None else "is of different types in the files"
            raise _NotComparedError(f"column {column!r} of {shown} {why}")
        found.append(cells)
    return found


def _keyed(frame: Frame, members: Iterable[pl.Expr]) -> pl.LazyFrame:
    """Return the keys of all rows without a null member; `rows` is not among their names."""
    return frame.rows.select(
        member.alias(f"key{position}") for position, member in enumerate(members)
    ).drop_nulls()


def _names(pairs: Iterable[object]) -> list[str]:
    """Return the names that `_keyed` gives to the members."""
    return [f"key{position}" for position, _ in enumerate(pairs)]


def _collected(frame: Frame, plan: pl.LazyFrame) -> pl.DataFrame:
    try:
        return plan.collect(engine="streaming")
    except UNREADABLE as error:
        raise unreadable(error, frame.table, frame.data_format) from error


def _pair(left: tuple[str, Cells], right: tuple[str, Cells]) -> tuple[pl.Expr, pl.Expr]:
    """Return both members, each with how a person knows its table, as one type.

    Raises:
        _NotComparedError: If they are of kinds that are never equal.
    """
    (asking, one), (target, other) = left, right
    common = _common(one.dtype, other.dtype)
    if common is None:
        kinds = f"{one.dtype} and {target} as {other.dtype}"
        raise _NotComparedError(f"the types differ: {asking} has the key as {kinds}")
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
    (cells,) = _cells(frame, side.columns, side.shown)
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
