"""An event loop in a thread of its own, so that blocking callers can wait for what is awaited there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for blocking callers; the thread begins with the first one and ends with ``close``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the coroutine's result; safe to call from several threads at once."""
        with self._lock:
            # Handed over before anybody closes, so that it is cancelled then, and waited for by nobody.
            waiting = asyncio.run_coroutine_threadsafe(work, self._running())
        return waiting.result()

    def close(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel what is under way, finish, and end the thread; nothing, where it never began."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end(finish), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            # As a daemon it holds up no program that ends without closing.
            self._thread = threading.Thread(target=self._loop.run_forever, name="omsync-http", daemon=True)
            self._thread.start()
        return self._loop


async def _end(finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await finish()
