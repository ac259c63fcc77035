"""One app that serves several merchants: what its accounts may do together, however many runs there are."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omsync.errors import InvalidValueError, ThrottledError, WrongTypeError
from omsync.http.awaiting import AsyncRunner
from omsync.http.blocking import Runner
from omsync.http.driving import Base
from omsync.http.messages import Conversation, Request, Response
from omsync.http.network import Network
from omsync.http.pacing import Pace, Quota
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk

START = datetime(2026, 3, 2, tzinfo=UTC)


class OneClock:
    """A clock that several runs share; whoever sleeps moves it on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def blocking(steps: Steps[Any], clock: OneClock) -> Any:
    """Make a run of its own, as each ``sync_cart`` does."""
    with Runner(clock=clock) as runner:
        return runner.run(steps)


def awaiting(steps: Steps[Any], clock: OneClock) -> Any:
    async def run() -> Any:
        async with AsyncRunner(clock=clock) as runner:
            return await runner.run(steps)

    return asyncio.run(run())


Run = Callable[[Steps[Any], OneClock], Any]


@pytest.fixture(params=[blocking, awaiting])
def run(request: pytest.FixtureRequest) -> Run:
    given: Run = request.param
    return given


def line(account: str, quota: Quota | None, handler: Callable[[Request], Response], **more: Any) -> Line:
    return Line(account=account, network=Network(quota=quota), handler=handler, **more)


def ask() -> Conversation[Response]:
    return (yield Request(method="GET", url="https://shop.example/"))


def fine(_: Request) -> Response:
    return Response(status=200)


def test_accounts_with_one_quota_keep_to_it_together_in_runs_of_their_own(run: Run) -> None:
    clock, quota = OneClock(), Quota(name="our app", pace=Pace(per_second=2, burst=1))
    times = []
    for account in ("acme", "beta", "acme", "gamma"):
        run(talk(line(account, quota, fine), ask()), clock)
        times.append(clock.seconds)
    assert times == [0, 0.5, 1.0, 1.5]


def test_accounts_without_one_wait_for_nobody_else(run: Run) -> None:
    clock = OneClock()
    for account in ("acme", "beta"):
        run(talk(line(account, None, fine, pace=Pace(per_second=0.1, burst=1)), ask()), clock)
    assert clock.seconds == 0


def test_an_account_keeps_to_its_own_pace_as_well() -> None:
    clock, quota = OneClock(), Quota(name="our app", pace=Pace(per_second=100, burst=1))
    slow = line("acme", quota, fine, pace=Pace(per_second=1, burst=1))
    with Runner(clock=clock) as runner:
        for _ in range(3):
            runner.run(talk(slow, ask()))
    assert clock.seconds == 2


def test_one_account_that_is_throttled_holds_all_that_share_its_limit(run: Run) -> None:
    clock, quota = OneClock(), Quota(name="our app", pace=Pace(per_second=100, burst=1))

    def refuse(_: Request) -> Response:
        return Response(status=429, headers={"retry-after": "30"})

    with pytest.raises(ThrottledError):
        run(talk(line("acme", quota, refuse, retry=RetryPolicy(attempts=1)), ask()), clock)
    run(talk(line("beta", quota, fine), ask()), clock)
    assert clock.seconds == pytest.approx(30)


def test_a_pause_holds_also_whoever_has_a_place_already() -> None:
    clock, quota = OneClock(), Quota(name="our app", pace=Pace(per_second=1, burst=1))
    driver, acme = Base(clock=clock), line("acme", quota, fine)
    request = Request(method="GET", url="https://shop.example/")
    assert driver.wait_for_place(acme, request) == 0.0
    quota.pause(clock.monotonic(), 60.0)
    assert driver.begin(acme, request) == 60.0
    clock.sleep(60.0)
    assert driver.begin(acme, request) == 0.0


def test_a_quota_is_one_object_and_goes_to_no_other_process() -> None:
    quota = Quota(name="our app", pace=Pace())
    assert Network(quota=quota) == Network(quota=quota)
    assert Network(quota=quota) != Network(quota=Quota(name="our app", pace=Pace()))
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(quota)
    assert "our app" in repr(quota)


def test_a_quota_that_is_none_is_refused() -> None:
    with pytest.raises(WrongTypeError, match="quota"):
        Network(quota="our app")  # type: ignore[arg-type]  # as a script without types might
    with pytest.raises((InvalidValueError, WrongTypeError)):
        Quota(name="", pace=Pace())
