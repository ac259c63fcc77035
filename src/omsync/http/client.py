"""The only module that names the HTTP library; a change of library is a change of this file."""

from __future__ import annotations

import threading
from typing import NoReturn

import httpx

from omsync.errors import LostAnswerError, SettingsError, UnreachableError
from omsync.http.messages import Request, Response

__all__ = ["AsyncHttp", "Http"]

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BAD_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_BAD_TEXT = (httpx.LocalProtocolError, UnicodeError)
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)


class Http:
    """The blocking connection; makes its client at the first request, since that takes time."""

    def __init__(self) -> None:
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send once and give the answer; safe to call from threads."""
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(follow_redirects=False)
        try:
            address, target = _address(request)
            answer = self._client.request(
                request.method,
                address,
                headers=_headers(request),
                content=request.content,
                timeout=request.timeout,
                extensions=target,
            )
        except _FAILURES as error:
            _explain(request, error)
        return _response(request, answer)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


class AsyncHttp:
    """The awaiting connection."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def send(self, request: Request) -> Response:
        """Send once and give the answer."""
        if self._client is None:
            self._client = httpx.AsyncClient(follow_redirects=False)
        try:
            address, target = _address(request)
            answer = await self._client.request(
                request.method,
                address,
                headers=_headers(request),
                content=request.content,
                timeout=request.timeout,
                extensions=target,
            )
        except _FAILURES as error:
            _explain(request, error)
        return _response(request, answer)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _address(request: Request) -> tuple[httpx.URL, dict[str, bytes]]:
    """Give the address, and what is sent instead of its path and query where those must not be logged.

    The HTTP library logs the address of every request.
    """
    whole = httpx.URL(request.url)
    if request.query:
        whole = whole.copy_merge_params(list(request.query))
    if not request.is_signed:
        return whole, {}
    return whole.copy_with(query=None), {"target": whole.raw_path}


def _headers(request: Request) -> dict[str, str]:
    headers = {"accept": "application/json", **request.headers}
    if request.raw is None and request.body is not ...:
        headers.setdefault("content-type", "application/json")
    return headers


def _reason(request: Request, error: Exception) -> str:
    """Give the library's words, unless they might quote what somebody signed for us."""
    return type(error).__name__ if request.is_signed else str(error)


def _response(request: Request, answer: httpx.Response) -> Response:
    return Response(
        status=answer.status_code,
        headers={name.lower(): value for name, value in answer.headers.items()},
        content=answer.content,
        place=request.place,
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
