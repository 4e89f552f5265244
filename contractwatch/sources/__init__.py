"""Find the tables of a contract's server; one module for each way to reach it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.object_store_access import NO_OBJECT_STORES, ObjectStoreAccess
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import Dataset
from contractwatch.odcs.values.variables import has_variables
from contractwatch.sources import files, objects


class Source(Protocol):
    """Finds the tables of a server without reading a row."""

    def __call__(
        self,
        server: Server,
        tables: tuple[Table, ...],
        *,
        bases: tuple[Path, ...],
        roots: tuple[Path, ...] | None,
        reach: ObjectStoreAccess,
    ) -> Dataset: ...


SOURCES: Mapping[str, Source] = {
    "local": files.open_files,
    "s3": objects.open_objects,
}


def open_server(
    server: Server,
    tables: tuple[Table, ...],
    *,
    bases: tuple[Path, ...],
    roots: tuple[Path, ...] | None,
    reach: ObjectStoreAccess = NO_OBJECT_STORES,
) -> Dataset:
    """Find the tables of a server without reading their rows.

    Args:
        server: Where the contract says that the data is.
        tables: The tables that the contract promises.
        bases: Directories against which a relative path is tried in turn; the first match wins.
        roots: Directories below which every file must really be; None gives the rights of the
            person who asks.
        reach: Which object stores and buckets may be read, and as whom.

    Raises:
        SourceError: If a table is not found, or not allowed, with the one to blame.
    """
    source = SOURCES.get(server.kind)
    if source is None or server.unsupported:
        reason = server.unsupported or f"servers of type {server.kind!r} are not read"
        raise SourceError(reason, retryable=False, blame=Blame.AGENT)
    if any(map(has_variables, (server.path, server.endpoint, *(table.where for table in tables)))):
        raise SourceError(
            "a variable has no value here; expected one", retryable=False, blame=Blame.AGENT
        )
    found = source(server, tables, bases=bases, roots=roots, reach=reach)
    promised = {table.name: table for table in tables}
    scoped = (
        replace(files, where=table.where, incremental=table.incremental)
        if (table := promised.get(files.table))
        else files
        for files in found.tables
    )
    return replace(found, tables=tuple(scoped))
