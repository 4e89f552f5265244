"""Typer reads what is not plain: help, the version, short options and every mistake."""

import functools
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from contractwatch import __version__
from contractwatch.cli.commands import COMMANDS
from contractwatch.cli.parameters import Argument, Option
from contractwatch.cli.usage_words import in_our_voice, no_such_command
from contractwatch.errors import UsageError

_CONTEXT = {"max_content_width": 100, "help_option_names": ["--help", "-h"]}


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


def call_by_typer(words: list[str]) -> int | None:
    """Do what the words say and return the exit code.

    Raises:
        KeyboardInterrupt: If a person ends it.
        UsageError: If the words are wrong.
    """
    try:
        return _group()(words, prog_name="contractwatch", standalone_mode=False)
    except typer.Abort as end:
        raise KeyboardInterrupt from end
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "contractwatch"
        said = in_our_voice(error.format_message())
        raise UsageError(f"{path}: {said}\ntry '{path} --help'") from error


def for_typer(command: Callable[..., int | None]) -> Callable[..., None]:
    """Return a command as typer knows it: its parameters in typer's words, its end an exception."""

    @functools.wraps(command)
    def called(*args: Any, **kwargs: Any) -> None:
        raise typer.Exit(command(*args, **kwargs) or 0)

    signature = inspect.signature(command)
    parameters = [
        parameter.replace(annotation=_in_typers_words(parameter.annotation))
        for parameter in signature.parameters.values()
    ]
    told: Any = called
    told.__signature__ = signature.replace(parameters=parameters)
    told.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _in_typers_words(annotation: Any) -> Any:
    kind, *infos = get_args(annotation) if hasattr(annotation, "__metadata__") else [annotation]
    for info in infos:
        match info:
            case Argument():
                told = typer.Argument(metavar=info.metavar or None, help=info.help)
            case Option():
                told = typer.Option(
                    *([info.name] if info.name else []),
                    metavar=info.metavar or None,
                    help=info.help,
                    min=info.min,
                    max=info.max,
                    show_default=info.show_default,
                )
            case _:
                continue
        return Annotated[kind, told]
    return annotation


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
    app.command(name=name, context_settings=_CONTEXT)(for_typer(module.command))
    return typer.main.get_command(app)
