"""The options of `contractwatch test`, each with the words that its help says."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

from contractwatch.cli.findings import FailOn
from contractwatch.cli.parameters import Argument, Option
from contractwatch.cli.reports import Format
from contractwatch.model.clause import Dimension

MOST_SAMPLES = 100


class Trusted(StrEnum):
    """What answers may rest on."""

    METADATA = "metadata"
    SCAN = "scan"


Places: TypeAlias = Annotated[
    list[Path], Argument(metavar="FILE|DIR...", help="Contracts, or folders of them.")
]
ServerName: TypeAlias = Annotated[
    str, Option(metavar="NAME|all", help="Run on this server only; on all by default.")
]
Environment: TypeAlias = Annotated[
    str, Option(metavar="ENV", help="Run on the servers of this environment only.")
]
QualityIds: TypeAlias = Annotated[
    list[str] | None,
    Option("--quality-id", metavar="ID", help="Judge this quality rule; may be repeated."),
]
Tag: TypeAlias = Annotated[
    str,
    Option(metavar="TAG", help="Judge what has this tag: contract, table, column or rule."),
]
OneDimension: TypeAlias = Annotated[
    Dimension | None, Option(help="Judge the promises of this quality dimension.")
]
Checks: TypeAlias = Annotated[
    str,
    Option(metavar="schema,quality,sla,custom", help="Judge these parts of the contracts."),
]
MetadataOnly: TypeAlias = Annotated[
    bool, Option("--metadata-only", help="Judge what needs no row; skip the rest.")
]
SchemaName: TypeAlias = Annotated[
    str, Option(metavar="TABLE", help="Judge the promises about this table.")
]
Filter: TypeAlias = Annotated[
    str,
    Option("--filter", metavar="PREDICATE", help="Judge these rows of the only table."),
]
Filters: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--filters",
        metavar="TABLE=PREDICATE",
        help="Judge these rows of this table, in SQL rules, too; may be repeated.",
    ),
]
AllowedNames: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--allow-env",
        metavar="NAME",
        help="Let contracts use ${NAME} of the environment; may be repeated.",
    ),
]
LeastEvidence: TypeAlias = Annotated[
    Trusted,
    Option(
        help="What answers may rest on: with `scan` every value is read, whatever files say.",
    ),
]
StateDir: TypeAlias = Annotated[
    Path | None,
    Option(
        "--state-dir",
        metavar="DIR",
        help="Keep there what each file answered, and read only new and changed files next time.",
    ),
]
Form: TypeAlias = Annotated[
    Format, Option("--format", help="How the results are told (docs/results.md).")
]
Output: TypeAlias = Annotated[
    Path | None, Option(metavar="FILE", help="Write there; by default to the terminal.")
]
FailOnOption: TypeAlias = Annotated[
    FailOn, Option(help="The least bad outcome that ends with exit code 1.")
]
ShowAll: TypeAlias = Annotated[
    bool, Option("--all", help="Text, SARIF, Markdown: list each passed check, too.")
]
SampleCount: TypeAlias = Annotated[
    int,
    Option(
        "--samples",
        metavar="N",
        min=0,
        max=MOST_SAMPLES,
        help="Text, JSON: show up to N rows of a failed check, by their primary keys.",
    ),
]
SampleColumns: TypeAlias = Annotated[
    str, Option(metavar="COLUMN,...", help="Show these columns of the rows, too.")
]
Deadline: TypeAlias = Annotated[
    int, Option(metavar="SECONDS", min=1, help="Let reading take so long, a contract.")
]
MemoryMegabytes: TypeAlias = Annotated[
    int,
    Option(
        "--memory-mb",
        metavar="N",
        min=256,
        help="Let reading hold so many megabytes; else four fifths of what is free.",
        show_default=False,
    ),
]
