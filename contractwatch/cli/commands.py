"""The index of commands: the module and the summary of each, readable without importing one."""

from collections.abc import Mapping

from contractwatch.model.frozen import frozen


@frozen
class Entry:
    """The module of a command, and what it does in one line."""

    module: str
    summary: str


COMMANDS: Mapping[str, Entry] = {
    "test": Entry("contractwatch.cli.test", "Run contracts against their data, now and here."),
    "lint": Entry("contractwatch.cli.lint", "Say everything that is wrong in contract files."),
    "export": Entry("contractwatch.cli.export", "Write a contract in another tool's form."),
    "run": Entry("contractwatch.cli.run", "Run the agent: schedule, record, pages, messages."),
    "status": Entry("contractwatch.cli.status", "Show every product and its state."),
    "trust": Entry("contractwatch.cli.trust", "Explain a product's trust score."),
    "gate": Entry("contractwatch.cli.gate", "Decide for a pipeline whether a product may be used."),
    "notify-test": Entry("contractwatch.cli.notify_test", "Send a receiver one test message."),
    "demo": Entry("contractwatch.cli.demo", "Watch the main job on real flights data."),
}
