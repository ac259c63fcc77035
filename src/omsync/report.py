"""What came of a run: exactly one named outcome for every (listing, location), and a sentence about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs
from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Explanation, Notice
from omsync.allocation.reasons import words
from omsync.checks import counted
from omsync.exchange import PushResult, QuantityChange, SinkCapabilities
from omsync.planning import SyncPlan
from omsync.planning.approvals import APPROVABLE
from omsync.planning.plan import Key, PlanLine

__all__ = ["OUTCOMES", "Outcome", "SyncReport", "outcome_of_result", "outcomes_of_plan", "status_of"]

OUTCOMES = ("applied", "pending", "unchanged", "skipped", "held", "rejected", "conflict")
"""applied: the cart's answer or a read-back shows it. pending: sent, and the answer is unknown or not yet
seen. unchanged: the cart shows it already. skipped: no quantity, or not sent. held: waits for a person.
rejected: the cart refused it. conflict: the cart moved meanwhile."""

_DESIGNED = {"applied", "unchanged", "skipped"}
_NOT_SENT = {"deadline", "cancelled", "not_sent", "lease_lost"}
_SENT = {"applied", "pending", "rejected", "conflict"}
_UNDER_WAY = {"accepted", "job_pending", "awaiting_acknowledgement"}
"""Pending as this cart works: it took the row, and shows or confirms it later. Nobody has to do anything."""

_PASSING = {"maybe_sold", "rise_seen_once"}
"""Held until the order manager is read again, and not for a person."""


@frozen(kw_only=True)
class Outcome:
    """How one listing at one location ended a run.

    Args:
        listing_sku: The cart's code, or None for a product that has no listing in the cart.
        master_sku: The product.
        location_id: The cart's location, or None.
        outcome: One of ``OUTCOMES``.
        reason: A stable code; empty where the outcome says it all.
        quantity: What it shall show, as an available quantity; None where there is none.
        shown: What it showed before; None where nobody knows.
        message: What to do, or what the cart said.
        repeated: For a cart that is sent everything each time: the quantity that this run repeated, although
            the outcome is unchanged, held or skipped; added up where the outcome names no location.
    """

    listing_sku: str | None
    master_sku: str
    location_id: str | None = None
    outcome: str = field(validator=checks.one_of(*OUTCOMES))
    reason: str = ""
    quantity: int | None = None
    shown: int | None = None
    message: str = ""
    repeated: int | None = None

    @property
    def went_wrong(self) -> bool:
        """Whether a run with this outcome is no success."""
        if self.outcome == "pending" and self.reason in _UNDER_WAY:
            return False
        if self.outcome == "held" and self.reason in _PASSING:
            return False
        return self.outcome not in _DESIGNED or self.reason in _NOT_SENT

    @property
    def was_sent(self) -> bool:
        """Whether it went over the wire, or may have."""
        return self.repeated is not None or (self.outcome in _SENT and self.reason != "moved_since_plan")


DOUBT = "source_answer_lost"
"""The notice of listings whose figures may be too high; a run with it is no success."""

NOT_REPEATED = "not_repeated"
"""The notice that a full push which only repeated did not go through; a run with it is no success."""

_ROUTINE = {"bundles_computed", "bundles_reported", "push_inventory_off", "blind_cart", "told_everything"}
"""Notices of every ordinary run; the plan prints them, the report's line need not."""


