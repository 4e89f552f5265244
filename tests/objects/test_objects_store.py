"""Objects of a real store are read like files, and every failure has a clear message."""

import pickle
import socket
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from object_values import (
    LATIN,
    job,
    parquet,
    refuse,
    server,
    store_that,
    table,
)

from contractwatch.engines.remote import relay
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.object_store_access import ObjectStoreAccess, StoreIdentity
from contractwatch.model.base.server import DataFormat
from contractwatch.model.measure.metric import RowCount, TableSchema
from contractwatch.model.measure.state import Count, TableColumns
from contractwatch.scan.scan import scan
from contractwatch.sources import open_server
from contractwatch.sources.search.object_search import matches
from tests.stores import ANY, BUCKET, CREDENTIALS, Put

ORDERS = table("orders", "id")


def found(moto: str, location: str, *names: str) -> list[str]:
    tables = tuple(table(name) for name in names or ("orders",))
    data = open_server(server(moto, location), tables, bases=(), roots=None, reach=ANY)
    return [file.path.removeprefix(f"s3://{BUCKET}/") for one in data.tables for file in one.files]


def test_a_location_stands_for_its_objects_as_a_path_for_its_files(moto: str, put: Put) -> None:
    keys = ["orders.parquet", "orders/1.parquet", "orders/deep/3.pq", "orders/d=1/4.parquet"]
    for key in (*keys, "orders/.hidden.parquet", "orders/_x/5.parquet", "orders/notes.txt"):
        put(key, b"x")
    put("orders/empty/", b"")
    put("lines/1.parquet", b"x")
    below = ["orders/1.parquet", "orders/d=1/4.parquet", "orders/deep/3.pq"]
    assert found(moto, f"s3://{BUCKET}/orders") == below
    assert found(moto, f"s3://{BUCKET}/{{object}}/") == below
    assert found(moto, f"s3://{BUCKET}/orders/**/*.parquet") == below[:2]
    assert found(moto, f"s3://{BUCKET}/orders/dee?") == ["orders/deep/3.pq"]
    assert found(moto, f"s3://{BUCKET}/orders.parquet") == ["orders.parquet"]
    assert found(moto, f"s3://{BUCKET}", "orders", "lines") == [
        "orders.parquet", *below, "lines/1.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("location", "keys"),
    [
        ("orders [2024].csv", ["orders [2024].csv"]),
        ("orders [20?4].csv", ["orders [2024].csv"]),
        ("*.csv", ["*.csv"]),
        ("[eu] */1.csv", ["[eu] north/1.csv"]),
        ("what?", ["what?/1.csv"]),
        ("what?/*", ["what?/1.csv", "whatX/1.csv"]),
        ("a*/b*.csv", ["a*/b*.csv"]),
    ],
)
def test_a_key_that_is_there_as_it_is_written_is_that_object_or_folder(
    moto: str, put: Put, location: str, keys: list[str]
) -> None:
    for key in ("orders 2.csv", "orders [2024].csv", "e north/1.csv", "[eu] north/1.csv"):
        put(key, b"id\n1\n")
    for key in ("*.csv", "what?/1.csv", "whatX/1.csv", "a*/b*.csv", "a/b.csv", "ab/bc.csv"):
        put(key, b"id\n1\n")
    where = server(moto, f"s3://{BUCKET}/{location}", DataFormat.CSV)
    data = open_server(where, (ORDERS,), bases=(), roots=None, reach=ANY)
    files = data.tables[0].files
    assert [file.path.removeprefix(f"s3://{BUCKET}/") for file in files] == keys


@pytest.mark.parametrize("name", ["x [1]", "x#1", "x%5B1", "x*", "x?1", "x+1"])
@pytest.mark.parametrize(
    ("data_format", "body"),
    [
        (DataFormat.CSV, b"id\n1\n"),
        (DataFormat.JSON, b'{"id": 1}\n'),
        (DataFormat.PARQUET, parquet(id=[1])),
    ],
)
def test_an_object_is_read_whatever_letters_its_key_has(
    moto: str, put: Put, name: str, data_format: DataFormat, body: bytes
) -> None:
    put(name, body)
    put("x1", b"something else")
    reading = scan(job(server(moto, f"s3://{BUCKET}/{name}", data_format), ORDERS))
    assert (reading.error, reading.measurements[RowCount("orders")]) == ("", Count(1))


