"""Serialize the per-file cache as compressed JSON; what cannot be read back is a miss.

Digests of metrics and of schemas are written once.
"""

from collections.abc import Mapping
from typing import Any

from contractwatch.engines.cache.answer_values import (
    DECODE_ERRORS,
    columns_from_json,
    columns_to_json,
    compress,
    decompress,
    file_answer_from_json,
    file_answer_to_json,
    hits_from_json,
    hits_to_json,
    repeats_to_json,
)
from contractwatch.engines.cache.file_answers import CachedFile, FileGroup, KeyGroup, TableAnswers
from contractwatch.model.measure.state import DuplicateCounts


def serialize_table(answers: TableAnswers, key: str) -> bytes:
    """Return the cached answers of a table as bytes; empty if they exceed `MAX_BYTES`."""
    digests = sorted({one for group in answers.file_groups for one in group.answers})
    schemas = sorted({file.schema_digest for group in answers.file_groups for file in group.files})
    return compress(
        {
            "key": key,
            "columns": columns_to_json(answers.columns),
            "metrics": digests,
            "schemas": schemas,
            "file_groups": [
                [
                    [
                        [file.path, file.fingerprint, schemas.index(file.schema_digest)]
                        for file in group.files
                    ],
                    [file_answer_to_json(group.answers.get(digest)) for digest in digests],
                ]
                for group in answers.file_groups
            ],
            "key_groups": {
                digest: [
                    [sorted(one.file_groups), repeats_to_json(one.repeats), int(one.is_partial)]
                    for one in groups
                ]
                for digest, groups in answers.key_groups.items()
            },
            "whole_table": {
                digest: hits_to_json(found) for digest, found in answers.whole_table.items()
            },
        }
    )


def deserialize_table(content: bytes, key: str) -> TableAnswers | None:
    """Return what `serialize_table` wrote, or None if it has another key or is damaged."""
    try:
        values = decompress(content)
        return _table_answers(values) if values["key"] == key else None
    except DECODE_ERRORS:
        return None


def _table_answers(values: Mapping[str, Any]) -> TableAnswers:
    digests: list[str] = values["metrics"]
    schemas: list[str] = values["schemas"]
    file_groups = tuple(
        FileGroup(
            tuple(_file(schemas, *file) for file in files),
            {
                digest: file_answer_from_json(answer)
                for digest, answer in zip(digests, answers, strict=True)
                if answer is not None
            },
        )
        for files, answers in values["file_groups"]
    )
    key_groups = {
        digest: tuple(_key_group(*group) for group in found)
        for digest, found in values["key_groups"].items()
    }
    whole_table = {digest: hits_from_json(found) for digest, found in values["whole_table"].items()}
    columns = columns_from_json(values["columns"])
    return TableAnswers(columns, file_groups, key_groups, whole_table)


def _file(schemas: list[str], path: str, fingerprint: str, schema: int) -> CachedFile:
    return CachedFile(path, fingerprint, schemas[schema])


def _key_group(file_groups: list[int], repeats: list[int], is_partial: int) -> KeyGroup:
    return KeyGroup(frozenset(file_groups), DuplicateCounts(*repeats), bool(is_partial))