@frozen(kw_only=True, repr=False)
class SyncReport:
    """What came of one run for one cart.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        run_id: The run.
        status: ``"success"``, ``"partial"``, ``"failed"`` or ``"disabled"``.
        started_at: When it began.
        finished_at: When it ended.
        destination: Which cart, in the sink's own words.
        outcomes: One for each (listing, location), and one for each product without a listing.
        notices: What else a person should know.
        cart_only: Listings that only the cart has.
        digest: The plan's.
        code: The error's code, when an error ended the run.
        message: The error, when one ended the run.
    """

    merchant: str
    cart: str
    run_id: str
    status: str = field(validator=checks.one_of("success", "partial", "failed", "disabled"))
    started_at: datetime
    finished_at: datetime
    destination: str = ""
    outcomes: tuple[Outcome, ...] = field(default=(), converter=checks.as_tuple)
    notices: tuple[Notice, ...] = field(default=(), converter=checks.as_tuple)
    cart_only: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    digest: str = ""
    code: str = ""
    message: str = ""
    plan: SyncPlan | None = field(default=None, eq=False)

    def __repr__(self) -> str:
        return f"<SyncReport of {self.merchant} / {self.cart}: {self.status}, {self._counted()}>"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many ended how, in the order of ``OUTCOMES``; outcomes that nobody had are left out."""
        counted = Counter(outcome.outcome for outcome in self.outcomes)
        return {name: counted[name] for name in OUTCOMES if counted[name]}

    @property
    def why(self) -> tuple[str, str]:
        """Why the run was no success: a code and a sentence; both empty when it was one."""
        if self.code or self.status in {"success", "disabled"}:
            return self.code, self.message
        wrong = [one for one in self.outcomes if one.went_wrong]
        if wrong:
            ((reason, number),) = Counter(one.reason or one.outcome for one in wrong).most_common(1)
            first = next(one for one in wrong if reason == (one.reason or one.outcome))
            said = f": {first.message}" if first.message else ""
            return reason, f"{counted(number, 'listing')} {first.outcome}{said}"
        worries = [one for one in self.notices if one.reason in {DOUBT, NOT_REPEATED}]
        return next(((one.reason, one.message) for one in worries), ("", ""))

    def of(self, outcome: str) -> tuple[Outcome, ...]:
        """Give those that ended so."""
        return tuple(one for one in self.outcomes if one.outcome == outcome)

    def explain(self, listing_sku: str, location_id: str | None = None) -> Explanation:
        """Explain a quantity from the snapshot that this run used.

        Raises:
            NoExplanationError: The listing has no quantity, or the figures are not in this process.
        """
        plan = self.plan or SyncPlan(merchant=self.merchant, cart=self.cart)
        return plan.explain(listing_sku, location_id)

    def to_json(self, *, indent: int | None = None) -> str:
        """Give the report as JSON, without explanations."""
        data = attrs.asdict(self, filter=lambda attribute, _: attribute.name != "plan")
        return json.dumps(data, indent=indent, default=lambda moment: moment.isoformat())

    def __str__(self) -> str:
        if self.status == "disabled":
            return f"{self.merchant} / {self.cart}: switched off; nothing was pushed."
        if self.code and not self.outcomes:
            return f"{self.merchant} / {self.cart}: failed ({self.code}), nothing was pushed: {self.message}"
        head = f"{counted(len(self.outcomes), 'listing')}: {self._counted()}"
        if not any(one.was_sent for one in self.outcomes):
            head += "; nothing was pushed"
        repeated = sum(one.repeated is not None for one in self.outcomes)
        if repeated:
            head += f"; {repeated:,} repeated as last told"
        if self.cart_only:
            head += f"; {len(self.cart_only):,} only in the cart"
        if self.code:
            head += f"; ended early ({self.code})" + (f": {self.message}" if self.message else "")
        notes = [f"note: {one.message}" for one in self.notices if one.reason not in _ROUTINE]
        return "\n  ".join([head, *notes, *self._way_on()])

    def _way_on(self) -> list[str]:
        """Say what lets held listings through, where a person's word does."""
        waiting = sum(one.reason in APPROVABLE for one in self.of("held"))
        if not waiting or not self.digest:
            return []
        merchant = "" if self.merchant == "default" else f", merchant={self.merchant!r}"
        call = f"approve(ledger, {self.cart!r}, {self.digest!r}, by=..., reason=..., until=...{merchant})"
        return [f"to let {counted(waiting, 'held listing')} through: {call}"]

    def _counted(self) -> str:
        parts = []
        for name, number in self.counts.items():
            text = f"{number:,} {name}"
            reasons = Counter(one.reason for one in self.of(name) if one.reason)
            if name not in {"applied", "unchanged"} and reasons:
                why = ", ".join(f"{count:,} {words(reason)}" for reason, count in reasons.most_common())
                text += f" ({why})"
            parts.append(text)
        return ", ".join(parts) or "nothing to sync"


