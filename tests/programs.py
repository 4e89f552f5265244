"""External programs that a test needs and that the package index cannot give."""

import os
import shutil
from typing import NoReturn

import pytest


def needs(program: str) -> str:
    """Return the program's path; skip the test without it, or fail where all are required."""
    path = shutil.which(program)
    if path is None:
        lacks(program)
    return path


def lacks(program: str) -> NoReturn:
    """Skip the test for want of a program, or fail where all are required."""
    reason = f"{program} is not installed here"
    if os.environ.get("CONTRACTWATCH_TEST_REQUIRE") == "all":
        pytest.fail(f"{reason}, and CONTRACTWATCH_TEST_REQUIRE=all")
    pytest.skip(reason)
