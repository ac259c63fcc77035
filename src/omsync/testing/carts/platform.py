"""What all fake carts share: a log, troubles by script, a clock, and a door over HTTP."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, evolve

from omsync.errors import LostAnswerError, UnreachableError
from omsync.http.messages import Request, Response
from omsync.testing.sandbox import Answer
from omsync.testing.sandbox_server import SandboxServer

__all__ = ["Asked", "Platform", "json_answer"]


@define(kw_only=True)
class Asked:
    """A request as a platform sees it.

    Args:
        method: The verb.
        path: The address without host and query.
        query: (name, value) pairs in order.
        headers: By name in lower case.
        content: The body's bytes as they came over the wire.
        secure: Whether it came to an address that begins with https; never over ``serve``.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes
    secure: bool = False

    @classmethod
    def of(cls, request: Request) -> Asked:
        """Take a request apart, whether it came through a handler or over HTTP."""
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.raw is None and request.content is not None:
            headers.setdefault("content-type", "application/json")
        return cls(
            method=request.method,
            path=parts.path,
            query=(*parse_qsl(parts.query, keep_blank_values=True), *request.query),
            headers=headers,
            content=request.content or b"",
            secure=parts.scheme == "https",
        )

    def json(self) -> Any:
        """Give the decoded body; ValueError when it is none."""
        return json.loads(self.content)

    def first(self, name: str, default: str = "") -> str:
        """Give the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        """Give all values of a query parameter."""
        return [value for key, value in self.query if key == name]


@define
class _Trouble:
    what: str | Response
    when: Callable[[Asked], bool]
    times: int


class Platform(ABC):
    """A cart's platform in memory.

    Args:
        now: Counts seconds, for limits on the rate; it stands still when left out, so that nothing is
            throttled by chance.
    """

    def __init__(self, *, now: Callable[[], float] | None = None) -> None:
        self.now = now or (lambda: 0.0)
        self.requests: list[Asked] = []
        self._troubles: list[_Trouble] = []
        self._lock = threading.RLock()

    @abstractmethod
    def answer(self, asked: Asked) -> Response:
        """Do what the platform does."""

    def trouble(
        self, what: str | Response, *, when: Callable[[Asked], bool] = lambda _: True, times: int = 1
    ) -> None:
        """Let the next matching requests go wrong.

        Args:
            what: ``"lost"``: carried out, and the answer never arrives; ``"unreachable"``: not carried out,
                no connection; or the response to give instead of carrying it out.
            when: Which requests match.
            times: How many.
        """
        self._troubles.append(_Trouble(what, when, times))

    def handle(self, request: Request) -> Response:
        """Answer in the process: give this to a sink as its ``handler``.

        Raises:
            LostAnswerError: By a trouble: carried out, the answer is lost.
            UnreachableError: By a trouble: nothing was carried out.
        """
        with self._lock:
            answer = self._meet(request)
        if answer.arrives in {"whole", "drip"}:
            return evolve(answer.response, place=request.place)
        if answer.response.status == 0:
            raise UnreachableError(f"{request.place}: no connection (by script)")
        raise LostAnswerError(f"{request.place}: the answer was lost (by script)")

    def serve(self) -> SandboxServer:
        """Answer over HTTP on loopback; use it as a context manager for its ``base_url``."""

        def over_http(request: Request) -> Answer:
            with self._lock:
                return self._meet(request)

        return SandboxServer(over_http)

    def _meet(self, request: Request) -> Answer:
        asked = Asked.of(request)
        self.requests.append(asked)
        for trouble in self._troubles:
            if trouble.when(asked):
                trouble.times -= 1
                if not trouble.times:
                    self._troubles.remove(trouble)
                if isinstance(trouble.what, Response):
                    return Answer(response=trouble.what)
                if trouble.what == "unreachable":
                    return Answer(response=Response(status=0), arrives="nothing")
                return Answer(response=self.answer(asked), arrives="nothing")
        return Answer(response=self.answer(asked))


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Give a JSON response."""
    return Response(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        content=json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),
    )
