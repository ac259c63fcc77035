"""What one unit more or less of anything behind a quantity would do: derived again, never guessed."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from omsync.allocation import Explanation
from omsync.allocation.availability import available
from omsync.model import StockLevel

__all__ = ["Lever", "levers_of", "with_more"]

_FAR = 10_000
"""More units than this are not tried when looking for the next rise."""


@frozen(kw_only=True)
class Lever:
    """What one stock record does to a quantity.

    Args:
        master_sku: The product whose record it is.
        location_id: Where.
        location: The same, for a person.
        has: Units that may be sold there, signed.
        one_more: What the quantity would be with one unit more.
        one_less: What it would be with one unit less.
        next_rise: The fewest units more that raise it; None where 10,000 do not.
    """

    master_sku: str
    location_id: str
    location: str
    has: int
    one_more: int
    one_less: int
    next_rise: int | None

    def sentence(self, quantity: int) -> str:
        """Say what it does to the quantity: "one more of PART-B in Reno DC raises this by 1"."""
        what = f"of {self.master_sku} in {self.location}"
        if self.one_more > quantity:
            return f"one more {what} raises this by {self.one_more - quantity:,}"
        if self.next_rise is not None:
            return f"{self.next_rise:,} more {what} raise this"
        return f"{_FAR:,} more {what} do not raise this"


def levers_of(explanation: Explanation) -> tuple[Lever, ...]:
    """Try every stock record behind a quantity with one unit more and one less, those that raise it first."""
    locations = {
        location.id: location for row in explanation.rows for location in row.locations if location.counted
    }
    levels = {
        (level.master_sku, level.location_id): (level, row.subtract_locked)
        for row in explanation.rows
        for level in row.levels
        if level.location_id in locations
    }
    levers = [
        Lever(
            master_sku=level.master_sku,
            location_id=level.location_id,
            location=str(locations[level.location_id]),
            has=available(level, subtract_locked=locked) or 0,
            one_more=_with(explanation, level, 1),
            one_less=_with(explanation, level, -1),
            next_rise=_next_rise(explanation, level),
        )
        for level, locked in levels.values()
    ]
    whole = {row.master_sku for row in explanation.rows}

    def soonest(one: Lever) -> tuple[int, bool, str, str]:
        # That one more finished bundle is one more is no news.
        return (one.next_rise or _FAR + 1, one.master_sku in whole, one.master_sku, one.location_id)

    return tuple(sorted(levers, key=soonest))


def with_more(level: StockLevel, units: int) -> StockLevel:
    """Give a stock record with so many units more that may be sold."""
    if level.available is not None:
        return evolve(level, available=level.available + units)
    return evolve(level, on_hand=(level.on_hand or 0) + units)


def _with(explanation: Explanation, level: StockLevel, units: int) -> int:
    """Evaluate a quantity again with some units more."""
    changed = with_more(level, units)

    def replaced(levels: Iterable[StockLevel]) -> tuple[StockLevel, ...]:
        return tuple(changed if one == level else one for one in levels)

    return evolve(
        explanation, rows=tuple(evolve(row, levels=replaced(row.levels)) for row in explanation.rows)
    ).evaluate()


def _next_rise(explanation: Explanation, level: StockLevel) -> int | None:
    """Find the fewest units that raise a quantity, which more units never lower."""
    now = explanation.evaluate()
    short, enough = 0, 1
    while _with(explanation, level, enough) <= now:
        if enough == _FAR:
            return None
        short, enough = enough, min(2 * enough, _FAR)
    while enough - short > 1:
        middle = (short + enough) // 2
        if _with(explanation, level, middle) > now:
            enough = middle
        else:
            short = middle
    return enough
