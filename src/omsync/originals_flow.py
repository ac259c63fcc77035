"""Looking up what a cart showed before omsync, and planning to put it back. Nothing is pushed."""

from __future__ import annotations

from attrs import evolve

from omsync.bindings_flow import check_cart
from omsync.checks import shown
from omsync.errors import SettingsError, WrongTypeError
from omsync.flows import Sink, check_sink, read_cart, with_memory
from omsync.guarding import guarded_alone
from omsync.http.steps import Steps
from omsync.planning import SyncPlan
from omsync.planning.originals import Original, Originals, originals_place, put_back_plan
from omsync.remembered import (
    binding_of,
    destination_of,
    kept_as,
    ledger_of,
    name_of,
    recall,
    warn_of_a_stranger,
)
from omsync.runs import Context
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["originals_flow", "put_back_flow"]


def originals_flow(
    cart: CartSettings | str, merchant: MerchantSettings | str, context: Context
) -> Steps[Originals]:
    """Look up what a cart showed before omsync changed it."""
    ledger_of(context)
    owner, name = name_of(merchant), name_of(cart)
    bound = yield from binding_of(destination_of(name), owner, context)
    if bound is None:
        yield from warn_of_a_stranger(owner, name, context)
        return Originals(merchant=owner, cart=name)
    return (yield from _kept(owner, name, bound.what, context))


def put_back_flow(
    sink: Sink, cart: CartSettings, merchant: MerchantSettings | str, context: Context
) -> Steps[SyncPlan]:
    """Plan to put a cart back to what it showed before omsync changed it."""
    check_sink(sink)
    if not isinstance(cart, CartSettings):
        raise WrongTypeError(
            f"cart must be CartSettings, not {shown(cart)}",
            remedy="Write CartSettings(name='shop') or the like; the order is ledger, sink, cart.",
        )
    ledger_of(context)
    owner = name_of(merchant)
    mine = with_memory(sink, owner, context)
    capabilities = mine.capabilities
    yield from check_cart(capabilities.destination, cart.name, owner, context)
    if not capabilities.readable:
        raise SettingsError(
            f"{capabilities.destination} cannot say what it shows, so nothing is known of what it showed "
            "before omsync",
            code="nothing_to_put_back",
            remedy="Take the quantities from a backup of the shop, and push them with its own means.",
        )
    originals = yield from _kept(owner, cart.name, capabilities.destination, context)
    skus = sorted({one.listing_sku for one in originals if one.quantity is not None})
    context.tell("read cart", 0, len(skus))
    looked_at = context.clock.now()
    listings = (yield from read_cart(mine, skus)) if skus else []
    context.tell("read cart", len(skus), len(skus))
    plan = evolve(put_back_plan(originals, listings, capabilities), looked_at=looked_at.isoformat())
    return (yield from guarded_alone(plan, cart, context))


def _kept(merchant: str, cart: str, destination: str, context: Context) -> Steps[Originals]:
    place = originals_place(cart, destination)
    kept = yield from recall(place, merchant, context)
    entries = (kept_as(Original, text, place) for text in kept.values() if text)
    return Originals(
        merchant=merchant,
        cart=cart,
        destination=destination,
        entries=sorted(entries, key=lambda one: (one.listing_sku, one.location_id or "")),
    )
