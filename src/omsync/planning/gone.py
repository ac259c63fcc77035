"""What is gone: listings that we once showed above 0 and that have no quantity any more. Pure.

A shop goes on selling such a listing, and nobody counts what it sells. It is always named; whether it is
left, held on its way to 0, or sent to 0 is the cart's ``when_gone``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Allocation, ListingQuantity, Notice, Skip
from omsync.allocation.reasons import words
from omsync.checks import counted, lasting
from omsync.exchange import CartListing, ListingState, SinkCapabilities
from omsync.planning.accepted import is_answered
from omsync.planning.lines import line_of
from omsync.planning.plan import Key, PlanLine
from omsync.settings import CartSettings

__all__ = [
    "CAUSES",
    "INACTIVE",
    "Departure",
    "Gone",
    "departures",
    "departures_told",
    "gone_listings",
    "lines_of",
    "without_departed",
]

INACTIVE = frozenset({"inactive_product", "inactive_listing"})
"""The causes of which the order manager itself says that the thing is switched off."""

CAUSES = INACTIVE | {
    *("unknown_product", "virtual_product", "digital_product", "untracked_product"),
    *("no_alias", "push_inventory_off", "excluded", "not_in_only"),
    *("no_stock_record", "bundle_without_stock_record", "not_at_counted_location"),
}
"""Why a listing may be gone. Any other reason for which one is skipped is a mistake that somebody will
correct (a bundle that cannot be worked out, a listing of two products) or a figure that got lost."""

_VANISHED = "The order manager lists nothing for this cart under this code any more."
_MOST_NAMED = 5
"""What a sentence names; the notice's entries name all."""


