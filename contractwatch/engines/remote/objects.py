"""Read objects of a store like files: by Polars where it can, else range by range.

Credentials are taken from the environment by the libraries themselves: they pass through no value
of ours, so that no plan, message or pickle can hold them.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from contractwatch.engines.remote.relay import relay_failure
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import DataFile, RemoteStore

SCHEME = "s3://"
STORE_ERROR = "object-store error"
"""How Polars begins what it says of a store."""

MAX_HELD_BYTES = 256 * 1024 * 1024
"""No larger object is held in memory as a whole."""

_PIECE_BYTES = 256 * 1024
_REQUEST_SECONDS = "30s"
_RETRIES = 2
_OBJECT_GONE = "an object went away while it was read"
_NO_CREDENTIALS = "the agent's credentials are not accepted"

# Parts of the stores' answers that tell causes apart, in the order in which they are looked for.
_CAUSES: tuple[tuple[tuple[str, ...], str, Blame], ...] = (
    (("nosuchbucket",), "there is no such bucket", Blame.PRODUCT),
    (("invalidaccesskeyid", "signaturedoesnotmatch"), _NO_CREDENTIALS, Blame.AGENT),
    (("expiredtoken", "invalidtoken", "401 unauthorized"), _NO_CREDENTIALS, Blame.AGENT),
    (("403 forbidden",), "the store denies access to the agent's credentials", Blame.AGENT),
    (
        ("redirect without location", "authorizationheadermalformed", "permanentredirect"),
        "the bucket is in another region; set AWS_REGION",
        Blame.AGENT,
    ),
    (("status code: 5",), "the store answers with an error of its own", Blame.AMBIGUOUS),
    (("timed out", "kind: timeout"), "the store did not answer in time", Blame.AMBIGUOUS),
    (("body error", "sending request"), "the connection was cut", Blame.AMBIGUOUS),
    (("invalid path",), "a key has an empty part or '..' in it", Blame.PRODUCT),
    (("not found",), _OBJECT_GONE, Blame.PRODUCT),
)

T = TypeVar("T")


def scan_options(remote: RemoteStore | None) -> dict[str, Any]:
    """Return the options of a Polars scan for a store; empty for files."""
    if remote is None:
        return {}
    options: dict[str, Any] = {
        "aws_endpoint_url": remote.endpoint,
        "aws_region": remote.region,
        "aws_allow_http": "true",
        "aws_skip_signature": str(remote.is_anonymous).lower(),
        "proxy_url": remote.relay,
        "timeout": _REQUEST_SECONDS,
        "max_retries": _RETRIES,
    }
    return {"storage_options": options, "credential_provider": None}


def store_of(remote: RemoteStore) -> Any:
    """Return the bucket as a store of obstore.

    Raises:
        SourceError: If the library is not installed.
    """
    try:
        # An extra: agents that read no object store do not install it.
        from obstore.store import S3Store  # noqa: PLC0415 - see above
    except ImportError:
        raise SourceError(
            "reading object stores needs contractwatch-agent[s3]; install it",
            retryable=False,
            blame=Blame.AGENT,
        ) from None
    return S3Store(
        remote.bucket,
        endpoint=remote.endpoint,
        region=remote.region,
        skip_signature=remote.is_anonymous,
        client_options={
            "allow_http": True,
            "proxy_url": remote.relay,
            "timeout": _REQUEST_SECONDS,
        },
        retry_config={"max_retries": _RETRIES},
    )


def open_stream(path: str, remote: RemoteStore | None) -> BinaryIO:
    """Return a file, or an object that is fetched piece by piece as it is read.

    Raises:
        OSError: If the file cannot be opened.
        SourceError: If the object cannot be read; also while it is read.
    """
    if remote is None:
        return Path(path).open("rb")
    return cast("BinaryIO", io.BufferedReader(_ObjectStream(path, remote), _PIECE_BYTES))


def first_bytes(path: str, remote: RemoteStore | None, count: int) -> bytes:
    """Return the first bytes of a file or an object, and fetch no more than those.

    Raises:
        OSError, SourceError: As `open_stream` does.
    """
    with Path(path).open("rb") if remote is None else _ObjectStream(path, remote) as found:
        return found.read(count) or b""


def read_all(path: str, remote: RemoteStore | None) -> bytes:
    """Return all bytes of a file or an object.

    Raises:
        OSError: If the file cannot be read.
        SourceError: If the object cannot be read, or is too large to be held.
    """
    if remote is None:
        return Path(path).read_bytes()
    with _ObjectStream(path, remote) as found:
        if found.size > MAX_HELD_BYTES:
            raise SourceError(
                f"objects over {MAX_HELD_BYTES // 1024**2} MB are not read whole; this format or "
                "encoding needs it",
                retryable=False,
                blame=Blame.AGENT,
            )
        return io.BufferedReader(found, _PIECE_BYTES).read()


def read_as_listed(file: DataFile, remote: RemoteStore | None) -> bytes:
    """Return all bytes of a file or an object, as it was when it was listed.

    Raises:
        OSError: If the file cannot be read.
        SourceError: If the object cannot be read, or if either is another one by now.
    """
    if remote is None:
        with Path(file.open_path).open("rb") as found:
            return _check_unchanged(found.read(file.size + 1), file)
    store = store_of(remote)
    # An extra, as above.
    import obstore  # noqa: PLC0415 - see above

    key = file.path.removeprefix(f"{SCHEME}{remote.bucket}/")
    try:
        return call_store(remote, lambda: _read_body(obstore.get(store, key), file))
    except FileNotFoundError:
        raise SourceError(_OBJECT_GONE, retryable=True, blame=Blame.PRODUCT) from None


def _read_body(answer: Any, file: DataFile) -> bytes:
    """Return the body of a store's answer, which must have the listed size."""
    etag = str(answer.meta["e_tag"] or "")
    is_other = bool(etag and file.etag) and etag.strip('"') != file.etag.strip('"')
    if is_other or answer.meta["size"] != file.size:
        raise _changed()
    return _check_unchanged(b"".join(answer.stream()), file)


