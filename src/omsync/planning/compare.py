"""Desired against shown: the pure comparison that makes a plan, and that looks at one again before a push."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve

from omsync.allocation import Allocation, ListingQuantity, Notice
from omsync.allocation.notices import few
from omsync.checks import counted
from omsync.errors import SettingsError
from omsync.exchange import CartListing, ListingState, SinkCapabilities
from omsync.planning.plan import Key, KnownRow, PlanLine, SyncPlan

__all__ = ["REASSERTED", "accepted_figures", "make_plan", "overdue_figures", "refresh"]

REASSERTED = "reasserted"
"""The reason of a line that is sent again although the cart accepted its quantity, long ago."""

HINTS = {
    "not_in_cart": "The cart has no listing of this code; create it there, or correct the alias.",
    "untracked_in_cart": "The cart does not count this listing's stock; switch tracking on in the cart.",
    "duplicate_in_cart": "Several listings of the cart share this code; give each its own.",
    "unmanaged_in_cart": "The cart works this quantity out itself (a kit), or its platform owns the stock.",
    "allocated_unknown": "The cart keeps units on hand and does not say how many its open orders hold; "
    "without that, a right quantity cannot be sent.",
    "location_named_twice": "The location_map names one location of the cart in two ways; use one, and what "
    "goes there is added up.",
    "cart_refuses_zero": "The cart takes no 0; end the listing by hand, or set show_at_least.",
    "below_cart_minimum": "The cart takes no quantity as small as this.",
    "source_answer_lost": "The order manager's newest figure was lost on its way, so nothing is raised; it "
    "is freed once the order manager reports the product again, or approve the plan by its digest.",
}
"""What to do, by the reason of a line that is skipped or held on the cart's side."""


def make_plan(
    allocation: Allocation,
    shown: Iterable[CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int] | None = None,
    overdue: Container[Key] = (),
) -> SyncPlan:
    """Compare what a cart is to be told with what it shows. Pure.

    Args:
        allocation: What the listings are to be told.
        shown: What the cart showed; nothing for a cart that cannot be read.
        capabilities: What the cart can do.
        accepted: For a cart that cannot be read: what it last accepted, as available quantities.
        overdue: Of these, what was accepted too long ago, and is sent again.

    Raises:
        SettingsError: The cart has no locations and a breakdown is asked for, or the other way round.
    """
    _check_locations(allocation, capabilities)
    listings = _listed(shown)
    known = {listing.listing_sku: listing for listing in listings.values()}
    lines = [
        _line(
            quantity,
            listings.get((quantity.listing_sku, quantity.location_id)),
            known,
            capabilities,
            accepted or {},
            overdue,
        )
        for quantity in allocation.quantities
    ]
    lines = _one_name_a_place(lines, listings)
    known_rows = _known_rows(_last_told(listings, capabilities, accepted or {}), lines, capabilities)
    asked = {quantity.listing_sku for quantity in allocation.quantities}
    asked |= {skipped.listing_sku for skipped in allocation.skipped if skipped.listing_sku is not None}
    return SyncPlan(
        merchant=allocation.merchant,
        cart=allocation.cart,
        destination=capabilities.destination,
        taken_at=allocation.taken_at,
        lines=lines,
        skipped=allocation.skipped,
        notices=(
            *allocation.notices,
            *_notices(capabilities, lines),
            *_rows_beside(lines, listings),
            *_repeating(capabilities, lines, known_rows, asked),
        ),
        cart_only=sorted(set(known) - asked),
        known=known_rows,
        withheld=sum(quantity.withheld for quantity in allocation.quantities),
        allocation=allocation,
    )


def _listed(shown: Iterable[CartListing]) -> dict[Key, CartListing]:
    """Index what the cart shows; a row that comes twice and differs is a listing that stands twice."""
    listings: dict[Key, CartListing] = {}
    for listing in shown:
        before = listings.setdefault((listing.listing_sku, listing.location_id), listing)
        if before != listing:
            twice = evolve(listing, state="duplicate")
            listings[listing.listing_sku, listing.location_id] = twice
    return listings


def _one_name_a_place(lines: Sequence[PlanLine], listings: Mapping[Key, CartListing]) -> list[PlanLine]:
    """Skip lines that name one place of the cart in two ways: each would undo the other, run after run."""
    places = {
        line.key: (line.listing_sku, listings[line.key].same_as or line.location_id)
        for line in lines
        if line.key in listings
    }
    named = Counter(places.values())
    return [
        _skip(line, "location_named_twice") if named[places.get(line.key, line.key)] > 1 else line
        for line in lines
    ]


