"""The blocking runner: carries out steps with threads for whatever is to happen side by side."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed, wait
from typing import Any, Self, TypeVar

import tenacity

from omsync.errors import DeadlineError, OmsyncError, SettingsError
from omsync.http.client import Http
from omsync.http.clock import SystemClock
from omsync.http.driving import Base, advance, kept
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Tries
from omsync.http.steps import Begin, Begun, Call, Effect, Finish, Line, Steps, Together

__all__ = ["Runner"]

T = TypeVar("T")


class Runner(Base):
    """Runs steps to their end, blocking. Use it as a context manager, so that connections are closed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._http = Http()
        self._interrupted = threading.Event()
        self._rooms: dict[tuple[str, int], threading.Semaphore] = {}
        self._beside: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not all(work.done() for work in self._beside):
            # Nobody waits for it any more.
            self._interrupted.set()
        self._http.close()
        wait(self._beside)

    def run(self, steps: Steps[T]) -> T:
        """Carry out the steps and give their result."""
        return _carried_out(steps, self._perform)

    def _perform(self, effect: Effect[Any]) -> Any:
        if isinstance(effect, Call):
            result = effect.function()
            if inspect.isawaitable(result):
                getattr(result, "close", lambda: None)()
                raise SettingsError(
                    "This source or sink has async methods, and was given to a blocking function",
                    code="async_port",
                    remedy="Call the function of the same name in omsync.aio.",
                )
            return result
        if isinstance(effect, Together):
            return self._together(effect)
        if isinstance(effect, Begin):
            return self._begin(effect)
        if isinstance(effect, Finish):
            return effect.begun.by_runner.result()
        if len(effect.conversations) == 1:
            return [self._hold(effect.line, effect.conversations[0])]
        pool = ThreadPoolExecutor(min(effect.line.max_in_flight, len(effect.conversations) or 1))
        try:
            return list(pool.map(lambda one: self._hold(effect.line, one), effect.conversations))
        except BaseException:
            # Whoever interrupts does not wait for retries; a request under way ends by its own timeout.
            self._interrupted.set()
            raise
        finally:
            pool.shutdown(wait=not self._interrupted.is_set(), cancel_futures=True)

    def _together(self, effect: Together[T]) -> list[T]:
        if effect.at_once == 1 or len(effect.works) <= 1:
            return [self.run(steps) for steps in effect.works]
        pool = ThreadPoolExecutor(min(effect.at_once, len(effect.works)))
        try:
            works = [pool.submit(self._one_of_several, steps) for steps in effect.works]
            for work in as_completed(works):
                work.result()
            return [work.result() for work in works]
        except BaseException:
            # What is under way is broken off, and nothing else begins.
            self._interrupted.set()
            self._http.close()
            raise
        finally:
            # Each work tidies up; whoever interrupts once more does not wait for that.
            pool.shutdown(cancel_futures=True)

    def _begin(self, effect: Begin[T]) -> Begun[T]:
        thread = ThreadPoolExecutor(1)
        work = thread.submit(self._interruptible, effect.work)
        thread.shutdown(wait=False)
        self._beside.append(work)
        return Begun(by_runner=work)

    def _one_of_several(self, steps: Steps[T]) -> T:
        try:
            return self._interruptible(steps)
        except BaseException:
            # At once, so that this thread does not begin another work before the others are told.
            self._interrupted.set()
            raise

    def _interruptible(self, steps: Steps[T]) -> T:
        """Carry out a work beside others; an interrupt reaches it once, before what it would do next."""
        interrupt = [KeyboardInterrupt("interrupted")]

        def perform(effect: Effect[Any]) -> Any:
            if interrupt and self._interrupted.is_set():
                raise interrupt.pop()
            try:
                return self._perform(effect)
            except CancelledError:  # a request that was broken off
                if interrupt and self._interrupted.is_set():
                    raise interrupt.pop() from None
                raise

        return _carried_out(steps, perform)

    def _hold(self, line: Line, conversation: Conversation[T]) -> T | OmsyncError:
        try:
            request, result = advance(conversation, None, None)
            while request is not None:
                try:
                    response = self._answer(line, request)
                except OmsyncError as error:
                    request, result = advance(conversation, None, error)
                else:
                    request, result = advance(conversation, response, None)
        except OmsyncError as error:
            return kept(error)
        return result  # type: ignore[no-any-return]  # a generator's return value has no type here

    def _answer(self, line: Line, request: Request) -> Response:
        def sleep(seconds: float) -> None:
            self.check_deadline(seconds, request)
            if seconds > 0:
                self._sleep(seconds)
            if self._interrupted.is_set():
                raise DeadlineError(f"Interrupted before {request.place}", code="interrupted")

        def attempt() -> Response:
            sleep(self.wait_for_place(line, request))
            while (seconds := self.begin(line, request)) > 0:
                sleep(seconds)
            try:
                with self._room(line):
                    signed = line.sign(request)
                    if line.handler is not None:
                        answer = line.handler(signed)
                    else:
                        answer = self._http.send(signed, line.network, within=self.seconds_left())
                return self.check(line, signed, answer)
            finally:
                self.end(line, request)

        tries = Tries(line.retry, request, self.clock.monotonic)
        try:
            return tenacity.Retrying(**tries.options(sleep))(attempt)
        except DeadlineError as error:
            tries.raise_if_in_doubt(error)
            raise tries.out_of_time(error) from tries.last
        except OmsyncError as error:
            tries.raise_if_in_doubt(error)
            raise

    def _room(self, line: Line) -> threading.Semaphore:
        """Give what counts an account's requests under way, whoever makes them."""
        key = (line.account, line.max_in_flight)
        return self._rooms.setdefault(key, threading.Semaphore(line.max_in_flight))

    def _sleep(self, seconds: float) -> None:
        if isinstance(self.clock, SystemClock):
            self._interrupted.wait(seconds)
        else:
            self.clock.sleep(seconds)


def _carried_out(steps: Steps[T], perform: Callable[[Effect[Any]], Any]) -> T:
    try:
        effect = next(steps)
        while True:
            try:
                result = perform(effect)
            except BaseException as error:  # noqa: BLE001  an interrupt too: the steps tidy up and raise it on
                effect = steps.throw(error)
            else:
                effect = steps.send(result)
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]  # a generator's return value has no type here
