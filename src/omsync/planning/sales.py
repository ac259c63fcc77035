"""Sales between reads: a cart that shows less than we left it with has probably sold. Pure.

The order manager hears of a sale some time later, and its figures, read before that, still hold the units.
Raising the cart to them would offer those units again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.checks import to_the_second
from omsync.exchange import ListingState, SinkCapabilities
from omsync.planning.accepted import is_answered
from omsync.planning.approvals import may_go_out
from omsync.planning.plan import Key, PlanLine, SyncPlan, entry_of, key_of
from omsync.settings import CartSettings

__all__ = [
    "Fall",
    "by_key",
    "dated_by",
    "falls_looked_at",
    "falls_meanwhile",
    "falls_seen",
    "hold_maybe_sold",
    "hold_new_rises",
    "lag_notices",
]


@frozen(kw_only=True)
class Fall:
    """A listing that showed less than we left it with.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        seen_at: When that was first seen.
        level: What it had been left with, as an available quantity.
        shown: What it showed instead.
        lost: Pieces that went without an explanation, those of an earlier fall included.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    seen_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    level: int = field(validator=checks.whole())
    shown: int = field(validator=checks.whole())
    lost: int = field(validator=checks.whole(minimum=1))

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.listing_sku, self.location_id)

    def known_from(self, lag: timedelta) -> datetime:
        """Give the moment from which figures surely hold what was sold."""
        return self.seen_at + lag

    @property
    def entry(self) -> tuple[str, str]:
        """Give the fall as it is kept in a ledger's memory: a key and JSON."""
        value = {
            "seen": self.seen_at.isoformat(),
            "level": self.level,
            "shown": self.shown,
            "lost": self.lost,
        }
        return entry_of(self.key), json.dumps(value)

    @classmethod
    def of_entry(cls, key: str, value: str) -> Fall:
        """Read one from a ledger's memory."""
        listing_sku, location_id = key_of(key)
        kept = json.loads(value)
        return cls(
            listing_sku=listing_sku,
            location_id=location_id,
            seen_at=datetime.fromisoformat(kept["seen"]),
            level=kept["level"],
            shown=kept["shown"],
            lost=kept["lost"],
        )


def falls_seen(
    plan: SyncPlan,
    states: Mapping[Key, ListingState],
    before: Mapping[Key, Fall],
    capabilities: SinkCapabilities,
    *,
    lag: timedelta,
    now: datetime,
) -> tuple[Fall, ...]:
    """Give the falls that this look at the cart shows for the first time.

    Args:
        plan: Its lines say what the cart shows, in available terms.
        states: What the ledger knows of the cart's listings.
        before: The falls known so far.
        capabilities: Whether the cart applies at once; what one shows before it has applied is no sale.
        lag: As in the cart's settings.
        now: When the cart was read.
    """
    shown = ((line.key, line.shown) for line in plan.lines if line.basis == "cart" and line.shown is not None)
    taken_at = datetime.fromisoformat(plan.taken_at)
    # What an earlier fall took may be missing from the same figures, so the two are explained together.
    unknown = {key: fall for key, fall in before.items() if taken_at < fall.known_from(lag)}
    return _falls(shown, states, before, unknown, capabilities, now)


def falls_looked_at(
    shown: Mapping[Key, int],
    states: Mapping[Key, ListingState],
    before: Mapping[Key, Fall],
    capabilities: SinkCapabilities,
    *,
    now: datetime,
) -> tuple[Fall, ...]:
    """Give the falls that a look at the cart shows for the first time, where nobody plans anything.

    Args:
        shown: What the cart shows, as available quantities.
        states: What the ledger knows of the cart's listings.
        before: The falls known so far; whether figures hold them is not known here, so they count.
        capabilities: Whether the cart applies at once.
        now: When the cart was read.
    """
    return _falls(shown.items(), states, before, before, capabilities, now)


def falls_meanwhile(
    looks: Mapping[Key, tuple[int, int]], before: Mapping[Key, Fall], *, now: datetime
) -> tuple[Fall, ...]:
    """Give the falls between two looks of one run at what it was about to write.

    Args:
        looks: What each showed first, and later, as available quantities; only what fell.
        before: The falls known so far; whether figures hold them is not known here, so they count.
        now: When the cart was read the second time.
    """
    return tuple(
        Fall(
            listing_sku=key[0],
            location_id=key[1],
            seen_at=now,
            level=first,
            shown=later,
            lost=first - later + (before[key].lost if key in before else 0),
        )
        for key, (first, later) in looks.items()
    )


def dated_by(falls: Iterable[Fall], now: datetime) -> dict[Key, Fall]:
    """Give the falls by listing and location; one that was seen in time to come was seen now at the latest.

    A clock that ran ahead once, and was put back, would keep its falls waiting until that time comes.
    """
    return {fall.key: evolve(fall, seen_at=min(fall.seen_at, now)) for fall in falls}


