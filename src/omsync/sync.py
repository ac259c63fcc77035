"""The blocking functions: read, plan, push, compare. ``omsync.aio`` has the same names, awaiting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from omsync.guarding import approve_flow
from omsync.http.blocking import Runner
from omsync.http.clock import Clock, SystemClock
from omsync.model import InventorySnapshot
from omsync.originals_flow import originals_flow, put_back_flow
from omsync.planning import SyncPlan
from omsync.planning.approvals import Approval
from omsync.planning.bindings import Binding
from omsync.planning.originals import Originals
from omsync.planning.quarantine_view import Quarantine
from omsync.ports import CartSink, Ledger, OrderManagerSource, OrdersInFlight, Progress
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
Orders = Mapping[str, int] | OrdersInFlight | Sequence[OrdersInFlight]


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
    orders_in_flight: Orders | None = None,
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
        orders_in_flight: Orders that the snapshot has not seen: units by master SKU, an ``OrdersInFlight``
            that is asked for them, or a list of those.
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
            flows.plan_flow(source_or_snapshot, sink, cart, merchant, orders_in_flight, context)
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

    With a ledger, so is what offers more than a later run wanted, or gives back what the cart has sold since.

    Args:
        plan: What to push.
        sink: The cart.
        ledger: Notes the run and every listing's figures.
        approve: The plan's digest, to let its held lines through, those in quarantine too.
        on_progress: Called with ("push", rows done, rows in all).
        deadline: A moment, or a span from now; what was not sent by then is reported so.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A report with one outcome for every (listing, location).

    Raises:
        SettingsError: ``approve`` is another plan's digest, or the plan is one for another cart or account.
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
    orders_in_flight: Orders | None = None,
    resume: bool = True,
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncReport:
    """Read the order manager, decide, and push to one cart what differs.

    A cart that compares quantities is looked at in a thread while the order manager is read, where an earlier
    run has seen it.

    Args:
        source_or_snapshot: Where the figures are from; None for the ledger's last complete read.
        sink: The cart.
        cart: Which listings, which locations, which rules.
        merchant: The mode, and how figures are understood.
        ledger: Notes runs and figures; required in sales-channel mode.
        orders_in_flight: Orders that the snapshot has not seen: units by master SKU, an ``OrdersInFlight``
            that is asked for them, or a list of those.
        resume: Whether the plan of a run that died goes on, while the reading that it was made from is no
            older than ``CartSettings.resume_within``; the report says so. False to plan anew.
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
            flows.sync_flow(
                source_or_snapshot, sink, cart, merchant, orders_in_flight, context, resume=resume
            )
        )


