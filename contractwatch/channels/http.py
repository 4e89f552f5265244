"""Send one POST through the guard, and classify the answer."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from contractwatch.channels.context import ChannelContext
from contractwatch.channels.guard import Gate, timed_out
from contractwatch.channels.transport import GuardedTransport
from contractwatch.errors import ChannelError

LONGEST_RETRY_AFTER_SECONDS = 900.0
_READ_AT_MOST_BYTES = 65_536
_LAST_PORT = 65_535
_TOO_MANY = 429
_PAUSING = frozenset(
    {_TOO_MANY, 503}
)  # of all that are tried again, where the header has a meaning
_YEAR_SECONDS = 366 * 86_400.0
_RETRIED_4XX = frozenset({408, 425, _TOO_MANY})
_PLAIN_WORD = re.compile(r"[a-z]{2,20}(_[a-z]{2,20}){0,4}")  # what Slack answers: no_service, ok

_TIMEOUTS = (httpcore.TimeoutException, httpx.TimeoutException, TimeoutError)
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError)


@dataclass(frozen=True, slots=True)
class HttpPost:
    """A request body with its URL, which may hold a secret and is never logged."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def send(post: HttpPost, gate: Gate, context: ChannelContext) -> str:
    """Post once and return the answer in words, such as `answered 202`.

    Redirects are not followed, no proxy is used and the environment is not read. The status alone
    decides; what of the body comes in time is read and, but for a plain word, thrown away.

    Raises:
        ChannelError: For every answer but 2xx, and when there was none.
    """
    url = _checked(post.url)
    headers = {**post.headers, "User-Agent": "contractwatch", "Accept": "*/*"}
    request = httpx.Request("POST", url, headers=headers, content=post.body)
    transport = context.transport or GuardedTransport(gate)
    # The transport is called without httpx's client, which would log the address with its secret.
    try:
        response = transport.handle_request(request)
    except _TIMEOUTS:
        raise timed_out(url.host) from None  # `from None`: such errors may repeat the address
    except _BROKEN:
        raise ChannelError(
            f"{url.host} closed the connection without an answer", retryable=True, reason="reset"
        ) from None
    try:
        word = _plain_word(response, gate)
    finally:
        response.close()
        transport.close()
    if word in post.url or word.encode() in post.body:
        word = ""  # an echo of what was sent may be a secret
    answer = f"answered {response.status_code}{f' {word}' if word else ''}"
    pause = None
    if response.status_code in _PAUSING:
        pause = retry_after_seconds(response.headers.get("retry-after", ""), now=context.now())
    failure = status_failure(response.status_code, f"{url.host} {answer}", pause)
    if failure is not None:
        raise failure
    return answer


def json_body(value: object) -> bytes:
    """Return the value as compact JSON in UTF-8; a character that has no UTF-8 becomes `?`."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def status_failure(status: int, words: str, wait_seconds: float | None) -> ChannelError | None:
    """Return the failure that a status means, or None for 2xx (the classes of the table)."""
    hundreds = status // 100
    if hundreds == 2:  # noqa: PLR2004 - the classes of HTTP have no better names
        return None
    if hundreds in (1, 3):
        return ChannelError(
            f"{words}; redirects are not followed, give the final address",
            retryable=False,
            reason="config",
        )
    return ChannelError(
        words,
        retryable=hundreds != 4 or status in _RETRIED_4XX,  # noqa: PLR2004
        reason="429" if status == _TOO_MANY else f"{min(hundreds, 5)}xx",
        retry_after_seconds=wait_seconds,
    )


def retry_after_seconds(value: str, *, now: datetime) -> float | None:
    """Return what a `Retry-After` header asks for, 0 to 900 seconds.

    None if it cannot be read or lies more than a year ahead: then nothing was asked.
    """
    text = value.strip()
    if re.fullmatch(r"\d{1,10}", text, re.ASCII):
        seconds = float(text)
    else:
        try:
            until = parsedate_to_datetime(text)
            aware = until if until.tzinfo else until.replace(tzinfo=UTC)
            seconds = (aware - now).total_seconds()
        except (ValueError, OverflowError, TypeError, IndexError):
            return None
    if seconds > _YEAR_SECONDS:
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    has_port = url.port is None or 0 < url.port <= _LAST_PORT
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or not has_port:
        raise ChannelError(
            "the address of this receiver is not an http(s) URL without a user name in it",
            retryable=False,
            reason="config",
        )
    return url


def _plain_word(response: httpx.Response, gate: Gate) -> str:
    """Return the body if it is one plain word; the rest is not for logs."""
    body = b""
    try:
        for part in _parts(response):
            body += part
            gate.deadline.left()
            if len(body) > _READ_AT_MOST_BYTES:
                break
    except (*_TIMEOUTS, *_BROKEN):
        return ""  # the status was the answer; a body that does not come changes nothing
    text = body[:200].decode(errors="replace").strip()
    return text if len(body) <= 200 and _PLAIN_WORD.fullmatch(text) else ""  # noqa: PLR2004


def _parts(response: httpx.Response) -> Iterator[bytes]:
    stream = response.stream
    if isinstance(stream, httpx.SyncByteStream):
        yield from stream