def _falls(
    shown: Iterable[tuple[Key, int]],
    states: Mapping[Key, ListingState],
    before: Mapping[Key, Fall],
    unknown: Mapping[Key, Fall],
    capabilities: SinkCapabilities,
    now: datetime,
) -> tuple[Fall, ...]:
    falls: list[Fall] = []
    at_once = capabilities.completion == "immediate"
    for key, figure in shown:
        state = states.get(key)
        level = None if state is None else _left_with(state, before.get(key), figure, now, at_once=at_once)
        if level is None or figure >= level:
            continue
        falls.append(
            Fall(
                listing_sku=key[0],
                location_id=key[1],
                seen_at=now,
                level=level,
                shown=figure,
                lost=level - figure + (unknown[key].lost if key in unknown else 0),
            )
        )
    return tuple(falls)


def _left_with(
    state: ListingState, known: Fall | None, shown: int, now: datetime, *, at_once: bool
) -> int | None:
    """Give the available quantity below which a listing must have sold; None where that is not certain."""
    seen, seen_at = state.observed, state.observed_at
    if known is not None and (seen_at is None or known.seen_at > seen_at):
        seen, seen_at = known.shown, known.seen_at
    accepted, accepted_at = state.accepted, state.accepted_at
    if accepted is None or accepted_at is None:
        level = seen
    elif seen is None or seen_at is None:
        level = accepted if at_once else None
    elif at_once:
        # An answer of time to come is from before the clock was put back, and the look from after it.
        level = accepted if accepted_at > seen_at and not seen_at <= now < accepted_at else seen
    else:
        level = _come_or(min(accepted, seen), accepted, shown)
    if level is None or state.sent is None or is_answered(state):
        return level
    if state.sent < shown < level:
        # Neither figure stands there: what was to lower it never came, and something sold.
        return level
    return _come_or(min(level, state.sent), state.sent, shown)


def _come_or(level: int, told: int, shown: int) -> int:
    """Give what was told where a cart shows neither that nor what stood before: it came, and sold since."""
    return told if level < shown < told else level


def hold_maybe_sold(
    plan: SyncPlan,
    falls: Mapping[Key, Fall],
    *,
    lag: timedelta,
    units: Mapping[Key, int],
    orders: Mapping[str, int],
) -> SyncPlan:
    """Hold the rises of listings that fell, until the figures or orders in flight account for it.

    Args:
        plan: What was planned.
        falls: The newest fall of each listing that had one.
        lag: As in the cart's settings.
        units: Units of the product in one piece, by (listing, location).
        orders: Units by master SKU in orders of this cart that the figures have not seen; they are
            subtracted from the quantities already.
    """
    taken_at = datetime.fromisoformat(plan.taken_at)
    waiting = {key: fall for key, fall in falls.items() if taken_at < fall.known_from(lag)}
    if not waiting:
        return plan
    gone: Counter[str] = Counter()
    for line in plan.lines:
        if line.key in waiting:
            gone[line.master_sku] += waiting[line.key].lost * units.get(line.key, 1)

    def decide(line: PlanLine) -> PlanLine:
        fall = waiting.get(line.key)
        if fall is None or gone[line.master_sku] <= orders.get(line.master_sku, 0) or not _rises(line):
            return line
        hint = (
            f"It was left with {fall.level} and showed {fall.shown} on {to_the_second(fall.seen_at)}, as "
            f"after a sale; the figures are of {to_the_second(taken_at)}. It is raised from figures read on "
            f"{to_the_second(fall.known_from(lag))} or later, or when orders in flight explain it."
        )
        return evolve(line, action="hold", reason="maybe_sold", hint=hint)

    return evolve(plan, lines=tuple(map(decide, plan.lines)))


def hold_new_rises(plan: SyncPlan, states: Mapping[Key, ListingState]) -> SyncPlan:
    """Hold the rises that no run on earlier figures wanted as well.

    Args:
        plan: What was planned.
        states: What the ledger knows of the cart's listings; what was desired must have been so before the
            figures of this plan were read, or the same read would confirm itself.
    """
    taken_at = datetime.fromisoformat(plan.taken_at)

    def decide(line: PlanLine) -> PlanLine:
        state = states.get(line.key)
        if not _rises(line) or (state is not None and _wanted_before(state, line.quantity, taken_at)):
            return line
        hint = "No earlier read wanted as much; the next one that does lets it through."
        return evolve(line, action="hold", reason="rise_seen_once", hint=hint)

    return evolve(plan, lines=tuple(map(decide, plan.lines)))


def _wanted_before(state: ListingState, quantity: int, taken_at: datetime) -> bool:
    if state.desired is None or state.desired_at is None:
        return False
    return state.desired >= quantity and state.desired_at < taken_at


def _rises(line: PlanLine) -> bool:
    """Whether it goes up, or would as soon as an approval lets it: whoever approves has not seen the sale."""
    return may_go_out(line) and line.shown is not None and line.quantity > line.shown


def lag_notices(cart: CartSettings) -> Iterator[Notice]:
    """Say that sales between reads are not waited for, where a setting has switched that off."""
    if not cart.order_lag:
        yield Notice(
            reason="order_lag_off",
            message="order_lag is switched off: what the cart sold since the last read may be offered again "
            "until the order manager knows of it",
        )


def by_key(states: Iterable[ListingState]) -> dict[Key, ListingState]:
    """Index what a ledger knows of a cart's listings."""
    return {(state.listing_sku, state.location_id): state for state in states}