def _check_unchanged(found: bytes, file: DataFile) -> bytes:
    if len(found) != file.size:
        raise _changed()
    return found


def _changed() -> SourceError:
    return SourceError("a file changed while it was read", retryable=True, blame=Blame.PRODUCT)


class _ObjectStream(io.RawIOBase):
    """Object as a stream; each read fetches its range from the store."""

    def __init__(self, path: str, remote: RemoteStore) -> None:
        self._store, self._remote = store_of(remote), remote
        self._key = path.removeprefix(f"{SCHEME}{remote.bucket}/")
        self._at = 0
        # An extra, as above.
        import obstore  # noqa: PLC0415 - see above

        self._obstore = obstore
        self.size = int(call_store(remote, lambda: obstore.head(self._store, self._key))["size"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        end = min(self._at + len(buffer), self.size)
        if end <= self._at:
            return 0
        piece = call_store(
            self._remote,
            lambda: self._obstore.get_range(self._store, self._key, start=self._at, end=end),
        )
        count = len(piece)
        buffer[:count] = piece
        self._at += count
        return count


def call_store(remote: RemoteStore, ask: Callable[[], T]) -> T:
    """Call a store and return its answer.

    Raises:
        FileNotFoundError: If the object is gone.
        SourceError: If there is no answer.
    """
    try:
        return ask()
    except FileNotFoundError:
        if relay_failure(remote.relay) is None:
            raise
        raise store_error("", remote.relay) from None
    except SourceError:
        raise
    except Exception as error:  # obstore's errors are no OSError, and it is loaded only if needed
        raise store_error(str(error), remote.relay) from error


def store_error(message: str, relay: str) -> SourceError:
    """Return why a store gave no answer, in our words: its own may name keys.

    Args:
        message: The message of a reader, or one of our own sentences; empty if it is not known.
        relay: The address of the relay to the store, which may know better.
    """
    trouble = relay_failure(relay)
    if trouble is not None:
        return SourceError(str(trouble), retryable=trouble.retryable, blame=trouble.blame)
    lower = message.lower()
    for parts, sentence, blame in _CAUSES:
        if any(part in lower for part in (*parts, sentence.lower())):
            return SourceError(sentence, retryable=sentence == _OBJECT_GONE, blame=blame)
    return SourceError(
        "the store's answer is not understood", retryable=False, blame=Blame.AMBIGUOUS
    )
