"""A listing that turns back after we wrote it: another system writes this cart. Pure.

Our write from A to B was accepted and seen, and the next look at the cart shows A again, or more than B. A
sale explains neither more than B, nor, unless the order manager's figures fell as well, A below B.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Allocation, Notice
from omsync.checks import counted, to_the_minute
from omsync.exchange import ListingState, SinkCapabilities
from omsync.planning.accepted import is_answered
from omsync.planning.plan import Key, PlanLine, SyncPlan

__all__ = [
    "ANOTHER_WRITER",
    "Sighting",
    "hold_turned",
    "look",
    "stock_behind",
    "turned_twice",
    "writer_notices",
]

ANOTHER_WRITER = "another_writer"
"""The reason of what is held because another system writes the cart, and the name of this guard."""

TWICE = 2
"""So many writes running have to turn back: once may be a return, or somebody who typed a number."""

_NAMED = 3
"""The listings that a sentence names; the entries have all."""

SHOWS_WITHIN = timedelta(hours=6)
"""How long a cart that applies what it accepts later may still show what stood before."""


@frozen(kw_only=True)
class Sighting:
    """What stood in the cart before we wrote a listing, and how often it came back.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        before: What the cart showed, as an available quantity.
        stock: Units that the order manager had for the listing then, before the rules.
        run: The run whose write was the last one then; what another run gets accepted is a new write.
        left: What we left it with, by the last write that was judged.
        turned: How many of our writes running turned back.
        since: When the first of these was seen.
        seen_at: When it was first seen at ``before`` again, while a sale may still explain it, or while the
            cart may still be about to apply.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    before: int = field(validator=checks.whole())
    stock: int = field(validator=checks.whole())
    run: str | None = field(default=None, validator=checks.optional(checks.text))
    left: int | None = field(default=None, validator=checks.optional(checks.whole()))
    turned: int = field(default=0, validator=checks.whole(minimum=0))
    since: datetime | None = field(default=None, converter=checks.to_utc)
    seen_at: datetime | None = field(default=None, converter=checks.to_utc)

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.listing_sku, self.location_id)

    @property
    def row(self) -> tuple[str | int | None, ...]:
        """Give the sighting as it is kept in a ledger's memory, short: a cart may have many."""
        moments = (None if one is None else one.isoformat() for one in (self.since, self.seen_at))
        return (*self.key, self.before, self.stock, self.run, self.left, self.turned, *moments)

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Sighting:
        """Read one from a ledger's memory."""
        listing_sku, location_id, before, stock, run, left, turned, *moments = row
        since, seen_at = (None if one is None else datetime.fromisoformat(one) for one in moments)
        return cls(
            listing_sku=listing_sku,
            location_id=location_id,
            before=before,
            stock=stock,
            run=run,
            left=left,
            turned=turned,
            since=since,
            seen_at=seen_at,
        )


@frozen(kw_only=True)
class Behind:
    """What is behind a listing's quantity.

    Args:
        units: Units of the product in one piece.
        stock: Units that the order manager has for it, before the rules.
    """

    units: int
    stock: int


def stock_behind(allocation: Allocation) -> dict[Key, Behind]:
    """Give what the order manager has behind each quantity, which rules such as a maximum hide."""
    return {
        (row.listing_sku, row.location_id): Behind(
            units=row.units, stock=row.quantity * row.units + row.withheld
        )
        for row in allocation.quantities
    }


def look(
    plan: SyncPlan,
    states: Mapping[Key, ListingState],
    before: Mapping[Key, Sighting],
    behind: Mapping[Key, Behind],
    capabilities: SinkCapabilities,
    *,
    lag: timedelta,
    now: datetime,
) -> tuple[Sighting, ...]:
    """Give the sightings after a look at the cart: what turned back, and what stands before the next write.

    Args:
        plan: Its lines say what the cart shows, in available terms.
        states: What the ledger knows of the cart's listings.
        before: The sightings so far.
        behind: The order manager's figures, by (listing, location).
        capabilities: Whether the cart applies at once.
        lag: How long a sale may take into the order manager's figures.
        now: When the cart was read.
    """
    at_once = capabilities.completion == "immediate"
    figures_of = datetime.fromisoformat(plan.taken_at) - lag
    sightings: list[Sighting] = []
    for line in plan.lines:
        known = before.get(line.key)
        if known is None and line.action not in {"change", "hold"}:
            continue
        own, state = behind.get(line.key), states.get(line.key)
        if line.basis != "cart" or line.shown is None or own is None:
            sightings += [known] if known is not None else []
            continue
        judge = _Judge(shown=line.shown, own=own, at_once=at_once, figures_of=figures_of, now=now)
        judged = None if known is None else judge.judged(known, state)
        if judged is not None and judged.seen_at is not None:
            sightings.append(judged)
        elif (judged is not None and judged.turned) or line.action in {"change", "hold"}:
            sightings.append(
                Sighting(
                    listing_sku=line.listing_sku,
                    location_id=line.location_id,
                    before=line.shown,
                    stock=own.stock,
                    run=None if state is None else state.accepted_run,
                    left=None if judged is None else judged.left,
                    turned=0 if judged is None else judged.turned,
                    since=None if judged is None else judged.since,
                )
            )
    return tuple(sightings)


