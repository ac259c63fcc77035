"""The words that views share: ages, moments, statuses, listings at their places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from omsync.checks import shown
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.exchange import RunRecord

__all__ = ["STATUS_TONES", "WORST_FIRST", "aged", "at_place", "known_zone", "ran", "signed", "status_words"]

WORST_FIRST = ("died", "failed", "partial", "never", "in_progress", "success", "disabled")
"""The statuses of a run, in the order of looking."""

STATUS_TONES = {
    "died": "bad",
    "failed": "bad",
    "partial": "warning",
    "never": "warning",
    "success": "good",
    "disabled": "quiet",
    "in_progress": "",
}

_LONG_MINUTES, _LONG_HOURS = 120, 48


def known_zone(moment: object, what: str) -> datetime:
    """Give a moment as UTC, or refuse one without a zone."""
    if not isinstance(moment, datetime):
        raise WrongTypeError(
            f"{what}(now=) is a moment, not {shown(moment)}",
            remedy="Give now=datetime.now(UTC).",
        )
    if moment.utcoffset() is None:
        raise InvalidValueError(f"{what}(now=) must know its zone, not {shown(moment)}")
    return moment.astimezone(UTC)


def aged(span: timedelta) -> str:
    """Word an age, at most to the minute: "10 min", "5 h", "3 days"."""
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < _LONG_MINUTES:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < _LONG_HOURS else f"{round(hours / 24)} days"


def status_words(run: RunRecord) -> str:
    """Word a status as the founding document does: never, in progress since when, success, failed."""
    if run.status == "in_progress" and run.started_at is not None:
        return f"in progress since {run.started_at:%Y-%m-%d %H:%M}Z"
    return run.status.replace("_", " ")


def ran(run: RunRecord) -> float | None:
    """Give how long a run took, in seconds; None while nobody knows."""
    return None if run.duration is None else round(run.duration.total_seconds(), 1)


def at_place(listing_sku: str, location_id: str | None) -> str:
    """Name a listing with its location, where it has one."""
    return listing_sku if location_id is None else f"{listing_sku} at {location_id}"


def signed(number: int) -> str:
    """Write a change with its sign: "+3", "-1,200", "0"."""
    return f"{number:+,}" if number else "0"
