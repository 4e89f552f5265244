"""Find the contracts that others refer to: those given, and those beside them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from contractwatch.cli.testing.bounded_reading import bounded
from contractwatch.cli.testing.contract_files import contracts_in_folder
from contractwatch.errors import ContractError
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.load import load_valid_part
from contractwatch.scan.reference_resolver import Published, Registry, refers_elsewhere


def referable_contracts(contracts: Sequence[Contract], refused: Iterable[str] = ()) -> Registry:
    """Return the contracts that may be referred to.

    The other contracts of the same folders are read only if one of those that are given refers to
    another contract. One that is broken is left out, and is named where it is missed.

    Args:
        contracts: Those that are given.
        refused: The files that are given and hold no good contract.
    """
    published = [Published(one, Path(one.file).resolve().parent) for one in contracts]
    broken = list(refused)
    if any(map(refers_elsewhere, contracts)):
        known = {one.path for one in published} | {Path(file).resolve() for file in broken}
        folders = dict.fromkeys(one.folder for one in published)
        beside = (path for folder in folders for path in contracts_in_folder(folder))
        for path in beside:
            if path.resolve() in known:
                continue
            try:
                with bounded(path):
                    published.append(Published(load_valid_part(path)[0], path.parent))
            except ContractError:
                broken.append(str(path))
    return Registry(published, broken=broken)
