"""Constants of all tests of object stores: the bucket and its credentials."""

from collections.abc import Callable

from contractwatch.model.base.object_store_access import ObjectStoreAccess, StoreIdentity

BUCKET = "lake"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret-key"}
ANY = ObjectStoreAccess(endpoints=None, identity=StoreIdentity.NAMED)

Put = Callable[[str, bytes], None]


def in_store(endpoint: str, location: str) -> dict[str, str]:
    """Return what an Iceberg catalog is told, to write its tables into the store."""
    return {
        "warehouse": location,
        "s3.endpoint": endpoint,
        "s3.region": "us-east-1",
        "s3.access-key-id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "s3.secret-access-key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
