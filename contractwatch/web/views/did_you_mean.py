"""Suggest known names that resemble an unknown one."""

from collections.abc import Iterable
from difflib import get_close_matches


def near_names(wanted: str, known: Iterable[str], *, at_most: int = 5) -> list[str]:
    """Return the known names closest to the wanted one: alike as a whole, or in the last part."""
    names = sorted(known)
    last = wanted.rsplit("/", 1)[-1].lower()
    by_last_part = [name for name in names if last and name.rsplit("/", 1)[-1].lower() == last]
    alike = get_close_matches(wanted, names, n=at_most, cutoff=0.6)
    return list(dict.fromkeys((*by_last_part, *alike)))[:at_most]
