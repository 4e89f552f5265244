"""Compare two tables by their keys or by a total.

Each table was asked by itself before. The distinct keys of a target are read first and held; the
rows that refer to them stream past, once for all targets of one question. A key may be a member of
an object; those inside of an array are keys of its row, which counts once. Only the columns in
question are read. Members are compared by value: integers of any width, text of any coding,
decimals of any scale, times of one kind. A key with a null member is no key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.comparison.keyed_rows import (
    KeyedRows,
    NotComparedError,
    Side,
    column_view,
    keyed_rows,
    member_views,
)
from contractwatch.engines.core.failures import (
    QUERY_FAILURES,
    UNREADABLE,
    query_failure_reason,
    table_error,
)
from contractwatch.engines.core.file_types import contract_word
from contractwatch.engines.predicates.expressions import ColumnView, violates
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.query.segment_counts import segment_text
from contractwatch.engines.tables.frames import Frame, open_table
from contractwatch.errors import SourceError
from contractwatch.model.base.path import FieldPath
from contractwatch.model.contract.database import DatabaseTables, SqlTable
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.measure.metric import BadRowsAcross, ComparingMetric, ForeignKey
from contractwatch.model.measure.state import Count, Measurement, Unmeasured
from contractwatch.model.promises.reference import (
    Aggregate,
    CoveredKeys,
    KeyCoverage,
    OrphanCount,
    Orphans,
    Reference,
    Segments,
    SegmentsOf,
    Total,
    TotalOf,
    TotalValue,
)
from contractwatch.model.promises.segment import MOST_SEGMENTS, Segment

Sides: TypeAlias = Mapping[Reference | TotalOf, Side | Unmeasured]


def answer_comparing_metrics(
    dataset: Dataset | DatabaseTables,
    metrics: Iterable[ComparingMetric],
    sides: Sides,
    open_database_rows: Callable[[SqlTable], Frame] | None = None,
) -> dict[ComparingMetric, Measurement]:
    """Answer metrics about two tables; one without an answer is `Unmeasured` with the reason.

    Args:
        dataset: The tables of the contract that asks.
        metrics: The questions.
        sides: Where each reference or total of the questions leads, or why it leads nowhere.
        open_database_rows: Opens the rows of a table in a database, if there are such tables.
    """
    comparison = _Comparison(dataset, sides, open_database_rows)
    return {metric: comparison.answer(metric) for metric in metrics}


@dataclass(frozen=True, slots=True)
class _KeyedPair:
    """Two tables with the complete keys of their rows, in common types.

    `keyed` is how the asking table has its keys.
    """

    here: Frame
    there: Frame
    keyed: KeyedRows
    asking: pl.LazyFrame
    targeted: pl.LazyFrame
    names: list[str]


@dataclass(slots=True)
class _Comparison:
    """Cache of the opened tables, with the answers to metrics about two of them."""

    own: Dataset | DatabaseTables
    sides: Sides
    open_database_rows: Callable[[SqlTable], Frame] | None
    frames: dict[int, Frame] = field(default_factory=dict[int, Frame])
    whole: dict[str, TableFiles | SqlTable] = field(
        default_factory=dict[str, TableFiles | SqlTable]
    )

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
        except (NotComparedError, SourceError, UncastableError) as error:
            return Unmeasured(str(error))

    def _orphans(self, metric: Orphans) -> Measurement:
        pair = self._joined(self._asking(metric, metric.paths), metric.target)
        keys = _collected(
            pair.there, pair.targeted.group_by(pair.names).agg(pl.len().alias("rows"))
        )
        repeated = int(keys["rows"].sum()) - keys.height
        matched = pair.asking.join(keys.lazy(), on=pair.names, how="left")
        number = pair.keyed.number
        if number:
            with_key = pair.here.rows.select(pair.keyed.has_key.sum())
            unmatched = matched.filter(pl.col("rows").is_null()).select(pl.col(number).n_unique())
            all_rows, orphans = (
                _collected(pair.here, plan).item() for plan in (with_key, unmatched)
            )
            return OrphanCount(all_rows, orphans, repeated)
        counts = matched.select(pl.len(), orphans=pl.col("rows").null_count())
        all_rows, orphans = _collected(pair.here, counts).row(0)
        return OrphanCount(all_rows, orphans, repeated)

    def _covered(self, metric: CoveredKeys) -> Measurement:
        asking = self._asking(metric)
        pair = self._joined(replace(asking, files=self._whole(asking.files)), metric.target)
        keys = _collected(pair.there, pair.targeted.unique())
        present = pair.asking.join(keys.lazy(), on=pair.names, how="semi")
        found = _collected(pair.here, present.unique().select(pl.len())).item()
        return KeyCoverage(keys.height, found)

    def _joined(self, asking: Side, target: Reference) -> _KeyedPair:
        here, there = self._frame(asking.files), self._side(target)
        keyed, other = keyed_rows(here, asking), self._frame(there.files)
        pairs = _match_members((asking, keyed.members), (there, member_views(other, there)))
        rows = _key_columns(keyed.rows, [left for left, _ in pairs], keyed.number)
        targeted = _key_columns(other.rows, [right for _, right in pairs])
        return _KeyedPair(here, other, keyed, rows, targeted, _key_names(pairs))

    def _segments(self, metric: SegmentsOf) -> Measurement:
        """Return the segments, counted batch by batch so that too many do not fill the memory."""
        pair = self._joined(self._asking(metric), metric.target)
        types = pair.asking.collect_schema()
        texts = [segment_text(pl.col(name), types[name]) for name in pair.names]
        found = set[Segment]()
        try:
            plan = pair.targeted.select(texts)
            for batch in plan.collect_batches(engine="streaming", maintain_order=False):
                found.update(batch.unique().iter_rows())
                if len(found) > MOST_SEGMENTS:
                    many = f"{metric.target} has more than {MOST_SEGMENTS:,} distinct values"
                    return Unmeasured(f"{many}; expected fewer segments")
        except UNREADABLE as error:
            raise table_error(error, pair.there.table, pair.there.data_format) from error
        return Segments(tuple(sorted(found)))

    def _bad_rows(self, metric: BadRowsAcross) -> Measurement:
        asked = Side(self._own(metric.table), (), metric.table)
        frame = self._frame(asked.files)
        broken = [violates(one, column_view(frame, asked, one.column)) for one in metric.predicates]
        rows = frame.rows
        for at, key in enumerate(metric.keys):
            asking = Side(asked.files, key.columns, metric.table, key.paths)
            rows, is_orphan = self._flagged(rows, asking, key, at)
            broken.append(is_orphan)
        masks = [mask.fill_null(value=False) for mask in broken]
        try:
            found = rows.select(pl.any_horizontal(masks).sum()).collect(engine="streaming")
        except QUERY_FAILURES as error:  # whether the rows can be read is asked beside
            return Unmeasured(query_failure_reason(error))
        except OSError as error:
            raise table_error(error, frame.table, frame.data_format) from error
        return Count(found.item() or 0)

    def _flagged(
        self, rows: pl.LazyFrame, asking: Side, key: ForeignKey, at: int
    ) -> tuple[pl.LazyFrame, pl.Expr]:
        """Return the rows with a flag that a key of theirs has no match."""
        there = self._side(key.target)
        other = self._frame(there.files)
        own = member_views(self._frame(asking.files), asking)
        pairs = _match_members((asking, own), (there, member_views(other, there)))
        found = f"\x00found{at}"
        names = [f"\x00key{at} {member}" for member in range(len(pairs))]
        targeted = _key_columns(other.rows, [right for _, right in pairs]).unique()
        keys = _collected(other, targeted).rename(dict(zip(_key_names(pairs), names, strict=True)))
        members = {name: left for name, (left, _) in zip(names, pairs, strict=True)}
        flagged = rows.with_columns(**members).join(
            keys.lazy().with_columns(pl.lit(value=True).alias(found)), on=names, how="left"
        )
        is_whole = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
        return flagged, is_whole & pl.col(found).is_null()

    def _asking(
        self, metric: Orphans | CoveredKeys | SegmentsOf, paths: tuple[FieldPath, ...] = ()
    ) -> Side:
        return Side(self._own(metric.table), metric.columns, metric.table, paths)

    def _side(self, wanted: Reference | TotalOf) -> Side:
        side = self.sides.get(wanted, Unmeasured("the reference was not resolved"))
        if isinstance(side, Unmeasured):
            raise NotComparedError(side.reason)
        return side

    def _own(self, table: str) -> TableFiles | SqlTable:
        files = next((one for one in self.own.tables if one.table == table), None)
        if files is None:
            raise NotComparedError(self.own.missing_reason(table))
        return files

    def _whole(self, files: TableFiles | SqlTable) -> TableFiles | SqlTable:
        """Return a table without its window: what is found in one is in the table, not so the rest.

        It is remembered, for frames are known by the table that they were opened from.
        """
        if files.window is None:
            return files
        return self.whole.setdefault(files.table, replace(files, window=None))

    def _frame(self, files: TableFiles | SqlTable) -> Frame:
        if id(files) not in self.frames:
            self.frames[id(files)] = self._open_rows(files)
        frame = self.frames[id(files)]
        if frame.refused:
            raise NotComparedError(frame.refused)
        return frame

    def _open_rows(self, files: TableFiles | SqlTable) -> Frame:
        if isinstance(files, TableFiles):
            return open_table(files)
        assert self.open_database_rows is not None
        return self.open_database_rows(files)


def _key_columns(rows: pl.LazyFrame, members: Iterable[pl.Expr], number: str = "") -> pl.LazyFrame:
    """Return the keys without a null member; `rows` is not among their names.

    `number` is a column that is selected with them.
    """
    keys = [key.alias(f"key{position}") for position, key in enumerate(members)]
    return rows.select(*filter(None, (number,)), *keys).drop_nulls()


def _key_names(pairs: Iterable[object]) -> list[str]:
    """Return the column names that `_key_columns` gives to the members."""
    return [f"key{position}" for position, _ in enumerate(pairs)]


def _match_members(
    left: tuple[Side, Sequence[ColumnView]], right: tuple[Side, Sequence[ColumnView]]
) -> list[tuple[pl.Expr, pl.Expr]]:
    """Return the members of a key on both sides, each cast to a common type."""
    members = zip(left[1], right[1], strict=True)
    return [_match_member((left[0], one), (right[0], other)) for one, other in members]


def _collected(frame: Frame, plan: pl.LazyFrame) -> pl.DataFrame:
    try:
        return plan.collect(engine="streaming")
    except UNREADABLE as error:
        raise table_error(error, frame.table, frame.data_format) from error


def _match_member(
    left: tuple[Side, ColumnView], right: tuple[Side, ColumnView]
) -> tuple[pl.Expr, pl.Expr]:
    """Return both members as one type.

    Raises:
        NotComparedError: If they are of kinds that are never equal.
    """
    (asking, one), (target, other) = left, right
    common = _common_type(one.dtype, other.dtype)
    if common is None:
        kinds = f"{contract_word(one.dtype)} and {target.shown} as {contract_word(other.dtype)}"
        raise NotComparedError(f"the types differ: {asking.shown} has the key as {kinds}")
    return _cast(one, common), _cast(other, common)


def _common_type(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """Return the type in which two columns are compared exactly, or None."""
    if pl.Null in (one, other):
        return (
            pl.String() if one == other else _common_type(*[one if one != pl.Null else other] * 2)
        )
    if one.is_nested() or other.is_nested():
        return None
    if _is_integral(one) and _is_integral(other):
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


def _is_integral(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or (isinstance(dtype, pl.Decimal) and dtype.scale == 0)


def _cast(cells: ColumnView, common: pl.DataType) -> pl.Expr:
    if cells.dtype == common:
        return cells.value
    if isinstance(common, pl.Datetime) and common.time_zone is not None:
        return cells.value.dt.convert_time_zone("UTC").dt.cast_time_unit(common.time_unit)
    return cells.value.cast(common)


def _total(aggregate: Aggregate, frame: Frame, side: Side) -> Measurement:
    if not side.columns:
        return TotalValue(Decimal(_collected(frame, frame.rows.select(pl.len())).item()))
    (cells,) = member_views(frame, side)
    if aggregate is Aggregate.COUNT:
        counted = frame.rows.select(cells.is_present.sum())
        return TotalValue(Decimal(_collected(frame, counted).item() or 0))
    if not cells.dtype.is_numeric() and cells.dtype != pl.Null:
        column = f"column {side.columns[0]!r} of {side.shown}"
        raise NotComparedError(
            f"{column} is of type {contract_word(cells.dtype)}; expected numbers"
        )
    numbers = _without_overflow(cells)
    plan = frame.rows.select(
        sum=numbers.sum(), count=numbers.count(), min=numbers.min(), max=numbers.max()
    )
    return _aggregate(aggregate, _collected(frame, plan).row(0, named=True), side)


def _without_overflow(cells: ColumnView) -> pl.Expr:
    """Return the numbers in a type in which their sum does not overflow."""
    if isinstance(cells.dtype, pl.Decimal):
        return cells.value.cast(pl.Decimal(38, cells.dtype.scale))
    return cells.value.cast(pl.Float64 if cells.dtype.is_float() else pl.Int128)


def _aggregate(aggregate: Aggregate, numbers: Mapping[str, object], side: Side) -> Measurement:
    of_column = f"of column {side.columns[0]!r} of {side.shown}"
    count = Decimal(str(numbers["count"]))
    if not count and aggregate is not Aggregate.SUM:
        return Unmeasured(f"there is no value {of_column} to take the {aggregate} of")
    written = numbers["sum" if aggregate is Aggregate.AVG else aggregate.value]
    total = Decimal(str(written or 0))
    if not total.is_finite():
        return Unmeasured(f"the {aggregate} {of_column} is no finite number")
    return TotalValue(total / count if aggregate is Aggregate.AVG else total)
