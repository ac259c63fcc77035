"""The way into one shop: calls with a token that is renewed where it has to be, each paced by its points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import evolve, field, frozen

from omsync.errors import OmsyncError, UnauthorizedError
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk_all
from omsync.http.tokens import TokenKeeper, with_token
from omsync.sinks._shopify import Access
from omsync.sinks._shopify_access import ClientCredentials, RefreshToken, StaticToken
from omsync.sinks._shopify_points import Meter

__all__ = ["Ask", "Door"]

T = TypeVar("T")

Ask = Callable[[Access], Conversation[T]]
"""Makes a conversation, given the way in."""

_ROUND = 20
"""Calls on one token: a long read outlives a token."""


@frozen(kw_only=True)
class Door:
    """A shop's API as this sink uses it.

    Args:
        address: The shop's address.
        version: The API version.
        access: How tokens are come by.
        keeper: Keeps the token between calls.
        meter: Knows what calls cost.
        line: The connection; its pace is replaced by that of each operation.
    """

    address: str
    version: str
    access: StaticToken | ClientCredentials | RefreshToken
    keeper: TokenKeeper
    meter: Meter = field(repr=False)
    line: Line

    def ask(self, ask: Ask[T], *, points: float) -> Steps[T]:
        """Hold one conversation; give its result, or raise its error."""
        (outcome,) = yield from self.ask_all([ask], points=points)
        if isinstance(outcome, OmsyncError):
            raise outcome
        return outcome

    def ask_all(self, asks: Sequence[Ask[T]], *, points: float) -> Steps[list[T | OmsyncError]]:
        """Hold conversations side by side; give each one's result or error, in the order given.

        A call whose token is refused is made once more with a new one, so it must be harmless to repeat.

        Args:
            asks: The conversations.
            points: What each is thought to cost.

        Raises:
            OmsyncError: No token is granted, and nothing was asked.
        """
        line = evolve(self.line, pace=self.meter.pace(points))
        outcomes: list[T | OmsyncError] = []
        for start in range(0, len(asks), _ROUND):
            outcomes += yield from self._round(line, asks[start : start + _ROUND])
        return outcomes

    def _round(self, line: Line, asks: Sequence[Ask[T]]) -> Steps[list[T | OmsyncError]]:
        outcomes: dict[int, T | OmsyncError] = {}

        def work(token: str) -> Steps[None]:
            yield from self.access.announce()
            access = Access(url=f"{self.address}/admin/api/{self.version}/graphql.json", token=token)
            # After a renewal only what was refused for its token is left.
            left = [
                at
                for at in range(len(asks))
                if at not in outcomes or isinstance(outcomes[at], UnauthorizedError)
            ]
            answers = yield from talk_all(line, [asks[at](access) for at in left])
            outcomes.update(zip(left, answers, strict=True))
            refused = next((one for one in answers if isinstance(one, UnauthorizedError)), None)
            if refused is not None:
                raise refused

        try:
            yield from with_token(self.keeper, self.line, lambda: self.access.grant(self.address), work)
        except OmsyncError:
            # Each call's own outcome says it all, unless none was made.
            if not outcomes:
                raise
        return [outcomes[at] for at in range(len(asks))]
