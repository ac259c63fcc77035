"""What a cart showed before omsync first changed it, and the plan that puts it back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import ListingQuantity, Notice
from omsync.checks import counted, to_the_minute
from omsync.exchange import CartListing, QuantityChange, SinkCapabilities
from omsync.planning.lines import line_of
from omsync.planning.plan import PUT_BACK, Key, PlanLine, SyncPlan, entry_of
from omsync.planning.shown import Listings, known_rows, last_told, listed
from omsync.planning.spreadsheet import as_csv, harmless

__all__ = ["Original", "Originals", "first_shown", "originals_place", "put_back_plan"]

_COLUMNS = ("listing_sku", "location_id", "master_sku", "quantity", "on_hand", "seen_at", "run_id")


@frozen(kw_only=True)
class Original:
    """What a listing at a location showed before omsync first changed it.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        master_sku: The product.
        quantity: What a shopper could buy then; below 0 where the cart had oversold. None: it showed
            nothing that counts, or the listing was not there.
        on_hand: For a cart that keeps units on hand: those.
        seen_at: When.
        run_id: The run that was about to change it.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    master_sku: str = field(validator=checks.text)
    quantity: int | None = field(default=None, validator=checks.optional(checks.whole()))
    on_hand: int | None = field(default=None, validator=checks.optional(checks.whole()))
    seen_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    run_id: str = field(default="", validator=checks.any_text)

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.listing_sku, self.location_id)

    @property
    def entry(self) -> str:
        """The key that it is kept under."""
        return entry_of(self.key)

    def same_as(self, other: Original | None) -> bool:
        """Whether it tells the same figures."""
        return other is not None and (self.quantity, self.on_hand) == (other.quantity, other.on_hand)


@frozen(kw_only=True, repr=False)
class Originals:
    """What a cart showed before omsync, for every listing that omsync has changed. Its length counts them.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        destination: Which cart it stands for now; empty while no run has said so.
        entries: By listing and location.
    """

    merchant: str
    cart: str
    destination: str = ""
    entries: tuple[Original, ...] = field(default=(), converter=checks.as_tuple)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Original]:
        return iter(self.entries)

    def __repr__(self) -> str:
        return f"<Originals of {self.merchant} / {self.cart}: {counted(len(self), 'listing')}>"

    def __str__(self) -> str:
        who = f"{self.merchant} / {self.cart}" + (f" ({self.destination})" if self.destination else "")
        if not self.entries:
            return f"{who}: nothing is kept of what it showed before omsync"
        return f"{who}: what {counted(len(self), 'listing')} showed before omsync, seen {_when(self.entries)}"

    def to_csv(self) -> str:
        """Give them as CSV text; a code that a spreadsheet would run begins with an apostrophe."""
        rows = [
            (
                harmless(one.listing_sku),
                harmless(one.location_id or ""),
                harmless(one.master_sku),
                "" if one.quantity is None else one.quantity,
                "" if one.on_hand is None else one.on_hand,
                one.seen_at.isoformat(timespec="seconds"),
                one.run_id,
            )
            for one in self.entries
        ]
        return as_csv([_COLUMNS, *rows])


def originals_place(cart: str, destination: str) -> str:
    """Name the namespace that originals are kept in: another cart of the same name has others."""
    return f"originals of {cart} at {destination}"


def first_shown(
    changes: Iterable[QuantityChange],
    lines: Mapping[Key, PlanLine],
    capabilities: SinkCapabilities,
    *,
    seen_at: datetime,
    run_id: str,
) -> tuple[Original, ...]:
    """Give what the cart shows for rows that are about to be sent.

    Args:
        changes: The rows.
        lines: The plan's lines, by listing and location; they name the products.
        capabilities: Decides whether there are units on hand.
        seen_at: When.
        run_id: The run.
    """
    on_hand = capabilities.quantity_meaning == "on_hand"
    return tuple(
        Original(
            listing_sku=change.listing_sku,
            location_id=change.location_id,
            master_sku=lines[change.listing_sku, change.location_id].master_sku,
            quantity=None if change.shown is None else change.shown - (change.quantity - change.available),
            on_hand=change.shown if on_hand else None,
            seen_at=seen_at,
            run_id=run_id,
        )
        for change in changes
    )


def put_back_plan(
    originals: Originals, shown: Iterable[CartListing], capabilities: SinkCapabilities
) -> SyncPlan:
    """Plan to let every listing that omsync has changed show what it showed before.

    Args:
        originals: What that was.
        shown: What the cart shows now.
        capabilities: What the cart can do.
    """
    listings = listed(shown)
    going = [one for one in originals if one.quantity is not None]
    lines = [_line(one, listings, capabilities) for one in going]
    return SyncPlan(
        merchant=originals.merchant,
        cart=originals.cart,
        destination=capabilities.destination,
        lines=lines,
        notices=tuple(_notices(originals, going)),
        known=known_rows(last_told(listings, capabilities, {}), lines),
    )


def _line(original: Original, listings: Listings, capabilities: SinkCapabilities) -> PlanLine:
    quantity = ListingQuantity(
        listing_sku=original.listing_sku,
        master_sku=original.master_sku,
        location_id=original.location_id,
        quantity=max(0, original.quantity or 0),
        reason=PUT_BACK,
    )
    listing, elsewhere = listings.get(original.key), listings.anywhere(original.listing_sku)
    line = line_of(quantity, listing, elsewhere, capabilities, {}, ())
    if line.hint:
        return line
    hint = f"It showed {original.quantity} on {to_the_minute(original.seen_at)}, before omsync changed it."
    return evolve(line, hint=hint)


def _notices(originals: Originals, going: list[Original]) -> Iterator[Notice]:
    if going:
        yield Notice(
            reason=PUT_BACK,
            message=f"{counted(len(going), 'listing')} shall show again what was seen {_when(going)}; "
            "what was sold or came in since is not in these figures",
        )
    else:
        yield Notice(
            reason="nothing_to_put_back",
            message="No figure is kept that this cart showed before omsync changed it",
        )
    without = sorted({one.listing_sku for one in originals if one.quantity is None})
    if without:
        yield Notice(
            reason="no_original",
            message=f"{counted(len(without), 'listing')} had no figure before omsync, and stay as they are",
            entries=tuple(without),
        )


def _when(entries: Iterable[Original]) -> str:
    moments = sorted(one.seen_at for one in entries)
    first, last = map(to_the_minute, (moments[0], moments[-1]))
    return f"on {first}" if first == last else f"from {first} to {last}"
