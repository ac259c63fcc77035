"""What the shells do, written once as steps: read, plan, push, and note it in the ledger.

No decision about stock is made here; those are pure and live in ``allocation`` and ``planning``.
``omsync.sync`` runs these steps blocking, ``omsync.aio`` awaiting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, cast, runtime_checkable

from attrs import evolve

from omsync.allocation import Allocation, Notice, allocate
from omsync.allocation.locations import check_channel_is_read, check_location
from omsync.checks import shown
from omsync.chronicle import Chronicle, settings_digest
from omsync.errors import LeaseHeldError, OmsyncError, SettingsError, SnapshotError, WrongTypeError
from omsync.exchange import (
    CartListing,
    ListingState,
    PushResult,
    QuantityChange,
    RunRecord,
    SinkCapabilities,
)
from omsync.guarding import guarded, guarded_again
from omsync.http.steps import Steps, call
from omsync.leases import Hold, ledger_notices, take_lease, under_lease, with_signs_of_life
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders, OrdersRead, orders_for, read_orders
from omsync.planning import SyncPlan, accepted_figures, make_plan, overdue_figures
from omsync.planning.plan import Key
from omsync.ports import (
    AsyncCartSink,
    AsyncOrderManagerSource,
    CartSink,
    OrderManagerSource,
    ReadRequest,
    SourceMemory,
)
from omsync.pushing import Push
from omsync.report import SyncReport
from omsync.runs import Context, fail, finish, new_run, report_of
from omsync.sales_flow import watch_sales
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel

__all__ = ["Context", "Sink", "Source", "plan_flow", "push_flow", "read_flow", "sync_flow", "sync_many_flow"]

Source = OrderManagerSource | AsyncOrderManagerSource
Sink = CartSink | AsyncCartSink
log = logging.getLogger("omsync")


@runtime_checkable
class _ReadsInSteps(Protocol):
    def read_steps(self, request: ReadRequest, /) -> Steps[InventorySnapshot]: ...


@runtime_checkable
class _Remembers(Protocol):
    def remembering(self, memory: SourceMemory | None, /) -> Sink: ...


@runtime_checkable
class _HasNotices(Protocol):
    def cart_notices(self, now: datetime, /) -> Iterable[Notice]: ...


@runtime_checkable
class _CartInSteps(Protocol):
    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]: ...
    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]: ...


def read_flow(source: Source, merchant: MerchantSettings, context: Context) -> Steps[InventorySnapshot]:
    """Read the order manager: the first of the founding document's two legs."""
    _check_reading(source, merchant)
    run = new_run(merchant.name, None, context)
    hold, memory = yield from _reading(run, merchant, context)
    try:
        return (yield from _read(run, source, merchant, memory, hold, context))
    finally:
        yield from hold.release()


def _reading(
    run: RunRecord, merchant: MerchantSettings, context: Context
) -> Steps[tuple[Hold, SourceMemory | None]]:
    """Give a read its lease and its memory: only one read at a time may go on with what is remembered."""
    ledger = context.ledger
    try:
        hold = yield from take_lease(run, context)
    except LeaseHeldError as error:
        if isinstance(merchant.mode, PerSalesChannel):
            log.warning("%s", error)
            raise
        # Reading warehouses changes nothing there, so it may be done twice, each time from the beginning.
        log.info("%s; this read is one of its own", error.message)
        return Hold(run, context, None), None
    return hold, None if ledger is None else hold.fenced(ledger.memory(merchant.name))


