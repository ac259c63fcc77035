"""What came of a run: exactly one named outcome for every (listing, location), and a sentence about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs
from attrs import field, frozen

from omsync import checks
from omsync.allocation import Explanation, Notice
from omsync.allocation.reasons import words
from omsync.checks import counted, printable
from omsync.planning import SyncPlan
from omsync.planning.approvals import APPROVABLE
from omsync.planning.outcomes import (
    NOT_SENT,
    OUTCOMES,
    Outcome,
    Outcomes,
    as_outcomes,
    outcome_of_result,
    outcomes_of_plan,
)

__all__ = [
    "NOT_REPEATED",
    "OUTCOMES",
    "Outcome",
    "Outcomes",
    "SyncReport",
    "outcome_of_result",
    "outcomes_of_plan",
    "status_of",
]

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
    outcomes: Outcomes = field(factory=Outcomes, converter=as_outcomes)
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
        counted = Counter(one.outcome for one in self.outcomes.telling)
        counted["unchanged"] += len(self.outcomes) - counted.total()
        return {name: counted[name] for name in OUTCOMES if counted[name]}

    @property
    def why(self) -> tuple[str, str]:
        """Why the run was no success: a code and a sentence; both empty when it was one."""
        if self.code or self.status in {"success", "disabled"}:
            return self.code, self.message
        wrong = [one for one in self.outcomes.telling if one.went_wrong]
        if wrong:
            ((reason, number),) = Counter(one.reason or one.outcome for one in wrong).most_common(1)
            first = next(one for one in wrong if reason == (one.reason or one.outcome))
            said = f": {first.message}" if first.message else ""
            return reason, f"{counted(number, 'listing')} {first.outcome}{said}"
        worries = [one for one in self.notices if one.reason in {DOUBT, NOT_REPEATED}]
        return next(((one.reason, one.message) for one in worries), ("", ""))

    def of(self, outcome: str) -> tuple[Outcome, ...]:
        """Give those that ended so."""
        among = self.outcomes if outcome == "unchanged" else self.outcomes.telling
        return tuple(one for one in among if one.outcome == outcome)

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
        data["outcomes"] = list(map(attrs.asdict, self.outcomes))
        return json.dumps(data, indent=indent, default=lambda moment: moment.isoformat())

    def __str__(self) -> str:
        if self.status == "disabled":
            return f"{self.merchant} / {self.cart}: switched off; nothing was pushed."
        if self.code and not self.outcomes:
            failed = f"failed ({self.code}), nothing was pushed: {self.message}"
            return printable(f"{self.merchant} / {self.cart}: {failed}")
        head = f"{counted(len(self.outcomes), 'listing')}: {self._counted()}"
        telling = self.outcomes.telling
        if not any(one.was_sent for one in telling):
            head += "; nothing was pushed"
        repeated = sum(one.repeated is not None for one in telling)
        if repeated:
            head += f"; {repeated:,} repeated as last told"
        if self.cart_only:
            head += f"; {len(self.cart_only):,} only in the cart"
        if self.code:
            head += f"; ended early ({self.code})" + (f": {self.message}" if self.message else "")
        notes = [f"note: {one.message}" for one in self.notices if one.reason not in _ROUTINE]
        return "\n  ".join(map(printable, [head, *notes, *self._way_on()]))

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
            reasons = Counter[str]()
            if name not in {"applied", "unchanged"}:
                reasons.update(one.reason for one in self.of(name) if one.reason)
            if reasons:
                why = ", ".join(f"{count:,} {words(reason)}" for reason, count in reasons.most_common())
                text += f" ({why})"
            parts.append(text)
        return ", ".join(parts) or "nothing to sync"


def status_of(outcomes: Iterable[Outcome], notices: Iterable[Notice] = ()) -> str:
    """Sum a run up: success, partial, or failed when nothing of what went wrong is made up for."""
    telling = as_outcomes(outcomes).telling
    failures = [one for one in telling if one.outcome == "rejected" or one.reason in NOT_SENT]
    reasons = {one.reason for one in notices}
    in_doubt = bool(reasons & {DOUBT, NOT_REPEATED})
    if not in_doubt and not any(one.went_wrong for one in telling):
        return "success"
    got_through = any(one.outcome in {"applied", "pending"} for one in telling)
    return "partial" if got_through or not (failures or NOT_REPEATED in reasons) else "failed"
