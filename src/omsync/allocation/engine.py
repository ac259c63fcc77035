"""The reference engine: from a snapshot and settings to the quantity of every listing of a cart.

Written to be read beside the founding document, exact before fast.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from omsync import checks
from omsync.allocation.explanation import Explanation
from omsync.allocation.reasons import Notice, Skip
from omsync.allocation.workbench import ListingQuantity, Workbench
from omsync.checks import counted
from omsync.errors import InvalidValueError, NoExplanationError, WrongTypeError
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Allocation", "ListingQuantity", "allocate"]


@frozen(kw_only=True, repr=False)
class Allocation:
    """What a cart is to be told, what it is not told, and why.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        quantities: One for each (listing, location), sorted.
        skipped: What gets no quantity, sorted.
        notices: What else a person should know.
        taken_at: When the snapshot's reading began, as ISO 8601.
    """

    merchant: str
    cart: str
    quantities: tuple[ListingQuantity, ...]
    skipped: tuple[Skip, ...]
    notices: tuple[Notice, ...]
    taken_at: str
    _workbench: Workbench = field(eq=False, alias="workbench")
    _by_key: Mapping[tuple[str, str | None], ListingQuantity] = field(init=False, eq=False)

    @_by_key.default
    def _index(self) -> Mapping[tuple[str, str | None], ListingQuantity]:
        return {(row.listing_sku, row.location_id): row for row in self.quantities}

    def __repr__(self) -> str:
        told = counted(len(self.quantities), "quantity", "quantities")
        return f"<Allocation for {self.merchant} / {self.cart}: {told}, {len(self.skipped):,} skipped>"

    def explain(self, listing_sku: str, location_id: str | None = None) -> Explanation:
        """Explain the quantity of a listing, computed now from the snapshot.

        Args:
            listing_sku: The listing.
            location_id: The row's location, by id or exact name; None for a quantity without a location.

        Raises:
            NoExplanationError: The listing has no quantity; says why if it was skipped.
        """
        place = self._workbench.place_named(location_id)
        quantity = self._by_key.get((listing_sku, location_id)) or self._by_key.get((listing_sku, place))
        if quantity is not None:
            return self._workbench.explain(quantity)
        known = [skipped for skipped in self.skipped if skipped.listing_sku == listing_sku]
        if known:
            raise NoExplanationError(
                f"{listing_sku!r} has no quantity: {known[0].reason}",
                code="skipped",
                remedy=known[0].hint,
            )
        rows = [row.location_id for row in self.quantities if row.listing_sku == listing_sku]
        remedy = "Check the listing SKU; case matters."
        if rows:
            places = ", ".join(map(repr, filter(None, rows)))
            no_place = "Its quantity has no location: leave location_id out."
            remedy = f"It has one at: {places}." if places else no_place
        raise NoExplanationError(
            f"The cart {self.cart!r} has no quantity for {listing_sku!r}"
            + (f" at location {location_id!r}" if location_id is not None or rows else ""),
            code="no_such_listing",
            remedy=remedy,
        )


def allocate(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings,
    cart: CartSettings,
    orders_in_flight: Mapping[str, int] | None = None,
    *,
    orders_when: str = "",
) -> Allocation:
    """Decide what every listing of a cart is told. Pure: equal inputs give equal results.

    Args:
        snapshot: One complete reading of the order manager.
        merchant: The mode, and how figures are understood.
        cart: Which listings, which locations, which rules.
        orders_in_flight: Units by master SKU in orders that the snapshot has not seen.
        orders_when: From when to when such orders were looked for, in words, for the explanations.

    Raises:
        SettingsError: Mode, location or alias do not fit the snapshot; names the choices.

    Source: the founding document; the order of the rules is in the docs.
    """
    bench = Workbench(snapshot, merchant, cart, _checked_orders(orders_in_flight or {}), orders_when)
    wanted, skipped = bench.listings()
    quantities: list[ListingQuantity] = []
    for listing in wanted:
        for row in bench.rows_of(listing):
            if isinstance(row, Skip):
                skipped.append(row)
            else:
                quantities.append(row)
    return Allocation(
        merchant=merchant.name,
        cart=cart.name,
        quantities=tuple(sorted(quantities, key=lambda row: (row.listing_sku, row.location_id or ""))),
        skipped=tuple(
            sorted(
                skipped,
                key=lambda one: (one.listing_sku or "", one.master_sku, one.reason, one.location_id or ""),
            )
        ),
        notices=tuple(bench.notices(quantities)),
        taken_at=snapshot.taken_at.isoformat(),
        workbench=bench,
    )


def _checked_orders(orders: Mapping[str, int]) -> dict[str, int]:
    given: object = orders
    if not isinstance(given, Mapping):
        raise WrongTypeError(
            f"orders_in_flight must be a mapping, not {checks.shown(given)}",
            remedy="Give units by master SKU, such as {'MUG-01': 3}.",
        )
    for master_sku, units in orders.items():
        if type(units) is not int:
            raise WrongTypeError(
                f"orders_in_flight[{master_sku!r}] must be a whole number, not {checks.shown(units)}"
            )
        if units < 0:
            raise InvalidValueError(f"orders_in_flight[{master_sku!r}] must be at least 0, not {units}")
    return {master_sku: units for master_sku, units in orders.items() if units}
