"""The stockroom of a fake Adobe Commerce shop: source items, stocks with their index, reservations."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from attrs import define, frozen

__all__ = ["Item", "Product", "Stockroom", "Taken"]

_LONGEST_SKU = 64


class Taken(Exception):  # noqa: N818  the shop's exceptions are answers, and this one is HTTP 400
    """A request that the shop does not take, with its sentence and parameters apart."""

    def __init__(
        self, message: str, parameters: Any = None, errors: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.body: dict[str, Any] = {"message": message}
        if parameters is not None:
            self.body["parameters"] = parameters
        if errors:
            self.body["errors"] = errors


@frozen
class Product:
    """A product and how its stock counts."""

    sku: str
    type_id: str = "simple"
    manage_stock: bool = True
    threshold: int = 0
    backorders: bool = False


@define
class Item:
    """What a source holds of a product."""

    quantity: Decimal
    in_stock: bool
    shown: int | float = 0


class Stockroom:
    """What the shop keeps.

    Args:
        refuses_unknown_skus: Whether a row of an unknown SKU fails its call.
        index_lags: Whether the index waits for ``reindex()``.
    """

    def __init__(self, *, refuses_unknown_skus: bool, index_lags: bool) -> None:
        self.products: dict[str, Product] = {}
        self.items: dict[tuple[str, str], Item] = {}
        self.links: dict[int, list[str]] = {1: []}
        self._sources: dict[str, tuple[str, bool]] = {}
        self._reserved: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._index: dict[tuple[str, int], Decimal] = {}
        self._refuses_unknown_skus = refuses_unknown_skus
        self._index_lags = index_lags
        self.add_source("default", "Default Source", stock=1, enabled=True)

    def add_source(self, code: str, name: str, *, stock: int | None, enabled: bool) -> None:
        """Add a source, and link it to a stock."""
        self._sources[code] = name, enabled
        if stock is not None:
            self.links.setdefault(stock, []).append(code)

    def sources(self) -> list[dict[str, Any]]:
        """Give all sources as the shop shows them."""
        return [
            {"source_code": code, "name": name, "enabled": enabled}
            for code, (name, enabled) in self._sources.items()
        ]

    def add(self, product: Product, quantity: float | None, source: str, *, in_stock: bool | None) -> None:
        """Add a product, and what a source holds of it."""
        self.products[product.sku] = product
        if quantity is not None:
            status = quantity > 0 if in_stock is None else in_stock
            self.items[product.sku, source] = Item(Decimal(str(quantity)), status, quantity)
        self.reindex()

    def remove(self, sku: str) -> None:
        """Delete a product and its source items."""
        del self.products[sku]
        self.items = {key: item for key, item in self.items.items() if key[0] != sku}

    def item(self, sku: str, source: str) -> Item | None:
        """Give a source item."""
        return self.items.get((sku, source))

    def reserve(self, sku: str, stock: int, units: int) -> None:
        """Add a reservation; a negative one makes up for an earlier one."""
        self._reserved[sku, stock] += units

    def take_out(self, sku: str, source: str, units: int) -> None:
        """Take shipped units out of a source."""
        item = self.items[sku, source]
        self._put(sku, source, item.quantity - units, in_stock=item.in_stock)
        self.reindex()

    def save(self, rows: list[dict[str, Any]]) -> None:
        """Write source items, all or none."""
        if not rows:
            raise Taken("Input data is empty")
        problems = [problem for row in rows for problem in _problems(row)]
        if problems:
            first = problems[0]
            message = str(first["message"]).replace("%field", first["parameters"]["field"])
            raise Taken(f"Validation Failed: {message}", errors=problems)
        unknown = self._refuses_unknown_skus and any(row["sku"] not in self.products for row in rows)
        if unknown or any(row["source_code"] not in self._sources for row in rows):
            raise Taken("Could not save Source Item")
        for row in rows:
            self._put(
                row["sku"], row["source_code"], Decimal(str(row["quantity"])), in_stock=row["status"] == 1
            )
        if not self._index_lags:
            self.reindex()

    def reindex(self) -> None:
        """Sum up every stock anew."""
        self._index = {(sku, stock): self._held(sku, stock) for stock in self.links for sku in self.products}

    def is_assigned(self, sku: str, stock: int) -> bool:
        """Tell whether one of the stock's sources has the product; the default stock has all."""
        return stock == 1 or any((sku, code) in self.items for code in self.links.get(stock, []))

    def salable(self, sku: str, stock: int) -> Decimal:
        """Give what may be bought, by the index; 0 of a product that is out of stock."""
        product = self.products[sku]
        held = self._index.get((sku, stock), Decimal())
        left = held - self._reserved[sku, stock] - product.threshold
        return left if left > 0 or product.backorders else Decimal()

    def why_not(self, sku: str, stock: int, units: Decimal) -> list[str]:
        """Say why so many units cannot be bought; this looks at the sources themselves."""
        product = self.products[sku]
        left = self._held(sku, stock) - self._reserved[sku, stock] - product.threshold
        if not product.manage_stock or product.backorders or left >= units:
            return []
        return [
            "back_order-disabled",
            "is_salable_with_reservations-not_enough_qty",
        ]

    def _held(self, sku: str, stock: int) -> Decimal:
        items = [self.items.get((sku, code)) for code in self.links.get(stock, []) if self._sources[code][1]]
        return sum((item.quantity for item in items if item is not None and item.in_stock), Decimal())

    def _put(self, sku: str, source: str, quantity: Decimal, *, in_stock: bool) -> None:
        shown = int(quantity) if quantity == int(quantity) else float(quantity)
        self.items[sku, source] = Item(quantity, in_stock, shown)


def _problems(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what the shop's validators find in a row; they name the field and not the row."""
    found: list[tuple[str, str]] = []
    sku, source = row.get("sku") or "", row.get("source_code") or ""
    if not sku.strip():
        found.append(("sku", '"%field" can not be empty.'))
    if sku != sku.strip():
        found.append(("sku", '"%field" can not contain leading or trailing spaces.'))
    if len(sku) > _LONGEST_SKU:
        found.append(("sku", '"%field" value is not longer than 64 characters.'))
    if not source.strip():
        found.append(("source_code", '"%field" can not be empty.'))
    if " " in source:
        found.append(("source_code", '"%field" can not contain whitespaces.'))
    if type(row.get("quantity")) not in {int, float}:
        found.append(("quantity", '"%field" should be numeric.'))
    if type(row.get("status")) is not int:
        found.append(("status", '"%field" should be numeric.'))
    elif row["status"] not in {0, 1}:
        found.append(("status", '"%field" should a known status.'))
    return [{"message": message, "parameters": {"field": name}} for name, message in found]
