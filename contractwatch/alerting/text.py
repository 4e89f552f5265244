"""Render a notification as plain text lines and as JSON, without markup and without data values."""

from collections.abc import Iterator

from contractwatch.alerting.finding_text import says_all, what_is_wrong
from contractwatch.alerting.notice_words import notice_lines, notice_words
from contractwatch.alerting.upstream import upstream_json, upstream_lines
from contractwatch.alerting.words import duration, instant, truncate
from contractwatch.display import visible, visible_data
from contractwatch.model.record.incident import (
    BrokenPromise,
    Cause,
    Notification,
    TransitionKind,
    TransitionNote,
    Urgency,
)

BODY_VERSION = 1

TITLE_LENGTH = 100
MOST_PROMISES = 20
"""So many broken promises are listed in one message; the page has the rest."""

_LINE_LENGTH = 300
_PRODUCT_LENGTH = 60
_URGENT_WORDS = {Urgency.PAGE: "PAGE", Urgency.TICKET: "TICKET", Urgency.INFO: "INFO"}
_ENDS = {TransitionKind.RESOLVED: "RESOLVED", TransitionKind.WITHDRAWN: "WITHDRAWN"}


def title(notification: Notification) -> str:
    """Return a title of at most 100 characters: urgency, product, promise, and by how much."""
    return truncate(visible(_title(notification), keep=""), TITLE_LENGTH)


def _title(notification: Notification) -> str:
    if notification.is_test:
        return f"TEST of receiver {notification.receiver}"
    if notification.notice is not None:
        said = notice_words(notification.notice, notification.created_at)
        return f"INFO {truncate(notification.product, _PRODUCT_LENGTH)}: {said}"
    word = _ENDS.get(notification.kind, _URGENT_WORDS[notification.urgency])
    product = truncate(notification.product, _PRODUCT_LENGTH)
    return f"{word} {product}: {_headline(notification.notes)}"


def lines(notification: Notification) -> tuple[str, ...]:
    """Return the message's sentences, most important first, with at most 20 broken promises."""
    if notification.is_test:
        return (
            f"This is a test of receiver {notification.receiver}; no promise is broken.",
            f"Sent {instant(notification.created_at)}.",
        )
    if notification.notice is not None:
        said = list(notice_lines(notification.notice, notification.created_at))
    else:
        said = [_opening(note) for note in notification.notes]
    said += upstream_lines(notification.upstream)
    if notification.page_url:
        said.append(f"Look: {notification.page_url}")
    said.append(f"Owner: {notification.owner or 'not named in the contract'}.")
    said += _findings(notification)
    if notification.kind not in _ENDS:
        said += _budget_lines(notification.notes)
    said.append(f"Contract: {notification.contract_id}, version {notification.contract_version}.")
    return tuple(truncate(visible(line, keep=""), _LINE_LENGTH) for line in said)


def _findings(notification: Notification) -> list[str]:
    """Return at most 20 broken promises, and how many more there are."""
    said: list[str] = []
    blocks: set[tuple[str, ...]] = set()
    broken = [one for note in notification.notes for one in note.broken]
    is_end = notification.kind in _ENDS
    for one in broken[:MOST_PROMISES]:
        block = tuple(_broken_lines(one, notification.contract_file, ended=is_end))
        # what several objectives have in common, such as data that cannot be read, is said once
        if one.clause_line or block not in blocks:
            said += block
        blocks.add(block)
    if len(broken) > MOST_PROMISES:
        said.append(f"And {len(broken) - MOST_PROMISES} more.")
    return said


def as_json(notification: Notification) -> dict[str, object]:
    """Return the message as JSON data: times ISO-8601 in UTC, durations in seconds.

    Its texts are visible ones, too: what receives them shows them to people.
    """
    told: dict[str, object] = {
        "version": BODY_VERSION,
        "key": notification.key,
        "kind": "notice" if notification.notice is not None else notification.kind.value,
        "urgency": notification.urgency.value,
        "test": notification.is_test,
        "title": title(notification),
        "product": notification.product,
        "contract": {
            "id": notification.contract_id,
            "version": notification.contract_version,
            "file": notification.contract_file,
        },
        "owner": notification.owner,
        "page_url": notification.page_url,
        "created_at": notification.created_at.isoformat(),
        "incidents": [_note_json(note) for note in notification.notes],
        "notice": _notice_json(notification),
        "upstream": upstream_json(notification.upstream),
        "lines": list(lines(notification)),
    }
    return visible_data(told)


def _headline(notes: tuple[TransitionNote, ...]) -> str:
    if len(notes) != 1:
        names = ", ".join(note.objective.value for note in notes)
        return f"{len(notes)} objectives {_plural_verb(notes)}: {names}"
    note = notes[0]
    name = note.objective.value
    lasted = duration(note.lasted_seconds or 0.0)
    if note.cause is Cause.UNKNOWN:
        return _unknown_headline(note, lasted)
    match note.kind:
        case TransitionKind.OPENED:
            return f"{name} broken: {_finding(note)}"
        case TransitionKind.REOPENED:
            return f"{name} broken again: {_finding(note)}"
        case TransitionKind.WORSENED:
            return f"{name} broken worse: {_finding(note)}"
        case TransitionKind.RESOLVED:
            return f"{name} kept again after {lasted}"
        case TransitionKind.WITHDRAWN:
            return f"{name} is promised no longer, broken for {lasted}"


def _unknown_headline(note: TransitionNote, lasted: str) -> str:
    match note.kind:
        case TransitionKind.OPENED | TransitionKind.WORSENED:
            return f"nothing is known: {_reason(note)}"
        case TransitionKind.REOPENED:
            return f"nothing is known again: {_reason(note)}"
        case TransitionKind.RESOLVED:
            return f"known again after {lasted}"
        case TransitionKind.WITHDRAWN:
            return f"watched no longer, not known for {lasted}"


