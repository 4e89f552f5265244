"""Read the allowed object stores and the identity to use from the environment; no secrets."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from contractwatch.model.base.object_store_access import ObjectStoreAccess, StoreIdentity

_DEFAULT_REGION = "us-east-1"
_CONTAINER_HOST = ("169.254.170.2", 80)
_PORTS = {"http": 80, "https": 443}


def reach_of(
    environ: Mapping[str, str], *, endpoints: tuple[str, ...] | None, buckets: tuple[str, ...]
) -> ObjectStoreAccess:
    """Return the object stores that contracts may access, and with which identity.

    Args:
        environ: The environment, with the standard names of AWS.
        endpoints: The hosts that a contract may name; None for any.
        buckets: The buckets that may be read, also as `s3://bucket/prefix`; none for all.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION
    hosts = _credential_hosts(environ, region)
    return ObjectStoreAccess(
        endpoints=endpoints,
        buckets=tuple(one.removeprefix("s3://") for one in buckets) or None,
        default_endpoint=environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL", ""),
        region=region,
        identity=_identity(environ, has_hosts=bool(hosts)),
        credential_hosts=hosts,
    )


def personal_reach() -> ObjectStoreAccess:
    """Return access to any store, with the identity of the caller's environment."""
    return reach_of(os.environ, endpoints=None, buckets=())


def _identity(environ: Mapping[str, str], *, has_hosts: bool) -> StoreIdentity:
    if environ.get("AWS_SKIP_SIGNATURE", "").lower() in {"true", "1", "yes"}:
        return StoreIdentity.ANONYMOUS
    has_keys = bool(environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"))
    return StoreIdentity.NAMED if has_keys or has_hosts else StoreIdentity.NOBODY


def _credential_hosts(environ: Mapping[str, str], region: str) -> tuple[tuple[str, int], ...]:
    """Return where the libraries fetch the credentials of a role from, if a role is named."""
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
        address = environ.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{region}.amazonaws.com"
        return _host_of(address)
    if environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        return (_CONTAINER_HOST,)
    return _host_of(environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""))


def _host_of(address: str) -> tuple[tuple[str, int], ...]:
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return ((parts.hostname, port),) if parts.hostname else ()
