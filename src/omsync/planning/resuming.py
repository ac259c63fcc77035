"""Going on with the plan of a run that died: whether it may, and what the dead run had done of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.checks import to_the_second
from omsync.exchange import ListingState, RunRecord
from omsync.planning.accepted import is_answered
from omsync.planning.plan import PlanLine, SyncPlan

__all__ = [
    "UnderWay",
    "anew_notice",
    "done_already",
    "resumed_notice",
    "why_not_fresh",
    "why_not_the_same",
]

_SAID = {"planned_anew", "resumed"}


@frozen(kw_only=True)
class UnderWay:
    """A plan on its way into a cart, as its run kept it before the first row went out.

    Args:
        run_id: The run.
        plan: The plan, without explanations; what an earlier run said about going on is left out.
    """

    run_id: str = field(validator=checks.text)
    plan: SyncPlan

    @property
    def taken_at(self) -> datetime:
        """When the reading of the order manager began that the plan was made from."""
        return datetime.fromisoformat(self.plan.taken_at)

    @classmethod
    def of(cls, plan: SyncPlan, run: RunRecord) -> UnderWay:
        """Take a plan as it is kept."""
        notices = tuple(notice for notice in plan.notices if notice.reason not in _SAID)
        return cls(run_id=run.run_id, plan=evolve(plan, notices=notices, allocation=None))


def why_not_fresh(
    under_way: UnderWay, *, now: datetime, within: int, settings_digest: str, destination: str
) -> str:
    """Say why a plan is not gone on with, as far as nothing has to be looked up; empty when it may be.

    Args:
        under_way: The plan that was kept.
        now: Decides about the age of its reading.
        within: Minutes that the reading may be old, as in the cart's settings.
        settings_digest: Of the merchant's and the cart's settings now.
        destination: The cart's now.
    """
    age = now - under_way.taken_at
    if not within:
        return "resume_within is 0"
    if not timedelta() <= age <= timedelta(minutes=within):
        return f"its figures are of {to_the_second(under_way.taken_at)} (resume_within is {within} minutes)"
    if under_way.plan.settings_digest != settings_digest:
        return "the settings were changed since"
    if under_way.plan.destination != destination:
        return f"it was made for {under_way.plan.destination}"
    return ""


def why_not_the_same(under_way: UnderWay, now: SyncPlan) -> str:
    """Say why a plan is not gone on with: the same reading says something else by now; empty if it does not.

    Args:
        under_way: The plan that was kept.
        now: What ``make_plan`` gives from the same reading, with the orders in flight of now; what the cart
            shows does not matter.
    """
    kept = {line.key: line.quantity for line in under_way.plan.lines}
    moved = sum(kept.get(line.key) != line.quantity for line in now.lines)
    if moved:
        return f"with the orders in flight of now {moved:,} of {len(now.lines):,} quantities are others"
    return ""


def done_already(under_way: UnderWay, states: Iterable[ListingState]) -> SyncPlan:
    """Take what the dead run was told as accepted for done, in a cart that cannot be read.

    Args:
        under_way: The plan that was kept.
        states: What the ledger knows of the cart's listings.
    """
    accepted = {
        (state.listing_sku, state.location_id): state.accepted
        for state in states
        if state.accepted_run == under_way.run_id and is_answered(state)
    }

    def done(line: PlanLine) -> PlanLine:
        if line.action == "change" and accepted.get(line.key) == line.quantity:
            return evolve(line, action="unchanged", basis="ledger", shown=line.quantity)
        return line

    return evolve(under_way.plan, lines=tuple(map(done, under_way.plan.lines)))


def resumed_notice(under_way: UnderWay, dead: RunRecord) -> Notice:
    """Say that a plan is gone on with."""
    return Notice(
        reason="resumed",
        message=f"{_died(dead)}; went on with its plan {under_way.plan.digest}, "
        f"whose figures are of {to_the_second(under_way.taken_at)}",
        entries=(dead.run_id,),
    )


def anew_notice(dead: RunRecord, why: str) -> Notice:
    """Say that the plan of a run that died was not gone on with."""
    return Notice(
        reason="planned_anew", message=f"{_died(dead)}; planned anew, since {why}", entries=(dead.run_id,)
    )


def _died(dead: RunRecord) -> str:
    seen = dead.last_seen_at or dead.started_at
    return f"run {dead.run_id} died" + (f" after {to_the_second(seen)}" if seen is not None else "")
