"""What omsync would show in a cart, beside what the cart shows today. Nothing is pushed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from omsync.allocation import Allocation, Skip
from omsync.comparison.findings import Comparison, Findings
from omsync.errors import SettingsError
from omsync.exchange import CartListing, SinkCapabilities
from omsync.planning import SyncPlan, make_plan

__all__ = ["compare_with_cart"]

_OF_A_PUSH = {"blind_cart", "zero_ends_listing"}
"""Notices that concern a plan which is pushed, and this one is not."""


def compare_with_cart(
    allocation: Allocation,
    shown: Iterable[CartListing],
    capabilities: SinkCapabilities,
    *,
    seen_at: datetime | None = None,
    tolerance: int = 0,
) -> Comparison:
    """Compare what every listing would be told with what the cart shows, at each location. Pure.

    Args:
        allocation: What the listings would be told: the first of the two.
        shown: What the cart shows: the second.
        capabilities: What the cart can do; its ``destination`` names it.
        seen_at: When the cart was read.
        tolerance: Quantities that differ by no more are not listed.

    Raises:
        SettingsError: The cart cannot be read, or its locations do not fit the cart's settings.
    """
    if not capabilities.readable:
        raise SettingsError(
            f"{capabilities.destination} cannot say what it shows",
            code="cart_not_readable",
            remedy="Export its quantities, and give them as CartListing values.",
        )
    listings = list(shown)
    plan = make_plan(allocation, listings, capabilities)
    findings = Findings(names=("omsync", capabilities.destination), tolerance=tolerance)
    for line in plan.lines:
        about = {"sku": line.master_sku, "listing_sku": line.listing_sku, "place": line.location_id}
        what = line.listing_sku + (f" at {line.location_id}" if line.location_id else "")
        if line.action == "skip":
            findings.differ(line.reason, line.quantity, None, f"{what}: {line.hint}", **about)
        elif line.shown is None:
            sentence = f"{what}: the cart does not say what it shows; omsync would show {line.quantity:,}"
            findings.differ("not_said", line.quantity, None, sentence, **about)
        elif findings.figure("quantity", line.quantity, line.shown, what, **about):
            findings.units += abs(line.shown - line.quantity)
    _listings_without_quantity(findings, plan, listings, capabilities)
    findings.notices += [notice for notice in plan.notices if notice.reason not in _OF_A_PUSH]
    return findings.result((datetime.fromisoformat(allocation.taken_at), seen_at))


def _listings_without_quantity(
    findings: Findings, plan: SyncPlan, listings: Iterable[CartListing], capabilities: SinkCapabilities
) -> None:
    """Name what the cart shows and omsync would leave alone: skipped, or unknown to it."""
    planned = {line.listing_sku for line in plan.lines}
    skipped: dict[str | None, Skip] = {}
    for skip in plan.skipped:
        skipped.setdefault(skip.listing_sku, skip)
    cart_only = set(plan.cart_only)
    for listing in listings:
        quantity = _quantity(listing, capabilities)
        if listing.listing_sku in cart_only:
            why = "omsync knows no such listing."
            _without_quantity(findings, "only_in_cart", listing, quantity, why, "")
        elif listing.listing_sku in skipped and listing.listing_sku not in planned:
            skip = skipped[listing.listing_sku]
            _without_quantity(findings, "no_quantity", listing, quantity, skip.hint, skip.master_sku)


def _without_quantity(
    findings: Findings,
    kind: str,
    listing: CartListing,
    quantity: int | None,
    why: str,
    master_sku: str,
) -> None:
    place = listing.location_id
    what = listing.listing_sku + (f" at {place}" if place else "")
    shows = "is in the cart" if quantity is None else f"shows {quantity:,} in the cart"
    sentence = f"{what} {shows}, and omsync would leave it so: {why}"
    findings.differ(
        kind,
        None,
        quantity,
        sentence,
        gap=quantity,
        sku=master_sku,
        listing_sku=listing.listing_sku,
        place=place,
    )


def _quantity(listing: CartListing, capabilities: SinkCapabilities) -> int | None:
    if listing.quantity is None or capabilities.quantity_meaning == "available":
        return listing.quantity
    return None if listing.allocated is None else listing.quantity - listing.allocated
