"""Print the oldest and the newest Python found here, of those that pyproject.toml names.

Looks on PATH and where version managers keep interpreters. One path a line, oldest first; a single
line if only one version is found. Exits with 1 if there is none.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED = "Programming Language :: Python :: 3."
KEPT_IN = (
    "~/.pyenv/versions/*/bin",
    "~/.asdf/installs/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin",
    "~/.local/share/uv/python/*/bin",
    "~/miniconda3/envs/*/bin",
    "/opt/python/*/bin",
    "/opt/hostedtoolcache/Python/*/*/bin",
    "/usr/local/bin",
    "/usr/bin",
)
WORKS = "import sys, venv, ensurepip, ssl, sqlite3; print(*sys.version_info[:3])"


def main() -> int:
    """Print what was found; the version that answers is what counts, not the name of the file."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    named = {int(one.removeprefix(NAMED)) for one in classifiers if one.startswith(NAMED)}
    found: dict[int, tuple[int, Path]] = {}
    for interpreter in candidates(named):
        version = version_of(interpreter)
        if version is not None and version[0] in named:
            minor, patch = version
            known = found.get(minor)
            if known is None or known[0] < patch:
                found[minor] = (patch, interpreter)
    for minor in sorted({min(found), max(found)} if found else ()):
        print(found[minor][1])
    return 0 if found else 1


def candidates(named: set[int]) -> Iterator[Path]:
    """Return every file that may be one of the interpreters, those on PATH first."""
    folders = [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if one]
    for pattern in KEPT_IN:
        pattern_of_folder = Path(pattern).expanduser()
        folders += sorted(Path("/").glob(str(pattern_of_folder.relative_to("/"))))
    for folder in dict.fromkeys(folders):
        for name in (*(f"python3.{minor}" for minor in sorted(named)), "python3"):
            if (folder / name).is_file():
                yield folder / name


def version_of(interpreter: Path) -> tuple[int, int] | None:
    """Return minor and patch version, or None if it does not run or cannot make an environment."""
    try:
        done = subprocess.run(
            [interpreter, "-I", "-c", WORKS], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, patch = (int(part) for part in done.stdout.split())
    return (minor, patch) if major == 3 else None


if __name__ == "__main__":
    sys.exit(main())
