"""Fixtures of all tests: an S3 server and databases, which start on first use."""

from collections.abc import Iterator

import pytest

from tests.databases import (
    Database,
    DatabaseServer,
    fresh_database,
    serve_mariadb,
    serve_postgres,
)
from tests.stores import BUCKET, CREDENTIALS, Put


@pytest.fixture
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
def put(moto: str, credentials: None) -> Iterator[Put]:
    """Return how an object is put into the bucket, which is empty at first."""
    import boto3  # noqa: PLC0415 - as above

    client = boto3.client("s3", endpoint_url=moto, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    yield lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="session")
def postgres() -> Iterator[DatabaseServer]:
    yield from serve_postgres()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    yield from serve_mariadb()


@pytest.fixture
def postgres_database(postgres: DatabaseServer) -> Iterator[Database]:
    yield from fresh_database(postgres)


@pytest.fixture
def mariadb_database(mariadb: DatabaseServer) -> Iterator[Database]:
    yield from fresh_database(mariadb)
