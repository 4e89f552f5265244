"""Text fits the width of a page, in colours or without; no library is loaded for it."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from contractwatch.cli.reports.words import printable
from contractwatch.model.frozen import frozen

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


@frozen
class Page:
    """Something to write on: so many columns wide, with colours or without."""

    width: int
    coloured: bool

    def plain(self, text: str, grade: str = "") -> str:
        """Return one line, whatever its length, in the colour of a grade."""
        shown = printable(text).replace("\n", " ")
        if not (self.coloured and grade):
            return shown
        return f"\x1b[{STYLES[grade]}m{shown}\x1b[0m"

    def wrapped(self, text: str, grade: str = "") -> Iterator[str]:
        """Yield the lines of a text."""
        for line in text.split("\n"):
            yield from (self.plain(part, grade) for part in wrap(line, max(self.width, _NARROWEST)))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield a header and rows whose first cell is a grade; the last column stands right.

        All columns between the first and the last give way when the page is narrow.
        """
        shown = [[printable(cell).replace("\n", " ") for cell in row] for row in (header, *rows)]
        widths = self._widths([max(map(len, column)) for column in zip(*shown, strict=True)])
        for number, row in enumerate(shown):
            grade = row[0] if number else "skipped"
            cells = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
            for height in range(max(map(len, cells))):
                parts = [cell[height] if height < len(cell) else "" for cell in cells]
                padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
                padded[-1] = parts[-1].rjust(widths[-1])
                line = _GAP.join(padded[1:]).rstrip()
                start = self.plain(padded[0], grade) if line or parts[0] else ""
                yield f"{start}{_GAP}{line}" if line else start

    def _widths(self, natural: Sequence[int]) -> list[int]:
        first, *between, last = natural
        room = self.width - first - last - len(_GAP) * (len(natural) - 1)
        widest = max(room // len(between), _NARROWEST)
        while widest < max(between) and sum(min(w, widest + 1) for w in between) <= room:
            widest += 1
        return [first, *(min(width, widest) for width in between), last]
