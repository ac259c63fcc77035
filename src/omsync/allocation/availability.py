"""Rule 1: what is available of a product at a location, and which formula says so."""

from __future__ import annotations

from omsync.model import StockLevel

__all__ = ["available", "formula"]


def available(level: StockLevel, *, subtract_locked: bool) -> int | None:
    """Give the units that may be sold, signed; None when the source reports too little to know.

    As the source reports it; else on hand less committed, less locked where ``subtract_locked`` says so.
    """
    if level.available is not None:
        return level.available
    if level.on_hand is None:
        return None
    return level.on_hand - level.committed - (level.locked if subtract_locked else 0)


def formula(level: StockLevel, *, subtract_locked: bool) -> str:
    """Say in words how ``available`` came to its figure."""
    if level.available is not None:
        return "available as reported"
    if level.on_hand is None:
        return "not reported"
    words = f"on hand {level.on_hand} - committed {level.committed}"
    return f"{words} - locked {level.locked}" if subtract_locked else words