@frozen(kw_only=True)
class _Judge:
    """One listing at one look."""

    shown: int
    own: Behind
    at_once: bool
    figures_of: datetime
    now: datetime

    def judged(self, known: Sighting, state: ListingState | None) -> Sighting:
        """Judge our last write; a sighting with ``seen_at`` stays open until there is more to go by."""
        left = _our_write(state, known, at_once=self.at_once)
        again = known.seen_at is not None
        if left is not None and state is not None:
            # A cart that applies later is told again meanwhile: its time runs from the first look.
            again = again and not self.at_once
            seen_at = known.seen_at if again else self.now
            known = evolve(known, left=left, run=state.accepted_run, seen_at=seen_at)
        if known.seen_at is None or known.left is None:
            return known
        left, shown = known.left, self.shown
        if shown == known.before != left:
            return self._came_back(known, left, known.seen_at)
        if self.at_once and shown > left:
            return self._turned(known)
        # Below what stood before a rise it may have turned back and sold, or just sold.
        unclear = self.at_once and shown != left and (again or shown < known.before < left)
        return evolve(known, seen_at=None) if unclear else _stood(known)

    def _came_back(self, known: Sighting, left: int, seen_at: datetime) -> Sighting:
        if not self.at_once and self.now - seen_at < SHOWS_WITHIN:
            return known
        if left < self.shown:
            return self._turned(known)
        if self.figures_of < seen_at:
            return known
        sold = (left - self.shown) * self.own.units
        return _stood(known) if known.stock - self.own.stock >= sold else self._turned(known)

    def _turned(self, known: Sighting) -> Sighting:
        return evolve(known, turned=known.turned + 1, since=known.since or self.now, seen_at=None)


def _stood(known: Sighting) -> Sighting:
    return evolve(known, turned=0, since=None, seen_at=None)


def _our_write(state: ListingState | None, known: Sighting, *, at_once: bool) -> int | None:
    """Give what the cart accepted since the sighting; None where nothing was, or nobody can tell."""
    if state is None or state.accepted is None or not is_answered(state):
        return None
    if state.accepted_run == known.run:
        return None
    # The run that wrote it saw another figure right after: the cart did not apply it, and nobody else wrote.
    unseen = state.observed_run == state.accepted_run and state.observed != state.accepted
    return None if at_once and unseen else state.accepted


def turned_twice(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Give the listings that turned back twice running or more, the most often first."""
    found = [one for one in sightings if one.turned >= TWICE]
    return tuple(sorted(found, key=lambda one: (-one.turned, one.listing_sku, one.location_id or "")))


def hold_turned(plan: SyncPlan, turned: Iterable[Sighting]) -> SyncPlan:
    """Hold the rises of listings that another system writes; falls go out, since less is safe.

    Args:
        plan: What was planned.
        turned: As from ``turned_twice``.
    """
    by_key = {one.key: one for one in turned}

    def decide(line: PlanLine) -> PlanLine:
        one = by_key.get(line.key)
        if one is None or line.action != "change" or line.shown is None or line.quantity <= line.shown:
            return line
        hint = (
            f"Another system writes it: it {_said(one)}. Switch that off, then approve by the plan's digest; "
            "a write that stays frees it too."
        )
        return evolve(line, action="hold", reason=ANOTHER_WRITER, hint=hint)

    return evolve(plan, lines=tuple(map(decide, plan.lines))) if by_key else plan


def writer_notices(turned: tuple[Sighting, ...]) -> Iterator[Notice]:
    """Say that another system writes the cart, naming the listings, how often, since when, the figures."""
    if turned:
        named = [f"{one.listing_sku!r}{_at(one)} {_said(one)}" for one in turned[:_NAMED]]
        more = f" and {len(turned) - _NAMED:,} more" if len(turned) > _NAMED else ""
        yield Notice(
            reason=ANOTHER_WRITER,
            message=f"another system writes this cart, or it does not keep what it accepts: "
            f"{counted(len(turned), 'listing')} turned back and is not raised: "
            f"{', '.join(named)}{more}. Look for "
            "an old upload, the cart's own stock app, or a second sync of the same cart, and switch it off",
            entries=tuple(sorted({one.listing_sku for one in turned})),
        )


def _said(one: Sighting) -> str:
    since = "" if one.since is None else f" since {to_the_minute(one.since)}"
    return f"was left with {one.left} and showed {one.before} again, {one.turned} times running{since}"


def _at(one: Sighting) -> str:
    return "" if one.location_id is None else f" at {one.location_id}"
