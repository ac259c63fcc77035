"""What a ledger knows of one cart, for a person: what is held, pending, refused. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from attrs import field, frozen

from omsync import checks
from omsync.checks import shown
from omsync.errors import LedgerError
from omsync.exchange import ListingState, RunRecord
from omsync.guarding import HeldPlan, Waiting
from omsync.planning.approvals import Approval, ApprovedRow
from omsync.planning.bindings import Binding, is_since, newest, states_since
from omsync.planning.plan import PlanLine
from omsync.planning.quarantine import QuarantinedRow
from omsync.planning.turning import Sighting, turned_twice
from omsync.ports import Ledger, OverviewLedger
from omsync.remembered import ORIGIN, damaged, destination_of, kept_as, place_of
from omsync.views.pending import PendingRow, pending_of

__all__ = ["HeldRow", "Known", "known_of", "quarantined_of", "telling"]

T = TypeVar("T")


@frozen(kw_only=True)
class HeldRow:
    """A listing that the last plan held for a person.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        shown: What it showed; None when nobody knew.
        quantity: What it should show.
        reason: Why, as a code; empty where nobody noted it.
        since: From when on it waits.
        digest: The plan to approve it by.
        approved_by: Who let it through since, so that the next run sends it.
    """

    listing_sku: str
    location_id: str | None
    shown: int | None
    quantity: int
    reason: str
    since: datetime
    digest: str
    approved_by: str = ""


@frozen(kw_only=True)
class Known:
    """What is known of one cart.

    Args:
        states: Its listings' figures, none of another cart that had its name before.
        held: What waits for a person, the longest first.
        pending: What was sent and not seen, the longest first.
        quarantined: What the cart refuses, and is left out for a while; the oldest first.
        turned: What another system writes as well.
    """

    states: tuple[ListingState, ...] = field(default=(), converter=checks.as_tuple)
    held: tuple[HeldRow, ...] = field(default=(), converter=checks.as_tuple)
    pending: tuple[PendingRow, ...] = field(default=(), converter=checks.as_tuple)
    quarantined: tuple[QuarantinedRow, ...] = field(default=(), converter=checks.as_tuple)
    turned: tuple[Sighting, ...] = field(default=(), converter=checks.as_tuple)


def telling(ledger: Ledger | OverviewLedger) -> OverviewLedger:
    """Give the ledger as one that tells whom it knows.

    Raises:
        LedgerError: ``code="no_overview"``: it cannot.
    """
    if not isinstance(ledger, OverviewLedger):
        raise LedgerError(
            f"This ledger cannot tell which merchants it knows: {shown(ledger)}",
            code="no_overview",
            remedy="Give it the methods of omsync.ports.OverviewLedger.",
        )
    return ledger


def known_of(ledger: Ledger, merchant: str, cart: str, runs: Sequence[RunRecord], *, now: datetime) -> Known:
    """Look up what is known of a cart. Nothing is written.

    Args:
        ledger: The ledger.
        merchant: The merchant's name.
        cart: The cart's name.
        runs: The cart's runs, newest first.
        now: Approvals that have ended by then say nothing.
    """
    bound = newest(_values(ledger, merchant, destination_of(cart), Binding))
    states = states_since(ledger.states(merchant, cart), bound)
    return Known(
        states=states,
        held=_held(ledger, merchant, cart, now, runs),
        pending=pending_of(ledger, merchant, cart, states),
        quarantined=quarantined_of(ledger, merchant, cart),
        turned=turned_twice(_sightings(ledger, merchant, cart)),
    )


def quarantined_of(ledger: Ledger | OverviewLedger, merchant: str, cart: str) -> list[QuarantinedRow]:
    """Give what is in quarantine, the oldest first."""
    rows = _values(ledger, merchant, place_of("quarantine", cart), QuarantinedRow)
    return sorted(
        (row for row in rows if row.is_quarantined),
        key=lambda row: (row.since, row.listing_sku, row.location_id or ""),
    )


def _values(ledger: Ledger | OverviewLedger, merchant: str, namespace: str, kind: type[T]) -> list[T]:
    kept = ledger.memory(merchant).recall(namespace)
    return [kept_as(kind, text, namespace) for text in kept.values() if text]


def _held(
    ledger: Ledger, merchant: str, cart: str, now: datetime, runs: Sequence[RunRecord]
) -> list[HeldRow]:
    """Give what the newest plan holds, unless a run has planned since and held nothing."""
    account = newest(_values(ledger, merchant, ORIGIN, Binding))
    kept = _values(ledger, merchant, place_of("held plans", cart), HeldPlan)
    plans = [one for one in kept if is_since(one.at, account)]
    if not plans:
        return []
    plan = max(plans, key=lambda one: one.at)
    place = place_of("guardrails", cart)
    waiting = kept_as(Waiting, ledger.memory(merchant).recall(place).get("waiting") or "{}", place)
    since = {(sku, location_id): at for sku, location_id, at in waiting.rows}
    planned = next((run.started_at for run in runs if run.counts and run.started_at), None)
    superseded = planned is not None and plan.at < planned
    approvals = [
        one
        for one in _values(ledger, merchant, place_of("approvals", cart), Approval)
        if one.counts(plan.destination, now) and is_since(one.at, account)
    ]
    reasons = plan.reasons or ("",) * len(plan.rows)
    rows = [
        HeldRow(
            listing_sku=row.listing_sku,
            location_id=row.location_id,
            shown=row.shown,
            quantity=row.quantity,
            reason=reason,
            since=since.get(row.key, plan.at),
            digest=plan.digest,
            approved_by=_approved_by(row, approvals),
        )
        for row, reason in zip(plan.rows, reasons, strict=True)
        if not superseded or row.key in since
    ]
    return sorted(rows, key=lambda row: (row.since, row.listing_sku, row.location_id or ""))


def _approved_by(held: ApprovedRow, approvals: Iterable[Approval]) -> str:
    line = PlanLine(
        listing_sku=held.listing_sku,
        # Of a row that an earlier version kept nobody knows the product.
        master_sku=held.master_sku or held.listing_sku,
        location_id=held.location_id,
        quantity=held.quantity,
        shown=held.shown,
        action="hold",
    )
    covering = [one for one in approvals if any(row.covers(line) for row in one.rows)]
    return max(covering, key=lambda one: one.at).by if covering else ""


def _sightings(ledger: Ledger, merchant: str, cart: str) -> list[Sighting]:
    place = place_of("writes", cart)
    text = ledger.memory(merchant).recall(place).get("last look") or "[]"
    try:
        return [Sighting.of_row(row) for row in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise damaged(place, "damaged_writes", error) from error
