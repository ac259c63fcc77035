"""How often something is due: intervals and daily times, right across clock changes in both directions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from omsync.errors import InvalidValueError, SettingsError, WrongTypeError
from omsync.frequency import Frequency

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
HOURLY = Frequency.every(hours=1)


def _utc(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


# What a person writes down


def test_an_interval_is_minutes_and_hours() -> None:
    assert Frequency.every(hours=1, minutes=30) == Frequency(minutes=90)


def test_daily_times_are_sorted_and_given_once() -> None:
    assert Frequency.daily("18:00", "06:00", "18:00").at == ("06:00", "18:00")
    assert Frequency.daily(["18:00", "06:00"]) == Frequency(at=["18:00", "06:00"])


@pytest.mark.parametrize("given", [{}, {"minutes": 60, "at": ("06:00",)}])
def test_a_frequency_is_one_of_the_two(given: Any) -> None:
    with pytest.raises(SettingsError, match="either an interval or daily times") as caught:
        Frequency(**given)
    assert caught.value.code == "frequency"


@pytest.mark.parametrize("clock", ["6:00", "24:00", "06:60", "06:00:00", "six", "06.00"])
def test_a_time_of_the_day_is_two_digits_each(clock: str) -> None:
    with pytest.raises(InvalidValueError, match=r"Frequency\.at must be times such as '06:30', not"):
        Frequency.daily(clock)


@pytest.mark.parametrize("wrong", ["60", 1.5, True, -1, None])
def test_an_interval_is_a_whole_number(wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"Frequency\.every\(hours=\) must be a whole number from 0"):
        Frequency.every(hours=wrong)
    with pytest.raises(
        InvalidValueError, match=r"Frequency\.every\(minutes=\) must be a whole number from 0"
    ):
        Frequency.every(minutes=wrong)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"Frequency\.minutes must be at least 1, not 0"):
        Frequency.every()
    wrong: Any = "60"
    with pytest.raises(WrongTypeError, match=r"Frequency\.minutes must be a whole number, not '60'"):
        Frequency(minutes=wrong)


def test_a_bare_text_is_no_collection_of_times() -> None:
    with pytest.raises(WrongTypeError, match="not the bare text '06:00'"):
        Frequency(at="06:00")
    with pytest.raises(WrongTypeError, match=r"Frequency\.at must be text, not 6 \(int\)"):
        Frequency(at=[6])  # type: ignore[list-item]  # on purpose


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "/etc", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(SettingsError, match="is not known here") as caught:
        Frequency.daily("06:00", zone=zone)
    assert caught.value.code == "unknown_zone"


@pytest.mark.parametrize(
    ("frequency", "minutes"),
    [
        (Frequency.every(minutes=45), 45),
        (Frequency.daily("06:00"), 24 * 60),
        (Frequency.daily("06:00", "18:30"), 11 * 60 + 30),
        (Frequency.daily("23:30", "00:15"), 45),
    ],
)
def test_the_shortest_time_between_two_runs(frequency: Frequency, minutes: int) -> None:
    assert frequency.shortest_minutes == minutes


@pytest.mark.parametrize(
    ("frequency", "words"),
    [
        (Frequency.every(hours=1), "every hour"),
        (Frequency.every(hours=6), "every 6 hours"),
        (Frequency.every(minutes=90), "every 90 minutes"),
        (
            Frequency.daily("18:00", "06:00", zone="Europe/Berlin"),
            "daily at 06:00, 18:00 (Europe/Berlin)",
        ),
    ],
)
def test_a_frequency_is_printed_in_words(frequency: Frequency, words: str) -> None:
    assert str(frequency) == words


# Whether it is due


@pytest.mark.parametrize("frequency", [HOURLY, Frequency.daily("06:00")])
def test_the_first_run_is_due_at_once(frequency: Frequency) -> None:
    now = datetime(2026, 3, 2, 7, tzinfo=BERLIN)
    assert frequency.is_due(None, now)
    assert frequency.next_due(None, now) == now
    assert frequency.next_due(None, now).tzinfo is UTC


def test_an_interval_is_due_when_it_has_passed_and_not_a_moment_before() -> None:
    last = _utc(2, 7)
    assert not HOURLY.is_due(last, last + timedelta(minutes=59, seconds=59))
    assert HOURLY.is_due(last, last + timedelta(hours=1))
    assert HOURLY.next_due(last, last) == _utc(2, 8)


def test_a_daily_time_is_due_once() -> None:
    daily = Frequency.daily("06:00", "18:00")
    assert not daily.is_due(_utc(2, 6), _utc(2, 17, 59))
    assert daily.is_due(_utc(2, 17, 59), _utc(2, 18))
    assert not daily.is_due(_utc(2, 18), _utc(3, 5, 59))
    assert daily.next_due(_utc(2, 6), _utc(2, 7)) == _utc(2, 18)
    assert daily.next_due(_utc(2, 18), _utc(2, 19)) == _utc(3, 6)


def test_a_daily_time_that_was_missed_for_days_is_due_and_next_due_lies_behind() -> None:
    daily = Frequency.daily("06:00")
    assert daily.is_due(_utc(2, 6), _utc(9, 12))
    assert daily.next_due(_utc(2, 6), _utc(9, 12)) == _utc(3, 6)


def test_a_daily_time_is_meant_in_its_zone() -> None:
    daily = Frequency.daily("06:00", zone="America/New_York")
    assert daily.next_due(_utc(2, 12), _utc(2, 12)) == _utc(3, 11)
    assert daily.next_due(_utc(9, 12), _utc(9, 12)) == _utc(10, 10)


@pytest.mark.parametrize("frequency", [HOURLY, Frequency.daily("06:00")])
def test_times_know_their_zone(frequency: Frequency) -> None:
    naive = datetime(2026, 3, 2, 7)  # noqa: DTZ001  on purpose
    with pytest.raises(InvalidValueError, match=r"is_due\(last_run=\) must know its time zone"):
        frequency.is_due(naive, _utc(2, 8))
    with pytest.raises(InvalidValueError, match=r"is_due\(now=\) must know its time zone"):
        frequency.is_due(None, naive)
    with pytest.raises(InvalidValueError, match=r"next_due\(last_run=\) must know its time zone"):
        frequency.next_due(naive, _utc(2, 8))
    with pytest.raises(InvalidValueError, match=r"next_due\(now=\) must know its time zone"):
        frequency.next_due(None, naive)


# Clock changes


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        # Both wall clocks show two hours between them; only one hour passed.
        (NEW_YORK, datetime(2026, 3, 8, 1, 30), datetime(2026, 3, 8, 3, 15)),  # noqa: DTZ001  gets its zone below
        (BERLIN, datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 3, 15)),  # noqa: DTZ001  gets its zone below
    ],
)
def test_in_spring_an_hour_on_the_clock_is_not_an_hour(
    zone: ZoneInfo, before: datetime, after: datetime
) -> None:
    last, now = before.replace(tzinfo=zone), after.replace(tzinfo=zone)
    assert now - last == timedelta(hours=1, minutes=45)
    assert not HOURLY.is_due(last, now)
    assert HOURLY.is_due(last, now + timedelta(minutes=15))
    assert HOURLY.next_due(last, now) == now + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        (NEW_YORK, datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 1, 30, fold=1)),  # noqa: DTZ001  gets its zone below
        (BERLIN, datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 30, fold=1)),  # noqa: DTZ001  gets its zone below
    ],
)
def test_in_autumn_the_same_time_on_the_clock_is_an_hour_later(
    zone: ZoneInfo, before: datetime, after: datetime
) -> None:
    last, now = before.replace(tzinfo=zone), after.replace(tzinfo=zone)
    assert now - last == timedelta(0)
    assert HOURLY.is_due(last, now)


@pytest.mark.parametrize(
    ("zone", "skipped_day", "jump"),
    [("America/New_York", (3, 8), _utc(8, 7)), ("Europe/Berlin", (3, 29), _utc(29, 1))],
)
def test_a_daily_time_that_the_clock_skips_is_due_as_it_jumps(
    zone: str, skipped_day: tuple[int, int], jump: datetime
) -> None:
    daily = Frequency.daily("02:30", zone=zone)
    month, day = skipped_day
    yesterday = datetime(2026, month, day - 1, 12, tzinfo=ZoneInfo(zone))
    assert not daily.is_due(yesterday, jump - timedelta(seconds=1))
    assert daily.is_due(yesterday, jump)
    assert daily.next_due(yesterday, yesterday) == jump


@pytest.mark.parametrize(
    ("zone", "first"),
    [("America/New_York", _utc(1, 5, 30, month=11)), ("Europe/Berlin", _utc(25, 0, 30, month=10))],
)
def test_a_daily_time_that_comes_twice_is_due_at_the_first(zone: str, first: datetime) -> None:
    clock = "01:30" if zone == "America/New_York" else "02:30"
    daily = Frequency.daily(clock, zone=zone)
    assert not daily.is_due(first - timedelta(hours=12), first - timedelta(seconds=1))
    assert daily.is_due(first - timedelta(hours=12), first)
    assert not daily.is_due(first, first + timedelta(hours=1))
    assert daily.next_due(first, first) == first + timedelta(hours=25)


def test_a_daily_time_behind_the_jump_still_comes_after_the_one_that_is_skipped() -> None:
    daily = Frequency.daily("02:30", "03:15", zone="Europe/Berlin")
    assert daily.next_due(_utc(28, 12), _utc(28, 12)) == _utc(29, 1)
    assert daily.next_due(_utc(29, 1), _utc(29, 1)) == _utc(29, 1, 15)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
@pytest.mark.parametrize("month", [3, 10, 11])
def test_a_daily_time_runs_once_on_each_day_of_a_month_with_a_clock_change(zone: str, month: int) -> None:
    daily = Frequency.daily("06:00", zone=zone)
    now = datetime(2026, month, 1, 12, tzinfo=ZoneInfo(zone))
    last, runs = now, []
    for _ in range(27 * 24 * 2):
        now = (now.astimezone(UTC) + timedelta(minutes=30)).astimezone(ZoneInfo(zone))
        if daily.is_due(last, now):
            runs.append(now)
            last = now
    assert [run.day for run in runs] == list(range(2, 29))
    assert {(run.hour, run.minute) for run in runs} == {(6, 0)}
