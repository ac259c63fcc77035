"""Where it is remembered what turned back: steps around the decisions of ``omsync.planning.turning``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta

from attrs import evolve

from omsync.allocation import Allocation
from omsync.exchange import ListingState, SinkCapabilities
from omsync.http.steps import Steps
from omsync.planning import SyncPlan
from omsync.planning.sales import by_key
from omsync.planning.turning import (
    ANOTHER_WRITER,
    Sighting,
    hold_turned,
    look,
    stock_behind,
    turned_twice,
    writer_notices,
)
from omsync.remembered import damaged, keep, place_of, recall
from omsync.runs import Context
from omsync.settings import CartSettings

__all__ = ["watch_writers"]

_KEY = "last look"


def watch_writers(
    plan: SyncPlan,
    allocation: Allocation,
    states: Iterable[ListingState],
    cart: CartSettings,
    capabilities: SinkCapabilities,
    context: Context,
) -> Steps[SyncPlan]:
    """Hold the rises of listings that another system writes as well, and say so.

    Without a ledger, or where the cart cannot be read, nothing is known of that.

    Args:
        plan: What was planned.
        allocation: What the order manager has behind each quantity.
        states: What the ledger knows of the cart's listings.
        cart: Its order_lag, and the guards that are switched off.
        capabilities: Whether the cart can be read, and applies at once.
        context: Ledger and clock.
    """
    if context.ledger is None or not capabilities.readable or ANOTHER_WRITER in cart.guardrails.off:
        return plan
    place = place_of("writes", plan.cart)
    memory = yield from recall(place, plan.merchant, context)
    text = memory.get(_KEY, "")
    sightings = look(
        plan,
        by_key(states),
        {one.key: one for one in _read(text, place)},
        stock_behind(allocation),
        capabilities,
        lag=timedelta(minutes=cart.order_lag),
        now=context.clock.now(),
    )
    news = json.dumps([one.row for one in sightings]) if sightings else ""
    if news != text:
        yield from keep(place, {_KEY: news}, plan.merchant, context)
    turned = turned_twice(sightings)
    return evolve(hold_turned(plan, turned), notices=(*plan.notices, *writer_notices(turned)))


def _read(text: str, place: str) -> list[Sighting]:
    try:
        return [Sighting.of_row(row) for row in json.loads(text or "[]")]
    except (ValueError, TypeError) as error:
        raise damaged(place, "damaged_writes", error) from error
