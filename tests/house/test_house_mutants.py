"""The mutants that are listed as equal are changes of code that exists."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EQUAL: list[dict[str, str]] = yaml.safe_load(
    (ROOT / "benchmarks" / "equal_mutants.yaml").read_text(encoding="utf8")
)


@pytest.mark.parametrize("entry", EQUAL, ids=lambda one: f"{one['module']}.{one['function']}")
def test_an_equal_mutant_is_a_change_of_a_line_that_exists(entry: Mapping[str, str]) -> None:
    module = ROOT / (entry["module"].replace(".", "/") + ".py")
    source = module.read_text(encoding="utf8")
    assert f"def {entry['function'].rpartition('.')[2]}(" in source
    lines = {line.strip() for line in source.splitlines()}
    assert {line.strip() for line in entry["before"].splitlines() if line.strip()} <= lines
    assert entry["before"] != entry["after"]
    assert entry["reason"]
