"""Which account is read and which cart is pushed to: noted at the first run, refused when it changes.

A person who means the change confirms it; what the ledger knows of the old one is then not believed of the
new one, and stays to be looked up.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import evolve

from omsync.checks import counted, shown
from omsync.errors import WrongTypeError
from omsync.http.steps import Steps, call
from omsync.leases import Hold, under_lease
from omsync.model import InventorySnapshot
from omsync.planning import SyncPlan
from omsync.planning.bindings import (
    Binding,
    binding_moment,
    is_another_account,
    is_since,
    is_unread,
    other_account,
    other_cart,
    other_reading,
    outdated_plan,
)
from omsync.planning.originals import originals_place
from omsync.ports import AsyncCartSink, AsyncOrderManagerSource, CartSink, OrderManagerSource
from omsync.remembered import (
    OF_ONE_CART,
    ORIGIN,
    binding_of,
    destination_of,
    forget,
    keep,
    ledger_of,
    name_of,
    place_of,
    recall,
)
from omsync.runs import Context, new_run
from omsync.serial import to_json
from omsync.settings import CartSettings, MerchantSettings

__all__ = [
    "bind_cart",
    "bind_source",
    "check_cart",
    "check_plan",
    "check_reading_of",
    "check_source",
    "confirm_cart_flow",
    "confirm_source_flow",
]

log = logging.getLogger("omsync")

_OF_THE_READINGS = "read"
"""The key among a cart's guardrails that is about the order manager, and stays."""


@runtime_checkable
class _HasOrigin(Protocol):
    @property
    def origin(self) -> str: ...


def check_cart(here: str, cart: str, merchant: str, context: Context) -> Steps[None]:
    """Refuse a sink that is another cart than the one that its name stands for.

    Args:
        here: The sink's destination.
        cart: The cart's name.
        merchant: The merchant's name.
        context: Has the ledger; without one nothing is known.
    """
    bound = yield from binding_of(destination_of(cart), merchant, context)
    if bound is not None and bound.what != here:
        raise other_cart(bound, here, merchant=merchant, cart=cart)


def check_plan(plan: SyncPlan, context: Context) -> Steps[None]:
    """Refuse a plan that was made before a person confirmed another cart, or another account to read."""
    if not plan.looked_at:
        return
    for place in (destination_of(plan.cart), ORIGIN):
        bound = yield from binding_of(place, plan.merchant, context)
        if bound is not None and not is_since(datetime.fromisoformat(plan.looked_at), bound):
            raise outdated_plan(bound, merchant=plan.merchant, cart=plan.cart)


def bind_cart(here: str, cart: str, merchant: str, context: Context) -> Steps[None]:
    """Note which cart the name stands for, at the first run that knows what to push; check it at others."""
    place = destination_of(cart)
    bound = yield from binding_of(place, merchant, context)
    if bound is None:
        yield from _bind(place, Binding(what=here, since=context.clock.now()), merchant, context)
    elif bound.what != here:
        raise other_cart(bound, here, merchant=merchant, cart=cart)


def check_source(source: object, merchant: str, context: Context) -> Steps[Binding | None]:
    """Refuse a source that is another account than the one that was read before; give what was."""
    here = _origin(source)
    bound = yield from binding_of(ORIGIN, merchant, context)
    if bound is not None and bound.what and bound.what != here:
        raise other_account(bound, here, merchant=merchant)
    return bound


def check_reading_of(
    reading: InventorySnapshot, last: InventorySnapshot | None, bound: Binding | None, merchant: str
) -> None:
    """Refuse a reading that has next to nothing in common with the last good one of its account."""
    if last is not None and not is_unread(bound) and is_another_account(last, reading):
        raise other_reading(last, reading, merchant=merchant)


