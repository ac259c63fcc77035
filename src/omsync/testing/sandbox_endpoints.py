"""The endpoints: for each, what it answers to a query. Pure functions of the state and the query.

An endpoint answers a JSON value, or ``Rows``: everything that matches, of which the sandbox writes one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import frozen

from omsync.testing import sandbox_wire as wire
from omsync.testing.sandbox_queries import Query, Refusal
from omsync.testing.sandbox_state import ListingState, OrderState, ProductState, Shelf, Store, Totals

__all__ = ["ORDER_STATUSES", "ROUTES", "Route", "Rows"]

T = TypeVar("T")
_ACKNOWLEDGED_TYPES = ("CUSTOM", "MANUAL")
ORDER_STATUSES = frozenset(
    {
        "UNRESOLVED",
        "AWAITING_PAYMENT",
        "AWAITING_SHIPMENT",
        "AWAITING_MC_FULFILLMENT",
        "AWAITING_3PL_EXPORT",
        "AWAITING_DROPSHIP",
        "PENDING_FULFILLMENT",
        "SHIPPED",
        "CANCELLED",
        "ON_HOLD",
        "SKU_UNPROCESSED",
        "PROCESSED_OUTSIDE_OF_SKUBANA",
        "INBOUND_SHIPMENT_PLAN",
    }
)
_COMPONENTS, _POOLED = "COMPONENT_INVENTORY", "COMPONENT_INVENTORY_ACROSS_WAREHOUSES"


@frozen
class Rows(Generic[T]):
    """Everything that matches, and how one of it is written."""

    found: Sequence[T]
    write: Callable[[T], wire.Json]


@frozen
class Route:
    """One endpoint.

    Args:
        method: The verb.
        path: The path; ``{id}`` stands for a number.
        answer: The function that answers.
        usual_limit: Rows in a page when the request does not say; None for endpoints that are not paged.
    """

    method: str
    path: str
    answer: Callable[..., Any]
    usual_limit: int | None = None

    @property
    def lane(self) -> str:
        """Verb and path, as faults and throttle limits name it."""
        return f"{self.method} {self.path}"


def warehouses(store: Store, _: Query) -> Any:
    """Answer all warehouses, inactive ones too; not paged."""
    return [wire.warehouse_row(store.warehouses[key]) for key in sorted(store.warehouses)]


def warehouse(store: Store, _: Query, warehouse_id: int) -> Any:
    """Answer one warehouse."""
    if warehouse_id not in store.warehouses:
        raise Refusal(404, f"There is no warehouse {warehouse_id}")
    return wire.warehouse_row(store.warehouses[warehouse_id])


def sales_channels(store: Store, query: Query) -> Any:
    """Answer the sales channels; inactive ones when asked; not paged."""
    inactive_too = query.flag("includeInactive") is True
    rows = (store.channels[key] for key in sorted(store.channels))
    return [wire.channel_row(channel) for channel in rows if channel.active or inactive_too]


def products(store: Store, query: Query) -> Any:
    """Answer products by id; sku, mpn and upc match by prefix."""
    skus, mpns, upcs = (_prefixes(query, name) for name in ("sku", "mpn", "upc"))
    active = query.flag("active")
    created, modified = _window(query, "createdDate"), _window(query, "modifiedDate")
    unstocked = "UNCONFIGURED_STOCK" in query.texts("productInvStatus")

    def search() -> Iterator[ProductState]:
        for product in store.products.values():
            value = product.value
            if (
                (active is None or value.active is active)
                and created(product.created)
                and modified(product.modified)
                and _begins(value.master_sku, skus)
                and _begins(value.mpn, mpns)
                and _begins(value.upc, upcs)
                and not (unstocked and product.shelves)
            ):
                yield product

    return Rows(_found(store, query, "products", search), lambda one: wire.product_row(one, store.products))


def product(store: Store, query: Query) -> Any:
    """Answer one product by id or exact code."""
    wanted = (query.whole("productId"), query.text("sku"), query.text("mpn"), query.text("upc"))
    if not any(wanted):
        raise Refusal(422, "One of productId, sku, mpn and upc is required")
    active = query.flag("active")
    for one in store.products.values():
        has = (one.product_id, one.value.master_sku, one.value.mpn, one.value.upc)
        if all(not want or want == value for want, value in zip(wanted, has, strict=True)) and (
            active is None or one.value.active is active
        ):
            return wire.product_row(one, store.products)
    raise Refusal(404, "There is no such product")


def listings(store: Store, query: Query) -> Any:
    """Answer listings by id."""
    channel, active = query.whole("salesChannelId"), query.flag("active")
    ids, product_ids = frozenset(query.wholes("listingId")), frozenset(query.wholes("productId"))
    listing_skus, master_skus = frozenset(query.texts("listingSku")), frozenset(query.texts("masterSku"))
    created, modified = _window(query, "createdDate"), _window(query, "modifiedDate")

    def search() -> list[ListingState]:
        return sorted(
            (
                one
                for one in store.listings.values()
                if (not channel or one.value.channel_id == channel)
                and (active is None or one.value.active is active)
                and (not ids or one.listing_id in ids)
                and (not listing_skus or one.value.listing_sku in listing_skus)
                and (not master_skus or one.value.master_sku in master_skus)
                and (not product_ids or store.products[one.value.master_sku].product_id in product_ids)
                and created(one.created)
                and modified(one.modified)
            ),
            key=lambda one: one.listing_id,
        )

    return Rows(
        _found(store, query, "listings", search),
        lambda one: wire.listing_row(one, store.products[one.value.master_sku]),
    )


def orders(store: Store, query: Query) -> Any:
    """Answer orders by id; order numbers match by prefix."""
    channel, ids = query.whole("salesChannelId"), frozenset(query.wholes("orderId"))
    numbers, statuses = _prefixes(query, "orderNumber"), frozenset(query.texts("status"))
    if statuses - ORDER_STATUSES:
        raise Refusal(422, f"status must be one of {', '.join(sorted(ORDER_STATUSES))}")
    placed, created = _window(query, "orderDate"), _window(query, "createdDate")
    modified = _window(query, "modifiedDate")

    def search() -> Iterator[OrderState]:
        for one in store.orders.values():
            if (
                (not channel or one.channel_id == channel)
                and (not ids or one.order_id in ids)
                and (not statuses or one.status in statuses)
                and _begins(one.number, numbers)
                and placed(one.placed)
                and created(one.created)
                and modified(one.modified)
            ):
                yield one

    return Rows(
        _found(store, query, "orders", search),
        lambda one: wire.order_row(one, store.channels[one.channel_id], store.products),
    )


def inventory(store: Store, query: Query) -> Any:
    """Answer stock records by id, one row for each stock location; sku matches by prefix."""
    place, location = query.whole("warehouseId"), query.text("stockLocationName")
    prefixes, ids = _prefixes(query, "sku"), frozenset(query.wholes("productId"))
    created = _window(query, "createdDate", "createdFromDate", "createdToDate")
    with_parts = query.flag("includeBundledItems") is not False and bool(prefixes or ids)

    def asked() -> Iterable[ProductState]:
        matching = [
            one
            for one in store.products.values()
            if _begins(one.value.master_sku, prefixes)
            and (not ids or one.product_id in ids)
            and created(one.created)
        ]
        if not with_parts:
            return matching
        parts = (store.products[part.master_sku] for one in matching for part in one.value.components)
        return {one.product_id: one for one in (*matching, *parts)}.values()

    def search() -> list[tuple[ProductState, Shelf]]:
        return sorted(
            (
                (one, shelf)
                for one in asked()
                for shelf in one.shelves
                if (not place or shelf.record.warehouse_id == place)
                and (not location or shelf.record.location == location)
            ),
            key=lambda pair: pair[1].stock_id,
        )

    return Rows(_found(store, query, "inventory", search), lambda pair: wire.stock_row(*pair))


def physical_totals(store: Store, query: Query) -> Any:
    """Answer one row for each product that has a stock record: what is physically there."""
    return _totals(store, query, lambda _: 0)


def totals(store: Store, query: Query) -> Any:
    """Answer totals; on request with the units of bundles that their parts would make."""
    options = query.texts("inventoryOptions")
    unknown = [option for option in options if option not in {_COMPONENTS, _POOLED}]
    if unknown:
        raise Refusal(422, f"inventoryOptions must be {_COMPONENTS} or {_POOLED}")
    places = _places(store, query)

    def buildable(product: ProductState) -> int:
        recorded = [place for place in places if product.shelves_in(place)]
        if _POOLED in options:
            return store.buildable(product, [one.warehouse_id for one in store.active_warehouses()])
        if _COMPONENTS in options:
            return sum(store.buildable(product, [place]) for place in recorded)
        return 0

    return _totals(store, query, buildable)


def acknowledge(store: Store, query: Query) -> Any:
    """Answer one page of what changed for a channel since it was last answered, and forget it."""
    channel_id = query.whole("salesChannelId")
    for name in ("fromDate", "toDate"):
        query.moment(name)  # Refused when it cannot be read, and without effect otherwise.
    if channel_id not in store.channels:
        raise Refusal(422, "salesChannelId is required" if not channel_id else "Unknown salesChannelId")
    channel = store.channels[channel_id]
    if channel.type not in _ACKNOWLEDGED_TYPES:
        raise Refusal(422, f"The sales channel {channel_id} is of type {channel.type}, not CUSTOM or MANUAL")

    told, remaining = store.feed.take(
        channel_id,
        everything=store.products.keys(),
        recorded=lambda sku: bool(store.products[sku].shelves),
        page=query.page,
        limit=query.limit,
    )
    states = [store.products[sku] for sku in told]
    quantities = [wire.quantity_row(state, *store.share(state, channel)) for state in states]
    return [{"pagesRemaining": remaining, "productAggregatedQuantities": quantities}]


def fba(store: Store, query: Query) -> Any:
    """Answer the marketplace's own stock of one product, one row for each of its listings there."""
    place, product_id, sku = query.whole("warehouseId"), query.whole("productId"), query.text("sku")
    if not place or not (product_id or sku):
        raise Refusal(422, "warehouseId and one of productId and sku are required")
    owner = store.warehouses.get(place)

    def search() -> Iterator[ListingState]:
        for one in store.listings.values():
            state = store.products[one.value.master_sku]
            asked = state.product_id == product_id if product_id else state.value.master_sku == sku
            if asked and owner and one.value.channel_id == owner.channel_id and state.shelves_in(place):
                yield one

    return Rows(
        list(search()),
        lambda one: wire.fba_row(store.products[one.value.master_sku], one, store.warehouses[place]),
    )