@frozen(kw_only=True)
class Gone:
    """A listing at one location that was once shown above 0, and has no quantity any more.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        master_sku: The product; the listing's own code where nobody names its product any more.
        quantity: What it shows by what is known, as an available quantity; None: something, or nothing, since
            a 0 was sent and never answered.
        age: How long ago it was last told something; None when nobody knows.
        skip: Why it has no quantity; None when the reading does not speak of it at all.
        cause: The same as a code, one of ``CAUSES``.
        what: ``"leave"``, ``"hold_zero"`` or ``"zero"``.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    master_sku: str = field(validator=checks.text)
    quantity: int | None = field(validator=checks.optional(checks.whole(minimum=1)))
    age: timedelta | None = None
    skip: Skip | None = None
    cause: str = field(validator=checks.one_of(*sorted(CAUSES)))
    what: str = field(validator=checks.one_of("leave", "hold_zero", "zero"))

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.listing_sku, self.location_id)

    @property
    def reason(self) -> str:
        """The reason of its line in a plan."""
        return "gone_inactive" if self.cause in INACTIVE else "gone"

    @property
    def last(self) -> str:
        """What it shows, and how long ago it was told, in words."""
        shows = "may still show something" if self.quantity is None else f"shows {self.quantity}"
        if self.age is None:
            return f"{shows}, told nobody knows when"
        return f"{shows}, told {lasting(self.age)} ago"


Departure = tuple[Gone, PlanLine]
"""What is gone and still shows something, with its line to 0."""


def gone_listings(
    allocation: Allocation,
    states: Iterable[ListingState],
    cart: CartSettings,
    capabilities: SinkCapabilities,
    now: datetime,
) -> tuple[Gone, ...]:
    """Give the listings that may still show what we once told them, and have no quantity any more.

    The highest figure that the ledger knows counts here; ``departures`` finds out what is still shown.
    A listing that has a quantity at any location is not gone.

    Args:
        allocation: What has a quantity, and why the rest has none.
        states: What the ledger knows of the cart's listings.
        cart: Its ``when_gone``, and whether it goes by aliases.
        capabilities: Whether the cart can be read, and has locations.
        now: Decides about age.
    """
    if not states:
        return ()
    told = {row.listing_sku for row in allocation.quantities}
    skips: defaultdict[str, list[Skip]] = defaultdict(list)
    for skipped in allocation.skipped:
        if skipped.listing_sku is not None:
            skips[skipped.listing_sku].append(skipped)
    found = []
    for state in states:
        if state.listing_sku in told or not _has_place(state.location_id, capabilities):
            continue
        quantity = max(state.sent or 0, state.accepted or 0, state.observed or 0)
        # Where a 0 was lost on its way, a cart that cannot be read may show what it was told before.
        if not quantity and (capabilities.readable or is_answered(state)):
            continue
        # Where several products claim the listing, one that is switched off does not speak for the others.
        why = sorted(skips[state.listing_sku], key=lambda one: one.reason in INACTIVE)
        if all(skipped.reason in CAUSES for skipped in why):
            vanished = "unknown_product" if cart.alias is None else "no_alias"
            cause = why[0].reason if why else vanished
            by_cause = "hold_zero" if cause in INACTIVE else "leave"
            last = _last_told(state)
            found.append(
                Gone(
                    listing_sku=state.listing_sku,
                    location_id=state.location_id,
                    master_sku=why[0].master_sku if why else state.listing_sku,
                    quantity=quantity or None,
                    age=None if last is None else now - last,
                    skip=why[0] if why else None,
                    cause=cause,
                    what=by_cause if cart.when_gone == "by_cause" else cart.when_gone,
                )
            )
    return tuple(sorted(found, key=lambda one: (one.listing_sku, one.location_id or "")))


def departures(
    gone: Iterable[Gone],
    listings: Mapping[Key, CartListing],
    capabilities: SinkCapabilities,
    accepted: Mapping[Key, int],
) -> list[Departure]:
    """Give those that still show something, each with its line; what shows none any more is no trouble.

    Args:
        gone: What ``gone_listings`` gave.
        listings: What the cart shows.
        capabilities: What the cart can do.
        accepted: For a cart that cannot be read: what it last accepted.
    """
    found = []
    for one in gone:
        listing = listings.get(one.key)
        if capabilities.readable and listing is None:
            continue
        zero = ListingQuantity(
            listing_sku=one.listing_sku,
            master_sku=one.master_sku,
            location_id=one.location_id,
            quantity=0,
            reason=one.reason,
        )
        line = line_of(zero, listing, None, capabilities, accepted, ())
        if line.action in {"change", "hold"} and (line.shown is None or line.shown > 0):
            now = evolve(
                one,
                quantity=one.quantity if line.shown is None else line.shown,
                # It is held because the cart takes no 0; then there is nothing to approve either.
                what="leave" if line.action == "hold" else one.what,
            )
            found.append((now, _told_why(line, now)))
    return found


def _told_why(line: PlanLine, one: Gone) -> PlanLine:
    why = _VANISHED if one.skip is None else one.skip.hint
    hint = f"It {one.last}, and has no quantity any more. {why}"
    if one.what == "hold_zero":
        hint += " If it shall no longer be sold, approve the plan by its digest, and it is told 0."
        return evolve(line, action="hold", gone=one.cause, hint=hint)
    return evolve(line, gone=one.cause, hint=hint)


def lines_of(departed: Iterable[Departure]) -> Iterator[PlanLine]:
    """Give the lines of those that shall not be left as they are."""
    return (line for one, line in departed if one.what != "leave")


def without_departed(skipped: Sequence[Skip], departed: Iterable[Departure]) -> tuple[Skip, ...]:
    """Leave out what has a line instead, so that every listing has one outcome."""
    replaced = {one.skip for one, _ in departed if one.what != "leave"}
    return tuple(skip for skip in skipped if skip not in replaced)


def departures_told(departed: Collection[Departure]) -> Iterator[Notice]:
    """Name each listing that is gone, with its last quantity and age, by what becomes of it."""
    for reason, what, becomes in (
        (
            "gone_left",
            "leave",
            "gone and left as it is; end it in the cart, or let 0 be proposed with when_gone='hold_zero'",
        ),
        ("gone_held", "hold_zero", "gone and shall show 0 once that is approved"),
        ("gone_zeroed", "zero", "gone and shall show 0 (when_gone='zero')"),
    ):
        named = [_described(one) for one, _ in departed if one.what == what]
        more = f"; and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
        if named:
            yield Notice(
                reason=reason,
                message=f"{counted(len(named), 'listing')} {becomes}: {'; '.join(named[:_MOST_NAMED])}{more}",
                entries=tuple(named),
            )


def _described(one: Gone) -> str:
    where = "" if one.location_id is None else f" at {one.location_id}"
    return f"{one.listing_sku}{where} {one.last} ({words(one.cause)})"


def _has_place(location_id: str | None, capabilities: SinkCapabilities) -> bool:
    """Tell whether the cart can be told of this place: the ledger may know it from other settings."""
    wrong = {"none": location_id is not None, "required": location_id is None}
    return not wrong.get(capabilities.locations, False)


def _last_told(state: ListingState) -> datetime | None:
    """Give when the listing was last told something above 0, else since when it was seen to show that."""
    if (state.accepted or 0) > 0:
        return state.accepted_at
    if (state.observed or 0) > 0 and not state.sent:
        return state.observed_since or state.observed_at
    return state.sent_at
