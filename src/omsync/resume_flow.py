"""Going on with the plan of a run that died: kept before the first row goes out, dropped when the run ends.

The next run of the cart holds its lease by then, so a plan that is still there is that of a run that ended
without saying so, unless the ledger knows how it ended.
"""

from __future__ import annotations

import base64
import logging
import zlib
from collections.abc import Iterable, Mapping

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.bindings_flow import check_cart, check_source
from omsync.checks import to_the_second
from omsync.chronicle import settings_digest
from omsync.errors import DecodeError
from omsync.exchange import RunRecord, SinkCapabilities
from omsync.http.steps import Steps, call
from omsync.leases import Hold
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders, OrdersRead, orders_for, read_orders
from omsync.planning import SyncPlan, make_plan
from omsync.planning.bindings import is_unread
from omsync.planning.resuming import (
    UnderWay,
    anew_notice,
    done_already,
    resumed_notice,
    why_not_fresh,
    why_not_the_same,
)
from omsync.ports import LeasingLedger
from omsync.remembered import ORIGIN, binding_of, forget, keep, place_of, recall, states_of
from omsync.runs import Context
from omsync.serial import from_json, to_json
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Resumption", "drop_plan", "keep_plan", "reading_to_go_on_with", "resumption"]

log = logging.getLogger("omsync")

_LETTERS = 500_000
"""Letters in one entry of the memory at most; a ledger may keep them in a database that has limits."""


@frozen(kw_only=True)
class _Kept:
    """The head of a plan that is kept; its text follows in parts, compressed."""

    run_id: str = field(validator=checks.text)
    parts: int = field(validator=checks.whole(minimum=1))


@frozen(kw_only=True)
class Resumption:
    """How a run begins after one that died.

    Args:
        plan: The dead run's plan, to go on with; None to plan.
        reading: The dead run's reading, to plan from although its plan is not gone on with; None to read.
        orders: Orders in flight that were read on the way.
        notice: What a person should know; None where no run died on its way.
    """

    plan: SyncPlan | None = None
    reading: InventorySnapshot | None = None
    orders: Mapping[str, int] | OrdersRead | None = None
    notice: Notice | None = None

    def noted(self, plan: SyncPlan) -> SyncPlan:
        """Give the plan with what is to be said."""
        return plan if self.notice is None else evolve(plan, notices=(*plan.notices, self.notice))

    def noted_in(self, run: RunRecord) -> RunRecord:
        """Give the run's record with what is to be said."""
        return run if self.notice is None else evolve(run, message=self.notice.message)


def keep_plan(plan: SyncPlan, run: RunRecord, context: Context) -> Steps[bool]:
    """Keep a plan that is about to be pushed, and say whether it is; one without changes is not worth it."""
    if context.ledger is None or not plan.changes:
        return False
    under_way = UnderWay.of(plan, run)
    entries = yield from call(_entries, under_way)
    yield from keep(_namespace(plan.cart), entries, plan.merchant, context)
    return True


def drop_plan(run: RunRecord, hold: Hold, context: Context) -> Steps[None]:
    """Drop the plan of a run that ends by itself.

    One that stays there does no harm, since the ledger knows how its run ended.
    """
    try:
        # Who took the lease over may have kept a plan of its own there.
        if (yield from call(hold.is_kept)):
            yield from forget(_namespace(run.cart or ""), run.merchant, context)
    except Exception:
        log.exception("The plan that run %s kept could not be dropped", run.run_id)


def resumption(
    run: RunRecord,
    given: object,
    capabilities: SinkCapabilities,
    cart: CartSettings,
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    wanted: bool,
    fetched: bool,
) -> Steps[Resumption]:
    """Decide whether this run goes on with the plan of the last one, which died, or why it does not.

    Args:
        run: This run; it holds the cart's lease, where the ledger keeps leases.
        given: The source, a snapshot, or None for the ledger's last reading.
        capabilities: The cart's.
        cart: The cart's settings.
        merchant: The merchant's settings.
        orders_in_flight: What the figures have not seen, as of now.
        context: Ledger and clock.
        wanted: False to plan anew in any case.
        fetched: Of a snapshot: omsync read it itself.
    """
    if not cart.enabled:
        return Resumption()
    dead, under_way, why = yield from _of_the_dead(cart, merchant, run.run_id, context)
    if dead is None:
        return Resumption()
    if not wanted:
        why = "resume=False says so"
    elif isinstance(given, InventorySnapshot) and not fetched:
        why = "a snapshot was handed over"
    elif under_way is not None:
        why = _why_not(under_way, capabilities, cart, merchant, context)
    if under_way is None or why:
        return (yield from _anew(dead, why, cart, merchant, context))
    yield from check_cart(capabilities.destination, cart.name, merchant.name, context)
    reading = given if isinstance(given, InventorySnapshot) else (yield from _last(given, merchant, context))
    if reading is None or reading.taken_at != under_way.taken_at:
        when = "gone" if reading is None else f"of {to_the_second(reading.taken_at)}"
        why = (
            f"the last complete reading is {when}, and its figures are of {to_the_second(under_way.taken_at)}"
        )
        return (yield from _anew(dead, why, cart, merchant, context))
    orders = yield from read_orders(orders_in_flight, reading, (cart,), merchant, context)
    in_flight = yield from orders_for(orders, reading, cart, merchant, context)
    allocation = yield from call(
        context.desk.allocate, reading, merchant, cart, in_flight.units, orders_when=in_flight.when
    )
    why = why_not_the_same(under_way, make_plan(allocation, (), capabilities))
    if why:
        anew = yield from _anew(dead, why, cart, merchant, context)
        return evolve(anew, reading=reading, orders=orders)
    plan = under_way.plan
    if not capabilities.readable:
        plan = done_already(under_way, (yield from states_of(merchant.name, cart.name, context)))
    # Worked out again from the same reading, the quantities have their explanations again.
    return Resumption(plan=evolve(plan, allocation=allocation), notice=resumed_notice(under_way, dead))


