"""Make the identities of a contract's promises unique."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from contractwatch.model.record.check import Check


def with_unique_ids(checks: Iterable[Check], taken: Iterable[str]) -> Iterator[Check]:
    """Yield each check; append a number to a promise id that is already in use.

    The column `x` of the table `t/x` and the column `x/x` of the table `t` would share theirs.
    """
    known, repeats = set(taken), dict[str, int]()
    for check in checks:
        promise = check.promise
        wanted, repeat = promise.promise_id, 1
        if wanted in known and wanted in repeats:  # thousands alike do not count from one each
            repeat = repeats[wanted]
            promise = replace(promise, promise_id=f"{wanted}-{repeat}")
        while promise.promise_id in known:
            repeat += 1
            promise = replace(promise, promise_id=f"{wanted}-{repeat}")
        if repeat > 1:
            repeats[wanted] = repeat
        known.add(promise.promise_id)
        # every check is a record, which its protocol cannot say
        yield check if repeat == 1 else cast("Check", replace(cast("Any", check), promise=promise))
