"""Tokens that end: kept until shortly before, then renewed; a refused one is renewed once at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from attrs import field, frozen

from omsync.errors import UnauthorizedError
from omsync.http.clock import Clock, SystemClock
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk
from omsync.secrets import Secret, as_secret, filled_secret

__all__ = ["Token", "TokenKeeper", "with_token"]

T = TypeVar("T")

_MARGIN = 60.0
"""A token is renewed so many seconds before its end, or at nine tenths of its life if that is later."""


@frozen(kw_only=True)
class Token:
    """What an account was granted.

    Args:
        value: The token; never shown.
        seconds: How long it is good for, from now on; None while it is not taken back.
    """

    value: Secret = field(converter=as_secret, repr=False, validator=filled_secret)
    seconds: float | None = None


class TokenKeeper:
    """Keeps one account's token between pushes; safe to share between threads.

    It is the one thing about a sink that changes, so it takes no part in comparing or showing sinks.

    Args:
        clock: Counts the seconds; the real one when left out.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._ends: float | None = None

    def current(self) -> Token | None:
        """Give the token while it is good; None when one has to be asked for."""
        with self._lock:
            if self._ends is not None and self._clock.monotonic() >= self._ends:
                self._token = self._ends = None
            return self._token

    def keep(self, token: Token) -> None:
        """Keep a token until shortly before its end."""
        with self._lock:
            self._token = token
            self._ends = None
            if token.seconds is not None:
                life = max(token.seconds - _MARGIN, token.seconds * 0.9)
                self._ends = self._clock.monotonic() + life

    def drop(self, token: Token) -> None:
        """Forget a token that was refused, unless another one has come meanwhile."""
        with self._lock:
            if self._token is token:
                self._token = self._ends = None

    def __reduce__(self) -> tuple[Callable[[Clock], TokenKeeper], tuple[Clock]]:
        """Let a copy or a pickle begin without a token: tokens do not travel."""
        return TokenKeeper, (self._clock,)

    def __repr__(self) -> str:
        return "TokenKeeper(...)"


def with_token(
    keeper: TokenKeeper,
    line: Line,
    grant: Callable[[], Conversation[Token]],
    work: Callable[[str], Steps[T]],
) -> Steps[T]:
    """Do work that needs a token; a kept one that is refused is renewed, and the work done once more.

    Args:
        keeper: Keeps the token between pushes.
        line: The connection by which tokens are granted.
        grant: Asks for a token.
        work: What to do with its value; it must be harmless to do twice.

    Raises:
        UnauthorizedError: No token is granted, or a fresh one is refused.
    """
    kept = keeper.current()
    if kept is not None:
        try:
            return (yield from work(kept.value.reveal()))
        except UnauthorizedError:
            keeper.drop(kept)
    fresh = yield from talk(line, grant())
    keeper.keep(fresh)
    return (yield from work(fresh.value.reveal()))
