"""The only module that names the HTTP library; a change of library is a change of this file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

import httpx

from omsync.errors import DecodeError, LostAnswerError, OmsyncError, SettingsError, UnreachableError
from omsync.http.loop_thread import LoopThread
from omsync.http.messages import Request, Response
from omsync.http.network import Network, too_large
from omsync.http.unpacking import gunzipped

__all__ = ["AsyncHttp", "Http"]

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BAD_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_BAD_TEXT = (httpx.LocalProtocolError, UnicodeError)
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)


class _Seen:
    """What the library did for one request: whether it began to send, and the connection it opened for it.

    Requests are handed to the library one after the other, each when the one before has its connection: of
    several that come at once all would be given the same idle one, all but the first in vain.
    """

    def __init__(self, turn: asyncio.Lock) -> None:
        self.sending = False
        self._opened: Any = None
        self._turn = turn
        self._has_turn = False

    async def wait(self) -> None:
        """Wait for the turn to be given a connection."""
        await self._turn.acquire()
        self._has_turn = True

    async def note(self, event: str, about: Mapping[str, Any]) -> None:
        """Be told of an event; the first one comes when there is a connection, or one is opened."""
        self._give_turn()
        if event == "connection.connect_tcp.complete":
            self._opened = about["return_value"]
        elif event.endswith(".send_request_headers.started"):
            self.sending = True

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turn.release()

    async def tidy_up(self) -> None:
        """Close a connection that never came to sending: one that is broken off in TLS stays open."""
        self._give_turn()
        if self._opened is not None and not self.sending:
            await self._opened.aclose()


class AsyncHttp:
    """The awaiting connection; makes its client at the first request, since that takes time."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()

    async def send(
        self, request: Request, network: Network | None = None, *, within: float | None = None
    ) -> Response:
        """Send once and give the answer.

        Args:
            request: What to send.
            network: What is allowed; None for the usual.
            within: Seconds for the whole answer, where that is less than the request's own limit.
        """
        network = network or Network()
        if self._client is None:
            # The limit is that of the whole exchange, below: the library's own begins anew with every byte.
            self._client = httpx.AsyncClient(follow_redirects=False, timeout=None)  # noqa: S113  see above
        seconds = request.timeout if within is None else min(request.timeout, within)
        seen = _Seen(self._turn)
        try:
            address, target = _address(request, network)
            async with asyncio.timeout(seconds):
                await seen.wait()
                async with self._client.stream(
                    request.method,
                    address,
                    headers=_headers(request),
                    content=request.content,
                    extensions={"trace": seen.note, **target},
                ) as answer:
                    return _response(request, answer, await _body(request, answer, network))
        except TimeoutError as error:
            raise _late(request, seconds, was_sent=seen.sending) from error
        except _FAILURES as error:
            _explain(request, error)
        finally:
            await seen.tidy_up()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


class Http:
    """The blocking connection: the awaiting one, on an event loop in a thread of its own.

    A blocking socket knows no limit for an answer as a whole, and the look-up of a name none at all.
    """

    def __init__(self) -> None:
        self._http = AsyncHttp()
        self._thread = LoopThread()

    def send(
        self, request: Request, network: Network | None = None, *, within: float | None = None
    ) -> Response:
        """Send once and give the answer, as ``AsyncHttp.send`` does; safe to call from threads."""
        return self._thread.run(self._http.send(request, network, within=within))

    def close(self) -> None:
        """Close the connections; what is under way is broken off."""
        self._thread.close(self._http.aclose)


def _address(request: Request, network: Network) -> tuple[httpx.URL, dict[str, bytes]]:
    """Give the address, and what is sent instead of its path and query where those must not be logged.

    The HTTP library logs the address of every request.
    """
    whole = httpx.URL(request.url)
    if whole.scheme == "http" and not network.allows_plain_http(whole.host):
        raise SettingsError(
            f"{request.place}: http:// would show credentials and figures to everybody on the way",
            code="plain_http",
            remedy=f"Use https://. If that cannot be, allow this host: "
            f"network=Network(plain_http=[{whole.host!r}]).",
        )
    if request.query:
        whole = whole.copy_merge_params(list(request.query))
    if not request.is_signed:
        return whole, {}
    return whole.copy_with(query=None), {"target": whole.raw_path}


def _headers(request: Request) -> dict[str, str]:
    headers = {"accept": "application/json", **request.headers, "accept-encoding": "gzip"}
    if request.raw is None and request.body is not ...:
        headers.setdefault("content-type", "application/json")
    return headers


def _reason(request: Request, error: Exception) -> str:
    """Give the library's words, unless they might quote what somebody signed for us."""
    return type(error).__name__ if request.is_signed else str(error)


async def _body(request: Request, answer: httpx.Response, network: Network) -> bytes:
    """Take the body as it comes, counting; the library would unpack without end."""
    most, size, pieces = network.largest_answer, 0, []
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > most:
            raise too_large(request.place, most)
        pieces.append(piece)
    packing = answer.headers.get("content-encoding", "identity").strip().lower()
    content = b"".join(pieces)
    if packing in {"gzip", "x-gzip"}:
        return gunzipped(content, place=request.place, most=most)
    if packing not in {"identity", ""}:
        raise DecodeError(
            f"{request.place}: the answer is packed as {packing[:40]!r}, and gzip was asked for",
            code="unknown_packing",
            remedy="Tell the vendor, or whoever runs the proxy between.",
        )
    return content


def _response(request: Request, answer: httpx.Response, content: bytes) -> Response:
    return Response(
        status=answer.status_code,
        headers={name.lower(): value for name, value in answer.headers.items()},
        content=content,
        place=request.place,
    )


def _late(request: Request, seconds: float, *, was_sent: bool) -> OmsyncError:
    if not was_sent:
        return UnreachableError(
            f"{request.place}: no connection within {seconds:g} seconds",
            remedy="Check the address, the network and that the other system is up.",
        )
    return LostAnswerError(
        f"{request.place}: sent, but no whole answer came back within {seconds:g} seconds",
        remedy="Try again later.",
    )


def _explain(request: Request, error: Exception) -> NoReturn:
    kind = type(error).__name__
    if isinstance(error, _BAD_TEXT):
        # Its words, and those of what caused it, quote the header, which may be a credential.
        raise SettingsError(
            f"{request.place}: cannot be sent: a header or the body holds characters that no request has",
            code="cannot_be_sent",
            remedy="Strip what you read from a file or an environment variable, such as a line break.",
        ) from None
    if isinstance(error, _BAD_ADDRESS):
        raise SettingsError(
            f"{request.url.partition('?')[0]!r} is no address that can be called: {_reason(request, error)}",
            code="bad_address",
            remedy="Give the whole address, beginning with https://.",
        ) from error
    if isinstance(error, _NEVER_SENT):
        raise UnreachableError(
            f"{request.place}: no connection ({kind}: {error})",
            remedy="Check the address, the network and that the other system is up.",
        ) from error
    raise LostAnswerError(
        f"{request.place}: sent, but no whole answer came back ({kind}: {error})",
        remedy="Try again later.",
    ) from error