def outcomes_of_plan(
    plan: SyncPlan, *, approved: bool = False, repeated: Mapping[Key, int] | None = None
) -> list[Outcome]:
    """Give the outcomes that a plan settles by itself: unchanged, skipped, held.

    Args:
        plan: The plan.
        approved: Whether held lines went out too.
        repeated: What a full push repeated.
    """
    settled = {"unchanged": "unchanged", "skip": "skipped"}
    if not approved:
        settled["hold"] = "held"
    outcomes = []
    for line in plan.lines:
        if line.action in settled:
            moved = line.reason == "moved_since_plan"
            outcome = "conflict" if moved else settled[line.action]
            # A quantity's own reason says where it is from; only what stops it is a reason of the outcome.
            reason = "" if line.action == "unchanged" else line.reason
            outcomes.append(outcome_of_line(line, outcome, reason, line.hint))
    outcomes += _outcomes_of_skips(plan)
    return _marked(outcomes, repeated) if repeated else outcomes


def _marked(outcomes: Iterable[Outcome], repeated: Mapping[Key, int]) -> list[Outcome]:
    """Note what was repeated; an outcome without a location speaks of the listing at all of them."""
    told: dict[Key, int] = {}
    for (sku, location_id), quantity in repeated.items():
        told[sku, location_id] = quantity
        if location_id is not None:
            told[sku, None] = told.get((sku, None), 0) + quantity
    return [evolve(one, repeated=told.get((one.listing_sku or "", one.location_id))) for one in outcomes]


def _outcomes_of_skips(plan: SyncPlan) -> Iterator[Outcome]:
    """Give every (listing, location) one outcome, also where several products claim the listing.

    A product whose claim lost is there as one without a listing; a listing that the order manager merely
    lists twice is synced once, and the plan's own skips say so.
    """
    with_lines = {line.listing_sku for line in plan.lines}
    taken: set[tuple[str | None, str | None]] = {line.key for line in plan.lines}
    for skipped in sorted(plan.skipped, key=lambda one: one.reason == "duplicate_listing_sku"):
        key = (skipped.listing_sku, skipped.location_id)
        lost = key in taken or (skipped.location_id is None and skipped.listing_sku in with_lines)
        if lost and skipped.reason == "duplicate_listing_sku":
            continue
        if skipped.listing_sku is not None:
            taken.add(key)
        yield Outcome(
            listing_sku=None if lost else skipped.listing_sku,
            master_sku=skipped.master_sku,
            location_id=skipped.location_id,
            outcome="skipped",
            reason=skipped.reason,
            message=skipped.hint,
        )


def outcome_of_line(line: PlanLine, outcome: str, reason: str = "", message: str = "") -> Outcome:
    """Give a line's outcome."""
    return Outcome(
        listing_sku=line.listing_sku,
        master_sku=line.master_sku,
        location_id=line.location_id,
        outcome=outcome,
        reason=reason,
        quantity=line.quantity,
        shown=line.shown,
        message=message,
    )


def outcome_of_result(
    line: PlanLine, change: QuantityChange, result: PushResult | None, capabilities: SinkCapabilities
) -> Outcome:
    """Judge a cart's answer for one row: accepted is not applied until the cart shows it.

    Args:
        line: The plan's line.
        change: The row that was sent.
        result: The cart's answer, or None when it gave none for this row.
        capabilities: Whether the cart applies at once.
    """
    if result is None:
        return outcome_of_line(
            line, "pending", "no_answer_for_row", "The cart answered, and said nothing about this row."
        )
    if result.status != "accepted":
        return outcome_of_line(line, result.status, result.reason or result.status, result.message)
    if result.echo == change.quantity:
        return outcome_of_line(line, "applied")
    if result.echo is None:
        at_once = capabilities.readable and capabilities.completion == "immediate"
        reason = "not_yet_seen" if at_once else "accepted"
        return outcome_of_line(line, "pending", reason, "Accepted; the cart has not shown it yet.")
    return outcome_of_line(
        line,
        "pending",
        "accepted_not_applied",
        f"The cart accepted {change.quantity} and shows {result.echo}.",
    )


def status_of(outcomes: Iterable[Outcome], notices: Iterable[Notice] = ()) -> str:
    """Sum a run up: success, partial, or failed when nothing of what went wrong is made up for."""
    everything = tuple(outcomes)
    failures = [one for one in everything if one.outcome == "rejected" or one.reason in _NOT_SENT]
    reasons = {one.reason for one in notices}
    in_doubt = bool(reasons & {DOUBT, NOT_REPEATED})
    if not in_doubt and not any(one.went_wrong for one in everything):
        return "success"
    got_through = any(one.outcome in {"applied", "pending"} for one in everything)
    return "partial" if got_through or not (failures or NOT_REPEATED in reasons) else "failed"
