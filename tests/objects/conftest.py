"""One S3 server for all tests of this folder; it starts when the first one asks for it."""

from collections.abc import Callable, Iterator

import pytest
from object_values import BUCKET, CREDENTIALS

Put = Callable[[str, bytes], None]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - it takes seconds to load

    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    yield f"http://{host}:{port}"
    store.stop()


@pytest.fixture
def put(moto: str) -> Iterator[Put]:
    """Return how an object is put into the bucket, which is empty at first."""
    import boto3  # noqa: PLC0415 - as above

    client = boto3.client("s3", endpoint_url=moto, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    yield lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body)
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.delete_bucket(Bucket=BUCKET)
