"""Foresight: what an answer says about the calls that will still be taken.

A vendor's own headers are read where its sink is; here is what they are turned into, and the headers that
several platforms and proxies share.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from attrs import frozen

from omsync.http.messages import Request, Response

__all__ = ["Allowance", "figure", "foresee", "seconds_until"]

_FAMILIES = ("ratelimit", "x-ratelimit")
_LONGEST = 300
"""Seconds, the one more among them by which a reset may be rounded down."""
_DAY = 86_400
_MILLISECONDS = 1e11
"""As seconds this would be the year 5138."""


@frozen(kw_only=True)
class Allowance:
    """What is left of one account's limit; whatever is unknown, negative or odd is passed over.

    Args:
        left: Calls that would still be taken after this one; or points, where calls cost points.
        reset: Seconds until all of them are back. Without it ``left`` says nothing.
        per_second: So many come back each second, which is the fastest pace; None where they come back
            together at ``reset``.
    """

    left: float | None = None
    reset: float | None = None
    per_second: float | None = None


def foresee(_: Request, response: Response) -> Allowance | None:
    """Read ``RateLimit-Remaining`` and ``RateLimit-Reset``, with ``X-`` before them or without.

    The reset is taken for seconds, or for a point in time where it is too large for that, and for rounded
    down. One that is more than five minutes away is passed over, since each platform counts in its own way:
    it refuses by itself what is too early.
    """
    for family in _FAMILIES:
        left, reset = figure(response, f"{family}-remaining"), seconds_until(response, f"{family}-reset")
        if left is not None and reset is not None and reset + 1 < _LONGEST:
            return Allowance(left=left, reset=reset + 1)
    return None


def figure(response: Response, name: str) -> float | None:
    """Read a header that holds a number."""
    try:
        return float(response.headers.get(name, ""))
    except ValueError:
        return None


def seconds_until(response: Response, name: str) -> float | None:
    """Read a header of seconds, or of a point in time by the server's clock in seconds or milliseconds."""
    value = figure(response, name)
    if value is None or value <= _DAY:
        return value
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    return (value / 1000 if value > _MILLISECONDS else value) - now
