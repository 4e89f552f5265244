"""The memory that keys may take while they are shown to be distinct is told by who runs the reader.

Polars has a budget of its own, for sorts and groups, which it reads when it is imported.
"""

from contextvars import ContextVar

KEY_BYTES: ContextVar[int] = ContextVar("key_bytes", default=0)
"""Bytes for keys; 0 if there is no limit."""
