"""Match texts by ECMA-262 patterns that Rust's engine cannot run, under a time limit."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import polars as pl

TOO_LONG = "the pattern took too long"
"""The reason of a question whose pattern was stopped."""

_CHILD = Path(__file__).with_name("ecma_process.py")
_LIST_TEXTS = 2_000
_LIST_CHARACTERS = 4_000_000


class _Matcher:
    """Matches texts in a child process; once stopped at its time limit, it stays stopped."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._stopped = False
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, texts: pl.Series) -> pl.Series:
        """Return whether each text matches; null for null.

        Raises:
            ComputeError: If the pattern takes too long.
        """
        distinct = texts.drop_nulls().unique()
        with self._lock:
            found = [self._matched(part) for part in _parts(distinct)]
        digits = "".join(found)
        matching = distinct.filter(pl.Series([digit == "1" for digit in digits], dtype=pl.Boolean))
        return texts.is_in(matching.implode())

    def _matched(self, texts: list[str]) -> str:
        answer = "" if self._stopped else self._asked(texts)
        if len(answer) != len(texts):
            self._stopped = True
            self._end()
            raise pl.exceptions.ComputeError(TOO_LONG)
        return answer

    def _asked(self, texts: list[str]) -> str:
        try:
            process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(texts) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        except OSError:  # it has ended, and its pipe with it
            return ""

    def _start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-I", str(_CHILD)]
        pipe = subprocess.PIPE
        self._process = process = subprocess.Popen(  # noqa: S603 - our own script
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._pattern) + "\n")
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not written any more
                    continue
        process.kill()
        process.wait()

    def __del__(self) -> None:
        """End the process."""
        self._end()


def matches(text: pl.Expr, pattern: str) -> pl.Expr:
    """Return whether each text has a match anywhere; null for null.

    Evaluating it raises ComputeError with `TOO_LONG` if the pattern takes too long.
    """
    return text.map_batches(_Matcher(pattern), return_dtype=pl.Boolean(), is_elementwise=True)


def _parts(texts: pl.Series) -> Iterator[list[str]]:
    part: list[str] = []
    characters = 0
    for text in texts:
        part.append(text)
        characters += len(text)
        if len(part) == _LIST_TEXTS or characters >= _LIST_CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part
