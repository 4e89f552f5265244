"""Reading `contractwatch.incremental`, with the time zones of its column and contract."""

from datetime import timedelta
from typing import Any

import yaml

from contractwatch.errors import Problem
from contractwatch.model.contract.incremental import Incremental, IncrementalMode
from contractwatch.odcs.load import parse_contract


def read(value: dict[str, Any], column: dict[str, Any], **root: Any) -> tuple[Any, list[str]]:
    table = {
        "name": "t",
        "properties": [column],
        "customProperties": [{"property": "contractwatch.incremental", "value": value}],
    }
    document = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "i", "name": "n", "version": "1.0.0",
        "status": "active", "schema": [table], **root,
    }  # fmt: skip
    contract, problems = parse_contract(yaml.safe_dump(document).encode(), "c.yaml")
    return contract.tables[0].incremental, [_words(problem) for problem in problems]


def _words(problem: Problem) -> str:
    return str(problem.message)


def test_a_window_is_read_with_the_zones_of_its_column_and_its_schedule() -> None:
    schedule = {"cron": "0 * * * *", "timezone": "Asia/Tokyo"}
    found, problems = read(
        {"column": "at", "mode": "partition", "lookback": "P3D", "fullScan": "0 3 * * 0"},
        {
            "name": "at",
            "physicalName": "AT",
            "logicalType": "timestamp",
            "logicalTypeOptions": {"defaultTimezone": "Europe/Berlin"},
        },
        customProperties=[{"property": "contractwatch.schedule", "value": schedule}],
    )
    assert problems == []
    assert found == Incremental(
        "AT", IncrementalMode.PARTITION, timedelta(days=3), "Europe/Berlin", "0 3 * * 0",
        "Asia/Tokyo",
    )  # fmt: skip


def test_without_them_there_is_no_lookback_and_no_full_scan_and_the_zone_is_utc() -> None:
    found, _ = read({"column": "id", "mode": "watermark"}, {"name": "id", "logicalType": "integer"})
    assert found == Incremental("id", IncrementalMode.WATERMARK)


def test_a_column_that_cannot_tell_is_a_warning_and_all_rows_are_read() -> None:
    value = {"column": "name", "mode": "watermark"}
    found, problems = read(value, {"name": "name", "logicalType": "string"})
    assert found.unusable.startswith("column 'name' is of type string; expected a date")
    assert problems == [f"all rows are read: {found.unusable}"]


def test_a_number_does_not_look_back() -> None:
    value = {"column": "id", "mode": "watermark", "lookback": "P3D", "fullScan": "0 3 * * 0"}
    found, problems = read(value, {"name": "id", "logicalType": "integer"})
    assert (found.unusable, found.lookback) == ("", timedelta(0))
    assert problems == ["a number has no time to look back; expected none, it is not used"]
