"""Limits on a plan: what is over one is held, with the limit, the figure and the worst rows named. Pure.

A kind of change that is over its limit is held whole: if only the excess were, each run would let a bit of
a wiped catalogue through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve

from omsync.allocation import Notice
from omsync.checks import counted, lasting
from omsync.exchange import ListingState
from omsync.planning.approvals import Approval, approved_rows, let_through
from omsync.planning.judges import JUDGES, CartHistory, Case, ReadFigures, read_figures, stale
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.planning.warehouses import Unnamed
from omsync.settings import Guardrails

__all__ = ["CartHistory", "ReadFigures", "guard", "guard_again", "is_guarded", "last_known", "read_figures"]

_APPROVE = "Look at it, and approve it by the plan's digest if it is right"
_NAME_IT = (
    "Name it in PerWarehouse(disabled=...), or all that count in PerWarehouse(counted=...), as the plan's "
    "note says"
)
HINTS = {
    "too_many_zeros": f"More listings would go to 0 than the guardrails allow. {_APPROVE}.",
    "too_many_falls": f"More listings would fall than the guardrails allow. {_APPROVE}.",
    "too_many_changes": f"More listings would change than the guardrails allow. {_APPROVE}.",
    "sharp_rise": f"It would rise more than the guardrails allow to a single listing. {_APPROVE}.",
    "partial_snapshot": "A location with stock records had none in this reading, so nothing falls on its "
    f"strength. Read again; if the stock is really gone: {_APPROVE[0].lower()}{_APPROVE[1:]}.",
    "shrunken_snapshot": "The reading has fewer products or locations than the last good one, so nothing "
    f"falls on its strength. Read again; if they are really gone: {_APPROVE[0].lower()}{_APPROVE[1:]}.",
    "stale_snapshot": "The reading is too old for this change. Read again.",
    "foreign_warehouse": "The cart combines somebody else's warehouse, and no setting names it, "
    f"so nothing rises. {_NAME_IT}.",
    "new_warehouse": "The cart combines a warehouse that is new, and no setting names it, so nothing rises. "
    f"{_NAME_IT}. Or: {_APPROVE[0].lower()}{_APPROVE[1:]}.",
    "plan_held": f"Other changes of this plan are over a limit, and hold='plan' holds it whole. {_APPROVE}.",
}
"""What to do about a held line, by its reason."""

APPROVAL_ENDED = "approval_ended"
"""The reason of a line that an approval let through when it was planned, and that is pushed after its end."""

_OF_GUARDS = {*HINTS, "guardrails_off"}
_NONE_UNNAMED = Unnamed()
_WORST = 3
"""The rows that a sentence names; the plan has all."""


def last_known(states: Iterable[ListingState]) -> dict[Key, int]:
    """Give the most that each listing may show by what a ledger knows; those without a figure are left out.

    What was sent and never answered may show as well as what was seen before it.
    """
    return {
        (state.listing_sku, state.location_id): max(found)
        for state in states
        if (
            found := [figure for figure in (state.sent, state.accepted, state.observed) if figure is not None]
        )
    }


def is_guarded(line: PlanLine) -> bool:
    """Whether the line is held by a guard."""
    return line.action == "hold" and line.reason in HINTS


def guard(
    plan: SyncPlan,
    guardrails: Guardrails,
    history: CartHistory,
    now: datetime,
    *,
    read: ReadFigures | None = None,
    taken_at: datetime | None = None,
    unnamed: Unnamed = _NONE_UNNAMED,
) -> SyncPlan:
    """Hold what is over a limit and not approved, and say so in notices. Pure.

    Args:
        plan: What ``make_plan`` gave.
        guardrails: The limits.
        history: What the ledger knows.
        now: Decides about age.
        read: How large the plan's reading was; None when nobody knows.
        taken_at: From when its age counts; None when nobody knows.
        unnamed: What a combining cart counts of warehouses that are new or someone else's.
    """
    approved = approved_rows(plan, history.approvals, now)
    until = "" if taken_at is None else (taken_at + timedelta(hours=guardrails.stale_hours)).isoformat()
    plan = let_through(plan, history.approvals, now)
    plan = evolve(plan, guardrails=guardrails, fresh_until=until)
    # What is sent again at the quantity that it was accepted with changes nothing.
    moving = [line for line in plan.lines if line.action == "change" and line.quantity != line.shown]
    free = [line for line in moving if line.key not in approved]
    live = sum((history.before(line) or 0) > 0 for line in plan.lines if line.action != "skip")
    case = Case(plan=plan, rails=guardrails, history=history, read=read, now=now, live=live, unnamed=unnamed)
    held: dict[Key, str] = {}
    notices: list[Notice] = []
    for reason, judge in JUDGES:
        left = [line for line in free if line.key not in held]
        what, offending = ("", []) if reason in guardrails.off else judge(case, left)
        if offending:
            held |= dict.fromkeys((line.key for line in offending), reason)
            notices.append(_notice(reason, what, offending, case))
    left = [line for line in free if line.key not in held]
    if held and left and guardrails.hold == "plan":
        held |= dict.fromkeys((line.key for line in left), "plan_held")
        notices.append(_notice("plan_held", "hold='plan' holds the rest of the plan too", left, case))
    if guardrails.off:
        named = ", ".join(guardrails.off)
        notices.append(
            Notice(
                reason="guardrails_off", message=f"guardrails switched off: {named}", entries=guardrails.off
            )
        )
    return evolve(_holding(plan, held), notices=(*plan.notices, *notices))


def guard_again(
    plan: SyncPlan, approvals: Iterable[Approval], now: datetime, *, approved: bool = False
) -> SyncPlan:
    """Look at a guarded plan once more before it is pushed, perhaps much later. Pure.

    What has been approved since goes through; what would change although its approval has ended meanwhile, or
    the reading has become too old, is held.

    Args:
        plan: What was planned, and held to its ``guardrails``.
        approvals: What persons approved.
        now: Decides about age.
        approved: The whole plan is approved by its digest, so nothing is held anew.
    """
    if approved:
        kept = tuple(notice for notice in plan.notices if notice.reason not in HINTS)
        named = counted(len(plan.held), "held listing")
        notice = Notice(reason="approved", message=f"{named} let through by the plan's digest {plan.digest}")
        return evolve(plan, notices=(*kept, notice)) if plan.held else plan
    approvals = tuple(approvals)
    covered = approved_rows(plan, approvals, now)
    plan = _without_ended(let_through(plan, approvals, now), now)
    if plan.guardrails is None or "stale_snapshot" in plan.guardrails.off:
        return plan
    history = CartHistory()
    case = Case(plan=plan, rails=plan.guardrails, history=history, read=None, now=now, live=0)
    what, late = stale(case, [line for line in plan.changes if line.key not in covered])
    if not late:
        return plan
    held = dict.fromkeys((line.key for line in late), "stale_snapshot")
    notices = (*plan.notices, _notice("stale_snapshot", what, late, case))
    return evolve(_holding(plan, held), notices=notices)


def _without_ended(plan: SyncPlan, now: datetime) -> SyncPlan:
    """Hold what went by an approval that has ended since; a new plan judges whether it needs one."""

    def has_ended(line: PlanLine) -> bool:
        return bool(line.approved_until) and datetime.fromisoformat(line.approved_until) <= now

    ended = {line.key: line for line in plan.changes if has_ended(line)}
    if not ended:
        return plan
    notice = Notice(
        reason=APPROVAL_ENDED,
        message=f"the approval of {counted(len(ended), 'listing')} ended before the plan was pushed; "
        "plan again",
        entries=tuple(sorted({line.listing_sku for line in ended.values()})),
    )

    def hold(line: PlanLine) -> PlanLine:
        if line.key not in ended:
            return line
        hint = f"Its approval by {line.approved_by} ended before the plan was pushed. Plan again."
        return evolve(
            line, action="hold", reason=APPROVAL_ENDED, hint=hint, approved_by="", approved_until=""
        )

    return evolve(plan, lines=tuple(map(hold, plan.lines)), notices=(*plan.notices, notice))


def _holding(plan: SyncPlan, held: Mapping[Key, str]) -> SyncPlan:
    if not held:
        return plan
    lines = tuple(
        evolve(line, action="hold", reason=held[line.key], hint=HINTS[held[line.key]])
        if line.key in held
        else line
        for line in plan.lines
    )
    return evolve(plan, lines=lines)


def _notice(reason: str, what: str, lines: Sequence[PlanLine], case: Case) -> Notice:
    def moves(line: PlanLine) -> int:
        return abs(line.quantity - (case.before(line) or 0))

    worst = sorted(lines, key=lambda line: (-moves(line), line.listing_sku, line.location_id or ""))
    named = ", ".join(_move(line, case.before(line)) for line in worst[:_WORST])
    more = f" and {len(worst) - _WORST:,} more" if len(worst) > _WORST else ""
    exposed = sum(max(0, (case.before(line) or 0) - line.quantity) for line in lines)
    units = f"; {counted(exposed, 'unit')} stay on sale that the reading does not have" if exposed else ""
    since = [case.history.waiting[line.key] for line in lines if line.key in case.history.waiting]
    waiting = f"; waiting for {lasting(case.now - min(since))}" if since else ""
    return Notice(
        reason=reason,
        message=f"{what}; held: {named}{more}{units}{waiting}",
        entries=tuple(sorted({line.listing_sku for line in lines})),
    )


def _move(line: PlanLine, was: int | None) -> str:
    where = "" if line.location_id is None else f" at {line.location_id}"
    return f"{line.listing_sku!r}{where} {'?' if was is None else was} -> {line.quantity}"
