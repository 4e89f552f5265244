"""Configure logging to stderr, as lines for people or as JSON."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict

from contractwatch.display import visible

_LONGEST = 2_000
_UNCUT_FIELDS = frozenset({"stack", "exception"})
"""Where our own code stands in an error: as long as it is."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logging(log_format: str, level: str) -> None:
    """Send the agent's events, and warnings of the libraries, to stderr.

    Args:
        log_format: `console` or `json`.
        level: `debug`, `info`, `warning` or `error`.
    """
    shared: list[Any] = [
        _bounded,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format == "json":
        renderer: Any = structlog.processors.JSONRenderer()
        shared.append(structlog.processors.format_exc_info)
    else:
        shared.append(_visible)
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # What it says about skipped ticks and failed jobs is counted and told by our own listener.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


def _bounded(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Cut each text of an event, so that a line of the log has a bounded length."""
    return {
        name: _cut(value) if name not in _UNCUT_FIELDS else value for name, value in event.items()
    }


def _cut(value: object) -> object:
    if not isinstance(value, str) or len(value) <= _LONGEST:
        return value
    return f"{value[:_LONGEST]}... ({len(value):,} characters)"


def _visible(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape what moves the cursor of a terminal; JSON has escapes of its own."""
    return {
        name: visible(value, keep="\n\t") if isinstance(value, str) else value
        for name, value in event.items()
    }
