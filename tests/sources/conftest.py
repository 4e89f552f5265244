"""Runs the tests of tables on local folders and in a store."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from table_format_values import Opening, opened, opened_at

from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import Dataset
from tests.stores import BUCKET, Put


@pytest.fixture(params=["local", "s3"])
def opening(request: pytest.FixtureRequest) -> Opening:
    if request.param == "local":
        return opened
    put: Put = request.getfixturevalue("put")
    endpoint: str = request.getfixturevalue("moto")

    def published(
        folder: Path, data_format: DataFormat, *, tables: Sequence[str] = ("orders",)
    ) -> Dataset:
        for path in folder.rglob("*"):
            if path.is_file():
                put(f"in/a folder/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return opened_at(endpoint, f"s3://{BUCKET}/in/a folder", data_format, tables=tables)

    return published
