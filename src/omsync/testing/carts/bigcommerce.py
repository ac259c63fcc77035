"""A BigCommerce store in memory: items at locations, absolute adjustments, and the quota of calls.

As documented: at most 2,000 items in an adjustment, each named by exactly one of ``sku``, ``variant_id`` and
``product_id``; a 422 applies nothing and says in its title which item is wrong; what was taken shows only
later (``settle``); stock is null until a first adjustment; quotas are told in headers. Assumed, since the
vendor does not say: an unknown SKU and a negative quantity are refused with a 422 that names the item; the
location with id 1 is the default one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from attrs import define, evolve, field

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["BigCommerceStore"]

_MOST = 2000
_PAGE = 1000
_INT = 2**31 - 1
_WINDOW = 30.0

Row = dict[str, Any]


@define
class _Item:
    sku: str
    product_id: int
    variant_id: int
    by_product: bool
    stock: dict[int, int | None] = field(factory=dict)
    safety: dict[int, int] = field(factory=dict)


class BigCommerceStore(Platform):
    """A store with two locations: 1 (``MAIN``, "Main warehouse") and 2 (``EAST``, "East warehouse").

    Args:
        store_hash: The store.
        token: The API token that it accepts.
        quota: Calls in a window of 30 seconds; None for no limit.
        eventual: Whether what was taken shows only after ``settle()``.
        now: See ``Platform``.
    """

    def __init__(
        self,
        *,
        store_hash: str = "abc123",
        token: str = "bigcommerce-test-token",  # noqa: S107  an invented token
        quota: int | None = None,
        eventual: bool = False,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.base = f"/stores/{store_hash}/v3"
        self.token = token
        self.quota = quota
        self.eventual = eventual
        self.locations = {1: ("MAIN", "Main warehouse"), 2: ("EAST", "East warehouse")}
        self.page_size = _PAGE
        self._items: dict[str, _Item] = {}
        self._queue: list[tuple[str, int, int]] = []
        self._window = (0.0, 0)

    def add(
        self,
        sku: str,
        quantity: int | None,
        *,
        location: int = 1,
        product_id: int | None = None,
        by_product: bool = False,
        safety_stock: int = 0,
    ) -> None:
        """Add an item, or its stock at a location.

        Args:
            sku: The item's code.
            quantity: On hand there; None while nothing was ever set.
            location: The location's id.
            product_id: The product; several variants may share one.
            by_product: Whether stock is tracked on the product, not on the variant.
            safety_stock: Units that the store holds back there.
        """
        number = len(self._items) + 1
        item = self._items.setdefault(
            sku, _Item(sku, 1000 + number if product_id is None else product_id, 5000 + number, by_product)
        )
        item.stock[location] = quantity
        item.safety[location] = safety_stock

    def remove(self, sku: str) -> None:
        """Delete an item."""
        del self._items[sku]

    def rename(self, sku: str, new: str) -> None:
        """Give an item another SKU; its ids and its stock stay."""
        item = self._items.pop(sku)
        item.sku = new
        self._items[new] = item

    def quantity(self, sku: str, location: int = 1) -> int | None:
        """Give what stands on hand, safety stock included."""
        item = self._items.get(sku)
        return item.stock.get(location) if item else None

    def available(self, sku: str, location: int = 1) -> int | None:
        """Give what shoppers may buy there."""
        units = self.quantity(sku, location)
        return None if units is None else max(0, units - self._items[sku].safety.get(location, 0))

    def sell(self, sku: str, units: int, *, location: int = 1) -> None:
        """Sell so many: the store subtracts them at once."""
        there = self._items[sku].stock
        there[location] = (there.get(location) or 0) - units

    def spend(self, calls: int) -> None:
        """Let another application of the store's make so many calls."""
        self._take(calls)

    def settle(self) -> None:
        """Let everything that was taken show."""
        for sku, location, units in self._queue:
            self._items[sku].stock[location] = units
        self._queue.clear()

    def answer(self, asked: Asked) -> Response:
        """Answer one request."""
        if not asked.path.startswith(self.base):
            return json_answer({"status": 404, "title": "Not found"}, 404)
        if asked.headers.get("x-auth-token") != self.token:
            return json_answer({"status": 401, "title": "Unauthorized"}, 401)
        if self.quota is None:
            return self._route(asked)
        left = self._take(1)
        too_many = {"status": 429, "title": "Too many requests"}
        answer = json_answer(too_many, 429) if left < 0 else self._route(asked)
        return evolve(answer, headers={**answer.headers, **self._told(left)})

    def _route(self, asked: Asked) -> Response:
        routes: Mapping[tuple[str, str], Callable[[Asked], Response]] = {
            ("GET", "/inventory/locations"): self._list_locations,
            ("GET", "/inventory/items"): self._list_items,
            ("PUT", "/inventory/adjustments/absolute"): self._adjust,
        }
        route = routes.get((asked.method, asked.path.removeprefix(self.base)))
        return route(asked) if route else json_answer({"status": 404, "title": "Not found"}, 404)

    def _list_locations(self, asked: Asked) -> Response:
        rows = [
            {"id": key, "code": code, "label": label, "enabled": True}
            for key, (code, label) in self.locations.items()
        ]
        return self._paged(rows, asked)

    def _list_items(self, asked: Asked) -> Response:
        items = list(self._items.values())
        for name, value in asked.query:
            field_name, _, kind = name.partition(":")
            if kind == "in":
                wanted = set(value.split(","))
                items = [item for item in items if str(getattr(item, field_name)) in wanted]
        return self._paged([self._show(item) for item in items], asked)

    def _take(self, calls: int) -> int:
        """Count calls; give how many are left, less than 0 where there were not enough."""
        began, used = self._window
        if self.now() >= began + _WINDOW:
            began, used = self.now(), 0
        self._window = began, used + calls
        return (self.quota or 0) - used - calls

    def _told(self, left: int) -> dict[str, str]:
        return {
            "x-rate-limit-time-window-ms": str(int(_WINDOW * 1000)),
            "x-rate-limit-time-reset-ms": str(ceil((self._window[0] + _WINDOW - self.now()) * 1000)),
            "x-rate-limit-requests-quota": str(self.quota),
            "x-rate-limit-requests-left": str(max(0, left)),
        }

    def _paged(self, rows: list[Row], asked: Asked) -> Response:
        number = int(asked.first("page", "1"))
        limit = min(int(asked.first("limit", "50")), self.page_size)
        pages = max(1, -(-len(rows) // limit))
        shown = rows[(number - 1) * limit : number * limit]
        meta = {"total": len(rows), "current_page": number, "total_pages": pages}
        return json_answer({"data": shown, "meta": {"pagination": meta}})

    def _show(self, item: _Item) -> Row:
        return {
            "identity": {"sku": item.sku, "variant_id": item.variant_id, "product_id": item.product_id},
            "locations": [
                {
                    "location_id": key,
                    "location_code": self.locations[key][0],
                    "location_enabled": True,
                    "total_inventory_onhand": units,
                    "available_to_sell": self.available(item.sku, key),
                    "settings": {"safety_stock": item.safety.get(key, 0), "is_in_stock": bool(units)},
                }
                for key, units in item.stock.items()
            ],
        }

    def _adjust(self, asked: Asked) -> Response:
        rows: list[Row] = asked.json()["items"]
        if len(rows) > _MOST:
            return _refusal(f"The number of items must not be greater than {_MOST}")
        changes: list[tuple[str, int, int]] = []
        for row in rows:
            outcome = self._change(row)
            if isinstance(outcome, str):
                return _refusal(outcome)
            changes.append(outcome)
        self._queue += changes
        if not self.eventual:
            self.settle()
        return json_answer({"transaction_id": f"tx-{len(self.requests)}"})

    def _change(self, row: Row) -> tuple[str, int, int] | str:
        named = [key for key in ("sku", "variant_id", "product_id") if key in row]
        if len(named) != 1:
            return "Exactly one of sku, variant_id and product_id is required"
        (key,) = named
        item = next((one for one in self._items.values() if getattr(one, key) == row[key]), None)
        if item is None:
            return f"Item with {key} '{row[key]}' was not found"
        if item.by_product and key != "product_id":
            return f"Variant with {key} '{row[key]}' is tracked by product"
        if row["location_id"] not in self.locations:
            return f"Location {row['location_id']} of item '{row[key]}' was not found"
        units = row["quantity"]
        if type(units) is not int or not 0 <= units <= _INT:
            return f"Quantity of item '{row[key]}' is out of range"
        return item.sku, row["location_id"], units


def _refusal(title: str) -> Response:
    return json_answer({"status": 422, "title": title, "type": "about:blank", "errors": {}}, 422)
