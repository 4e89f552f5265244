"""Wrap text to the width of a terminal, with or without colours; a word is never split."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from contractwatch.cli.escape import printable

STYLES: Mapping[str, str] = {
    "failed": "1;31",
    "error": "1;35",
    "warning": "33",
    "skipped": "2",
    "passed": "32",
}
"""The terminal's codes by grade, the worst first."""

_GAP = "  "
_NARROWEST = 8
_PIPE_WIDTH = 80


@dataclass(frozen=True, slots=True)
class TextLayout:
    """Width and colours of the output, and how text is wrapped to them."""

    width: int
    coloured: bool
    is_terminal: bool = False

    def plain(self, text: str, grade: str = "") -> str:
        """Return one line, whatever its length, in the colour of a grade."""
        shown = _one_line(text)
        if not (self.coloured and grade):
            return shown
        return f"\x1b[{STYLES[grade]}m{shown}\x1b[0m"

    def line(self, text: str, grade: str = "") -> Iterator[str]:
        """Yield one line for a program that reads it, or those that fit a terminal."""
        if self.is_terminal:
            yield from self.wrapped(text, grade)
        else:
            yield self.plain(text, grade)

    def wrapped(self, text: str, grade: str = "") -> Iterator[str]:
        """Yield the lines of a text."""
        for line in text.split("\n"):
            yield from (
                self.plain(part, grade) for part in _wrapped(line, max(self.width, _NARROWEST))
            )

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        grades: Sequence[str],
        *,
        graded: int = 0,
    ) -> Iterator[str]:
        """Yield a header and rows; the cell `graded` is in the colour of the row's grade.

        The last column stands right. All between give way when the page is narrow, down to their
        longest word; if that is not enough, each row becomes a block of lines.
        """
        shown = [[_one_line(cell) for cell in row] for row in (header, *rows)]
        widths = self._widths(list(zip(*shown, strict=True)))
        for number, (row, grade) in enumerate(zip(shown, ("skipped", *grades), strict=True)):
            if widths is None:
                if number:
                    cells = list(row)
                    cells[graded] = self.plain(row[graded], grade)
                    yield from self._block(header, cells)
                continue
            cells = [_wrapped(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
            for height in range(max(map(len, cells))):
                parts = [cell[height] if height < len(cell) else "" for cell in cells]
                padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
                padded[-1] = parts[-1].rjust(widths[-1])
                if parts[graded]:
                    padded[graded] = self.plain(padded[graded], grade)
                yield _GAP.join(padded).rstrip()

    def _block(self, header: Sequence[str], row: Sequence[str]) -> Iterator[str]:
        first, second, *rest = row
        yield f"{first}{_GAP}{second}"
        for name, cell in zip(header[2:], rest, strict=True):
            room = max(self.width - len(_GAP), _NARROWEST)
            yield from (f"{_GAP}{line}" for line in _wrapped(f"{name}: {cell}", room) if cell)

    def _widths(self, columns: Sequence[Sequence[str]]) -> list[int] | None:
        """Return how wide each column is; None if a word of one would have to be split."""
        natural = [max(map(len, column)) for column in columns]
        least = [max(map(_longest_word, column)) for column in columns]
        least[0], least[-1] = natural[0], natural[-1]
        room = self.width - len(_GAP) * (len(columns) - 1)
        if sum(least) > room:
            return None
        widest = 0
        while widest < max(natural) and sum(_capped(natural, least, widest + 1)) <= room:
            widest += 1
        return _capped(natural, least, widest)


def terminal_layout() -> TextLayout:
    """Return the page that standard output is: its width, and whether colours are seen."""
    width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns
    if not sys.stdout.isatty():
        return TextLayout(width, coloured=False)
    # Imported for a terminal only, whose colours it knows: it takes a tenth of a second.
    from rich.console import Console  # noqa: PLC0415 - see above

    console = Console()
    coloured = bool(console.color_system) and not console.no_color
    return TextLayout(console.width, coloured, is_terminal=True)


def _capped(natural: Sequence[int], least: Sequence[int], cap: int) -> list[int]:
    return [max(low, min(wide, cap)) for wide, low in zip(natural, least, strict=True)]


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False)
