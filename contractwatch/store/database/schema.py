"""Check the schema version of a store, and migrate older ones."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from contractwatch.errors import StoreError
from contractwatch.store.database.engine import WHERE
from contractwatch.store.database.tables import REVISIONS

_VERSIONS = "alembic_version"


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the schema there is; None in an empty database.

    Raises:
        StoreError: If the database holds tables, but not ours.
    """
    names = inspect(connection).get_table_names()
    if _VERSIONS in names:
        return connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar()  # noqa: S608 - a constant
    if names:
        raise StoreError(
            f"the database is not a contractwatch store: it has other tables; name another file "
            f"({WHERE})",
            kind="version",
        )
    return None


def require_current(path: Path, revision: str | None) -> None:
    """Raise StoreError unless the schema is the current version.

    Raises:
        StoreError: If it is empty, older or newer.
    """
    require_known(path, revision)
    if revision != REVISIONS[-1]:
        what = "is empty" if revision is None else "is of an older contractwatch"
        raise StoreError(
            f"store {path} {what}; start the agent once (contractwatch run) to bring it up to date",
            kind="version",
        )


def require_known(path: Path, revision: str | None) -> None:
    """Raise StoreError if a newer contractwatch wrote the schema.

    Raises:
        StoreError: If this version has never heard of the revision.
    """
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"store {path} is of a newer contractwatch (schema {revision}, this one knows up to "
            f"{REVISIONS[-1]}); install the newer version, or name another store ({WHERE})",
            kind="version",
        )


def upgrade() -> Callable[[Connection], None]:
    """Return what brings the schema up to date, inside the transaction of a connection."""
    # Alembic takes longer to import than `gate` takes to answer, and no lock is held meanwhile.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    folder = Path(__file__).parents[1] / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    return run
