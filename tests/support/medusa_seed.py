"""Fill a fresh Medusa shop through its Admin API, with the standard library only.

What it makes: two stock locations of one sales channel, a secret and a publishable key, a tee in three sizes,
60 parts, a kit, and variants with every trap. The parts have levels in the west only, the tees in both.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

PARTS = 60
EMAIL, PASSWORD = "admin@shop.example", "only-for-tests"
ON_HAND = {"West warehouse": 10, "East warehouse": 5}


class Admin:
    """Speaks to the Admin API as the administrator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers = {"content-type": "application/json"}
        token = self("POST", "/auth/user/emailpass", {"email": EMAIL, "password": PASSWORD})["token"]
        self.headers["authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Carry out one request; an error ends the program."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read()[:1500]!r}") from error


def seed(url: str) -> dict[str, Any]:
    """Fill the shop; give what the tests need to know of it."""
    admin = Admin(url)
    channel = admin("POST", "/admin/sales-channels", {"name": "Web shop"})["sales_channel"]["id"]
    locations = {name: location(admin, name, channel) for name in ON_HAND}
    products(admin, channel)
    items = items_by_sku(admin)
    kit(admin, channel, items)
    items["ALONE-1"] = admin("POST", "/admin/inventory-items", {"sku": "ALONE-1"})["inventory_item"]["id"]
    west, east = locations.values()
    levels = [level(key, west, 10) for key in items.values()]
    levels += [level(items[f"TEE-{size}"], east, 5) for size in "SML"]
    admin("POST", "/admin/inventory-items/location-levels/batch", {"create": levels})
    return {
        "url": url,
        "email": EMAIL,
        "password": PASSWORD,
        "west": west,
        "east": east,
        "items": items,
        **keys(admin, channel),
    }


def location(admin: Admin, name: str, channel: str) -> str:
    """Make a stock location that the sales channel sells from."""
    key = admin("POST", "/admin/stock-locations", {"name": name})["stock_location"]["id"]
    admin("POST", f"/admin/stock-locations/{key}/sales-channels", {"add": [channel]})
    return str(key)


def keys(admin: Admin, channel: str) -> dict[str, str]:
    """Make a key for the Admin API and one for the store."""
    secret = admin("POST", "/admin/api-keys", {"title": "sync", "type": "secret"})["api_key"]
    store = admin("POST", "/admin/api-keys", {"title": "store", "type": "publishable"})["api_key"]
    admin("POST", f"/admin/api-keys/{store['id']}/sales-channels", {"add": [channel]})
    return {"api_key": secret["token"], "publishable_key": store["token"]}


def products(admin: Admin, channel: str) -> None:
    """Make the products; Medusa makes an inventory item of the same SKU for each variant that it manages."""
    singles = [f"PART-{number:03d}" for number in range(1, PARTS + 1)]
    made = [
        product("Tee", channel, [variant(f"TEE-{size}", size) for size in "SML"]),
        *(product(sku.title(), channel, [variant(sku)]) for sku in [*singles, "OFF-1", "RENAMED-OLD"]),
        product("Note", channel, [variant("NOTE-1", manage_inventory=False)]),
    ]
    admin("POST", "/admin/products/batch", {"create": made})
    found = admin("GET", "/admin/product-variants?sku[]=OFF-1&sku[]=RENAMED-OLD&fields=id,sku,product_id")
    changes = {"OFF-1": {"manage_inventory": False}, "RENAMED-OLD": {"sku": "RENAMED-NEW"}}
    for row in found["variants"]:
        path = f"/admin/products/{row['product_id']}/variants/{row['id']}"
        admin("POST", path, changes[row["sku"]])


def kit(admin: Admin, channel: str, items: dict[str, str]) -> None:
    """Make a gift set of one tee and two parts."""
    needs = [("TEE-M", 1), ("PART-001", 2)]
    parts = [{"inventory_item_id": items[sku], "required_quantity": need} for sku, need in needs]
    admin("POST", "/admin/products", product("Kit", channel, [variant("KIT-1", inventory_items=parts)]))


def items_by_sku(admin: Admin) -> dict[str, str]:
    """Give the id of every inventory item."""
    rows = admin("GET", "/admin/inventory-items?limit=1000&fields=id,sku")["inventory_items"]
    return {row["sku"]: row["id"] for row in rows}


def product(title: str, channel: str, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe a product."""
    values = [one["options"]["Kind"] for one in variants]
    return {
        "title": title,
        "handle": title.lower(),
        "status": "published",
        "options": [{"title": "Kind", "values": values}],
        "variants": variants,
        "sales_channels": [{"id": channel}],
    }


def variant(sku: str, kind: str = "only", **more: Any) -> dict[str, Any]:
    """Describe a variant."""
    usual = {"options": {"Kind": kind}, "prices": [], "manage_inventory": True}
    return {"title": kind, "sku": sku, **usual, **more}


def level(item: str, place: str, units: int) -> dict[str, Any]:
    """Describe a level."""
    return {"inventory_item_id": item, "location_id": place, "stocked_quantity": units}
