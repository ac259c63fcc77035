"""What the shells do, written once as steps: read, plan, push, and note it in the ledger.

No decision about stock is made here; those are pure and live in ``allocation`` and ``planning``.
``omsync.sync`` runs these steps blocking, ``omsync.aio`` awaiting.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from attrs import evolve, field, frozen

from omsync.allocation import allocate
from omsync.errors import LedgerError, OmsyncError, SettingsError, SnapshotError
from omsync.exchange import CartListing, ListingState, PushResult, QuantityChange, RunRecord
from omsync.http.clock import Clock, SystemClock
from omsync.http.steps import Steps, call
from omsync.model import InventorySnapshot
from omsync.planning import SyncPlan, make_plan
from omsync.ports import (
    AsyncCartSink,
    AsyncOrderManagerSource,
    CartSink,
    Ledger,
    OrderManagerSource,
    Progress,
    ReadRequest,
)
from omsync.pushing import Push
from omsync.report import SyncReport
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel

__all__ = ["Context", "Sink", "Source", "plan_flow", "push_flow", "read_flow", "sync_flow", "sync_many_flow"]

Source = OrderManagerSource | AsyncOrderManagerSource
Sink = CartSink | AsyncCartSink
log = logging.getLogger("omsync")


@runtime_checkable
class _ReadsInSteps(Protocol):
    def read_steps(self, request: ReadRequest, /) -> Steps[InventorySnapshot]: ...


@runtime_checkable
class _CartInSteps(Protocol):
    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]: ...
    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]: ...


@frozen(kw_only=True)
class Context:
    """What every flow needs besides its subject.

    Args:
        ledger: Remembers; None for a run that leaves no trace.
        clock: Tells the time.
        on_progress: Called with (stage, done, total or None).
        deadline: Nothing begins after it.
    """

    ledger: Ledger | None = None
    clock: Clock = field(factory=SystemClock)
    on_progress: Progress | None = None
    deadline: datetime | None = None

    def tell(self, stage: str, done: int, total: int | None) -> None:
        """Report progress."""
        if self.on_progress is not None:
            self.on_progress(stage, done, total)


def deadline_of(deadline: datetime | timedelta | None, clock: Clock) -> datetime | None:
    """Turn a deadline that may be a span from now into a moment."""
    return clock.now() + deadline if isinstance(deadline, timedelta) else deadline


def read_flow(source: Source, merchant: MerchantSettings, context: Context) -> Steps[InventorySnapshot]:
    """Read the order manager: the first of the founding document's two legs."""
    run = _new_run(merchant.name, None, context)
    ledger = context.ledger
    previous = None
    if ledger is not None:
        yield from call(ledger.begin_run, run)
        previous = yield from call(ledger.last_snapshot, merchant)
    request = ReadRequest(
        merchant=merchant,
        now=context.clock.now(),
        memory=None if ledger is None else ledger.memory(merchant.name),
        previous=previous,
        on_progress=_with_signs_of_life(run, context),
        deadline=context.deadline,
    )
    try:
        snapshot = yield from _read_source(source, request)
        _check_snapshot(snapshot, merchant)
        if ledger is not None:
            yield from call(ledger.save_snapshot, merchant.name, snapshot)
    except BaseException as error:
        yield from _finish(run, context, "failed", {}, error)
        raise
    counts = {
        "products": len(snapshot.skus),
        "aliases": len(snapshot.aliases),
        "locations": len(snapshot.places),
        "stock_records": len(snapshot.levels),
    }
    yield from _finish(run, context, "success", counts, None)
    return snapshot


