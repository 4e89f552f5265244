"""Writes Delta logs with what the library reads and does not write."""

import json
import struct
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pyroaring import BitMap

arrow: Any = import_module("pyarrow")
files: Any = import_module("pyarrow.parquet")


def in_sidecars(folder: Path, named: str, *, as_parquet: bool) -> None:
    """Move what a table of one commit adds into a sidecar, and its log into a checkpoint."""
    log = folder / "_delta_log"
    (commit,) = log.glob("*.json")
    written = [json.loads(line) for line in commit.read_text().splitlines()]
    added = [one["add"] for one in written if "add" in one]
    kind = arrow.struct(
        [
            ("path", arrow.string()),
            ("partitionValues", arrow.map_(arrow.string(), arrow.string())),
            ("size", arrow.int64()),
            ("modificationTime", arrow.int64()),
            ("dataChange", arrow.bool_()),
        ]
    )
    rows = [{**one, "partitionValues": list(one["partitionValues"].items())} for one in added]
    (log / "_sidecars").mkdir()
    sidecar = log / "_sidecars" / "side.parquet"
    files.write_table(arrow.table({"add": arrow.array(rows, type=kind)}), sidecar)
    features = {"readerFeatures": ["v2Checkpoint"], "writerFeatures": ["v2Checkpoint"]}
    top: list[dict[str, Any]] = [
        {"checkpointMetadata": {"version": 0}},
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
        *(one for one in written if "metaData" in one),
        {"sidecar": {"path": named, "sizeInBytes": sidecar.stat().st_size, "modificationTime": 1}},
    ]
    name = f"{0:020}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11"
    if as_parquet:
        for one in top:
            one.get("metaData", {}).update(configuration=[], format={"provider": "parquet"})
        keys = [key for one in top for key in one]
        rows = [{key: one.get(key) for key in keys} for one in top]
        files.write_table(arrow.Table.from_pylist(rows), log / f"{name}.parquet")
    else:
        (log / f"{name}.json").write_text("".join(json.dumps(one) + "\n" for one in top))
    commit.unlink()
    (log / f"{1:020}.json").write_text('{"commitInfo": {"timestamp": 1700000000000}}\n')


def z85(data: bytes) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    written = ""
    for at in range(0, len(data), 4):
        left, five = int.from_bytes(data[at : at + 4].ljust(4, b"\0"), "big"), ""
        for _ in range(5):
            five, left = digits[left % 85] + five, left // 85
        written += five
    return written


def bitmap(rows: Sequence[int]) -> bytes:
    """Return deleted rows as the protocol writes them: a magic number and one bitmap of 32 bits."""
    return struct.pack("<IQI", 1681511377, 1, 0) + BitMap(rows).serialize()


def inline(rows: Sequence[int]) -> dict[str, Any]:
    data = bitmap(rows)
    length = {"sizeInBytes": len(data), "cardinality": len(rows)}
    return {"storageType": "i", "pathOrInlineDv": z85(data), **length}


def written_schema(fields: Mapping[str, tuple[str, str]], mode: str) -> dict[str, Any]:
    return {
        "type": "struct",
        "fields": [
            {
                "name": name,
                "type": kind,
                "nullable": True,
                "metadata": {
                    "delta.columnMapping.id": at,
                    "delta.columnMapping.physicalName": stored,
                }
                if mode != "none"
                else {},
            }
            for at, (name, (kind, stored)) in enumerate(fields.items(), 1)
        ],
    }


def by_hand(
    folder: Path,
    fields: Mapping[str, tuple[str, str]],
    added: Sequence[Mapping[str, Any]],
    *,
    features: Sequence[str] = (),
    mode: str = "none",
    partitions: Sequence[str] = (),
) -> None:
    """Write a log: fields are name -> (type, name in the files)."""
    (folder / "_delta_log").mkdir(parents=True)
    configuration = {"delta.columnMapping.mode": mode, "delta.columnMapping.maxColumnId": "9"}
    actions: list[Mapping[str, Any]] = [
        {"commitInfo": {"timestamp": 1700000000000, "operation": "WRITE"}},
        {
            "protocol": {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": list(features),
                "writerFeatures": list(features),
            }
        },
        {
            "metaData": {
                "id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps(written_schema(fields, mode)),
                "partitionColumns": list(partitions),
                "configuration": configuration if mode != "none" else {},
                "createdTime": 1700000000000,
            }
        },
    ]
    plain: dict[str, Any] = {"partitionValues": {}, "size": 1, "modificationTime": 1700000000000}
    actions += [{"add": {**plain, "dataChange": True, **each}} for each in added]
    log = folder / "_delta_log" / f"{0:020}.json"
    log.write_text("".join(json.dumps(action) + "\n" for action in actions))
