"""Resolve references between contracts to a table and a server.

A contract is found by its id, by its file (beside the one that refers to it, else by the name of
the file) or by its canonical address. Nothing is fetched.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, assert_never

from contractwatch.model.base.path import ArrayItem, FieldPath
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Column, Contract, Table, TableIndex
from contractwatch.model.measure.metric import BadRowsAcross, ComparingMetric, Metric
from contractwatch.model.promises.reference import (
    CoveredKeys,
    Orphans,
    Reference,
    SegmentsOf,
    Total,
)
from contractwatch.model.promises.segment import ReferencedSegments
from contractwatch.scan.servers import choose_server


@dataclass(frozen=True, slots=True)
class Published:
    """A contract, and the folder of its file, to which its paths are relative."""

    contract: Contract
    folder: Path

    @property
    def path(self) -> Path:
        """The contract's file."""
        return self.folder / Path(self.contract.file).name


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """The server of another contract, with all of its tables, as `sources.open_server` has it."""

    contract: str
    server: Server
    tables: tuple[Table, ...]
    bases: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Target of a reference: a table and physical columns, of this or of another contract.

    `remote_server` is that of another contract. `paths` lead into each column, or are empty.
    """

    reference: Reference
    table: str
    columns: tuple[str, ...]
    remote_server: RemoteServer | None = None
    paths: tuple[FieldPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference without a target, and the reason."""

    reference: Reference
    reason: str


ReferenceResolution: TypeAlias = Resolved | Unresolved


class Registry:
    """Immutable index of the contracts that may be referred to."""

    def __init__(self, published: Iterable[Published] = (), *, broken: Iterable[str] = ()) -> None:
        """Make a registry.

        Args:
            published: The contracts.
            broken: The names of files that hold no good contract.
        """
        self._broken = frozenset(Path(file).name for file in broken)
        self._by_name: dict[str, list[Published]] = {}
        for one in published:
            names = {one.contract.contract_id, str(_normalized(one.path)), one.path.name}
            for name in names.union(one.contract.addresses):
                self._by_name.setdefault(name, []).append(one)

    def find(self, name: str, folder: Path) -> Published | str:
        """Return the contract of a name, or the reason why there is none.

        Args:
            name: An id, a file, or an address.
            folder: Of the contract that names it.
        """
        last = name.rsplit("/", 1)[-1]
        beside = name if "://" in name else str(_normalized(folder / name))
        for known in (name, beside, last):
            found = self._by_name.get(known, [])
            if len(found) == 1:
                return found[0]
            if found:
                files = ", ".join(sorted(one.contract.file for one in found))
                return f"{len(found)} contracts are known as {known!r}: {files}"
        if last in self._broken:
            return f"the contract {last!r} is broken; see `contractwatch lint`"
        searched = "its id, its file and its address among those that are given"
        return f"no contract is known as {name!r}; looked for {searched}"


@dataclass(frozen=True, slots=True)
class Resolver:
    """Context of resolving: the contract that refers, and the server that it runs on.

    `base_folders` are directories for relative paths besides a contract's own folder.
    """

    published: Published
    server: Server
    environment: str = ""
    base_folders: tuple[Path, ...] = ()


def refers_elsewhere(contract: Contract) -> bool:
    """Return whether anything in the contract refers to another contract."""
    if contract.inputs:
        return True
    for table in contract.tables:
        keys = (*table.relationships, *table.coverages)
        targets = [one.target for one in keys] + [one.right.of for one in table.reconciliations]
        expected = [rule.expected for rule in table.segment_rules]
        targets += [one.target for one in expected if isinstance(one, ReferencedSegments)]
        if any(target.contract for target in targets):
            return True
    return False


def references_of(metrics: Iterable[Metric]) -> tuple[Reference, ...]:
    """Return the references of the metrics, each once, in a fixed order."""
    compared = [metric for metric in metrics if isinstance(metric, ComparingMetric)]
    found = {reference for one in compared for reference in _references_of(one)}
    return tuple(sorted(found, key=repr))


def _references_of(metric: ComparingMetric) -> tuple[Reference, ...]:
    match metric:
        case Orphans() | CoveredKeys() | SegmentsOf():
            return (metric.target,)
        case Total():
            return (metric.total.of,)
        case BadRowsAcross():
            return tuple(key.target for key in metric.keys)
        case _:
            assert_never(metric)


def resolve_references(
    metrics: Iterable[Metric], resolver: Resolver, registry: Registry
) -> tuple[ReferenceResolution, ...]:
    """Resolve each reference of the metrics."""
    names: dict[Path, TableIndex] = {}
    return tuple(
        _resolve_reference(reference, resolver, registry, names)
        for reference in references_of(metrics)
    )


def _resolve_reference(
    reference: Reference, resolver: Resolver, registry: Registry, names: dict[Path, TableIndex]
) -> ReferenceResolution:
    own = resolver.published
    found = registry.find(reference.contract, own.folder) if reference.contract else own
    if isinstance(found, str):
        return Unresolved(reference, found)
    if found.path not in names:
        names[found.path] = TableIndex(found.contract.tables)
    tables = names[found.path]
    target = _resolve_columns(reference, tables)
    is_own = found.path == own.path
    if isinstance(target, Unresolved) or is_own:
        return target
    server = _server_of(found.contract, resolver)
    why_not = server.unsupported or ("" if server.kind else "it names no server")
    if why_not:
        return Unresolved(reference, f"{found.contract.file} cannot be read: {why_not}")
    bases = (found.folder, *resolver.base_folders)
    remote_server = RemoteServer(found.contract.file, server, found.contract.tables, bases)
    return replace(target, remote_server=remote_server)


def _server_of(contract: Contract, resolver: Resolver) -> Server:
    environment = resolver.server.environment or resolver.environment
    return choose_server(contract, environment)[0]


def _resolve_columns(reference: Reference, tables: TableIndex) -> ReferenceResolution:
    of_contract = f"of {reference.contract}" if reference.contract else "of this contract"
    table = tables.find(reference.table, by_id=reference.by_id)
    if table is None:
        return Unresolved(reference, f"no table {of_contract} is {reference.table!r}")
    found: list[Column] = []
    for written in reference.columns:
        column = table.find_reference(written, by_id=reference.by_id)
        if column is None:
            return Unresolved(reference, f"no column of {table.name} {of_contract} is {written!r}")
        if ArrayItem() in column.path:
            where = f"{written!r} of {table.name} {of_contract}"
            return Unresolved(reference, f"{where} is inside an array; no key is looked for there")
        found.append(column)
    physical = tuple(column.physical_name for column in found)
    paths = tuple(column.path for column in found)
    return Resolved(reference, table.name, physical, paths=paths if any(paths) else ())


def _normalized(path: Path) -> Path:
    """Return the path without `..`, absolute; no link is followed."""
    return Path(os.path.normpath(path.absolute()))