def plan_flow(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: Mapping[str, int],
    context: Context,
) -> Steps[SyncPlan]:
    """Decide what a cart is to be told, and compare it with what the cart shows."""
    if not cart.enabled:
        return SyncPlan(merchant=merchant.name, cart=cart.name, enabled=False)
    snapshot = yield from _snapshot(source, merchant, context)
    context.tell("allocate", 0, None)
    allocation = yield from call(allocate, snapshot, merchant, cart, orders_in_flight)
    capabilities = sink.capabilities
    shown: list[CartListing] = []
    accepted: dict[tuple[str, str | None], int] = {}
    if capabilities.readable:
        skus = sorted({quantity.listing_sku for quantity in allocation.quantities})
        context.tell("read cart", 0, len(skus))
        shown = yield from read_cart(sink, skus)
        context.tell("read cart", len(skus), len(skus))
    elif context.ledger is not None:
        states = yield from call(context.ledger.states, merchant.name, cart.name)
        accepted = {
            (state.listing_sku, state.location_id): state.accepted
            for state in states
            if state.accepted is not None
        }
    return make_plan(allocation, shown, capabilities, accepted)


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
    if approve is not None and approve != plan.digest:
        raise SettingsError(
            f"The approval is for the plan {approve}, and this plan is {plan.digest}",
            code="digest_mismatch",
            remedy="Look at this plan, and approve it by its own digest.",
        )
    run = _new_run(plan.merchant, plan.cart, context)
    if context.ledger is not None:
        yield from call(context.ledger.begin_run, run)
    return (yield from _push(run, plan, sink, approve is not None, context, fresh=fresh))


def sync_flow(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: Mapping[str, int],
    context: Context,
) -> Steps[SyncReport]:
    """Read, plan, push; the run is noted from its beginning, so that a failure shows."""
    run = _new_run(merchant.name, cart.name, context)
    if context.ledger is not None:
        yield from call(context.ledger.begin_run, run)
    try:
        plan = yield from plan_flow(source, sink, cart, merchant, orders_in_flight, context)
    except BaseException as error:
        yield from _finish(run, context, "failed", {}, error)
        raise
    return (yield from _push(run, plan, sink, False, context, fresh=True))