def _plural_verb(notes: tuple[TransitionNote, ...]) -> str:
    match notes[0].kind:
        case TransitionKind.OPENED:
            return "broken"
        case TransitionKind.REOPENED:
            return "broken again"
        case TransitionKind.WORSENED:
            return "broken worse"
        case TransitionKind.RESOLVED:
            return "kept again"
        case TransitionKind.WITHDRAWN:
            return "promised no longer"


def _finding(note: TransitionNote) -> str:
    if not note.broken:
        return "no detail"
    worst, *rest = note.broken
    more = f" (+{len(rest)} more)" if rest else ""
    return f"{what_is_wrong(worst)}{more}"


def _reason(note: TransitionNote) -> str:
    return (note.broken[0].reason if note.broken else "") or "no reason given"


def _budget_lines(notes: tuple[TransitionNote, ...]) -> Iterator[str]:
    """Yield one line with all objectives' budgets; nothing where none is known."""
    known = [note for note in notes if note.budget_remaining_ratio is not None]
    if not known:
        return
    several = len(notes) > 1
    parts = [f"{note.objective.value} " * several + _budget_words(note) for note in known]
    default = any(note.budget_is_default for note in known)
    which = " (default objective: the contract declares none)" if default else ""
    yield f"Error budget: {'; '.join(parts)}{which}."


def _opening(note: TransitionNote) -> str:
    name = "Knowledge of the product" if note.cause is Cause.UNKNOWN else note.objective.value
    name = name[:1].upper() + name[1:]
    verb = "is missing" if note.cause is Cause.UNKNOWN else "is broken"
    since = f"since {instant(note.since)}"
    match note.kind:
        case TransitionKind.OPENED:
            return f"{name} {verb} {since}, for {_elapsed(note)} by now."
        case TransitionKind.REOPENED:
            again = f"{name} {verb} again {since}, for {_elapsed(note)} by now"
            return f"{again}; episode {note.episode} of one incident."
        case TransitionKind.WORSENED:
            now = f"{name} {verb} {since}, for {_elapsed(note)} by now"
            return f"{now}; it was told as less, and is of severity {note.severity.value} now."
        case TransitionKind.RESOLVED:
            back = "is back" if note.cause is Cause.UNKNOWN else "is kept again"
            return f"{name} {back} as of {instant(note.at)}. {_cost(note)}"
        case TransitionKind.WITHDRAWN:
            gone = "the contract promises or publishes this no longer"
            return f"{name}: the incident {since} is closed, because {gone}. {_cost(note)}"


def _elapsed(note: TransitionNote) -> str:
    return duration((note.at - note.since).total_seconds())


def _cost(note: TransitionNote) -> str:
    lasted = f"It lasted {duration(note.lasted_seconds or 0.0)}, from {instant(note.since)}"
    if note.cost_seconds is None:
        return f"{lasted}."
    return f"{lasted}, and cost {duration(note.cost_seconds)} of the error budget."


def _broken_lines(broken: BrokenPromise, file: str, *, ended: bool) -> Iterator[str]:
    """Yield what is wrong and, where that is not enough, what was promised."""
    where = f"{file}:{broken.clause_line}" if broken.clause_line else file
    yield f"{'Last seen broken: ' * ended}{what_is_wrong(broken)} ({where})."
    if ended or says_all(broken):
        return
    found = broken.reason if broken.reason != broken.observed else ""
    because = f"; found: {found}" if found and found not in what_is_wrong(broken) else ""
    yield f"Promised: {broken.expected}{because}."


def _budget_words(note: TransitionNote) -> str:
    if note.young_bad_seconds is not None:
        return f"too young for a budget, {duration(note.young_bad_seconds)} bad so far"
    ratio = note.budget_remaining_ratio or 0.0
    if ratio < 0:
        return f"overspent by {-100 * ratio:.0f} %"
    return f"{100 * ratio:.0f} % left"


def _remaining_ratio(note: TransitionNote) -> float | None:
    """Return the remaining share of the budget; None if there is too little data for one."""
    return note.budget_remaining_ratio if note.young_bad_seconds is None else None


def _notice_json(notification: Notification) -> dict[str, object] | None:
    notice = notification.notice
    if notice is None:
        return None
    left = (notice.at - notification.created_at).total_seconds()
    return {"ending": notice.ending.value, "at": notice.at.isoformat(), "seconds_left": left}


def _note_json(note: TransitionNote) -> dict[str, object]:
    return {
        "id": note.incident_id,
        "sequence": note.sequence,
        "kind": note.kind.value,
        "cause": note.cause.value,
        "objective": note.objective.value,
        "severity": note.severity.value,
        "episode": note.episode,
        "since": note.since.isoformat(),
        "at": note.at.isoformat(),
        "lasted_seconds": note.lasted_seconds,
        "cost_seconds": note.cost_seconds,
        "budget_remaining_ratio": _remaining_ratio(note),
        "budget_is_default": note.budget_is_default,
        "broken_count": len(note.broken),
        "broken": [_broken_json(broken) for broken in note.broken[:MOST_PROMISES]],
    }


def _broken_json(broken: BrokenPromise) -> dict[str, object]:
    return {
        "promise": broken.promise_id,
        "clause": {"path": broken.clause_path, "line": broken.clause_line},
        "table": broken.table,
        "column": broken.column,
        "severity": broken.severity.value,
        "expected": broken.expected,
        "threshold": broken.threshold,
        "observed": broken.observed,
        "reason": broken.reason,
        "rows": broken.rows,
        "violations": broken.violations,
    }
