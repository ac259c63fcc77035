"""Looking at a cart while the order manager is still being read, where ``planning.ahead`` says it is safe.

The look takes no lease and begins no run: if the order manager cannot be read, nothing of it is left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from omsync.bindings_flow import check_cart
from omsync.exchange import CartListing, ListingState
from omsync.flows.arguments import Sink, Source
from omsync.flows.carts import read_cart, remembering
from omsync.http.steps import Begun, Steps, begin, finish
from omsync.leases import CartMemory, Hold
from omsync.model import InventorySnapshot
from omsync.planning.ahead import Look, may_look_ahead, still_holds, worth_a_look
from omsync.planning.plan import Key
from omsync.remembered import states_of
from omsync.runs import Context
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Ahead", "look_ahead", "look_at_cart"]

log = logging.getLogger("omsync")


@frozen(kw_only=True)
class Ahead:
    """A look at a cart that is under way.

    Args:
        sink: What looks; it goes on to push, since what it has seen is what it writes to.
        memory: What the sink keeps between runs.
        looking: The look itself; None comes of it where there is nothing to be had.
    """

    sink: Sink
    memory: CartMemory
    looking: Begun[Look | None]

    def of_run(self, hold: Hold) -> Sink:
        """Give the sink to the run that has begun by now, and its memory with it."""
        self.memory.hold = hold
        return self.sink

    def seen(self) -> Steps[Look | None]:
        """Wait for the look. Until then nobody else may use the sink."""
        return (yield from finish(self.looking))


def look_ahead(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    context: Context,
) -> Steps[Ahead | None]:
    """Begin a look at a cart beside the reading that comes next; None where there is no reading, or no need.

    Args:
        source: What is about to be read.
        sink: The cart, as the user gave it.
        cart: Its settings.
        merchant: The merchant's.
        context: Has the ledger, which knows what the cart was seen to show; without one there is no look.
    """
    reads = source is not None and not isinstance(source, InventorySnapshot)
    if not reads or not cart.enabled or context.ledger is None:
        return None
    try:
        if not may_look_ahead(sink.capabilities):
            return None
        memory = CartMemory(memory=context.ledger.memory(merchant.name))
        mine = remembering(sink, memory)
    except Exception as error:  # noqa: BLE001  as in the look itself
        log.info("The cart %r is not looked at ahead: %s", cart.name, error)
        return None
    looking = yield from begin(_look(mine, cart.name, merchant.name, context))
    return Ahead(sink=mine, memory=memory, looking=looking)


def _look(sink: Sink, cart: str, merchant: str, context: Context) -> Steps[Look | None]:
    """Look at the listings that the ledger knows; what goes wrong is left to the look that comes after."""
    try:
        yield from check_cart(sink.capabilities.destination, cart, merchant, context)
        known = worth_a_look((yield from states_of(merchant, cart, context)))
        if not known:
            return None
        began = context.clock.now()
        listings = yield from read_cart(sink, sorted({sku for sku, _ in known}))
    except Exception as error:  # noqa: BLE001  a user's own sink may raise anything, and will again
        log.info("The cart %r is looked at after the order manager was read: %s", cart, error)
        return None
    return Look(began=began, known=known, listings=tuple(listings))


def look_at_cart(
    sink: Sink,
    listing_skus: Sequence[str],
    look: Look | None,
    planned: Callable[[], Mapping[Key, int | None]],
    states: Iterable[ListingState],
    context: Context,
) -> Steps[tuple[list[CartListing], datetime]]:
    """Give what the cart shows, and when the first look at it began; only what no early look tells is read.

    Args:
        sink: The cart.
        listing_skus: The listings.
        look: What an early look showed, if there was one.
        planned: Gives every row that the plan will have, with what it shall show; None: not known yet.
        states: What the ledger knows now.
        context: Has the clock.
    """
    began = context.clock.now()
    settled = frozenset[str]() if look is None else still_holds(look, planned(), states)
    rest = [sku for sku in listing_skus if sku not in settled]
    if look is None or not settled:
        return (yield from read_cart(sink, rest)), began
    shown = [listing for listing in look.listings if listing.listing_sku in settled]
    if rest:
        late = yield from read_cart(sink, rest)
        shown += [listing for listing in late if listing.listing_sku not in settled]
    return shown, look.began
