"""Calls that need a token which ends: in rounds short enough for one token, renewed where it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from attrs import Attribute, frozen

from omsync.checks import shown
from omsync.errors import (
    DeadlineError,
    InvalidValueError,
    OmsyncError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.http.tokens import Token, TokenKeeper

__all__ = ["NOT_DONE", "Ask", "Granted", "rate"]

T = TypeVar("T")

Ask = Callable[[str], Conversation[T]]
"""Makes a conversation, given the token's value."""

NOT_DONE = (UnauthorizedError, UnreachableError, ThrottledError, DeadlineError)
"""After one of these a call was surely not carried out, and the next one would not be either."""

_ROUND = 100
"""Calls on one token. The keeper gives none that ends within a minute, and a round takes less."""


@frozen(kw_only=True)
class Granted:
    """A line to an account whose calls carry a token.

    Unlike ``with_token`` this never does again what has succeeded: only calls that were refused for their
    token are made once more, with a new one.

    Args:
        line: The connection.
        keeper: Keeps the token between calls.
        grant: Asks for a token.
    """

    line: Line
    keeper: TokenKeeper
    grant: Callable[[], Conversation[Token]]

    def ask(self, ask: Ask[T]) -> Steps[T]:
        """Hold one conversation; give its result, or raise its error."""
        (outcome,) = yield from self.ask_all([ask])
        if isinstance(outcome, OmsyncError):
            raise outcome
        return outcome

    def ask_all(self, asks: Sequence[Ask[T]]) -> Steps[list[T | OmsyncError]]:
        """Hold conversations side by side; give each one's result or error, in the order given.

        Where a whole round came to nothing, the rest is not tried and gets the same error.

        Raises:
            OmsyncError: No token is granted, and no call has come through before.
        """
        outcomes: list[T | OmsyncError] = []
        for start in range(0, len(asks), _ROUND):
            try:
                outcomes += yield from self._round(asks[start : start + _ROUND])
            except OmsyncError as error:
                # What came of the calls before must not be lost; those that are left were not made.
                if not outcomes:
                    raise
                return [*outcomes, *[_not_asked(error)] * (len(asks) - len(outcomes))]
            last = outcomes[-1]
            if isinstance(last, NOT_DONE) and all(isinstance(one, NOT_DONE) for one in outcomes[start:]):
                return [*outcomes, *[last] * (len(asks) - len(outcomes))]
        return outcomes

    def _round(self, asks: Sequence[Ask[T]]) -> Steps[list[T | OmsyncError]]:
        kept = self.keeper.current()
        token = kept or (yield from self._granted())
        outcomes = yield from talk_all(self.line, [ask(token.value.reveal()) for ask in asks])
        refused = [place for place, one in enumerate(outcomes) if isinstance(one, UnauthorizedError)]
        if refused and kept is not None:
            self.keeper.drop(kept)
            try:
                token = yield from self._granted()
            except OmsyncError:
                if len(refused) == len(outcomes):
                    raise
                return outcomes  # The refused ones say why; the others have been carried out.
            again = yield from talk_all(self.line, [asks[place](token.value.reveal()) for place in refused])
            for place, outcome in zip(refused, again, strict=True):
                outcomes[place] = outcome
        return outcomes

    def _granted(self) -> Steps[Token]:
        token = yield from talk(self.line, self.grant())
        self.keeper.keep(token)
        return token


def _not_asked(error: OmsyncError) -> OmsyncError:
    """Give an error of the grant as one of calls that were never made, whatever became of the grant."""
    if isinstance(error, NOT_DONE):
        return error
    return UnreachableError(f"not asked, since no token came: {error.message}", remedy=error.remedy)


def rate(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept a number of calls a second, above 0."""
    if type(value) not in {int, float} or not 0 < value < float("inf"):  # type: ignore[operator]  # checked just before
        raise InvalidValueError(
            f"{type(instance).__name__}.{attribute.name} must be calls a second, above 0, not {shown(value)}"
        )
