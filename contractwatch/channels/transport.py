"""An httpx transport that connects through the guard, with one deadline for the whole request."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from socket import socket
from ssl import SSLContext

import httpcore
import httpx

from contractwatch.channels.guard import Gate


class _Body(httpx.SyncByteStream):
    """The raw body of a response, closed with its connection."""

    def __init__(self, stream: Iterable[bytes], close: Callable[[], None]) -> None:
        self._stream = stream
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._close()


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport for one request, which connects through the gate."""

    def __init__(self, gate: Gate) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=gate.tls, retries=0, network_backend=_Backend(gate)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read(),
            )
        )
        body = _Body(response.iter_stream(), response.close)
        return httpx.Response(response.status, headers=response.headers, stream=body)

    def close(self) -> None:
        self._pool.close()


class _Backend(httpcore.NetworkBackend):
    """Connects through the gate; the pool's own time limits are not used."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        del timeout, local_address, socket_options
        return _Stream(self._gate.connect(host, port), self._gate)


class _Stream(httpcore.NetworkStream):
    """A socket on which each wait ends at the deadline, however slowly its bytes drip."""

    def __init__(self, sock: socket, gate: Gate) -> None:
        self._socket = sock
        self._gate = gate

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        with _renamed(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(self._gate.deadline.left())
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        with _renamed(httpcore.WriteTimeout, httpcore.WriteError):
            self._socket.settimeout(self._gate.deadline.left())
            self._socket.sendall(buffer)

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        del ssl_context, timeout
        return _Stream(self._gate.secure(self._socket, server_hostname or ""), self._gate)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def _renamed(late: type[Exception], broken: type[Exception]) -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late from error
    except OSError as error:
        raise broken from error
