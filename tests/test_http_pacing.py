"""Pace: how long calls of one lane wait, and that everybody waits when the server says so."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omsync.errors import InvalidValueError
from omsync.http.pacing import Bucket, Pace


def calls(bucket: Bucket, pace: Pace, number: int, now: float = 0.0) -> list[float]:
    return [round(bucket.reserve(pace, now), 6) for _ in range(number)]


def test_a_burst_goes_out_at_once_and_the_rest_at_the_pace() -> None:
    assert calls(Bucket(), Pace(per_second=2, burst=3), 6) == [0, 0, 0, 0.5, 1.0, 1.5]


def test_without_a_burst_each_call_waits_for_the_one_before() -> None:
    assert calls(Bucket(), Pace(per_second=4, burst=1), 4) == [0, 0.25, 0.5, 0.75]


def test_a_pause_brings_the_burst_back_but_no_more_than_that() -> None:
    bucket, pace = Bucket(), Pace(per_second=2, burst=3)
    calls(bucket, pace, 6)

    assert calls(bucket, pace, 4, now=100.0) == [0, 0, 0, 0.5]


def test_a_throttled_lane_makes_everybody_wait_and_then_go_one_by_one() -> None:
    bucket, pace = Bucket(), Pace(per_second=2, burst=3)

    bucket.pause(pace, 0.0, 7.0)

    assert calls(bucket, pace, 3) == [7.0, 7.5, 8.0]
    assert calls(Bucket(), pace, 1) == [0]


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    bucket, pace = Bucket(), Pace(per_second=2, burst=1)

    bucket.pause(pace, 0.0, 9.0)
    bucket.pause(pace, 1.0, 2.0)

    assert calls(bucket, pace, 1, now=1.0) == [8.0]


def test_a_pace_within_a_server_s_limit_uses_half_its_burst_and_nearly_its_rate() -> None:
    pace = Pace.within(bucket=10, per_second=5)

    assert (pace.burst, round(pace.per_second, 3)) == (5, 4.99)
    assert Pace.within(bucket=1, per_second=5).burst == 1


@pytest.mark.parametrize(
    "wrong", [{"per_second": 0}, {"per_second": -1.0}, {"burst": 0}, {"per_second": float("nan")}]
)
def test_a_pace_that_never_calls_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match=f"Pace.{next(iter(wrong))} must be above 0"):
        Pace(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@given(
    st.floats(0.5, 50), st.integers(1, 9), st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=60)
)
def test_no_window_ever_holds_more_calls_than_burst_and_pace_allow(
    per_second: float, burst: int, gaps: list[float]
) -> None:
    bucket, pace = Bucket(), Pace(per_second=per_second, burst=burst)
    now, sent = 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + bucket.reserve(pace, now))

    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            allowed = burst + (sent[last] - start) * per_second
            assert last - first + 1 <= allowed + 1e-6


def test_threads_that_share_a_bucket_get_a_place_each() -> None:
    bucket, pace = Bucket(), Pace(per_second=1, burst=1)

    with ThreadPoolExecutor(8) as pool:
        waits = Counter(pool.map(lambda _: bucket.reserve(pace, 0.0), range(64)))

    assert waits == Counter(float(second) for second in range(64))
