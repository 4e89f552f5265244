"""Tests of the rules of the code: no import cycle, one clock, no registry address."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "contractwatch"
FILES = sorted(
    path
    for top in ("contractwatch", "tests", "benchmarks", "grafana")
    for path in (ROOT / top).rglob("*.py")
    if "versions" not in path.parts and ROOT / "benchmarks" / "data" not in path.parents
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_import_breaks_a_circle_by_hiding_it() -> None:
    guarded = [_name(path) for path in FILES if "TYPE_CHECKING" in path.read_text()]
    assert guarded == [_name(Path(__file__).resolve())]


def test_only_the_composition_root_and_the_shell_read_clock_and_environment() -> None:
    asking = re.compile(r"datetime\.now\(|time\.sleep\(|os\.environ|uuid4\(")
    allowed = {"agent", "scan", "app.py", "settings.py"}
    found = {
        _name(path)
        for path in PACKAGE.rglob("*.py")
        if asking.search(path.read_text()) and path.relative_to(PACKAGE).parts[0] not in allowed
    }
    assert found <= CLOCKS_OUTSIDE


CLOCKS_OUTSIDE = {
    "contractwatch/demo/replay.py",  # the demo lives in real time: it publishes, waits and kills
    "contractwatch/demo/agent_process.py",
    "contractwatch/engines/formats/parquet_annotations.py",  # a setting of Polars
}


def test_no_tracked_file_names_a_registry_or_a_path_of_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    banned = re.compile("pypi" + r"\.org|python" + "hosted|npm" + r"js\.|/wo" + "rk/")
    naming = [
        name
        for name in listed.split("\0")
        if name
        and (ROOT / name).is_file()
        and banned.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert naming == []


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pins = re.findall(r"^[a-z0-9][^\s]*==[^\s]+", lock, re.MULTILINE)
    assert pins
    assert lock.count("--hash=sha256:") >= len(pins)
