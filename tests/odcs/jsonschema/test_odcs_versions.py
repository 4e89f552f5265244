"""Versions of ODCS that are not written in full."""

import pytest

from contractwatch.errors import ContractError
from contractwatch.odcs.load import parse_contract, parse_valid_part

HEAD = "kind: DataContract\nid: a\nname: a\nversion: 1.0.0\nstatus: active\n"


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("3.1.0", "v3.1.0"),
        ("'3.0.2'", "v3.0.2"),
        ("V3.2.0", "v3.2.0"),
        ("v3.1", "v3.1.0"),
        ("3.1", "v3.1.0"),
        ("3.0", "v3.0.2"),
        ("'3.2'", "v3.2.0"),
        ("3.9.1", "v3.9.1"),
    ],
)
def test_a_version_that_is_not_written_in_full_is_read_and_told(written: str, version: str) -> None:
    text = f"apiVersion: {written}\n{HEAD}"
    contract, problems = parse_contract(text.encode(), "a.yaml")
    assert contract.api_version == version
    shown = written.strip("'")
    assert problems[0].message == f"'{shown}' is read as {version}; write 'apiVersion: {version}'"
    assert {one.level.value for one in problems} == {"warning"}


@pytest.mark.parametrize("written", ["2.2.2", "v4.0.0", "'3'", "3.x", "three", "true", "~"])
def test_what_is_no_version_3_is_still_refused(written: str) -> None:
    text = f"apiVersion: {written}\n{HEAD}"
    with pytest.raises(ContractError):
        parse_valid_part(text.encode(), "a.yaml")
