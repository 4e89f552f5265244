"""Refuse unknown and repeated query parameters."""

from collections import Counter
from collections.abc import Sequence

from fastapi import Request
from fastapi.exceptions import HTTPException
from fastapi.routing import APIRoute

from contractwatch.web.views.did_you_mean import near_names

_BAD_REQUEST = 400


def require_known_parameters(request: Request) -> None:
    """Refuse a request with an unknown or repeated query parameter.

    Raises:
        HTTPException: With status 400 and one sentence, if it does not.
    """
    route: object = request.scope.get("route")
    known = (
        [one.alias for one in route.dependant.query_params] if isinstance(route, APIRoute) else []
    )
    wrong = _wrong([name for name, _ in request.query_params.multi_items()], known)
    if wrong:
        raise HTTPException(_BAD_REQUEST, wrong)


def _wrong(given: Sequence[str], known: Sequence[str]) -> str:
    """Return what is wrong with the names of a query; empty if nothing is."""
    for name, times in Counter(given).items():
        shown = f"parameter {name[:40]!r}"
        if name not in known:
            near = near_names(name[:80], known, at_most=1)
            takes = f"expected one of {', '.join(known)}" if known else "this address takes none"
            return f"unknown {shown}; {f'did you mean {near[0]!r}' if near else takes}"
        if times > 1:
            return f"{shown} is given {times} times; expected once"
    return ""
