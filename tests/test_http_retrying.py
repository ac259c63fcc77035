"""When to try again, how long to wait, and what stays in doubt; with a clock that never waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fake_ports import FakeClock
from two_runners import RUNNERS, Script, ask

from omsync.errors import (
    DeadlineError,
    InvalidValueError,
    LostAnswerError,
    RefusedError,
    ServerFaultError,
    ThrottledError,
    TransientError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy, judge, seconds_header
from omsync.http.steps import Line, talk, talk_all

Run = Callable[..., Any]


@pytest.fixture(params=RUNNERS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNNERS[request.param]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def throttled(seconds: str | None) -> Response:
    return Response(status=429, headers={} if seconds is None else {"retry-after": seconds})


def line(script: Script, **more: Any) -> Line:
    return Line(account="acme", handler=script, **more)


def test_a_throttled_call_waits_exactly_as_long_as_the_server_asks(run: Run, clock: FakeClock) -> None:
    script = Script(throttled("7.5"), throttled("90"), 200)

    assert run(talk(line(script), ask()), clock=clock) == [200]
    assert clock.slept == [7.5, 90.0]


def test_a_server_that_breaks_is_asked_again_after_waits_that_double(run: Run, clock: FakeClock) -> None:
    script = Script(500, 502, 503, 504, 200)
    policy = RetryPolicy(attempts=5, first_wait=2, max_wait=10)

    assert run(talk(line(script, retry=policy), ask()), clock=clock) == [200]

    assert len(clock.slept) == 4
    for waited, least in zip(clock.slept, (2, 4, 8, 10), strict=True):
        assert least <= waited <= min(least + 2, 10)


def test_tries_are_bounded_in_number_and_the_last_error_is_raised(run: Run, clock: FakeClock) -> None:
    script = Script(500)

    with pytest.raises(ServerFaultError, match=r"HTTP 500: .*said") as caught:
        run(talk(line(script, retry=RetryPolicy(attempts=3)), ask("/v1/x")), clock=clock)

    assert len(script.requests) == 3
    assert "GET https://om.example/v1/x" in str(caught.value)
    assert "Try again later" in str(caught.value)


def test_tries_are_bounded_in_time_and_no_wait_is_begun_for_nothing(run: Run, clock: FakeClock) -> None:
    script = Script(throttled("40"))

    with pytest.raises(ThrottledError):
        run(talk(line(script, retry=RetryPolicy(attempts=99, total_seconds=100)), ask()), clock=clock)

    assert clock.slept == [40.0, 40.0]
    assert len(script.requests) == 3


def test_time_that_the_calls_themselves_take_counts_too(run: Run, clock: FakeClock) -> None:
    def slow(request: Request) -> Response:
        clock.pass_by(60)
        return Response(status=500, place=request.place)

    script = Script(slow)
    with pytest.raises(ServerFaultError):
        run(talk(line(script, retry=RetryPolicy(attempts=99, total_seconds=150)), ask()), clock=clock)

    assert len(script.requests) == 3


@pytest.mark.parametrize("error", [UnreachableError("no connection"), throttled("1")])
def test_what_may_not_be_repeated_is_repeated_only_when_it_surely_was_not_done(
    run: Run, clock: FakeClock, error: Any
) -> None:
    script = Script(error, 200)

    assert run(talk(line(script), ask(method="POST", repeatable=False)), clock=clock) == [200]


@pytest.mark.parametrize("error", [LostAnswerError("cut off"), 500, TransientError("who knows")])
def test_what_may_not_be_repeated_and_may_be_done_is_left(run: Run, clock: FakeClock, error: Any) -> None:
    script = Script(error, 200)

    with pytest.raises(TransientError) as caught:
        run(talk(line(script), ask(method="POST", repeatable=False)), clock=clock)

    assert len(script.requests) == 1
    assert not isinstance(caught.value, ServerFaultError)
    assert clock.slept == []


def test_what_may_be_repeated_is_repeated_after_a_lost_answer(run: Run, clock: FakeClock) -> None:
    assert run(talk(line(Script(LostAnswerError("cut off"), 200)), ask()), clock=clock) == [200]


def test_a_refusal_is_for_the_conversation_and_never_tried_again(run: Run, clock: FakeClock) -> None:
    script = Script(401, 404, 422)

    assert run(talk(line(script), ask(times=3)), clock=clock) == [401, 404, 422]
    assert clock.slept == []


def test_an_error_that_cannot_pass_is_not_tried_again(run: Run, clock: FakeClock) -> None:
    script = Script(RefusedError("never"), 200)

    with pytest.raises(RefusedError):
        run(talk(line(script), ask()), clock=clock)

    assert len(script.requests) == 1


def test_a_deadline_that_comes_while_waiting_ends_it_without_waiting(run: Run, clock: FakeClock) -> None:
    script = Script(throttled("60"), 200)

    with pytest.raises(DeadlineError) as caught:
        run(talk(line(script), ask("/v1/x")), clock=clock, deadline=clock.now() + timedelta(seconds=30))

    assert clock.slept == []
    assert caught.value.message == (
        "The deadline 2026-03-02 08:00:30Z came before GET https://om.example/v1/x; "
        "until then: GET https://om.example/v1/x: too many calls (HTTP 429)"
    )
    assert caught.value.remedy.startswith("Lower the pace")
    assert isinstance(caught.value.__cause__, ThrottledError)


def test_a_deadline_after_an_error_that_says_no_remedy_keeps_its_own(run: Run, clock: FakeClock) -> None:
    def lose(_: Request) -> Response:
        clock.pass_by(60)
        raise LostAnswerError("cut off")

    with pytest.raises(DeadlineError, match="until then: cut off") as caught:
        run(talk(line(Script(lose)), ask()), clock=clock, deadline=clock.now() + timedelta(seconds=50))

    assert caught.value.remedy == "Give more time, or run again: what was done is kept."
    assert isinstance(caught.value.__cause__, LostAnswerError)


def test_a_deadline_that_has_passed_sends_nothing(run: Run, clock: FakeClock) -> None:
    script = Script(200)

    with pytest.raises(DeadlineError) as caught:
        run(talk(line(script), ask()), clock=clock, deadline=clock.now())

    assert script.requests == []
    assert "until then" not in caught.value.message
    assert "run again" in caught.value.remedy
    assert caught.value.__cause__ is None


def test_a_deadline_that_is_far_away_hinders_nothing(run: Run, clock: FakeClock) -> None:
    script = Script(throttled("60"), 200)

    assert run(talk(line(script), ask()), clock=clock, deadline=clock.now() + timedelta(minutes=2)) == [200]


# A write that was sent once and is then not let through: nobody knows whether it was done.


@pytest.mark.parametrize("first", [LostAnswerError("cut off"), 500])
@pytest.mark.parametrize("then", [UnreachableError("no connection", remedy="look"), throttled("999")])
def test_a_write_in_doubt_stays_in_doubt_when_later_tries_get_nowhere(
    run: Run, clock: FakeClock, first: Any, then: Any
) -> None:
    policy = RetryPolicy(attempts=3)

    with pytest.raises(LostAnswerError, match="an earlier try was sent and its answer lost; then: "):
        run(talk(line(Script(first, then), retry=policy), ask(method="POST")), clock=clock)
    with pytest.raises(type(then) if isinstance(then, Exception) else ThrottledError):
        run(talk(line(Script(first, then), retry=policy), ask()), clock=clock)


def test_a_write_in_doubt_stays_in_doubt_when_the_deadline_comes(run: Run, clock: FakeClock) -> None:
    def lose(_: Request) -> Response:
        clock.pass_by(60)
        raise LostAnswerError("cut off")

    deadline = clock.now() + timedelta(seconds=50)
    with pytest.raises(LostAnswerError, match="then: The deadline"):
        run(talk(line(Script(lose)), ask(method="POST")), clock=clock, deadline=deadline)


def test_a_write_that_never_got_through_is_not_in_doubt(run: Run, clock: FakeClock) -> None:
    script = Script(UnreachableError("no connection"))

    with pytest.raises(UnreachableError):
        run(talk(line(script, retry=RetryPolicy(attempts=3)), ask(method="POST")), clock=clock)

    assert len(script.requests) == 3


# Pace.


def test_calls_keep_to_the_pace_of_their_lane(run: Run, clock: FakeClock) -> None:
    pace = Pace(per_second=2, burst=3)

    run(talk(line(Script(200), pace=pace), ask(times=7)), clock=clock)

    assert clock.monotonic() == pytest.approx(2.0)
    assert clock.slept == pytest.approx([0.5] * 4)


def test_lanes_have_a_pace_of_their_own_and_accounts_do_not_share_it(run: Run, clock: FakeClock) -> None:
    slow = line(Script(200), lanes={"slow": Pace(per_second=1, burst=1)})
    other = Line(account="other", handler=Script(200), lanes={"slow": Pace(per_second=1, burst=1)})

    def steps() -> Any:
        yield from talk(slow, ask(lane="slow", times=3))
        after = clock.monotonic()
        yield from talk(slow, ask(lane="quick", times=3))
        yield from talk(other, ask(lane="slow"))
        return after

    assert run(steps(), clock=clock) == pytest.approx(2.0)
    assert clock.monotonic() == pytest.approx(2.0)


def test_a_throttled_lane_pauses_all_its_conversations_and_no_other_lane(run: Run, clock: FakeClock) -> None:
    sent: list[tuple[str, float]] = []

    def answer(request: Request) -> Response:
        sent.append((request.lane, clock.monotonic()))
        return throttled("20") if len(sent) == 1 else Response(status=200)

    one_by_one = line(Script(answer), pace=Pace(per_second=100, burst=1), max_in_flight=1)

    def steps() -> Any:
        first = yield from talk_all(one_by_one, [ask(lane="a")])
        second = yield from talk_all(one_by_one, [ask(lane="a"), ask(lane="b")])
        return first + second

    run(steps(), clock=clock)

    assert [lane for lane, _ in sent] == ["a", "a", "a", "b"]
    assert [moment for _, moment in sent] == pytest.approx([0.0, 20.0, 20.01, 20.01])


# Decisions as values.


def test_too_many_calls_and_broken_servers_may_pass_all_else_is_for_the_conversation() -> None:
    request = Request(method="GET", url="u")

    assert isinstance(judge(request, Response(status=429)), ThrottledError)
    assert isinstance(judge(request, Response(status=503)), ServerFaultError)
    unrepeatable = Request(method="POST", url="u", repeatable=False)
    assert isinstance(judge(unrepeatable, Response(status=503)), LostAnswerError)
    assert [judge(request, Response(status=status)) for status in (200, 301, 404)] == [None] * 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("86400", None),
    ],
)
def test_a_header_of_seconds_is_taken_only_when_it_makes_sense(value: str, seconds: float | None) -> None:
    response = Response(status=429, headers={"retry-after": value})

    assert seconds_header(response, "retry-after") == seconds
    assert seconds_header(response, "other") is None


def test_a_header_may_count_in_another_unit() -> None:
    assert seconds_header(Response(status=429, headers={"ms": "1500"}), "ms", unit=0.001) == 1.5


def test_a_policy_that_never_tries_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        RetryPolicy(attempts=0)
    with pytest.raises(WrongTypeError):
        RetryPolicy(attempts="3")  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("name", ["total_seconds", "first_wait", "max_wait"])
@pytest.mark.parametrize("wrong", ["3", None, True, -1, float("inf")])
def test_a_policy_counts_in_seconds(name: str, wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"RetryPolicy.{name} must be"):
        RetryPolicy(**{name: wrong})