def _rows_beside(lines: Sequence[PlanLine], listings: Mapping[Key, CartListing]) -> Iterator[Notice]:
    """Count what the cart shows for planned listings at locations that the plan does not speak of."""
    planned = {line.key for line in lines}
    skus = {line.listing_sku for line in lines}
    spoken = {
        (listing.listing_sku, listing.same_as or listing.location_id)
        for key, listing in listings.items()
        if key in planned
    }
    told = planned | spoken
    beside = sorted(
        f"{sku} at {location_id}" if location_id is not None else sku
        for (sku, location_id), listing in listings.items()
        if sku in skus
        and (listing.quantity or 0) > 0
        and listing.same_as is None
        and (sku, location_id) not in told
    )
    if beside:
        yield Notice(
            reason="rows_only_in_cart",
            message=f"{counted(len(beside), 'row')} of these listings at places that the plan does not tell; "
            f"they keep what they show: {few(beside)}",
            entries=tuple(beside),
        )


def _last_told(
    listings: Mapping[Key, CartListing], capabilities: SinkCapabilities, accepted: Mapping[Key, int]
) -> dict[Key, int]:
    """Give what the cart was last told, where that is certain: what a full push can repeat."""
    if not capabilities.readable:
        return dict(accepted)
    return {
        key: listing.quantity
        for key, listing in listings.items()
        if listing.quantity is not None and listing.state == "listed" and listing.same_as is None
    }


def _known_rows(
    told: Mapping[Key, int], lines: Sequence[PlanLine], capabilities: SinkCapabilities
) -> tuple[KnownRow, ...]:
    if capabilities.contents != "full":
        return ()
    planned = {line.key for line in lines}
    return tuple(
        KnownRow(listing_sku=sku, location_id=location_id, quantity=quantity)
        for (sku, location_id), quantity in sorted(
            told.items(), key=lambda item: (item[0][0], item[0][1] or "")
        )
        if (sku, location_id) not in planned
    )


def _repeating(
    capabilities: SinkCapabilities,
    lines: Sequence[PlanLine],
    known: Sequence[KnownRow],
    asked: set[str],
) -> Iterator[Notice]:
    """Say what a full push repeats although nothing was decided about it."""
    if capabilities.contents != "full":
        return
    still = [line for line in lines if line.action != "change" and line.shown is not None]
    yield Notice(
        reason="told_everything",
        message=f"{capabilities.destination} is told everything each time, and what does not change "
        f"as last told: {counted(len(still) + len(known), 'row')}",
    )
    alone = sorted({row.listing_sku for row in known if row.listing_sku not in asked})
    if alone:
        yield Notice(
            reason="cart_only_repeated",
            message=f"{counted(len(alone), 'listing')} only in the cart, repeated as last told: {few(alone)}",
            entries=tuple(alone),
        )


def _check_locations(allocation: Allocation, capabilities: SinkCapabilities) -> None:
    located = {quantity.location_id is not None for quantity in allocation.quantities}
    if capabilities.locations == "none" and True in located:
        raise SettingsError(
            f"The cart {allocation.cart!r} asks for a breakdown; {capabilities.destination} has no locations",
            code="cart_has_no_locations",
            remedy="Set breakdown=False.",
        )
    if capabilities.locations == "required" and False in located:
        raise SettingsError(
            f"{capabilities.destination} wants a location with every quantity",
            code="cart_needs_locations",
            remedy=f"Set breakdown=True and a location_map for the cart {allocation.cart!r}.",
        )


def _line(
    quantity: ListingQuantity,
    listing: CartListing | None,
    known: Mapping[str, CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int],
    overdue: Container[Key],
) -> PlanLine:
    wanted = quantity.quantity
    reason = quantity.reason
    if capabilities.max_quantity is not None and wanted > capabilities.max_quantity:
        wanted, reason = capabilities.max_quantity, "capped_by_cart"
    line = PlanLine(
        listing_sku=quantity.listing_sku,
        master_sku=quantity.master_sku,
        location_id=quantity.location_id,
        quantity=wanted,
        action="change",
        reason=reason,
    )
    if not capabilities.readable:
        if capabilities.quantity_meaning == "on_hand":
            return _skip(line, "allocated_unknown")
        last = accepted.get(line.key)
        line = evolve(line, shown=last, basis="none" if last is None else "ledger")
    elif listing is not None or line.listing_sku in known:
        problem = _listing_problem(listing or known[line.listing_sku], capabilities, at_location=listing)
        if problem is not None:
            return _skip(line, problem)
        if listing is not None:
            line = _with_shown(line, listing, capabilities)
        else:
            line = evolve(line, allocated=0 if capabilities.quantity_meaning == "on_hand" else None)
    elif not capabilities.creates_listings:
        return _skip(line, "not_in_cart")
    if line.shown == line.quantity:
        if line.basis != "ledger" or line.key not in overdue or capabilities.contents == "full":
            return evolve(line, action="unchanged")
        line = evolve(line, reason=REASSERTED)
    return _held(line, capabilities, doubtful=quantity.doubtful)


def _with_shown(line: PlanLine, listing: CartListing, capabilities: SinkCapabilities) -> PlanLine:
    # Whatever an untracked listing shows, it is no stock: the push switches tracking on.
    shown = None if listing.state == "untracked" else listing.quantity
    if shown is not None and capabilities.quantity_meaning == "on_hand":
        shown = None if listing.allocated is None else shown - listing.allocated
    return evolve(
        line,
        shown=shown,
        basis="none" if shown is None else "cart",
        allocated=listing.allocated,
        version=listing.version,
    )


