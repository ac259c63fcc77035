"""What ``diagnose`` does, written once as steps: look at everything, change nothing, let no error end it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from omsync.allocation import Allocation
from omsync.allocation.locations import check_channel_is_read, check_location
from omsync.bindings_flow import check_source
from omsync.diagnosis import Diagnosis, Evidence, judged
from omsync.errors import LedgerError, OmsyncError
from omsync.exchange import ListingState, RunRecord
from omsync.flows import Sink, Source, read_flow, with_memory
from omsync.flows.arguments import check_arguments
from omsync.flows.deciding import plan_steps
from omsync.http.steps import Steps, call
from omsync.model import InventorySnapshot
from omsync.planning import SyncPlan
from omsync.planning.quarantine import QuarantinedRow
from omsync.ports import Ledger, SourceMemory
from omsync.remembered import kept_as, place_of
from omsync.runs import Context
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, QuantityRules

__all__ = ["diagnose_flow"]


def diagnose_flow(
    source: Source | InventorySnapshot | None,
    sink: Sink,
    cart: CartSettings,
    merchant: MerchantSettings,
    listing_sku: str | None,
    context: Context,
) -> Steps[Diagnosis]:
    """Look at the order manager, the cart and the ledger, and answer the check list."""
    check_arguments(sink, cart, merchant, source)
    ledger = context.ledger
    looking = evolve(context, ledger=None if ledger is None else OnlyLooking(ledger=ledger))
    evidence = Evidence(
        merchant=merchant,
        cart=cart,
        capabilities=sink.capabilities,
        now=context.clock.now(),
        has_ledger=ledger is not None,
        listing_sku=listing_sku,
    )
    if looking.ledger is not None:
        try:
            evidence = yield from _with_ledger(evidence, looking.ledger)
        except OmsyncError as error:
            evidence, looking = _without_ledger(evidence, looking, error)
    evidence = yield from _with_reading(evidence, source, looking)
    if evidence.snapshot is not None:
        evidence = yield from _with_plan(evidence, evidence.snapshot, sink, looking)
    return judged(evidence)


def _with_ledger(evidence: Evidence, ledger: Ledger) -> Steps[Evidence]:
    """Look up how the reads and the cart ran, and what is in quarantine."""
    merchant, cart = evidence.merchant.name, evidence.cart.name
    reads: Iterable[RunRecord] = yield from call(ledger.runs, merchant, None)
    runs: Iterable[RunRecord] = yield from call(ledger.runs, merchant, cart)
    place = place_of("quarantine", cart)
    kept: Mapping[str, str] = yield from call(ledger.memory(merchant).recall, place)
    rows = [kept_as(QuarantinedRow, text, place) for text in kept.values() if text]
    refused = sum(row.is_quarantined for row in rows)
    return evolve(evidence, reads=tuple(reads), runs=tuple(runs), quarantined=refused)


def _without_ledger(evidence: Evidence, looking: Context, error: OmsyncError) -> tuple[Evidence, Context]:
    """Go on as without a ledger, which cannot be looked into."""
    return evolve(evidence, has_ledger=False, ledger_error=error), evolve(looking, ledger=None)


def _with_reading(
    evidence: Evidence, source: Source | InventorySnapshot | None, looking: Context
) -> Steps[Evidence]:
    """Read, where reading leaves the order manager as it was; else take the last complete reading."""
    merchant = evidence.merchant
    if isinstance(source, InventorySnapshot):
        return evolve(evidence, snapshot=source)
    try:
        check_location(merchant, evidence.cart)
        if source is not None and not isinstance(merchant.mode, PerSalesChannel):
            yield from check_source(source, merchant.name, looking)
            snapshot = yield from read_flow(source, merchant, evolve(looking, ledger=None))
            return evolve(evidence, snapshot=snapshot, read_anew=True)
    except OmsyncError as error:
        evidence = evolve(evidence, reading_error=error)
    if looking.ledger is None:
        return evidence
    try:
        return evolve(evidence, snapshot=(yield from call(looking.ledger.last_snapshot, merchant)))
    except OmsyncError as error:
        return evolve(evidence, reading_error=evidence.reading_error or error)


def _with_plan(
    evidence: Evidence, snapshot: InventorySnapshot, sink: Sink, looking: Context
) -> Steps[Evidence]:
    """Work out what the cart would be told, and what without rules."""
    merchant, cart = evidence.merchant, evidence.cart
    mine = with_memory(sink, merchant.name, looking)
    try:
        check_channel_is_read(snapshot, merchant, cart)
        plan: SyncPlan = yield from plan_steps(snapshot, mine, cart, merchant, None, looking, fetched=True)
        bare = evolve(
            cart,
            rules=QuantityRules(),
            overrides={sku: evolve(override, rules=None) for sku, override in cart.overrides.items()},
        )
        without: Allocation = yield from call(looking.desk.allocate, snapshot, merchant, bare)
    except LedgerError as error:
        if looking.ledger is None:
            return evolve(evidence, plan_error=error)
        evidence, looking = _without_ledger(evidence, looking, error)
        return (yield from _with_plan(evidence, snapshot, sink, looking))
    except OmsyncError as error:
        return evolve(evidence, plan_error=error)
    return evolve(evidence, plan=plan, without_rules=without)


@frozen(kw_only=True)
class OnlyLooking:
    """A ledger that can be looked into, and forgets what it is told."""

    ledger: Ledger

    def begin_run(self, run: RunRecord, /) -> None:
        """Forget it."""

    def touch_run(self, run_id: str, now: datetime, /) -> None:
        """Forget it."""

    def finish_run(self, run: RunRecord, /) -> None:
        """Forget it."""

    def runs(self, merchant: str, cart: str | None = None, /) -> Sequence[RunRecord]:
        """Give the runs."""
        return self.ledger.runs(merchant, cart)

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        """Forget it."""

    def last_snapshot(self, merchant: MerchantSettings | str, /) -> InventorySnapshot | None:
        """Give the last complete snapshot."""
        return self.ledger.last_snapshot(merchant)

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        """Forget them."""

    def states(self, merchant: str, cart: str, /) -> Iterable[ListingState]:
        """Give what is known of every listing of a cart."""
        return self.ledger.states(merchant, cart)

    def memory(self, merchant: str, /) -> SourceMemory:
        """Give a memory that keeps nothing new."""
        return _OnlyRecalling(memory=self.ledger.memory(merchant))


@frozen(kw_only=True)
class _OnlyRecalling:
    memory: Any

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give everything kept in the namespace."""
        kept: Mapping[str, str] = self.memory.recall(namespace)
        return kept

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Forget them."""

    def forget(self, namespace: str) -> None:
        """Keep what is there."""
