"""Read one version of an Iceberg table by its metadata, from allowed files only.

The library plans by field ids: a renamed column is found in old files, a position delete applied.
Every file that its metadata name was checked before; no other one can be opened here.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import polars as pl

from contractwatch.engines.core.file_types import UUID, instance
from contractwatch.engines.formats import bounds
from contractwatch.engines.remote.objects import scan_options
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import DataFile, RemoteStore, TableFiles, TableSnapshot

MAX_METADATA_BYTES = 128 * 1024 * 1024
"""Size limit of decompressed metadata."""

Types: TypeAlias = dict[str, pl.DataType]


def scan_parts(files: TableFiles) -> list[tuple[pl.LazyFrame, Types]]:
    """Scan the version, with the columns and types of its schema.

    Raises:
        SourceError: If its metadata name a file that was not checked.
    """
    if files.snapshot is None:
        raise SourceError("the table has no version", retryable=False, blame=Blame.AGENT)
    table = _open_known_files(files.snapshot, files.remote)
    bounds.refuse_duplicates([field.name for field in table.schema().fields])
    # It is said that another package would plan faster; a worker has it switched off.
    warnings.filterwarnings("ignore", ".*polars_iceberg", pl.exceptions.PerformanceWarning)
    # The scan cannot be told that credentials are looked for in the environment alone.
    pl.Config.set_default_credential_provider(None)
    # What the record says of rows may be wrong, and would be taken for what was read.
    rows = pl.scan_iceberg(
        table,
        storage_options=scan_options(files.remote).get("storage_options"),
        use_metadata_statistics=False,
    )
    fields = {field.name: field.field_type for field in table.schema().fields}
    types = {
        name: _with_annotations(dtype, fields[name]) if name in fields else dtype
        for name, dtype in rows.collect_schema().items()
    }
    if table.current_snapshot() is None:
        return [(pl.LazyFrame(schema=types), types)]
    return [(rows, types)]


def _with_annotations(dtype: pl.DataType, field: Any) -> pl.DataType:
    """Return a type with the schema's annotations: a UUID, read as bytes, is a text."""
    match dtype:
        case pl.Binary() if str(field) == "uuid":
            return pl.Extension(UUID, dtype)
        case pl.Struct():
            below = {one.name: one.field_type for one in field.fields}
            return pl.Struct(
                {
                    one.name: _with_annotations(instance(one.dtype), below[one.name])
                    for one in dtype.fields
                }
            )
        case pl.List():
            return pl.List(_with_annotations(instance(dtype.inner), field.element_type))
        case pl.Map():
            key, value = instance(dtype.key), instance(dtype.value)
            return pl.Map(
                _with_annotations(key, field.key_type), _with_annotations(value, field.value_type)
            )
        case _:
            return dtype


def _open_known_files(snapshot: TableSnapshot, remote: RemoteStore | None):
    """Open the table and check that all of its files are known.

    Raises:
        SourceError: If one is not, and was not checked.
    """
    known = dict((*snapshot.metadata_files, *snapshot.named))

    def file(named: str) -> DataFile:
        if named not in known:
            raise _changed_error()
        return known[named]

    try:
        table = static_table(snapshot.location, file, remote)
        for task in table.scan().plan_files():
            for each in (task.file, *task.delete_files):
                file(each.file_path)
    except SourceError:
        raise
    except Exception as error:  # it could be planned a moment ago
        raise _changed_error() from error
    return table


def _changed_error() -> SourceError:
    return SourceError(
        "the metadata of the table changed while it was read", retryable=True, blame=Blame.PRODUCT
    )


def static_table(location: str, known: Callable[[str], DataFile], remote: RemoteStore | None):
    """Return the table of a metadata file; `known` returns the file of a name, or raises.

    Raises:
        ImportError: If the library is not installed.
        Exception: Of the library, if the metadata are broken.
    """
    # An optional library: only those who read such tables install it.
    from pyiceberg.catalog.noop import NoopCatalog  # noqa: PLC0415 - see above
    from pyiceberg.serializers import FromInputFile  # noqa: PLC0415 - see above
    from pyiceberg.table import StaticTable  # noqa: PLC0415 - see above

    from contractwatch.engines.tables.iceberg_files import KnownFiles  # noqa: PLC0415 - as above

    files = KnownFiles(known, remote)
    return StaticTable(
        identifier=("static", location),
        metadata=FromInputFile.table_metadata(files.new_input(location)),
        metadata_location=location,
        io=files,
        catalog=NoopCatalog("static"),
    )
