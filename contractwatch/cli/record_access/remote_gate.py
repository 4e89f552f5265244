"""Ask a running agent for a gate decision over HTTP, with the standard library only."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import cast
from urllib.error import HTTPError
from urllib.parse import SplitResult, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from contractwatch.cli.record_access.record_messages import unknown_product_message
from contractwatch.errors import ContractwatchError, UsageError
from contractwatch.slo.gate import EXIT_CODES

_LONGEST_ANSWER = 1_000_000
_NOT_FOUND = 404
_BAD_REQUEST = 400


class UnreachableError(ContractwatchError):
    """Raised when the agent does not answer, or not as an agent does."""


def ask_gate(
    url: str, product: str, query: Mapping[str, str], *, timeout_seconds: float
) -> dict[str, object]:
    """Return the gate's decision of the agent at `url`.

    Redirects are not followed, and no proxy is used. The timeout holds for each wait on the
    connection.

    Raises:
        UsageError: If the address is no http address, or the agent does not know the product.
        UnreachableError: If no decision can be had.
    """
    base = _address(url)
    wanted = {name: value for name, value in query.items() if value}
    address = f"{url.rstrip('/')}/api/v1/products/{quote(product)}/gate?{urlencode(wanted)}"
    request = Request(address, headers={"Accept": "application/json"})  # noqa: S310 - http only
    opener = build_opener(ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=timeout_seconds) as response:
            return _decision(response.read(_LONGEST_ANSWER), product)
    except HTTPError as error:
        with error:
            raise _refusal(error.code, error.read(_LONGEST_ANSWER), product) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise UnreachableError(f"{base.hostname} cannot be asked: {reason}") from error


def _address(url: str) -> SplitResult:
    wrong = UsageError(f"--url: {url!r}; expected such as http://agent:8321")
    try:
        base = urlsplit(url)
        port = base.port
    except ValueError:
        raise wrong from None
    is_plain = url.isprintable() and " " not in url and port != 0
    if base.scheme not in {"http", "https"} or not base.hostname or not is_plain:
        raise wrong
    return base


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _decision(content: bytes, product: str) -> dict[str, object]:
    """Return the body, if it is a decision about this product and agrees with itself."""
    body = _object(content)
    answer, code = body.get("decision"), body.get("exit_code")
    known = {word.value: number for word, number in EXIT_CODES.items()}
    agrees = (
        isinstance(answer, str)
        and body.get("product") == product
        and known.get(answer) == code
        and body.get("allow") is (code == 0)
    )
    if not agrees:
        raise UnreachableError("what answered there is no contractwatch agent of this version")
    return body


def _refusal(status: int, content: bytes, product: str) -> ContractwatchError:
    body = _object(content, default={})
    said = body.get("error")
    if status == _NOT_FOUND and isinstance(said, str) and "near" in body:
        near = body["near"]
        names = [str(name) for name in cast("list[object]", near)] if isinstance(near, list) else []
        return UsageError(unknown_product_message(product, names))
    if status == _BAD_REQUEST and isinstance(said, str):
        return UsageError(said)
    return UnreachableError(f"the agent answered with status {status}")


def _object(content: bytes, default: dict[str, object] | None = None) -> dict[str, object]:
    try:
        body: object = json.loads(content)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return cast("dict[str, object]", body)
    if default is None:
        raise UnreachableError("what answered there is no contractwatch agent")
    return default
