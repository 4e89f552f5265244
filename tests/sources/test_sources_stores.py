"""Tables in object stores lead nowhere outside of their location; every failure has a message."""

import fcntl
import os
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import polars as pl
import pytest
from delta_writing import bitmap, by_hand, z85
from deltalake import write_deltalake
from table_format_values import NOW, ROWS, asked, opened_at, promised

from contractwatch.engines.remote import relay
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.measure.metric import RowCount, TableSchema
from contractwatch.model.measure.state import Count
from contractwatch.model.record.run import Reading
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.sources.table_formats import delta, table_folders
from tests.objects.object_values import refuse, store_that
from tests.stores import ANY, BUCKET, CREDENTIALS, Put

TABLE = f"s3://{BUCKET}/in/table"
DELTA = DataFormat.DELTA


def published(folder: Path, put: Put, key: str = "in/table") -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            put(f"{key}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def read(endpoint: str, location: str = TABLE, data_format: DataFormat = DELTA) -> Reading:
    server = Server(
        Clause("servers[0]", 1), "live", "s3", path=location, data_format=data_format,
        endpoint=endpoint,
    )  # fmt: skip
    metrics = frozenset({RowCount("orders"), TableSchema("orders")})
    return scan(ScanJob(server, promised(["orders"]), metrics, (), None, NOW, reach=ANY))


def test_a_table_in_a_store_is_one_reading(tmp_path: Path, moto: str, put: Put) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    published(tmp_path, put)
    first = read(moto)
    again = read(moto)
    write_deltalake(tmp_path, pl.DataFrame({"id": [3]}), mode="append")
    published(tmp_path, put)
    second = read(moto)
    assert (first.error, first.readable) == ("", True)
    assert first.measurements[ROWS] == Count(2)
    assert second.measurements[ROWS] == Count(3)
    assert first.data_version == again.data_version != second.data_version
    sizes = [path.stat().st_size for path in tmp_path.glob("*.parquet")]
    assert second.file_bytes == sum(sizes)


def test_the_files_of_a_table_have_what_the_store_says_of_them(
    tmp_path: Path, moto: str, put: Put
) -> None:
    for number in range(12):  # more than are asked for one by one
        write_deltalake(tmp_path, pl.DataFrame({"id": [number]}), mode="append")
    published(tmp_path, put)
    put("in/table/zzz.parquet", b"no part of the table")
    (found,) = opened_at(moto, TABLE, DELTA).tables
    assert len(found.files) == 12
    for file in found.files:
        path = tmp_path / file.path.removeprefix(f"{TABLE}/")
        assert file.size == path.stat().st_size
        assert file.etag


OUTSIDE = [
    "file:///etc/hostname",
    "/etc/hostname",
    "../outside/secret.parquet",
    "%2E%2E/outside/secret.parquet",
    f"s3://{BUCKET}/outside/secret.parquet",
    f"s3://{BUCKET}/in/table/../../outside/secret.parquet",
    f"s3://{BUCKET}/in/tables/secret.parquet",
    "s3://another/in/table/secret.parquet",
    f"s3a://{BUCKET}/outside/secret.parquet",
    "https://127.0.0.1:9/secret.parquet",
    "a//secret.parquet",
    "./secret.parquet",
]


@pytest.mark.parametrize("named", OUTSIDE)
def test_a_delta_log_in_a_store_leads_nowhere_outside(
    tmp_path: Path, moto: str, put: Put, named: str
) -> None:
    by_hand(tmp_path, {"id": ("long", "id")}, [{"path": named}])
    published(tmp_path, put)
    pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "secret.parquet")
    for key in ("outside", "in/tables", "in/table"):
        put(f"{key}/secret.parquet", (tmp_path / "secret.parquet").read_bytes())
    reading = read(moto)
    assert "holds a table that names files outside of its own location" in reading.error
    assert reading.blame is Blame.PRODUCT


@pytest.mark.parametrize("named", ["x/one.parquet", f"{TABLE}/x/one.parquet"])
def test_a_delta_log_may_name_its_own_files_by_their_addresses(
    tmp_path: Path, moto: str, put: Put, named: str
) -> None:
    by_hand(tmp_path, {"id": ("long", "id")}, [{"path": named}])
    (tmp_path / "x").mkdir()
    pl.DataFrame({"id": [1, 2]}).write_parquet(tmp_path / "x" / "one.parquet")
    published(tmp_path, put)
    assert read(moto).measurements[ROWS] == Count(2)


