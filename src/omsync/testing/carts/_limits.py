"""Limits on calls as platforms keep them: a bucket that empties with each call and fills with time."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CallLimits"]


class CallLimits:
    """Counts calls by operation.

    Args:
        limits: By operation, the calls a second and how many may follow each other at once.
        now: Counts seconds; None to let every call pass.
    """

    def __init__(self, limits: dict[str, tuple[float, int]], now: Callable[[], float] | None = None) -> None:
        self._limits = dict(limits)
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

    def change(self, operation: str, per_second: float, at_once: int) -> None:
        """Set another limit."""
        self._limits[operation] = per_second, at_once

    def rate(self, operation: str) -> float:
        """Give the calls a second."""
        return self._limits[operation][0]

    def spend(self, operation: str, calls: int) -> None:
        """Let another program make so many calls."""
        for _ in range(calls):
            self.take(operation)

    def left(self, operation: str) -> int:
        """Count the calls that would pass now."""
        left, _ = self._left.get(operation, (float(self._limits[operation][1]), 0.0))
        return int(left + 1e-9)

    def more_in(self, operation: str) -> float:
        """Count the seconds until one call more would pass."""
        left, _ = self._left.get(operation, (0.0, 0.0))
        return (self.left(operation) + 1 - left) / self._limits[operation][0]

    def take(self, operation: str) -> float:
        """Take one call; give 0 when it may pass, else the seconds until one may."""
        if self._now is None or operation not in self._limits:
            return 0.0
        rate, burst = self._limits[operation]
        now = self._now()
        left, since = self._left.get(operation, (float(burst), now))
        left = min(float(burst), left + (now - since) * rate)
        if left < 1 - 1e-9:
            self._left[operation] = left, now
            return (1 - left) / rate
        self._left[operation] = left - 1, now
        return 0.0
