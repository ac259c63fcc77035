"""The guardrails of a plan, each with its limit and what the plan does: the figures behind a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.checks import counted, lasting
from omsync.planning import PlanLine, SyncPlan
from omsync.planning.guards import is_guarded
from omsync.settings import Guardrails

__all__ = ["RailFigure", "rail_figures"]

_WITHOUT_FIGURES = {
    "partial_snapshot": "a location that had stock records has some in this reading as well",
    "new_warehouse": "a warehouse that is new is named before it counts",
    "foreign_warehouse": "a warehouse that someone else ships from is named before it counts",
    "another_writer": "no other system writes this cart",
}


@frozen(kw_only=True)
class RailFigure:
    """One guardrail.

    Args:
        name: The guard's, as in ``GUARDS``.
        limit: What it allows, in words.
        figure: What the plan does, in words; empty where only the run that planned could tell.
        holds: How many lines it holds.
        over: Whether the figure is over the limit. A first push may change everything, and what another
            guardrail held first is not held twice.
        off: Whether it is switched off.
    """

    name: str
    limit: str
    figure: str = ""
    holds: int = field(default=0, validator=checks.whole(minimum=0))
    over: bool = False
    off: bool = False

    @property
    def verdict(self) -> str:
        """Whether the plan keeps to it."""
        if self.off:
            return "switched off"
        if self.holds:
            return f"holds {counted(self.holds, 'line')}"
        if self.over and self.name == "stale_snapshot":
            return "over by now: pushing it holds what moves"
        return "over, and holds nothing: a first push, or held by another" if self.over else "kept"


def rail_figures(plan: SyncPlan, *, now: datetime | None) -> tuple[RailFigure, ...]:
    """Give each guardrail with its figures, as far as the plan tells; none where it was held to none.

    What a person let through already counts for none of them.

    Args:
        plan: The plan.
        now: What the reading's age is counted to; None: it is not said.
    """
    rails = plan.guardrails
    if rails is None:
        return ()
    holds = Counter(line.reason for line in plan.held)
    return tuple(
        evolve(rail, holds=holds[rail.name], off=rail.name in rails.off)
        for rail in _figures(plan, rails, now)
    )


def _figures(plan: SyncPlan, rails: Guardrails, now: datetime | None) -> Iterator[RailFigure]:
    selling = [line for line in plan.lines if line.action != "skip" and (line.shown or 0) > 0]
    live = len(selling)
    moving = [
        line
        for line in selling
        if (line.action == "change" or is_guarded(line))
        and line.quantity != line.shown
        and not line.approved_by
    ]
    falls = [line for line in moving if line.quantity < (line.shown or 0)]
    zeros = [line for line in falls if line.quantity == 0]
    for name, lines, percent, most, what in (
        ("too_many_zeros", zeros, rails.zero_percent, rails.max_zeros, "go to 0"),
        ("too_many_falls", falls, rails.fall_percent, rails.max_falls, "fall"),
        ("too_many_changes", moving, rails.change_percent, rails.max_changes, "change"),
    ):
        number = len(lines)
        over = live >= rails.min_population and 100 * number > percent * live
        yield RailFigure(
            name=name,
            limit=_limit(percent, most, live, rails, what),
            figure=f"{number:,} of {live:,} ({100 * number / live:.1f} %)" if live else f"{number:,}",
            over=over or (most is not None and number > most),
        )
    highest = f"{rails.rise_factor:,} times what it shows, or to {rails.rise_factor * rails.rise_floor:,}"
    yield RailFigure(
        name="sharp_rise", limit=f"a listing rises to at most {highest}", figure=_sharpest(moving)
    )
    oldest = f"nothing changes on a reading older than {counted(rails.stale_hours, 'hour')}"
    for_rises = f"nothing rises on one older than {counted(rails.rise_stale_hours, 'hour')}"
    yield RailFigure(
        name="stale_snapshot",
        limit=f"{oldest}, {for_rises}",
        figure=_age(plan, rails, now),
        over=_is_too_old(plan, rails, now),
    )
    fewer = (
        f"a reading has at most {rails.shrink_percent} % fewer products or locations than the last good one"
    )
    yield RailFigure(name="shrunken_snapshot", limit=fewer)
    for name, limit in _WITHOUT_FIGURES.items():
        yield RailFigure(name=name, limit=limit)


def _limit(percent: int, most: int | None, live: int, rails: Guardrails, what: str) -> str:
    few = live < rails.min_population
    share = f"at most {percent} % of {live:,} listings on sale {what}"
    if few:
        share = f"shares count from {rails.min_population:,} listings on sale"
    return share if most is None else f"{share}; at most {most:,}"


def _sharpest(lines: Sequence[PlanLine]) -> str:
    rises = [
        (line.quantity / line.shown, line) for line in lines if line.shown and line.quantity > line.shown
    ]
    if not rises:
        return "nothing rises"
    times, line = max(rises, key=lambda one: one[0])
    return f"the sharpest: {line.shown:,} -> {line.quantity:,} ({times:,.1f} times)"


def _age(plan: SyncPlan, rails: Guardrails, now: datetime | None) -> str:
    age = _old(plan, rails, now)
    return "" if age is None else f"read {lasting(age)} ago"


def _is_too_old(plan: SyncPlan, rails: Guardrails, now: datetime | None) -> bool:
    """Say whether something would move on a reading that has become too old for it since it was planned."""
    age = _old(plan, rails, now)
    if age is None:
        return False
    moving = [line for line in plan.changes if line.quantity != line.shown and not line.approved_by]
    rising = [line for line in moving if line.quantity > (line.shown or 0)]
    return bool(
        (moving and age > timedelta(hours=rails.stale_hours))
        or (rising and age > timedelta(hours=rails.rise_stale_hours))
    )


def _old(plan: SyncPlan, rails: Guardrails, now: datetime | None) -> timedelta | None:
    if now is None or not plan.fresh_until:
        return None
    return now - datetime.fromisoformat(plan.fresh_until) + timedelta(hours=rails.stale_hours)
