"""What a cart shows, by listing and location, and what it was last told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from omsync.exchange import CartListing, SinkCapabilities
from omsync.planning.plan import Key, KnownRow, PlanLine

__all__ = ["known_rows", "last_told", "listed"]


def listed(shown: Iterable[CartListing]) -> dict[Key, CartListing]:
    """Index what the cart shows; a row that comes twice and differs is a listing that stands twice."""
    listings: dict[Key, CartListing] = {}
    for listing in shown:
        before = listings.setdefault((listing.listing_sku, listing.location_id), listing)
        if before != listing:
            twice = evolve(listing, state="duplicate")
            listings[listing.listing_sku, listing.location_id] = twice
    return listings


def last_told(
    listings: Mapping[Key, CartListing], capabilities: SinkCapabilities, accepted: Mapping[Key, int]
) -> dict[Key, int]:
    """Give what the cart was last told, where that is certain: what a full push can repeat."""
    if not capabilities.readable:
        return dict(accepted)
    return {
        key: listing.quantity
        for key, listing in listings.items()
        if listing.quantity is not None and listing.state == "listed" and listing.same_as is None
    }


def known_rows(
    told: Mapping[Key, int], lines: Sequence[PlanLine], capabilities: SinkCapabilities
) -> tuple[KnownRow, ...]:
    """Give what a full push repeats besides the plan's lines, and for those that do not know what shows."""
    if capabilities.contents != "full":
        return ()
    planned = {line.key for line in lines if line.shown is not None}
    return tuple(
        KnownRow(listing_sku=sku, location_id=location_id, quantity=quantity)
        for (sku, location_id), quantity in sorted(
            told.items(), key=lambda item: (item[0][0], item[0][1] or "")
        )
        if (sku, location_id) not in planned
    )
