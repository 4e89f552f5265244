"""The command line: an index of commands, each imported when it is called, and one error boundary.

Exit codes that all commands share: 2 when contractwatch could not do what was asked, 64 when it was
asked wrongly. Each command's help says its own.
"""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from contractwatch import __version__
from contractwatch.cli.plain_words import plain_call
from contractwatch.cli.usage_words import in_our_voice, no_such_command
from contractwatch.errors import ContractwatchError, SettingsError, UsageError
from contractwatch.model.frozen import frozen

EXIT_FAILURE = 2
EXIT_USAGE = 64
_EXIT_INTERRUPTED = 130
_LINES_SHOWN = 20
_CONTEXT = {"max_content_width": 100, "help_option_names": ["--help", "-h"]}


@frozen
class Entry:
    """Where a command is, and what it does in one line: shown without importing it."""

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


class LazyGroup(TyperGroup):
    """A group whose commands are known by name and summary, and imported when one is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        return entry and TyperCommand(name=cmd_name, help=entry.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(no_such_command(args[0], COMMANDS))
        name, known, rest = super().resolve_command(ctx, args)
        return name, known and _load(str(name)), rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Args:
        arguments: Words after the command's name; None takes those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(given))


def _run(given: list[str]) -> int:
    words = [word for word in given if word != "--debug"] or ["--help"]
    try:
        return _call(words) or 0
    except typer.Abort:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        return _tell(error)


def _call(words: list[str]) -> int | None:
    entry = COMMANDS.get(words[0])
    if entry is not None:
        command = import_module(entry.module).command
        arguments = plain_call(command, words[1:])
        if arguments is not None:
            try:
                return command(**arguments)
            except typer.Exit as end:
                return end.exit_code
    return _group()(words, prog_name="contractwatch", standalone_mode=False)


def _group() -> Any:
    app = typer.Typer(
        cls=LazyGroup,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_CONTEXT,
        epilog="Example: contractwatch test contracts/",
    )
    app.callback()(_options)
    return typer.main.get_command(app)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if asked:
        typer.echo(f"contractwatch {__version__}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and end.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the stack of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Keep the record of kept and broken data promises."""


def _load(name: str) -> Any:
    module = import_module(COMMANDS[name].module)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name=name, context_settings=_CONTEXT)(module.command)
    return typer.main.get_command(app)


def _tell(error: Exception) -> int:
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "contractwatch"
        _say(f"{path}: {in_our_voice(error.format_message())}")
        _say(f"try '{path} --help'")
        return EXIT_USAGE
    if isinstance(error, ContractwatchError):
        lines = str(error).splitlines()
        for line in lines[:_LINES_SHOWN]:
            _say(line)
        if len(lines) > _LINES_SHOWN:
            _say(f"and {len(lines) - _LINES_SHOWN} more")
        return EXIT_USAGE if isinstance(error, UsageError | SettingsError) else EXIT_FAILURE
    if isinstance(error, OSError) and error.filename:
        _say(f"{error.filename}: {error.strerror}")
        return EXIT_FAILURE
    # The message of an unexpected error may hold values of the data: only --debug shows it.
    _say(f"unexpected {type(error).__name__}; run it again with --debug to see where")
    return EXIT_FAILURE


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
