"""What answers say is left of a limit is heeded, so that no call is refused that could have been foreseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any

import pytest
from fake_memory import START, FakeClock
from hypothesis import given
from hypothesis import strategies as st
from two_runners import RUNNERS, Script, ask, run_blocking

from omsync.errors import DeadlineError, ThrottledError
from omsync.http.foresight import Allowance, foresee, seconds_until
from omsync.http.messages import Handler, Request, Response
from omsync.http.pacing import Bucket, Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.ports import QuantityChange, ReadRequest
from omsync.settings import MerchantSettings, PerWarehouse
from omsync.sinks.amazon import Amazon
from omsync.sinks.bigcommerce import BigCommerce
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.sinks.walmart import Walmart
from omsync.sources.integration_manager import IntegrationManager
from omsync.testing.carts.amazon import AmazonMarketplace
from omsync.testing.carts.bigcommerce import BigCommerceStore
from omsync.testing.carts.shopify import ShopifyShop
from omsync.testing.carts.walmart import WalmartMarketplace
from omsync.testing.integration_manager import IntegrationManagerSandbox

FAST = Pace(per_second=1000, burst=100)
BEGIN = int(START.timestamp())
REQUEST = Request(method="GET", url="https://shop.example/")


class Limited:
    """A platform that takes so many calls in ten seconds from all programs, and says what is left."""

    def __init__(self, clock: FakeClock, quota: int) -> None:
        self.clock, self.quota = clock, quota
        self.began, self.left, self.refused = 0.0, quota, 0

    def spend(self, calls: int) -> bool:
        if self.clock.monotonic() >= self.began + 10:
            self.began, self.left = self.clock.monotonic(), self.quota
        enough = self.left >= calls
        self.left = max(0, self.left - calls)
        return enough

    def handle(self, _: Request) -> Response:
        taken = self.spend(1)
        self.refused += not taken
        reset = int(self.began + 10 - self.clock.monotonic())
        headers = {"ratelimit-remaining": str(self.left), "ratelimit-reset": str(reset)}
        return Response(status=200 if taken else 429, headers=headers)


def line(handler: Handler, **more: Any) -> Line:
    return Line(account="a", **{"pace": FAST, "handler": handler, "retry": RetryPolicy(), **more})


def told(**headers: str) -> Response:
    return Response(status=200, headers={name.replace("_", "-"): value for name, value in headers.items()})


def changes(number: int) -> list[QuantityChange]:
    return [
        QuantityChange(listing_sku=f"SKU-{n}", quantity=7, available=7, key=f"r:SKU-{n}:")
        for n in range(number)
    ]


# --- the runners --------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_a_quota_that_is_used_up_is_waited_for_and_no_call_is_refused(run: Any) -> None:
    clock = FakeClock()
    platform = Limited(clock, quota=5)
    assert run(talk(line(platform.handle), ask(times=17)), clock=clock) == [200] * 17
    assert platform.refused == 0
    # Three times until the next ten seconds; the platform rounds down, so a second more each.
    assert 30 <= clock.waited <= 34


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
@pytest.mark.parametrize("others", [1, 2, 3])
def test_another_program_that_uses_the_same_account_is_foreseen(run: Any, others: int) -> None:
    clock = FakeClock()
    platform = Limited(clock, quota=20)

    def busy(request: Request) -> Response:
        answer = platform.handle(request)
        platform.spend(others)
        return answer

    run(talk(line(busy), ask(times=60)), clock=clock)
    assert platform.refused == 0


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_calls_that_are_under_way_side_by_side_are_counted(run: Any) -> None:
    clock = FakeClock()
    platform = Limited(clock, quota=30)
    run(talk(line(platform.handle), ask()), clock=clock)
    steps = talk_all(line(platform.handle, max_in_flight=8), [ask(times=5) for _ in range(12)])
    assert run(steps, clock=clock) == [[200] * 5] * 12
    # The first eight went out before any answer said what is left.
    assert platform.refused == 0


def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    clock = FakeClock()
    platform = Limited(clock, quota=1)
    deadline = clock.now().replace(second=5)
    with pytest.raises(DeadlineError):
        run_blocking(talk(line(platform.handle), ask(times=2)), clock=clock, deadline=deadline)
    assert (platform.refused, clock.waited) == (0, 0)


def test_calls_whose_place_came_while_the_lane_was_paused_wait_as_well() -> None:
    bucket, pace = Bucket(), Pace(per_second=2, burst=1)
    assert [bucket.reserve(pace, 0.0) for _ in range(3)] == [0, 0.5, 1.0]
    assert bucket.begin(pace, 0.0) == 0
    bucket.pause(pace, 0.1, 30.0)
    # They take new places, one after the other.
    assert [bucket.begin(pace, at) for at in (0.5, 1.0)] == [pytest.approx(29.6), pytest.approx(29.6)]
    assert [bucket.begin(pace, at) for at in (30.1, 30.6)] == [0, 0]


# --- the bucket ---------------------------------------------------------------------------------------


def after(
    allowance: Allowance, *, pace: Pace = FAST, now: float = 0.0, bucket: Bucket | None = None
) -> Bucket:
    """Give a bucket after one call whose answer said so."""
    bucket = bucket or Bucket()
    bucket.reserve(pace, now)
    assert bucket.begin(pace, now) == 0
    bucket.learn(pace, now, allowance)
    bucket.end(pace)
    return bucket


def begun(bucket: Bucket, pace: Pace = FAST, now: float = 0.0, most: int = 50) -> int:
    """Count the calls that may begin now."""
    return next((number for number in range(most) if bucket.begin(pace, now) > 0), most)


def test_only_what_is_left_goes_out_and_the_rest_when_all_is_back() -> None:
    bucket = after(Allowance(left=3, reset=10))
    assert begun(bucket) == 3
    assert bucket.begin(FAST, 4.0) == pytest.approx(6.0, abs=0.1)
    assert begun(bucket, now=10.0) == 50


def test_what_comes_back_evenly_is_waited_for_by_what_it_costs() -> None:
    pace = Pace(per_second=1000, burst=100, cost=40)
    bucket = after(Allowance(left=100, reset=19, per_second=100), pace=pace)
    assert [bucket.begin(pace, 0.0) for _ in range(2)] == [0, 0]
    assert bucket.begin(pace, 0.0) == pytest.approx(0.2)
    assert bucket.begin(pace, 0.2) == 0


def test_a_rate_below_the_own_pace_is_kept_and_one_above_it_changes_nothing() -> None:
    pace = Pace(per_second=4, burst=1)
    slow, fast = (after(Allowance(per_second=rate), pace=pace) for rate in (0.998, 1000.0))
    assert [round(slow.reserve(pace, 5.0), 2) for _ in range(3)] == [0, 1, 2.01]
    assert [fast.reserve(pace, 5.0) for _ in range(3)] == [0, 0.25, 0.5]
    # The newest word counts: it was slow only for a while.
    after(Allowance(per_second=1000.0), pace=pace, now=50.0, bucket=slow)
    assert [slow.reserve(pace, 60.0) for _ in range(2)] == [0, 0.25]


@pytest.mark.parametrize("rate", [0.003, 1e-12, 5e-324])
def test_a_rate_that_no_platform_means_is_passed_over(rate: float) -> None:
    bucket, pace = Bucket(), Pace(per_second=5, burst=1)
    bucket.learn(pace, 0.0, Allowance(per_second=rate))
    assert [round(bucket.reserve(pace, 0.0), 3) for _ in range(3)] == [0.0, 0.2, 0.4]


def test_a_lane_that_never_has_anything_left_is_not_believed_for_ever_until_it_refuses() -> None:
    bucket, nothing = Bucket(), Allowance(left=0, reset=200)
    waits = []
    for second in (0.0, 300.0, 600.0):
        assert bucket.begin(FAST, second) == 0.0
        bucket.learn(FAST, second, nothing)
        bucket.end(FAST)
        waits.append(bucket.foreseen(FAST, second))
    assert waits == [200.0, 200.0, 0.0]
    bucket.pause(FAST, 600.0, 5.0)
    assert bucket.begin(FAST, 700.0) == 0.0
    bucket.learn(FAST, 700.0, nothing)
    assert bucket.foreseen(FAST, 700.0) == 200.0


def test_a_burst_after_a_wait_is_no_larger_than_the_slower_rate_allows() -> None:
    pace = Pace(per_second=10, burst=5)
    bucket = after(Allowance(left=0, reset=7, per_second=1), pace=pace)
    waits = [bucket.begin(pace, 0.0) for _ in range(3)]
    assert waits[0] == pytest.approx(1.0)
    assert waits == sorted(waits)


def test_answers_that_overtake_each_other_do_not_make_more_of_what_is_left() -> None:
    bucket = Bucket()
    for _ in range(3):
        assert bucket.begin(FAST, 0.0) == 0
    for left in (7, 9, 8):  # the third one's answer comes first
        bucket.learn(FAST, 0.1, Allowance(left=left, reset=10))
        bucket.end(FAST)
    # Two were under way when it said 7; they may have been counted or not.
    assert begun(bucket, now=0.1) <= 7


def test_what_others_took_between_two_answers_they_may_take_again() -> None:
    bucket = after(Allowance(left=20, reset=10))
    after(Allowance(left=12, reset=9), now=1.0, bucket=bucket)
    # Nine went, one of them was ours; others took seven.
    assert begun(bucket, now=1.0) == 12 - 7
    alone = after(Allowance(left=20, reset=10))
    after(Allowance(left=19, reset=9), now=1.0, bucket=alone)
    assert begun(alone, now=1.0) == 19


def test_what_others_took_at_once_does_not_hold_calls_for_ever() -> None:
    bucket = after(Allowance(left=120, reset=10))
    after(Allowance(left=20, reset=9), now=1.0, bucket=bucket)
    assert begun(bucket, now=1.0) == 0
    after(Allowance(left=30, reset=10), now=11.0, bucket=bucket)
    assert begun(bucket, now=11.0) == 15


@given(
    st.builds(
        Allowance,
        left=st.none() | st.floats(),
        reset=st.none() | st.floats(),
        per_second=st.none() | st.floats(max_value=0) | st.just(float("nan")) | st.floats(min_value=2e9),
    ).filter(lambda one: not (0 <= (one.left or 0) <= 1e9 and 0 <= (one.reset or 0) <= 86_400))
)
def test_odd_figures_are_passed_over(odd: Allowance) -> None:
    assert begun(after(odd)) == 50
    assert after(odd).reserve(FAST, 0.0) == 0


def test_half_of_what_an_answer_should_say_says_nothing() -> None:
    for half in (Allowance(left=0), Allowance(reset=10), Allowance()):
        assert begun(after(half)) == 50


# --- headers that several platforms share -------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ratelimit_remaining": "3", "ratelimit_reset": "20"}, (3, 21)),
        ({"x_ratelimit_remaining": "3", "x_ratelimit_reset": "20"}, (3, 21)),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(BEGIN + 20)}, (0, 21)),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str((BEGIN + 20) * 1000)}, (0, 21)),
    ],
)
def test_the_reset_is_read_as_seconds_or_as_a_point_in_time(
    headers: Mapping[str, str], expected: tuple[float, float]
) -> None:
    answer = told(**headers, date=format_datetime(START, usegmt=True))
    allowance = foresee(REQUEST, answer)
    assert allowance is not None
    assert (allowance.left, allowance.reset) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ratelimit_remaining": "3"},
        {"ratelimit_reset": "3"},
        {"ratelimit_remaining": "some", "ratelimit_reset": "3"},
        {"ratelimit_remaining": "3", "ratelimit_reset": "soon"},
        {"ratelimit_remaining": "3", "ratelimit_reset": "nan"},
        {"x_ratelimit_remaining": "3", "x_ratelimit_reset": "3600"},
        {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(BEGIN + 20)},
        {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(BEGIN + 20), "date": "now"},
        {
            "x_ratelimit_remaining": "0",
            "x_ratelimit_reset": str(BEGIN + 20),
            "date": f"1 Jan {10**20} 0:0:0 GMT",
        },
    ],
)
def test_what_is_unclear_or_far_away_is_passed_over(headers: Mapping[str, str]) -> None:
    assert foresee(REQUEST, told(**headers)) is None


@given(st.text(), st.text(st.characters(codec="ascii")))
def test_no_header_s_text_breaks_anything(reset: str, date: str) -> None:
    seconds_until(told(reset=reset, date=date), "reset")
    seconds_until(told(reset="2e9", date=date), "reset")


@pytest.mark.parametrize(("retry_after", "wait"), [({}, 60), ({"retry-after": "4"}, 4)])
def test_a_refusal_that_says_when_to_come_again_means_that(
    retry_after: Mapping[str, str], wait: float
) -> None:
    clock = FakeClock()
    refusal = Response(status=429, headers=retry_after)
    own = line(Script(refusal, 200), foresee=lambda *_: Allowance(left=0, reset=60))
    assert run_blocking(talk(own, ask()), clock=clock) == [200]
    assert clock.waited == pytest.approx(wait, abs=0.1)


# --- each vendor's own words --------------------------------------------------------------------------


def eaten(handler: Handler, other: Callable[[], object]) -> Handler:
    """Give a handler after each answer of which another program calls, too."""

    def handle(request: Request) -> Response:
        answer = handler(request)
        other()
        return answer

    return handle


def statuses(handler: Handler, seen: list[int]) -> Handler:
    def handle(request: Request) -> Response:
        answer = handler(request)
        seen.append(answer.status)
        return answer

    return handle


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_bigcommerce_another_application_uses_most_of_the_quota(run: Any) -> None:
    clock, seen = FakeClock(), list[int]()
    there = BigCommerceStore(quota=150, now=clock.monotonic)
    for number in range(400):
        there.add("MUG", 0, location=number + 10)
        there.locations[number + 10] = (f"L{number}", f"Location {number}")
    handler = eaten(statuses(there.handle, seen), lambda: there.spend(3))
    shop = BigCommerce("abc123", token=there.token, handler=handler)
    rows = [
        QuantityChange(listing_sku="MUG", location_id=f"L{n}", quantity=1, available=1, key=f"k{n}")
        for n in range(400)
    ]
    assert {one.status for one in run(shop.push_steps(rows), clock=clock)} == {"accepted"}
    assert set(seen) == {200}
    # 37 calls of ours to a window.
    assert clock.waited > 300


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_shopify_another_process_of_the_same_app_spends_points(run: Any) -> None:
    clock = FakeClock()
    shop = ShopifyShop(locations=["Store"], now=clock.monotonic)
    for number in range(600):
        shop.add(f"SKU-{number}", number)
    handler = eaten(shop.handle, lambda: shop.spend(600))
    sink = Shopify("acme", access=StaticToken("shpat_test"), handler=handler, max_in_flight=1)
    run(sink.push_steps(changes(600)), clock=clock)
    assert shop.throttled == 0
    assert clock.waited > 10


def test_amazon_the_rate_that_answers_tell_is_kept_where_it_is_below_the_documented_one() -> None:
    clock, seen = FakeClock(), list[int]()
    shop = AmazonMarketplace(now=clock.monotonic)
    shop.allow("patch", per_second=0.5, at_once=3)
    for number in range(20):
        shop.add(f"SKU-{number}", 1)
    amazon = Amazon(
        "A2SELLER",
        marketplace_id="ATVPDKIKX0DER",
        client_id="client-1",
        client_secret="secret-1",
        refresh_token="refresh-1",
        handler=statuses(shop.handle, seen),
        max_in_flight=1,
    )
    run_blocking(amazon.push_steps(changes(20)), clock=clock)
    assert 429 not in seen
    assert clock.waited > 30


def walmart_after_nine_feeds_of_others(clock: FakeClock, seen: list[int], patience: float) -> Walmart:
    shop = WalmartMarketplace(now=clock.monotonic)
    for number in range(3):
        shop.add(f"SKU-{number}", 1)
    shop.spend_feeds(9)
    return Walmart(
        "10001234567",
        client_id="client-1",
        client_secret="secret-1",
        feed_from_rows=1,
        poll_seconds=1,
        retry=RetryPolicy(total_seconds=patience),
        handler=statuses(shop.handle, seen),
    )


def two_pushes(walmart: Walmart) -> Steps[set[str]]:
    first = yield from walmart.push_steps(changes(3))
    second = yield from walmart.push_steps(changes(3))
    return {one.status for one in (*first, *second)}


def test_walmart_another_program_has_sent_most_of_the_feeds_of_the_hour() -> None:
    clock, seen = FakeClock(), list[int]()
    walmart = walmart_after_nine_feeds_of_others(clock, seen, patience=600)
    assert run_blocking(two_pushes(walmart), clock=clock) == {"accepted"}
    assert 429 not in seen
    # One feed was left, and another comes back every six minutes.
    assert clock.waited == pytest.approx(360, abs=10)


def test_what_would_take_longer_than_anybody_waits_is_not_even_sent() -> None:
    clock, seen = FakeClock(), list[int]()
    walmart = walmart_after_nine_feeds_of_others(clock, seen, patience=300)
    with pytest.raises(ThrottledError, match=r"not sent: the account's limit is used up for 3[56]\d seconds"):
        run_blocking(two_pushes(walmart), clock=clock)
    assert 429 not in seen
    assert clock.waited < 10


def test_integration_manager_another_program_fills_the_bucket() -> None:
    clock, seen = FakeClock(), list[int]()
    sandbox = IntegrationManagerSandbox(bucket=10, leak_per_second=0.1, monotonic=clock.monotonic)

    def read(request: Request) -> Response:
        answer = sandbox.handle(request)
        seen.append(answer.json()["success_code"])
        sandbox.handle(request)  # as the other program does
        return answer

    source = IntegrationManager(api_user="sandbox-user", api_key="sandbox-key", page_size=2, handler=read)
    run_blocking(
        source.read_steps(ReadRequest(merchant=MerchantSettings(mode=PerWarehouse()), now=START)), clock=clock
    )
    assert len(seen) > 10
    assert all(seen)
