"""Pushing a plan: the second leg, batch by batch, each noted in the ledger before and after."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from attrs import evolve

from omsync.bindings_flow import bind_cart, check_cart, check_plan
from omsync.checks import shown
from omsync.chronicle import Chronicle
from omsync.errors import OmsyncError, SettingsError, WrongTypeError
from omsync.exchange import ListingState, RunRecord
from omsync.flows.arguments import Sink, check_sink
from omsync.flows.carts import push_batch, read_cart, with_memory
from omsync.flows.comparing import compare_again, look_after_conflicts
from omsync.guarding import guarded_again
from omsync.http.steps import Steps, call
from omsync.leases import Hold, ledger_notices, under_lease
from omsync.originals_keeping import OriginalsKeeper
from omsync.planning import SyncPlan, accepted_figures
from omsync.planning.accepted import lowest_told
from omsync.pushing import Push
from omsync.quarantine_flow import note_refusals
from omsync.remembered import states_of
from omsync.report import SyncReport
from omsync.runs import Context, fail, finish, new_run, report_of
from omsync.sales_flow import note_falls_meanwhile

__all__ = ["push_flow", "push_under_lease"]

log = logging.getLogger("omsync")


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
        mine = with_memory(sink, plan.merchant, context, hold)
        if plan.enabled:
            yield from check_cart(here, plan.cart, plan.merchant, context)
            yield from check_plan(plan, context)
        looked_at = (yield from guarded_again(plan, approve, context)) if plan.enabled else plan
        if context.ledger is not None:
            yield from call(context.ledger.begin_run, run)
        return (
            yield from push_under_lease(
                run, looked_at, mine, approve is not None, context, hold, fresh=fresh, digest=plan.digest
            )
        )

    return (yield from under_lease(run, work, context))


def push_under_lease(
    run: RunRecord,
    plan: SyncPlan,
    sink: Sink,
    approved: bool,
    context: Context,
    hold: Hold,
    *,
    fresh: bool,
    digest: str,
) -> Steps[SyncReport]:
    """Push a plan by a run that holds its cart's lease; ``digest`` names it as it was made."""
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
        yield from bind_cart(sink.capabilities.destination, plan.cart, plan.merchant, context)
        if not fresh:
            yield from _look_again(push, sink, context)
        yield from _remember(push.desired(context.clock.now()), plan, context)
        yield from _push_batches(push, run, plan, sink, context, hold, digest)
        yield from note_refusals(push, sink.capabilities, run, context)
        report = report_of(run, push.plan, push.status(), push.outcomes(), context, None, digest)
        yield from finish(run, context, report.status, report.counts, None, report.why)
    except BaseException as error:
        push.stop("not_sent" if isinstance(error, Exception) else "cancelled", str(error))
        status = "partial" if push.sent_any else "failed"
        report = report_of(run, push.plan, status, push.outcomes(), context, error, digest)
        yield from fail(error, report, run, context)
        raise
    return report


def _look_again(push: Push, sink: Sink, context: Context) -> Steps[None]:
    plan = push.plan
    skus = sorted({line.listing_sku for line in plan.lines if line.action in {"change", "hold"}})
    if sink.capabilities.contents == "full":
        skus = sorted({line.listing_sku for line in plan.lines} | {row.listing_sku for row in plan.known})
    states = yield from states_of(plan.merchant, plan.cart, context)
    if not skus:
        push.refresh((), states)
    elif sink.capabilities.readable:
        began = context.clock.now()
        push.refresh((yield from read_cart(sink, skus)), states, looked_at=began)
    else:
        push.refresh((), states, accepted_figures(states), lowest=lowest_told(states))


def _may_go_on(push: Push, context: Context, hold: Hold) -> Steps[bool]:
    if context.deadline is not None and context.clock.now() >= context.deadline:
        push.stop("deadline", f"The deadline {context.deadline:%Y-%m-%d %H:%M:%S}Z came first; run again.")
        return False
    if not (yield from call(hold.is_kept)):
        push.stop("lease_lost", str(hold.loss))
        return False
    return True


def _push_batches(
    push: Push, run: RunRecord, plan: SyncPlan, sink: Sink, context: Context, hold: Hold, digest: str
) -> Steps[None]:
    total = push.rows_left
    chronicle = Chronicle(push.plan, digest, run, context)
    originals = OriginalsKeeper(push.plan, sink.capabilities, run, context)
    while push.rows_left:
        if not (yield from _may_go_on(push, context, hold)):
            return
        yield from compare_again(push, sink, context)
        yield from _note_sales(push, plan, context)
        if not push.rows_left:
            context.tell("push", total, total)
            break
        batch = push.next_batch()
        yield from originals.about_to_send(batch)
        yield from _remember(push.sent(batch, context.clock.now()), plan, context)
        yield from chronicle.sent(batch)
        push.goes_out(batch)
        try:
            results = yield from push_batch(sink, batch)
        except SettingsError:
            # Nothing was sent, and nothing will be until the settings are right: let the caller see it.
            push.goes_out(())
            yield from chronicle.not_sent()
            yield from originals.not_sent(batch)
            raise
        except OmsyncError as error:
            push.batch_failed(batch, error)
            yield from chronicle.failed(push.outcome_of)
        else:
            push.batch_answered(batch, results)
            yield from chronicle.answered(batch, results)
            yield from look_after_conflicts(push, sink)
            yield from _note_sales(push, plan, context)
        yield from originals.came_of(batch, push.outcome_of)
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


def _note_sales(push: Push, plan: SyncPlan, context: Context) -> Steps[None]:
    yield from note_falls_meanwhile(push.fallen(), plan.cart, plan.merchant, context)


def _remember(states: Sequence[ListingState], plan: SyncPlan, context: Context) -> Steps[None]:
    if context.ledger is not None and states:
        yield from call(context.ledger.record_states, plan.merchant, plan.cart, states)