def test_objects_of_several_shapes_unite_and_their_folders_are_columns(moto: str, put: Put) -> None:
    put("orders/day=2026-01-01/a b%.parquet", parquet(id=[1, 2]))
    put("orders/day=2026-01-02/ü.parquet", parquet(id=[3], note=["x"]))
    reading = scan(job(server(moto, f"s3://{BUCKET}/{{object}}/**"), ORDERS))
    assert (reading.error, reading.readable) == ("", True)
    assert reading.measurements[RowCount("orders")] == Count(3)
    schema = reading.measurements[TableSchema("orders")]
    assert isinstance(schema, TableColumns)
    assert [(one.name, one.kind) for one in schema.columns] == [
        ("id", "integer"), ("note", "string"),
        ("day", "string"),  # a folder is text, parsed where a contract says what it is
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"id\n1\n2\n", {"data_format": DataFormat.CSV}),
        (b"\xef\xbb\xbfid\n1\n2\n", {"data_format": DataFormat.CSV}),
        ("id;ü\n1;2\n2;3\n".encode("latin-1"), {"data_format": DataFormat.CSV, "read": LATIN}),
        (b'{"id": 1}\n{"id": 2}\n', {"data_format": DataFormat.JSON}),
        (b'[{"id": 1}, {"id": 2}]', {"data_format": DataFormat.JSON, "json_array": True}),
    ],
)
def test_text_is_read_from_a_store(
    moto: str, put: Put, body: bytes, where: dict[str, object]
) -> None:
    put("orders.txt", body)
    reading = scan(job(server(moto, f"s3://{BUCKET}/orders.txt", **where), ORDERS))
    assert (reading.error, reading.measurements[RowCount("orders")]) == ("", Count(2))


def test_changed_data_are_another_version_and_lacking_data_are_the_products_fault(
    moto: str, put: Put
) -> None:
    where = job(server(moto, f"s3://{BUCKET}/orders/*.parquet"), ORDERS)
    reading = scan(where)
    assert (reading.readable, reading.blame) == (False, Blame.PRODUCT)
    assert reading.error == f"no object matches 's3://{BUCKET}/orders/*.parquet'"
    put("orders/1.parquet", parquet(id=[1]))
    first = scan(where)
    put("orders/1.parquet", parquet(id=[2]))
    assert first.readable
    assert first.data_version != scan(where).data_version
    gone = scan(job(server(moto, "s3://elsewhere/x"), ORDERS))
    assert (gone.error, gone.blame) == ("there is no such bucket", Blame.PRODUCT)


def test_no_secret_is_in_what_leaves_a_worker(moto: str, put: Put) -> None:
    put("orders.parquet", parquet(id=[1]))
    where = job(server(moto, f"s3://{BUCKET}/orders.parquet"), ORDERS)
    data = open_server(where.server, where.tables, bases=(), roots=None, reach=ANY)
    told = repr((where, data)).encode() + pickle.dumps((where, data, scan(where)))
    assert not any(secret.encode() in told for secret in CREDENTIALS.values())


@pytest.mark.parametrize(
    ("status", "code", "told", "blame"),
    [
        (403, "InvalidAccessKeyId", "credentials are not accepted", Blame.AGENT),
        (403, "AccessDenied", "denies access", Blame.AGENT),
        (301, "PermanentRedirect", "in another region; set AWS_REGION", Blame.AGENT),
        (404, "NoSuchBucket", "no such bucket", Blame.PRODUCT),
    ],
)
def test_a_refusal_is_told_with_who_is_to_blame(
    status: int, code: str, told: str, blame: Blame
) -> None:
    with store_that(lambda handler: refuse(handler, status, code)) as endpoint:
        reading = scan(job(server(endpoint, f"s3://{BUCKET}/x/*"), ORDERS))
    assert told in reading.error
    assert reading.blame is blame


def test_a_redirect_to_another_host_is_not_followed() -> None:
    asked: list[str] = []
    with store_that(lambda handler: asked.append(handler.path)) as target:
        answer = lambda handler: refuse(handler, 307, "Moved", f"{target}/secret")  # noqa: E731
        with store_that(answer) as endpoint:
            reading = scan(job(server(endpoint, f"s3://{BUCKET}/x/*"), ORDERS))
    assert "a redirect to another host (127.0.0.1) is not followed" in reading.error
    assert (reading.blame, asked) == (Blame.AGENT, [])


