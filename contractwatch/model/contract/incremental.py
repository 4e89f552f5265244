"""Incremental reading of tables whose old rows do not change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Count


class IncrementalMode(StrEnum):
    """Where the window begins: some days before now, or some time before the newest value."""

    PARTITION = "partition"
    WATERMARK = "watermark"


@dataclass(frozen=True, slots=True)
class Incremental:
    """Incremental reading of a table (`contractwatch.incremental`): time column and full scans.

    `column` is a physical name; its naive values and its days are those of `timezone`. `full_scan`
    is a five-field cron in `full_scan_timezone`, empty if the contract names none. `unusable` says
    why all rows are read all the same; empty if that is to be found out from the files.
    """

    column: str
    mode: IncrementalMode
    lookback: timedelta = timedelta(0)
    timezone: str = "Etc/UTC"
    full_scan: str = ""
    full_scan_timezone: str = "Etc/UTC"
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a table whose value in a column is at least `since`, in the steps of its own type.

    With `until` only those below it; without, also the rows that have no value.
    """

    column: str
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """Rows that the answers to some metrics of a table cover.

    `words` say so wherever it is not simply all rows as anyone expects; `rows` is the number of
    rows in a window, in place of that of the table. Where it `moves`, what the next run may know
    moves on only while the promises that rest on these answers are kept; it `begins_as_kept` where
    the window of what was kept before does, so that keeping that shows the same rows again.
    """

    table: str
    metrics: frozenset[Metric]
    words: str = ""
    rows: Mapping[Metric, Count] = field(default_factory=dict[Metric, Count])
    advances_watermark: bool = False
    keeps_watermark: bool = False
