"""The whole way for one cart: read, decide, push."""

from __future__ import annotations

from omsync.flows.ahead import Ahead, look_ahead
from omsync.flows.arguments import Sink, Source, check_arguments
from omsync.flows.carts import with_memory
from omsync.flows.deciding import plan_steps
from omsync.flows.pushing import push_under_lease
from omsync.guarding import guarded_again
from omsync.http.steps import Steps, call
from omsync.leases import Hold, under_lease
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders, OrdersRead
from omsync.planning import SyncPlan
from omsync.report import SyncReport
from omsync.resume_flow import Resumption, drop_plan, keep_plan, resumption
from omsync.runs import Context, fail, new_run, report_of
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["sync_flow"]


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
    ahead: Ahead | None = None,
) -> Steps[SyncReport]:
    """Read, plan, push; the run is noted from its beginning, so that a failure shows.

    ``fetched`` says of a snapshot that omsync read it itself, so that its age counts. ``resume`` lets the
    plan of a run that died go on where its inputs are fresh; then nothing is read or planned anew. ``ahead``
    is a look at the cart that was begun while the snapshot was read.
    """
    check_arguments(sink, cart, merchant, source)
    run = new_run(merchant.name, cart.name, context)

    def work(hold: Hold) -> Steps[SyncReport]:
        try:
            look = ahead
            mine = with_memory(sink, merchant.name, context, hold) if look is None else look.of_run(hold)
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
            if look is None and begun.plan is None and begun.reading is None:
                look = yield from look_ahead(source, sink, cart, merchant, context)
                mine = mine if look is None else look.of_run(hold)
            plan = yield from _plan(
                begun, source, mine, cart, merchant, orders_in_flight, context, fetched, look
            )
            # Held to the guards once more, a plan that goes on is no longer the one that a person looked at.
            made = begun.plan or plan
            kept = False
            if fetched or not isinstance(source, InventorySnapshot):
                # Only a reading that the ledger has as well can be gone on with.
                kept = yield from keep_plan(made, run, context)
        except BaseException as error:
            yield from fail(error, report_of(run, None, "failed", (), context, error), run, context)
            raise
        try:
            looked_at = begun.plan is None
            noted = begun.noted_in(run)
            return (
                yield from push_under_lease(
                    noted, plan, mine, False, context, hold, fresh=looked_at, digest=made.digest
                )
            )
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
    ahead: Ahead | None,
) -> Steps[SyncPlan]:
    """Give the plan of the run that died, held to the guards again, or make one."""
    if begun.plan is not None:
        if ahead is not None:
            # What was planned is looked at again in any case.
            yield from ahead.seen()
        return begun.noted((yield from guarded_again(begun.plan, None, context)))
    if begun.reading is not None:
        source, orders_in_flight, fetched = begun.reading, begun.orders, True
    plan = yield from plan_steps(
        source, sink, cart, merchant, orders_in_flight, context, fetched=fetched, ahead=ahead
    )
    return begun.noted(plan)
