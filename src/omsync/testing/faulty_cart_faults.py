"""What goes wrong in a ``FaultyCart``, by script: which call, and how. Nothing here happens by chance."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError

__all__ = ["CART_FAULTS", "CartFault", "Script"]

ONLY_WRITES = ("not_applied", "applied_twice", "clamped", "refuses_zero")
CART_FAULTS = (
    "throttled",
    "throttled_with_hint",
    "error_before",
    "error_after",
    "timeout_before",
    "timeout_after",
    "reset",
    "truncated",
    "html",
    *ONLY_WRITES,
    "reordered",
    "slow_drip",
    "clock_skew",
)
"""Every kind of fault, by its stable name."""


@frozen(kw_only=True)
class CartFault:
    """One thing that goes wrong with a cart.

    On reads and writes: ``"throttled"`` answers 429, ``"throttled_with_hint"`` says too for how long; neither
    carries the call out. ``"error_before"`` answers an error and does nothing, ``"error_after"`` carries the
    call out and answers an error. ``"timeout_before"`` and ``"timeout_after"`` do the same and never answer.
    ``"reset"`` carries it out and resets the connection in the middle of the answer. ``"truncated"`` carries
    it out and answers half of the JSON as if it were whole. ``"html"`` answers a page and does nothing.
    ``"reordered"`` answers the last row first, ``"slow_drip"`` byte by byte. ``"clock_skew"`` dates the
    answer by a clock that is wrong.

    On writes only: ``"not_applied"`` says that all was accepted, and does nothing. ``"applied_twice"``
    carries the rows out, and once more after the next write, as something between that repeats late.
    ``"clamped"`` writes no more than ``most`` of each row, and says so. ``"refuses_zero"`` refuses rows that
    say 0.

    Args:
        kind: What goes wrong.
        on: ``"read"`` or ``"write"``: which calls.
        nth: Which of these calls is the first to go wrong, from 1.
        times: How many calls go wrong; None for all from then on.
        status: For the errors: the HTTP status.
        seconds: For ``"throttled_with_hint"``: the wait; for ``"clock_skew"``: how wrong the clock is.
        most: For ``"clamped"``: the largest quantity, in units.
    """

    kind: str = field(validator=checks.one_of(*CART_FAULTS))
    on: str = field(default="write", validator=checks.one_of("read", "write"))
    nth: int = field(default=1, validator=checks.whole(minimum=1))
    times: int | None = field(default=1, validator=checks.optional(checks.whole(minimum=1)))
    status: int = field(default=503, validator=checks.whole(minimum=400, maximum=599))
    seconds: int = field(default=7, validator=checks.whole())
    most: int = field(default=1, validator=checks.whole(minimum=0))

    def __attrs_post_init__(self) -> None:
        if self.on == "read" and self.kind in ONLY_WRITES:
            raise InvalidValueError(
                f"A fault of kind {self.kind!r} cannot happen to a read",
                code="fault_on_read",
                remedy='Leave out on="read", or choose another kind.',
            )


@define
class _Scripted:
    fault: CartFault
    matched: int = 0
    fired: int = 0

    def fires(self) -> bool:
        self.matched += 1
        over = self.fault.times is not None and self.fired >= self.fault.times
        fires = self.matched >= self.fault.nth and not over
        self.fired += fires
        return fires


class Script:
    """Counts calls and says which fault each of them meets."""

    def __init__(self) -> None:
        self._scripted: list[_Scripted] = []

    def add(self, faults: Iterable[CartFault]) -> None:
        """Add faults; each begins to count now."""
        self._scripted += map(_Scripted, faults)

    def clear(self) -> None:
        """Drop all faults, those that are still to come too."""
        self._scripted.clear()

    def meet(self, on: str) -> CartFault | None:
        """Give the fault of this call; of several that fall together the first, and the others count on."""
        firing = [one.fault for one in self._scripted if one.fault.on == on and one.fires()]
        return firing[0] if firing else None
