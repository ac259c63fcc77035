"""The awaiting functions: the same names, arguments and reports as the blocking ones in ``omsync``.

Sources and sinks may have async methods; blocking ones, and the ledger, run in a thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from omsync import flows
from omsync.bindings_flow import confirm_cart_flow, confirm_source_flow
from omsync.compare_flow import Asked, compare_flow
from omsync.comparison import Comparison
from omsync.convergence import Drift, History
from omsync.convergence_flow import drift_flow, history_flow
from omsync.diagnose_flow import diagnose_flow
from omsync.diagnosis import Diagnosis
from omsync.exchange import CartListing
from omsync.flows import Sink, Source
from omsync.guarding import approve_flow
from omsync.http.awaiting import AsyncRunner
from omsync.http.clock import Clock, SystemClock
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders
from omsync.originals_flow import originals_flow, put_back_flow
from omsync.planning import SyncPlan
from omsync.planning.approvals import Approval
from omsync.planning.bindings import Binding
from omsync.planning.originals import Originals
from omsync.planning.quarantine_view import Quarantine
from omsync.ports import Ledger, Progress
from omsync.quarantine_flow import quarantined_flow, release_flow
from omsync.report import SyncReport
from omsync.runs import Context, deadline_of
from omsync.settings import CartSettings, MerchantSettings

__all__ = [
    "approve",
    "compare",
    "confirm_cart",
    "confirm_source",
    "diagnose",
    "drift",
    "history",
    "originals",
    "plan_cart",
    "plan_put_back",
    "push_plan",
    "quarantined",
    "read_inventory",
    "release",
    "sync_cart",
    "sync_carts",
]

Deadline = datetime | timedelta | None
Orders = GivenOrders


async def read_inventory(
    source: Source,
    merchant: MerchantSettings,
    *,
    ledger: Ledger | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> InventorySnapshot:
    """Read an order manager whole: the founding document's sync from Order Manager, on demand.

    Arguments, result and errors are those of ``omsync.read_inventory``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(flows.read_flow(source, merchant, context))


