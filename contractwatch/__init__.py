"""The agent that keeps the record of kept and broken data promises."""

__version__ = "0.1.0"
