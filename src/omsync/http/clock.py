"""The clock as a value that can be replaced: the shells ask it, tests set it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Tell the time as UTC."""
        ...

    def monotonic(self) -> float:
        """Count seconds that never jump."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, blocking."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Tell the time as UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Count seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, blocking."""
        time.sleep(seconds)
