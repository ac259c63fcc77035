"""Rows that a cart refuses run after run: kept out of the others' way, and tried again by a policy. Pure.

A row is in quarantine once the cart has refused it in ``quarantine_after`` runs running. It is tried again
after a while, as soon as something about it changes, or when a person releases it; it leaves when the cart
takes it. What a cart shows too high waits an hour at most, everything else longer each time, up to a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation.reasons import words
from omsync.checks import counted, to_the_minute
from omsync.planning.approvals import may_go_out
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.settings import Guardrails

__all__ = ["QUARANTINED", "QuarantinedRow", "Refusal", "Release", "after_push", "hold_quarantined"]

QUARANTINED = "quarantined"
"""The reason of a line that is held because the cart refused it again and again, and of the notice."""

_DANGER_WAITS = timedelta(hours=1)
_LONGEST = timedelta(days=1)
_EARLY = timedelta(minutes=5)
"""A run that begins so much before a row's time tries it as well: an hourly job is not on the second."""
_LETTERS = 300
"""What is kept of a cart's words."""


@frozen(kw_only=True)
class Release:
    """Who let a row out.

    Args:
        by: Who.
        reason: Why.
        at: When.
    """

    by: str = field(validator=checks.text)
    reason: str = field(validator=checks.text)
    at: datetime = field(converter=checks.to_utc, validator=checks.moment)


@frozen(kw_only=True)
class QuarantinedRow:
    """One listing at one location that the cart refused.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        quantity: What was refused, as an available quantity.
        shown: What the cart showed then; None when nobody knew.
        reason: The refusal's stable code.
        message: What the cart said.
        since: When it was refused first.
        tries: In how many runs it was refused since.
        tried_at: When the last of them began.
        next_try: From when on it is tried again; None while it is not in quarantine yet.
        settings_digest: Names the settings that it was refused with; empty: not known.
        released: Who let it out; kept until the cart has answered again.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    quantity: int = field(validator=checks.whole(minimum=0))
    shown: int | None = field(default=None, validator=checks.optional(checks.whole()))
    reason: str = field(validator=checks.text)
    message: str = field(default="", validator=checks.any_text)
    since: datetime = field(converter=checks.to_utc, validator=checks.moment)
    tries: int = field(validator=checks.whole(minimum=1))
    tried_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    next_try: datetime | None = field(
        default=None, converter=checks.to_utc, validator=checks.optional(checks.moment)
    )
    settings_digest: str = field(default="", validator=checks.any_text)
    released: Release | None = None

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.listing_sku, self.location_id)

    @property
    def is_quarantined(self) -> bool:
        """Whether it was refused often enough to be left out."""
        return self.next_try is not None

    @property
    def exposed(self) -> int:
        """Units that the cart shows and should not, as far as anybody knows."""
        return max(0, (self.shown or 0) - self.quantity)

    @property
    def is_dangerous(self) -> bool:
        """Whether the cart shows too much, or may: a zero, a fall, or nobody knows what it shows."""
        return self.quantity == 0 or self.shown is None or self.quantity < self.shown

    @property
    def why(self) -> str:
        """Why it was refused: the code's words, and the cart's."""
        return f"{words(self.reason)}: {self.message}" if self.message else words(self.reason)

    @property
    def trying(self) -> str:
        """When it is tried again, in words."""
        return "the next run" if self.released or self.next_try is None else to_the_minute(self.next_try)

    def waits(self, line: PlanLine, settings_digest: str, now: datetime) -> bool:
        """Whether it is to be left out now: its time has not come, and nothing about it has changed."""
        changed = (line.quantity, line.shown) != (self.quantity, self.shown) or settings_digest not in {
            "",
            self.settings_digest,
        }
        if self.next_try is None or changed:
            return False
        # Where the clock was put back since, the moments that were kept say nothing.
        return self.tried_at <= now < self.next_try - _EARLY


@frozen(kw_only=True)
class Refusal:
    """A cart's no to one row.

    Args:
        quantity: What was refused, as an available quantity.
        shown: What the cart showed; None when nobody knows.
        reason: A stable code.
        message: What the cart said.
    """

    quantity: int
    shown: int | None
    reason: str
    message: str


def hold_quarantined(plan: SyncPlan, rows: Mapping[Key, QuarantinedRow], now: datetime) -> SyncPlan:
    """Hold the lines that are in quarantine and whose time has not come; name who released others. Pure.

    Args:
        plan: What was planned; only lines that would change are looked at, at once or once approved.
        rows: What the ledger knows of refusals.
        now: Decides about time.
    """

    def decide(line: PlanLine) -> PlanLine:
        row = rows.get(line.key)
        if row is None or not may_go_out(line):
            return line
        if row.released is not None:
            if line.action == "hold":
                return line
            by, said = row.released.by, row.released.reason
            return evolve(line, hint=f"Released from quarantine by {by} ({said}).", approved_by=by)
        if not row.waits(line, plan.settings_digest, now):
            return line
        hint = (
            f"The cart refused it {counted(row.tries, 'time')} since {to_the_minute(row.since)} ({row.why}). "
            f"It is tried again at {row.trying}, as soon as its quantity, what the cart shows or the "
            "settings change, or after release()."
        )
        return evolve(line, action="hold", reason=QUARANTINED, hint=hint)

    return evolve(plan, lines=tuple(map(decide, plan.lines))) if rows else plan


def after_push(
    rows: Mapping[Key, QuarantinedRow],
    refused: Mapping[Key, Refusal],
    unsettled: Collection[Key],
    *,
    rails: Guardrails,
    settings_digest: str,
    at: datetime,
) -> dict[Key, QuarantinedRow]:
    """Give what is known of refusals after a push. Pure.

    Args:
        rows: What was known before.
        refused: The rows that the cart refused for their own sake.
        unsettled: The rows of which this run says nothing; what is in neither leaves.
        rails: Has the policy.
        settings_digest: The settings that the run had; empty: not known.
        at: When the run began; all times count from then.
    """
    if not rails.quarantine_after:
        return {}
    again = {
        key: evolve(_refused(key, refusal, rows.get(key), rails, at), settings_digest=settings_digest)
        for key, refusal in refused.items()
    }
    return {key: row for key, row in rows.items() if key in unsettled} | again


def _refused(
    key: Key, refusal: Refusal, before: QuarantinedRow | None, rails: Guardrails, at: datetime
) -> QuarantinedRow:
    late = None if before is None else before.released
    row = QuarantinedRow(
        listing_sku=key[0],
        location_id=key[1],
        quantity=refusal.quantity,
        shown=refusal.shown,
        reason=refusal.reason,
        message=refusal.message[:_LETTERS],
        since=at if before is None else before.since,
        tries=1 if before is None else before.tries + 1,
        tried_at=at,
        # Who released it while this run was under way meant the next one.
        released=late if late is not None and late.at > at else None,
    )
    beyond = row.tries - rails.quarantine_after
    if beyond < 0:
        return row
    # Five times doubled, an hour is more than a day.
    span = min(_LONGEST, timedelta(hours=rails.quarantine_hours << min(beyond, 5)))
    return evolve(row, next_try=at + (min(span, _DANGER_WAITS) if row.is_dangerous else span))