def bind_source(source: object, bound: Binding | None, merchant: str, context: Context) -> Steps[None]:
    """Note which account was read, after a good reading.

    Args:
        source: What was read.
        bound: What ``check_source`` gave.
        merchant: The merchant's name.
        context: Ledger and clock.
    """
    here = _origin(source)
    if bound is None and here:
        yield from _bind(ORIGIN, Binding(what=here, since=context.clock.now()), merchant, context)
    elif bound is not None and (is_unread(bound) or bound.what != here):
        yield from _bind(ORIGIN, evolve(bound, what=here, read=True), merchant, context)


def confirm_cart_flow(
    sink: CartSink | AsyncCartSink,
    cart: CartSettings | str,
    by: str,
    reason: str,
    merchant: MerchantSettings | str,
    context: Context,
) -> Steps[Binding]:
    """Let a cart's name stand for this sink from now on; nothing that is known of another is believed of it.

    The cart's lease is taken, so that no run notes figures of the old cart meanwhile.
    """
    here = getattr(getattr(sink, "capabilities", None), "destination", None)
    if not isinstance(here, str):
        raise WrongTypeError(
            f"confirm_cart() takes the sink, not {shown(sink)}",
            remedy="The order is ledger, sink, cart.",
        )
    ledger, owner, name = ledger_of(context), name_of(merchant), name_of(cart)
    place = destination_of(name)

    def work(_: Hold) -> Steps[Binding]:
        before = yield from binding_of(place, owner, context)
        states = yield from call(lambda: list(ledger.states(owner, name)))
        since = binding_moment(context.clock.now(), before, states)
        binding = Binding(what=here, since=since, by=_text("by", by), reason=_text("reason", reason))
        guardrails = yield from recall(place_of("guardrails", name), owner, context)
        for what in OF_ONE_CART:
            yield from forget(place_of(what, name), owner, context)
        stays = {key: text for key, text in guardrails.items() if key == _OF_THE_READINGS}
        yield from keep(place_of("guardrails", name), stays, owner, context)
        if before is None or before.what == here:
            # The same address with another shop behind it: what the old one showed is nothing to go back to.
            yield from forget(originals_place(name, here), owner, context)
        yield from _bind(place, binding, owner, context)
        log.warning(
            "The cart %r of %r is %s; %s of before are left aside",
            name,
            owner,
            binding,
            counted(len(states), "listing"),
        )
        return binding

    return (yield from under_lease(new_run(owner, name, context), work, context))


def confirm_source_flow(
    source: OrderManagerSource | AsyncOrderManagerSource,
    by: str,
    reason: str,
    merchant: MerchantSettings | str,
    context: Context,
) -> Steps[Binding]:
    """Let the merchant's readings be of this source from now on, whatever its next reading holds."""
    if not hasattr(source, "read"):
        raise WrongTypeError(
            f"confirm_source() takes the source, not {shown(source)}",
            remedy="The order is ledger, source.",
        )
    ledger_of(context)
    owner = name_of(merchant)

    def work(_: Hold) -> Steps[Binding]:
        before = yield from binding_of(ORIGIN, owner, context)
        since = binding_moment(context.clock.now(), before)
        here = _origin(source)
        binding = Binding(what=here, since=since, by=_text("by", by), reason=_text("reason", reason))
        yield from _bind(ORIGIN, binding, owner, context)
        log.warning("The order manager of %r is %s", owner, binding)
        return binding

    return (yield from under_lease(new_run(owner, None, context), work, context))


def _bind(namespace: str, binding: Binding, merchant: str, context: Context) -> Steps[None]:
    yield from keep(namespace, {binding.entry: to_json(binding)}, merchant, context)


def _origin(source: object) -> str:
    origin = source.origin if isinstance(source, _HasOrigin) else ""
    if not isinstance(origin, str):
        raise WrongTypeError(
            f"A source's origin is text, not {shown(origin)}",
            remedy="Name the account without secrets, such as 'acme at erp.example', or leave origin away.",
        )
    return origin


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongTypeError(
            f"{name} must be text, not {shown(value)}",
            remedy="Say who confirms, and why; it is kept in the ledger.",
        )
    return value
