"""The whole way: read, decide, push; and once over for many carts."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from omsync.errors import OmsyncError, SettingsError
from omsync.flows.arguments import Sink, Source, check_arguments, pairs
from omsync.flows.carts import with_memory
from omsync.flows.deciding import plan_steps
from omsync.flows.pushing import push_under_lease
from omsync.flows.reading import snapshot_of
from omsync.guarding import guarded_again
from omsync.http.steps import Steps, call
from omsync.leases import Hold, under_lease
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders, OrdersRead, read_orders
from omsync.planning import SyncPlan
from omsync.report import SyncReport
from omsync.resume_flow import Resumption, drop_plan, keep_plan, reading_to_go_on_with, resumption
from omsync.runs import Context, fail, new_run, report_of
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["sync_flow", "sync_many_flow"]

log = logging.getLogger("omsync")


def sync_flow(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    fetched: bool = False,
    resume: bool = True,
) -> Steps[SyncReport]:
    """Read, plan, push; the run is noted from its beginning, so that a failure shows.

    ``fetched`` says of a snapshot that omsync read it itself, so that its age counts. ``resume`` lets the
    plan of a run that died go on where its inputs are fresh; then nothing is read or planned anew.
    """
    check_arguments(sink, cart, merchant, source)
    run = new_run(merchant.name, cart.name, context)

    def work(hold: Hold) -> Steps[SyncReport]:
        try:
            mine = with_memory(sink, merchant.name, context, hold)
            if context.ledger is not None:
                yield from call(context.ledger.begin_run, run)
            begun = yield from resumption(
                run,
                source,
                mine.capabilities,
                cart,
                merchant,
                orders_in_flight,
                context,
                wanted=resume,
                fetched=fetched,
            )
            plan = yield from _plan(begun, source, mine, cart, merchant, orders_in_flight, context, fetched)
            kept = False
            if fetched or not isinstance(source, InventorySnapshot):
                # Only a reading that the ledger has as well can be gone on with.
                kept = yield from keep_plan(plan, run, context)
        except BaseException as error:
            yield from fail(error, report_of(run, None, "failed", (), context, error), run, context)
            raise
        try:
            looked_at = begun.plan is None
            noted = begun.noted_in(run)
            return (yield from push_under_lease(noted, plan, mine, False, context, hold, fresh=looked_at))
        finally:
            if kept or begun.plan is not None:
                yield from drop_plan(run, hold, context)

    return (yield from under_lease(run, work, context))


def _plan(
    begun: Resumption,
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    fetched: bool,
) -> Steps[SyncPlan]:
    """Give the plan of the run that died, held to the guards again, or make one."""
    if begun.plan is not None:
        return begun.noted((yield from guarded_again(begun.plan, None, context)))
    if begun.reading is not None:
        source, orders_in_flight, fetched = begun.reading, begun.orders, True
    plan = yield from plan_steps(source, sink, cart, merchant, orders_in_flight, context, fetched=fetched)
    return begun.noted(plan)


def sync_many_flow(
    source: Source | InventorySnapshot | None,
    carts: Iterable[tuple[Sink, CartSettings]],
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    resume: bool = True,
) -> Steps[tuple[SyncReport, ...]]:
    """Read once and sync many carts; one cart's failure is its own report and stops no other.

    With ``resume``, all of them go on from the reading of a run that died on its way into one of them.
    """
    checked = pairs(carts)
    for sink, cart in checked:
        check_arguments(sink, cart, merchant, source)
    names = [cart.name for _, cart in checked]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(
            f"Carts are named alike: {', '.join(map(repr, twice))}",
            code="carts_named_alike",
            remedy="The ledger is keyed by the cart's name; give each its own.",
        )
    snapshot = None
    if resume and not isinstance(source, InventorySnapshot):
        ready = [(sink.capabilities, cart) for sink, cart in checked if cart.enabled]
        snapshot = yield from reading_to_go_on_with(source, ready, merchant, context)
    if snapshot is None:
        snapshot = yield from snapshot_of(source, merchant, context)
    orders = yield from read_orders(
        orders_in_flight, snapshot, [cart for _, cart in checked], merchant, context
    )
    reports: list[SyncReport] = []
    for sink, cart in checked:
        try:
            fetched = not isinstance(source, InventorySnapshot)
            report = yield from sync_flow(
                snapshot, sink, cart, merchant, orders, context, fetched=fetched, resume=resume
            )
        except Exception as error:  # a user's own sink may raise anything, and the other carts go on
            if not isinstance(error, OmsyncError):
                log.exception("The cart %r failed", cart.name)
            report = error.omsync_report  # type: ignore[attr-defined]  # sync_flow lets no error pass without
        reports.append(report)
    return tuple(reports)
