"""The products and variations of a WooCommerce shop in memory, and what a write does to their stock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field

__all__ = ["Product", "Products"]

_DIGITS = re.compile(r"\s*[+-]?\d+")
_NO_STOCK = {"grouped", "external"}


@define
class Product:
    """A product or a variation; ``manages`` is its own switch, and a variation's parent may stand in."""

    id: int
    sku: str
    kind: str = "simple"
    parent: Product | None = None
    manages: bool = True
    quantity: int | None = None
    backorders: str = "no"
    trashed: bool = False


@define
class Products:
    """All of them, in the order in which they were made."""

    manage_stock: bool = True
    by_id: dict[int, Product] = field(factory=dict)
    _next_id: int = 10

    def make(self, sku: str, **fields: Any) -> Product:
        """Make a product with the next free id."""
        one = Product(self._next_id, sku, **fields)
        self._next_id += 1
        self.by_id[one.id] = one
        return one

    def by_sku(self, sku: str) -> Product:
        """Give the first product with this SKU."""
        there = next((one for one in self.visible if one.sku == sku), None)
        assert there is not None, f"no product {sku!r} was added"  # noqa: S101  a mistake of the test
        return there

    @property
    def visible(self) -> list[Product]:
        """What is not in the trash."""
        return [one for one in self.by_id.values() if not one.trashed]

    def asked_for(self, sku: str) -> list[Product]:
        """Find by SKU as the route does: parted at commas, whole, without regard to case."""
        # PHP takes "0" for empty, and then the filter is left out.
        if sku in {"", "0"}:
            return [one for one in self.visible if one.parent is None]
        cleaned = re.sub(r"<[^>]*>", "", sku)
        wanted = {part.casefold() for part in (*cleaned.split(","), cleaned)}
        return [one for one in self.visible if one.sku and one.sku.casefold() in wanted]

    def managed(self, one: Product) -> bool | str:
        """Give ``manage_stock`` as the shop shows it: true, false or "parent"."""
        if not self.manage_stock or one.kind in _NO_STOCK:
            return False
        if one.manages:
            return True
        return "parent" if one.parent is not None and one.parent.manages else False

    def shown(self, one: Product) -> int | None:
        """Give the quantity as the shop shows it."""
        managed = self.managed(one)
        if managed == "parent" and one.parent is not None:
            return one.parent.quantity
        return one.quantity if managed else None

    def write(self, one: Product, fields: Mapping[str, Any]) -> None:
        """Do what an update does to the stock; values are taken as PHP takes them."""
        if fields.get("manage_stock") is not None:
            one.manages = fields["manage_stock"] is True
        if fields.get("backorders") is not None:
            one.backorders = fields["backorders"]
        managed = self.managed(one)
        if managed is True and fields.get("stock_quantity") is not None:
            one.quantity = cut(fields["stock_quantity"])
        elif managed is False:
            one.quantity = None
            if one.parent is not None:
                one.backorders = "no"

    def show(self, one: Product, only: Iterable[str] = ()) -> dict[str, Any]:
        """Give the product as the API shows it, or some of its fields."""
        quantity = self.shown(one)
        holder = one.parent if self.managed(one) == "parent" and one.parent is not None else one
        full: dict[str, Any] = {
            "id": one.id,
            "name": f"Product {one.id}",
            "type": one.kind,
            "status": "publish",
            "description": "",
            "sku": one.sku,
            "price": "10",
            "manage_stock": self.managed(one),
            "stock_quantity": quantity,
            "backorders": one.backorders,
            "stock_status": _status(quantity, holder.backorders),
            "parent_id": one.parent.id if one.parent else 0,
        }
        return {name: full[name] for name in only if name in full} if only else full


def cut(value: Any) -> int:
    """Make a whole number as PHP does: what does not begin with digits is 0, fractions are cut."""
    if isinstance(value, str):
        digits = _DIGITS.match(value)
        return int(digits[0]) if digits else 0
    return int(value) if isinstance(value, int | float) else 0


def _status(quantity: int | None, backorders: str) -> str:
    if quantity is None or quantity > 0:
        return "instock"
    return "outofstock" if backorders == "no" else "onbackorder"
