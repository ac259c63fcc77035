"""Time that passes only when everybody waits: hours of keeping to a limit take as long as the computing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from omsync.http.clock import SystemClock

__all__ = ["BEGIN", "VirtualClock", "VirtualLoop"]

BEGIN = datetime(2026, 11, 25, tzinfo=UTC)


class _Leaping(selectors.SelectSelector):
    """Never waits: the time that it was asked to wait for has passed when it returns."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.seconds += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time leaps to the next one who waits, and whose threads are the loop itself.

    So everything happens in the same order in every run, with as many calls side by side as a sink makes.
    """

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Give the seconds that have passed."""
        return self._leaping.seconds

    def run_in_executor(  # type: ignore[override]  # the base is generic over the function's arguments
        self,
        executor: Any,  # noqa: ARG002  the loop is its own executor
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        """Call the function here and now, since it takes no time."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  as a thread would hand any error over
            future.set_exception(error)
        return future


class VirtualClock(SystemClock):
    """The loop's time. It stands in for the machine's own, so that who waits by it waits in the loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Tell the time as UTC."""
        return BEGIN + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Count the seconds that have passed."""
        return self._loop.time()
