"""The fake Medusa's routes: who may come in, what is read, and which answer it gives."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from omsync.http.messages import Response
from omsync.testing.carts import _medusa_writes as writes
from omsync.testing.carts._medusa_state import Item, Variant
from omsync.testing.carts._medusa_writes import Refusal, levels_of
from omsync.testing.carts.platform import Asked, json_answer

if TYPE_CHECKING:
    from omsync.testing.carts.medusa import MedusaShop

__all__ = ["respond"]

_PARAMETERS = 1000
_SMALL, _LARGE = 100 * 1024, 2 * 1024 * 1024
_PAGING = {"fields", "limit", "offset", "order", "q", "id", "id[]"}
_FILTERS = {
    "inventory-items": {"sku", "sku[]"},
    "product-variants": {"sku", "sku[]"},
    "stock-locations": {"name"},
}
_KINDS = {
    "inventory-items": "inventory_items",
    "product-variants": "variants",
    "stock-locations": "stock_locations",
}
_BATCH = re.compile(r"/location-levels/batch$")


def respond(shop: MedusaShop, asked: Asked) -> Response:
    """Answer one request."""
    if asked.path == "/health":
        return Response(status=200, headers={"content-type": "text/plain"}, content=b"OK")
    try:
        return json_answer(_route(shop, asked))
    except Refusal as refusal:
        return json_answer(refusal.body, refusal.status)
    except LookupError:
        page = f"<!DOCTYPE html>\n<html><body><pre>Cannot {asked.method} {asked.path}</pre></body></html>\n"
        return Response(status=404, headers={"content-type": "text/html"}, content=page.encode())


def _route(shop: MedusaShop, asked: Asked) -> Any:
    if asked.path == "/auth/user/emailpass":
        return _log_in(shop, asked)
    _check_credentials(shop, asked)
    if len(asked.content) > (_LARGE if _BATCH.search(asked.path) else _SMALL):
        raise Refusal(413, "unknown_error", "request entity too large")
    for method, pattern, route in _ROUTES:
        matched = re.fullmatch(pattern, asked.path)
        if method == asked.method and matched:
            return route(shop, asked, *matched.groups())
    raise LookupError(asked.path)


def _log_in(shop: MedusaShop, asked: Asked) -> Any:
    _check_database(shop)
    given = writes.body_of(asked)
    if (given.get("email"), given.get("password")) != (shop.email, shop.password):
        raise Refusal(401, "unauthorized", "Invalid email or password")
    token = f"jwt-{len(shop.tokens) + 1}"
    shop.tokens.add(token)
    return {"token": token}


def _check_credentials(shop: MedusaShop, asked: Asked) -> None:
    """Let in a key or a token; a key cannot be looked up without the database, and is then called wrong."""
    scheme, _, given = asked.headers.get("authorization", "").partition(" ")
    if scheme == "Bearer" and given in shop.tokens:
        return _check_database(shop)
    if scheme == "Basic" and shop.database_is_up:
        try:
            user = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if user == f"{shop.api_key}:":
            return None
    raise Refusal(401, None, "Unauthorized")


def _check_database(shop: MedusaShop) -> None:
    if not shop.database_is_up:
        raise Refusal(500, "unknown_error", "An unknown error occurred.", code="unknown_error")


def _list(shop: MedusaShop, asked: Asked, route: str) -> Any:
    # Whatever comes after the thousandth parameter is not read.
    query = asked.query[:_PARAMETERS]
    filters = _FILTERS[route] if route != "product-variants" or not shop.early else set[str]()
    strange = sorted({name.removesuffix("[]") for name, _ in query if name not in _PAGING | filters})
    if strange:
        raise Refusal(400, "invalid_data", f"Invalid request: Unrecognized fields: '{', '.join(strange)}'")
    options = dict(query)
    skus = {value for name, value in query if name in {"sku", "sku[]"}}
    rows = _rows(shop, route, skus)
    limit = int(options.get("limit", 50 if route == "product-variants" else 20))
    offset = int(options.get("offset", 0))
    page = sorted(rows, key=lambda row: str(row["id"]))[offset : offset + limit]
    return {_KINDS[route]: page, "count": len(rows), "offset": offset, "limit": limit}


def _rows(shop: MedusaShop, route: str, skus: set[str]) -> list[dict[str, Any]]:
    state = shop.state
    if route == "stock-locations":
        return [{"id": key, "name": name} for key, name in state.locations.items()]
    if route == "product-variants":
        return [_variant(shop, one) for one in state.variants.values() if not skus or one.sku in skus]
    return [_item(shop, one) for one in state.live_items() if not skus or one.sku in skus]


def _item(shop: MedusaShop, item: Item) -> dict[str, Any]:
    sold_by = [one for one in shop.state.variants.values() if item.id in one.parts]
    return {
        "id": item.id,
        "sku": item.sku,
        "location_levels": levels_of(item),
        "variants": [_variant(shop, one, named=False) for one in sold_by],
    }


def _variant(shop: MedusaShop, variant: Variant, *, named: bool = True) -> dict[str, Any]:
    parts: Iterable[dict[str, Any]] = (
        {"required_quantity": need, "variant_id": variant.id, "inventory_item_id": key}
        for key, need in variant.parts.items()
    )
    if named:
        items = shop.state.items
        parts = (
            {
                **part,
                "inventory": {"id": part["inventory_item_id"], "sku": items[part["inventory_item_id"]].sku},
            }
            for part in parts
        )
    return {
        "id": variant.id,
        "sku": variant.sku,
        "manage_inventory": variant.managed,
        "inventory_items": list(parts),
    }


def _batch(shop: MedusaShop, asked: Asked) -> Any:
    if shop.early:
        raise LookupError(asked.path)
    return writes.batch(shop.state, asked)


def _new_level(shop: MedusaShop, asked: Asked, item_id: str) -> Any:
    return writes.new_level(shop.state, asked, item_id)


def _level(shop: MedusaShop, asked: Asked, item_id: str, location_id: str) -> Any:
    return writes.set_level(shop.state, asked, item_id, location_id)


def _delete_level(shop: MedusaShop, _: Asked, item_id: str, location_id: str) -> Any:
    level = shop.state.items[item_id].levels[location_id]
    if level.reserved > 0:
        said = f"Cannot remove Inventory Levels for {item_id} because there are reserved items"
        raise Refusal(400, "not_allowed", said)
    del shop.state.items[item_id].levels[location_id]
    return {"id": location_id, "object": "inventory-level", "deleted": True}


def _reserve(shop: MedusaShop, asked: Asked) -> Any:
    return writes.reserve(shop.state, asked)


def _new_location(shop: MedusaShop, asked: Asked) -> Any:
    key = shop.state.add_location(writes.body_of(asked)["name"])
    return {"stock_location": {"id": key, "name": shop.state.locations[key]}}


def _delete_location(shop: MedusaShop, _: Asked, key: str) -> Any:
    # Its levels stay, and may still be updated.
    del shop.state.locations[key]
    return {"id": key, "object": "stock_location", "deleted": True}


def _delete_item(shop: MedusaShop, _: Asked, key: str) -> Any:
    item = shop.state.items[key]
    item.deleted = True
    item.levels.clear()
    return {"id": key, "object": "inventory_item", "deleted": True}


_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", r"/admin/(inventory-items|product-variants|stock-locations)", _list),
    ("POST", r"/admin/inventory-items/location-levels/batch", _batch),
    ("POST", r"/admin/inventory-items/([^/]+)/location-levels", _new_level),
    ("POST", r"/admin/inventory-items/([^/]+)/location-levels/([^/]+)", _level),
    ("DELETE", r"/admin/inventory-items/([^/]+)/location-levels/([^/]+)", _delete_level),
    ("POST", r"/admin/reservations", _reserve),
    ("POST", r"/admin/stock-locations", _new_location),
    ("DELETE", r"/admin/stock-locations/([^/]+)", _delete_location),
    ("DELETE", r"/admin/inventory-items/([^/]+)", _delete_item),
)
