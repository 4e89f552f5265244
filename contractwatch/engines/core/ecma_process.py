"""Child process that matches texts by ECMA-262 patterns and can be killed.

The matcher holds its interpreter until it has an answer, and a pattern can take for ever: only the
kernel ends it. It is started as a script, so that it imports nothing else of contractwatch. Each
line that it reads is JSON: the pattern first, then lists of texts; each list is answered by a line
with one digit a text, 1 for a match.
"""

import json
import resource
import signal
import sys
import time

import regress

LIST_SECONDS = 2.0
"""Processor time for one list of texts."""

ALL_SECONDS = 30.0
"""Processor time for all lists of one pattern."""

_MEMORY = 1 << 30


def compile_pattern(pattern: str) -> regress.Regex:
    """Compile a pattern by ECMA-262 with the flag `u`, else without, as browsers do."""
    try:
        return regress.Regex(pattern, "u")
    except regress.RegressError:
        return regress.Regex(pattern)


def main() -> None:
    """Answer each line of the input until its end."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    least = _MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    regex = compile_pattern(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        left = ALL_SECONDS - time.process_time()
        # nobody handles this signal: it ends the process, whatever it is doing
        signal.setitimer(signal.ITIMER_VIRTUAL, max(0.01, min(LIST_SECONDS, left)))
        matched = ["1" if regex.find(text) is not None else "0" for text in json.loads(line)]
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        sys.stdout.write("".join(matched) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
