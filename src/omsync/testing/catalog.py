"""What a sandbox holds: a merchant's catalogue in the order manager's own terms, as frozen values.

Ids are whole numbers here, as on the order manager's wire. A ``Catalog`` is checked as a whole when it is
made: everything that it names exists, and nothing is given twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.model import Component

__all__ = [
    "Catalog",
    "CatalogChannel",
    "CatalogListing",
    "CatalogProduct",
    "CatalogWarehouse",
    "ChannelRule",
    "StockRecord",
]

WAREHOUSE_TYPES = (
    "DIRECT_FULFILLMENT",
    "THIRD_PARTY_LOGISTICS",
    "SALES_CHANNEL",
    "DROPSHIP_VENDOR",
    "RETAIL_STORE",
)
_LONG_AGO = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)


def _whole_ids(value: Iterable[int]) -> frozenset[int]:
    return frozenset(checks.as_tuple(value))


def _id() -> Any:
    return field(validator=checks.whole(minimum=1))


@frozen(kw_only=True)
class CatalogWarehouse:
    """A warehouse.

    Args:
        warehouse_id: The order manager's id.
        name: What a person calls it.
        type: One of the order manager's words, such as ``"DIRECT_FULFILLMENT"``.
        active: False when it is switched off.
        channel_id: The sales channel that owns it, for a marketplace's own warehouse.
        use_component_inventory: Whether bundles may be built from parts here. The API does not show it.
    """

    warehouse_id: int = _id()
    name: str = field(validator=checks.text)
    type: str = field(default="DIRECT_FULFILLMENT", validator=checks.one_of(*WAREHOUSE_TYPES))
    active: bool = field(default=True, validator=checks.flag)
    channel_id: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=1)))
    use_component_inventory: bool = field(default=True, validator=checks.flag)

    @property
    def usual_location(self) -> str:
        """The stock location that a new record gets: a shelf in an own warehouse, else ``GLOBAL``."""
        return "A-01" if self.type == "DIRECT_FULFILLMENT" else "GLOBAL"


@frozen(kw_only=True)
class CatalogChannel:
    """A sales channel.

    Args:
        channel_id: The order manager's id.
        name: What a person calls it.
        type: The order manager's word; only ``"CUSTOM"`` and ``"MANUAL"`` ones can be acknowledged.
        active: False when it is switched off.
        counts_buildable: Whether its quantities include bundles that could be built.
    """

    channel_id: int = _id()
    name: str = field(validator=checks.text)
    type: str = field(default="CUSTOM", validator=checks.text)
    active: bool = field(default=True, validator=checks.flag)
    counts_buildable: bool = field(default=True, validator=checks.flag)


@frozen(kw_only=True)
class CatalogProduct:
    """A product.

    Args:
        master_sku: Its code, unique in the catalogue.
        name: What a person calls it.
        kind: ``"core"``, ``"virtual"`` (a parent of variations) or ``"bundle"``.
        active: False when it is switched off.
        components: A bundle's parts.
        parent_sku: The virtual parent of a variation.
        description: A longer text.
        brand: The brand's name.
        weight_oz: Ounces.
        length_in: Inches; likewise ``width_in`` and ``height_in``.
        width_in: Inches.
        height_in: Inches.
        upc: The bar code.
        mpn: The manufacturer's part number.
        digital: True for goods without stock.
        created: When it was made; aware.
    """

    master_sku: str = field(validator=checks.text)
    name: str = field(default="", validator=checks.any_text)
    kind: str = field(default="core", validator=checks.one_of("core", "virtual", "bundle"))
    active: bool = field(default=True, validator=checks.flag)
    components: tuple[Component, ...] = field(
        default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(Component))
    )
    parent_sku: str | None = field(default=None, validator=checks.optional(checks.text))
    description: str = field(default="", validator=checks.any_text)
    brand: str | None = field(default=None, validator=checks.optional(checks.any_text))
    weight_oz: float | None = field(default=None, validator=checks.measure)
    length_in: float | None = field(default=None, validator=checks.measure)
    width_in: float | None = field(default=None, validator=checks.measure)
    height_in: float | None = field(default=None, validator=checks.measure)
    upc: str | None = field(default=None, validator=checks.optional(checks.any_text))
    mpn: str | None = field(default=None, validator=checks.optional(checks.any_text))
    digital: bool = field(default=False, validator=checks.flag)
    created: datetime = field(default=_LONG_AGO, converter=checks.to_utc, validator=checks.moment)

    def __attrs_post_init__(self) -> None:
        if bool(self.components) != (self.kind == "bundle"):
            raise InvalidValueError(
                f"The product {self.master_sku!r} is of kind {self.kind!r} with {len(self.components)} parts",
                code="kind_and_components",
                remedy="Give components= to bundles, and to bundles only.",
            )


@frozen(kw_only=True)
class CatalogListing:
    """A product's code on one sales channel.

    Args:
        channel_id: The sales channel.
        listing_sku: The code there; unique within the channel.
        master_sku: The product.
        active: False when the listing is switched off.
        push_inventory: Whether the order manager itself would push its quantity.
        fn_sku: A marketplace's own label code.
        created: When it was made; aware.
    """

    channel_id: int = _id()
    listing_sku: str = field(validator=checks.text)
    master_sku: str = field(validator=checks.text)
    active: bool = field(default=True, validator=checks.flag)
    push_inventory: bool = field(default=True, validator=checks.flag)
    fn_sku: str | None = field(default=None, validator=checks.optional(checks.text))
    created: datetime = field(default=_LONG_AGO, converter=checks.to_utc, validator=checks.moment)


@frozen(kw_only=True)
class StockRecord:
    """The units of one product at one stock location of one warehouse.

    Args:
        master_sku: The product.
        warehouse_id: The warehouse.
        location: The stock location, such as a shelf.
        on_hand: Units physically there.
        committed: Units of these that are promised to open orders (the wire says allocated).
        locked: Units of these that are kept back.
        in_transit: Units on their way here.
        min_stock: The minimum inventory level.
    """

    master_sku: str = field(validator=checks.text)
    warehouse_id: int = _id()
    location: str = field(default="A-01", validator=checks.text)
    on_hand: int = field(default=0, validator=checks.whole(minimum=0))
    committed: int = field(default=0, validator=checks.whole(minimum=0))
    locked: int = field(default=0, validator=checks.whole(minimum=0))
    in_transit: int = field(default=0, validator=checks.whole(minimum=0))
    min_stock: int = field(default=0, validator=checks.whole(minimum=0))

    @property
    def available(self) -> int:
        """Units that may be sold; negative when more is promised than there is."""
        return self.on_hand - self.committed - self.locked


@frozen(kw_only=True)
class ChannelRule:
    """What share of the stock a sales channel is given.

    Args:
        channel_id: The sales channel.
        master_sku: The product; None for all products of the channel that have no rule of their own.
        percent: This share of what is available, rounded down.
        max_units: At most this many units; None for no limit.
        excluded_warehouses: Warehouses left out, beside those that the channel's general rule leaves out.
    """

    channel_id: int = _id()
    master_sku: str | None = field(default=None, validator=checks.optional(checks.text))
    percent: int = field(default=100, validator=checks.whole(minimum=0, maximum=100))
    max_units: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))
    excluded_warehouses: frozenset[int] = field(
        default=frozenset(), converter=_whole_ids, validator=checks.each(checks.whole(minimum=1))
    )


def _tuple_of(kind: type) -> Any:
    return field(default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(kind)))


@frozen(kw_only=True)
class Catalog:
    """A merchant's catalogue.

    Args:
        products: The products, bundles included.
        warehouses: The warehouses.
        channels: The sales channels.
        listings: The products' codes on the channels.
        stock: The stock records.
        rules: The channels' shares.
        company: The merchant's name.

    Raises:
        InvalidValueError: Something is given twice or names what is not there; lists the first ten findings.
    """

    products: tuple[CatalogProduct, ...] = _tuple_of(CatalogProduct)
    warehouses: tuple[CatalogWarehouse, ...] = _tuple_of(CatalogWarehouse)
    channels: tuple[CatalogChannel, ...] = _tuple_of(CatalogChannel)
    listings: tuple[CatalogListing, ...] = _tuple_of(CatalogListing)
    stock: tuple[StockRecord, ...] = _tuple_of(StockRecord)
    rules: tuple[ChannelRule, ...] = _tuple_of(ChannelRule)
    company: str = field(default="Sandbox Merchant", validator=checks.text)

    def __attrs_post_init__(self) -> None:
        problems = [*_given_twice(self), *_named_but_missing(self)]
        if problems:
            raise InvalidValueError(
                f"The catalogue contradicts itself in {len(problems)} places",
                code="catalog",
                problems=tuple(problems[:10]),
                remedy="Give each thing once, and everything that another names.",
            )

    def __repr__(self) -> str:
        return (
            f"<Catalog of {self.company}: {len(self.products):,} products, {len(self.listings):,} listings, "
            f"{len(self.warehouses):,} warehouses, {len(self.channels):,} channels, "
            f"{len(self.stock):,} stock records>"
        )


def _given_twice(catalog: Catalog) -> Iterator[str]:
    yield from _repeated("product", (product.master_sku for product in catalog.products))
    yield from _repeated("warehouse", (warehouse.warehouse_id for warehouse in catalog.warehouses))
    yield from _repeated("channel", (channel.channel_id for channel in catalog.channels))
    yield from _repeated("listing", ((one.channel_id, one.listing_sku) for one in catalog.listings))
    yield from _repeated(
        "stock record", ((one.master_sku, one.warehouse_id, one.location) for one in catalog.stock)
    )
    yield from _repeated("rule", ((rule.channel_id, rule.master_sku) for rule in catalog.rules))


def _repeated(what: str, keys: Iterable[object]) -> Iterator[str]:
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            yield f"the {what} {key!r} is given twice"
        seen.add(key)


def _named_but_missing(catalog: Catalog) -> Iterator[str]:
    skus = {product.master_sku for product in catalog.products}
    warehouses = {warehouse.warehouse_id for warehouse in catalog.warehouses}
    channels = {channel.channel_id for channel in catalog.channels}
    for product in catalog.products:
        named = [part.master_sku for part in product.components] + [product.parent_sku or product.master_sku]
        yield from (f"the product {product.master_sku!r} names {sku!r}" for sku in named if sku not in skus)
    for listing in catalog.listings:
        if listing.master_sku not in skus or listing.channel_id not in channels:
            yield f"the listing {listing.listing_sku!r} names {listing.master_sku!r} on {listing.channel_id}"
    for record in catalog.stock:
        if record.master_sku not in skus or record.warehouse_id not in warehouses:
            yield f"a stock record names {record.master_sku!r} in warehouse {record.warehouse_id}"
    for rule in catalog.rules:
        known = rule.master_sku is None or rule.master_sku in skus
        if not known or rule.channel_id not in channels or not rule.excluded_warehouses <= warehouses:
            yield f"a rule names channel {rule.channel_id}, {rule.master_sku!r}, {rule.excluded_warehouses}"
