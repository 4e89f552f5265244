"""Alembic environment: run migrations in the transaction that the store passes in.

Without one it writes the statements for the dialect that `config.attributes` names.
"""

from alembic import context
from sqlalchemy import Connection

from contractwatch.store.database.tables import metadata


def _run() -> None:
    connection = context.config.attributes.get("connection")
    if isinstance(connection, Connection):
        context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    else:
        dialect = context.config.attributes.get("dialect", "sqlite")
        context.configure(dialect_name=str(dialect), target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


_run()
