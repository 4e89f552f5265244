"""What a run leaves for the next one about the files that it read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptTable:
    """What the files of one table answered, as bytes that only the engine's room can read."""

    table: str
    content: bytes
