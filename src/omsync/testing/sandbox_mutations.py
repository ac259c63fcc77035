"""What a test or a demonstration does to a sandbox between two reads."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from attrs import evolve

from omsync.errors import InvalidValueError
from omsync.testing.catalog import CatalogListing, CatalogProduct, ChannelRule, StockRecord
from omsync.testing.sandbox_state import Store

__all__ = ["Mutations"]


class Mutations:
    """The changes that can be made to a sandbox; each moves the dates and marks that the API would show.

    Everything that is named and not there raises ``InvalidValueError`` with code ``"sandbox_unknown"``.
    """

    def __init__(self, store: Store, lock: threading.RLock) -> None:
        self._store = store
        self._lock = lock

    @property
    def now(self) -> datetime:
        """The time of the last change."""
        with self._lock:
            return self._store.now

    def set_clock(self, moment: datetime) -> None:
        """Set the sandbox's own clock, aware; it goes on from there, a second with each change."""
        with self._lock:
            self._store.set_clock(moment)

    def set_stock(
        self,
        master_sku: str,
        warehouse_id: int,
        *,
        on_hand: int | None = None,
        committed: int | None = None,
        locked: int | None = None,
        in_transit: int | None = None,
        location: str | None = None,
    ) -> None:
        """Change a stock record's figures, in units; what is left out stays.

        Args:
            master_sku: The product.
            warehouse_id: The warehouse.
            on_hand: Units physically there.
            committed: Units promised to open orders.
            locked: Units kept back.
            in_transit: Units on their way.
            location: The stock location; may be left out when the product has one in this warehouse.
        """
        figures = {"on_hand": on_hand, "committed": committed, "locked": locked, "in_transit": in_transit}
        given: dict[str, Any] = {name: units for name, units in figures.items() if units is not None}
        with self._lock:
            shelf = self._store.shelf(master_sku, warehouse_id, location)
            changed = evolve(shelf.record, **given)
            self._store.tick()
            if changed != shelf.record:
                shelf.record = changed
                self._store.moved(master_sku)

    def create_stock_record(
        self,
        master_sku: str,
        warehouse_id: int,
        *,
        on_hand: int = 0,
        committed: int = 0,
        locked: int = 0,
        in_transit: int = 0,
        location: str | None = None,
    ) -> None:
        """Create a stock record; 0 on hand is what makes a bundle visible."""
        with self._lock:
            warehouse = self._store.warehouse(warehouse_id)
            record = StockRecord(
                master_sku=master_sku,
                warehouse_id=warehouse_id,
                location=warehouse.usual_location if location is None else location,
                on_hand=on_hand,
                committed=committed,
                locked=locked,
                in_transit=in_transit,
            )
            shelves = self._store.product(master_sku).shelves_in(warehouse_id)
            if any(shelf.record.location == record.location for shelf in shelves):
                raise InvalidValueError(
                    f"{master_sku!r} has a stock record in {warehouse_id} at {record.location!r} already",
                    code="sandbox_given_twice",
                    remedy="Change it with set_stock().",
                )
            self._store.tick()
            self._store.put_record(record)
            self._store.moved(master_sku)

    def remove_stock_record(self, master_sku: str, warehouse_id: int, *, location: str | None = None) -> None:
        """Remove a stock record; without a location, all that the product has in this warehouse."""
        with self._lock:
            product = self._store.product(master_sku)
            shelves = product.shelves_in(warehouse_id)
            if location is not None or not shelves:
                shelves = [self._store.shelf(master_sku, warehouse_id, location)]
            self._store.tick()
            product.shelves = [one for one in product.shelves if one not in shelves]
            self._store.moved(master_sku)

    def add_product(self, product: CatalogProduct) -> None:
        """Add a product or a bundle, created now."""
        with self._lock:
            if product.master_sku in self._store.products:
                raise InvalidValueError(
                    f"The sandbox has the product {product.master_sku!r} already",
                    code="sandbox_given_twice",
                    remedy="Change it with change_product().",
                )
            self._check_named(product)
            self._store.put_product(product, self._store.tick())
            self._store.link_parts(product)

    def change_product(self, master_sku: str, **changes: Any) -> None:
        """Change fields of a product, such as ``name=`` or ``components=``; never its master SKU."""
        with self._lock:
            state = self._store.product(master_sku)
            changed = evolve(state.value, **changes)
            self._check_named(changed)
            for part in state.value.components:
                self._store.product(part.master_sku).part_of.remove(master_sku)
            state.value, state.modified = changed, self._store.tick()
            self._store.link_parts(changed)
            self._store.moved(master_sku)

    def deactivate_product(self, master_sku: str) -> None:
        """Switch a product off."""
        self.change_product(master_sku, active=False)

    def add_listing(self, listing: CatalogListing) -> None:
        """Add a listing, created now."""
        with self._lock:
            self._store.product(listing.master_sku)
            self._store.channel(listing.channel_id)
            self._refuse_second(listing)
            self._store.put_listing(listing, self._store.tick())
            self._store.moved(listing.master_sku, [listing.channel_id])

    def rename_listing(self, channel_id: int, listing_sku: str, *, to: str) -> None:
        """Give a listing another listing SKU."""
        self._change_listing(channel_id, listing_sku, {"listing_sku": to})

    def change_listing(self, channel_id: int, listing_sku: str, **changes: Any) -> None:
        """Change fields of a listing, such as ``push_inventory=`` or ``master_sku=``."""
        self._change_listing(channel_id, listing_sku, changes)

    def deactivate_listing(self, channel_id: int, listing_sku: str) -> None:
        """Switch a listing off."""
        self.change_listing(channel_id, listing_sku, active=False)

    def remove_listing(self, channel_id: int, listing_sku: str) -> None:
        """Remove a listing; the API shows no trace of it, so only a full read notices."""
        with self._lock:
            state = self._store.listing(channel_id, listing_sku)
            del self._store.listings[channel_id, listing_sku]
            self._store.tick()
            self._store.moved(state.value.master_sku, [channel_id])

    def change_channel(self, channel_id: int, **changes: Any) -> None:
        """Change fields of a sales channel, such as ``name=`` or ``active=``."""
        with self._lock:
            channel = self._store.channel(channel_id)
            self._store.channels[channel_id] = evolve(channel, **changes)
            self._store.tick()

    def change_warehouse(self, warehouse_id: int, **changes: Any) -> None:
        """Change fields of a warehouse, such as ``name=`` or ``active=``."""
        with self._lock:
            warehouse = self._store.warehouse(warehouse_id)
            self._store.warehouses[warehouse_id] = evolve(warehouse, **changes)
            self._store.tick()
            for product in self._store.products.values():
                if product.shelves_in(warehouse_id):
                    self._store.moved(product.value.master_sku)

    def set_channel_quantity(
        self,
        channel_id: int,
        *,
        master_sku: str | None = None,
        percent: int = 100,
        max_units: int | None = None,
        excluded_warehouses: Iterable[int] = (),
    ) -> None:
        """Give a sales channel its share of a product, or of all products that have no rule of their own.

        Args:
            channel_id: The sales channel.
            master_sku: The product; None for all.
            percent: This share of what is available, rounded down.
            max_units: At most this many units; None for no limit.
            excluded_warehouses: Warehouses left out.
        """
        rule = ChannelRule(
            channel_id=channel_id,
            master_sku=master_sku,
            percent=percent,
            max_units=max_units,
            excluded_warehouses=frozenset(excluded_warehouses),
        )
        with self._lock:
            self._store.channel(channel_id)
            for warehouse_id in rule.excluded_warehouses:
                self._store.warehouse(warehouse_id)
            skus = list(self._store.products) if master_sku is None else [master_sku]
            for sku in skus:
                self._store.product(sku)
            self._store.rules[channel_id, master_sku] = rule
            self._store.tick()
            for sku in skus:
                self._store.feed.mark(sku, [channel_id])

    def _change_listing(self, channel_id: int, listing_sku: str, changes: dict[str, Any]) -> None:
        with self._lock:
            state = self._store.listing(channel_id, listing_sku)
            before, after = state.value, evolve(state.value, **changes)
            self._store.product(after.master_sku)
            if after.listing_sku != listing_sku:
                self._refuse_second(after)
            del self._store.listings[channel_id, listing_sku]
            self._store.listings[channel_id, after.listing_sku] = state
            state.value, state.modified = after, self._store.tick()
            for master_sku in {before.master_sku, after.master_sku}:
                self._store.moved(master_sku, [channel_id])

    def _check_named(self, product: CatalogProduct) -> None:
        for master_sku in (*(part.master_sku for part in product.components), product.parent_sku):
            if master_sku is not None:
                self._store.product(master_sku)

    def _refuse_second(self, listing: CatalogListing) -> None:
        if (listing.channel_id, listing.listing_sku) in self._store.listings:
            raise InvalidValueError(
                f"The sandbox's channel {listing.channel_id} has the listing {listing.listing_sku!r} already",
                code="sandbox_given_twice",
                remedy="Listing SKUs are unique within a channel; change the one that is there.",
            )
