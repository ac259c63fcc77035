"""Desired against shown: the pure comparison that makes a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from omsync.allocation import Allocation, Notice, Skip
from omsync.allocation.notices import few
from omsync.checks import counted
from omsync.errors import SettingsError
from omsync.exchange import CartListing, SinkCapabilities
from omsync.planning.gone import Gone, departures, departures_told, lines_of, without_departed
from omsync.planning.lines import line_of, skip
from omsync.planning.plan import Key, KnownRow, PlanLine, SyncPlan
from omsync.planning.shown import known_rows, last_told, listed

__all__ = ["make_plan"]


def make_plan(
    allocation: Allocation,
    shown: Iterable[CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int] | None = None,
    overdue: Container[Key] = (),
    gone: Iterable[Gone] = (),
    told: Mapping[Key, int] | None = None,
) -> SyncPlan:
    """Compare what a cart is to be told with what it shows. Pure.

    Args:
        allocation: What the listings are to be told.
        shown: What the cart showed; nothing for a cart that cannot be read.
        capabilities: What the cart can do.
        accepted: For a cart that cannot be read: what it last accepted, as available quantities.
        overdue: Of these, what was accepted too long ago, and is sent again.
        gone: What was once shown above 0 and has no quantity any more, and what becomes of it.
        told: For a cart that cannot be read and is sent everything: what it can be told again; None for what
            it last accepted.

    Raises:
        SettingsError: The cart has no locations and a breakdown is asked for, or the other way round.
    """
    listings = listed(shown)
    lines: list[PlanLine] = []
    withheld = 0
    for quantity in allocation.quantities:
        listing = listings.get((quantity.listing_sku, quantity.location_id))
        elsewhere = listing or listings.anywhere(quantity.listing_sku)
        lines.append(line_of(quantity, listing, elsewhere, capabilities, accepted or {}, overdue))
        withheld += quantity.withheld
    _check_locations(allocation.cart, lines, capabilities)
    lines = _one_name_a_place(lines, listings)
    departed = departures(gone, listings, capabilities, accepted or {})
    if departed:
        lines = sorted(
            [*lines, *lines_of(departed)], key=lambda line: (line.listing_sku, line.location_id or "")
        )
    again = last_told(listings, capabilities, (accepted or {}) if told is None else told)
    repeated = known_rows(again, lines)
    unplanned = listings.keys() - (line.key for line in lines)
    return SyncPlan(
        merchant=allocation.merchant,
        cart=allocation.cart,
        destination=capabilities.destination,
        taken_at=allocation.taken_at,
        lines=lines,
        skipped=without_departed(allocation.skipped, departed),
        notices=(
            *allocation.notices,
            *departures_told(departed),
            *_notices(capabilities, lines),
            *_rows_beside(lines, listings, unplanned),
            *_repeating(capabilities, lines, allocation.skipped, repeated),
        ),
        cart_only=_unspoken((sku for sku, _ in unplanned), lines, allocation.skipped),
        known=repeated,
        withheld=withheld,
        allocation=allocation,
    )


def _one_name_a_place(lines: list[PlanLine], listings: Mapping[Key, CartListing]) -> list[PlanLine]:
    """Skip lines that name one place of the cart in two ways: each would undo the other, run after run."""
    if all(listing.same_as is None for listing in listings.values()):
        return lines
    places = {
        line.key: (line.listing_sku, listings[line.key].same_as or line.location_id)
        for line in lines
        if line.key in listings
    }
    named = Counter(places.values())
    return [
        skip(line, "location_named_twice") if named[places.get(line.key, line.key)] > 1 else line
        for line in lines
    ]


def _unspoken(skus: Iterable[str], lines: Iterable[PlanLine], skipped: Iterable[Skip]) -> list[str]:
    """Give those of the listings that the plan does not speak of, sorted."""
    unspoken = set(skus)
    unspoken.difference_update(line.listing_sku for line in lines)
    unspoken.difference_update(skip.listing_sku for skip in skipped if skip.listing_sku is not None)
    return sorted(unspoken)


def _rows_beside(
    lines: Sequence[PlanLine], listings: Mapping[Key, CartListing], unplanned: set[Key]
) -> Iterator[Notice]:
    """Count what the cart shows for planned listings at locations that the plan does not speak of."""
    skus = {sku for sku, _ in unplanned}.intersection(line.listing_sku for line in lines)
    spoken = {
        (listing.listing_sku, listing.same_as)
        for key, listing in listings.items()
        if listing.same_as is not None and key not in unplanned
    }
    beside = sorted(
        f"{sku} at {location_id}" if location_id is not None else sku
        for sku, location_id in unplanned - spoken
        if sku in skus
        and (listings[sku, location_id].quantity or 0) > 0
        and listings[sku, location_id].same_as is None
    )
    if beside:
        yield Notice(
            reason="rows_only_in_cart",
            message=f"{counted(len(beside), 'row')} of these listings at places that the plan does not tell; "
            f"they keep what they show: {few(beside)}",
            entries=tuple(beside),
        )


def _repeating(
    capabilities: SinkCapabilities,
    lines: Sequence[PlanLine],
    skipped: Iterable[Skip],
    known: Sequence[KnownRow],
) -> Iterator[Notice]:
    """Say what a full push repeats although nothing was decided about it."""
    if capabilities.contents != "full":
        return
    still = [line for line in lines if line.action != "change" and line.shown is not None]
    going = {line.key for line in lines if line.action == "change"}
    known = [row for row in known if (row.listing_sku, row.location_id) not in going]
    yield Notice(
        reason="told_everything",
        message=f"{capabilities.destination} is told everything each time, and what does not change "
        f"as last told: {counted(len(still) + len(known), 'row')}",
    )
    alone = _unspoken((row.listing_sku for row in known), lines, skipped)
    if alone:
        yield Notice(
            reason="cart_only_repeated",
            message=f"{counted(len(alone), 'listing')} only in the cart, repeated as last told: {few(alone)}",
            entries=tuple(alone),
        )


def _check_locations(cart: str, lines: Iterable[PlanLine], capabilities: SinkCapabilities) -> None:
    located = {line.location_id is not None for line in lines}
    if capabilities.locations == "none" and True in located:
        raise SettingsError(
            f"The cart {cart!r} asks for a breakdown; {capabilities.destination} has no locations",
            code="cart_has_no_locations",
            remedy="Set breakdown=False.",
        )
    if capabilities.locations == "required" and False in located:
        raise SettingsError(
            f"{capabilities.destination} wants a location with every quantity",
            code="cart_needs_locations",
            remedy=f"Set breakdown=True and a location_map for the cart {cart!r}.",
        )


def _notices(capabilities: SinkCapabilities, lines: Sequence[PlanLine]) -> Iterable[Notice]:
    changing = [line for line in lines if line.action == "change"]
    if capabilities.zero_ends_listing and any(line.quantity == 0 for line in changing):
        yield Notice(
            reason="zero_ends_listing",
            message="The cart takes a listing down when it is told 0",
            entries=tuple(sorted({line.listing_sku for line in changing if line.quantity == 0})),
        )
    places = sorted({line.location_id for line in changing if line.location_id is not None})
    if places and not capabilities.sells_all_locations:
        yield Notice(
            reason="default_location_sells",
            message="The cart sells only what stands at its default location; what is sent to others is not "
            "offered, unless the cart adds locations up, which its vendor has to switch on",
            entries=tuple(places),
        )
    if capabilities.compare_and_set == "blind" and changing:
        yield Notice(
            reason="blind_cart",
            message="The cart cannot refuse a write that comes too late: it is compared, then written; a "
            "sale in between is corrected by the next run",
        )
