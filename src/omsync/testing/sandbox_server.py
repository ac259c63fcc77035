"""A sandbox over HTTP: a server on loopback that answers with whatever the sandbox says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from omsync.http.messages import Request

if TYPE_CHECKING:
    from omsync.testing.sandbox import Answer

__all__ = ["SandboxServer"]


class SandboxServer:
    """A running server; use it as a context manager, or call ``stop()``.

    Args:
        answer: Answers one request; called from many threads.
    """

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self._server = _Server(answer)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="omsync-sandbox",
            daemon=True,
        )
        self._thread.start()

    @property
    def base_url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop listening and close every connection; stopping twice is harmless."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server.close_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SandboxServer at {self.base_url}>"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """End connections that clients keep open; their threads end with them."""
        with self._open_lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):  # The client was faster.
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: a client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    server_version = "omsync-sandbox"
    sys_version = ""

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_GET  # noqa: N815  the base class calls verbs by these names
    do_PUT = do_GET  # noqa: N815  likewise
    do_PATCH = do_GET  # noqa: N815  likewise
    do_DELETE = do_GET  # noqa: N815  likewise

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the base class
        """Stay quiet; the sandbox keeps its own log."""

    def _respond(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            url=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers=dict(self.headers.items()),
            raw=content or None,
        )
        try:
            answer = self.server.answer(request)
        except Exception as error:  # noqa: BLE001  a fault's edit function is the user's, and may raise anything
            self.close_connection = True
            self.send_error(500, explain=f"{type(error).__name__}: {error}")
            return
        if answer.arrives in {"nothing", "never"}:
            self.close_connection = True
            if answer.arrives == "never":
                self._wait_until_the_client_gives_up()
            return
        content = answer.response.content
        self.send_response(answer.response.status)
        for name, value in answer.response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if answer.arrives in {"half", "reset"}:
            content = content[: len(content) // 2]
            self.close_connection = True
        for piece in _drops(content) if answer.arrives == "drip" else [content]:
            self.wfile.write(piece)
            self.wfile.flush()
        if answer.arrives == "reset":
            # Closing a socket that does not linger resets the connection.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _wait_until_the_client_gives_up(self) -> None:
        with contextlib.suppress(OSError):  # A client may give up with a reset.
            self.connection.recv(1)


def _drops(content: bytes) -> Iterator[bytes]:
    return (content[at : at + 1] for at in range(len(content)))
