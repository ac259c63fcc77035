"""An Adobe Commerce shop in memory: products, sources, stocks, reservations, and the REST calls for them.

As documented, and as the source of Multi Source Inventory has it: a call writes all its source items or
none, and its error names a field and no row; a row without a status is refused; what shoppers may buy is what
the stock's index holds, less reservations and threshold, and 0 for a product that is out of stock; input
limits are off until somebody turns them on; a bulk is worked through later, each body for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from omsync.http.messages import Response
from omsync.testing.carts._adobe_access import Doorkeeper
from omsync.testing.carts._adobe_bulk import Bulks
from omsync.testing.carts._adobe_stock import Product, Stockroom, Taken
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["AdobeShop"]

_READ = "Magento_InventoryApi::source"
_WRITE = "Magento_InventoryApi::stock_source_item_assign"
_SALES = "Magento_InventorySalesApi::stock"
_CATALOG = "Magento_Catalog::products"
_STOCK_ITEM = "Magento_CatalogInventory::cataloginventory"
_BULK = "Magento_Logging::system_magento_logging_bulk_operations"
_FIRST = "searchCriteria[filter_groups][0][filters][0]"
_LAST_PAGE = 1_000_000


class AdobeShop(Platform):
    """A shop with the source ``default`` in the stock 1; its credentials are those of ``Doorkeeper``.

    Args:
        base_url: Where the shop thinks it lives; a signature covers the address.
        input_limits: Items in one call, bodies in one bulk, rows on one page; None: the limits are off.
        refuses_unknown_skus: Whether a row of an unknown SKU fails its call, as in newer versions; older ones
            take it in silence.
        index_lags: Whether the stock's index waits for ``reindex()``, as where it is updated by schedule.
        bulk_looks: How often a bulk is asked about before its consumers have worked through it.
        bulk_repeats: Whether a bulk's report repeats each body.
        saas: Whether the shop speaks as Adobe Commerce as a Cloud Service, below ``/tenant-1``.
        now: See ``Platform``.
    """

    def __init__(
        self,
        *,
        base_url: str = "https://shop.example",
        input_limits: tuple[int, int, int] | None = None,
        refuses_unknown_skus: bool = True,
        index_lags: bool = False,
        bulk_looks: int = 1,
        bulk_repeats: bool = True,
        saas: bool = False,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.stock = Stockroom(refuses_unknown_skus=refuses_unknown_skus, index_lags=index_lags)
        self.doorkeeper = Doorkeeper(base_url=base_url, saas=saas, now=self.now)
        self.input_limits = input_limits
        self._bulks = Bulks(self.stock.save, looks=bulk_looks, repeats=bulk_repeats)
        self._root = "/tenant-1" if saas else "/rest/all"
        self._bulk_path = "/V1/async/bulk" if saas else "/async/bulk/V1"

    def add_source(self, code: str, name: str, *, stock: int | None = 1, enabled: bool = True) -> None:
        """Add a source, behind those that the stock has; without a stock nobody buys from it."""
        self.stock.add_source(code, name, stock=stock, enabled=enabled)

    def add(
        self,
        sku: str,
        quantity: float | None = 0,
        *,
        source: str = "default",
        in_stock: bool | None = None,
        type_id: str = "simple",
        manage_stock: bool = True,
        threshold: int = 0,
        backorders: bool = False,
    ) -> None:
        """Add a product, or put one into a further source; without a quantity it is in no source yet.

        Args:
            sku: The product's code.
            quantity: Units at the source.
            source: The source's code.
            in_stock: The source item's status; by its quantity when left out.
            type_id: ``"simple"``, ``"virtual"``, ``"configurable"`` and so on.
            manage_stock: Whether the shop counts the product.
            threshold: The units from which on it counts as out of stock.
            backorders: Whether it can be bought below that.
        """
        product = Product(sku, type_id, manage_stock, threshold, backorders)
        self.stock.add(product, quantity, source, in_stock=in_stock)

    def remove(self, sku: str) -> None:
        """Delete a product."""
        self.stock.remove(sku)

    def order(self, sku: str, units: int, *, stock: int = 1) -> None:
        """Place an order: its units are reserved in the stock, and stay in the sources until shipped."""
        self.stock.reserve(sku, stock, units)

    def ship(self, sku: str, units: int, *, source: str = "default", stock: int = 1) -> None:
        """Ship an order: the source's quantity and the reservation fall together."""
        self.stock.take_out(sku, source, units)
        self.stock.reserve(sku, stock, -units)

    def quantity(self, sku: str, source: str = "default") -> float | None:
        """Give what the source holds; None where it does not have the product."""
        item = self.stock.item(sku, source)
        return _number(item.quantity) if item else None

    def in_stock(self, sku: str, source: str = "default") -> bool:
        """Tell the source item's status."""
        item = self.stock.item(sku, source)
        return item is not None and item.in_stock

    def salable(self, sku: str, stock: int = 1) -> float:
        """Give what shoppers may buy, as the shop says."""
        return _number(self.stock.salable(sku, stock))

    def reindex(self) -> None:
        """Bring the stock's index up to date."""
        self.stock.reindex()

    def answer(self, asked: Asked) -> Response:
        """Answer one request."""
        granted = self.doorkeeper.grant(asked)
        if granted is not None:
            return granted
        if not asked.path.startswith(self._root):
            return Response(status=404, content=b"<!doctype html><title>404 Not Found</title>")
        return self.doorkeeper.refuse(asked) or self._route(asked, asked.path.removeprefix(self._root))

    def _route(self, asked: Asked, path: str) -> Response:
        stock_sources = "/V1/inventory/get-sources-assigned-to-stock-ordered-by-priority/*"
        routes: list[tuple[str, str, str, Callable[..., Response]]] = [
            ("GET", "/V1/products", _CATALOG, self._products),
            ("GET", "/V1/stockItems/*", _STOCK_ITEM, self._stock_item),
            ("GET", "/V1/inventory/sources", _READ, self._sources),
            ("GET", "/V1/inventory/source-items", _READ, self._source_items),
            ("POST", "/V1/inventory/source-items", _WRITE, self._write),
            ("POST", f"{self._bulk_path}/inventory/source-items", _WRITE, self._hand_in),
            ("GET", stock_sources, _READ, self._sources_of_stock),
            ("GET", "/V1/inventory/get-product-salable-quantity/*/*", _SALES, self._salable),
            ("GET", "/V1/inventory/is-product-salable-for-requested-qty/*/*/*", _SALES, self._is_salable),
            ("GET", "/V1/bulk/*/status", _BULK, self._bulks.status),
            ("GET", "/V1/bulk/*/detailed-status", _BULK, self._bulks.detailed_status),
        ]
        for method, pattern, resource, route in routes:
            parts = _match(pattern, path)
            if method != asked.method or parts is None:
                continue
            if resource not in self.doorkeeper.resources:
                message = "The consumer isn't authorized to access %resources."
                return _error(message, {"resources": resource}, status=401)
            try:
                return route(asked, *parts)
            except Taken as problem:
                return json_answer(problem.body, 400)
        return _error("Request does not match any route.", status=404)

    def _products(self, asked: Asked) -> Response:
        rows = [{"sku": one.sku, "type_id": one.type_id} for one in self.stock.products.values()]
        return self._page(asked, rows)

    def _source_items(self, asked: Asked) -> Response:
        rows = [
            {
                "sku": sku,
                "source_code": source,
                "quantity": item.shown,
                "status": int(item.in_stock),
            }
            for (sku, source), item in self.stock.items.items()
        ]
        return self._page(asked, rows)

    def _sources(self, asked: Asked) -> Response:
        return self._page(asked, self.stock.sources())

    def _sources_of_stock(self, _: Asked, stock_id: str) -> Response:
        rows = {row["source_code"]: row for row in self.stock.sources()}
        return json_answer([rows[code] for code in self.stock.links.get(int(stock_id), [])])

    def _stock_item(self, _: Asked, sku: str) -> Response:
        product = self.stock.products.get(sku)
        if product is None:
            return _error('The Product with the "%1" SKU doesn\'t exist.', [sku], status=404)
        return json_answer({"manage_stock": product.manage_stock, "use_config_manage_stock": True})

    def _salable(self, _: Asked, sku: str, stock_id: str) -> Response:
        product = self.stock.products.get(sku)
        if product is None:
            return _error("The product that was requested doesn't exist.", status=404)
        if product.type_id in {"configurable", "bundle", "grouped"}:
            return _error("Can't check requested quantity for products without Source Items support.")
        if not self.stock.is_assigned(sku, int(stock_id)):
            return _error("The requested sku is not assigned to given stock.")
        return json_answer(_number(self.stock.salable(sku, int(stock_id))))

    def _is_salable(self, _: Asked, sku: str, stock_id: str, units: str) -> Response:
        codes = self.stock.why_not(sku, int(stock_id), Decimal(units))
        errors = [{"code": code, "message": "No."} for code in codes]
        return json_answer({"salable": not errors, "errors": errors})

    def _write(self, asked: Asked) -> Response:
        rows = asked.json().get("sourceItems")
        self._check_limit(rows, 0)
        self.stock.save(rows)
        return json_answer([])

    def _hand_in(self, asked: Asked) -> Response:
        bodies = asked.json()
        self._check_limit(bodies, 1)
        return self._bulks.hand_in(bodies)

    def _check_limit(self, rows: list[Any], which: int) -> None:
        most = self.input_limits[which] if self.input_limits else len(rows)
        if len(rows) > most:
            raise Taken(
                'Maximum items of type "%type" is %max',
                {"type": "\\Magento\\InventoryApi\\Api\\Data\\SourceItemInterface", "max": most},
            )

    def _page(self, asked: Asked, rows: Iterable[dict[str, Any]]) -> Response:
        """Give one page of a search; beyond the last page the shop gives the last one again."""
        size = int(asked.first("searchCriteria[pageSize]", str(_LAST_PAGE)))
        if self.input_limits and size > self.input_limits[2]:
            raise Taken("Maximum SearchCriteria pageSize is %max", {"max": self.input_limits[2]})
        value = asked.first(f"{_FIRST}[value]")
        found = list(rows)
        if asked.first(f"{_FIRST}[field]"):
            kind = asked.first(f"{_FIRST}[condition_type]", "eq")
            wanted = {one.lower() for one in (value.split(",") if kind == "in" else [value])}
            found = [row for row in found if row[asked.first(f"{_FIRST}[field]")].lower() in wanted]
        last = max(1, -(-len(found) // size))
        page = min(last, int(asked.first("searchCriteria[currentPage]", "1")))
        shown = found[(page - 1) * size : page * size]
        return json_answer({"items": shown, "search_criteria": {}, "total_count": len(found)})


def _match(pattern: str, path: str) -> list[str] | None:
    """Give what stands at the stars of a pattern, or None when the path is another one."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given) or any(
        one not in {"*", other} for one, other in zip(wanted, given, strict=True)
    ):
        return None
    return [unquote(other) for one, other in zip(wanted, given, strict=True) if one == "*"]


def _number(quantity: Decimal) -> int | float:
    return int(quantity) if quantity == int(quantity) else float(quantity)


def _error(message: str, parameters: Any = None, *, status: int = 400) -> Response:
    body = {"message": message} if parameters is None else {"message": message, "parameters": parameters}
    return json_answer(body, status)
