"""Resolve the endpoint of a bucket among those allowed, with credentials of the environment."""

from urllib.parse import SplitResult, urlsplit

from contractwatch.engines.remote.relay import RelayTarget, host_and_port, relay_to
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.object_store_access import ObjectStoreAccess, StoreIdentity
from contractwatch.model.base.server import Server
from contractwatch.model.contract.dataset import RemoteStore

_EMPTY_PATHS = frozenset({"", "/"})
_IS_NO_ADDRESS = "is no address such as https://host:port, without path or password"


def resolve_store(server: Server, bucket: str, reach: ObjectStoreAccess) -> RemoteStore:
    """Return the store of a bucket, with the relay that reaches it.

    Raises:
        SourceError: If its store is not allowed, or there are no credentials.
    """
    endpoint, is_named = _endpoint(server, reach)
    if reach.identity is StoreIdentity.NOBODY:
        raise SourceError(
            "there are no credentials for object stores; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for public buckets",
            retryable=False,
            blame=Blame.AGENT,
        )
    relay = relay_to(RelayTarget(host_and_port(endpoint), is_named, reach.credential_hosts))
    relay.forget()
    is_anonymous = reach.identity is StoreIdentity.ANONYMOUS
    return RemoteStore(bucket, endpoint, reach.region, relay.address, is_anonymous)


def _endpoint(server: Server, reach: ObjectStoreAccess) -> tuple[str, bool]:
    """Return the address of the store, and whether it may be a private one.

    Raises:
        SourceError: If the contract names one that is not allowed.
    """
    provider = f"https://s3.{reach.region}.amazonaws.com"
    own = [_origin(reach.default_endpoint)] if reach.default_endpoint else []
    if own == [""]:
        raise SourceError(f"AWS_ENDPOINT_URL {_IS_NO_ADDRESS}", retryable=False, blame=Blame.AGENT)
    if not server.endpoint:
        endpoint = own[0] if own else provider
        return endpoint, bool(own) or _is_listed(endpoint, reach.endpoints)
    endpoint = _origin(server.endpoint)
    if not endpoint:
        raise SourceError(f"endpointUrl {_IS_NO_ADDRESS}", retryable=False, blame=Blame.PRODUCT)
    if endpoint in own or _is_listed(endpoint, reach.endpoints):
        return endpoint, True
    if endpoint in {provider, "https://s3.amazonaws.com"}:
        return endpoint, False
    raise SourceError(
        f"endpointUrl {endpoint!r} is not allowed; the operator names hosts in s3_endpoints",
        retryable=False,
        blame=Blame.AGENT,
    )


def _origin(address: str) -> str:
    """Return scheme, host and port of an address; empty if it is none, or has more parts."""
    try:
        parts = urlsplit(address)
        host, port = host_and_port(parts)
    except ValueError:
        return ""
    has_more = parts.username is not None or parts.query or parts.fragment
    if has_more or not host or parts.scheme not in {"http", "https"}:
        return ""
    return _format_origin(parts, host, port) if parts.path in _EMPTY_PATHS else ""


def _format_origin(parts: SplitResult, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port}" if parts.port else f"{parts.scheme}://{shown}"


def _is_listed(endpoint: str, endpoints: tuple[str, ...] | None) -> bool:
    """Return whether the operator allowed the endpoint: by host, host and port, or address."""
    if endpoints is None:
        return True
    parts = urlsplit(endpoint)
    host, port = host_and_port(parts)
    shown = f"[{host}]" if ":" in host else host
    names = {endpoint, f"{parts.scheme}://{shown}:{port}", f"{shown}:{port}"}
    if port == host_and_port(f"{parts.scheme}://{shown}")[1]:
        names |= {host, shown, f"{parts.scheme}://{shown}"}
    return any(entry.rstrip("/").lower() in names for entry in endpoints)
