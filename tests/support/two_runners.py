"""Both runners under one name, and an order of answers for a server that needs no socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from omsync.http.awaiting import AsyncRunner
from omsync.http.blocking import Runner
from omsync.http.clock import Clock
from omsync.http.messages import Conversation, Request, Response
from omsync.http.steps import Steps

__all__ = ["RUNNERS", "Script", "ask", "run_awaiting", "run_blocking"]

T = TypeVar("T")


def run_blocking(steps: Steps[T], *, clock: Clock | None = None, deadline: datetime | None = None) -> T:
    with Runner(clock=clock, deadline=deadline) as runner:
        return runner.run(steps)


def run_awaiting(steps: Steps[T], *, clock: Clock | None = None, deadline: datetime | None = None) -> T:
    async def run() -> T:
        async with AsyncRunner(clock=clock, deadline=deadline) as runner:
            return await runner.run(steps)

    return asyncio.run(run())


RUNNERS = {"blocking": run_blocking, "awaiting": run_awaiting}


class Script:
    """Answers requests from a list: a status, a response, an error to raise, or a function of the request."""

    def __init__(self, *answers: int | Response | Exception | Callable[[Request], Response]) -> None:
        self._answers = list(answers)
        self._lock = threading.Lock()
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return Response(status=answer, content=b'"said"', place=request.place)
        return answer if isinstance(answer, Response) else answer(request)


def ask(path: str = "/", *, method: str = "GET", times: int = 1, **more: object) -> Conversation[list[int]]:
    """Ask so many times; give the statuses."""
    statuses: list[int] = []
    for _ in range(times):
        request = Request(method=method, url=f"https://om.example{path}", **more)  # type: ignore[arg-type]  # fields by name
        answer = yield request
        statuses.append(answer.status)
    return statuses


def asks(paths: Iterable[str]) -> list[Conversation[list[int]]]:
    """Ask each path once, side by side."""
    return [ask(path) for path in paths]
