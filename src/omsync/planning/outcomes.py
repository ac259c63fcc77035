"""How each listing ended a run: exactly one named outcome for every (listing, location). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import evolve, field, frozen

from omsync import checks
from omsync.exchange import PushResult, QuantityChange, SinkCapabilities
from omsync.planning.made import Made
from omsync.planning.plan import Key, PlanLine, SyncPlan

__all__ = [
    "NOT_SENT",
    "OUTCOMES",
    "Outcome",
    "Outcomes",
    "as_outcomes",
    "outcome_of_line",
    "outcome_of_result",
    "outcomes_of_plan",
]

OUTCOMES = ("applied", "pending", "unchanged", "skipped", "held", "rejected", "conflict")
"""applied: the cart's answer or a read-back shows it. pending: sent, and the answer is unknown or not yet
seen. unchanged: the cart shows it already. skipped: no quantity, or not sent. held: waits for a person.
rejected: the cart refused it. conflict: the cart moved meanwhile."""

_DESIGNED = {"applied", "unchanged", "skipped"}
NOT_SENT = {"deadline", "cancelled", "not_sent", "lease_lost"}
"""The reasons of what was skipped since the run ended first."""

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
        return self.outcome not in _DESIGNED or self.reason in NOT_SENT

    @property
    def was_sent(self) -> bool:
        """Whether it went over the wire, or may have."""
        return self.repeated is not None or (self.outcome in _SENT and self.reason != "moved_since_plan")


class Outcomes(Made[Outcome]):
    """Outcomes as a read-only sequence, equal to the tuple of them.

    That a listing is unchanged, as nearly all are, is kept as its line of the plan; its outcome is made when
    somebody looks at it.

    Args:
        parts: Outcomes, and lines that are unchanged.
    """

    __slots__ = ()

    def __init__(self, parts: Iterable[Outcome | PlanLine] = ()) -> None:
        super().__init__(parts, _made)

    @property
    def telling(self) -> list[Outcome]:
        """Those that say more than that a listing is unchanged."""
        return [part for part in self._parts if isinstance(part, Outcome)]

    def replaced(self, others: Mapping[Key, Outcome]) -> Outcomes:
        """Give these with others in place of those of the same listing and location; the others come last."""
        kept = [part for part in self._parts if (part.listing_sku or "", part.location_id) not in others]
        return Outcomes([*kept, *others.values()])

    def in_order(self) -> Outcomes:
        """Give these sorted by listing and location."""
        return Outcomes(sorted(self._parts, key=_order))


def as_outcomes(outcomes: Iterable[Outcome]) -> Outcomes:
    """Take outcomes, as they are where they are kept so already."""
    return outcomes if isinstance(outcomes, Outcomes) else Outcomes(checks.as_tuple(outcomes))


def _made(part: Outcome | PlanLine) -> Outcome:
    # A quantity's own reason says where it is from; only what stops it is a reason of the outcome.
    return part if isinstance(part, Outcome) else outcome_of_line(part, "unchanged", "", part.hint)


def _order(part: Outcome | PlanLine) -> tuple[str, str, str, str]:
    reason = part.reason if isinstance(part, Outcome) else ""
    return part.listing_sku or "", part.location_id or "", part.master_sku, reason


def outcomes_of_plan(
    plan: SyncPlan, *, approved: bool = False, repeated: Mapping[Key, int] | None = None
) -> Outcomes:
    """Give the outcomes that a plan settles by itself: unchanged, skipped, held.

    Args:
        plan: The plan.
        approved: Whether held lines went out too.
        repeated: What a full push repeated.
    """
    settled = {"unchanged": "unchanged", "skip": "skipped"}
    if not approved:
        settled["hold"] = "held"
    parts: list[Outcome | PlanLine] = []
    for line in plan.lines:
        moved = line.reason == "moved_since_plan"
        if line.action == "unchanged" and not moved:
            parts.append(line)
        elif line.action in settled:
            outcome = "conflict" if moved else settled[line.action]
            reason = "" if line.action == "unchanged" else line.reason
            parts.append(outcome_of_line(line, outcome, reason, line.hint))
    outcomes = Outcomes([*parts, *_outcomes_of_skips(plan)])
    return Outcomes(_marked(outcomes, repeated)) if repeated else outcomes


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
    spoken_of = {skipped.listing_sku for skipped in plan.skipped}
    lines = [line for line in plan.lines if line.listing_sku in spoken_of]
    with_lines = {line.listing_sku for line in lines}
    taken: set[tuple[str | None, str | None]] = {line.key for line in lines}
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
