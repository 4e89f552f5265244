"""Parse the command line with click; a command is imported when it is called.

A command is a module with a `Command` named `command`, and a line in `commands.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from textwrap import wrap
from typing import Any, cast

import click

from contractwatch import __version__
from contractwatch.cli.command_index import COMMANDS
from contractwatch.errors import UsageError

PROGRAM = "contractwatch"

_CONTEXT = {
    "max_content_width": 100,
    "help_option_names": ["--help", "-h"],
    "show_default": True,
}


@dataclass
class Call:
    """State of one call of the command line; `debug` shows stacks of errors."""

    debug: bool = False


def call(words: list[str], this: Call) -> int:
    """Parse the words, run the command, and return the exit code.

    Raises:
        KeyboardInterrupt: If a person ends it.
        UsageError: If the words are wrong.
    """
    try:
        told = _group().main(words, prog_name=PROGRAM, standalone_mode=False, obj=this)
    except click.Abort as end:
        raise KeyboardInterrupt from end
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else PROGRAM
        raise UsageError(f"{path}: {_sentence(error)}\ntry '{path} --help'") from error
    return int(told or 0)


class _Formatter(click.HelpFormatter):
    """Formatter of help pages that never splits a word."""

    def write_text(self, text: str) -> None:
        """Write paragraphs, parted by empty lines, each wrapped anew."""
        indent = " " * self.current_indent
        paragraphs = (part.split() for part in text.split("\n\n"))
        lines = (
            "\n".join(_filled(" ".join(words), self.width, indent)) for words in paragraphs if words
        )
        self.write("\n\n".join(lines) + "\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and, beside them, what they mean; below them where the page is narrow."""
        listed = list(rows)
        gap = " " * col_spacing
        widest = min(max((len(term) for term, _ in listed), default=0), col_max, self.width // 2)
        start = " " * (self.current_indent + widest) + gap
        for term, meaning in listed:
            lines = _filled(meaning, self.width, start) or [""]
            head = " " * self.current_indent + term.ljust(widest) + gap
            if len(term) <= widest:
                self.write(f"{head}{lines.pop(0).strip()}".rstrip() + "\n")
            else:
                self.write(head.rstrip() + "\n")
            for line in lines:
                self.write(f"{line}\n")


def _filled(text: str, width: int, indent: str) -> list[str]:
    return wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


class _Context(click.Context):
    """A click context that uses our formatter."""

    formatter_class = _Formatter


class Command(click.Command):
    """A click command whose function returns the exit code; adds `--debug`."""

    context_class = _Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add `--debug` to the parameters, and have `-h` whoever asks the command."""
        super().__init__(*args, **({"context_settings": dict(_CONTEXT)} | kwargs))
        self.params.append(_debug_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; an error knows the command that it belongs to."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class _LazyGroup(click.Group):
    """A click group that imports a command when it is called."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return what stands for a command in a list; `resolve_command` imports the real one."""
        entry = COMMANDS.get(cmd_name)
        return click.Command(cmd_name, short_help=entry.summary) if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known, rest = super().resolve_command(ctx, args)
        if name is None or known is None:
            return name, known, rest
        return name, cast("click.Command", import_module(COMMANDS[name].module).command), rest


def _group() -> click.Group:
    return _LazyGroup(
        PROGRAM,
        help="Keep the record of kept and broken data promises.",
        epilog=f"Example: {PROGRAM} test contracts/",
        context_settings=_CONTEXT,
        params=[_version_option(), _debug_option()],
    )


def _version_option() -> click.Option:
    def tell(context: click.Context, _parameter: click.Parameter, asked: object) -> None:
        if asked and not context.resilient_parsing:
            click.echo(f"{PROGRAM} {__version__}")
            context.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=tell,
        help="Print the version and end.",
    )


def _debug_option() -> click.Option:
    def remember(context: click.Context, _parameter: click.Parameter, asked: object) -> None:
        this = context.find_object(Call)
        if asked and this is not None:
            this.debug = True

    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=remember,
        help="Show the stack of an error.",
    )


def _sentence(error: click.UsageError) -> str:
    """Return what is wrong in our words: what was found, what was expected."""
    match error:
        case click.NoSuchOption():
            return f"there is no option {error.option_name}{_near(error.possibilities)}"
        case click.exceptions.NoSuchCommand():
            near = _near_names(error.command_name, COMMANDS)
            return f"there is no command {error.command_name[:60]!r}{_near(near)}"
        case click.MissingParameter():
            asked = _name_of(error)
            about = getattr(error.param, "help", "") or ""
            return f"{asked} is missing" + (f"; expected: {_plain(about)}" if about else "")
        case click.BadParameter():
            return f"{_name_of(error)}: {_plain(error.message)}"
        case click.BadOptionUsage():
            return f"{error.option_name} {_needed(error)}"
        case _:
            return _plain(error.message)


def _needed(error: click.BadOptionUsage) -> str:
    known = error.ctx.command.params if error.ctx else []
    for one in known:
        if error.option_name in one.opts and isinstance(one, click.Option):
            return "takes no value" if one.is_flag else f"needs a value: {_plain(one.help or '')}"
    return _plain(error.message)


def _name_of(error: click.BadParameter) -> str:
    match error.param:
        case click.Option():
            return error.param.opts[-1]
        case click.Argument():
            return error.param.human_readable_name
        case _:
            return "a parameter"


def _plain(message: str) -> str:
    """Return a library's message as a clause: without its capital and its full stop."""
    text = message.rstrip().removesuffix(".")
    return f"{text[:1].lower()}{text[1:]}"


def _near(names: list[str] | None) -> str:
    return f"; did you mean {names[0]}?" if names else ""


def _near_names(word: str, known: Iterable[str]) -> list[str]:
    # imported here: only a mistake needs it
    from difflib import get_close_matches  # noqa: PLC0415 - see above

    return get_close_matches(word, list(known), n=1)