def company(store: Store, _: Query) -> Any:
    """Answer who the merchant is: a cheap way to try a token."""
    return {"companyId": 9001, "companyName": store.company}


def _totals(store: Store, query: Query, buildable: Callable[[ProductState], int]) -> Any:
    ids, skus = frozenset(query.wholes("productId")), frozenset(query.texts("sku"))
    places = frozenset(_places(store, query))

    def search() -> Iterator[ProductState]:
        for sku, one in store.products.items():
            asked = (not skus or sku in skus) and (not ids or one.product_id in ids)
            if asked and any(shelf.record.warehouse_id in places for shelf in one.shelves):
                yield one

    def write(one: ProductState) -> wire.Json:
        here = (shelf for shelf in one.shelves if shelf.record.warehouse_id in places)
        return wire.totals_row(one, Totals.of(here), buildable(one))

    return Rows(_found(store, query, "totals", search), write)


def _places(store: Store, query: Query) -> list[int]:
    asked = query.whole("warehouseId")
    return [asked] if asked else [one.warehouse_id for one in store.active_warehouses()]


def _found(store: Store, query: Query, what: str, search: Callable[[], Iterable[T]]) -> list[T]:
    return store.found((what, query.without("page", "limit")), search)


def _prefixes(query: Query, name: str) -> tuple[str, ...]:
    return tuple(value.lower() for value in query.texts(name))