@pytest.mark.parametrize(
    ("inner", "told"),
    [("", ""), ("in", ""), ("../outside", "outside of its folder"), ("%2E%2E/x", "outside")],
)
def test_deletion_vectors_in_a_store_are_those_of_the_table(
    tmp_path: Path, moto: str, put: Put, inner: str, told: str
) -> None:
    letters = bytes(range(16))
    data = bitmap([0])
    checked = len(data).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
    vector = {
        "storageType": "u", "pathOrInlineDv": inner + z85(letters), "offset": 1,
        "sizeInBytes": len(data), "cardinality": 1,
    }  # fmt: skip
    added = [{"path": "one.parquet", "stats": '{"numRecords": 2}', "deletionVector": vector}]
    by_hand(tmp_path, {"id": ("long", "id")}, added, features=["deletionVectors"])
    pl.DataFrame({"id": [1, 2]}).write_parquet(tmp_path / "one.parquet")
    published(tmp_path, put)
    name = "deletion_vector_00010203-0405-0607-0809-0a0b0c0d0e0f.bin"
    put(f"in/table/{inner}/{name}".replace("//", "/"), b"\1" + checked)
    reading = read(moto)
    assert told in reading.error
    assert told or reading.measurements[ROWS] == Count(1)


def test_a_clone_with_vectors_by_absolute_paths_is_refused(
    tmp_path: Path, moto: str, put: Put
) -> None:
    vector = {
        "storageType": "p", "pathOrInlineDv": "https://127.0.0.1:9/vector.bin", "offset": 1,
        "sizeInBytes": 30, "cardinality": 1,
    }  # fmt: skip
    added = [{"path": "one.parquet", "deletionVector": vector}]
    by_hand(tmp_path, {"id": ("long", "id")}, added, features=["deletionVectors"])
    published(tmp_path, put)
    assert "deletion vectors by absolute paths" in read(moto).error


def test_a_record_that_changed_since_it_was_listed_is_read_anew(
    tmp_path: Path, moto: str, put: Put
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1, 2]}))
    published(tmp_path, put)
    data = opened_at(moto, TABLE, DELTA)
    (log,) = (tmp_path / "_delta_log").glob("*.json")
    log.write_bytes(log.read_bytes().replace(b"part-", b"part/"))
    published(tmp_path, put)
    failure = asked(data, ROWS).failures["orders"]
    assert "a file changed while it was read" in str(failure)
    assert failure.retryable


def test_a_table_is_in_the_buckets_that_the_operator_allowed(
    tmp_path: Path, moto: str, put: Put
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1]}))
    published(tmp_path, put)
    path, outside = replace(ANY, buckets=(f"{BUCKET}/in",)), replace(ANY, buckets=("lake/out",))
    assert asked(opened_at(moto, TABLE, DELTA, reach=path), ROWS).measurements == {ROWS: Count(1)}
    with pytest.raises(SourceError, match="is outside the buckets that the operator allowed"):
        opened_at(moto, TABLE, DELTA, reach=outside)
    with pytest.raises(SourceError, match="holds a wildcard; expected the folder of one table"):
        opened_at(moto, f"s3://{BUCKET}/in/*", DELTA)
    with pytest.raises(SourceError, match="is not allowed; the operator names hosts"):
        opened_at("http://127.0.0.1:9", TABLE, DELTA, reach=replace(ANY, endpoints=()))


