"""What a person let through: row by row, in one direction, no further than what was approved. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import evolve, field, frozen

from omsync import checks
from omsync.checks import to_the_minute
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.settings import GUARDS

__all__ = [
    "APPROVABLE",
    "APPROVED",
    "Approval",
    "ApprovedRow",
    "approved_rows",
    "let_through",
    "may_go_out",
    "rows_of",
]

APPROVABLE = frozenset({*GUARDS, "plan_held", "source_answer_lost", "gone", "gone_inactive"})
"""The reasons of held lines that an approval lets through in later plans; a cart's own limits are not."""

APPROVED = "approved"
"""The reason of a line that was held and is pushed because somebody approved it."""


@frozen(kw_only=True)
class ApprovedRow:
    """One listing at one location, as it stood when it was approved.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        master_sku: The product that it stood for; empty where an earlier version kept the row.
        shown: What it showed then; None when nobody knew.
        quantity: What was approved, as an available quantity.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    master_sku: str = field(default="", validator=checks.any_text)
    shown: int | None = field(default=None, validator=checks.optional(checks.whole()))
    quantity: int = field(validator=checks.whole(minimum=0))

    @property
    def key(self) -> Key:
        """What the row is about."""
        return (self.listing_sku, self.location_id)

    def covers(self, line: PlanLine) -> bool:
        """Whether the line moves the same way, to between what was shown and what was approved.

        Where nobody knew what was shown, only the approved quantity itself is covered, and only while that
        is so. A listing that stands for another product by now has other units behind it.
        """
        if line.key != self.key or self.master_sku not in {"", line.master_sku}:
            return False
        if self.shown is None or line.shown is None:
            return line.shown == self.shown and line.quantity == self.quantity
        if self.quantity < self.shown:
            return self.quantity <= line.quantity < line.shown and line.quantity <= self.shown
        return self.shown <= line.quantity <= self.quantity and line.shown < line.quantity


@frozen(kw_only=True)
class Approval:
    """What a person approved.

    Args:
        digest: The plan that the person looked at.
        by: Who.
        reason: Why.
        at: When.
        until: From then on it says nothing.
        rows: What it covers.
        destination: The cart that the plan was made for; empty where an earlier version kept the approval.
    """

    digest: str = field(validator=checks.text)
    by: str = field(validator=checks.text)
    reason: str = field(validator=checks.text)
    at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    until: datetime = field(converter=checks.to_utc, validator=checks.moment)
    rows: tuple[ApprovedRow, ...] = field(converter=checks.as_tuple)
    destination: str = field(default="", validator=checks.any_text)

    def counts(self, destination: str, now: datetime) -> bool:
        """Whether it says anything now, and about this cart."""
        return now < self.until and self.destination in {"", destination}


def may_go_out(line: PlanLine) -> bool:
    """Whether a line goes out, or would as soon as an approval lets it through."""
    return line.action == "change" or (line.action == "hold" and line.reason in APPROVABLE)


def rows_of(plan: SyncPlan) -> tuple[ApprovedRow, ...]:
    """Give the plan's held lines that can be approved, as they stand."""
    return tuple(
        ApprovedRow(
            listing_sku=line.listing_sku,
            location_id=line.location_id,
            master_sku=line.master_sku,
            shown=line.shown,
            quantity=line.quantity,
        )
        for line in plan.held
        if line.reason in APPROVABLE
    )


def approved_rows(plan: SyncPlan, approvals: Iterable[Approval], now: datetime) -> dict[Key, Approval]:
    """Give the lines that an approval covers now, each with the newest one that does. Pure.

    Args:
        plan: The plan at hand.
        approvals: What was approved, in whatever plan.
        now: Approvals count before their ``until`` only.
    """
    valid = sorted((one for one in approvals if one.counts(plan.destination, now)), key=lambda one: one.at)
    if not valid:
        return {}
    lines = {line.key: line for line in plan.lines if line.action in {"change", "hold"}}
    return {
        row.key: approval
        for approval in valid
        for row in approval.rows
        if row.key in lines and row.covers(lines[row.key])
    }


def let_through(plan: SyncPlan, approvals: Iterable[Approval], now: datetime) -> SyncPlan:
    """Turn held lines that are approved into changes; all that is approved names by whom. Pure."""
    approved = approved_rows(plan, approvals, now)

    def free(line: PlanLine) -> PlanLine:
        waits = line.action == "hold"
        if line.key not in approved or (waits and line.reason not in APPROVABLE):
            return line
        approval = approved[line.key]
        hint = f"Approved by {approval.by} ({approval.reason}) on {to_the_minute(approval.at)}."
        reason = APPROVED if waits else line.reason
        until = approval.until.isoformat()
        return evolve(
            line, action="change", reason=reason, hint=hint, approved_by=approval.by, approved_until=until
        )

    return evolve(plan, lines=tuple(map(free, plan.lines))) if approved else plan
