"""The rows of one push to Amazon: where they go, what is never sent, and how they make up messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omsync.ports import CartListing, PushResult
from omsync.sinks._amazon import DEFAULT, Listing
from omsync.sinks._http import refused
from omsync.sinks._rows import Places, Row

__all__ = ["shown", "unfit", "units_of"]


def state_of(listing: Listing, places: Places) -> str:
    """Give a listing's state: stock in Amazon's hands is not ours to set."""
    if listing.foreign(places.codes):
        return "unmanaged"
    return "listed" if listing.units else "untracked"


def shown(listing: Listing, places: Places) -> Iterator[CartListing]:
    """Give what a listing shows at each place, by every way to name it; a supply source not told of has 0."""
    state = state_of(listing, places)
    for location_id, code in places.names.items():
        yield CartListing(
            listing_sku=listing.sku,
            location_id=location_id,
            quantity=listing.units.get(code, 0 if listing.units else None) if state == "listed" else None,
            state=state,
            same_as=code if places.named and location_id != code else None,
        )


def unfit(
    row: Row, listing: Listing | None, places: Places, *, untracked_policy: str, most: int | None
) -> PushResult | None:
    """Give the result of a row that must not be sent; None for one that may."""
    change = row.change
    if not row.place:
        return places.unknown(row)
    if most is not None and change.quantity > most:
        return refused(change, "out_of_range", f"{change.quantity} is more than {most}")
    if listing is None:
        return refused(change, "not_in_cart", f"the seller has no listing {change.listing_sku!r} here")
    foreign = listing.foreign(places.codes)
    if foreign:
        message = (
            f"its stock is with {', '.join(foreign)}, not with the seller; a quantity would turn the offer "
            "into one that the seller ships and strand the stock; a supply source of yours must be in "
            "supply_sources"
        )
        return refused(change, "fulfilled_by_platform", message, status="skipped")
    if not listing.units and untracked_policy != "track":
        message = "Amazon shows no fulfilment channel for this listing, so nobody knows who ships it"
        status = "skipped" if untracked_policy == "skip" else "rejected"
        return refused(change, "untracked_in_cart", message, status=status)
    return None


def units_of(rows: Sequence[Row], listing: Listing, places: Places) -> dict[str, int]:
    """Give one listing's quantities by channel code.

    A listing that goes to supply sources and still has units in ``DEFAULT`` gets 0 there along with them, or
    they would be sold twice.
    """
    left = places.named and listing.units.get(DEFAULT)
    return {**({DEFAULT: 0} if left else {}), **{row.place: row.change.quantity for row in rows}}