def _listing_problem(
    listing: CartListing, capabilities: SinkCapabilities, *, at_location: CartListing | None
) -> str | None:
    tracked = listing.state == "untracked" and capabilities.untracked_policy == "track"
    if listing.state != "listed" and not tracked:
        return f"{listing.state}_in_cart"
    on_hand = capabilities.quantity_meaning == "on_hand"
    return "allocated_unknown" if on_hand and at_location and at_location.allocated is None else None


def _held(line: PlanLine, capabilities: SinkCapabilities, *, doubtful: bool) -> PlanLine:
    reason = None
    if line.quantity == 0 and not capabilities.accepts_zero:
        reason = "cart_refuses_zero"
    elif 0 < line.quantity < capabilities.min_quantity:
        reason = "below_cart_minimum"
    elif doubtful and (line.shown is None or line.quantity > line.shown):
        reason = "source_answer_lost"
    return line if reason is None else evolve(line, action="hold", reason=reason, hint=HINTS[reason])


def _skip(line: PlanLine, reason: str) -> PlanLine:
    return evolve(line, action="skip", reason=reason, hint=HINTS[reason])


def _notices(capabilities: SinkCapabilities, lines: Sequence[PlanLine]) -> Iterable[Notice]:
    changing = [line for line in lines if line.action == "change"]
    if capabilities.zero_ends_listing and any(line.quantity == 0 for line in changing):
        yield Notice(
            reason="zero_ends_listing",
            message="The cart takes a listing down when it is told 0",
            entries=tuple(sorted({line.listing_sku for line in changing if line.quantity == 0})),
        )
    places = sorted({line.location_id for line in changing if line.location_id is not None})
    if places and not capabilities.sells_all_locations:
        yield Notice(
            reason="default_location_sells",
            message="The cart sells only what stands at its default location; what is sent to others is not "
            "offered, unless the cart adds locations up, which its vendor has to switch on",
            entries=tuple(places),
        )
    if capabilities.compare_and_set == "blind" and changing:
        yield Notice(
            reason="blind_cart",
            message="The cart cannot refuse a write that comes too late; a sale in between is corrected "
            "by the next run",
        )


def refresh(
    plan: SyncPlan,
    shown: Iterable[CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int] | None = None,
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
    """
    listings = _listed(shown)
    full = capabilities.contents == "full"
    told = _last_told(listings, capabilities, accepted or {})

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
    return evolve(plan, lines=lines, known=_known_rows(told, lines, capabilities))


def _read_again(line: PlanLine, listing: CartListing | None, capabilities: SinkCapabilities) -> PlanLine:
    if listing is None and capabilities.contents == "full":
        return _moved(line, evolve(line, shown=None, basis="none"))
    if listing is None:
        return line if line.basis == "none" else _skip(line, "not_in_cart")
    problem = _listing_problem(listing, capabilities, at_location=listing)
    if problem is not None:
        return _skip(line, problem)
    return _moved(line, _with_shown(line, listing, capabilities))


def _moved(then: PlanLine, now: PlanLine) -> PlanLine:
    if now.shown == now.quantity:
        return evolve(now, action="unchanged")
    if now.shown == then.shown:
        return now
    before, after = ("nothing known" if shown is None else shown for shown in (then.shown, now.shown))
    hint = f"It showed {before} when planned and shows {after} now; plan again."
    return evolve(now, action="skip", reason="moved_since_plan", hint=hint)


def accepted_figures(states: Iterable[ListingState]) -> dict[Key, int]:
    """Give what a cart that cannot be read is taken to show: what it last accepted.

    A figure that was sent since and never answered leaves open what the cart shows, so it is left out and
    the line is sent again; that the same figure was accepted earlier says nothing, since another may have
    been sent in between.
    """
    return {
        (state.listing_sku, state.location_id): state.accepted
        for state in states
        if state.accepted is not None and state.sent in {None, state.accepted} and _is_answered(state)
    }


def overdue_figures(
    states: Iterable[ListingState],
    *,
    now: datetime,
    after: int,
    zeros_after: int,
) -> frozenset[Key]:
    """Name what was accepted longer ago than it is taken for granted; nobody has seen it since. Pure.

    Args:
        states: What the ledger knows.
        now: Decides about age.
        after: Hours that a figure may be old at most; 0 for any age.
        zeros_after: The same for a 0.
    """

    def is_overdue(state: ListingState) -> bool:
        most = zeros_after if state.accepted == 0 else after
        return most > 0 and (state.accepted_at is None or now - state.accepted_at > timedelta(hours=most))

    return frozenset(
        (state.listing_sku, state.location_id)
        for state in states
        if state.accepted is not None and is_overdue(state)
    )


def _is_answered(state: ListingState) -> bool:
    return state.sent_at is None or (state.accepted_at is not None and state.accepted_at >= state.sent_at)
