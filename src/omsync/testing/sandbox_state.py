"""What the sandbox's order manager holds right now, and what follows from it: quantities and shares.

Nothing here knows of HTTP. ``Mutations`` changes it; each change ticks the clock and tells the change feed
which products may show another quantity.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from attrs import define, field, frozen

from omsync.errors import InvalidValueError
from omsync.testing.catalog import (
    Catalog,
    CatalogChannel,
    CatalogListing,
    CatalogProduct,
    CatalogWarehouse,
    StockRecord,
)
from omsync.testing.sandbox_changes import ChangeFeed

__all__ = ["ListingState", "OrderState", "ProductState", "Shelf", "Store", "Totals"]

T = TypeVar("T")
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""Where the sandbox's own clock begins."""


@define(eq=False)
class Shelf:
    """A stock record with the ids that the order manager gave it."""

    stock_id: int
    location_id: int
    record: StockRecord


@define(eq=False)
class ProductState:
    """A product with its ids, dates, stock records and the bundles that it is a part of."""

    product_id: int
    value: CatalogProduct
    created: datetime
    modified: datetime
    shelves: list[Shelf] = field(factory=list)
    part_of: list[str] = field(factory=list)

    def shelves_in(self, warehouse_id: int) -> list[Shelf]:
        """Give the records in one warehouse."""
        return [shelf for shelf in self.shelves if shelf.record.warehouse_id == warehouse_id]


@define(eq=False)
class ListingState:
    """A listing with its id and dates."""

    listing_id: int
    value: CatalogListing
    created: datetime
    modified: datetime


@define(eq=False)
class OrderState:
    """An order with its id and dates: what was ordered, by listing SKU, and the product of each."""

    order_id: int
    number: str
    channel_id: int
    placed: datetime
    created: datetime
    modified: datetime
    status: str
    pieces: dict[str, int]
    products: dict[str, str]


@frozen
class Totals:
    """A product's figures, added up over stock locations."""

    on_hand: int = 0
    committed: int = 0
    locked: int = 0
    in_transit: int = 0
    min_stock: int = 0

    @classmethod
    def of(cls, shelves: Iterable[Shelf]) -> Totals:
        """Add up the records."""
        on_hand = committed = locked = in_transit = min_stock = 0
        for shelf in shelves:
            record = shelf.record
            on_hand += record.on_hand
            committed += record.committed
            locked += record.locked
            in_transit += record.in_transit
            min_stock += record.min_stock
        return cls(on_hand, committed, locked, in_transit, min_stock)

    @property
    def available(self) -> int:
        """Units that may be sold; negative when more is promised than there is."""
        return self.on_hand - self.committed - self.locked


