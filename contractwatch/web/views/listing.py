"""Filter, sort and paginate lists of products and incidents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from contractwatch.errors import UsageError
from contractwatch.model.base.clause import Severity
from contractwatch.model.record.incident import Incident, Phase
from contractwatch.slo.status import StatusWord
from contractwatch.web.snapshot_cache import ProductView, RecordSnapshot

ROWS = 100
"""So many products or incidents are on one page."""

STATE_ORDER = (
    StatusWord.BREACHED,
    StatusWord.UNKNOWN,
    StatusWord.AT_RISK,
    StatusWord.KEPT,
)
PRODUCT_STATES = tuple(word.value for word in STATE_ORDER)
INCIDENT_STATES = ("open", Phase.RECOVERING.value, Phase.RESOLVED.value)
SEVERITIES = tuple(severity.value for severity in Severity)

_LONGEST = 200
_MOST_DIGITS = 9

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Filters and page of a list, as in the query string; empty for none."""

    q: str = ""
    state: str = ""
    team: str = ""
    severity: str = ""
    page: str = ""

    @property
    def filters(self) -> dict[str, str]:
        """The filters without the page."""
        named = {"q": self.q, "state": self.state, "team": self.team, "severity": self.severity}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """One page of a list, with its position and the queries of the pages around."""

    rows: tuple[Row, ...]
    found: int
    number: int
    pages: int
    previous: str
    next: str

    @property
    def first(self) -> int:
        """The place of the first row, from 1; 0 for a page without rows."""
        return (self.number - 1) * ROWS + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The place of the last row."""
        return (self.number - 1) * ROWS + len(self.rows)


def list_query(query: Mapping[str, str]) -> ListQuery:
    """Return the filters in a query string; other parameters are ignored."""
    names = ("q", "state", "team", "severity", "page")
    return ListQuery(*(query.get(name, "").strip()[:_LONGEST] for name in names))


def filter_products(snapshot: RecordSnapshot, asked: ListQuery) -> tuple[ProductView, ...]:
    """Return the matching products, those with problems first.

    Raises:
        UsageError: If a state or severity is asked for that there is not.
    """
    state = _one_of("state", asked.state.replace("_", " "), PRODUCT_STATES)
    severity = _one_of("severity", asked.severity, SEVERITIES)
    found = [
        view
        for view in snapshot.views.values()
        if _is_named(view, asked)
        and state in ("", view.status.word.value)
        and (not severity or severity in _open_severities(view))
    ]
    return tuple(sorted(found, key=_urgency))


def filter_incidents(snapshot: RecordSnapshot, asked: ListQuery) -> tuple[Incident, ...]:
    """Return the matching opened incidents, open ones first, newest first.

    Raises:
        UsageError: If a state or severity is asked for that there is not.
    """
    state = _one_of("state", asked.state, INCIDENT_STATES)
    severity = _one_of("severity", asked.severity, SEVERITIES)
    told = [
        incident
        for view in snapshot.views.values()
        if _is_named(view, asked)
        for incident in view.record.incidents
        if incident.opened_at is not None
        and _is_in(incident, state)
        and severity in ("", incident.severity.value)
    ]
    told.sort(key=lambda incident: incident.since, reverse=True)
    return tuple(sorted(told, key=lambda incident: incident.resolved_at is not None))


def page_of(rows: Sequence[Row], asked: ListQuery) -> ListPage[Row]:
    """Return the page of the list that is asked for, the first one if none is.

    Raises:
        UsageError: If there is no such page.
    """
    pages = max(1, -(-len(rows) // ROWS))
    number = _page_number(asked.page, pages)
    return ListPage(
        rows=tuple(rows[(number - 1) * ROWS : number * ROWS]),
        found=len(rows),
        number=number,
        pages=pages,
        previous=_query(asked, number - 1) if number > 1 else "",
        next=_query(asked, number + 1) if number < pages else "",
    )


def teams_of(views: Iterable[ProductView]) -> tuple[str, ...]:
    """Return the teams that own something, each once."""
    return tuple(sorted({view.record.card.team for view in views} - {""}, key=str.casefold))


def _page_number(text: str, pages: int) -> int:
    if not text:
        return 1
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    number = int(text) if is_number else 0
    if not 1 <= number <= pages:
        there = f"a number from 1 to {pages}" if pages > 1 else "1, the only one"
        raise UsageError(f"page: {text!r}; expected {there}")
    return number


def _query(asked: ListQuery, number: int) -> str:
    return urlencode({**asked.filters, "page": number})


def _one_of(name: str, text: str, known: Sequence[str]) -> str:
    word = text.lower()
    if word and word not in known:
        raise UsageError(f"{name}: {text!r}; expected one of {', '.join(known)}")
    return word


def _is_named(view: ProductView, asked: ListQuery) -> bool:
    card = view.record.card
    words = f"{card.product} {card.team} {' '.join(card.owners)}".lower()
    names = {name.casefold() for name in (card.team, *card.owners)}
    is_theirs = not asked.team or asked.team.casefold() in names
    return is_theirs and all(part in words for part in asked.q.lower().split())


def _open_severities(view: ProductView) -> set[str]:
    return {
        one.severity.value
        for one in view.record.incidents
        if one.opened_at is not None and one.resolved_at is None
    }


def _is_in(incident: Incident, state: str) -> bool:
    states: Mapping[str, Callable[[], bool]] = {
        "": lambda: True,
        "open": lambda: incident.resolved_at is None,
        "recovering": lambda: incident.phase is Phase.RECOVERING,
        "resolved": lambda: incident.resolved_at is not None,
    }
    return states[state]()


def _urgency(view: ProductView) -> tuple[int, str]:
    return STATE_ORDER.index(view.status.word), view.product
