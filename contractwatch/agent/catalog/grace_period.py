"""Grace period for contract files that are missing for a moment, as when an editor replaces one."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from contractwatch.agent.catalog.contract_files import ContractFile
from contractwatch.agent.catalog.holders import Holder
from contractwatch.model.contract.contract import Status


class GracePeriod:
    """Track since when the holder of each product is missing.

    To retire a contract in its file is said on purpose, and nothing is waited for.
    """

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    def products_within(
        self,
        holders: Mapping[str, Holder],
        found: Iterable[ContractFile],
        *,
        now: float,
        gone_seconds: float,
    ) -> frozenset[str]:
        """Return the products whose holders are missing, within the grace period.

        Args:
            holders: By product, as of the last look or the record.
            found: The files that are there now.
            now: By a monotonic clock.
            gone_seconds: How long is long enough.
        """
        there = {one.shown: one for one in found}
        absent = {
            product
            for product, holder in holders.items()
            if not _is_promised(product, there.get(holder.file))
        }
        self._ends = {
            product: self._ends.get(product, now + gone_seconds) for product in sorted(absent)
        }
        return frozenset(product for product, end in self._ends.items() if now < end)

    def next_expiry(self, now: float) -> float:
        """Return when the next grace period ends; infinity for never."""
        return min((end for end in self._ends.values() if end > now), default=math.inf)


def _is_promised(product: str, file: ContractFile | None) -> bool:
    """Whether the file holds the product on, or has given it away on purpose."""
    if file is None or file.is_other:
        return False
    contract = file.contract
    if contract is None:  # broken: it holds what it held
        return True
    return contract.product == product or contract.status is Status.RETIRED


def with_missing_files(
    found: Mapping[Path, ContractFile],
    before: Mapping[Path, ContractFile],
    holders: Mapping[str, Holder],
    kept: Iterable[str],
) -> dict[Path, ContractFile]:
    """Return the files, and those that are gone for a moment as they last were.

    Where the whole folder is gone, nothing could be read from it: its products wait.
    """
    waited = {holders[product].file for product in kept}
    gone = {
        path: state
        for path, state in before.items()
        if state.shown in waited
        and (path not in found or found[path].is_other)
        and path.parent.is_dir()
    }
    return {**found, **gone}
