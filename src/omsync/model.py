"""What an order manager holds, as frozen values: products, aliases, places, bundles and stock.

Ids are text everywhere. A figure that was not reported is None, never 0. A snapshot is one complete
reading; it owns how it stores millions of stock levels and gives out ``StockLevel`` values when iterated.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from datetime import datetime

from attrs import field, frozen

from omsync import checks
from omsync.errors import SnapshotError
from omsync.levels import Levels, StockLevel

__all__ = [
    "Alias",
    "Bundle",
    "Component",
    "InventorySnapshot",
    "Levels",
    "SalesChannel",
    "Sku",
    "StockLevel",
    "Warehouse",
]


@frozen(kw_only=True)
class Sku:
    """One product of the order manager, under its master SKU.

    Args:
        master_sku: The order manager's own code; compared exactly, letter case included.
        name: What a person calls it.
        description: A longer text.
        active: False when the order manager has switched the product off.
        kind: ``"core"``, ``"bundle"`` or ``"virtual"`` (the parent of variations, never stocked itself).
        digital: True for goods without stock, such as a licence.
        tracked: False when the order manager does not count this product.
        weight_oz: Ounces.
        length_in: Inches; likewise ``width_in`` and ``height_in``.
        width_in: Inches.
        height_in: Inches.
        upc: The bar code.
        mpn: The manufacturer's part number.
        brand: The brand's name.
        source_id: The order manager's internal id, where it has one.
    """

    master_sku: str = field(validator=checks.text)
    name: str = field(default="", validator=checks.any_text)
    description: str = field(default="", validator=checks.any_text)
    active: bool = field(default=True, validator=checks.flag)
    kind: str = field(default="core", validator=checks.one_of("core", "bundle", "virtual"))
    digital: bool = field(default=False, validator=checks.flag)
    tracked: bool = field(default=True, validator=checks.flag)
    weight_oz: float | None = field(default=None, validator=checks.measure)
    length_in: float | None = field(default=None, validator=checks.measure)
    width_in: float | None = field(default=None, validator=checks.measure)
    height_in: float | None = field(default=None, validator=checks.measure)
    upc: str | None = field(default=None, validator=checks.optional(checks.any_text))
    mpn: str | None = field(default=None, validator=checks.optional(checks.any_text))
    brand: str | None = field(default=None, validator=checks.optional(checks.any_text))
    source_id: str | None = field(default=None, validator=checks.optional(checks.text))


@frozen(kw_only=True)
class Alias:
    """A second code of a product, such as the SKU under which a sales channel lists it.

    Args:
        name: The alias name: the sales channel's name, or a word such as ``"UPC"``.
        listing_sku: The code that the cart knows.
        master_sku: The product that it stands for.
        units: Units of the product in one piece of the listing; a six-pack has 6.
        active: False when the listing is switched off.
        push_inventory: Whether the order manager itself would push this listing.
        channel_id: The id of the sales channel, when the alias is one of its listings.
        source_id: The order manager's internal id of the listing, where it has one.
    """

    name: str = field(validator=checks.text)
    listing_sku: str = field(validator=checks.text)
    master_sku: str = field(validator=checks.text)
    units: int = field(default=1, validator=checks.whole(minimum=1))
    active: bool = field(default=True, validator=checks.flag)
    push_inventory: bool = field(default=True, validator=checks.flag)
    channel_id: str | None = field(default=None, validator=checks.optional(checks.text))
    source_id: str | None = field(default=None, validator=checks.optional(checks.text))


@frozen(kw_only=True)
class Warehouse:
    """A place that holds stock.

    Args:
        id: The order manager's id, as text.
        name: What a person calls it; names need not be unique, ids must.
        kind: The order manager's word, such as ``"DIRECT_FULFILLMENT"`` or ``"SALES_CHANNEL"``. A kind that
            someone else ships from holds a cart that combines it, until a setting names the warehouse.
        active: False when the order manager has switched it off; then it is never counted.
    """

    id: str = field(validator=checks.text)
    name: str = field(default="", validator=checks.any_text)
    kind: str = field(default="", validator=checks.any_text)
    active: bool = field(default=True, validator=checks.flag)


@frozen(kw_only=True)
class SalesChannel:
    """A place that sells; in sales-channel mode it takes a warehouse's place.

    Args:
        id: The order manager's id, as text.
        name: What a person calls it.
        kind: The order manager's word, such as ``"CUSTOM"`` or ``"SHOPIFY"``.
        active: False when the order manager has switched it off.
    """

    id: str = field(validator=checks.text)
    name: str = field(default="", validator=checks.any_text)
    kind: str = field(default="", validator=checks.any_text)
    active: bool = field(default=True, validator=checks.flag)


@frozen(kw_only=True)
class Component:
    """One part of a bundle.

    Args:
        master_sku: The part; it may be a bundle itself.
        quantity: Units of the part in one bundle. Below 1 the bundle is skipped, and says so.
    """

    master_sku: str = field(validator=checks.text)
    quantity: int = field(default=1, validator=checks.whole())


@frozen(kw_only=True)
class Bundle:
    """A product that is sold as one and made of parts.

    Args:
        master_sku: The bundle's own master SKU.
        components: Its parts. A part that is named twice is needed the sum of times.
    """

    master_sku: str = field(validator=checks.text)
    components: tuple[Component, ...] = field(
        converter=checks.as_tuple, validator=checks.each(checks.instance_of(Component))
    )


Place = Warehouse | SalesChannel


def _levels(value: Iterable[StockLevel]) -> Levels:
    return value if isinstance(value, Levels) else Levels(value)


@frozen(kw_only=True, repr=False)
class InventorySnapshot:
    """One complete reading of an order manager.

    Args:
        taken_at: When the reading began; aware, kept as UTC. Its figures are at least this fresh.
        skus: The products, unique by master SKU.
        aliases: All aliases, inactive ones too.
        warehouses: All warehouses, inactive ones too; unique by id.
        sales_channels: All sales channels; unique by id.
        bundles: The bundles' parts; unique by master SKU.
        levels: The stock records, any iterable; unique by (master SKU, location).
        scope: Whether the levels' locations are warehouses or sales channels; one snapshot has one scope.
        bundles_include_buildable: Whether a bundle's reported figure already counts what its parts make.
        doubtful: (master SKU, location) pairs whose newest figure was lost on its way; they are never raised.

    Raises:
        SnapshotError: Something is given twice, or a level names a location that the snapshot does not have.
    """

    taken_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    skus: tuple[Sku, ...] = field(
        default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(Sku))
    )
    aliases: tuple[Alias, ...] = field(
        default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(Alias))
    )
    warehouses: tuple[Warehouse, ...] = field(
        default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(Warehouse))
    )
    sales_channels: tuple[SalesChannel, ...] = field(
        default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(SalesChannel))
    )
    bundles: tuple[Bundle, ...] = field(
        default=(), converter=checks.as_tuple, validator=checks.each(checks.instance_of(Bundle))
    )
    levels: Levels = field(factory=Levels, converter=_levels)
    scope: str = field(default="warehouse", validator=checks.one_of("warehouse", "channel"))
    bundles_include_buildable: str = field(default="no", validator=checks.one_of("no", "yes", "unknown"))
    doubtful: frozenset[tuple[str, str]] = field(default=frozenset(), converter=checks.as_pairs)

    def __attrs_post_init__(self) -> None:
        _refuse_twice("product", [sku.master_sku for sku in self.skus])
        _refuse_twice("warehouse id", [warehouse.id for warehouse in self.warehouses])
        _refuse_twice("sales channel id", [channel.id for channel in self.sales_channels])
        _refuse_twice("bundle", [bundle.master_sku for bundle in self.bundles])
        self._refuse_unknown_locations()

    def _refuse_unknown_locations(self) -> None:
        known = {place.id for place in self.places}
        strange = sorted(set(self.levels.location_ids) - known)
        if strange:
            kind = "warehouses" if self.scope == "warehouse" else "sales channels"
            raise SnapshotError(
                f"Stock levels name locations that are not among the snapshot's {kind}: "
                f"{', '.join(map(repr, strange[:10]))}",
                code="unknown_level_location",
                remedy=f"Give every location of a level in {kind.replace(' ', '_')}=; known: "
                f"{', '.join(map(repr, sorted(known))) or 'none'}.",
            )

    def with_levels(self, changed: Iterable[StockLevel]) -> InventorySnapshot:
        """Give the same reading with some stock records as they are now; what it did not have is added.

        Raises:
            SnapshotError: A record is given twice, or names a location that the snapshot does not have.
        """
        levels = self.levels.with_changes(changed)
        other = copy(self)
        object.__setattr__(other, "levels", levels)
        # All else was looked at when this reading was made.
        other._refuse_unknown_locations()  # noqa: SLF001  one of our own kind
        return other

    @property
    def places(self) -> tuple[Place, ...]:
        """The locations that this snapshot's levels speak of: its warehouses or its sales channels."""
        return self.warehouses if self.scope == "warehouse" else self.sales_channels

    def __repr__(self) -> str:
        return (
            f"<InventorySnapshot of {self.taken_at:%Y-%m-%d %H:%M:%S}Z, scope {self.scope}: "
            f"{len(self.skus):,} products, {len(self.aliases):,} aliases, {len(self.places):,} locations, "
            f"{len(self.bundles):,} bundles, {len(self.levels):,} stock records>"
        )


def _refuse_twice(what: str, keys: list[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise SnapshotError(
                f"The snapshot gives the {what} {key!r} twice",
                code="given_twice",
                remedy=f"Give each {what} once; omsync never picks one of two.",
            )
        seen.add(key)