async def plan_cart(
    source_or_snapshot: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    orders_in_flight: Orders | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncPlan:
    """Decide what a cart is to be told and compare it with what it shows; push nothing.

    Arguments, result and errors are those of ``omsync.plan_cart``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(
            flows.plan_flow(source_or_snapshot, sink, cart, merchant, orders_in_flight, context)
        )


async def push_plan(
    plan: SyncPlan,
    sink: Sink,
    *,
    ledger: Ledger | None = None,
    approve: str | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncReport:
    """Push a plan: zeros first, then falls, then rises. The cart is read again; lines that moved are dropped.

    Arguments, result and errors are those of ``omsync.push_plan``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(flows.push_flow(plan, sink, approve, context))


async def sync_cart(
    source_or_snapshot: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    orders_in_flight: Orders | None = None,
    resume: bool = True,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncReport:
    """Read the order manager, decide, and push to one cart what differs; both are read at once where safe.

    Arguments, result and errors are those of ``omsync.sync_cart``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(
            flows.sync_flow(
                source_or_snapshot, sink, cart, merchant, orders_in_flight, context, resume=resume
            )
        )


async def sync_carts(
    source_or_snapshot: Source | InventorySnapshot | None,
    carts: Iterable[tuple[Sink, CartSettings]],
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    orders_in_flight: Orders | None = None,
    resume: bool = True,
    at_once: int = flows.AT_ONCE,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> tuple[SyncReport, ...]:
    """Read the order manager once and sync many carts at once; one cart's failure stops no other.

    Each cart is a task; blocking sinks, and the ledger, are called from threads, each sink by one at a time.
    Arguments, result and errors are those of ``omsync.sync_carts``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(
            flows.sync_many_flow(
                source_or_snapshot,
                carts,
                merchant,
                orders_in_flight,
                context,
                resume=resume,
                at_once=at_once,
            )
        )


async def compare(
    a: Source | InventorySnapshot,
    b: Source | InventorySnapshot | Sink | Iterable[CartListing],
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

    Arguments, result and errors are those of ``omsync.compare``.
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
    async with runner:
        return await runner.run(compare_flow(a, b, asked, context))


async def approve(
    ledger: Ledger,
    cart: CartSettings | str,
    digest: str,
    *,
    by: str,
    reason: str,
    until: datetime | timedelta,
    rows: Collection[tuple[str, str | None]] | None = None,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Approval:
    """Let held lines of a plan through, in it and in later plans, row by row.

    Arguments, result and errors are those of ``omsync.approve``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(approve_flow(cart, digest, by, reason, until, rows, merchant, context))


async def quarantined(
    ledger: Ledger,
    cart: CartSettings | str,
    *,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Quarantine:
    """List what is left out of the runs of a cart because the cart refused it again and again.

    Arguments, result and errors are those of ``omsync.quarantined``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(quarantined_flow(cart, merchant, context))


async def release(
    ledger: Ledger,
    cart: CartSettings | str,
    listing_skus: str | Collection[str] | None = None,
    *,
    by: str,
    reason: str,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Quarantine:
    """Let rows out of quarantine by hand: the next run tries them, and its report names who released them.

    Arguments, result and errors are those of ``omsync.release``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(release_flow(cart, listing_skus, by, reason, merchant, context))


async def history(
    ledger: Ledger,
    cart: CartSettings | str,
    sku: str | None = None,
    since: datetime | timedelta | None = None,
    *,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> History:
    """Look up each quantity that was sent: when, why that, the reply, and who approved it.

    Arguments, result and errors are those of ``omsync.history``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(history_flow(cart, sku, since, merchant, context))


async def diagnose(
    source_or_snapshot: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings,
    ledger: Ledger | None = None,
    listing_sku: str | None = None,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> Diagnosis:
    """Answer the check list for "the shop shows the wrong quantity". It pushes nothing and notes nothing.

    Arguments, result and errors are those of ``omsync.diagnose``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        flow = diagnose_flow(source_or_snapshot, sink, cart, merchant, listing_sku, context)
        return await runner.run(flow)


async def drift(
    ledger: Ledger,
    sink: Sink,
    cart: CartSettings | str,
    *,
    merchant: MerchantSettings | str = "default",
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> Drift:
    """List where a cart differs from what the last plan wanted it to show, and since when.

    Arguments, result and errors are those of ``omsync.drift``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(drift_flow(sink, cart, merchant, context))


async def confirm_cart(
    ledger: Ledger,
    sink: Sink,
    cart: CartSettings | str,
    *,
    by: str,
    reason: str,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Binding:
    """Let a cart's name stand for this sink from now on, after runs refused it as ``"other_cart"``.

    Arguments, result and errors are those of ``omsync.confirm_cart``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(confirm_cart_flow(sink, cart, by, reason, merchant, context))


async def confirm_source(
    ledger: Ledger,
    source: Source,
    *,
    by: str,
    reason: str,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Binding:
    """Let a merchant's readings be of this source from now on, after one was refused as ``"other_account"``.

    Arguments, result and errors are those of ``omsync.confirm_source``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(confirm_source_flow(source, by, reason, merchant, context))


async def originals(
    ledger: Ledger,
    cart: CartSettings | str,
    *,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Originals:
    """Look up what a cart showed before omsync, for every listing that omsync has changed.

    Arguments, result and errors are those of ``omsync.originals``.
    """
    context, runner = _prepare(ledger, None, None, clock)
    async with runner:
        return await runner.run(originals_flow(cart, merchant, context))


async def plan_put_back(
    ledger: Ledger,
    sink: Sink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings | str = "default",
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncPlan:
    """Plan to let every listing that omsync has changed show what it showed before; push nothing.

    Arguments, result and errors are those of ``omsync.plan_put_back``.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    async with runner:
        return await runner.run(put_back_flow(sink, cart, merchant, context))


def _prepare(
    ledger: Ledger | None, on_progress: Progress | None, deadline: Deadline, clock: Clock | None
) -> tuple[Context, AsyncRunner]:
    clock = clock or SystemClock()
    until = deadline_of(deadline, clock)
    runner = AsyncRunner(clock=clock, deadline=until)
    context = Context(ledger=ledger, clock=clock, on_progress=on_progress, deadline=until)
    return context, runner
