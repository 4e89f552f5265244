"""Questions about two tables are answered last, with the other contracts' servers opened beside.

Loaded in a worker only: it brings Polars with it.
"""

from collections.abc import Iterable
from pathlib import Path

from contractwatch.agent.neighbours import Destination, Elsewhere, Lead, Nowhere
from contractwatch.engines.comparing import Side, compare
from contractwatch.errors import SourceError
from contractwatch.model.dataset import Dataset
from contractwatch.model.reference import ComparingMetric, Reference
from contractwatch.model.state import Measurement, Unmeasured
from contractwatch.sources import open_server


def compared(
    dataset: Dataset,
    metrics: Iterable[ComparingMetric],
    leads: Iterable[Lead],
    *,
    roots: tuple[Path, ...] | None,
) -> dict[ComparingMetric, Measurement]:
    """Answer the questions about two tables.

    A server of another contract that cannot be read leaves what refers to it unmeasured; it says
    nothing about the data of the contract that asks.

    Args:
        dataset: The tables of the contract that asks.
        metrics: The questions.
        leads: Where each of their references leads.
        roots: As in `sources.open_server`; the other servers are held to the same.
    """
    opened: dict[Elsewhere, Dataset | Unmeasured] = {}
    sides: dict[Reference, Side | Unmeasured] = {}
    for lead in leads:
        if isinstance(lead, Nowhere):
            sides[lead.reference] = Unmeasured(lead.reason)
            continue
        there: Dataset | Unmeasured = dataset
        if lead.elsewhere is not None:
            if lead.elsewhere not in opened:
                opened[lead.elsewhere] = _open(lead.elsewhere, roots)
            there = opened[lead.elsewhere]
        sides[lead.reference] = there if isinstance(there, Unmeasured) else _side(lead, there)
    return compare(dataset, metrics, sides)


def _open(elsewhere: Elsewhere, roots: tuple[Path, ...] | None) -> Dataset | Unmeasured:
    try:
        return open_server(elsewhere.server, elsewhere.tables, bases=elsewhere.bases, roots=roots)
    except SourceError as error:
        return Unmeasured(f"the data of {elsewhere.contract} cannot be read: {error}")


def _side(lead: Destination, there: Dataset) -> Side | Unmeasured:
    files = next((files for files in there.tables if files.table == lead.table), None)
    if files is None:
        return Unmeasured(f"the server {there.server!r} has no table {lead.table!r}")
    of_contract = f" of {lead.elsewhere.contract}" if lead.elsewhere is not None else ""
    return Side(files, lead.columns, f"{lead.table}{of_contract}")
