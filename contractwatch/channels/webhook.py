"""Send CloudEvents 1.0 webhooks, signed as Standard Webhooks describes."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import cast

from contractwatch.alerting import text
from contractwatch.channels import http
from contractwatch.channels.context import ChannelContext
from contractwatch.display import visible
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.record.incident import Notification

SOURCE = "/contractwatch"
TYPE_PREFIX = "io.contractwatch.promise."
NOTICE_PREFIX = "io.contractwatch.notice."
TEST_TYPE = "io.contractwatch.test"
LARGEST_BODY_BYTES = 20_000

_CUTS = ((100, 2_000), (30, 800), (10, 300), (5, 200), (3, 100), (1, 60))
_HEADER_SAFE = re.compile(r"[!-~]{1,200}")


def send(notification: Notification, receiver: Receiver, context: ChannelContext) -> str:
    """Post the event, signed with every key of the receiver, so that keys can be rotated."""
    gate = context.gate(receiver)
    url = context.url(receiver)
    keys = [context.secret(ref) for ref in receiver.key_refs]
    body = body_of(notification)
    message_id = event_id(notification.key)
    timestamp = int(context.now().timestamp())
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
    }
    if keys:
        signatures = (signature(key, message_id, timestamp, body) for key in keys)
        headers["webhook-signature"] = " ".join(signatures)
    return http.send(http.HttpPost(url, body, headers), gate, context)


def body_of(notification: Notification) -> bytes:
    """Return the event as JSON of less than 20 KB; the same bytes over all attempts.

    Where lists and texts had to be cut, `data.truncated` says so.
    """
    data = text.as_json(notification)
    encoded = _event(notification, data)
    for items, characters in _CUTS:
        if len(encoded) < LARGEST_BODY_BYTES:
            break
        cut = cast("dict[str, object]", _cut(data, items, characters))
        cut["truncated"] = f"lists are cut to {items} and texts to {characters} characters"
        encoded = _event(notification, cut)
    return encoded


def event_id(key: str) -> str:
    """Return the key itself, or its hash where it could not stand in a header."""
    if _HEADER_SAFE.fullmatch(key):
        return key
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def signature(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,<base64>`: the HMAC-SHA256 of `id.timestamp.body`.

    A key that starts with `whsec_` is base64 after that prefix; any other is used as it is.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key_bytes(key), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key_bytes(key: str) -> bytes:
    if key.startswith("whsec_"):
        try:
            return base64.b64decode(key.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return key.encode()
    return key.encode()


def _event(notification: Notification, data: Mapping[str, object]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": event_id(notification.key),
        "source": SOURCE,
        "type": _type_of(notification),
        "subject": visible(notification.product, keep="")[:500],
        "time": notification.created_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return http.json_body(event)


def _type_of(notification: Notification) -> str:
    if notification.is_test:
        return TEST_TYPE
    if notification.notice is not None:
        return f"{NOTICE_PREFIX}{notification.notice.ending.value}"
    return f"{TYPE_PREFIX}{notification.kind.value}"


def _cut(value: object, items: int, characters: int) -> object:
    match value:
        case str() if len(value) > characters:
            return f"{value[: characters - 1]}…"
        case Mapping():
            named = cast("Mapping[str, object]", value)
            return {name: _cut(inner, items, characters) for name, inner in named.items()}
        case list() | tuple():
            listed = cast("Sequence[object]", value)
            return [_cut(inner, items, characters) for inner in listed[:items]]
        case _:
            return value
