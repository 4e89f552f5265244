"""When the job of this process ends, set by whoever runs the reader."""

from contextvars import ContextVar

JOB_ENDS: ContextVar[float] = ContextVar("job_ends", default=0.0)
"""Monotonic time at which the job is given up; 0 if there is no deadline."""
