"""Looking at a plan again before it is pushed, perhaps much later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import evolve

from omsync.exchange import CartListing, ListingState, SinkCapabilities
from omsync.planning.lines import REASSERTED, problem_of, skip, with_shown
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.planning.shown import known_rows, last_told, listed

__all__ = ["overtaken", "refresh"]


def refresh(
    plan: SyncPlan,
    shown: Iterable[CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int] | None = None,
    lowest: Mapping[Key, int] | None = None,
) -> SyncPlan:
    """Compare a plan with what the cart shows now: lines that moved meanwhile are dropped. Pure.

    A line that shows its quantity by now is unchanged; one that shows something else than when the plan was
    made is skipped as ``"moved_since_plan"``. For units on hand the newest allocated units are taken over.
    A cart that is sent everything gets repeated what it was told by now.

    Args:
        plan: What was planned.
        shown: What the cart shows now.
        capabilities: What the cart can do.
        accepted: For a cart that cannot be read: what it last accepted by now.
        lowest: For one that is sent everything besides: what it can be told again; None for the same.
    """
    listings = listed(shown)
    full = capabilities.contents == "full"
    told = last_told(listings, capabilities, accepted or {})

    def again(line: PlanLine) -> PlanLine:
        if line.action in {"change", "hold"} or (full and line.action == "unchanged"):
            if capabilities.readable:
                return _read_again(line, listings.get(line.key), capabilities)
            last = (accepted or {}).get(line.key, line.shown)
            if line.reason == REASSERTED and last == line.quantity:
                return line
            return _moved(line, evolve(line, shown=last)) if line.basis == "ledger" else line
        return evolve(line, shown=told.get(line.key)) if full else line

    lines = tuple(again(line) for line in plan.lines)
    again_told = told if lowest is None else last_told(listings, capabilities, lowest)
    return evolve(plan, lines=lines, known=known_rows(again_told, lines))


def overtaken(
    plan: SyncPlan,
    states: Iterable[ListingState],
    capabilities: SinkCapabilities,
    planned_at: datetime,
) -> tuple[SyncPlan, frozenset[Key]]:
    """Drop what would offer units that later runs know better, and name it. Pure.

    A later run that wanted the listing to show less had newer figures. And where the cart has accepted more
    since than it shows now, it has probably sold what a rise would give back, also if it shows what it did
    when the plan was made. Less still goes out, since it is safe.

    Args:
        plan: The plan, compared with what the cart shows now.
        states: What the ledger knows of the cart's listings.
        capabilities: Whether the cart applies at once; what one shows before it has applied is no sale.
        planned_at: When the plan was made.
    """
    lines = {line.key: line for line in plan.lines}
    why: dict[Key, str] = {}
    for state in states:
        line = lines.get((state.listing_sku, state.location_id))
        if line is None:
            continue
        if plan.taken_at and _less_wanted_since(line, state, planned_at):
            why[line.key] = f"A later run wanted it to show {state.desired}; plan again."
        elif _has_sold_since(line, state, planned_at, capabilities):
            why[line.key] = (
                f"The cart accepted {state.accepted} since it was planned and shows {line.shown} now, as "
                "after a sale; plan again."
            )

    def drop(line: PlanLine) -> PlanLine:
        if line.key not in why or line.action not in {"change", "hold"}:
            return line
        return evolve(line, action="skip", reason="moved_since_plan", hint=why[line.key])

    return (evolve(plan, lines=tuple(map(drop, plan.lines))) if why else plan), frozenset(why)


def _less_wanted_since(line: PlanLine, state: ListingState, planned_at: datetime) -> bool:
    if state.desired is None or state.desired_at is None or state.desired_at <= planned_at:
        return False
    return state.desired < line.quantity


def _has_sold_since(
    line: PlanLine, state: ListingState, planned_at: datetime, capabilities: SinkCapabilities
) -> bool:
    if state.accepted is None or state.accepted_at is None or state.accepted_at <= planned_at:
        return False
    at_once = capabilities.completion == "immediate"
    return at_once and line.shown is not None and line.shown < min(state.accepted, line.quantity)


def _read_again(line: PlanLine, listing: CartListing | None, capabilities: SinkCapabilities) -> PlanLine:
    if listing is None and capabilities.contents == "full":
        return _moved(line, evolve(line, shown=None, basis="none"))
    if listing is None:
        return line if line.basis == "none" else skip(line, "not_in_cart")
    problem = problem_of(listing, capabilities, at_location=listing)
    if problem is not None:
        return skip(line, problem)
    return _moved(line, with_shown(line, listing, capabilities))


def _moved(then: PlanLine, now: PlanLine) -> PlanLine:
    if now.shown == now.quantity:
        return evolve(now, action="unchanged")
    if now.shown == then.shown:
        return now
    before, after = ("nothing known" if shown is None else shown for shown in (then.shown, now.shown))
    hint = f"It showed {before} when planned and shows {after} now; plan again."
    return evolve(now, action="skip", reason="moved_since_plan", hint=hint)
