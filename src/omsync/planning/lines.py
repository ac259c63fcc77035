"""One line of a plan: a quantity beside what the cart shows, and what is to be done about the two. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping

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


def line_of(
    quantity: ListingQuantity,
    listing: CartListing | None,
    known: Mapping[str, CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int],
    overdue: Container[Key],
) -> PlanLine:
    """Compare one quantity with what the cart shows, or was last told."""
    wanted = quantity.quantity
    reason = quantity.reason
    if capabilities.max_quantity is not None and wanted > capabilities.max_quantity:
        wanted, reason = capabilities.max_quantity, "capped_by_cart"
    line = PlanLine(
        listing_sku=quantity.listing_sku,
        master_sku=quantity.master_sku,
        location_id=quantity.location_id,
        quantity=wanted,
        action="change",
        reason=reason,
    )
    if not capabilities.readable:
        if capabilities.quantity_meaning == "on_hand":
            return skip(line, "allocated_unknown")
        last = accepted.get(line.key)
        line = evolve(line, shown=last, basis="none" if last is None else "ledger")
    elif listing is not None or line.listing_sku in known:
        problem = problem_of(listing or known[line.listing_sku], capabilities, at_location=listing)
        if problem is not None:
            return skip(line, problem)
        if listing is not None:
            line = with_shown(line, listing, capabilities)
        else:
            line = evolve(line, allocated=0 if capabilities.quantity_meaning == "on_hand" else None)
    elif not capabilities.creates_listings:
        return skip(line, "not_in_cart")
    if line.shown == line.quantity:
        if line.basis != "ledger" or line.key not in overdue or capabilities.contents == "full":
            return evolve(line, action="unchanged")
        line = evolve(line, reason=REASSERTED)
    return _held(line, capabilities, doubtful=quantity.doubtful)


def with_shown(line: PlanLine, listing: CartListing, capabilities: SinkCapabilities) -> PlanLine:
    """Note on the line what the cart shows, as an available quantity."""
    # Whatever an untracked listing shows, it is no stock: the push switches tracking on.
    shown = None if listing.state == "untracked" else listing.quantity
    if shown is not None and capabilities.quantity_meaning == "on_hand":
        shown = None if listing.allocated is None else shown - listing.allocated
    return evolve(
        line,
        shown=shown,
        basis="none" if shown is None else "cart",
        allocated=listing.allocated,
        version=listing.version,
    )


def problem_of(
    listing: CartListing, capabilities: SinkCapabilities, *, at_location: CartListing | None
) -> str | None:
    """Give the reason for which the cart's listing cannot be told anything, or None."""
    tracked = listing.state == "untracked" and capabilities.untracked_policy == "track"
    if listing.state != "listed" and not tracked:
        return f"{listing.state}_in_cart"
    on_hand = capabilities.quantity_meaning == "on_hand"
    return "allocated_unknown" if on_hand and at_location and at_location.allocated is None else None


def _held(line: PlanLine, capabilities: SinkCapabilities, *, doubtful: bool) -> PlanLine:
    reason = None
    if line.quantity == 0 and not capabilities.accepts_zero:
        reason = "cart_refuses_zero"
    elif 0 < line.quantity < capabilities.min_quantity:
        reason = "below_cart_minimum"
    elif doubtful and (line.shown is None or line.quantity > line.shown):
        reason = "source_answer_lost"
    return line if reason is None else evolve(line, action="hold", reason=reason, hint=HINTS[reason])


def skip(line: PlanLine, reason: str) -> PlanLine:
    """Skip the line, and say what to do."""
    return evolve(line, action="skip", reason=reason, hint=HINTS[reason])
