"""A Saleor shop in memory: variants, warehouses, stocks, and the GraphQL operations that touch them.

As documented, or as a running Saleor 3 answered: a page has at most 100 rows; a bad row of
``stockBulkUpdate`` is judged by the error policy, and under the default one good rows come back without a
stock and without an error; a fraction is cut; an unknown stock is NOT_FOUND, and only
``productVariantStocksUpdate`` makes one; a wrong token is answered with HTTP 200.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import define, field

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["SaleorShop"]

T = TypeVar("T")

_PAGE = 100
_INT = 2**31
_PAIR = re.compile(r"(\w+)\s*:\s*(\$\w+|\d+|true|false|\"[^\"]*\"|[A-Z_]+)")


@define
class _Stock:
    quantity: int
    allocated: int = 0


@define
class _Variant:
    id: str
    sku: str
    tracked: bool = True
    stocks: dict[str, _Stock] = field(factory=dict)


def _global_id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


class SaleorShop(Platform):
    """A shop with two warehouses, ``main`` and ``east``.

    Args:
        token: The app token that it accepts.
        permitted: Whether the token has MANAGE_PRODUCTS.
        now: See ``Platform``.
    """

    def __init__(
        self,
        *,
        token: str = "saleor-test-token",  # noqa: S107  an invented token
        permitted: bool = True,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.token = token
        self.permitted = permitted
        self.warehouses = {_global_id("Warehouse", n): slug for n, slug in ((1, "main"), (2, "east"))}
        self._variants: dict[str, _Variant] = {}

    def add(
        self, sku: str, quantity: int | None = None, *, warehouse: str = "main", tracked: bool = True
    ) -> None:
        """Add a variant, or a stock of one; without a quantity the variant has no stock yet."""
        variant = self._by_sku(sku)
        if variant is None:
            number = len(self._variants) + 1
            variant = _Variant(_global_id("ProductVariant", number), sku, tracked)
            self._variants[variant.id] = variant
        if quantity is not None:
            variant.stocks[self._warehouse(warehouse)] = _Stock(quantity)

    def remove(self, sku: str) -> None:
        """Delete a variant."""
        self._variants = {key: one for key, one in self._variants.items() if one.sku != sku}

    def rename(self, sku: str, new: str) -> None:
        """Give a variant another SKU; its id and its stocks stay."""
        variant = self._by_sku(sku)
        assert variant is not None, f"no variant {sku!r} was added"  # noqa: S101  a mistake of the test
        variant.sku = new

    def order(self, sku: str, units: int, *, warehouse: str = "main") -> None:
        """Place an order: its units are allocated, and stay in the quantity until it is shipped."""
        self._stock(sku, warehouse).allocated += units

    def ship(self, sku: str, units: int, *, warehouse: str = "main") -> None:
        """Ship an order: quantity and allocation fall together."""
        stock = self._stock(sku, warehouse)
        stock.quantity -= units
        stock.allocated -= units

    def quantity(self, sku: str, warehouse: str = "main") -> int | None:
        """Give the quantity, allocated units included; None while there is no stock."""
        variant = self._by_sku(sku)
        stock = variant.stocks.get(self._warehouse(warehouse)) if variant else None
        return stock.quantity if stock else None

    def available(self, sku: str, warehouse: str = "main") -> int | None:
        """Give what a shopper may still buy there; None while there is no stock."""
        quantity = self.quantity(sku, warehouse)
        return None if quantity is None else quantity - self._stock(sku, warehouse).allocated

    def tracks(self, sku: str) -> bool:
        """Tell whether the variant's stock counts."""
        variant = self._by_sku(sku)
        return variant is not None and variant.tracked

    def answer(self, asked: Asked) -> Response:
        """Answer one GraphQL request."""
        if asked.path.rstrip("/") != "/graphql":
            return Response(status=404, content=b"<!doctype html><title>Not Found</title>")
        try:
            body = asked.json()
            operation = _Operation(body["query"], body.get("variables") or {})
        except (ValueError, KeyError, TypeError):
            return _error("Unable to parse query.", "GraphQLError", status=400)
        too_large = [value for value in _numbers(operation.variables) if abs(value) >= _INT]
        if too_large:
            return _error(
                f"Int cannot represent non 32-bit signed integer value: {too_large[0]}",
                "GraphQLError",
                status=400,
            )
        fields: Mapping[str, Callable[[_Operation], Response]] = {
            "warehouses": self._warehouses,
            "productVariants": self._product_variants,
            "stockBulkUpdate": self._bulk_update,
            "productVariantStocksUpdate": self._stocks_update,
            "productVariantUpdate": self._variant_update,
        }
        if operation.root not in fields:
            return _error(f'Cannot query field "{operation.root}".', "GraphQLError", status=400)
        allowed = self.permitted and asked.headers.get("authorization") == f"Bearer {self.token}"
        if operation.root != "warehouses" and not allowed:
            return _error(
                "To access this path, you need one of the following permissions: MANAGE_PRODUCTS",
                "PermissionDenied",
                data={operation.root: None},
                path=[operation.root],
            )
        return fields[operation.root](operation)

    def _warehouses(self, operation: _Operation) -> Response:
        rows = [{"id": key, "slug": slug, "name": slug.title()} for key, slug in self.warehouses.items()]
        return _page(operation, rows, dict)

    def _product_variants(self, operation: _Operation) -> Response:
        wanted = operation.argument("oneOf")
        found = [one for one in self._variants.values() if wanted is None or one.sku in wanted]
        return _page(operation, found, self._show)

    def _bulk_update(self, operation: _Operation) -> Response:
        policy = operation.argument("errorPolicy") or "REJECT_EVERYTHING"
        rows: list[dict[str, Any]] = operation.argument("stocks")
        problems = [self._problem(row) for row in rows]
        if problems and problems[0] == INVALID_ID and any(problem is None for problem in problems):
            # The server looks at its first row to see how rows are named, and trips over a broken one.
            return _error("Internal Server Error", "AttributeError", path=["stockBulkUpdate"])
        reject_all = policy == "REJECT_EVERYTHING" and any(problems)
        results: list[dict[str, Any]] = []
        for row, problem in zip(rows, problems, strict=True):
            stock = None
            if problem is None and not reject_all:
                there = self._variants[row["variantId"]].stocks[row["warehouseId"]]
                there.quantity = int(row["quantity"])
                stock = {"quantity": there.quantity, "quantityAllocated": there.allocated}
            results.append({"stock": stock, "errors": [problem] if problem else []})
        count = sum(result["stock"] is not None for result in results)
        return _data("stockBulkUpdate", {"count": count, "results": results, "errors": []})

    def _problem(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        if not _is_id(row.get("variantId"), "ProductVariant"):
            return INVALID_ID
        if row["quantity"] < 0:
            return {"field": "quantity", "message": "Quantity should not be less than 0.", "code": "INVALID"}
        variant = self._variants.get(row["variantId"])
        if variant is None or row["warehouseId"] not in variant.stocks:
            return {"field": None, "message": "Stock was not found.", "code": "NOT_FOUND"}
        return None

    def _stocks_update(self, operation: _Operation) -> Response:
        variant = self._variants.get(operation.argument("variantId"))
        rows: list[dict[str, Any]] = operation.argument("stocks")
        problem: dict[str, Any] | None = None
        if variant is None:
            problem = {"field": "variantId", "message": "Couldn't resolve to a node.", "code": "NOT_FOUND"}
        elif any(row["warehouse"] not in self.warehouses for row in rows):
            problem = {"field": "warehouse", "message": "Couldn't resolve to a node.", "code": "NOT_FOUND"}
        elif any(row["quantity"] < 0 for row in rows):
            problem = {
                "field": "quantity",
                "message": "Quantity should not be less than 0.",
                "code": "INVALID",
            }
        if variant is None or problem is not None:
            return _data("productVariantStocksUpdate", {"productVariant": None, "errors": [problem]})
        for row in rows:
            variant.stocks.setdefault(row["warehouse"], _Stock(0)).quantity = int(row["quantity"])
        shown = self._show(variant)
        return _data("productVariantStocksUpdate", {"productVariant": shown, "errors": []})

    def _variant_update(self, operation: _Operation) -> Response:
        variant = self._variants.get(operation.argument("id"))
        if variant is None:
            problem = {"field": "id", "message": "Couldn't resolve to a node.", "code": "NOT_FOUND"}
            return _data("productVariantUpdate", {"productVariant": None, "errors": [problem]})
        variant.tracked = operation.argument("trackInventory")
        return _data("productVariantUpdate", {"productVariant": self._show(variant), "errors": []})

    def _show(self, variant: _Variant) -> dict[str, Any]:
        return {
            "id": variant.id,
            "sku": variant.sku,
            "trackInventory": variant.tracked,
            "stocks": [
                {
                    "warehouse": {"id": key, "slug": self.warehouses[key]},
                    "quantity": stock.quantity,
                    "quantityAllocated": stock.allocated,
                }
                for key, stock in variant.stocks.items()
            ],
        }

    def _by_sku(self, sku: str) -> _Variant | None:
        return next((one for one in self._variants.values() if one.sku == sku), None)

    def _stock(self, sku: str, warehouse: str) -> _Stock:
        variant = self._by_sku(sku)
        assert variant is not None, f"no variant {sku!r} was added"  # noqa: S101  a mistake of the test
        return variant.stocks[self._warehouse(warehouse)]

    def _warehouse(self, slug: str) -> str:
        return next(key for key, name in self.warehouses.items() if name == slug)


INVALID_ID = {"field": "variantId", "message": "Invalid variantId.", "code": "INVALID"}


class _Operation:
    """One operation of one root field: its name and its arguments, at whatever depth they stand."""

    def __init__(self, query: str, variables: Mapping[str, Any]) -> None:
        self.variables = variables
        selection = query[query.index("{") + 1 :]
        root = re.search(r"\w+", selection)
        self.root = root[0] if root else ""
        self._arguments = dict(_PAIR.findall(selection))

    def argument(self, name: str) -> Any:
        """Give an argument's value, a variable's or a literal; None when it is not given."""
        written = self._arguments.get(name)
        if written is None:
            return None
        if written.startswith("$"):
            return self.variables.get(written[1:])
        if written in {"true", "false"}:
            return written == "true"
        return int(written) if written.isdigit() else written.strip('"')


def _page(operation: _Operation, rows: Sequence[T], show: Callable[[T], Mapping[str, Any]]) -> Response:
    first = operation.argument("first")
    if first is None or first > _PAGE:
        return _error(
            f"Requesting {first} records on the `{operation.root}` connection exceeds the `first` limit of "
            f"{_PAGE} records.",
            "GraphQLError",
            path=[operation.root],
        )
    start = int(operation.argument("after") or 0)
    shown = rows[start : start + first]
    more = start + first < len(rows)
    info = {"hasNextPage": more, "endCursor": str(start + len(shown)) if shown else None}
    return _data(operation.root, {"pageInfo": info, "edges": [{"node": show(row)} for row in shown]})


def _data(root: str, value: Mapping[str, Any]) -> Response:
    return json_answer({"data": {root: value}, "extensions": {"cost": {"requestedQueryCost": 1}}})


def _error(
    message: str, code: str, *, status: int = 200, data: Any = None, path: Sequence[str] = ()
) -> Response:
    fault: dict[str, Any] = {"message": message, "extensions": {"exception": {"code": code}}}
    if path:
        fault["path"] = list(path)
    return json_answer({"errors": [fault], "data": data}, status)


def _is_id(value: object, kind: str) -> bool:
    try:
        return base64.b64decode(str(value), validate=True).decode().startswith(f"{kind}:")
    except ValueError:
        return False


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [number for member in value.values() for number in _numbers(member)]
    if isinstance(value, list):
        return [number for member in value for number in _numbers(member)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
