"""Cached answers about the files of a table, kept with the run for the next one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CachedTable:
    """What the files of one table answered, as bytes that only the engine's room can read."""

    table: str
    content: bytes