def sync_many_flow(
    source: Source | InventorySnapshot | None,
    carts: Iterable[tuple[Sink, CartSettings]],
    merchant: MerchantSettings,
    orders_in_flight: Mapping[str, int],
    context: Context,
) -> Steps[tuple[SyncReport, ...]]:
    """Read once and sync many carts; one cart's failure is its own report and stops no other."""
    pairs = list(carts)
    names = [cart.name for _, cart in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(
            f"Carts are named alike: {', '.join(map(repr, twice))}",
            code="carts_named_alike",
            remedy="The ledger is keyed by the cart's name; give each its own.",
        )
    snapshot = yield from _snapshot(source, merchant, context)
    reports: list[SyncReport] = []
    for sink, cart in pairs:
        started_at = context.clock.now()
        try:
            report = yield from sync_flow(snapshot, sink, cart, merchant, orders_in_flight, context)
        except OmsyncError as error:
            report = SyncReport(
                merchant=merchant.name,
                cart=cart.name,
                run_id="",
                status="failed",
                started_at=started_at,
                finished_at=context.clock.now(),
                code=error.code,
                message=str(error),
            )
        reports.append(report)
    return tuple(reports)


def read_cart(sink: Sink, listing_skus: Sequence[str]) -> Steps[list[CartListing]]:
    """Read what a cart shows, by steps where the sink has them."""
    if isinstance(sink, _CartInSteps):
        return (yield from sink.read_steps(listing_skus))
    listings: Iterable[CartListing] = yield from call(sink.read, listing_skus)
    return list(listings)


def push_batch(sink: Sink, changes: Sequence[QuantityChange]) -> Steps[list[PushResult]]:
    """Push one batch, by steps where the sink has them."""
    if isinstance(sink, _CartInSteps):
        return (yield from sink.push_steps(changes))
    results: Iterable[PushResult] = yield from call(sink.push, changes)
    return list(results)


def _push(
    run: RunRecord, plan: SyncPlan, sink: Sink, approved: bool, context: Context, *, fresh: bool
) -> Steps[SyncReport]:
    if not plan.enabled:
        yield from _finish(run, context, "disabled", {}, None)
        return _report(run, plan, "disabled", (), context)
    push = Push(plan=plan, capabilities=sink.capabilities, run_id=run.run_id, approved=approved)
    try:
        if not fresh and sink.capabilities.readable:
            skus = sorted({line.listing_sku for line in plan.lines if line.action in {"change", "hold"}})
            if skus:
                push.refresh((yield from read_cart(sink, skus)))
        yield from _remember(push.desired(context.clock.now()), plan, context)
        yield from _push_batches(push, run, plan, sink, context)
    except BaseException as error:
        push.stop("cancelled" if not isinstance(error, Exception) else "not_sent", str(error))
        outcomes = push.outcomes()
        yield from _finish(run, context, "partial" if push.sent_any else "failed", _counts(outcomes), error)
        # The report of what was done travels with the error, for whoever catches it.
        error.omsync_report = _report(run, push.plan, "partial", outcomes, context)  # type: ignore[attr-defined]  # any exception may pass here
        raise
    outcomes = push.outcomes()
    report = _report(run, push.plan, push.status(), outcomes, context)
    yield from _finish(run, context, report.status, report.counts, None)
    return report


def _push_batches(push: Push, run: RunRecord, plan: SyncPlan, sink: Sink, context: Context) -> Steps[None]:
    total = push.rows_left
    while push.rows_left:
        if context.deadline is not None and context.clock.now() >= context.deadline:
            push.stop("deadline", f"The deadline {context.deadline:%Y-%m-%d %H:%M:%S} came first; run again.")
            return
        batch = push.next_batch()
        yield from _remember(push.sent(batch, context.clock.now()), plan, context)
        try:
            results = yield from push_batch(sink, batch)
        except OmsyncError as error:
            push.batch_failed(batch, error)
        else:
            push.batch_answered(batch, results)
        yield from _remember(push.learned(context.clock.now()), plan, context)
        context.tell("push", total - push.rows_left, total)
        if context.ledger is not None:
            yield from call(context.ledger.touch_run, run.run_id, context.clock.now())
    unseen = push.unseen_listings()
    if unseen:
        push.seen((yield from read_cart(sink, unseen)))
        yield from _remember(push.learned(context.clock.now()), plan, context)


def _read_source(source: Source, request: ReadRequest) -> Steps[InventorySnapshot]:
    if isinstance(source, _ReadsInSteps):
        return (yield from source.read_steps(request))
    snapshot: InventorySnapshot = yield from call(source.read, request)
    return snapshot


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


def _new_run(merchant: str, cart: str | None, context: Context) -> RunRecord:
    now = context.clock.now()
    return RunRecord(
        run_id=uuid.uuid4().hex[:12],
        merchant=merchant,
        cart=cart,
        status="in_progress",
        started_at=now,
        last_seen_at=now,
    )


def _finish(
    run: RunRecord, context: Context, status: str, counts: Mapping[str, int], error: BaseException | None
) -> Steps[None]:
    now = context.clock.now()
    code = error.code if isinstance(error, OmsyncError) else ("" if error is None else type(error).__name__)
    message = getattr(error, "message", "") or ("" if error is None else str(error))
    done = evolve(
        run, status=status, finished_at=now, last_seen_at=now, counts=counts, message=message, code=code
    )
    log.log(logging.WARNING if error else logging.INFO, "%s", done)
    if context.ledger is None:
        return
    try:
        yield from call(context.ledger.finish_run, done)
    except LedgerError:
        # The first error is the one to be seen; a ledger that fails as well must not hide it.
        if error is None:
            raise
        log.exception("The ledger could not note the end of run %s", run.run_id)


def _with_signs_of_life(run: RunRecord, context: Context) -> Progress:
    last = [context.clock.monotonic()]

    def on_progress(stage: str, done: int, total: int | None) -> None:
        now = context.clock.monotonic()
        if context.ledger is not None and now - last[0] >= 30:  # noqa: PLR2004  seconds between signs of life
            last[0] = now
            context.ledger.touch_run(run.run_id, context.clock.now())
        context.tell(stage, done, total)

    return on_progress


def _remember(states: Sequence[ListingState], plan: SyncPlan, context: Context) -> Steps[None]:
    if context.ledger is not None and states:
        yield from call(context.ledger.record_states, plan.merchant, plan.cart, states)


def _counts(outcomes: Sequence[Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in outcomes:
        counts[one.outcome] = counts.get(one.outcome, 0) + 1
    return counts


def _report(
    run: RunRecord, plan: SyncPlan, status: str, outcomes: Sequence[Any], context: Context
) -> SyncReport:
    return SyncReport(
        merchant=plan.merchant,
        cart=plan.cart,
        run_id=run.run_id,
        status=status,
        started_at=run.started_at or context.clock.now(),
        finished_at=context.clock.now(),
        destination=plan.destination,
        outcomes=tuple(outcomes),
        notices=plan.notices,
        cart_only=plan.cart_only,
        digest=plan.digest,
        plan=plan,
    )
