"""A WooCommerce shop in memory: its REST API v3 as far as stock goes.

    shop = WooCommerceShop()
    shop.add("MUG", 10)
    shop.add_variable("TEE", {"TEE-S": 5, "TEE-M": 2})
    cart = WooCommerce("https://shop.example", key=shop.key, secret=shop.secret, handler=shop.handle)

It does what a running WooCommerce 9.9 was seen to do: batches of 100 rows whose bad rows stand beside good
ones in an HTTP 200, variations by parent, values that a batch coerces and a single route refuses, quantities
dropped in silence, keys over TLS only, and signatures good for one use.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from omsync.http.messages import Response
from omsync.testing.carts._woocommerce_access import Door, fault
from omsync.testing.carts._woocommerce_products import Product, Products, cut
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["WooCommerceShop"]

_MOST_A_PAGE = 100
_LIST = "/wp-json/wc/v3/products"
_SINGLE = re.compile(_LIST + r"/(?P<id>\d+)(?:/variations/(?P<variation>\d+))?")
_BATCH = re.compile(_LIST + r"(?:/(?P<parent>\d+)/variations)?/batch")
_NO_PAGE = b"<!DOCTYPE html><html><head><title>Page not found</title></head></html>"


class WooCommerceShop(Platform):
    """A shop.

    Args:
        home_url: The site's address as configured in WordPress, which signatures are made over.
        key: The consumer key that it takes.
        secret: Its secret.
        clock: Gives the seconds since 1970, for signatures; None for the computer's.
        now: See ``Platform``; WooCommerce itself limits no rate.

    Attributes:
        door: ``rights`` of the key (``"read"``, ``"write"``, ``"read_write"``), ``may_manage`` (whether the
            key's user may manage the shop), ``behind_tls`` (whether a proxy says that TLS ended there).
        batch_limit: Rows in one batch at most.
        pretty_permalinks: Without them there is no ``/wp-json``.
    """

    def __init__(
        self,
        *,
        home_url: str = "https://shop.example",
        key: str = "ck_only_for_tests",
        secret: str = "cs_only_for_tests",  # noqa: S107  an invented one
        clock: Callable[[], float] | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.key = key
        self.secret = secret
        self.door = Door(home_url=home_url, key=key, secret=secret, clock=clock or time.time)
        self.batch_limit = 100
        self.pretty_permalinks = True
        self.products = Products()

    def add(
        self,
        sku: str,
        quantity: int | None = 0,
        *,
        kind: str = "simple",
        tracked: bool = True,
        backorders: str = "no",
    ) -> int:
        """Add a product, of any kind but a variation; give its id. A SKU may come twice, as by an import."""
        made = self.products.make(
            sku, kind=kind, manages=tracked, quantity=quantity if tracked else None, backorders=backorders
        )
        return made.id

    def add_variable(
        self, sku: str, variations: Mapping[str, int | None], *, quantity: int | None = None
    ) -> int:
        """Add a product with variations; give its id.

        Args:
            sku: The product's own SKU; may be empty.
            variations: By SKU the quantity of each; None for one that keeps no stock of its own.
            quantity: The product's own quantity, which such variations share; None when it keeps none.
        """
        parent = self.products.make(sku, kind="variable", manages=quantity is not None, quantity=quantity)
        for one, units in variations.items():
            self.products.make(
                one, kind="variation", parent=parent, manages=units is not None, quantity=units
            )
        return parent.id

    def order(self, sku: str, units: int) -> None:
        """Place an order: the quantity falls at once, also below zero."""
        one = self._holder(sku)
        one.quantity = (one.quantity or 0) - units

    def cancel(self, sku: str, units: int) -> None:
        """Cancel an order: its units come back."""
        self.order(sku, -units)

    def trash(self, sku: str) -> None:
        """Put a product into the trash."""
        self.products.by_sku(sku).trashed = True

    def move(self, sku: str, parent_id: int) -> None:
        """Give a variation another parent."""
        self.products.by_sku(sku).parent = self.products.by_id[parent_id]

    def stop_tracking(self, sku: str) -> None:
        """Switch a product's own stock management off."""
        self.products.by_sku(sku).manages = False

    def quantity(self, sku: str) -> int | None:
        """Give the quantity that the shop shows; None where it counts no stock."""
        return self.products.shown(self.products.by_sku(sku))

    def tracks(self, sku: str) -> bool | str:
        """Tell whether the product's stock counts: True, False, or ``"parent"``."""
        return self.products.managed(self.products.by_sku(sku))

    def backorders(self, sku: str) -> str:
        """Give the product's backorders setting."""
        return self.products.by_sku(sku).backorders

    def id_of(self, sku: str) -> int:
        """Give a product's id."""
        return self.products.by_sku(sku).id

    def answer(self, asked: Asked) -> Response:
        """Answer one request."""
        home = re.sub(r"^https?://[^/]+", "", self.door.home_url).rstrip("/")
        path = asked.path.removeprefix(home)
        if not self.pretty_permalinks or not path.startswith("/wp-json/"):
            return Response(status=404, headers={"content-type": "text/html"}, content=_NO_PAGE)
        if path == "/wp-json/wc/store/v1/products":
            return self._storefront(asked)
        batch, single = _BATCH.fullmatch(path), _SINGLE.fullmatch(path)
        listing = path == _LIST and asked.method == "GET"
        # WordPress takes the verbs that write for one another.
        if not (listing or single or (batch and asked.method in {"POST", "PUT", "PATCH"})):
            return _no_route()
        return self.door.check(asked) or self._inside(asked, single, batch)

    def _inside(self, asked: Asked, single: re.Match[str] | None, batch: re.Match[str] | None) -> Response:
        try:
            body = asked.json() if asked.content else {}
        except ValueError:
            return fault("rest_invalid_json", "Invalid JSON body passed.", 400)
        if single:
            return self._single(asked, body, int(single["id"]), single["variation"])
        return self._batch(asked, body, batch["parent"]) if batch else self._list(asked)

    def _list(self, asked: Asked) -> Response:
        per_page = asked.first("per_page", "10")
        if not per_page.isdigit() or not 1 <= int(per_page) <= _MOST_A_PAGE:
            said = f"per_page must be between 1 (inclusive) and {_MOST_A_PAGE} (inclusive)"
            return _invalid("per_page", said)
        found = self.products.asked_for(asked.first("sku"))
        found.sort(key=lambda one: one.id, reverse=asked.first("order", "desc") == "desc")
        page, size = int(asked.first("page", "1")), int(per_page)
        pages = -(-len(found) // size)
        headers = {"x-wp-total": str(len(found)), "x-wp-totalpages": str(pages)}
        if page < pages:
            headers["link"] = f'<{self.door.home_url}{asked.path}?page={page + 1}>; rel="next"'
        only = [name for name in asked.first("_fields").split(",") if name]
        rows = [self.products.show(one, only) for one in found[(page - 1) * size : page * size]]
        return json_answer(rows, headers=headers)

    def _single(self, asked: Asked, body: Mapping[str, Any], number: int, variation: str | None) -> Response:
        one = self.products.by_id.get(int(variation) if variation else number)
        if variation and (one is None or one.parent is None or one.parent.id != number):
            return fault("woocommerce_rest_product_variation_invalid_id", "Invalid ID.", 404)
        if one is None or one.trashed:
            return fault("woocommerce_rest_product_invalid_id", "Invalid ID.", 400)
        if asked.method == "GET":
            return json_answer(self.products.show(one))
        if not variation and one.parent is not None:
            return _use_the_variations_route()
        if "stock_quantity" in body:
            value = body["stock_quantity"]
            if value is not None and not _is_whole(value):
                return _invalid("stock_quantity", "stock_quantity is not of type integer.")
            body = {**body, "stock_quantity": cut(value)}
        self.products.write(one, body)
        return json_answer(self.products.show(one))

    def _batch(self, asked: Asked, body: Mapping[str, Any], parent: str | None) -> Response:
        rows = body.get("update") or []
        if sum(len(body.get(verb) or []) for verb in ("create", "update", "delete")) > self.batch_limit:
            return fault(
                "woocommerce_rest_request_entity_too_large",
                f"Unable to accept more than {self.batch_limit} items for this request.",
                413,
            )
        answers = [self._row(row, int(parent) if parent else None) for row in rows]
        return json_answer({"update": [] if asked.first("_fields") else answers})

    def _row(self, row: Mapping[str, Any], parent: int | None) -> dict[str, Any]:
        one = self.products.by_id.get(cut(row.get("id")))
        if parent is not None:
            if one is None or one.parent is None or one.parent.id != parent or one.trashed:
                return _failed(
                    row, fault("woocommerce_rest_product_variation_invalid_id", "Invalid ID.", 404)
                )
        elif one is None or one.trashed:
            return _failed(row, fault("woocommerce_rest_product_invalid_id", "Invalid ID.", 400))
        elif one.parent is not None:
            return _failed(row, _use_the_variations_route())
        self.products.write(one, row)
        return self.products.show(one)

    def _storefront(self, asked: Asked) -> Response:
        rows = []
        for one in self.products.asked_for(asked.first("sku")):
            quantity = self.products.shown(one)
            few = quantity is not None and 0 < quantity <= 2  # noqa: PLR2004  the shop's usual "low stock"
            rows.append(
                {
                    "id": one.id,
                    "sku": one.sku,
                    "is_in_stock": quantity is None or quantity > 0 or one.backorders != "no",
                    "low_stock_remaining": quantity if few else None,
                    "add_to_cart": {"maximum": 9999 if quantity is None else max(quantity, 1)},
                }
            )
        return json_answer(rows)

    def _holder(self, sku: str) -> Product:
        one = self.products.by_sku(sku)
        shared = self.products.managed(one) == "parent" and one.parent is not None
        return one.parent if shared and one.parent is not None else one


def _is_whole(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[+-]?\d+", value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)


def _failed(row: Mapping[str, Any], answer: Response) -> dict[str, Any]:
    return {"id": row.get("id"), "error": answer.json()}


def _invalid(name: str, said: str) -> Response:
    return fault("rest_invalid_param", f"Invalid parameter(s): {name}", 400, params={name: said})


def _no_route() -> Response:
    return fault("rest_no_route", "No route was found matching the URL and request method.", 404)


def _use_the_variations_route() -> Response:
    message = (
        "To manipulate product variations you should use the "
        "/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
    )
    return fault("woocommerce_rest_invalid_product_id", message, 404)
