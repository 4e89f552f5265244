"""Delta logs as the protocol has them, with what the library reads and does not write."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyroaring import BitMap


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
