"""Limits on a plan: what is over one is held, with the limit, the figure and the worst rows named. Pure.

A kind of change that is over its limit is held whole: if only the excess were, each run would let a bit of
a wiped catalogue through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.checks import counted
from omsync.exchange import ListingState
from omsync.model import InventorySnapshot
from omsync.planning.approvals import Approval, approved_rows, let_through
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.settings import Guardrails

__all__ = ["CartHistory", "ReadFigures", "guard", "guard_again", "is_guarded", "last_known", "read_figures"]

_APPROVE = "Look at it, and approve it by the plan's digest if it is right"
HINTS = {
    "too_many_zeros": f"More listings would go to 0 than the guardrails allow. {_APPROVE}.",
    "too_many_falls": f"More listings would fall than the guardrails allow. {_APPROVE}.",
    "too_many_changes": f"More listings would change than the guardrails allow. {_APPROVE}.",
    "sharp_rise": f"It would rise more than the guardrails allow to a single listing. {_APPROVE}.",
    "partial_snapshot": "A location with stock records had none in this reading, so nothing falls on its "
    f"strength. Read again; if the stock is really gone: {_APPROVE[0].lower()}{_APPROVE[1:]}.",
    "shrunken_snapshot": "The reading has fewer products or locations than the last good one, so nothing "
    f"falls on its strength. Read again; if they are really gone: {_APPROVE[0].lower()}{_APPROVE[1:]}.",
    "stale_snapshot": "The reading is too old for anything to fall on its strength. Read again.",
    "plan_held": f"Other changes of this plan are over a limit, and hold='plan' holds it whole. {_APPROVE}.",
}
"""What to do about a held line, by its reason."""

_OF_GUARDS = {*HINTS, "guardrails_off"}
_WORST = 3
"""The rows that a sentence names; the plan has all."""


@frozen(kw_only=True)
class ReadFigures:
    """How large a reading was.

    Args:
        scope: Whether it was by warehouse or by sales channel.
        products: Its products.
        locations: Its locations that are switched on, by id.
        recorded: Those of them that have stock records.
    """

    scope: str = field(validator=checks.text)
    products: int = field(validator=checks.whole(minimum=0))
    locations: tuple[str, ...] = field(converter=checks.as_tuple)
    recorded: tuple[str, ...] = field(converter=checks.as_tuple)


def read_figures(snapshot: InventorySnapshot) -> ReadFigures:
    """Measure a reading."""
    active = {place.id for place in snapshot.places if place.active}
    return ReadFigures(
        scope=snapshot.scope,
        products=len(snapshot.skus),
        locations=sorted(active),
        recorded=sorted(active.intersection(snapshot.levels.location_ids)),
    )


@frozen(kw_only=True)
class CartHistory:
    """What the ledger knows that a plan is judged by. Without a ledger there is no history and no first push.

    Args:
        first: The ledger has no history of this cart, or its first push is still held.
        known: What each listing was last known to show, as an available quantity.
        read: The last good reading.
        approvals: What persons approved.
        waiting: Since when each held row waits.
    """

    first: bool = False
    known: Mapping[Key, int] = field(factory=dict)
    read: ReadFigures | None = None
    approvals: tuple[Approval, ...] = field(default=(), converter=checks.as_tuple)
    waiting: Mapping[Key, datetime] = field(factory=dict)


def last_known(states: Iterable[ListingState]) -> dict[Key, int]:
    """Give the most that each listing may show by what a ledger knows; those without a figure are left out.

    What was sent and never answered may show as well as what was seen before it.
    """
    figures = {
        (state.listing_sku, state.location_id): [
            figure for figure in (state.sent, state.accepted, state.observed) if figure is not None
        ]
        for state in states
    }
    return {key: max(found) for key, found in figures.items() if found}


def is_guarded(line: PlanLine) -> bool:
    """Whether the line is held by a guard."""
    return line.action == "hold" and line.reason in HINTS


@frozen(kw_only=True)
class _Case:
    """A plan before its judges."""

    plan: SyncPlan
    rails: Guardrails
    history: CartHistory
    read: ReadFigures | None
    now: datetime
    live: int

    def before(self, line: PlanLine) -> int | None:
        return _before(line, self.history)

    def falls(self, lines: Iterable[PlanLine]) -> list[PlanLine]:
        """Give what goes down; a 0 where nobody knows what is shown may be one."""
        return [line for line in lines if line.quantity < (1 if (was := self.before(line)) is None else was)]

    def sells(self, lines: Iterable[PlanLine]) -> list[PlanLine]:
        """Give what shows more than 0."""
        return [line for line in lines if (self.before(line) or 0) > 0]


Finding = tuple[str, list[PlanLine]]
"""What limit is broken by what figure, and the lines that offend; none when it is kept."""


def guard(
    plan: SyncPlan,
    guardrails: Guardrails,
    history: CartHistory,
    now: datetime,
    *,
    read: ReadFigures | None = None,
    taken_at: datetime | None = None,
) -> SyncPlan:
    """Hold what is over a limit and not approved, and say so in notices. Pure.

    Args:
        plan: What ``make_plan`` gave.
        guardrails: The limits.
        history: What the ledger knows.
        now: Decides about age.
        read: How large the plan's reading was; None when nobody knows.
        taken_at: From when its age counts; None when nobody knows.
    """
    approved = approved_rows(plan, history.approvals, now)
    until = "" if taken_at is None else (taken_at + timedelta(hours=guardrails.stale_hours)).isoformat()
    plan = let_through(plan, history.approvals, now)
    plan = evolve(plan, guardrails=guardrails, fresh_until=until)
    # What is sent again at the quantity that it was accepted with changes nothing.
    moving = [line for line in plan.lines if line.action == "change" and line.quantity != line.shown]
    free = [line for line in moving if line.key not in approved]
    compared = [line for line in plan.lines if line.action != "skip"]
    live = sum((_before(line, history) or 0) > 0 for line in compared)
    case = _Case(plan=plan, rails=guardrails, history=history, read=read, now=now, live=live)
    held: dict[Key, str] = {}
    notices: list[Notice] = []
    for reason, judge in _JUDGES:
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

    What has been approved since goes through; what would fall although the reading has become too old
    meanwhile is held.

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
    plan = let_through(plan, approvals, now)
    if plan.guardrails is None or "stale_snapshot" in plan.guardrails.off:
        return plan
    history = CartHistory()
    case = _Case(plan=plan, rails=plan.guardrails, history=history, read=None, now=now, live=0)
    what, falling = _stale(case, [line for line in plan.changes if line.key not in covered])
    if not falling:
        return plan
    held = dict.fromkeys((line.key for line in falling), "stale_snapshot")
    notices = (*plan.notices, _notice("stale_snapshot", what, falling, case))
    return evolve(_holding(plan, held), notices=notices)


def _before(line: PlanLine, history: CartHistory) -> int | None:
    return line.shown if line.shown is not None else history.known.get(line.key)


def _holding(plan: SyncPlan, held: Mapping[Key, str]) -> SyncPlan:
    lines = tuple(
        evolve(line, action="hold", reason=held[line.key], hint=HINTS[held[line.key]])
        if line.key in held
        else line
        for line in plan.lines
    )
    return evolve(plan, lines=lines)


# The judges, in their order: each sees what those before it left.


def _partial(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    last, read = case.history.read, case.read
    if last is None or read is None or last.scope != read.scope:
        return "", []
    silent = sorted(set(last.recorded).intersection(read.locations) - set(read.recorded))
    what = f"the reading has no stock records at {', '.join(map(repr, silent))}, the last good one had"
    return what, case.falls(lines) if silent else []


def _shrunken(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    last, read, rails = case.history.read, case.read, case.rails
    if last is None or read is None or last.scope != read.scope:
        return "", []
    kind = "warehouse" if read.scope == "warehouse" else "sales channel"
    for thing, was, now, least in (
        ("product", last.products, read.products, rails.min_population),
        (kind, len(last.locations), len(read.locations), 1),
    ):
        if was >= least and 100 * (was - now) > rails.shrink_percent * was:
            what = (
                f"the reading has {counted(now, thing)} and the last good one {was:,}, "
                f"{_percent(was - now, was)} fewer (shrink_percent is {rails.shrink_percent})"
            )
            return what, case.falls(lines)
    return "", []


def _stale(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    until = case.plan.fresh_until
    if not until or case.now <= datetime.fromisoformat(until):
        return "", []
    age = case.now - datetime.fromisoformat(until) + timedelta(hours=case.rails.stale_hours)
    what = f"the reading is {_hours(age)} old (stale_hours is {case.rails.stale_hours})"
    return what, case.falls(lines)


def _zeros(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    zeros = [line for line in case.sells(lines) if line.quantity == 0]
    rails = case.rails
    if case.history.first and case.live < rails.min_population:
        # Few listings make large shares, and still nobody wants most of a shop emptied on the first day.
        percent = rails.first_zero_percent
        what, over = _limit(case, zeros, "would go to 0", percent, rails.max_zeros, "first_zero", least=1)
    else:
        what, over = _limit(case, zeros, "would go to 0", rails.zero_percent, rails.max_zeros, "zero")
    if over or not case.history.first:
        return what, over
    # What went through meanwhile makes the share smaller, and says nothing about what was held.
    waiting = [line for line in zeros if line.key in case.history.waiting]
    return f"{counted(len(waiting), 'listing')} held at 0 on the first push", waiting


def _falls(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    falls = case.sells(case.falls(lines))
    return _limit(case, falls, "would fall", case.rails.fall_percent, case.rails.max_falls, "fall")


def _changes(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    rails = case.rails
    most = rails.max_changes
    if most is not None and len(lines) > most:
        return f"{counted(len(lines), 'listing')} would change (max_changes is {most:,})", list(lines)
    # A first push may change everything: it is what it is for.
    selling = [] if case.history.first else case.sells(lines)
    return _limit(case, selling, "would change", rails.change_percent, None, "change")


def _limit(
    case: _Case,
    lines: list[PlanLine],
    what: str,
    percent: int,
    most: int | None,
    name: str,
    *,
    least: int | None = None,
) -> Finding:
    number = len(lines)
    if most is not None and number > most:
        return f"{counted(number, 'listing')} {what} (max_{name.removeprefix('first_')}s is {most:,})", lines
    if case.live >= (least or case.rails.min_population) and 100 * number > percent * case.live:
        share = _percent(number, case.live)
        return (
            f"{number:,} of {case.live:,} listings on sale {what}, {share} ({name}_percent is {percent})",
            lines,
        )
    return "", []


def _rises(case: _Case, lines: Sequence[PlanLine]) -> Finding:
    rails = case.rails

    def sharp(line: PlanLine) -> bool:
        was = case.before(line)
        # What was never known to show anything is filled for the first time.
        if was is None or (was <= 0 and line.key not in case.history.known):
            return False
        return line.quantity > rails.rise_factor * max(was, rails.rise_floor)

    rising = [line for line in lines if sharp(line)]
    what = (
        f"{counted(len(rising), 'listing')} would rise to more than {rails.rise_factor} times what it shows, "
        f"or {rails.rise_factor * rails.rise_floor:,} (rise_factor, rise_floor)"
    )
    return what, rising


_JUDGES: tuple[tuple[str, Callable[[_Case, Sequence[PlanLine]], Finding]], ...] = (
    ("partial_snapshot", _partial),
    ("shrunken_snapshot", _shrunken),
    ("stale_snapshot", _stale),
    ("too_many_zeros", _zeros),
    ("too_many_falls", _falls),
    ("sharp_rise", _rises),
    ("too_many_changes", _changes),
)


def _notice(reason: str, what: str, lines: Sequence[PlanLine], case: _Case) -> Notice:
    def moves(line: PlanLine) -> int:
        return abs(line.quantity - (case.before(line) or 0))

    worst = sorted(lines, key=lambda line: (-moves(line), line.listing_sku, line.location_id or ""))
    named = ", ".join(_move(line, case.before(line)) for line in worst[:_WORST])
    more = f" and {len(worst) - _WORST:,} more" if len(worst) > _WORST else ""
    exposed = sum(max(0, (case.before(line) or 0) - line.quantity) for line in lines)
    units = f"; {counted(exposed, 'unit')} stay on sale that the reading does not have" if exposed else ""
    since = [case.history.waiting[line.key] for line in lines if line.key in case.history.waiting]
    waiting = f"; waiting for {_hours(case.now - min(since))}" if since else ""
    return Notice(
        reason=reason,
        message=f"{what}; held: {named}{more}{units}{waiting}",
        entries=tuple(sorted({line.listing_sku for line in lines})),
    )


def _move(line: PlanLine, was: int | None) -> str:
    where = "" if line.location_id is None else f" at {line.location_id}"
    return f"{line.listing_sku!r}{where} {'?' if was is None else was} -> {line.quantity}"


def _hours(span: timedelta) -> str:
    return counted(int(span.total_seconds() // 3600), "hour")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
