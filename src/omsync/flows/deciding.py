"""Deciding what a cart is to be told: allocate, look at the cart, compare, hold to the guards."""

from __future__ import annotations

from attrs import evolve

from omsync.allocation import Allocation
from omsync.allocation.locations import check_channel_is_read, check_location
from omsync.bindings_flow import check_cart
from omsync.chronicle import settings_digest
from omsync.exchange import CartListing, SinkCapabilities
from omsync.flows.ahead import Ahead, look_at_cart
from omsync.flows.arguments import Sink, Source, check_arguments
from omsync.flows.carts import notices_of, with_memory
from omsync.flows.reading import snapshot_of
from omsync.guarding import guarded
from omsync.http.steps import Steps, call
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders, OrdersRead, orders_for
from omsync.planning import SyncPlan, accepted_figures, make_plan, overdue_figures
from omsync.planning.accepted import lowest_told, reassert_notices
from omsync.planning.conflicts import noting_the_look
from omsync.planning.gone import gone_listings
from omsync.planning.plan import Key
from omsync.quarantine_flow import quarantine
from omsync.remembered import states_of
from omsync.runs import Context
from omsync.sales_flow import watch_sales
from omsync.settings import CartSettings, MerchantSettings
from omsync.turning_flow import watch_writers

__all__ = ["plan_flow", "plan_steps"]


def plan_flow(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
) -> Steps[SyncPlan]:
    """Decide what a cart is to be told, and compare it with what the cart shows."""
    check_arguments(sink, cart, merchant, source)
    sink = with_memory(sink, merchant.name, context)
    return (yield from plan_steps(source, sink, cart, merchant, orders_in_flight, context))


def plan_steps(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    fetched: bool = False,
    ahead: Ahead | None = None,
) -> Steps[SyncPlan]:
    """Work out the plan; the sink has its memory already, and may be looking at the cart already."""
    if not cart.enabled:
        return SyncPlan(merchant=merchant.name, cart=cart.name, enabled=False)
    check_location(merchant, cart)
    yield from check_cart(sink.capabilities.destination, cart.name, merchant.name, context)
    snapshot = yield from snapshot_of(source, merchant, context)
    check_channel_is_read(snapshot, merchant, cart)
    orders = yield from orders_for(orders_in_flight, snapshot, cart, merchant, context)
    context.tell("allocate", 0, None)
    allocation = yield from call(
        context.desk.allocate, snapshot, merchant, cart, orders.units, orders_when=orders.when
    )
    context.tell("allocate", len(allocation.quantities), len(allocation.quantities))
    look = None if ahead is None else (yield from ahead.seen())
    capabilities = sink.capabilities
    said = yield from notices_of(sink, context.clock.now())
    shown: list[CartListing] = []
    overdue: frozenset[Key] = frozenset()
    states = yield from states_of(merchant.name, cart.name, context)
    accepted: dict[Key, int] = {} if capabilities.readable else accepted_figures(states)
    gone = gone_listings(allocation, states, cart, capabilities, context.clock.now())
    looked_at = context.clock.now()
    if capabilities.readable:
        skus = sorted(_asked_for(allocation, capabilities).union(one.listing_sku for one in gone))
        context.tell("read cart", 0, len(skus))

        def planned() -> dict[Key, int | None]:
            rows: dict[Key, int | None] = {(row.listing_sku, row.location_id): None for row in gone}
            rows |= {(row.listing_sku, row.location_id): row.quantity for row in allocation.quantities}
            return rows

        if orders.sold_here:
            # An order explains a fall only where it was asked for before the look.
            look = None
        shown, looked_at = yield from look_at_cart(sink, skus, look, planned, states, context)
        context.tell("read cart", len(skus), len(skus))
    else:
        overdue = overdue_figures(
            states,
            now=context.clock.now(),
            after=cart.reassert_after,
            zeros_after=cart.reassert_zeros_after,
        )
        said = (*said, *reassert_notices(cart))
    lowest = None if capabilities.readable else lowest_told(states)
    plan = make_plan(allocation, shown, capabilities, accepted, overdue, gone, lowest)
    plan = evolve(plan, settings_digest=settings_digest(merchant, cart))
    plan = noting_the_look(plan, capabilities, cart.compare_within, looked_at)
    plan = yield from watch_writers(plan, allocation, states, cart, capabilities, context)
    plan = yield from watch_sales(plan, allocation, states, cart, capabilities, orders.sold_here, context)
    said = (*orders.notices, *said)
    plan = evolve(plan, notices=(*plan.notices, *said)) if said else plan
    handed = isinstance(source, InventorySnapshot) and not fetched
    plan = yield from quarantine(plan, cart, context)
    return (yield from guarded(plan, snapshot, states, merchant, cart, context, handed=handed))


def _asked_for(allocation: Allocation, capabilities: SinkCapabilities) -> set[str]:
    """Name the listings to read; a cart that is sent everything is told of those without a quantity too."""
    skus = {quantity.listing_sku for quantity in allocation.quantities}
    if capabilities.contents == "full":
        skus |= {skipped.listing_sku for skipped in allocation.skipped if skipped.listing_sku is not None}
    return skus
