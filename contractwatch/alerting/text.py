"""What a message says, in plain sentences that all channels share: no markup, no data values."""

from collections.abc import Iterator

from contractwatch.alerting.words import cut, duration, instant
from contractwatch.model.incident import (
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
    """Return at most 100 characters: urgency or end, product, which promise, and by how much."""
    if notification.is_test:
        return cut(f"TEST of receiver {notification.receiver}", TITLE_LENGTH)
    word = _ENDS.get(notification.kind, _URGENT_WORDS[notification.urgency])
    product = cut(notification.product, _PRODUCT_LENGTH)
    return cut(f"{word} {product}: {_headline(notification.notes)}", TITLE_LENGTH)


def lines(notification: Notification) -> tuple[str, ...]:
    """Return the message's sentences, most important first, at most 20 broken promises of them."""
    if notification.is_test:
        return (
            f"This is a test of receiver {notification.receiver}; no promise is broken.",
            f"Sent {instant(notification.created_at)}.",
        )
    said: list[str] = []
    room = MOST_PROMISES
    for note in notification.notes:
        shown = note.broken[:room]
        said += _note_lines(note, shown, notification.contract_file)
        room -= len(shown)
    hidden = sum(len(note.broken) for note in notification.notes) - (MOST_PROMISES - room)
    if hidden > 0:
        said.append(f"And {hidden} more.")
    said.append(f"Contract: {notification.contract_id}, version {notification.contract_version}.")
    said.append(f"Owner: {notification.owner or 'not named in the contract'}.")
    if notification.page_url:
        said.append(f"Look: {notification.page_url}")
    return tuple(cut(line, _LINE_LENGTH) for line in said)


def as_json(notification: Notification) -> dict[str, object]:
    """Return the message as data for machines: times ISO-8601 in UTC, durations in seconds."""
    return {
        "version": BODY_VERSION,
        "key": notification.key,
        "kind": notification.kind.value,
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
        "lines": list(lines(notification)),
    }


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
            return f"{name} broken: {_by_how_much(note)}"
        case TransitionKind.REOPENED:
            return f"{name} broken again: {_by_how_much(note)}"
        case TransitionKind.WORSENED:
            return f"{name} broken worse: {_by_how_much(note)}"
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


def _by_how_much(note: TransitionNote) -> str:
    if not note.broken:
        return "no detail"
    worst = note.broken[0]
    place = _place(worst)
    seen = worst.observed or worst.reason or "not kept"
    said = f"{place}: {seen}" if place and worst.column else seen
    more = f" (+{len(note.broken) - 1} more)" if len(note.broken) > 1 else ""
    return f"{said}, promised {worst.threshold or worst.expected}{more}"


def _reason(note: TransitionNote) -> str:
    return (note.broken[0].reason if note.broken else "") or "no reason given"


def _note_lines(note: TransitionNote, shown: tuple[BrokenPromise, ...], file: str) -> Iterator[str]:
    yield _opening(note)
    if note.kind in _ENDS:
        yield _cost(note)
    for broken in shown:
        yield from _broken_lines(broken, file, ended=note.kind in _ENDS)
    if note.budget_remaining_ratio is not None:
        default = " (default objective: the contract declares none)"
        which = default if note.budget_is_default else ""
        yield f"Error budget left: {_share(note.budget_remaining_ratio)}{which}."


def _opening(note: TransitionNote) -> str:
    name = "Knowledge of the product" if note.cause is Cause.UNKNOWN else note.objective.value
    name = name[:1].upper() + name[1:]
    verb = "is missing" if note.cause is Cause.UNKNOWN else "is broken"
    since = f"since {instant(note.since)}"
    match note.kind:
        case TransitionKind.OPENED:
            return f"{name} {verb} {since}, for {_so_far(note)} by now."
        case TransitionKind.REOPENED:
            again = f"{name} {verb} again {since}, for {_so_far(note)} by now"
            return f"{again}; episode {note.episode} of one incident."
        case TransitionKind.WORSENED:
            now = f"{name} {verb} {since}, for {_so_far(note)} by now"
            return f"{now}; it was told as less, and is of severity {note.severity.value} now."
        case TransitionKind.RESOLVED:
            back = "is back" if note.cause is Cause.UNKNOWN else "is kept again"
            return f"{name} {back} as of {instant(note.at)}."
        case TransitionKind.WITHDRAWN:
            gone = "the contract promises or publishes this no longer"
            return f"{name}: the incident {since} is closed, because {gone}."


def _so_far(note: TransitionNote) -> str:
    return duration((note.at - note.since).total_seconds())


def _cost(note: TransitionNote) -> str:
    lasted = f"It lasted {duration(note.lasted_seconds or 0.0)}, from {instant(note.since)}"
    if note.cost_seconds is None:
        return f"{lasted}."
    return f"{lasted}, and cost {duration(note.cost_seconds)} of the error budget."


def _broken_lines(broken: BrokenPromise, file: str, *, ended: bool) -> Iterator[str]:
    place = _place(broken)
    where = f"{file}:{broken.clause_line}" if broken.clause_line else file
    about = f"{place}: " if place else ""
    yield f"Promised: {about}{broken.expected} ({where})."
    seen = broken.observed or "nothing"
    because = f"; {broken.reason}" if broken.reason and broken.reason != seen else ""
    limit = f", against {broken.threshold}" if broken.threshold else ""
    yield f"{'Last seen broken' if ended else 'Observed'}: {seen}{limit}{because}."
    if broken.violations is not None and broken.rows is not None:
        yield f"Rows affected: {broken.violations:,} of {broken.rows:,}."


def _place(broken: BrokenPromise) -> str:
    if broken.table in {"", "-"}:
        return ""
    return f"{broken.table}.{broken.column}" if broken.column else broken.table


def _share(ratio: float) -> str:
    if ratio < 0:
        return f"none, overspent by {-100 * ratio:.0f} %"
    return f"{100 * ratio:.0f} %"


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
        "budget_remaining_ratio": note.budget_remaining_ratio,
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
