"""The blocking runner: ports are called where it runs, conversations are held on an event loop in a thread.

A blocking socket knows no limit for an answer as a whole, and the look-up of a name none at all.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed, wait
from typing import Any, Self, TypeVar

from omsync.errors import SettingsError
from omsync.http.holding import Holding, Interrupt
from omsync.http.loop_thread import LoopThread
from omsync.http.steps import Begin, Begun, Call, Effect, Finish, Steps, Together

__all__ = ["Runner"]

T = TypeVar("T")


class Runner(Holding):
    """Runs steps to their end, blocking. Use it as a context manager, so that connections are closed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._thread = LoopThread()
        self._interrupted = threading.Event()
        self._beside: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not all(work.done() for work in self._beside):
            # Nobody waits for it any more.
            self._interrupted.set()
        self._thread.close(self.close)
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
        try:
            return self._thread.run(self.hold(effect))
        except Interrupt as error:
            raise error.by from None

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
            self._thread.close(self.close)
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
