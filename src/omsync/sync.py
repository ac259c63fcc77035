"""The blocking functions: read, plan, push, compare. ``omsync.aio`` has the same names, awaiting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from omsync import flows
from omsync.compare_flow import Asked, compare_flow
from omsync.comparison import Comparison
from omsync.exchange import CartListing
from omsync.http.blocking import Runner
from omsync.http.clock import Clock, SystemClock
from omsync.model import InventorySnapshot
from omsync.planning import SyncPlan
from omsync.ports import CartSink, Ledger, OrderManagerSource, Progress
from omsync.report import SyncReport
from omsync.runs import Context, deadline_of
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["compare", "plan_cart", "push_plan", "read_inventory", "sync_cart", "sync_carts"]

Deadline = datetime | timedelta | None


def read_inventory(
    source: OrderManagerSource,
    merchant: MerchantSettings,
    *,
    ledger: Ledger | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> InventorySnapshot:
    """Read an order manager whole: the founding document's sync from Order Manager, on demand.

    Args:
        source: The order manager.
        merchant: How it is read; the ledger is keyed by the merchant's name.
        ledger: Keeps the snapshot, the run, and pages already read; required in sales-channel mode.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now. Pages read until then are kept for the next try.
        clock: Replaces the machine's clock, for tests.

    Raises:
        OmsyncError: The read did not finish; there is no snapshot then.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(flows.read_flow(source, merchant, context))


def plan_cart(
    source_or_snapshot: OrderManagerSource | InventorySnapshot | None,
    sink: CartSink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    orders_in_flight: Mapping[str, int] | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncPlan:
    """Decide what a cart is to be told and compare it with what it shows; push nothing.

    Args:
        source_or_snapshot: Where the figures are from; None for the ledger's last complete read.
        sink: The cart.
        cart: Which listings, which locations, which rules.
        merchant: The mode, and how figures are understood.
        ledger: What was accepted before, for carts that cannot be read; required in sales-channel mode.
        orders_in_flight: Units by master SKU in orders that the snapshot has not seen.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Raises:
        SettingsError: Settings do not fit what the order manager has.
        OmsyncError: The order manager or the cart could not be read.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(
            flows.plan_flow(source_or_snapshot, sink, cart, merchant, orders_in_flight or {}, context)
        )


def push_plan(
    plan: SyncPlan,
    sink: CartSink,
    *,
    ledger: Ledger | None = None,
    approve: str | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncReport:
    """Push a plan: zeros first, then falls, then rises. The cart is read again; lines that moved are dropped.

    Args:
        plan: What to push.
        sink: The cart.
        ledger: Notes the run and every listing's figures.
        approve: The plan's digest, to let its held lines through.
        on_progress: Called with ("push", rows done, rows in all).
        deadline: A moment, or a span from now; what was not sent by then is reported so.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A report with one outcome for every (listing, location).

    Raises:
        SettingsError: ``approve`` is another plan's digest.
        OmsyncError: The cart could not be read again.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(flows.push_flow(plan, sink, approve, context))


def sync_cart(
    source_or_snapshot: OrderManagerSource | InventorySnapshot | None,
    sink: CartSink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    orders_in_flight: Mapping[str, int] | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncReport:
    """Read the order manager, decide, and push to one cart what differs.

    Args:
        source_or_snapshot: Where the figures are from; None for the ledger's last complete read.
        sink: The cart.
        cart: Which listings, which locations, which rules.
        merchant: The mode, and how figures are understood.
        ledger: Notes runs and figures; required in sales-channel mode.
        orders_in_flight: Units by master SKU in orders that the snapshot has not seen.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A report with one outcome for every (listing, location).

    Raises:
        SettingsError: Settings do not fit what the order manager has.
        OmsyncError: The order manager or the cart could not be read; nothing was pushed then.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(
            flows.sync_flow(source_or_snapshot, sink, cart, merchant, orders_in_flight or {}, context)
        )


def sync_carts(
    source_or_snapshot: OrderManagerSource | InventorySnapshot | None,
    carts: Iterable[tuple[CartSink, CartSettings]],
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    orders_in_flight: Mapping[str, int] | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> tuple[SyncReport, ...]:
    """Read the order manager once and sync many carts; one cart's failure stops no other.

    Args:
        source_or_snapshot: Where the figures are from; None for the ledger's last complete read.
        carts: (sink, cart settings) pairs; the carts' names differ.
        merchant: The mode, and how figures are understood.
        ledger: Notes runs and figures; required in sales-channel mode.
        orders_in_flight: Units by master SKU in orders that the snapshot has not seen.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Returns:
        One report for each cart, in the order given; a cart that failed has status ``"failed"`` and a code.

    Raises:
        OmsyncError: The order manager could not be read; no cart was touched then.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(
            flows.sync_many_flow(source_or_snapshot, carts, merchant, orders_in_flight or {}, context)
        )


def compare(
    a: OrderManagerSource | InventorySnapshot,
    b: OrderManagerSource | InventorySnapshot | CartSink | Iterable[CartListing],
    *,
    cart: CartSettings | None = None,
    merchant: MerchantSettings | None = None,
    same_places: Mapping[str, str] | None = None,
    tolerance: int = 0,
    orders_in_flight: Mapping[str, int] | None = None,
    names: tuple[str, str] | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> Comparison:
    """Put two readings, or a reading and a cart, side by side and name every difference. It never pushes.

    Nothing is noted in a ledger either, so it may run beside the service of today.

    Args:
        a: The order manager's figures, read or to be read.
        b: The figures of another source, such as ``IntegrationManager``; or a cart, or what one shows as
            ``CartListing`` values.
        cart: With a cart: which listings, which locations, which rules. ``enabled`` does not matter.
        merchant: With a cart, or with something to be read: the mode, and how figures are understood.
        same_places: Between readings: locations that are one although ids and names differ: the first's id or
            exact name to the second's.
        tolerance: Figures that differ by no more units are counted and not listed; sales go on between two
            readings.
        orders_in_flight: With a cart: units by master SKU in orders that the first has not seen.
        names: Between readings: what the two are called in sentences.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A ``Comparison``: print it, or go through its ``differences``, the worst first.

    Raises:
        SettingsError: Settings do not fit each other or what was read.
        OmsyncError: Something could not be read.
    """
    asked = Asked(
        cart=cart,
        merchant=merchant,
        same_places=same_places,
        tolerance=tolerance,
        orders_in_flight=orders_in_flight,
        names=names,
    )
    context, runner = _prepare(None, on_progress, deadline, clock)
    with runner:
        return runner.run(compare_flow(a, b, asked, context))


def _prepare(
    ledger: Ledger | None, on_progress: Progress | None, deadline: Deadline, clock: Clock | None
) -> tuple[Context, Runner]:
    clock = clock or SystemClock()
    until = deadline_of(deadline, clock)
    runner = Runner(clock=clock, deadline=until)
    context = Context(
        ledger=ledger, clock=clock, on_progress=on_progress, deadline=until, calls=lambda: runner.requests
    )
    return context, runner
