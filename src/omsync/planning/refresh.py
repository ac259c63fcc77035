"""Looking at a plan again before it is pushed, perhaps much later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from omsync.exchange import CartListing, SinkCapabilities
from omsync.planning.lines import REASSERTED, problem_of, skip, with_shown
from omsync.planning.plan import Key, PlanLine, SyncPlan
from omsync.planning.shown import known_rows, last_told, listed

__all__ = ["refresh"]


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
