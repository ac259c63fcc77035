"""A look at a cart before there are figures to compare with: where that is safe, and what of it still holds.

Such a look is old by the time that anything is written. So it settles only what needs no write, since it
shows what it shall; whatever is to change is looked at again, late. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from omsync.exchange import CartListing, ListingState, SinkCapabilities
from omsync.planning.accepted import is_answered
from omsync.planning.plan import Key

__all__ = ["Look", "may_look_ahead", "still_holds", "worth_a_look"]


@frozen(kw_only=True)
class Look:
    """What a cart showed early.

    Args:
        began: When the look began.
        known: What the ledger knew then of the listings that were looked at.
        listings: What the cart showed.
    """

    began: datetime
    known: Mapping[Key, ListingState]
    listings: tuple[CartListing, ...]


def may_look_ahead(capabilities: SinkCapabilities) -> bool:
    """Tell whether a cart is looked at early at all: only one in which a sale makes a late write fail.

    That is a second bar, since what an early look settles is not written to.
    A version of a row need not move with a sale, and units on hand do not: an order only takes of those that
    are available. Where writes are applied later, a refusal comes later than the decision. A cart that lists
    everything at each look would be listed twice.
    """
    return (
        capabilities.readable
        and capabilities.compare_and_set == "cas"
        and capabilities.quantity_meaning == "available"
        and capabilities.completion == "immediate"
        and capabilities.contents != "full"
        and not capabilities.lists_all
    )


def worth_a_look(states: Iterable[ListingState]) -> dict[Key, ListingState]:
    """Give what the ledger knows of the listings that the cart was seen to show, and owes no answer for.

    A row whose answer is missing may be written at any time, also after the look.
    """
    return {
        (state.listing_sku, state.location_id): state
        for state in states
        if state.observed is not None and is_answered(state)
    }


def still_holds(
    look: Look, planned: Mapping[Key, int | None], states: Iterable[ListingState]
) -> frozenset[str]:
    """Name the listings that need no second look before they are planned.

    Each row of such a listing showed what it shall show, so nothing is written to it; and it is known to the
    ledger as it was before the look: no run wrote to it meanwhile, and nobody saw anything else. What sells
    there after the look is seen by the next run, before anything rises.

    Args:
        look: What the cart showed.
        planned: Every row that the plan will have, with what it shall show; None where that is not known yet.
        states: What the ledger knows now, under the cart's lease.
    """
    now = {(state.listing_sku, state.location_id): state for state in states}
    figures = {
        (one.listing_sku, one.location_id): one.quantity for one in look.listings if one.state == "listed"
    }
    moved = {
        key[0]
        for key, quantity in planned.items()
        if quantity is None
        or figures.get(key) != quantity
        or key not in look.known
        or look.known[key] != now.get(key)
    }
    return frozenset(key[0] for key in planned) - moved
