"""The command line: each command imported when it is called, and one error boundary.

Exit codes that all commands share: 2 when contractwatch could not do what was asked, 64 when it was
asked wrongly. Each command's help says its own.
"""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from contractwatch.cli.commands import COMMANDS
from contractwatch.cli.plain_words import plain_call
from contractwatch.errors import ContractwatchError, SettingsError, UsageError

EXIT_FAILURE = 2
EXIT_USAGE = 64
_EXIT_INTERRUPTED = 130
_LINES_SHOWN = 20
_RARELY = (50_000, 20, 20)
"""After how many new objects a short command looks for garbage: not while it imports modules."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Args:
        arguments: Words after the command's name; None takes those of the process.
    """
    if arguments is not None:
        sys.exit(_run(list(arguments)))
    given = sys.argv[1:]
    if not any(name in given for name, entry in COMMANDS.items() if entry.lasts):
        gc.set_threshold(*_RARELY)
    code = _run(given)
    gc.freeze()  # else the end looks for garbage, several times, among all that was imported
    sys.exit(code)


def _run(given: list[str]) -> int:
    words = [word for word in given if word != "--debug"] or ["--help"]
    try:
        return _call(words) or 0
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except Exception as error:
        if "--debug" in given:
            # imported here: it takes a hundredth of a second, and is seldom asked for
            import traceback  # noqa: PLC0415 - see above

            traceback.print_exc()
        return _tell(error)


def _call(words: list[str]) -> int | None:
    entry = COMMANDS.get(words[0])
    if entry is not None:
        command = import_module(entry.module).command
        arguments = plain_call(command, words[1:])
        if arguments is not None:
            return command(**arguments)
    # Imported here: only what is not plain needs typer.
    from contractwatch.cli.by_typer import call_by_typer  # noqa: PLC0415 - see above

    return call_by_typer(words)


def _tell(error: Exception) -> int:
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
