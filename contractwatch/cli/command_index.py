"""Index of the commands: module and summary of each, readable without an import."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """The module of a command, and its one-line summary."""

    module: str
    summary: str


COMMANDS: Mapping[str, Entry] = {
    "test": Entry(
        "contractwatch.cli.commands.test", "Run contracts against their data, now and here."
    ),
    "lint": Entry(
        "contractwatch.cli.commands.lint", "Say everything that is wrong in contract files."
    ),
    "export": Entry(
        "contractwatch.cli.commands.export", "Write a contract in another tool's format."
    ),
    "run": Entry(
        "contractwatch.cli.commands.run", "Run the agent: schedule, record, pages, messages."
    ),
    "status": Entry("contractwatch.cli.commands.status", "Show every product and its state."),
    "trust": Entry("contractwatch.cli.commands.trust", "Explain a product's trust score."),
    "gate": Entry(
        "contractwatch.cli.commands.gate", "Decide for a pipeline whether a product may be used."
    ),
    "notify-test": Entry(
        "contractwatch.cli.commands.notify_test", "Send a receiver one test message."
    ),
    "demo": Entry("contractwatch.cli.commands.demo", "Watch the main job on real flights data."),
}
