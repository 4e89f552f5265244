"""Writes position and equality deletes, which the library reads and does not write."""

import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.typedef import Record

_PATH, _PLACE = 2147483546, 2147483545
"""The ids of the fields of a position delete file."""

arrow: Any = import_module("pyarrow")
files: Any = import_module("pyarrow.parquet")


class _Deletes(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def delete_rows(
    table: Any,
    places: Sequence[int],
    *,
    content: DataFileContent = DataFileContent.POSITION_DELETES,
    bounded: bool = True,
) -> None:
    """Add a snapshot that deletes rows of the only file; bounds say that it is the only one."""
    path = next(iter(table.scan().plan_files())).file.file_path
    top = table.location()
    written = f"{top}/data/deletes.parquet"
    with table.io.new_output(written).create() as output:
        files.write_table(_deleted(path, places), output)
    parent = table.current_snapshot()
    number = parent.snapshot_id + 1
    bounds = {_PATH: path.encode()} if bounded else None
    entry = DataFile.from_args(
        content=content,
        file_path=written,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(places),
        file_size_in_bytes=len(table.io.new_input(written)),
        lower_bounds=bounds,
        upper_bounds=bounds,
        equality_ids=[1] if content == DataFileContent.EQUALITY_DELETES else None,
    )
    listing = f"{top}/metadata/snap-deletes.avro"
    manifest = table.io.new_output(f"{top}/metadata/deletes.avro")
    with _Deletes(table.spec(), table.schema(), manifest, number, "null") as writer:
        added = ManifestEntryStatus.ADDED
        writer.add(ManifestEntry.from_args(status=added, snapshot_id=number, data_file=entry))
    output = table.io.new_output(listing)
    with write_manifest_list(2, output, number, parent.snapshot_id, 9, "null") as manifests:
        manifests.add_manifests([*parent.manifests(table.io), writer.to_manifest_file()])
    _commit(table, number, listing)


def _deleted(path: str, places: Sequence[int]) -> Any:
    schema = arrow.schema(
        [
            arrow.field(name, kind, nullable=False, metadata={"PARQUET:field_id": str(field)})
            for name, kind, field in (
                ("file_path", arrow.string(), _PATH),
                ("pos", arrow.int64(), _PLACE),
            )
        ]
    )
    return arrow.table({"file_path": [path] * len(places), "pos": places}, schema=schema)


def _commit(table: Any, number: int, listing: str) -> None:
    with table.io.new_input(table.metadata_location).open() as newest:
        written = json.loads(newest.read())
    last = written["snapshots"][-1]
    written["snapshots"].append(
        {
            **last,
            "snapshot-id": number,
            "parent-snapshot-id": last["snapshot-id"],
            "sequence-number": 9,
            "manifest-list": listing,
            "summary": {"operation": "delete"},
        }
    )
    written["current-snapshot-id"] = written["refs"]["main"]["snapshot-id"] = number
    written["last-sequence-number"] = 9
    named = f"{table.location()}/metadata/00099-deletes.metadata.json"
    with table.io.new_output(named).create() as output:
        output.write(json.dumps(written).encode())
