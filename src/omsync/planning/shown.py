"""What a cart shows, by listing and location, and what it was last told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from attrs import evolve

from omsync.exchange import CartListing, SinkCapabilities
from omsync.planning.plan import Key, KnownRow, PlanLine

__all__ = ["Listings", "known_rows", "last_told", "listed"]


class Listings(dict[Key, CartListing]):
    """What a cart shows, by listing and location."""

    def anywhere(self, listing_sku: str) -> CartListing | None:
        """Give what it shows for a listing at whatever location; where it has several, the last."""
        if self._by_sku is None:
            return self.get((listing_sku, None))
        return self._by_sku.get(listing_sku)

    @cached_property
    def _by_sku(self) -> dict[str, CartListing] | None:
        """By listing alone; None where nothing has a location, so that the rows serve as they are."""
        located = any(location_id is not None for _, location_id in self)
        return {sku: listing for (sku, _), listing in self.items()} if located else None


def listed(shown: Iterable[CartListing]) -> Listings:
    """Index what the cart shows; a row that comes twice and differs is a listing that stands twice."""
    listings = Listings()
    for listing in shown:
        key = listing.listing_sku, listing.location_id
        before = listings.setdefault(key, listing)
        if before is not listing and before != listing:
            listings[key] = evolve(listing, state="duplicate")
    return listings


def last_told(
    listings: Mapping[Key, CartListing], capabilities: SinkCapabilities, accepted: Mapping[Key, int]
) -> dict[Key, int]:
    """Give what the cart was last told, where that is certain: what a full push can repeat."""
    if capabilities.contents != "full":
        return {}
    if not capabilities.readable:
        return dict(accepted)
    return {
        key: listing.quantity
        for key, listing in listings.items()
        if listing.quantity is not None and listing.state == "listed" and listing.same_as is None
    }


def known_rows(told: Mapping[Key, int], lines: Sequence[PlanLine]) -> tuple[KnownRow, ...]:
    """Give what a full push repeats besides the plan's lines, and for those that do not know what shows.

    Args:
        told: What the cart was last told, as ``last_told`` gives it.
        lines: The plan's.
    """
    if not told:
        return ()
    planned = {line.key for line in lines if line.shown is not None}
    return tuple(
        KnownRow(listing_sku=sku, location_id=location_id, quantity=quantity)
        for (sku, location_id), quantity in sorted(
            told.items(), key=lambda item: (item[0][0], item[0][1] or "")
        )
        if (sku, location_id) not in planned
    )
