"""What the source kit is given: a source, a way to look into its order manager, and how to break it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.flows import Source
from omsync.http.clock import Clock
from omsync.http.messages import Handler, Request, Response
from omsync.settings import MerchantSettings

__all__ = ["Figures", "SourceBench", "StandingClock", "too_many_calls"]

Figures = Mapping[tuple[str, str], int | None]
"""Available units by (master SKU, location id); None where nothing is reported.

Where the order manager tells only the others: on hand less committed and locked.
"""


class StandingClock:
    """Stands still, except that waiting moves it on at once; remembers how long it was asked to wait."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self.waited = 0.0

    def now(self) -> datetime:
        """Tell the time as UTC."""
        return self._began + timedelta(seconds=self.waited)

    def monotonic(self) -> float:
        """Count seconds."""
        return self.waited

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waited += seconds


def too_many_calls(request: Request) -> Response:
    """Say that there were too many calls, as most vendors do: 429, and 7 seconds to wait."""
    content = json.dumps({"message": "too many calls"}).encode()
    return Response(status=429, headers={"retry-after": "7"}, content=content, place=request.place)


@frozen(kw_only=True)
class SourceBench:
    """A source on the test bench.

    The first three are needed. With ``server`` and ``over`` the kit breaks the connection itself, at every
    call of a reading; a source with a connection of its own is given its faults ready-made, in ``broken``. A
    check without what it needs says so and is not applicable.

    Args:
        source: The source: blocking, async, or in steps.
        merchant: The settings that it is read with.
        available: Gives the order manager's true figures, looked up past the source, every stock record.
        products: Gives all master SKUs, likewise; None: not looked at.
        listings: Gives the master SKU by (alias name, listing SKU), likewise; None: not looked at.
        change: Changes a figure in the order manager, past the source; ``available`` gives the new one then.
        server: Makes a fresh fake of the order manager, the same each time, and gives its handler.
        over: Makes the source before a handler.
        throttled: What the order manager answers when there were too many calls; it asks for a wait.
        broken: Sources that cannot read everything, by a text which the error must name, such as
            ``"levels.csv:3:available"``: a missing page, a row of a wrong type.
        extra: The same source before an order manager that answers with more fields than are documented.
        unauthorized: The same source with wrong credentials.
        uses_up: Whether the order manager forgets what it has answered. Then a reading whose answer was lost
            may lack figures, or call them doubtful; none that it gives may be wrong.
        secrets: Texts that must never be shown.
        clock: Replaces the clock that waits for nothing, which sources in steps are given.
    """

    source: Source
    merchant: MerchantSettings = field(validator=checks.instance_of(MerchantSettings))
    available: Callable[[], Figures] = field(repr=False)
    products: Callable[[], frozenset[str]] | None = field(default=None, repr=False)
    listings: Callable[[], Mapping[tuple[str, str], str]] | None = field(default=None, repr=False)
    change: Callable[[], object] | None = field(default=None, repr=False)
    server: Callable[[], Handler] | None = field(default=None, repr=False)
    over: Callable[[Handler], Source] | None = field(default=None, repr=False)
    throttled: Callable[[Request], Response] = field(default=too_many_calls, repr=False)
    broken: Mapping[str, Source] = field(factory=dict, converter=checks.as_mapping)
    extra: Source | None = None
    unauthorized: Source | None = None
    uses_up: bool = field(default=False, validator=checks.flag)
    secrets: tuple[str, ...] = field(default=(), converter=checks.as_tuple, repr=False)
    clock: Clock = field(factory=StandingClock, repr=False)

    def __attrs_post_init__(self) -> None:
        if (self.server is None) != (self.over is None):
            raise InvalidValueError(
                "SourceBench.server and SourceBench.over go together",
                remedy="Give both: a fake's handler, and the source before a handler.",
            )

    @property
    def name(self) -> str:
        """What the source calls itself."""
        said: Any = getattr(self.source, "name", None)
        return said if isinstance(said, str) else type(self.source).__name__
