"""Index of the report formats; each file has one function, `render(report)`.

`words` is what the files share.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from importlib import import_module
from typing import TypeAlias, cast

from contractwatch.cli.reports.findings import Report

Render: TypeAlias = Callable[[Report], str]
"""Returns the whole document, with a line break at its end; the same for the same report."""


class ReportFormat(StrEnum):
    """Output format of a report."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"
    SARIF = "sarif"
    MARKDOWN = "markdown"


REPORTS: Mapping[ReportFormat, str] = {
    ReportFormat.TEXT: "text",
    ReportFormat.JSON: "json_document",
    ReportFormat.JUNIT: "junit",
    ReportFormat.GITHUB: "github",
    ReportFormat.SARIF: "sarif",
    ReportFormat.MARKDOWN: "markdown",
}
"""The file of each form; imported when it is asked for, because text needs a slow library."""


def render(form: ReportFormat, report: Report) -> str:
    """Return the report in one form."""
    module = import_module(f"{__name__}.{REPORTS[form]}")
    return cast("Render", module.render)(report)
