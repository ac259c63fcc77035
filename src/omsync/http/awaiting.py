"""The awaiting runner: the same steps, the same decisions, on an event loop."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Self, TypeVar

import tenacity

from omsync.errors import DeadlineError, OmsyncError
from omsync.http.client import AsyncHttp
from omsync.http.clock import SystemClock
from omsync.http.driving import Base, advance, kept
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Tries
from omsync.http.steps import Call, Effect, Line, Steps

__all__ = ["AsyncRunner"]

T = TypeVar("T")


class AsyncRunner(Base):
    """Runs steps to their end, awaiting. Blocking ports run in a thread, so that the loop goes on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._http = AsyncHttp()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Carry out the steps and give their result."""
        try:
            effect = next(steps)
            while True:
                try:
                    result = await self._perform(effect)
                except BaseException as error:  # noqa: BLE001  a cancellation too: the steps tidy up and raise it on
                    effect = steps.throw(error)
                else:
                    effect = steps.send(result)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]  # a generator's return value has no type here

    async def _perform(self, effect: Effect[Any]) -> Any:
        if isinstance(effect, Call):
            if inspect.iscoroutinefunction(effect.function):
                return await effect.function()
            result = await asyncio.to_thread(effect.function)
            return await result if inspect.isawaitable(result) else result
        room = asyncio.Semaphore(effect.line.max_in_flight)

        async def hold(conversation: Conversation[Any]) -> Any:
            async with room:
                return await self._hold(effect.line, conversation)

        return list(await asyncio.gather(*map(hold, effect.conversations)))

    async def _hold(self, line: Line, conversation: Conversation[T]) -> T | OmsyncError:
        try:
            request, result = advance(conversation, None, None)
            while request is not None:
                try:
                    response = await self._answer(line, request)
                except OmsyncError as error:
                    request, result = advance(conversation, None, error)
                else:
                    request, result = advance(conversation, response, None)
        except OmsyncError as error:
            return kept(error)
        return result  # type: ignore[no-any-return]  # a generator's return value has no type here

    async def _answer(self, line: Line, request: Request) -> Response:
        async def sleep(seconds: float) -> None:
            self.check_deadline(seconds, request)
            if seconds > 0:
                await self._sleep(seconds)

        async def attempt() -> Response:
            await sleep(self.wait_for_place(line, request))
            signed = line.sign(request)
            if line.handler is not None:
                answer = await asyncio.to_thread(line.handler, signed)
            else:
                answer = await self._http.send(signed, line.network, within=self.seconds_left())
            return self.check(line, signed, answer)

        tries = Tries(line.retry, request, self.clock.monotonic)
        try:
            return await tenacity.AsyncRetrying(**tries.options(sleep))(attempt)
        except DeadlineError as error:
            tries.raise_if_in_doubt(error)
            raise tries.out_of_time(error) from tries.last
        except OmsyncError as error:
            tries.raise_if_in_doubt(error)
            raise

    async def _sleep(self, seconds: float) -> None:
        if isinstance(self.clock, SystemClock):
            await asyncio.sleep(seconds)
        else:
            await asyncio.to_thread(self.clock.sleep, seconds)
