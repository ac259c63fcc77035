"""What an allocation gives: quantities, what is skipped and why, and explanations when somebody asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from attrs import field, frozen

from omsync.allocation.explanation import Explanation
from omsync.allocation.reasons import Notice, Skip
from omsync.allocation.workbench import ListingQuantity, Workbench
from omsync.checks import counted
from omsync.errors import NoExplanationError

__all__ = ["Allocation", "order_of"]


def order_of(row: ListingQuantity) -> tuple[str, str]:
    """Give what quantities are sorted by."""
    return row.listing_sku, row.location_id or ""


@frozen(kw_only=True, repr=False)
class Allocation:
    """What a cart is to be told, what it is not told, and why.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        quantities: One for each (listing, location), sorted; each is made when it is looked at.
        skipped: What gets no quantity, sorted.
        notices: What else a person should know.
        taken_at: When the snapshot's reading began, as ISO 8601.
        workbench: What it was worked out with; explanations come from it.
    """

    merchant: str
    cart: str
    quantities: Sequence[ListingQuantity]
    skipped: tuple[Skip, ...]
    notices: tuple[Notice, ...]
    taken_at: str
    workbench: Workbench = field(eq=False)

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
        place = self.workbench.place_named(location_id)
        rows = self._rows_of(listing_sku)
        for wanted in (location_id, place):
            for row in rows:
                if row.location_id == wanted:
                    return self.workbench.explain(row)
        known = [skipped for skipped in self.skipped if skipped.listing_sku == listing_sku]
        if known:
            raise NoExplanationError(
                f"{listing_sku!r} has no quantity: {known[0].reason}",
                code="skipped",
                remedy=known[0].hint,
            )
        remedy = self._remedy_for(listing_sku)
        if rows:
            places = ", ".join(repr(row.location_id) for row in rows if row.location_id)
            no_place = "Its quantity has no location: leave location_id out."
            remedy = f"It has one at: {places}." if places else no_place
        raise NoExplanationError(
            f"The cart {self.cart!r} has no quantity for {listing_sku!r}"
            + (f" at location {location_id!r}" if location_id is not None or rows else ""),
            code="no_such_listing",
            remedy=remedy,
        )

    def _remedy_for(self, listing_sku: str) -> str:
        """Say what may have been meant by a code that is no listing of this cart."""
        listings = sorted({row.listing_sku for row in self.quantities if row.master_sku == listing_sku})
        if listings:
            return f"{listing_sku!r} is a product; its listing here is {' or '.join(map(repr, listings))}."
        for skipped in self.skipped:
            if skipped.master_sku == listing_sku:
                return f"{listing_sku!r} is a product that is skipped: {skipped.hint}"
        return "Check the listing SKU; case matters."

    def _rows_of(self, listing_sku: str) -> list[ListingQuantity]:
        rows = []
        place = bisect_left(self.quantities, listing_sku, key=lambda row: row.listing_sku)
        while place < len(self.quantities) and self.quantities[place].listing_sku == listing_sku:
            rows.append(self.quantities[place])
            place += 1
        return rows
