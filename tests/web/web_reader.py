"""In-memory reader and clock for the tests of the pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta

from contractwatch.errors import StoreError
from contractwatch.model.record.product import ProductRecord
from tests.web.web_values import NOW


@dataclass
class Memory:
    """A reader over records in memory; counts how often all of them are read."""

    kept: tuple[ProductRecord, ...] = ()
    beat: datetime | None = NOW
    commits: int = 1
    reads: int = 0
    fails: bool = False
    failures: int = 0
    details: Mapping[str, ProductRecord] = field(default_factory=dict)

    def records(self) -> tuple[ProductRecord, ...]:
        self._check()
        self.reads += 1
        return self.kept

    def record(self, product: str) -> ProductRecord | None:
        self._check()
        known = {one.card.product: one for one in self.kept} | dict(self.details)
        return known.get(product)

    def revision(self) -> int:
        self._check()
        return self.commits

    def last_beat(self) -> datetime | None:
        self._check()
        return self.beat

    def become(self, *records: ProductRecord) -> None:
        self.kept = records
        self.commits += 1

    def _check(self) -> None:
        if self.fails:
            self.failures += 1
            raise StoreError("the store cannot be read", kind="io")


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, length: timedelta) -> datetime:
        self.now += length
        return self.now


def shifted(record: ProductRecord, by: timedelta) -> ProductRecord:
    """The same record, as if everything had happened `by` later."""
    return _shifted(record, by)


def _shifted(value: object, by: timedelta) -> object:
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, tuple):
        return tuple(_shifted(item, by) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {one.name: _shifted(getattr(value, one.name), by) for one in fields(value)}
        return replace(value, **changes)
    return value
