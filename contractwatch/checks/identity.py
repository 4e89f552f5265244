"""No two promises of a contract have one identity, whatever its tables and columns are called."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from contractwatch.model.check import Check


def distinct(checks: Iterable[Check], taken: Iterable[str]) -> Iterator[Check]:
    """Yield each check; one whose promise has an identity that is taken gets a number after it.

    The column `x` of the table `t/x` and the column `x/x` of the table `t` would share theirs.
    """
    known = set(taken)
    for check in checks:
        promise, repeat = check.promise, 1
        while promise.promise_id in known:
            repeat += 1
            promise = replace(promise, promise_id=f"{check.promise.promise_id}-{repeat}")
        known.add(promise.promise_id)
        # every check is a record, which its protocol cannot say
        yield check if repeat == 1 else cast("Check", replace(cast("Any", check), promise=promise))
