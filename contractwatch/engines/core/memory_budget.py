"""Memory budget of a uniqueness check, set by whoever runs the reader.

Polars has a separate budget for sorts and groups, which it reads when it is imported.
"""

from contextvars import ContextVar

KEY_BYTES: ContextVar[int] = ContextVar("key_bytes", default=0)
"""Bytes for keys; 0 if there is no limit."""