def reading_to_go_on_with(
    given: object,
    carts: Iterable[tuple[SinkCapabilities, CartSettings]],
    merchant: MerchantSettings,
    context: Context,
) -> Steps[InventorySnapshot | None]:
    """Give the last reading where a cart's run on it died lately, so that it is not read again for it."""
    for capabilities, cart in carts:
        dead, under_way, _ = yield from _of_the_dead(cart, merchant, "", context)
        # Without the cart's lease, a run that is only unfinished may be alive.
        if dead is None or dead.status != "died" or under_way is None:
            continue
        if not _why_not(under_way, capabilities, cart, merchant, context):
            reading = yield from _last(given, merchant, context)
            if reading is not None and reading.taken_at == under_way.taken_at:
                return reading
    return None


def _why_not(
    under_way: UnderWay,
    capabilities: SinkCapabilities,
    cart: CartSettings,
    merchant: MerchantSettings,
    context: Context,
) -> str:
    return why_not_fresh(
        under_way,
        now=context.clock.now(),
        within=cart.resume_within,
        settings_digest=settings_digest(merchant, cart),
        destination=capabilities.destination,
    )


def _anew(
    dead: RunRecord, why: str, cart: CartSettings, merchant: MerchantSettings, context: Context
) -> Steps[Resumption]:
    yield from forget(_namespace(cart.name), merchant.name, context)
    return Resumption(notice=anew_notice(dead, why))


def _of_the_dead(
    cart: CartSettings, merchant: MerchantSettings, own: str, context: Context
) -> Steps[tuple[RunRecord | None, UnderWay | None, str]]:
    """Give the last run but this one if it died on its way, its plan, or what is wrong with what was kept."""
    ledger = context.ledger
    kept = yield from recall(_namespace(cart.name), merchant.name, context)
    if ledger is None or not kept:
        return None, None, ""
    runs: Iterable[RunRecord] = yield from call(ledger.runs, merchant.name, cart.name)
    last = next((run for run in runs if run.run_id != own), None)
    unfinished = {"died", "in_progress"} if isinstance(ledger, LeasingLedger) else {"died"}
    if last is None or last.status not in unfinished:
        return None, None, ""
    try:
        under_way = yield from call(_under_way, kept)
    except (DecodeError, KeyError, ValueError, zlib.error) as error:
        return last, None, f"what was kept of its plan cannot be read ({type(error).__name__})"
    if under_way.run_id != last.run_id:
        return last, None, f"the plan that was kept is that of run {under_way.run_id}"
    return last, under_way, ""


def _last(given: object, merchant: MerchantSettings, context: Context) -> Steps[InventorySnapshot | None]:
    """Give the last reading as this run may use it, whose source must be of the account that was read."""
    if given is not None:
        yield from check_source(given, merchant.name, context)
    # After a change of account, the last read is the other one's.
    if context.ledger is None or is_unread((yield from binding_of(ORIGIN, merchant.name, context))):
        return None
    return (yield from call(context.ledger.last_snapshot, merchant))


def _entries(under_way: UnderWay) -> dict[str, str]:
    text = to_json(under_way.plan).encode(errors="surrogatepass")
    packed = base64.b64encode(zlib.compress(text, level=1)).decode("ascii")
    parts = [packed[start : start + _LETTERS] for start in range(0, len(packed), _LETTERS)]
    head = _Kept(run_id=under_way.run_id, parts=len(parts))
    return {"run": to_json(head), **{f"part {number}": part for number, part in enumerate(parts)}}


def _under_way(kept: Mapping[str, str]) -> UnderWay:
    head = from_json(kept["run"], _Kept)
    packed = "".join(kept[f"part {number}"] for number in range(head.parts))
    text = zlib.decompress(base64.b64decode(packed)).decode(errors="surrogatepass")
    return UnderWay(run_id=head.run_id, plan=from_json(text, SyncPlan))


def _namespace(cart: str) -> str:
    return place_of("plan under way", cart)
