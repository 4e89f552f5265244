"""Set up the demo's folder, with contracts whose hours last two seconds."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from contractwatch.errors import UsageError

HOUR = timedelta(seconds=2)

# The promises in demo time: four hours are eight seconds, and a quarter of an hour is one.
_IN_DEMO_TIME = (
    ("value: 4, unit: h", "value: 8, unit: s"),
    ("interval: PT15M", "interval: PT1S"),
)


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Paths of the demo's files."""

    folder: Path

    @property
    def contracts(self) -> Path:
        """The contracts that the agent runs."""
        return self.folder / "contracts"

    @property
    def live(self) -> Path:
        """The outputs that the domain teams publish."""
        return self.folder / "live"

    @property
    def settings(self) -> Path:
        """The agent's settings."""
        return self.folder / "contractwatch.toml"

    @property
    def log(self) -> Path:
        """The agent's log."""
        return self.folder / "agent.log"


def create_demo_folder(folder: Path, *, port: int, inbox_port: int) -> DemoFolder:
    """Copy the flights contracts into `folder`, in demo time, and write the agent's settings.

    Raises:
        UsageError: If the contracts are not where this version keeps them.
    """
    demo = DemoFolder(folder)
    demo.contracts.mkdir(parents=True)
    demo.live.mkdir()
    for source in sorted(_flights_contracts().glob("*.odcs.yaml")):
        text = source.read_text(encoding="utf-8")
        for promised, in_demo_time in _IN_DEMO_TIME:
            text = text.replace(promised, in_demo_time)
        (demo.contracts / source.name).write_text(text, encoding="utf-8")
    demo.settings.write_text(_settings(port, inbox_port), encoding="utf-8")
    return demo


def remove_demo_folder(demo: DemoFolder) -> None:
    """Remove everything the demo wrote."""
    shutil.rmtree(demo.folder, ignore_errors=True)


def _flights_contracts() -> Path:
    here = Path(__file__).resolve().parent
    for folder in (here / "contracts" / "flights", here.parents[1] / "contracts" / "flights"):
        if folder.is_dir():
            return folder
    raise UsageError("the demo's contracts (contracts/flights) are missing from this installation")


def _settings(port: int, inbox_port: int) -> str:
    return f"""\
contracts = ["contracts"]
roots = ["live"]
store_url = "sqlite:///record.db"
host = "127.0.0.1"
port = {port}
reprobe_seconds = 1
shortest_interval_seconds = 1
heartbeat_seconds = 1

[alerts]
default = ["inbox"]

[receivers.inbox]
kind = "webhook"
url = "http://127.0.0.1:{inbox_port}/"
allow_private = true
"""
