"""Test bench of the command line: contracts and data in a folder, and a call of a command."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from contractwatch.cli import main

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.2.0
status: active
domain: sales
servers:
  - server: local
    type: local
    path: orders.csv
    format: csv
schema:
  - name: orders
    properties:
      - name: id
        logicalType: integer
        required: true
        unique: true
      - name: state
        logicalType: string
        quality:
          - id: few_nulls
            metric: nullValues
            mustBe: 0
            severity: warning
"""

GOOD = "id,state\n1,open\n2,closed\n"
BAD = "id,state\n1,open\n1,closed\n"
NULLS = "id,state\n1,open\n2,\n"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def call(*words: str | Path) -> Ended:
    """Run the command line in this process."""
    out, err, kept = StringIO(), StringIO(), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = out, err
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout, sys.stderr = kept
    return Ended(code, out.getvalue(), err.getvalue())


def publish(folder: Path, data: str = GOOD, *, edit: Callable[[str], str] = str) -> Path:
    """Write a contract and its data; return the contract's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orders.csv").write_text(data)
    path = folder / "orders.odcs.yaml"
    path.write_text(edit(CONTRACT))
    return path
