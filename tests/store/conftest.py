"""Fixtures: a store on a real file, closed when the test ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contractwatch.store.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/record.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()
