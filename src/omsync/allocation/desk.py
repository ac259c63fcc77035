"""One allocation after another: what carts of one reading have in common is looked up once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from omsync.allocation.groundwork import Groundwork
from omsync.allocation.locations import choose_locations, visible_to
from omsync.allocation.plain import Plain
from omsync.allocation.reasons import Skip
from omsync.allocation.reference import checked_orders, in_order
from omsync.allocation.result import Allocation, order_of
from omsync.allocation.told import Told, ToldRows
from omsync.allocation.wanted import listings_of
from omsync.allocation.workbench import ListingQuantity, Workbench
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Desk"]


class Desk:
    """Allocates for the carts of a merchant, one after another; keeps what they share of the last reading.

    Columns work out what is plain, the reference engine what is not: kits within kits, what orders in flight
    take, doubtful or missing figures, and locations left out for a product. Both give the same.

    Args:
        ground: What has been looked up of a reading already.
    """

    def __init__(self, ground: Groundwork | None = None) -> None:
        self._ground = ground

    def allocate(
        self,
        snapshot: InventorySnapshot,
        merchant: MerchantSettings,
        cart: CartSettings,
        orders_in_flight: Mapping[str, int] | None = None,
        *,
        orders_when: str = "",
    ) -> Allocation:
        """Decide what every listing of a cart is told; as ``omsync.allocate``."""
        orders = checked_orders(orders_in_flight or {})
        ground = self._groundwork(snapshot, merchant, cart)
        bench = Workbench(snapshot, merchant, cart, orders, orders_when, ground)
        listings, skipped = listings_of(ground, cart)
        plain = Plain(bench, cart)
        apart = plain.apart(listings)
        others: list[ListingQuantity] = []
        for number in apart:
            for row in bench.rows_of(listings.one(number)):
                if isinstance(row, Skip):
                    skipped.append(row)
                else:
                    others.append(row)
        if apart:
            gone = set(apart)
            listings = listings.only([number for number in range(len(listings)) if number not in gone])
        rows, more = plain.rows_of(listings)
        skipped += more
        others.sort(key=order_of)
        keys = _Keys(rows)
        places = [bisect_left(keys, order_of(other)) + number for number, other in enumerate(others)]
        quantities = Told(rows, places, others)
        doubtful = {row.listing_sku for row in others if row.doubtful}
        return Allocation(
            merchant=merchant.name,
            cart=cart.name,
            quantities=quantities,
            skipped=in_order(skipped),
            notices=tuple(bench.notices(quantities.master_skus(), doubtful)),
            taken_at=snapshot.taken_at.isoformat(),
            workbench=bench,
        )

    def _groundwork(
        self, snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings
    ) -> Groundwork:
        visible = visible_to(choose_locations(snapshot, merchant, cart), merchant)
        ground = self._ground
        # The very same reading, since comparing two of them takes longer than looking one up.
        if (
            ground is None
            or ground.snapshot is not snapshot
            or ground.merchant != merchant
            or ground.visible != visible
        ):
            ground = self._ground = Groundwork(snapshot, merchant, visible)
        return ground


class _Keys(Sequence[tuple[str, str]]):
    """What rows are sorted by, for finding a place among them."""

    def __init__(self, rows: ToldRows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> tuple[str, str]:  # type: ignore[override]  # never sliced
        rows = self._rows
        place = "" if rows.place is None else rows.places[rows.place[number]]
        return rows.listing_skus[rows.listing[number]], place