def sync_carts(
    source_or_snapshot: OrderManagerSource | InventorySnapshot | None,
    carts: Iterable[tuple[CartSink, CartSettings]],
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

    Carts are read, decided and pushed side by side in threads, each account at its own pace, however many
    carts use it. So your own sinks, and a ledger of your own, are called from several threads, each sink
    from one at a time.

    Args:
        source_or_snapshot: Where the figures are from; None for the ledger's last complete read.
        carts: (sink, cart settings) pairs; the carts' names differ.
        merchant: The mode, and how figures are understood.
        ledger: Notes runs and figures; required in sales-channel mode.
        orders_in_flight: Orders that the snapshot has not seen: units by master SKU, an ``OrdersInFlight``
            that is asked for them, or a list of those.
        resume: Whether the plans of runs that died go on, while the reading that they were made from is no
            older than ``CartSettings.resume_within``; the other carts then go on from the same reading.
        at_once: Carts at the same time; 1 is one after another, all in the caller's thread.
        on_progress: Called with (stage, done, total or None), by one thread at a time; a cart's stages begin
            with its name, as in ``"shop: push"``.
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Returns:
        One report for each cart, in the order given; a cart that failed has status ``"failed"`` and a code.

    Raises:
        OmsyncError: The order manager could not be read; no cart was touched then.
        KeyboardInterrupt: All carts were stopped, each with its report: ``omsync_reports`` of the exception.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(
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


def diagnose(
    source_or_snapshot: OrderManagerSource | InventorySnapshot | None,
    sink: CartSink,
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

    What cannot be read is an answer too, with the remedy, and no error. Sales channels are not read anew,
    since reading them acknowledges figures; the ledger's last complete reading stands in.

    Args:
        source_or_snapshot: The order manager, a snapshot, or None for the ledger's last complete read.
        sink: The cart.
        cart: Its settings.
        merchant: The mode, and how figures are understood.
        ledger: Tells of runs, quarantine and what is held; only looked into.
        listing_sku: A listing to be explained as well.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Returns:
        One answer for each question: ok, warning, wrong or unknown, with the remedy.

    Source: the questions that the vendor's support asks when inventory is wrong.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(diagnose_flow(source_or_snapshot, sink, cart, merchant, listing_sku, context))


def approve(
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

    A later line passes while it moves the same way, to a quantity between what the listing showed when the
    plan was made and what was approved. Approving a whole plan also says that its reading is good, where the
    plan says that this is in question.

    Args:
        ledger: Where the plan was made with; it keeps the approval.
        cart: The cart, or its name.
        digest: The plan that a person looked at.
        by: Who approves.
        reason: Why, in a few words.
        until: A moment, or a span from now; from then on the approval says nothing.
        rows: Only these (listing, location) of what the plan holds, as from ``read_approvals``; None for all.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Raises:
        SettingsError: No plan with held lines has this digest, or a row is not held by it.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(approve_flow(cart, digest, by, reason, until, rows, merchant, context))


def quarantined(
    ledger: Ledger,
    cart: CartSettings | str,
    *,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Quarantine:
    """List what is left out of the runs of a cart because the cart refused it again and again.

    Args:
        ledger: Where the runs were noted.
        cart: The cart, or its name.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A ``Quarantine``: print it, or go through its rows, those that show too much first.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(quarantined_flow(cart, merchant, context))


def release(
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

    Args:
        ledger: Where the runs were noted; it keeps the release until the cart has answered again.
        cart: The cart, or its name.
        listing_skus: One listing SKU or several, each at all of its locations; None for all.
        by: Who releases them.
        reason: Why, in a few words.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Returns:
        The rows that were released.

    Raises:
        SettingsError: A listing is not in quarantine.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(release_flow(cart, listing_skus, by, reason, merchant, context))


def history(
    ledger: Ledger,
    cart: CartSettings | str,
    sku: str | None = None,
    since: datetime | timedelta | None = None,
    *,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> History:
    """Look up each quantity that was sent: when, why that, the reply, and who approved it.

    What a cart is sent each time without being decided anew is not in it.

    Args:
        ledger: Where the runs were noted.
        cart: The cart, or its name.
        sku: The listing SKU; None for all listings.
        since: A moment, or a span back from now; None for all that is kept.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A ``History``: print it, go through it, or take ``to_csv()``.

    Raises:
        LedgerError: The ledger keeps no history.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(history_flow(cart, sku, since, merchant, context))


def drift(
    ledger: Ledger,
    sink: CartSink,
    cart: CartSettings | str,
    *,
    merchant: MerchantSettings | str = "default",
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> Drift:
    """List where a cart differs from what the last plan wanted it to show, and since when.

    The cart is read, and what it shows is noted in the ledger as observed; nothing is pushed. A cart that
    cannot be read is taken to show what it last accepted.

    Args:
        ledger: Where the runs were noted.
        sink: The cart.
        cart: The cart's settings, or its name.
        merchant: The merchant, or its name.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Returns:
        A ``Drift``: print it, or go through its lines, the longest first.

    Raises:
        OmsyncError: The cart could not be read.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(drift_flow(sink, cart, merchant, context))


def confirm_cart(
    ledger: Ledger,
    sink: CartSink,
    cart: CartSettings | str,
    *,
    by: str,
    reason: str,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Binding:
    """Let a cart's name stand for this sink from now on, after runs refused it as ``"other_cart"``.

    Nothing that the ledger knows of the old cart's listings is believed of this one: what it accepted, its
    falls, its approvals, its quarantine. The next run is a first push. History stays. Confirm too when a shop
    was set up anew at the same address.

    Args:
        ledger: Where the runs were noted.
        sink: The cart that is meant.
        cart: The cart's settings, or its name.
        by: Who confirms.
        reason: Why, in a few words.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Raises:
        LeaseHeldError: A run works on the cart; confirm when it has ended.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(confirm_cart_flow(sink, cart, by, reason, merchant, context))


def confirm_source(
    ledger: Ledger,
    source: OrderManagerSource,
    *,
    by: str,
    reason: str,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Binding:
    """Let a merchant's readings be of this source from now on, after one was refused as ``"other_account"``.

    The next reading is taken whatever it holds; until then there is no last complete read.

    Args:
        ledger: Where the readings were noted.
        source: The order manager that is meant.
        by: Who confirms.
        reason: Why, in a few words.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Raises:
        LeaseHeldError: The order manager is being read; confirm when that has ended.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(confirm_source_flow(source, by, reason, merchant, context))


def originals(
    ledger: Ledger,
    cart: CartSettings | str,
    *,
    merchant: MerchantSettings | str = "default",
    clock: Clock | None = None,
) -> Originals:
    """Look up what a cart showed before omsync, for every listing that omsync has changed.

    Args:
        ledger: Where the runs were noted.
        cart: The cart, or its name.
        merchant: The merchant, or its name.
        clock: Replaces the machine's clock, for tests.

    Returns:
        An ``Originals``: print it, go through it, or take ``to_csv()``. Of a cart that cannot be read nothing
        is known.
    """
    context, runner = _prepare(ledger, None, None, clock)
    with runner:
        return runner.run(originals_flow(cart, merchant, context))


def plan_put_back(
    ledger: Ledger,
    sink: CartSink,
    cart: CartSettings,
    *,
    merchant: MerchantSettings | str = "default",
    on_progress: Progress | None = None,
    deadline: Deadline = None,
    clock: Clock | None = None,
) -> SyncPlan:
    """Plan to let every listing that omsync has changed show what it showed before; push nothing.

    It is a plan like others: look at it, and push it with ``push_plan``. Switch the cart off
    (``enabled=False``) first, or the next sync undoes it; that does not matter here.

    Args:
        ledger: Where the runs were noted.
        sink: The cart.
        cart: Its settings, for the guardrails.
        merchant: The merchant, or its name.
        on_progress: Called with (stage, done, total or None).
        deadline: A moment, or a span from now.
        clock: Replaces the machine's clock, for tests.

    Raises:
        SettingsError: The cart cannot say what it shows (``"nothing_to_put_back"``), or is another one.
        OmsyncError: The cart could not be read.
    """
    context, runner = _prepare(ledger, on_progress, deadline, clock)
    with runner:
        return runner.run(put_back_flow(sink, cart, merchant, context))


def _prepare(
    ledger: Ledger | None, on_progress: Progress | None, deadline: Deadline, clock: Clock | None
) -> tuple[Context, Runner]:
    clock = clock or SystemClock()
    until = deadline_of(deadline, clock)
    runner = Runner(clock=clock, deadline=until)
    context = Context(ledger=ledger, clock=clock, on_progress=on_progress, deadline=until)
    return context, runner
