"""Pace: how fast one account may be called, and the bucket that keeps to it.

The bucket says how long to wait; somebody else waits. We use half of a server's burst and 99.8 % of its
rate, since requests bunch up while connections are made.

What answers say is left (``Allowance``) only slows a lane down: another program may use the same account.
"""

from __future__ import annotations

import threading
from math import inf
from typing import TypeGuard

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.http.foresight import Allowance

__all__ = ["Bucket", "Pace", "Quota"]

_RATE = 0.998
_HUGE = 1e9
"""No platform counts so many calls or points."""
_DAY = 86_400
_BEGUN_ANEW = 1.0
"""Seconds. A limit that is back so much later than was said before has begun anew since."""
_SLOWEST = 1 / 300
"""Calls a second. No platform means fewer; a header that says so is broken, and would stop a sync."""
_BELIEVED = 2
"""So often in a lane's first answers nothing is left; one that always says so counts something else."""
_INSTANT = 1e-6
"""Seconds, calls: what is as little as this is the arithmetic's, not the platform's."""


def _positive(_: object, attribute: object, value: float) -> None:
    if not value > 0:
        raise InvalidValueError(f"Pace.{getattr(attribute, 'name', '')} must be above 0, not {value!r}")


@frozen(kw_only=True)
class Pace:
    """How fast to call.

    Args:
        per_second: Calls in a second, on average.
        burst: Calls that may follow each other at once after a pause.
        cost: What one call takes of what answers say is left, where that is points.
    """

    per_second: float = field(default=1000.0, validator=_positive)
    burst: int = field(default=8, validator=_positive)
    cost: float = field(default=1.0, validator=_positive)

    @classmethod
    def within(cls, *, bucket: int, per_second: float) -> Pace:
        """Make a pace that stays within a server's limit: half the bucket, 99.8 % of the rate."""
        return cls(per_second=per_second * _RATE, burst=max(1, bucket // 2))


class Bucket:
    """Keeps one lane to its pace; safe to share between threads.

    The rule is the "virtual scheduling" form of a leaky bucket: each call is due one interval after the one
    before, and may come early by what the burst allows. Each call reserves a place, waits, begins and ends.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._due = -inf
        self._lock = threading.Lock()
        self._paused_until = -inf
        self._slowest = 0.0
        self._under_way = 0.0
        self._known = _Known()
        self._told_nothing = 0
        self._is_credible = False

    def reserve(self, pace: Pace, now: float) -> float:
        """Take a place and say how many seconds to wait for it."""
        with self._lock:
            self.taken += 1
            return self._place(pace, now)

    def begin(self, pace: Pace, now: float) -> float:
        """Begin a call whose place has come; give 0, or how many seconds to wait for another place.

        That is where, since it took the place, the server said to wait or that too little is left.
        """
        with self._lock:
            hold = max(self._paused_until - now, self._known.wait(pace.cost, now))
            if hold <= _INSTANT:
                self._known.left -= pace.cost
                self._under_way += pace.cost
                return 0.0
            self._postpone(pace, now + hold)
            return self._place(pace, now)

    def foreseen(self, pace: Pace, now: float) -> float:
        """Count the seconds until enough is left for a call, as far as answers have said."""
        return self._known.wait(pace.cost, now)

    def held(self, now: float) -> float:
        """Count the seconds until a pause is over, for whoever has a place already."""
        return max(0.0, self._paused_until - now)

    def end(self, pace: Pace) -> None:
        """End a call, whatever came of it."""
        with self._lock:
            self._under_way -= pace.cost

    def pause(self, pace: Pace, now: float, seconds: float) -> None:
        """Hold everybody in this lane for so many seconds: the server said so."""
        with self._lock:
            self._is_credible = True
            self._paused_until = max(self._paused_until, now + seconds)
            self._postpone(pace, now + seconds)

    def learn(self, pace: Pace, now: float, told: Allowance) -> None:
        """Take in what the answer to a call under way says is left; its newest word counts.

        Args:
            pace: That of the call.
            now: When the answer came.
            told: What it says; odd figures are passed over.
        """
        rate = told.per_second if _is_usable(told.per_second, _HUGE) else None
        if rate is not None and rate < _SLOWEST * pace.cost:
            rate = None
        with self._lock:
            if rate:
                self._slowest = 1.0 / (rate * _RATE)
            if _is_usable(told.left, _HUGE) and _is_usable(told.reset, _DAY) and self._believes(told.left):
                # The server may not have counted the others under way.
                left = told.left - (self._under_way - pace.cost)
                self._known = self._known.followed_by(left, rate or 0.0, now, now + told.reset)

    def _believes(self, left: float) -> bool:
        """Doubt a lane that never had anything left, and never was refused: it counts something else."""
        self._is_credible = self._is_credible or left > 0
        self._told_nothing += 1
        return self._is_credible or self._told_nothing <= _BELIEVED

    def _place(self, pace: Pace, now: float) -> float:
        interval = self._interval(pace)
        due = max(self._due, now)
        self._due = due + interval
        return max(0.0, due - interval * (pace.burst - 1) - now)

    def _postpone(self, pace: Pace, until: float) -> None:
        self._due = max(self._due, until + (pace.burst - 1) * self._interval(pace))

    def _interval(self, pace: Pace) -> float:
        return max(1.0 / pace.per_second, pace.cost * self._slowest)


class _Known:
    """What is left of a limit, as far as answers have said.

    Args:
        left: Calls or points, those of our own since then taken off.
        rate: So many come back each second.
        at: When this was so.
        until: When all are back; then nothing is known any more.
        spare: What others took between two answers, and may take again before the next.
    """

    def __init__(
        self, left: float = inf, rate: float = 0.0, at: float = 0.0, until: float = -inf, spare: float = 0.0
    ) -> None:
        self.left, self.rate, self.at, self.until, self.spare = left, rate, at, until, spare

    def wait(self, cost: float, now: float) -> float:
        """Count the seconds until a call may begin."""
        short = cost + self.spare - self._left_at(now)
        if short <= _INSTANT or now >= self.until:
            return 0.0
        return min(self.until - now, short / self.rate if self.rate else inf)

    def followed_by(self, left: float, rate: float, now: float, until: float) -> _Known:
        """Give what is known after another answer."""
        # However much others took once, it is tried again when all is back.
        spare = min(self.spare, max(1.0, left / 2))
        if now < self.until:
            expected = self._left_at(now)
            if not rate and until < self.until + _BEGUN_ANEW:
                # Answers overtake each other; until it is back nothing comes back.
                left = min(left, expected)
            spare = max(0.0, expected - left)
        return _Known(left, rate, now, until, spare)

    def _left_at(self, now: float) -> float:
        return self.left + self.rate * (now - self.at)


def _is_usable(value: float | None, most: float) -> TypeGuard[float]:
    return value is not None and 0 <= value <= most


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

    def held(self, now: float) -> float:
        """Count the seconds until a pause is over, for whoever has a place already."""
        return self._bucket.held(now)

    def pause(self, now: float, seconds: float) -> None:
        """Hold everybody for so many seconds: the server said so."""
        self._bucket.pause(self.pace, now, seconds)