def _read(
    run: RunRecord,
    source: Source,
    merchant: MerchantSettings,
    memory: SourceMemory | None,
    hold: Hold,
    context: Context,
) -> Steps[InventorySnapshot]:
    ledger = context.ledger
    previous = None
    if ledger is not None:
        yield from call(ledger.begin_run, run)
    try:
        if ledger is not None:
            previous = yield from call(ledger.last_snapshot, merchant)
        request = ReadRequest(
            merchant=merchant,
            now=context.clock.now(),
            memory=memory,
            previous=previous,
            on_progress=with_signs_of_life(run, context, hold),
            deadline=context.deadline,
        )
        snapshot = yield from _read_source(source, request)
        _check_snapshot(snapshot, merchant)
        if ledger is not None:
            yield from call(ledger.save_snapshot, merchant.name, snapshot)
    except BaseException as error:
        yield from finish(run, context, "failed", {}, error)
        raise
    counts = {
        "products": len(snapshot.skus),
        "aliases": len(snapshot.aliases),
        "locations": len(snapshot.places),
        "stock_records": len(snapshot.levels),
        **({"calls": context.calls()} if context.calls() else {}),
    }
    yield from finish(run, context, "success", counts, None)
    return snapshot


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
    return (yield from _plan(source, sink, cart, merchant, orders_in_flight, context))


def _plan(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    fetched: bool = False,
) -> Steps[SyncPlan]:
    if not cart.enabled:
        return SyncPlan(merchant=merchant.name, cart=cart.name, enabled=False)
    check_location(merchant, cart)
    snapshot = yield from _snapshot(source, merchant, context)
    check_channel_is_read(snapshot, merchant, cart)
    orders = yield from orders_for(orders_in_flight, snapshot, cart, merchant, context)
    context.tell("allocate", 0, None)
    allocation = yield from call(allocate, snapshot, merchant, cart, orders.units, orders_when=orders.when)
    capabilities = sink.capabilities
    said: Iterable[Notice] = ()
    if isinstance(sink, _HasNotices):
        said = yield from call(sink.cart_notices, context.clock.now())
    shown: list[CartListing] = []
    accepted: dict[Key, int] = {}
    overdue: frozenset[Key] = frozenset()
    if capabilities.readable:
        skus = sorted(_asked_for(allocation, capabilities))
        context.tell("read cart", 0, len(skus))
        shown = yield from read_cart(sink, skus)
        context.tell("read cart", len(skus), len(skus))
    else:
        states = yield from _states(merchant.name, cart.name, context)
        accepted = accepted_figures(states)
        overdue = overdue_figures(
            states,
            now=context.clock.now(),
            after=cart.reassert_after,
            zeros_after=cart.reassert_zeros_after,
        )
    plan = make_plan(allocation, shown, capabilities, accepted, overdue)
    plan = evolve(plan, settings_digest=settings_digest(merchant, cart))
    plan = yield from watch_sales(plan, allocation, cart, capabilities, orders.sold_here, context)
    said = (*orders.notices, *said)
    plan = evolve(plan, notices=(*plan.notices, *said)) if said else plan
    handed = isinstance(source, InventorySnapshot) and not fetched
    return (yield from guarded(plan, snapshot, cart, context, handed=handed))


def _asked_for(allocation: Allocation, capabilities: SinkCapabilities) -> set[str]:
    """Name the listings to read; a cart that is sent everything is told of those without a quantity too."""
    skus = {quantity.listing_sku for quantity in allocation.quantities}
    if capabilities.contents == "full":
        skus |= {skipped.listing_sku for skipped in allocation.skipped if skipped.listing_sku is not None}
    return skus


def push_flow(
    plan: SyncPlan, sink: Sink, approve: str | None, context: Context, *, fresh: bool = False
) -> Steps[SyncReport]:
    """Push a plan: the second leg.

    Args:
        plan: What to push.
        sink: The cart.
        approve: The plan's digest, to let its held lines through too.
        context: Ledger, clock, deadline.
        fresh: The cart was read a moment ago, so it is not read again.
    """
    if not isinstance(plan, SyncPlan):
        raise WrongTypeError(
            f"push_plan() takes a SyncPlan, not {shown(plan)}",
            remedy="Make one with plan_cart(), or read a saved one with load_plan().",
        )
    check_sink(sink)
    if approve is not None and approve != plan.digest:
        raise SettingsError(
            f"The approval is for the plan {approve}, and this plan is {plan.digest}",
            code="digest_mismatch",
            remedy="Look at this plan, and approve it by its own digest.",
        )
    here = sink.capabilities.destination
    if plan.enabled and plan.destination not in {"", here}:
        raise SettingsError(
            f"The plan was made for {plan.destination!r}, and this sink is {here!r}",
            code="other_destination",
            remedy="Push it to the cart it was made for, or plan again for this one.",
        )
    run = new_run(plan.merchant, plan.cart, context)

    def work(hold: Hold) -> Steps[SyncReport]:
        mine = with_memory(sink, plan.merchant, context)
        looked_at = (yield from guarded_again(plan, approve, context)) if plan.enabled else plan
        if context.ledger is not None:
            yield from call(context.ledger.begin_run, run)
        return (yield from _push(run, looked_at, mine, approve is not None, context, hold, fresh=fresh))

    return (yield from under_lease(run, work, context))


