"""Pace: how fast one account may be called, and the bucket that keeps to it.

The bucket says how long to wait; somebody else waits. We use half of a server's burst and 99.8 % of its
rate, since requests bunch up while connections are made.
"""

from __future__ import annotations

import threading

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError

__all__ = ["Bucket", "Pace", "Quota"]


def _positive(_: object, attribute: object, value: float) -> None:
    if not value > 0:
        raise InvalidValueError(f"Pace.{getattr(attribute, 'name', '')} must be above 0, not {value!r}")


@frozen(kw_only=True)
class Pace:
    """How fast to call.

    Args:
        per_second: Calls in a second, on average.
        burst: Calls that may follow each other at once after a pause.
    """

    per_second: float = field(default=1000.0, validator=_positive)
    burst: int = field(default=8, validator=_positive)

    @classmethod
    def within(cls, *, bucket: int, per_second: float) -> Pace:
        """Make a pace that stays within a server's limit: half the bucket, 99.8 % of the rate."""
        return cls(per_second=per_second * 0.998, burst=max(1, bucket // 2))


class Bucket:
    """Keeps one lane to its pace; safe to share between threads.

    The rule is the "virtual scheduling" form of a leaky bucket: each call is due one interval after the one
    before, and may come early by what the burst allows.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._due = float("-inf")
        self._lock = threading.Lock()

    def reserve(self, pace: Pace, now: float) -> float:
        """Take a place and say how many seconds to wait for it."""
        interval = 1.0 / pace.per_second
        with self._lock:
            self.taken += 1
            due = max(self._due, now)
            self._due = due + interval
            return max(0.0, due - interval * (pace.burst - 1) - now)

    def pause(self, pace: Pace, now: float, seconds: float) -> None:
        """Hold everybody in this lane for so many seconds: the server said so."""
        with self._lock:
            self._due = max(self._due, now + seconds + (pace.burst - 1) / pace.per_second)


@frozen(kw_only=True, eq=False)
class Quota:
    """A limit that several accounts share, such as that of one app which serves many merchants.

    Give one and the same object to each of their sources and sinks: ``network=Network(quota=quota)``. Their
    requests together keep to its pace, whichever runs make them, and each account to its own as ever. It
    holds for this process; several processes get a part of the pace each.

    Args:
        name: Says what it is, for people.
        pace: How fast all of them together may call.
    """

    name: str = field(validator=checks.text)
    pace: Pace = field(validator=checks.instance_of(Pace))
    _bucket: Bucket = field(init=False, factory=Bucket, repr=False)

    def reserve(self, now: float) -> float:
        """Take a place and say how many seconds to wait for it."""
        return self._bucket.reserve(self.pace, now)

    def pause(self, now: float, seconds: float) -> None:
        """Hold everybody for so many seconds: the server said so."""
        self._bucket.pause(self.pace, now, seconds)