def _begins(value: str | None, prefixes: tuple[str, ...]) -> bool:
    return not prefixes or (value is not None and value.lower().startswith(prefixes))


def _window(query: Query, stem: str, begin: str = "", end: str = "") -> Callable[[datetime], bool]:
    since, until = query.moment(begin or f"{stem}From"), query.moment(end or f"{stem}To")
    return lambda moment: (since is None or moment >= since) and (until is None or moment <= until)


ROUTES: Mapping[str, Route] = {
    route.lane: route
    for route in (
        Route("GET", "/v1/warehouses", warehouses),
        Route("GET", "/v1/warehouse/{id}", warehouse),
        Route("GET", "/v1/saleschannels", sales_channels),
        Route("GET", "/v1.1/products", products, 20),
        Route("GET", "/v1.1/product", product),
        Route("GET", "/v1/listings", listings, 100),
        Route("GET", "/v1.1/orders", orders, 100),
        Route("GET", "/v1/inventory", inventory, 20),
        Route("GET", "/v1/productstocks/total", physical_totals, 20),
        Route("GET", "/v1.1/productstocks/total", totals, 20),
        Route("POST", "/v1.2/inventory/acknowledge", acknowledge, 500),
        Route("GET", "/v1/inventory/fba", fba, 100),
        Route("GET", "/v1/companyinfo", company),
    )
}