def sync_flow(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    fetched: bool = False,
) -> Steps[SyncReport]:
    """Read, plan, push; the run is noted from its beginning, so that a failure shows.

    ``fetched`` says of a snapshot that omsync read it itself, so that its age counts.
    """
    check_arguments(sink, cart, merchant, source)
    run = new_run(merchant.name, cart.name, context)

    def work(hold: Hold) -> Steps[SyncReport]:
        try:
            mine = with_memory(sink, merchant.name, context)
            if context.ledger is not None:
                yield from call(context.ledger.begin_run, run)
            plan = yield from _plan(source, mine, cart, merchant, orders_in_flight, context, fetched=fetched)
        except BaseException as error:
            yield from fail(error, report_of(run, None, "failed", (), context, error), run, context)
            raise
        return (yield from _push(run, plan, mine, False, context, hold, fresh=True))

    return (yield from under_lease(run, work, context))


def sync_many_flow(
    source: Source | InventorySnapshot | None,
    carts: Iterable[tuple[Sink, CartSettings]],
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
) -> Steps[tuple[SyncReport, ...]]:
    """Read once and sync many carts; one cart's failure is its own report and stops no other."""
    pairs = _pairs(carts)
    for sink, cart in pairs:
        check_arguments(sink, cart, merchant, source)
    names = [cart.name for _, cart in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(
            f"Carts are named alike: {', '.join(map(repr, twice))}",
            code="carts_named_alike",
            remedy="The ledger is keyed by the cart's name; give each its own.",
        )
    snapshot = yield from _snapshot(source, merchant, context)
    orders = yield from read_orders(
        orders_in_flight, snapshot, [cart for _, cart in pairs], merchant, context
    )
    reports: list[SyncReport] = []
    for sink, cart in pairs:
        try:
            fetched = not isinstance(source, InventorySnapshot)
            report = yield from sync_flow(snapshot, sink, cart, merchant, orders, context, fetched=fetched)
        except Exception as error:  # a user's own sink may raise anything, and the other carts go on
            if not isinstance(error, OmsyncError):
                log.exception("The cart %r failed", cart.name)
            report = error.omsync_report  # type: ignore[attr-defined]  # sync_flow lets no error pass without
        reports.append(report)
    return tuple(reports)


def check_arguments(sink: object, cart: object, merchant: object, source: object) -> None:
    """Refuse arguments that were mixed up, before anything is read."""
    _check_reading(source, merchant)
    if not isinstance(cart, CartSettings):
        raise WrongTypeError(
            f"cart must be CartSettings, not {shown(cart)}",
            remedy="Write CartSettings(name='shop') or the like; the order is source, sink, cart.",
        )
    check_sink(sink)


def check_sink(sink: object) -> None:
    """Refuse what is no cart."""
    if not hasattr(sink, "capabilities"):
        raise WrongTypeError(
            f"The sink has no capabilities: {shown(sink)}",
            remedy="Give a CartSink, such as CsvCart('stock.csv'); the order is source, sink, cart.",
        )


def _pairs(carts: Iterable[tuple[Sink, CartSettings]]) -> list[tuple[Sink, CartSettings]]:
    pairs: list[object] = list(carts)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004  a pair
            raise WrongTypeError(
                f"carts holds (sink, cart settings) pairs, not {shown(pair)}",
                remedy="Write [(CsvCart('stock.csv'), CartSettings(name='shop')), ...].",
            )
    return cast("list[tuple[Sink, CartSettings]]", pairs)


def _check_reading(source: object, merchant: object) -> None:
    if not isinstance(merchant, MerchantSettings):
        raise WrongTypeError(
            f"merchant must be MerchantSettings, not {shown(merchant)}",
            remedy="Write MerchantSettings(mode=PerWarehouse()) or the like.",
        )
    if source is not None and not isinstance(source, InventorySnapshot) and not hasattr(source, "read"):
        raise WrongTypeError(
            f"The source can neither be read nor is it a snapshot: {shown(source)}",
            remedy="Give an OrderManagerSource, an InventorySnapshot, or None for the ledger's last read.",
        )


def with_memory(sink: Sink, merchant: str, context: Context) -> Sink:
    """Give a sink that keeps something between runs its place for it, and let it begin afresh."""
    if isinstance(sink, _Remembers):
        return sink.remembering(None if context.ledger is None else context.ledger.memory(merchant))
    return sink


# A port's method may be async; the runner then awaits it, so for these steps it is as if it were not.


def read_cart(sink: Sink, listing_skus: Sequence[str]) -> Steps[list[CartListing]]:
    """Read what a cart shows, by steps where the sink has them."""
    if isinstance(sink, _CartInSteps):
        return (yield from sink.read_steps(listing_skus))
    read = cast("Callable[[Sequence[str]], Iterable[CartListing]]", sink.read)
    listings = yield from call(read, listing_skus)
    # A call of its own, since a generator does its work only now.
    return (yield from call(list, listings))


def push_batch(sink: Sink, changes: Sequence[QuantityChange]) -> Steps[list[PushResult]]:
    """Push one batch, by steps where the sink has them."""
    if isinstance(sink, _CartInSteps):
        return (yield from sink.push_steps(changes))
    push = cast("Callable[[Sequence[QuantityChange]], Iterable[PushResult]]", sink.push)
    results = yield from call(push, changes)
    return (yield from call(list, results))


def _push(
    run: RunRecord,
    plan: SyncPlan,
    sink: Sink,
    approved: bool,
    context: Context,
    hold: Hold,
    *,
    fresh: bool,
) -> Steps[SyncReport]:
    if not plan.enabled:
        yield from finish(run, context, "disabled", {}, None)
        return report_of(run, plan, "disabled", (), context)
    plan = evolve(plan, notices=(*plan.notices, *ledger_notices(context.ledger)))
    try:
        push = Push(plan=plan, capabilities=sink.capabilities, run_id=run.run_id, approved=approved)
    except BaseException as error:
        yield from fail(error, report_of(run, plan, "failed", (), context, error), run, context)
        raise
    try:
        if not fresh:
            yield from _look_again(push, sink, context)
        yield from _remember(push.desired(context.clock.now()), plan, context)
        yield from _push_batches(push, run, plan, sink, context, hold)
        report = report_of(run, push.plan, push.status(), push.outcomes(), context)
        yield from finish(run, context, report.status, report.counts, None, report.why)
    except BaseException as error:
        push.stop("not_sent" if isinstance(error, Exception) else "cancelled", str(error))
        status = "partial" if push.sent_any else "failed"
        report = report_of(run, push.plan, status, push.outcomes(), context, error)
        yield from fail(error, report, run, context)
        raise
    return report


def _look_again(push: Push, sink: Sink, context: Context) -> Steps[None]:
    plan = push.plan
    skus = sorted({line.listing_sku for line in plan.lines if line.action in {"change", "hold"}})
    if sink.capabilities.contents == "full":
        skus = sorted({line.listing_sku for line in plan.lines} | {row.listing_sku for row in plan.known})
    if not skus:
        return
    if sink.capabilities.readable:
        push.refresh((yield from read_cart(sink, skus)))
    else:
        states = yield from _states(push.plan.merchant, push.plan.cart, context)
        push.refresh((), accepted_figures(states))


def _states(merchant: str, cart: str, context: Context) -> Steps[list[ListingState]]:
    if context.ledger is None:
        return []
    states: Iterable[ListingState] = yield from call(context.ledger.states, merchant, cart)
    return (yield from call(list, states))


def _push_batches(
    push: Push, run: RunRecord, plan: SyncPlan, sink: Sink, context: Context, hold: Hold
) -> Steps[None]:
    total = push.rows_left
    chronicle = Chronicle(push.plan, run, context)
    while push.rows_left:
        if context.deadline is not None and context.clock.now() >= context.deadline:
            push.stop(
                "deadline", f"The deadline {context.deadline:%Y-%m-%d %H:%M:%S}Z came first; run again."
            )
            return
        if not (yield from call(hold.is_kept)):
            push.stop("lease_lost", str(hold.loss))
            return
        batch = push.next_batch()
        yield from _remember(push.sent(batch, context.clock.now()), plan, context)
        yield from chronicle.sent(batch)
        push.goes_out(batch)
        try:
            results = yield from push_batch(sink, batch)
        except SettingsError:
            # Nothing was sent, and nothing will be until the settings are right: let the caller see it.
            push.goes_out(())
            yield from chronicle.not_sent()
            raise
        except OmsyncError as error:
            push.batch_failed(batch, error)
            yield from chronicle.failed(push.outcome_of)
        else:
            push.batch_answered(batch, results)
            yield from chronicle.answered(batch, results)
        yield from _remember(push.learned(context.clock.now()), plan, context)
        context.tell("push", total - push.rows_left, total)
        if context.ledger is not None:
            yield from call(context.ledger.touch_run, run.run_id, context.clock.now())
    unseen = push.unseen_listings()
    if unseen:
        try:
            push.seen((yield from read_cart(sink, unseen)))
        except OmsyncError as error:
            # What was accepted stays accepted; only whether it shows is not known.
            log.warning("The cart %r could not be read back: %s", plan.cart, error.message)
        yield from _remember(push.learned(context.clock.now()), plan, context)


def _read_source(source: Source, request: ReadRequest) -> Steps[InventorySnapshot]:
    if isinstance(source, _ReadsInSteps):
        return (yield from source.read_steps(request))
    return (yield from call(cast("Callable[[ReadRequest], InventorySnapshot]", source.read), request))


def _snapshot(
    source: Source | InventorySnapshot | None, merchant: MerchantSettings, context: Context
) -> Steps[InventorySnapshot]:
    if isinstance(source, InventorySnapshot):
        return source
    if source is not None:
        return (yield from read_flow(source, merchant, context))
    last = None
    if context.ledger is not None:
        last = yield from call(context.ledger.last_snapshot, merchant)
    if last is None:
        raise SnapshotError(
            f"The merchant {merchant.name!r} has no complete read yet, so nothing is pushed",
            code="no_complete_read",
            remedy="Run read_inventory() with the same ledger first, or give a source.",
        )
    return last


def _check_snapshot(snapshot: object, merchant: MerchantSettings) -> None:
    if not isinstance(snapshot, InventorySnapshot):
        raise SettingsError(
            f"The source gave {type(snapshot).__name__} instead of an InventorySnapshot",
            code="not_a_snapshot",
            remedy="A source's read() returns a whole InventorySnapshot, or raises.",
        )
    wanted = "channel" if isinstance(merchant.mode, PerSalesChannel) else "warehouse"
    if snapshot.scope != wanted:
        raise SettingsError(
            f"The merchant {merchant.name!r} wants figures per {wanted}; "
            f"the source gave them per {snapshot.scope}",
            code="mode_mismatch",
            remedy="Set the merchant's mode to what the source gives, or read with another source.",
        )


def _remember(states: Sequence[ListingState], plan: SyncPlan, context: Context) -> Steps[None]:
    if context.ledger is not None and states:
        yield from call(context.ledger.record_states, plan.merchant, plan.cart, states)
