"""What a fake Medusa keeps: inventory items with levels, variants made of items, stock locations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from attrs import define, field

__all__ = ["Item", "Level", "Locations", "State", "Variant"]

Locations = Mapping[str, int | float] | int | float


@define(kw_only=True)
class Level:
    """Units of an item at a location."""

    stocked: int | float = 0
    reserved: int | float = 0


@define(kw_only=True)
class Item:
    """An inventory item; deleting one only marks it, as in Medusa."""

    id: str
    sku: str | None
    levels: dict[str, Level] = field(factory=dict)
    deleted: bool = False


@define(kw_only=True)
class Variant:
    """A product variant; ``parts`` are units by item id."""

    id: str
    sku: str
    managed: bool = True
    parts: dict[str, int] = field(factory=dict)


@define
class State:
    """Everything in the shop."""

    items: dict[str, Item] = field(factory=dict)
    variants: dict[str, Variant] = field(factory=dict)
    locations: dict[str, str] = field(factory=dict)
    _numbers: count[int] = field(factory=lambda: count(1))

    def new_id(self, kind: str) -> str:
        """Make an id in Medusa's style."""
        return f"{kind}_{next(self._numbers):026d}"

    def live_items(self) -> list[Item]:
        """Give the items that are not deleted."""
        return [item for item in self.items.values() if not item.deleted]

    def add_location(self, name: str) -> str:
        """Make a stock location."""
        key = self.new_id("sloc")
        self.locations[key] = name
        return key

    def add_item(self, sku: str | None) -> Item:
        """Make an inventory item."""
        item = Item(id=self.new_id("iitem"), sku=sku)
        self.items[item.id] = item
        return item

    def add_variant(self, sku: str, *, managed: bool, parts: dict[str, int]) -> Variant:
        """Make a product variant."""
        variant = Variant(id=self.new_id("variant"), sku=sku, managed=managed, parts=parts)
        self.variants[variant.id] = variant
        return variant

    def item_of(self, sku: str) -> Item:
        """Find an item by SKU.

        Raises:
            LookupError: No item has it.
        """
        for item in self.live_items():
            if item.sku == sku:
                return item
        raise LookupError(f"no inventory item has the SKU {sku!r}")

    def variant_of(self, sku: str) -> Variant:
        """Find a variant by SKU.

        Raises:
            LookupError: No variant has it.
        """
        for variant in self.variants.values():
            if variant.sku == sku:
                return variant
        raise LookupError(f"no variant has the SKU {sku!r}")

    def location_of(self, wanted: str | None) -> str:
        """Find a location by id or name; None means the first.

        Raises:
            LookupError: There is none.
        """
        for key, name in self.locations.items():
            if wanted in {None, key, name}:
                return key
        raise LookupError(f"no stock location is {wanted!r}")
