"""A server on loopback that answers with bad intent: byte by byte, without end, packed a thousandfold."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator

__all__ = ["HostileServer", "hostile_server"]

_BLOCK = b"0" * 65536
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class HostileServer:
    """Answers each path in its own way; it waits on an event only, which the end of the test sets."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self.sent = 0
        self.requests: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self._listening.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while not self.closing.is_set():
            connection, _ = self._listening.accept()
            thread = threading.Thread(target=self._answer, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            asked = b""
            while b"\r\n\r\n" not in asked:
                piece = connection.recv(65536)
                if not piece:
                    return
                asked += piece
            self.requests.append(asked)
            path = asked.split(b" ")[1].partition(b"?")[0].decode()
            for piece in _ANSWERS[path](self):
                connection.sendall(piece)
                self.sent += len(piece)

    def drip(self, data: bytes) -> Iterator[bytes]:
        """Give the data byte by byte; no byte keeps anybody waiting for long."""
        for number in range(len(data)):
            if self.closing.wait(0.01):
                return
            yield data[number : number + 1]


def _whole(body: bytes, *headers: bytes) -> Iterator[bytes]:
    yield _OK + b"".join(b"%s\r\n" % header for header in headers)
    yield b"Content-Length: %d\r\n\r\n" % len(body) + body


def _dripping_body(server: HostileServer) -> Iterator[bytes]:
    yield _OK + b"Content-Length: 2000\r\n\r\n"
    yield from server.drip(b"0" * 2000)


def _dripping_headers(server: HostileServer) -> Iterator[bytes]:
    yield from server.drip(_OK + b"X-Filler: " + b"0" * 2000)


def _silent(server: HostileServer) -> Iterator[bytes]:
    server.closing.wait(10)
    yield b""


def _gigabytes(_: HostileServer) -> Iterator[bytes]:
    """Send four gigabytes without saying how many."""
    yield _OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for _block in range(65536):
        yield b"%x\r\n" % len(_BLOCK) + _BLOCK + b"\r\n"


def _packed(_: HostileServer) -> Iterator[bytes]:
    """Send eight megabytes of zeros as eight thousand bytes."""
    return _whole(gzip.compress(bytes(8_000_000)), b"Content-Encoding: gzip")


def _packed_twice(_: HostileServer) -> Iterator[bytes]:
    return _whole(gzip.compress(gzip.compress(bytes(8_000_000))), b"Content-Encoding: gzip, gzip")


def _small(_: HostileServer) -> Iterator[bytes]:
    return _whole(gzip.compress(b'{"sku": "MUG"}'), b"Content-Encoding: gzip")


def _cut(_: HostileServer) -> Iterator[bytes]:
    return _whole(gzip.compress(b'{"sku": "MUG"}')[:-9], b"Content-Encoding: gzip")


def _not_gzip(_: HostileServer) -> Iterator[bytes]:
    return _whole(b'{"sku": "MUG"}', b"Content-Encoding: gzip")


def _two_files(_: HostileServer) -> Iterator[bytes]:
    return _whole(gzip.compress(b"[1]") + gzip.compress(b"[2]"), b"Content-Encoding: gzip")


def _deflated(_: HostileServer) -> Iterator[bytes]:
    return _whole(zlib.compress(b"[1]"), b"Content-Encoding: deflate")


def _exact(_: HostileServer) -> Iterator[bytes]:
    return _whole(b"0" * 1000)


def _one_too_many(_: HostileServer) -> Iterator[bytes]:
    return _whole(b"0" * 1001)


_ANSWERS: dict[str, Callable[[HostileServer], Iterator[bytes]]] = {
    "/dripping-body": _dripping_body,
    "/dripping-headers": _dripping_headers,
    "/silent": _silent,
    "/gigabytes": _gigabytes,
    "/packed": _packed,
    "/packed-twice": _packed_twice,
    "/small": _small,
    "/cut": _cut,
    "/not-gzip": _not_gzip,
    "/two-files": _two_files,
    "/deflated": _deflated,
    "/exact": _exact,
    "/one-too-many": _one_too_many,
}


@contextlib.contextmanager
def hostile_server() -> Iterator[HostileServer]:
    server = HostileServer()
    try:
        yield server
    finally:
        server.close()
