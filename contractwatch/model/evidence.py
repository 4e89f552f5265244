"""Every answer names what it rests on."""

from enum import StrEnum


class Evidence(StrEnum):
    """What an answer rests on.

    METADATA: what the files say of themselves (columns, row count, statistics); rows were read only
    where that left the answer open. SCAN: every value was read. STATE: what an earlier run kept.
    """

    METADATA = "metadata"
    SCAN = "scan"
    STATE = "state"
