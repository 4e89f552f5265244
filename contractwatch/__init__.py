"""Run the ODCS contracts of data products against their live data, and keep the record.

The public face is small: `load` reads a contract, `to_pandera` turns it into a pandera schema.
"""

from os import PathLike
from pathlib import Path
from typing import Any

from contractwatch.model.contract.contract import Contract

__all__ = ["Contract", "__version__", "load", "to_pandera"]

__version__ = "0.1.0"


def load(path: str | PathLike[str]) -> Contract:
    """Return the contract of a file.

    Raises:
        ContractError: If the file is no valid contract; it carries every problem.
    """
    # Imported when asked for: validation of a contract loads JSON schemas.
    from contractwatch.odcs.load import load_contract  # noqa: PLC0415

    contract, _ = load_contract(Path(path))
    return contract


def to_pandera(contract: Contract, table: str | None = None) -> Any:
    """Return the `pandera.polars.DataFrameSchema` of the contract's table.

    Args:
        contract: The contract, as `load` gave it.
        table: Name of the table; needed if the contract has several.

    Raises:
        UsageError: If there is no such table, or several and none is named.
        ContractwatchError: If pandera is not installed.
    """
    # Imported when asked for: pandera takes a third of a second.
    from contractwatch.engines.pandera.export import to_pandera as schema_of  # noqa: PLC0415

    return schema_of(contract, table)