def test_what_an_ended_worker_left_is_cleared_and_what_another_one_uses_stays(
    tmp_path: Path, moto: str, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_deltalake(tmp_path / "table", pl.DataFrame({"id": [1]}))
    published(tmp_path / "table", put)
    copies = tmp_path / "copies"
    left, used, young = (copies / f"contractwatch-log-{name}" for name in ("a", "b", "c"))
    for folder in (left, used, young):
        folder.mkdir(parents=True)
        (folder / "x.json").write_text("{}")
    for folder in (left, used):
        os.utime(folder, (0, 0))
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    number = os.open(used, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    assert read(moto).measurements[ROWS] == Count(1)
    os.close(number)
    assert sorted(copies.iterdir()) == [used, young]


@pytest.mark.parametrize("data_format", sorted(table_folders.TABLE_FORMATS))
def test_no_table_in_a_store_is_told_as_such(moto: str, put: Put, data_format: DataFormat) -> None:
    put("in/table/one.parquet", b"x")
    reading = read(moto, data_format=data_format)
    assert f"no {data_format.value} table is at '{TABLE}'" in reading.error
    assert (reading.blame, reading.readable) == (Blame.PRODUCT, False)


def test_an_endless_log_is_not_fetched(
    tmp_path: Path, moto: str, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1]}))
    published(tmp_path, put)
    monkeypatch.setattr(delta, "MAX_BYTES", 100)
    reading = read(moto)
    assert "holds a table whose log has more than" in reading.error
    assert reading.blame is Blame.PRODUCT


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"add": ' * 100_000, "not json", '{"add": {"path": 5}}', "\x00" * 4096]
)
def test_a_log_that_makes_no_sense_is_broken(
    tmp_path: Path, moto: str, put: Put, line: str
) -> None:
    write_deltalake(tmp_path, pl.DataFrame({"id": [1]}))
    (tmp_path / "_delta_log" / f"{1:020}.json").write_text(line)
    published(tmp_path, put)
    reading = read(moto)
    assert "the delta table cannot be opened: its log is broken" in reading.error
    assert reading.blame is Blame.PRODUCT


LISTED = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lake</Name>
<IsTruncated>false</IsTruncated><Contents><Key>in/table/{key}</Key><Size>20</Size>
<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag></Contents>
</ListBucketResult>"""


def lists_and_then(
    answer: Callable[[BaseHTTPRequestHandler], object],
) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer as a store that has one file of a record, and gives it by `answer`."""

    def answered(handler: BaseHTTPRequestHandler) -> None:
        if "list-type=2" in handler.path:
            is_delta = "_delta_log" in handler.path
            key = f"_delta_log/{0:020}.json" if is_delta else "metadata/v1.metadata.json"
            sent(handler, LISTED.format(key=key).encode())
        else:
            answer(handler)

    return answered


def sent(handler: BaseHTTPRequestHandler, body: bytes, **headers: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize("data_format", sorted(table_folders.TABLE_FORMATS))
@pytest.mark.parametrize(
    ("status", "code", "told", "blame"),
    [
        (403, "AccessDenied", "denies access", Blame.AGENT),
        (404, "NoSuchKey", "went away while it was read", Blame.PRODUCT),
        (400, "Bad", "is not understood", Blame.AMBIGUOUS),
    ],
)
def test_a_store_that_lists_a_record_and_does_not_give_it(
    data_format: DataFormat, status: int, code: str, told: str, blame: Blame, credentials: None
) -> None:
    with store_that(lists_and_then(lambda one: refuse(one, status, code))) as endpoint:
        reading = read(endpoint, data_format=data_format)
    assert told in reading.error
    assert reading.blame is blame
    assert not any(secret in reading.error for secret in CREDENTIALS.values())


def test_a_store_that_gives_more_than_it_listed(credentials: None) -> None:
    def longer(handler: BaseHTTPRequestHandler) -> None:
        sent(handler, b"{}" * 1000, ETag='"e"')

    with store_that(lists_and_then(longer)) as endpoint:
        reading = read(endpoint)
    assert reading.error == "a file changed while it was read"


def test_a_record_is_not_fetched_from_another_host(credentials: None) -> None:
    asked_for: list[str] = []
    with store_that(lambda handler: asked_for.append(handler.path)) as target:
        moved = lists_and_then(lambda one: refuse(one, 307, "Moved", f"{target}/secret"))
        with store_that(moved) as endpoint:
            reading = read(endpoint)
    assert "a redirect to another host (127.0.0.1) is not followed" in reading.error
    assert (reading.blame, asked_for) == (Blame.AGENT, [])


@pytest.mark.parametrize("data_format", sorted(table_folders.TABLE_FORMATS))
def test_a_store_that_lists_a_record_and_hangs_is_given_up(
    data_format: DataFormat, credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "IDLE_SECONDS", 0.2)
    over = relay.threading.Event()
    with store_that(lists_and_then(lambda _: over.wait(20))) as endpoint:
        reading = read(endpoint, data_format=data_format)
        over.set()
    assert "127.0.0.1 did not answer in time" in reading.error
    assert (reading.blame, reading.readable) == (Blame.AMBIGUOUS, None)
