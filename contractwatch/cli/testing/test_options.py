"""The options of `contractwatch test`, with their help texts."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import click

from contractwatch.cli.reports import ReportFormat
from contractwatch.cli.reports.findings import FailOn
from contractwatch.cli.testing.isolated_process import (
    DEADLINE_SECONDS,
    LEAST_MB,
    LONGEST_DEADLINE_SECONDS,
    MOST_MB,
)
from contractwatch.cli.values import FilePath, Name, OneOf, SomeOf, Text, Whole, Words, repeated
from contractwatch.model.base.clause import Dimension
from contractwatch.selection import Topic

MOST_SAMPLES = 100


class CachePolicy(StrEnum):
    """Whether results may come from file metadata and the cache."""

    METADATA = "metadata"
    SCAN = "scan"


places_argument = click.argument(
    "places",
    metavar="FILE|DIR...",
    nargs=-1,
    required=True,
    type=FilePath(),
    help="Contracts, or folders of them.",
)

config_option = click.option(
    "--config",
    type=FilePath(),
    metavar="FILE",
    help="Settings with the connections to databases; else contractwatch.toml of this folder.",
)

_SELECTING = (
    repeated(
        "--server",
        "servers",
        kind=Name(),
        metavar="NAME,...",
        about="Run on these servers only; on all by default, or with `all`.",
    ),
    repeated(
        "--environment",
        "environments",
        kind=Name(),
        metavar="ENV,...",
        about="Run on the servers of these environments only.",
    ),
    repeated(
        "--quality-id",
        "quality_ids",
        kind=Name(),
        metavar="ID,...",
        about="Judge these quality rules.",
    ),
    repeated(
        "--tag",
        "tags",
        kind=Name(),
        metavar="TAG,...",
        about="Judge what has one of these tags: contract, table, column or rule.",
    ),
    repeated(
        "--dimension",
        "dimensions",
        kind=SomeOf(Dimension),
        metavar="DIMENSION,...",
        about=f"Judge the promises of these quality dimensions: {', '.join(Dimension)}.",
    ),
    repeated(
        "--checks",
        "topics",
        kind=SomeOf(Topic),
        metavar="PART,...",
        about=f"Judge these parts of the contracts: {', '.join(Topic)}.",
    ),
    click.option("--metadata-only", is_flag=True, help="Judge what needs no row; skip the rest."),
    repeated(
        "--schema-name",
        "tables",
        kind=Name(),
        metavar="TABLE,...",
        about="Judge the promises about these tables.",
    ),
    click.option(
        "--filter",
        "condition",
        type=Text(),
        multiple=True,
        metavar="PREDICATE",
        help="Judge these rows of the only table; several must all hold.",
    ),
    click.option(
        "--filters",
        "conditions",
        type=Text(),
        multiple=True,
        metavar="TABLE=PREDICATE",
        help="Judge these rows of this table, in SQL rules, too; may be repeated.",
    ),
)

_READING = (
    repeated(
        "--allow-env",
        "variables",
        kind=Words(),
        metavar="NAME,...",
        about="Let contracts use ${NAME} of the environment.",
    ),
    click.option(
        "--evidence",
        type=OneOf(CachePolicy),
        default=CachePolicy.METADATA.value,
        help="With `scan`, read every value; else trust what files say of themselves.",
    ),
    click.option(
        "--state-dir",
        type=FilePath(),
        metavar="DIR",
        help="Keep there what each file answered, and read only new and changed files next time.",
    ),
    click.option(
        "--deadline",
        type=Whole(min=1, max=LONGEST_DEADLINE_SECONDS),
        default=DEADLINE_SECONDS,
        metavar="SECONDS",
        help="Let reading take so long, a contract.",
    ),
    config_option,
    click.option(
        "--memory-mb",
        type=Whole(min=LEAST_MB, max=MOST_MB),
        default=None,
        metavar="N",
        help="Let reading hold so many megabytes; else four fifths of what is free.",
    ),
)

_TELLING = (
    click.option(
        "--format",
        "form",
        type=OneOf(ReportFormat),
        default=ReportFormat.TEXT.value,
        help="How the results are told (docs/results.md).",
    ),
    click.option(
        "--output",
        type=FilePath(),
        metavar="FILE",
        help="Write there; by default, or with `-`, to the terminal.",
    ),
    click.option(
        "--fail-on",
        type=OneOf(FailOn),
        default=FailOn.FAILED.value,
        help="The least bad outcome that ends with exit code 1.",
    ),
    click.option(
        "--all",
        "show_all",
        is_flag=True,
        help="Text, SARIF, Markdown: list each passed check, too.",
    ),
    click.option(
        "--samples",
        type=Whole(min=0, max=MOST_SAMPLES),
        default=0,
        metavar="N",
        help="Text, JSON: show up to N rows of a failed check, by their keys.",
    ),
    repeated(
        "--sample-columns",
        kind=Name(),
        metavar="COLUMN,...",
        about="Show these columns of the rows, too.",
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function with the options of `contractwatch test`."""
    for option in reversed((places_argument, *_SELECTING, *_READING, *_TELLING)):
        command = option(command)
    return command
