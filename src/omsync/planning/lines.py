"""One line of a plan: a quantity beside what the cart shows, and what is to be done about the two. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

from attrs import evolve

from omsync.allocation import ListingQuantity
from omsync.exchange import CartListing, SinkCapabilities
from omsync.planning.plan import Key, PlanLine

__all__ = ["HINTS", "REASSERTED", "line_of", "problem_of", "skip", "with_shown"]

REASSERTED = "reasserted"
"""The reason of a line that is sent again although the cart accepted its quantity, long ago."""

HINTS = {
    "not_in_cart": "The cart has no listing of this code; create it there, or correct the alias.",
    "untracked_in_cart": "The cart does not count this listing's stock; switch tracking on in the cart.",
    "duplicate_in_cart": "Several listings of the cart share this code; give each its own.",
    "unmanaged_in_cart": "The cart works this quantity out itself (a kit), or its platform owns the stock.",
    "allocated_unknown": "The cart keeps units on hand and does not say how many its open orders hold; "
    "without that, a right quantity cannot be sent.",
    "location_named_twice": "The location_map names one location of the cart in two ways; use one, and what "
    "goes there is added up.",
    "cart_refuses_zero": "The cart takes no 0; end the listing by hand, or set show_at_least.",
    "below_cart_minimum": "The cart takes no quantity as small as this.",
    "source_answer_lost": "The order manager's newest figure was lost on its way, so nothing is raised; it "
    "is freed once the order manager reports the product again, or approve the plan by its digest.",
}
"""What to do, by the reason of a line that is skipped or held on the cart's side."""


class _Look(NamedTuple):
    """What a look at the cart, or at what it was last told, says about one line."""

    shown: int | None = None
    basis: str = "none"
    allocated: int | None = None
    version: str | None = None
    problem: str | None = None


def line_of(
    quantity: ListingQuantity,
    listing: CartListing | None,
    elsewhere: CartListing | None,
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int],
    overdue: Container[Key],
) -> PlanLine:
    """Compare one quantity with what the cart shows, or was last told.

    Args:
        quantity: What the listing is to be told.
        listing: What the cart shows for it at its location.
        elsewhere: What it shows for it at whatever location.
        capabilities: What the cart can do.
        accepted: For a cart that cannot be read: what it last accepted.
        overdue: Of these, what was accepted too long ago.
    """
    key = quantity.listing_sku, quantity.location_id
    wanted, reason = quantity.quantity, quantity.reason
    if capabilities.max_quantity is not None and wanted > capabilities.max_quantity:
        wanted, reason = capabilities.max_quantity, "capped_by_cart"
    if capabilities.readable:
        look = _look_at_cart(listing, elsewhere, capabilities)
    else:
        look = _look_back(accepted.get(key), capabilities)
    same = look.shown == wanted
    again = same and look.basis == "ledger" and key in overdue and capabilities.contents != "full"
    if look.problem is not None:
        action, reason = "skip", look.problem
    elif same and not again:
        action = "unchanged"
    elif held := _why_held(wanted, look.shown, capabilities, doubtful=quantity.doubtful):
        action, reason = "hold", held
    else:
        action, reason = "change", REASSERTED if again else reason
    return PlanLine(
        listing_sku=quantity.listing_sku,
        master_sku=quantity.master_sku,
        location_id=quantity.location_id,
        quantity=wanted,
        shown=look.shown,
        basis=look.basis,
        action=action,
        reason=reason,
        hint=HINTS[reason] if action in {"skip", "hold"} else "",
        allocated=look.allocated,
        version=look.version,
    )


def _look_at_cart(
    listing: CartListing | None, elsewhere: CartListing | None, capabilities: SinkCapabilities
) -> _Look:
    found = listing or elsewhere
    if found is None:
        return _Look() if capabilities.creates_listings else _Look(problem="not_in_cart")
    problem = problem_of(found, capabilities, at_location=listing)
    if problem is not None:
        return _Look(problem=problem)
    if listing is None:
        return _Look(allocated=0 if capabilities.quantity_meaning == "on_hand" else None)
    return _seen(listing, capabilities)


def _look_back(accepted: int | None, capabilities: SinkCapabilities) -> _Look:
    if capabilities.quantity_meaning == "on_hand":
        return _Look(problem="allocated_unknown")
    return _Look() if accepted is None else _Look(shown=accepted, basis="ledger")


def _seen(listing: CartListing, capabilities: SinkCapabilities) -> _Look:
    """Say what the cart shows, as an available quantity."""
    # Whatever an untracked listing shows, it is no stock: the push switches tracking on.
    shown = None if listing.state == "untracked" else listing.quantity
    if shown is not None and capabilities.quantity_meaning == "on_hand":
        shown = None if listing.allocated is None else shown - listing.allocated
    return _Look(shown, "none" if shown is None else "cart", listing.allocated, listing.version)


def with_shown(line: PlanLine, listing: CartListing, capabilities: SinkCapabilities) -> PlanLine:
    """Note on the line what the cart shows, as an available quantity."""
    look = _seen(listing, capabilities)
    return evolve(line, shown=look.shown, basis=look.basis, allocated=look.allocated, version=look.version)


def problem_of(
    listing: CartListing, capabilities: SinkCapabilities, *, at_location: CartListing | None
) -> str | None:
    """Give the reason for which the cart's listing cannot be told anything, or None."""
    tracked = listing.state == "untracked" and capabilities.untracked_policy == "track"
    if listing.state != "listed" and not tracked:
        return f"{listing.state}_in_cart"
    on_hand = capabilities.quantity_meaning == "on_hand"
    return "allocated_unknown" if on_hand and at_location and at_location.allocated is None else None


def _why_held(
    wanted: int, shown: int | None, capabilities: SinkCapabilities, *, doubtful: bool
) -> str | None:
    if wanted == 0 and not capabilities.accepts_zero:
        return "cart_refuses_zero"
    if 0 < wanted < capabilities.min_quantity:
        return "below_cart_minimum"
    return "source_answer_lost" if doubtful and (shown is None or wanted > shown) else None


def skip(line: PlanLine, reason: str) -> PlanLine:
    """Skip the line, and say what to do."""
    return evolve(line, action="skip", reason=reason, hint=HINTS[reason])
