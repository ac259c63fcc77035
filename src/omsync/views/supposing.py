"""What a cart would be told if there were more or fewer of something: allocated again, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Allocation, LocationChoice, allocate, reallocate
from omsync.allocation.again import reached
from omsync.allocation.availability import available
from omsync.allocation.told import Told
from omsync.checks import counted, shown
from omsync.errors import InvalidValueError, NoExplanationError, WrongTypeError
from omsync.model import InventorySnapshot, StockLevel
from omsync.settings import CartSettings, MerchantSettings
from omsync.views.levers import with_more
from omsync.views.page import Column, Page, Table
from omsync.views.rendered import Rendered
from omsync.views.wording import signed

__all__ = ["Move", "WhatIf", "what_if"]


@frozen(kw_only=True)
class Move:
    """A quantity that would change.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        before: What it is.
        after: What it would be.
    """

    listing_sku: str
    location_id: str | None
    before: int
    after: int


@frozen(kw_only=True, repr=False)
class WhatIf(Rendered):
    """What a cart would be told with more or fewer units of one product at one location.

    Args:
        master_sku: The product.
        location: Where.
        units: How many more; below 0: fewer.
        moves: The quantities that would change, sorted.
    """

    master_sku: str
    location: str
    units: int
    moves: tuple[Move, ...] = field(converter=checks.as_tuple)

    def __len__(self) -> int:
        return len(self.moves)

    def __iter__(self) -> Iterator[Move]:
        return iter(self.moves)

    def __repr__(self) -> str:
        return f"<WhatIf: {self.sentence}>"

    @property
    def sentence(self) -> str:
        """The answer: "1 more of PART-B in Reno DC raises 3 listings"."""
        what = f"{abs(self.units):,} {'more' if self.units > 0 else 'fewer'} of {self.master_sku}"
        rises = sum(move.after > move.before for move in self.moves)
        falls = len(self.moves) - rises
        parts = [f"raises {counted(rises, 'listing')}"] if rises else []
        parts += [f"lowers {counted(falls, 'listing')}"] if falls else []
        return f"{what} in {self.location} {' and '.join(parts) or 'changes nothing'}"

    def page(self) -> Page:
        """Lay out the quantities that would change."""
        return Page(
            title=f"What if: {signed(self.units)} of {self.master_sku}",
            summary=f"{self.sentence}.",
            parts=[
                Table(
                    title="What would change",
                    columns=[
                        Column(title="listing", kind="code", is_key=True),
                        Column(title="location", kind="code"),
                        Column(title="is", kind="number"),
                        Column(title="would be", kind="number"),
                        Column(title="change", kind="number"),
                    ],
                    rows=[
                        (
                            one.listing_sku,
                            one.location_id or "",
                            one.before,
                            one.after,
                            one.after - one.before,
                        )
                        for one in self.moves
                    ],
                    empty="Nothing.",
                )
            ],
        )


def what_if(
    given: Allocation | InventorySnapshot,
    master_sku: str,
    units: int = 1,
    *,
    location_id: str | None = None,
    merchant: MerchantSettings | None = None,
    cart: CartSettings | None = None,
) -> WhatIf:
    """Say which quantities of a cart change with more or fewer units of a product: "raises three listings".

    Args:
        given: The cart's allocation; or a reading, with ``merchant`` and ``cart``.
        master_sku: The product; a part of bundles as well.
        units: How many more; below 0: fewer.
        location_id: Where, by id or exact name; None: where it changes the most listings.
        merchant: For a reading: how it is understood.
        cart: For a reading: which cart.

    Raises:
        NoExplanationError: The product has no stock record that the cart counts, or none at that location.
        InvalidValueError: ``units`` is 0.
    """
    if type(units) is not int:
        raise WrongTypeError(f"what_if(units=) is a whole number, not {shown(units)}")
    if not units:
        raise InvalidValueError("what_if(units=) must not be 0: nothing would change")
    allocation = _allocated(given, merchant, cart)
    bench = allocation.workbench
    place = bench.place_named(location_id)
    counted_places = {choice.id: choice for choice in bench.choices if choice.counted}
    levels = [
        level
        for level in bench.snapshot.levels.of(master_sku)
        if level.location_id in counted_places
        and place in {None, level.location_id}
        and available(level, subtract_locked=bench.merchant.subtract_locked) is not None
    ]
    if not levels:
        where = "at a location that this cart counts" if location_id is None else f"at {location_id!r}"
        raise NoExplanationError(
            f"{master_sku!r} has no stock figure {where}",
            code="no_such_record",
            remedy="Name a product with a stock record there; letter case matters.",
        )
    tried = [_tried(allocation, level, units, counted_places[level.location_id]) for level in levels]
    return max(tried, key=len)


def _allocated(given: object, merchant: MerchantSettings | None, cart: CartSettings | None) -> Allocation:
    if isinstance(given, Allocation):
        return given
    if not isinstance(given, InventorySnapshot) or merchant is None or cart is None:
        raise WrongTypeError(
            f"what_if() wants an Allocation, or a reading with merchant= and cart=, not {shown(given)}",
            remedy="Give allocate(snapshot, merchant, cart), or name merchant= and cart=.",
        )
    return allocate(given, merchant, cart)


def _tried(allocation: Allocation, level: StockLevel, units: int, choice: LocationChoice) -> WhatIf:
    again = reallocate(allocation, [with_more(level, units)])
    # A figure changes, and no record comes or goes, so that both have the same rows.
    rows = (
        (allocation.quantities[row], again.quantities[row]) for row in _rows(allocation, level.master_sku)
    )
    return WhatIf(
        master_sku=level.master_sku,
        location=str(choice),
        units=units,
        moves=[
            Move(
                listing_sku=before.listing_sku,
                location_id=before.location_id,
                before=before.quantity,
                after=after.quantity,
            )
            for before, after in rows
            if after.quantity != before.quantity
        ],
    )


def _rows(allocation: Allocation, master_sku: str) -> Iterable[int]:
    """Give the places of the quantities that a product's stock may change."""
    quantities = allocation.quantities
    if not isinstance(quantities, Told):
        return range(len(quantities))
    skus = reached(allocation.workbench, [master_sku])
    return sorted(row for sku in skus for row in quantities.rows_of(sku))
