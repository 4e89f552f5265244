"""Send Slack blocks through an incoming webhook, escaped and within its limits."""

from contractwatch.alerting import text
from contractwatch.channels import http
from contractwatch.channels.context import ChannelContext
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.record.incident import Notification

_HEADER_CHARACTERS = 150
_SECTION_CHARACTERS = 2_900  # Slack's limit is 3,000
_SECTIONS = 4  # about 13,200 characters in all are accepted, though nobody documents it
_LOOK_ALIKES = str.maketrans("<>", "()")
_CUT = "… cut here; the page has all of it"


def send(notification: Notification, receiver: Receiver, context: ChannelContext) -> str:
    """Post the message; Slack has no idempotency key, so a lost attempt may show twice."""
    gate = context.gate(receiver)
    url = context.url(receiver)
    body = http.json_body(message(notification))
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return http.send(http.HttpPost(url, body, headers), gate, context)


def message(notification: Notification) -> dict[str, object]:
    """Return the payload of the incoming webhook."""
    title = text.title(notification)
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _plain(title)}}
    ]
    blocks.extend(_markdown("section", part) for part in sections(text.lines(notification)))
    blocks.append({"type": "context", "elements": [_text(_footer(notification))]})
    return {"text": escaped(_plain(title)), "blocks": blocks}


def sections(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the escaped lines joined into texts of less than 3,000 characters, 4 at most."""
    found: list[str] = []
    current = ""
    for line in lines:
        safe = escaped(line)
        if len(safe) > _SECTION_CHARACTERS:
            safe = f"{escaped(line[: _SECTION_CHARACTERS // 6])}{_CUT}"  # & grows to 5 characters
        if len(current) + len(safe) + 1 > _SECTION_CHARACTERS:
            found.append(current)
            current = ""
        current = f"{current}\n{safe}" if current else safe
    if current:
        found.append(current)
    if len(found) > _SECTIONS:
        found = [*found[:_SECTIONS], _CUT]
    return tuple(found)


def escaped(words: str) -> str:
    """Return the words with the three characters replaced that mean something to Slack."""
    return _visible(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _visible(words: str) -> str:
    return "".join(each for each in words if each.isprintable() or each == "\n")


def _plain(title: str) -> str:
    """Return the title as plain text, where nothing is escaped but nothing may mention either."""
    one_line = " ".join(_visible(title).split()).translate(_LOOK_ALIKES)
    short = one_line[: _HEADER_CHARACTERS - 1]
    return one_line if len(one_line) <= _HEADER_CHARACTERS else f"{short}…"


def _footer(notification: Notification) -> str:
    words = f"{escaped(notification.product)} · `{escaped(notification.key)}`"[:1_500]
    url = notification.page_url
    if url and not set(url) & set("<>| \n"):
        return f"<{escaped(url)}|open the page> · {words}"
    return words


def _markdown(kind: str, words: str) -> dict[str, object]:
    return {"type": kind, "text": _text(words)}


def _text(words: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": words, "verbatim": True}