def test_a_store_that_does_not_answer_is_given_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "IDLE_SECONDS", 0.2)
    over = relay.threading.Event()
    with store_that(lambda _: over.wait(20)) as endpoint:
        reading = scan(job(server(endpoint, f"s3://{BUCKET}/x/*"), ORDERS))
        over.set()
    assert reading.error == "127.0.0.1 did not answer in time"
    assert (reading.blame, reading.readable) == (Blame.AMBIGUOUS, None)


HERE = ObjectStoreAccess(endpoints=(), identity=StoreIdentity.NAMED)


@pytest.mark.parametrize(
    ("endpoint", "reach", "told"),
    [
        ("http://127.0.0.1:9", HERE, "is not allowed; the operator names hosts in s3_endpoints"),
        ("http://169.254.169.254", ANY, "has an address that is never connected to"),
        ("http://[::ffff:169.254.169.254]", ANY, "has an address that is never connected to"),
        ("http://u:p@127.0.0.1", ANY, "endpointUrl is no address"),
        ("file:///etc", ANY, "endpointUrl is no address"),
        ("http://127.0.0.1:9", replace(HERE, endpoints=("127.0.0.1",)), "is not allowed"),
        ("http://127.0.0.1:9", replace(HERE, endpoints=("127.0.0.1:9",)), "take connections"),
        ("http://127.0.0.1:9", replace(ANY, buckets=("lake/y",)), "outside the buckets"),
        ("http://127.0.0.1:9", replace(ANY, identity=StoreIdentity.NOBODY), "no credentials"),
    ],
)
def test_a_contract_reaches_no_further_than_allowed(
    endpoint: str, reach: ObjectStoreAccess, told: str
) -> None:
    reading = scan(job(server(endpoint, f"s3://{BUCKET}/x"), ORDERS, reach=reach))
    assert told in reading.error
    assert reading.readable is not True


def test_a_name_that_leads_to_a_private_address_is_refused_unless_it_was_named() -> None:
    place = ("store.example", 443)
    path = relay.Relay(relay.RelayTarget(place, allows_private=False), lambda *_: ("10.0.0.1",))
    with pytest.raises(SourceError, match="has a private address"):
        path._connect(place)
    with pytest.raises(SourceError, match="was not found by name"):
        relay.Relay(relay.RelayTarget(place, allows_private=False), _unknown)._connect(place)


def _unknown(host: str, port: int) -> tuple[str, ...]:
    raise OSError(host, port)


def test_one_table_that_is_not_there_leaves_the_others_read(moto: str, put: Put) -> None:
    put("orders.parquet", parquet(id=[1]))
    where = server(moto, f"s3://{BUCKET}/{{object}}.parquet")
    reading = scan(job(where, ORDERS, table("lines")))
    assert (reading.readable, reading.error) == (False, "")
    assert reading.measurements[RowCount("orders")] == Count(1)


PATHS = ["**", "*", "a", "b*", "**/a", "a/**", "a/*/b", "**/b/**", "?", "b?"]


@given(st.sampled_from(PATHS), st.lists(st.sampled_from(["a", "b", "bc"]), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_glob_means_for_keys_what_it_means_for_paths(pattern: str, parts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, *parts[:-1]).mkdir(parents=True, exist_ok=True)
        Path(folder, *parts).touch()
        found = {path.relative_to(folder).parts for path in Path(folder).glob(pattern)}
    above = [tuple(parts[:at]) for at in range(len(parts) + 1)]
    # Whether `**` at the end matches files, too, differs from one Python to the next.
    ruled_out = {tuple(parts)} if pattern.endswith("**") else set[tuple[str, ...]]()
    matched = {one for one in above if matches(pattern.split("/"), one)}
    assert matched - ruled_out == found - ruled_out


def test_a_tunnel_leads_to_the_one_host_and_to_no_other() -> None:
    with store_that(lambda handler: refuse(handler, 404, "Nothing")) as endpoint:
        place = relay.host_and_port(endpoint)
        through = relay.Relay(relay.RelayTarget(place, allows_private=True))
        assert b"404 Not Found" in _tunnelled(through, *place)
        assert b"403 Forbidden" in _tunnelled(through, "127.0.0.2", place[1])


def _tunnelled(through: relay.Relay, host: str, port: int) -> bytes:
    with socket.create_connection(relay.host_and_port(through.address), timeout=10) as client:
        client.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
        answer = client.recv(4096)
        if b" 200 " in answer:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.recv(4096)
        return answer
