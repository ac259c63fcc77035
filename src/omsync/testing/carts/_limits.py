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
        self._limits = limits
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

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
