"""Labels that parts of a contract are selected by: ids of rules, and tags."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """Labels of a table, a column or a rule, by which its promises can be selected.

    `path` is its place in the document.

    `rule_id` is empty but for rules; a rule without an id has 8 hex digits of its hash. `column` is
    the contract name, with `.` and `[]` for nested ones; None for the table itself.
    `by_engine` marks a rule that a named engine runs (ODCS type `custom`).
    """

    path: str
    table: str
    column: str | None = None
    rule_id: str = ""
    tags: tuple[str, ...] = ()
    by_engine: bool = False

    def covers(self, path: str) -> bool:
        """Return whether a place of the document is this one or below it."""
        return path == self.path or path.startswith((f"{self.path}.", f"{self.path}["))
