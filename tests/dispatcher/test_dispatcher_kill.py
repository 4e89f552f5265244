"""Tests of durability with processes that are killed; the short form of `make bench-kill`."""

from pathlib import Path

import pytest

from benchmarks.kill import run


@pytest.mark.slow
def test_sigkill_at_random_points_loses_nothing_and_repeats_keep_their_key(tmp_path: Path) -> None:
    result = run(tmp_path, incidents=30, kills=6, seed=20_261_122)
    assert result.kills == 6
    assert result.holds, result
    assert result.taken == 60 + result.repeated
