"""The sandbox's quotas: a bucket that refills for each verb and path, and an hourly ceiling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError

__all__ = ["Throttle", "Throttles"]

_HOUR = 3600.0


def _rate(_: object, __: object, value: float) -> None:
    if type(value) not in {int, float} or not 0 < value < math.inf:
        raise InvalidValueError(f"Throttle.per_second must be a number above 0, not {checks.shown(value)}")


@frozen(kw_only=True)
class Throttle:
    """How often an endpoint may be called.

    Args:
        bucket: Calls that may follow each other at once.
        per_second: Calls that the bucket gets back each second.
        per_hour: Calls in an hour at most, counted from the first one.
    """

    bucket: int = field(default=200, validator=checks.whole(minimum=1))
    per_second: float = field(default=100.0, validator=_rate)
    per_hour: int = field(default=1_000_000, validator=checks.whole(minimum=1))


@define
class _Bucket:
    left: float
    seen: float
    hour_began: float
    in_hour: int = 0


class Throttles:
    """Keeps the quotas of all endpoints.

    Args:
        limits: One limit for each endpoint, a mapping of some by lane (``"GET /v1/inventory"``), or None.
        lanes: The lanes that exist.
        monotonic: Tells seconds that never jump.
    """

    def __init__(
        self,
        limits: Throttle | Mapping[str, Throttle] | None,
        lanes: Iterable[str],
        monotonic: Callable[[], float],
    ) -> None:
        some = limits if isinstance(limits, Mapping) else {}
        usual = limits if isinstance(limits, Throttle) else Throttle()
        self._limits = {lane: some.get(lane, usual) for lane in lanes}
        self._buckets: dict[str, _Bucket] = {}
        self._monotonic = monotonic

    def take(self, lane: str) -> int:
        """Take a call from the quota: give 0, or the milliseconds to wait because nothing is left."""
        limit, now = self._limits[lane], self._monotonic()
        bucket = self._buckets.setdefault(lane, _Bucket(limit.bucket, now, now))
        if now - bucket.hour_began >= _HOUR:
            bucket.hour_began, bucket.in_hour = now, 0
        bucket.left = min(limit.bucket, bucket.left + (now - bucket.seen) * limit.per_second)
        bucket.seen = now
        if bucket.in_hour >= limit.per_hour:
            return math.ceil((bucket.hour_began + _HOUR - now) * 1000)
        # The wait that was promised has to suffice, whatever the last digits of the clock are.
        if bucket.left < 1 - 1e-6:
            return max(1, math.ceil((1 - bucket.left) / limit.per_second * 1000))
        bucket.left -= 1
        bucket.in_hour += 1
        return 0

    def rows(self) -> list[dict[str, Any]]:
        """Write the limits as the API reports them."""
        return [
            {
                "requestMethod": lane.split(" ")[0],
                "requestPath": lane.split(" ")[1],
                "notes": "per app and company",
                "throttleConfig": {
                    "appId": 41,
                    "companyId": 9001,
                    "quotaMaxRequest": limit.bucket,
                    "quotaRestoreRate": _short(limit.per_second),
                    "quotaMaxRequestHourly": limit.per_hour,
                },
            }
            for lane, limit in self._limits.items()
        ]


def _short(number: float) -> float:
    return int(number) if number == int(number) else number
