"""A column without a name may be one of the primary key: the key is not judged without it."""

import pytest

from contractwatch.odcs.load import parse_valid_part

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {0}
      - {{name: day, logicalType: date, primaryKey: true, primaryKeyPosition: 2}}
"""


@pytest.mark.parametrize("column", ["{zzz: 1}", "{logicalType: string}", "{}", "{name: 7}", "7"])
def test_what_is_left_of_a_key_is_no_key(column: str) -> None:
    found = parse_valid_part(CONTRACT.format(column).encode(), "orders.yaml")
    (table,) = found[0].tables
    assert table.primary_key is None
    assert any(one.kind == "primaryKey" for one in found[0].skipped)
