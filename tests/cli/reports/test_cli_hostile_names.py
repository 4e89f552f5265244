"""Tests that names of a contract and of its data are escaped in every report format."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli_values import call

CONTRACT = r"""
apiVersion: v3.1.0
kind: DataContract
id: "x\e[31m"
name: "evil::error file=a::pwned<script>alert(1)<script>|`[x](http:e)"
version: "1.0.0\n::error::pwned"
status: "\e[31m\n::error::pwned"
domain: "::error::d"
servers:
  - {server: "lo\ncal\e[2J", type: local, path: "t.csv", format: csv}
schema:
  - name: "::error::t"
    description: "t\e]0;title\a\n::error::pwned"
    physicalName: t
    quality:
      - {id: q, type: sql, query: "SELECT 1", mustBe: 2, description: "\n::error::pwned <b>&|"}
      - {id: p, type: text, description: "text\n::error::pwned\e[1m"}
    properties:
      - {name: "a\e[1m\n::error::pwned\u2028\u202e", logicalType: integer, required: true}
      - {name: "b", logicalType: "integer"EXTRA}
slaProperties: [{property: "late\e[1mncy\n::error::pwned", value: 1, unit: d}]
"""
MOVES = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufffe]")


@pytest.mark.parametrize("extra", ["", ', unknown: "\\e[31m\\n::error::pwned"'])
@pytest.mark.parametrize("form", ["text", "json", "junit", "github", "sarif", "markdown", "lint"])
def test_no_word_of_a_contract_is_a_command(tmp_path: Path, form: str, extra: str) -> None:
    path = tmp_path / "evil.odcs.yaml"
    path.write_text(CONTRACT.replace("EXTRA", extra))
    (tmp_path / "t.csv").write_bytes(b"a\x1b[31m,b\n1,x\n")
    words = ("lint", path) if form == "lint" else ("test", path, "--format", form)
    ended = call(*words)
    assert ended.out
    for told in (ended.out, ended.err):
        assert not MOVES.search(told)
        assert not any(line.strip().startswith("::error::") for line in told.splitlines())
    if form == "junit":
        ElementTree.fromstring(ended.out)
        assert "<script>" not in ended.out
    if form == "markdown":
        assert "<script>" not in ended.out
        assert "[x](" not in ended.out
