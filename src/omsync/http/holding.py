"""Conversations with one account, held side by side: their pace, tries and errors, for both runners."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import tenacity

from omsync.errors import DeadlineError, OmsyncError
from omsync.http.client import AsyncHttp
from omsync.http.clock import SystemClock
from omsync.http.driving import Base, advance, kept
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Tries
from omsync.http.steps import Line, Talk

__all__ = ["Holding", "Interrupt"]

T = TypeVar("T")


class Interrupt(Exception):  # noqa: N818  it stands for what is no error
    """What would end the event loop if a task raised it, before the other tasks have tidied up."""

    def __init__(self, by: BaseException) -> None:
        super().__init__()
        self.by = by


class Holding(Base):
    """Holds conversations on an event loop, which is the awaiting caller's or that of a thread."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._http = AsyncHttp()
        self._rooms: dict[tuple[str, int], asyncio.Semaphore] = {}

    async def hold(self, talk: Talk[T]) -> list[T | OmsyncError]:
        """Hold conversations side by side; give each one's result or error, in the order given.

        Raises:
            Interrupt: What answers in the process was interrupted.
        """
        if len(talk.conversations) == 1:
            return [await self._converse(talk.line, talk.conversations[0])]
        room = asyncio.Semaphore(talk.line.max_in_flight)

        async def in_turn(conversation: Conversation[T]) -> T | OmsyncError:
            async with room:
                return await self._converse(talk.line, conversation)

        tasks = [asyncio.create_task(in_turn(one)) for one in talk.conversations]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            # A mistake in one, or whoever waits was interrupted: the others are broken off.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        self._rooms.clear()

    async def _converse(self, line: Line, conversation: Conversation[T]) -> T | OmsyncError:
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
        except (KeyboardInterrupt, SystemExit) as error:
            raise Interrupt(error) from None
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
