"""Cached answers about the files of a table, kept with the run for the next one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CachedTable:
    """Cached answers about the files of one table, as bytes that `engines.cache` reads."""

    table: str
    content: bytes