class Store:
    """The state of one order manager.

    Args:
        catalog: What it begins with; not kept.
        clock: Tells the time of a change; None for a clock of its own that moves a second with each change.
    """

    def __init__(self, catalog: Catalog, clock: Callable[[], datetime] | None = None) -> None:
        self.company = catalog.company
        self.now = START
        self._clock = clock
        self._found: dict[object, list[Any]] = {}
        self.tick()
        self.warehouses = {one.warehouse_id: one for one in catalog.warehouses}
        self.channels = {one.channel_id: one for one in catalog.channels}
        self.rules = {(rule.channel_id, rule.master_sku): rule for rule in catalog.rules}
        self.products: dict[str, ProductState] = {}
        self.listings: dict[tuple[int, str], ListingState] = {}
        self.orders: dict[int, OrderState] = {}
        self.feed = ChangeFeed()
        self._location_ids: dict[tuple[int, str], int] = {}
        self._next_id = {"product": 4001, "listing": 70001, "stock": 880001, "order": 500001}
        for product in catalog.products:
            self.put_product(product, product.created)
        for listing in catalog.listings:
            self.put_listing(listing, listing.created)
        for record in catalog.stock:
            self.put_record(record)
        for state in self.products.values():
            self.link_parts(state.value)

    def found(self, key: object, search: Callable[[], Iterable[T]]) -> list[T]:
        """Give what a search finds; it is searched once for all pages, until something changes."""
        if key not in self._found:
            if len(self._found) > 64:  # noqa: PLR2004  a few readers' pages; more would only hold memory
                self._found.clear()
            self._found[key] = list(search())
        return self._found[key]

    def active_warehouses(self) -> list[CatalogWarehouse]:
        """Give the warehouses that are switched on, by id."""
        return sorted((one for one in self.warehouses.values() if one.active), key=lambda w: w.warehouse_id)

    def buildable(self, product: ProductState, warehouse_ids: Iterable[int]) -> int:
        """Give how many of a bundle its parts make, the parts of these warehouses taken together."""
        places = [place for place in warehouse_ids if self.warehouses[place].use_component_inventory]
        return self._buildable(product, frozenset(places), frozenset())

    def _buildable(self, product: ProductState, places: frozenset[int], above: frozenset[str]) -> int:
        needs: dict[str, int] = {}
        for part in product.value.components:
            needs[part.master_sku] = needs.get(part.master_sku, 0) + part.quantity
        above |= {product.value.master_sku}
        if not places or above & needs.keys():
            return 0
        makes: list[int] = []
        for sku, need in needs.items():
            if need < 1:
                continue
            part_state = self.products[sku]
            here = Totals.of(one for one in part_state.shelves if one.record.warehouse_id in places)
            makes.append((max(0, here.available) + self._buildable(part_state, places, above)) // need)
        return min(makes, default=0)

    def share(self, product: ProductState, channel: CatalogChannel) -> tuple[int, list[tuple[int, int]]]:
        """Give a channel's quantity of a product, and (warehouse id, units) before the channel's rule."""
        general = self.rules.get((channel.channel_id, None))
        rule = self.rules.get((channel.channel_id, product.value.master_sku)) or general
        excluded = frozenset[int]().union(*(one.excluded_warehouses for one in (general, rule) if one))
        parts: list[tuple[int, int]] = []
        for warehouse in self.active_warehouses():
            shelves = product.shelves_in(warehouse.warehouse_id)
            if shelves and warehouse.warehouse_id not in excluded:
                units = Totals.of(shelves).available
                if channel.counts_buildable:
                    units += self.buildable(product, [warehouse.warehouse_id])
                parts.append((warehouse.warehouse_id, units))
        quantity = max(0, sum(units for _, units in parts))
        if rule:
            quantity = quantity * rule.percent // 100
            quantity = quantity if rule.max_units is None else min(quantity, rule.max_units)
        return quantity, parts

    def product(self, master_sku: str) -> ProductState:
        """Find a product."""
        return self._known("product", self.products, master_sku)

    def warehouse(self, warehouse_id: int) -> CatalogWarehouse:
        """Find a warehouse."""
        return self._known("warehouse", self.warehouses, warehouse_id)

    def channel(self, channel_id: int) -> CatalogChannel:
        """Find a sales channel."""
        return self._known("sales channel", self.channels, channel_id)

    def listing(self, channel_id: int, listing_sku: str) -> ListingState:
        """Find a listing."""
        return self._known("listing", self.listings, (channel_id, listing_sku))

    def shelf(self, master_sku: str, warehouse_id: int, location: str | None) -> Shelf:
        """Find a stock record; without a location, the only one in the warehouse."""
        self.warehouse(warehouse_id)
        shelves = {one.record.location: one for one in self.product(master_sku).shelves_in(warehouse_id)}
        if location is None and len(shelves) == 1:
            return next(iter(shelves.values()))
        return self._known(f"stock record of {master_sku!r} in {warehouse_id} at", shelves, location)

    def _known(self, what: str, among: dict[Any, T], key: object) -> T:
        if key in among:
            return among[key]
        choices = ", ".join(map(repr, list(among)[:10])) or "none"
        raise InvalidValueError(
            f"The sandbox has no {what} {key!r}",
            code="sandbox_unknown",
            remedy=f"Create it first, or name one of: {choices}.",
        )

    def tick(self) -> datetime:
        """Begin a change: give its moment, and forget what was found before it."""
        self._found.clear()
        self.set_clock(self._clock() if self._clock else self.now + timedelta(seconds=1))
        return self.now

    def set_clock(self, moment: datetime) -> None:
        """Set the clock, aware."""
        if moment.tzinfo is None:
            raise InvalidValueError(
                f"The sandbox's clock is set to {moment}, which has no time zone",
                code="sandbox_clock",
                remedy="Use datetime(..., tzinfo=UTC), or clock=lambda: datetime.now(UTC).",
            )
        self.now = moment.astimezone(UTC)

    def moved(self, master_sku: str, channel_ids: Collection[int] | None = None) -> None:
        """Note that a product, and every bundle with it inside, may show another quantity."""
        for sku in self._with_bundles(master_sku):
            self.feed.mark(sku, self.channels if channel_ids is None else channel_ids)

    def put_product(self, product: CatalogProduct, moment: datetime) -> None:
        """Give a product its id and keep it."""
        product_id = self._give_id("product")
        self.products[product.master_sku] = ProductState(product_id, product, moment, moment)

    def put_listing(self, listing: CatalogListing, moment: datetime) -> None:
        """Give a listing its id and keep it."""
        key = (listing.channel_id, listing.listing_sku)
        self.listings[key] = ListingState(self._give_id("listing"), listing, moment, moment)

    def put_record(self, record: StockRecord) -> None:
        """Give a stock record its id and keep it."""
        place = (record.warehouse_id, record.location)
        location_id = self._location_ids.setdefault(place, 3001 + len(self._location_ids))
        self.products[record.master_sku].shelves.append(Shelf(self._give_id("stock"), location_id, record))

    def link_parts(self, product: CatalogProduct) -> None:
        """Let the parts of a bundle know it."""
        for part in product.components:
            self.products[part.master_sku].part_of.append(product.master_sku)

    def _with_bundles(self, master_sku: str) -> Iterator[str]:
        seen, todo = set[str](), [master_sku]
        while todo:
            sku = todo.pop()
            if sku not in seen:
                seen.add(sku)
                todo.extend(self.products[sku].part_of)
                yield sku

    def put_order(self, **order: Any) -> int:
        """Give an order its id and keep it."""
        order_id = self._give_id("order")
        self.orders[order_id] = OrderState(order_id=order_id, **order)
        return order_id

    def order(self, order_id: int) -> OrderState:
        """Find an order."""
        return self._known("order", self.orders, order_id)

    def _give_id(self, kind: str) -> int:
        self._next_id[kind] += 1
        return self._next_id[kind] - 1
