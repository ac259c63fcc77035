"""Where sales between reads are remembered: steps around the decisions of ``omsync.planning.sales``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from attrs import evolve

from omsync.allocation import Allocation
from omsync.exchange import ListingState, SinkCapabilities
from omsync.http.steps import Steps
from omsync.planning import SyncPlan
from omsync.planning.plan import Key
from omsync.planning.sales import (
    Fall,
    by_key,
    dated_by,
    falls_looked_at,
    falls_meanwhile,
    falls_seen,
    hold_maybe_sold,
    hold_new_rises,
    lag_notices,
)
from omsync.remembered import damaged, keep, place_of, recall
from omsync.runs import Context
from omsync.settings import CartSettings

__all__ = ["note_falls", "note_falls_meanwhile", "watch_sales"]


def watch_sales(
    plan: SyncPlan,
    allocation: Allocation,
    states: Iterable[ListingState],
    cart: CartSettings,
    capabilities: SinkCapabilities,
    sold_here: Mapping[str, int],
    context: Context,
) -> Steps[SyncPlan]:
    """Hold rises that a sale or a passing figure may be behind. Without a ledger nothing is known of either.

    Args:
        plan: What was planned.
        allocation: Says how many units are in one piece of a listing.
        states: What the ledger knows of the cart's listings.
        cart: Its order_lag and whether rises have to be seen twice.
        capabilities: Whether the cart can be read, and applies at once.
        sold_here: Units by master SKU in orders of this cart that the figures have not seen.
        context: Ledger and clock.
    """
    if context.ledger is None:
        return plan
    watches_falls = cart.order_lag > 0 and capabilities.readable
    if watches_falls or cart.rises_seen_twice:
        known = by_key(states)
        if watches_falls:
            lag = timedelta(minutes=cart.order_lag)
            now = context.clock.now()
            falls = yield from _known_falls(plan.cart, plan.merchant, now, context)
            new = falls_seen(plan, known, falls, capabilities, lag=lag, now=now)
            yield from _keep_falls(new, plan.cart, plan.merchant, context)
            falls |= {fall.key: fall for fall in new}
            units = {(row.listing_sku, row.location_id): row.units for row in allocation.quantities}
            plan = hold_maybe_sold(plan, falls, lag=lag, units=units, orders=sold_here)
        if cart.rises_seen_twice:
            plan = hold_new_rises(plan, known)
    return evolve(plan, notices=(*plan.notices, *lag_notices(cart)))


def note_falls(
    shown: Mapping[Key, int],
    states: Iterable[ListingState],
    cart: str,
    merchant: str,
    capabilities: SinkCapabilities,
    looked_at: datetime,
    context: Context,
) -> Steps[None]:
    """Keep the falls that somebody's look at a cart shows, so that what it saw does not pass for usual.

    Args:
        shown: What the cart shows, as available quantities.
        states: What the ledger knows of the cart's listings.
        cart: The cart's name.
        merchant: The merchant's name.
        capabilities: Whether the cart applies at once.
        looked_at: When.
        context: Ledger and clock.
    """
    known = yield from _known_falls(cart, merchant, looked_at, context)
    new = falls_looked_at(shown, by_key(states), known, capabilities, now=looked_at)
    yield from _keep_falls(new, cart, merchant, context)


def note_falls_meanwhile(
    looks: Mapping[Key, tuple[int, int]], cart: str, merchant: str, context: Context
) -> Steps[None]:
    """Keep the falls that a run met between its look at a cart and its write, as if the look had seen them.

    Args:
        looks: What each row showed first, and later, as available quantities; only what fell.
        cart: The cart's name.
        merchant: The merchant's name.
        context: Ledger and clock.
    """
    if context.ledger is None or not looks:
        return
    now = context.clock.now()
    known = yield from _known_falls(cart, merchant, now, context)
    yield from _keep_falls(falls_meanwhile(looks, known, now=now), cart, merchant, context)


def _known_falls(cart: str, merchant: str, now: datetime, context: Context) -> Steps[dict[Key, Fall]]:
    entries = yield from recall(_namespace(cart), merchant, context)
    try:
        kept = [Fall.of_entry(key, value) for key, value in entries.items()]
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(_namespace(cart), "damaged_falls", error) from error
    falls = dated_by(kept, now)
    yield from _keep_falls([falls[one.key] for one in kept if one.seen_at > now], cart, merchant, context)
    return falls


def _keep_falls(falls: Iterable[Fall], cart: str, merchant: str, context: Context) -> Steps[None]:
    yield from keep(_namespace(cart), dict(fall.entry for fall in falls), merchant, context)


def _namespace(cart: str) -> str:
    return place_of("falls", cart)
