"""Where sales between reads are remembered: steps around the decisions of ``omsync.planning.sales``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from attrs import evolve

from omsync.allocation import Allocation
from omsync.errors import LedgerError
from omsync.exchange import SinkCapabilities
from omsync.http.steps import Steps, call
from omsync.planning import SyncPlan
from omsync.planning.plan import Key
from omsync.planning.sales import Fall, by_key, falls_seen, hold_maybe_sold, hold_new_rises, lag_notices
from omsync.ports import SourceMemory
from omsync.remembered import states_of
from omsync.runs import Context
from omsync.settings import CartSettings

__all__ = ["watch_sales"]


def watch_sales(
    plan: SyncPlan,
    allocation: Allocation,
    cart: CartSettings,
    capabilities: SinkCapabilities,
    sold_here: Mapping[str, int],
    context: Context,
) -> Steps[SyncPlan]:
    """Hold rises that a sale or a passing figure may be behind. Without a ledger nothing is known of either.

    Args:
        plan: What was planned.
        allocation: Says how many units are in one piece of a listing.
        cart: Its order_lag and whether rises have to be seen twice.
        capabilities: Whether the cart can be read, and applies at once.
        sold_here: Units by master SKU in orders of this cart that the figures have not seen.
        context: Ledger and clock.
    """
    if context.ledger is None:
        return plan
    watches_falls = cart.order_lag > 0 and capabilities.readable
    if watches_falls or cart.rises_seen_twice:
        states = by_key((yield from states_of(plan.merchant, plan.cart, context)))
        if watches_falls:
            lag = timedelta(minutes=cart.order_lag)
            memory = context.ledger.memory(plan.merchant)
            falls = yield from _known_falls(memory, plan.cart)
            new = falls_seen(plan, states, falls, capabilities, lag=lag, now=context.clock.now())
            if new:
                yield from call(memory.remember, _namespace(plan.cart), dict(fall.entry for fall in new))
            falls |= {fall.key: fall for fall in new}
            units = {(row.listing_sku, row.location_id): row.units for row in allocation.quantities}
            plan = hold_maybe_sold(plan, falls, lag=lag, units=units, orders=sold_here)
        if cart.rises_seen_twice:
            plan = hold_new_rises(plan, states)
    return evolve(plan, notices=(*plan.notices, *lag_notices(cart)))


def _known_falls(memory: SourceMemory, cart: str) -> Steps[dict[Key, Fall]]:
    entries = yield from call(memory.recall, _namespace(cart))
    try:
        falls = [Fall.of_entry(key, value) for key, value in entries.items()]
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"What the ledger keeps in {_namespace(cart)!r} cannot be read: {error}",
            code="damaged_falls",
            remedy="Somebody edited the ledger; restore it, or forget that namespace of its memory.",
        ) from error
    return {fall.key: fall for fall in falls}


def _namespace(cart: str) -> str:
    return f"falls of {cart}"
