"""The awaiting runner: the same steps, the same decisions, on an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import tenacity

from omsync.errors import DeadlineError, OmsyncError
from omsync.http.client import AsyncHttp
from omsync.http.clock import SystemClock
from omsync.http.driving import Base, advance, kept
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Tries
from omsync.http.steps import Begin, Begun, Call, Effect, Finish, Line, Steps, Together

__all__ = ["AsyncRunner"]

T = TypeVar("T")


class _Interrupt(Exception):  # noqa: N818  it stands for what is no error
    """What would end the event loop if a task raised it, before the other tasks have tidied up."""

    def __init__(self, by: BaseException) -> None:
        super().__init__()
        self.by = by


class AsyncRunner(Base):
    """Runs steps to their end, awaiting. Blocking ports run in a thread, so that the loop goes on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._http = AsyncHttp()
        self._rooms: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._beside: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for work in self._beside:
            work.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._http.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Carry out the steps and give their result."""
        return await self._run(steps, None)

    async def _run(self, steps: Steps[T], thread: ThreadPoolExecutor | None) -> T:
        try:
            effect = next(steps)
            while True:
                try:
                    result = await self._perform(effect, thread)
                except BaseException as error:  # noqa: BLE001  a cancellation too: the steps tidy up and raise it on
                    effect = steps.throw(error)
                else:
                    effect = steps.send(result)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]  # a generator's return value has no type here

    async def _perform(self, effect: Effect[Any], thread: ThreadPoolExecutor | None) -> Any:
        if isinstance(effect, Call):
            if inspect.iscoroutinefunction(effect.function):
                return await effect.function()
            result = await _in_thread(thread, effect.function)
            return await result if inspect.isawaitable(result) else result
        if isinstance(effect, Together):
            return await self._together(effect)
        if isinstance(effect, Begin):
            work = asyncio.create_task(self._beside_others(effect.work))
            self._beside.append(work)
            return Begun(by_runner=work)
        if isinstance(effect, Finish):
            try:
                return await effect.begun.by_runner
            except _Interrupt as error:
                raise error.by from None
        room = asyncio.Semaphore(effect.line.max_in_flight)

        async def hold(conversation: Conversation[Any]) -> Any:
            async with room:
                return await self._hold(effect.line, conversation)

        return list(await asyncio.gather(*map(hold, effect.conversations)))

    async def _together(self, effect: Together[T]) -> list[T]:
        room = asyncio.Semaphore(effect.at_once)

        async def carry_out(steps: Steps[T]) -> T:
            async with room:
                return await self._beside_others(steps)

        tasks = [asyncio.create_task(carry_out(steps)) for steps in effect.works]
        try:
            for first in asyncio.as_completed(tasks):
                await first
            return [task.result() for task in tasks]
        except BaseException as error:
            # Once, since whoever is cancelled once more while tidying up does not.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if isinstance(error, _Interrupt):
                raise error.by from None
            raise

    async def _beside_others(self, steps: Steps[T]) -> T:
        # A thread of its own: slow ones keep nobody waiting, and a work that is cancelled in a call tidies
        # up after it, so that no lease is given back before.
        thread = ThreadPoolExecutor(1)
        try:
            return await self._run(steps, thread)
        except (KeyboardInterrupt, SystemExit) as error:
            raise _Interrupt(error) from None
        finally:
            thread.shutdown(wait=False)

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
            while (seconds := self.begin(line, request)) > 0:
                await sleep(seconds)
            try:
                async with self._room(line):
                    signed = line.sign(request)
                    if line.handler is not None:
                        answer = await asyncio.to_thread(line.handler, signed)
                    else:
                        answer = await self._http.send(signed, line.network, within=self.seconds_left())
                return self.check(line, signed, answer)
            finally:
                self.end(line, request)

        tries = Tries(line.retry, request, self.clock.monotonic)
        try:
            return await tenacity.AsyncRetrying(**tries.options(sleep))(attempt)
        except DeadlineError as error:
            tries.raise_if_in_doubt(error)
            raise tries.out_of_time(error) from tries.last
        except OmsyncError as error:
            tries.raise_if_in_doubt(error)
            raise

    def _room(self, line: Line) -> asyncio.Semaphore:
        """Give what counts an account's requests under way, whoever makes them."""
        key = (line.account, line.max_in_flight)
        return self._rooms.setdefault(key, asyncio.Semaphore(line.max_in_flight))

    async def _sleep(self, seconds: float) -> None:
        if isinstance(self.clock, SystemClock):
            await asyncio.sleep(seconds)
        else:
            await asyncio.to_thread(self.clock.sleep, seconds)


async def _in_thread(thread: ThreadPoolExecutor | None, function: Callable[[], T]) -> T:
    """Call as ``asyncio.to_thread`` does, in a thread of one's own where there is one."""
    around = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(thread, around.run, function)
