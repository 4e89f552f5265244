"""The command line: lazily imported commands, and one error boundary.

Exit codes that all commands share: 2 when contractwatch could not do what was asked, 64 when it was
asked wrongly. Each command's help says its own.
"""

import os
import sys
from collections.abc import Sequence

from contractwatch.cli.output import OutputError, open_streams, say
from contractwatch.cli.parser import Call, call
from contractwatch.errors import ContractwatchError, SettingsError, UsageError

EXIT_FAILURE = 2
EXIT_USAGE = 64
_EXIT_INTERRUPTED = 130
_LINES_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Args:
        arguments: Words after the command's name; None takes those of the process.
    """
    sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(words: list[str]) -> int:
    this = Call()
    open_streams()
    try:
        return call(words or ["--help"], this)
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except OutputError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere
        return _tell(error) if error.is_told else EXIT_FAILURE
    except Exception as error:
        if this.debug:
            # imported here: it takes a hundredth of a second, and is seldom asked for
            import traceback  # noqa: PLC0415 - see above

            traceback.print_exc()
        return _tell(error)


def _tell(error: Exception) -> int:
    if isinstance(error, ContractwatchError):
        lines = str(error).splitlines()
        for line in lines[:_LINES_SHOWN]:
            say(line, err=True)
        if len(lines) > _LINES_SHOWN:
            say(f"and {len(lines) - _LINES_SHOWN} more", err=True)
        return EXIT_USAGE if isinstance(error, UsageError | SettingsError) else EXIT_FAILURE
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        say(f"{place}{error.strerror}", err=True)
        return EXIT_FAILURE
    # The message of an unexpected error may hold values of the data: only --debug shows it.
    say(f"unexpected {type(error).__name__}; run it again with --debug to see where", err=True)
    return EXIT_FAILURE
