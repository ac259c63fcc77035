"""Reading, comparing, then writing: the looks at a cart that come between its plan and a write."""

from __future__ import annotations

import logging

from omsync.errors import OmsyncError, SettingsError
from omsync.flows.arguments import Sink
from omsync.flows.carts import read_cart
from omsync.http.steps import Steps
from omsync.pushing import Push
from omsync.runs import Context

__all__ = ["compare_again", "look_after_conflicts"]

log = logging.getLogger("omsync")


def compare_again(push: Push, sink: Sink, context: Context) -> Steps[None]:
    """Look at the next rows again before they go to a cart that is blind, if the last look is too old.

    A cart that cannot be looked at is not written either.
    """
    began = context.clock.now()
    keys = push.rows_to_compare(began)
    if not keys:
        return
    try:
        listings = yield from read_cart(sink, sorted({sku for sku, _ in keys}))
    except SettingsError:
        raise
    except OmsyncError as error:
        push.stop("not_sent", f"The cart could not be looked at again before the write: {error.message}")
        return
    push.compare(keys, listings, began)


def look_after_conflicts(push: Push, sink: Sink) -> Steps[None]:
    """Look at rows that the cart refused because they moved, and decide about them anew."""
    keys = push.rows_lost()
    if not keys:
        return
    try:
        listings = yield from read_cart(sink, sorted({sku for sku, _ in keys}))
    except OmsyncError as error:
        # Nothing was overwritten; the next run decides.
        log.warning("The cart %r could not be read after a conflict: %s", push.plan.cart, error.message)
        return
    push.decide_lost(keys, listings)
