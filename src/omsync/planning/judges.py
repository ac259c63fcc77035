"""The judges of a plan: each looks for what is over one limit, and gives the figure and the lines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.checks import counted
from omsync.model import InventorySnapshot
from omsync.planning.approvals import Approval
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.planning.warehouses import Unnamed
from omsync.settings import Guardrails

__all__ = [
    "JUDGES",
    "CartHistory",
    "Case",
    "Finding",
    "ReadFigures",
    "is_good",
    "read_figures",
    "stale",
]


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

    def without(self, ids: Collection[str]) -> ReadFigures:
        """Give the figures as if the reading had not had some of its locations."""
        return evolve(
            self,
            locations=[one for one in self.locations if one not in ids],
            recorded=[one for one in self.recorded if one not in ids],
        )


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

    def before(self, line: PlanLine) -> int | None:
        """Give what the line shows, or was last known to show; None when nobody knows."""
        return line.shown if line.shown is not None else self.known.get(line.key)


@frozen(kw_only=True)
class Case:
    """A plan before its judges."""

    plan: SyncPlan
    rails: Guardrails
    history: CartHistory
    read: ReadFigures | None
    now: datetime
    live: int
    unnamed: Unnamed = field(factory=Unnamed)

    def before(self, line: PlanLine) -> int | None:
        """Give what the line shows, or was last known to show."""
        return self.history.before(line)

    def falls(self, lines: Iterable[PlanLine]) -> list[PlanLine]:
        """Give what goes down; a 0 where nobody knows what is shown may be one."""
        return [line for line in lines if line.quantity < (1 if (was := self.before(line)) is None else was)]

    def rises(self, lines: Iterable[PlanLine]) -> list[PlanLine]:
        """Give what goes up; anything above 0 where nobody knows what is shown may do so."""
        return [line for line in lines if line.quantity > (0 if line.shown is None else line.shown)]

    def sells(self, lines: Iterable[PlanLine]) -> list[PlanLine]:
        """Give what shows more than 0."""
        return [line for line in lines if (self.before(line) or 0) > 0]


Finding = tuple[str, list[PlanLine]]
"""What limit is broken by what figure, and the lines that offend; none when it is kept."""


# The judges, in their order: each sees what those before it left.


def _partial(case: Case, lines: Sequence[PlanLine]) -> Finding:
    what = _silent(case.history.read, case.read)
    return what, case.falls(lines) if what else []


def _silent(last: ReadFigures | None, read: ReadFigures | None) -> str:
    if last is None or read is None or last.scope != read.scope:
        return ""
    silent = sorted(set(last.recorded).intersection(read.locations) - set(read.recorded))
    if not silent:
        return ""
    return f"the reading has no stock records at {', '.join(map(repr, silent))}, the last good one had"


def _shrunken(case: Case, lines: Sequence[PlanLine]) -> Finding:
    what = _fewer(case.history.read, case.read, case.rails)
    return what, case.falls(lines) if what else []


def _fewer(last: ReadFigures | None, read: ReadFigures | None, rails: Guardrails) -> str:
    if last is None or read is None or last.scope != read.scope:
        return ""
    kind = "warehouse" if read.scope == "warehouse" else "sales channel"
    for thing, was, now, least in (
        ("product", last.products, read.products, rails.min_population),
        (kind, len(last.locations), len(read.locations), 1),
    ):
        if was >= least and 100 * (was - now) > rails.shrink_percent * was:
            return (
                f"the reading has {counted(now, thing)} and the last good one {was:,}, "
                f"{_percent(was - now, was)} fewer (shrink_percent is {rails.shrink_percent})"
            )
    return ""


def is_good(read: ReadFigures, last: ReadFigures | None, rails: Guardrails) -> bool:
    """Whether a reading is one to measure later ones by, and neither partial nor shrunken itself.

    That nothing fell on its strength says nothing: what it lacks may not have been needed that hour.
    """
    partial = "partial_snapshot" not in rails.off and _silent(last, read)
    shrunken = "shrunken_snapshot" not in rails.off and _fewer(last, read, rails)
    return not (partial or shrunken)


def stale(case: Case, lines: Sequence[PlanLine]) -> Finding:
    """Find what would move although the reading has become too old for it."""
    until, rails = case.plan.fresh_until, case.rails
    if not until:
        return "", []
    age = case.now - datetime.fromisoformat(until) + timedelta(hours=rails.stale_hours)
    if age > timedelta(hours=rails.stale_hours):
        what = f"the reading is {_hours(age)} old (stale_hours is {rails.stale_hours})"
        return what, [line for line in lines if line.quantity != line.shown]
    if age > timedelta(hours=rails.rise_stale_hours):
        # A fall lets the cart sell less, a rise more: it asks for younger figures.
        what = f"the reading is {_hours(age)} old (rise_stale_hours is {rails.rise_stale_hours})"
        return what, case.rises(lines)
    return "", []


def _foreign(case: Case, lines: Sequence[PlanLine]) -> Finding:
    return case.unnamed.strangers, case.rises(lines) if case.unnamed.foreign else []


def _new(case: Case, lines: Sequence[PlanLine]) -> Finding:
    return case.unnamed.news, case.rises(lines) if case.unnamed.new else []


def _zeros(case: Case, lines: Sequence[PlanLine]) -> Finding:
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


def _falls(case: Case, lines: Sequence[PlanLine]) -> Finding:
    falls = case.sells(case.falls(lines))
    return _limit(case, falls, "would fall", case.rails.fall_percent, case.rails.max_falls, "fall")


def _changes(case: Case, lines: Sequence[PlanLine]) -> Finding:
    rails = case.rails
    most = rails.max_changes
    if most is not None and len(lines) > most:
        return f"{counted(len(lines), 'listing')} would change (max_changes is {most:,})", list(lines)
    # A first push may change everything: it is what it is for.
    selling = [] if case.history.first else case.sells(lines)
    return _limit(case, selling, "would change", rails.change_percent, None, "change")


def _limit(
    case: Case,
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


def _rises(case: Case, lines: Sequence[PlanLine]) -> Finding:
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


JUDGES: tuple[tuple[str, Callable[[Case, Sequence[PlanLine]], Finding]], ...] = (
    ("partial_snapshot", _partial),
    ("shrunken_snapshot", _shrunken),
    ("stale_snapshot", stale),
    ("foreign_warehouse", _foreign),
    ("new_warehouse", _new),
    ("too_many_zeros", _zeros),
    ("too_many_falls", _falls),
    ("sharp_rise", _rises),
    ("too_many_changes", _changes),
)


def _hours(span: timedelta) -> str:
    """Word an age as the limits on it are written."""
    return counted(int(span.total_seconds() // 3600), "hour")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
