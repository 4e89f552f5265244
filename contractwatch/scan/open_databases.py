"""Databases that one run has open: each is opened once, on one snapshot, and closed at its end.

Imported in a worker, and only for a database: imports Polars and the SQL builder.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from contractwatch.engines.sql.engine import SqlEngine
from contractwatch.engines.sql.opening import open_database
from contractwatch.engines.tables.frames import Frame
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import Connection
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import DatabaseTables, SqlTable
from contractwatch.model.measure.metric import Metric
from contractwatch.scan.cached_scan import ScanAnswers
from contractwatch.scan.connection_match import match_connection
from contractwatch.scan.secrets import read_password


@dataclass(slots=True)
class OpenDatabases:
    """The databases of one run, by the names of their connections."""

    connections: tuple[Connection, ...]
    product: str
    now: datetime
    trusts_constraints: bool = True
    engines: dict[str, SqlEngine] = field(default_factory=dict[str, SqlEngine])

    def find_tables(
        self, server: Server, tables: Sequence[Table], *, bases: tuple[Path, ...]
    ) -> DatabaseTables:
        """Find the tables of a server, which is opened unless another contract's was before.

        Raises:
            SourceError: If no connection is for it, or it does not let the user in.
        """
        connection = match_connection(server, self.connections, bases)
        engine = self._engine(connection)
        found = engine.session.find_tables([(table, server.schema) for table in tables])
        pairs = list(zip(tables, found, strict=True))
        missing = (
            (table.name, SourceError(why, retryable=False, blame=Blame.PRODUCT))
            for table, why in pairs
            if isinstance(why, str)
        )
        known = tuple(
            replace(one, connection=connection.name) for one in found if isinstance(one, SqlTable)
        )
        return DatabaseTables(server.name, connection.name, known, tuple(missing))

    def _engine(self, connection: Connection) -> SqlEngine:
        if connection.name not in self.engines:
            self.engines[connection.name] = open_database(
                connection,
                read_password(connection),
                product=self.product,
                now=self.now,
                trusts_constraints=self.trusts_constraints,
            )
        return self.engines[connection.name]

    def answer_metrics(
        self,
        tables: DatabaseTables,
        metrics: Iterable[Metric],
        contract_tables: tuple[Table, ...],
    ) -> ScanAnswers:
        """Answer metrics about one table each, and SQL rules; nothing of it is cached."""
        found = self.engines[tables.connection].survey(tables, metrics, contract_tables)
        return ScanAnswers(found.measurements, found.failures, found.evidence)

    def open_rows(self, table: SqlTable) -> Frame:
        """Return the rows of a table, which are pulled when they are read.

        Raises:
            SourceError: If they are more than may be pulled.
        """
        return self.engines[table.connection].bounded_frame(table)

    def close(self) -> None:
        """Close every session."""
        for engine in self.engines.values():
            engine.session.close()
