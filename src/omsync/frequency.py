"""How often something is due, as a value. Nothing here waits or schedules: you ask, it answers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, SettingsError

__all__ = ["Frequency"]

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_MINUTES_A_DAY = 24 * 60


def _in_order(clocks: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(checks.as_tuple(clocks)), key=str))


def _want_zones(method: str, last_run: datetime | None, now: datetime) -> None:
    for name, value in (("last_run", last_run), ("now", now)):
        if value is not None and value.utcoffset() is None:
            raise InvalidValueError(f"{method}({name}=) must know its time zone")


def _moment(mark: datetime) -> datetime:
    """Give the moment of a time on the clock, as UTC: the first of two, or when the clock jumps over it."""
    first, second = mark.astimezone(UTC), mark.replace(fold=1).astimezone(UTC)
    if first <= second:
        return first
    # A skipped time, read by the clock before the jump and by the one after it, encloses the jump.
    before = second.astimezone(mark.tzinfo).utcoffset()
    seconds = range(int((first - second).total_seconds()))
    jumped = bisect_left(
        seconds,
        True,
        key=lambda late: (second + timedelta(seconds=late)).astimezone(mark.tzinfo).utcoffset() != before,
    )
    return second + timedelta(seconds=jumped)


@frozen(kw_only=True)
class Frequency:
    """Every so many minutes, or daily at given times in a zone.

    Args:
        minutes: The interval in minutes; or None for daily times.
        at: Times of the day as ``"HH:MM"``, in ``zone``.
        zone: The zone of ``at``, such as ``"America/New_York"``.

    Raises:
        SettingsError: Neither or both ways are given, or the zone is unknown.
    """

    minutes: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=1)))
    at: tuple[str, ...] = field(default=(), converter=_in_order, validator=checks.each(checks.text))
    zone: str = field(default="UTC", validator=checks.text)

    def __attrs_post_init__(self) -> None:
        if (self.minutes is None) == (not self.at):
            raise SettingsError(
                "A frequency is either an interval or daily times",
                code="frequency",
                remedy="Use Frequency.every(hours=1) or Frequency.daily('06:00', zone='UTC').",
            )
        for clock in self.at:
            if not _CLOCK.fullmatch(clock):
                raise InvalidValueError(f"Frequency.at must be times such as '06:30', not {clock!r}")
        self._zone()

    @classmethod
    def every(cls, *, minutes: int = 0, hours: int = 0) -> Frequency:
        """Make an interval of so many minutes and hours."""
        for name, value in (("minutes", minutes), ("hours", hours)):
            if type(value) is not int or value < 0:
                raise InvalidValueError(
                    f"Frequency.every({name}=) must be a whole number from 0, not {value!r}"
                )
        return cls(minutes=minutes + 60 * hours)

    @classmethod
    def daily(cls, *at: str | Iterable[str], zone: str = "UTC") -> Frequency:
        """Make daily times, ``daily("06:00", "18:00", zone="Europe/Berlin")``."""
        clocks: list[str] = []
        for entry in at:
            clocks.extend([entry] if isinstance(entry, str) else entry)
        return cls(at=tuple(sorted(set(clocks))), zone=zone)

    @property
    def shortest_minutes(self) -> int:
        """The shortest time between two runs, in minutes of an ordinary day."""
        if self.minutes is not None:
            return self.minutes
        marks = [int(clock[:2]) * 60 + int(clock[3:]) for clock in self.at]
        following = [*marks[1:], marks[0] + _MINUTES_A_DAY]
        return min(after - before for before, after in zip(marks, following, strict=True))

    def is_due(self, last_run: datetime | None, now: datetime) -> bool:
        """Say whether a run is due.

        Args:
            last_run: When the last run began, aware; None when there was none.
            now: The present moment, aware.

        Returns:
            True when the interval has passed, or a daily time lies after the last run. A daily time that a
            clock change skips is due as the clock jumps; one that comes twice is due at the first.
        """
        _want_zones("is_due", last_run, now)
        if last_run is None:
            return True
        # Python subtracts wall clocks when both times share a zone, so turn both to UTC first.
        last, present = last_run.astimezone(UTC), now.astimezone(UTC)
        if self.minutes is not None:
            return present - last >= timedelta(minutes=self.minutes)
        return last < self._latest_mark(present)

    def next_due(self, last_run: datetime | None, now: datetime) -> datetime:
        """Tell when the next run is due, as UTC; ``now`` or earlier when it is due already."""
        _want_zones("next_due", last_run, now)
        if last_run is None:
            return now.astimezone(UTC)
        last = last_run.astimezone(UTC)
        if self.minutes is not None:
            return last + timedelta(minutes=self.minutes)
        return min(mark for mark in self._marks_around(last) if mark > last)

    def _latest_mark(self, present: datetime) -> datetime:
        return max(mark for mark in self._marks_around(present) if mark <= present)

    def _marks_around(self, moment: datetime) -> list[datetime]:
        zone = self._zone()
        today: date = moment.astimezone(zone).date()
        days = [today + timedelta(days=shift) for shift in (-2, -1, 0, 1, 2)]
        clocks = [time(int(clock[:2]), int(clock[3:])) for clock in self.at]
        return [_moment(datetime.combine(day, clock, zone)) for day in days for clock in clocks]

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SettingsError(
                f"The time zone {self.zone!r} is not known here",
                code="unknown_zone",
                remedy="Use a name such as 'America/New_York'; on a machine without zones install tzdata.",
            ) from error

    def __str__(self) -> str:
        if self.minutes is None:
            return f"daily at {', '.join(self.at)} ({self.zone})"
        hours, rest = divmod(self.minutes, 60)
        if not rest:
            return "every hour" if hours == 1 else f"every {hours} hours"
        return f"every {self.minutes} minutes"
