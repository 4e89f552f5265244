"""Serialize the per-file cache as compressed JSON; what cannot be read back is a miss.

A question's digest is written once.
"""

from collections.abc import Mapping
from typing import Any

from contractwatch.engines.cache.answer_values import (
    DAMAGES,
    compressed,
    expanded,
    read_answer,
    read_columns,
    read_hits,
    written_answer,
    written_columns,
    written_hits,
    written_repeats,
)
from contractwatch.engines.cache.file_answers import CachedFile, FileGroup, KeyGroup, TableAnswers
from contractwatch.model.measure.state import DuplicateCounts


def serialized(states: TableAnswers, context: str) -> bytes:
    """Return the answers of a table as bytes, or none if they take too many."""
    questions = sorted({one for bundle in states.bundles for one in bundle.answers})
    shapes = sorted({file.shape for bundle in states.bundles for file in bundle.files})
    return compressed(
        {
            "context": context,
            "columns": written_columns(states.columns),
            "questions": questions,
            "shapes": shapes,
            "bundles": [
                [
                    [[file.path, file.stamp, shapes.index(file.shape)] for file in bundle.files],
                    [written_answer(bundle.answers.get(question)) for question in questions],
                ]
                for bundle in states.bundles
            ],
            "groups": {
                question: [
                    [sorted(one.bundles), written_repeats(one.repeats), int(one.shrunk)]
                    for one in groups
                ]
                for question, groups in states.groups.items()
            },
            "whole": {question: written_hits(found) for question, found in states.whole.items()},
        }
    )


def deserialized(content: bytes, context: str) -> TableAnswers | None:
    """Return what `serialized` wrote, or None if it is of another context or damaged."""
    try:
        read = expanded(content)
        return _states(read) if read["context"] == context else None
    except DAMAGES:
        return None


def _states(read: Mapping[str, Any]) -> TableAnswers:
    questions: list[str] = read["questions"]
    shapes: list[str] = read["shapes"]
    bundles = tuple(
        FileGroup(
            tuple(_file(shapes, *file) for file in files),
            {
                question: read_answer(answer)
                for question, answer in zip(questions, answers, strict=True)
                if answer is not None
            },
        )
        for files, answers in read["bundles"]
    )
    groups = {
        question: tuple(_group(*group) for group in found)
        for question, found in read["groups"].items()
    }
    whole = {question: read_hits(found) for question, found in read["whole"].items()}
    return TableAnswers(read_columns(read["columns"]), bundles, groups, whole)


def _file(shapes: list[str], path: str, stamp: str, shape: int) -> CachedFile:
    return CachedFile(path, stamp, shapes[shape])


def _group(places: list[int], repeats: list[int], shrunk: int) -> KeyGroup:
    return KeyGroup(frozenset(places), DuplicateCounts(*repeats), bool(shrunk))
