"""Tokens that end: when a new one is asked for, and when not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_memory import FakeClock
from two_runners import RUNNERS, Script

from omsync.errors import UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.steps import Line, Steps, talk
from omsync.http.tokens import Token, TokenKeeper, with_token


class Desk:
    """Grants token-1, token-2 and so on, and does work for those it has not taken back."""

    def __init__(self, *, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.granted = 0
        self.taken_back: set[str] = set()

    def grant(self) -> Conversation[Token]:
        yield Request(method="POST", url="https://cart.example/token")
        self.granted += 1
        return Token(value=f"token-{self.granted}", seconds=self.seconds)

    def work(self, token: str) -> Steps[str]:
        return talk(Line(account="cart", handler=Script(200)), self.working(token))

    def working(self, token: str) -> Conversation[str]:
        yield Request(method="GET", url="https://cart.example/work")
        if token in self.taken_back:
            raise UnauthorizedError("the token is refused")
        return token


def steps(desk: Desk, keeper: TokenKeeper) -> Steps[str]:
    return with_token(keeper, Line(account="cart", handler=Script(200)), desk.grant, desk.work)


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_a_token_is_asked_for_once_and_kept(run: Callable[[Steps[str]], str]) -> None:
    desk, keeper = Desk(), TokenKeeper()
    assert [run(steps(desk, keeper)), run(steps(desk, keeper))] == ["token-1", "token-1"]
    assert desk.granted == 1


def test_a_token_is_renewed_a_minute_before_its_end() -> None:
    clock = FakeClock()
    desk, keeper = Desk(seconds=3600), TokenKeeper(clock)
    run = RUNNERS["blocking"]
    run(steps(desk, keeper))
    clock.sleep(3539)
    assert run(steps(desk, keeper)) == "token-1"
    clock.sleep(1)
    assert run(steps(desk, keeper)) == "token-2"


def test_a_short_lived_token_is_used_for_nine_tenths_of_its_life() -> None:
    clock = FakeClock()
    desk, keeper = Desk(seconds=10), TokenKeeper(clock)
    run = RUNNERS["blocking"]
    run(steps(desk, keeper))
    clock.sleep(8.9)
    assert run(steps(desk, keeper)) == "token-1"
    clock.sleep(0.1)
    assert run(steps(desk, keeper)) == "token-2"


def test_a_kept_token_that_was_taken_back_is_renewed_and_the_work_done() -> None:
    desk, keeper = Desk(), TokenKeeper()
    run = RUNNERS["blocking"]
    run(steps(desk, keeper))
    desk.taken_back = {"token-1"}
    assert run(steps(desk, keeper)) == "token-2"
    assert run(steps(desk, keeper)) == "token-2"


def test_a_fresh_token_that_is_refused_is_no_matter_of_renewal() -> None:
    desk, keeper = Desk(), TokenKeeper()
    desk.taken_back = {"token-1"}
    with pytest.raises(UnauthorizedError):
        RUNNERS["blocking"](steps(desk, keeper))
    assert desk.granted == 1


def test_dropping_an_old_token_leaves_the_newer_one_of_another_thread() -> None:
    keeper, old, new = TokenKeeper(), Token(value="old"), Token(value="new")
    keeper.keep(old)
    keeper.keep(new)
    keeper.drop(old)
    assert keeper.current() is new


def test_neither_tokens_nor_their_keeper_show_them() -> None:
    keeper = TokenKeeper()
    keeper.keep(Token(value="very-secret"))
    assert "very-secret" not in f"{keeper!r} {keeper.current()!r}"


def test_a_line_signs_each_try_anew() -> None:
    tries = iter(range(9))

    def sign(request: Request) -> Request:
        return Request(method=request.method, url=request.url, query=(("oauth_nonce", str(next(tries))),))

    desk = Script(503, 200)
    line = Line(account="cart", handler=desk, sign=sign)

    def asking() -> Conversation[Response]:
        return (yield Request(method="GET", url="https://cart.example/x"))

    for run in RUNNERS.values():
        assert run(talk(line, asking()), clock=FakeClock()).status == 200
    assert [one.query[0][1] for one in desk.requests] == ["0", "1", "2"]
