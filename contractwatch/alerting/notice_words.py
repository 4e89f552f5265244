"""Word the notices of a product's end of support and end of life."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from contractwatch.alerting.words import duration, instant
from contractwatch.model.promises.lifetime import Ending, Notice

_NOUNS: Mapping[Ending, str] = {Ending.SUPPORT: "support", Ending.LIFE: "life"}
_CONSEQUENCES: Mapping[Ending, tuple[str, str]] = {
    Ending.SUPPORT: (
        "From then on broken promises are told as information only.",
        "Broken promises are told as information only.",
    ),
    Ending.LIFE: (
        "From then on no promise is checked, and data that can still be read is a warning.",
        "No promise is checked any more, and data that can still be read is a warning.",
    ),
}


def notice_words(notice: Notice, now: datetime) -> str:
    """Word a notice for a title: `support ends in 30d, on 2026-12-31`."""
    noun, day = _NOUNS[notice.ending], notice.at.date().isoformat()
    left = (notice.at - now).total_seconds()
    if left > 0:
        return f"{noun} ends in {duration(left)}, on {day}"
    return f"{noun} has ended on {day}"


def notice_lines(notice: Notice, now: datetime) -> Iterator[str]:
    """Yield sentences on when the end is and what follows from it."""
    noun = _NOUNS[notice.ending].capitalize()
    before, after = _CONSEQUENCES[notice.ending]
    left = (notice.at - now).total_seconds()
    if left > 0:
        yield f"{noun} ends at {instant(notice.at)}, in {duration(left)}."
        yield before
    else:
        yield f"{noun} has ended at {instant(notice.at)}, {duration(-left)} ago."
        yield after
