"""What ``drift`` and ``history`` do, once, as steps: ask the ledger and the cart. Nothing is pushed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from omsync.bindings_flow import check_cart
from omsync.checks import shown
from omsync.convergence import Drift, History, available, drift_of, wanted
from omsync.errors import InvalidValueError, LedgerError, WrongTypeError
from omsync.exchange import CartListing, HistoryEntry, ListingState, SinkCapabilities
from omsync.flows import Sink, check_sink, read_cart, with_memory
from omsync.http.steps import Steps, call
from omsync.ports import HistoryLedger
from omsync.remembered import ledger_of, name_of, states_of, warn_of_a_stranger
from omsync.runs import Context
from omsync.sales_flow import note_falls
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["drift_flow", "history_flow"]


def drift_flow(
    sink: Sink, cart: CartSettings | str, merchant: MerchantSettings | str, context: Context
) -> Steps[Drift]:
    """Compare what a cart shows with what it should, and note in the ledger what was seen."""
    check_sink(sink)
    ledger, owner, name = ledger_of(context), name_of(merchant), name_of(cart)
    yield from warn_of_a_stranger(owner, name, context)
    capabilities = sink.capabilities
    yield from check_cart(capabilities.destination, name, owner, context)
    known = yield from states_of(owner, name, context)
    states = wanted(known)
    listings: list[CartListing] | None = None
    # What a run writes meanwhile is newer than this look.
    looked_at = context.clock.now()
    if capabilities.readable:
        skus = sorted({state.listing_sku for state in states})
        context.tell("read cart", 0, len(skus))
        listings = (yield from read_cart(with_memory(sink, owner, context), skus)) if skus else []
        context.tell("read cart", len(skus), len(skus))
    drift = Drift(
        merchant=owner,
        cart=name,
        destination=capabilities.destination,
        basis="ledger" if listings is None else "cart",
        looked_at=looked_at,
        compared=len(states),
        lines=drift_of(states, listings, capabilities),
    )
    seen = _seen(states, listings or (), capabilities, looked_at)
    if seen:
        shown = {(one.listing_sku, one.location_id): one.observed for one in seen if one.observed is not None}
        yield from note_falls(shown, known, name, owner, capabilities, looked_at, context)
        yield from call(ledger.record_states, owner, name, seen)
    return drift


def history_flow(
    cart: CartSettings | str,
    listing_sku: str | None,
    since: datetime | timedelta | None,
    merchant: MerchantSettings | str,
    context: Context,
) -> Steps[History]:
    """Look up what was sent to a cart."""
    ledger: object = ledger_of(context)
    if not isinstance(ledger, HistoryLedger):
        raise LedgerError(
            f"This ledger keeps no history: {shown(ledger)}",
            code="no_history",
            remedy="Give one that does, such as SqliteLedger('omsync.db').",
        )
    owner, name = name_of(merchant), name_of(cart)
    yield from warn_of_a_stranger(owner, name, context)
    asked = (owner, name, listing_sku, _moment(since, context.clock.now()))
    entries: Iterable[HistoryEntry] = yield from call(ledger.history, *asked)
    return History(merchant=owner, cart=name, entries=(yield from call(tuple, entries)))


def _seen(
    states: Iterable[ListingState],
    listings: Iterable[CartListing],
    capabilities: SinkCapabilities,
    now: datetime,
) -> list[ListingState]:
    asked = {(state.listing_sku, state.location_id) for state in states}
    figures = {
        (one.listing_sku, one.location_id): available(one, capabilities)
        for one in listings
        if one.state == "listed"
    }
    return [
        ListingState(listing_sku=sku, location_id=location_id, observed=figure, observed_at=now)
        for (sku, location_id), figure in figures.items()
        if figure is not None and (sku, location_id) in asked
    ]


def _moment(since: object, now: datetime) -> datetime | None:
    if isinstance(since, timedelta):
        return now - since
    if since is not None and not isinstance(since, datetime):
        raise WrongTypeError(
            f"since is a datetime or a timedelta, not {shown(since)}",
            remedy="Give a span such as timedelta(days=7).",
        )
    if since is not None and since.utcoffset() is None:
        raise InvalidValueError(
            f"The moment {since.isoformat()} must know its time zone",
            remedy="Give a span such as timedelta(days=7), or datetime.now(UTC) less one.",
        )
    return since
