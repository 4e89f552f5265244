"""Object stores that contracts may read, and the identity they are read with; holds no secret."""

from dataclasses import dataclass
from enum import StrEnum


class StoreIdentity(StrEnum):
    """Identity with which object stores are read; the credentials stay in the environment."""

    NOBODY = "nobody"
    ANONYMOUS = "anonymous"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class ObjectStoreAccess:
    """Object stores and buckets that may be read, and the store's region and identity.

    `endpoints` are the hosts (also `host:port`, or a whole address) that a contract may name, None
    for any: the rights of the person who asks. `buckets` are those that may be read, each with the
    prefix below it if one is written; None for any. `default_endpoint` is the address where a
    contract names none; empty for the provider's own. `credential_hosts` are where the environment
    says that credentials are fetched, as host and port.
    """

    endpoints: tuple[str, ...] | None = ()
    buckets: tuple[str, ...] | None = None
    default_endpoint: str = ""
    region: str = "us-east-1"
    identity: StoreIdentity = StoreIdentity.NOBODY
    credential_hosts: tuple[tuple[str, int], ...] = ()


NO_OBJECT_STORES = ObjectStoreAccess()
"""Nothing but the provider's own endpoint, and nobody to ask it as."""
