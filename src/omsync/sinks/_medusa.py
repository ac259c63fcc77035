"""Medusa's Admin API as conversations: each is one look-up, one page or one batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

from omsync.http.messages import Conversation, Request
from omsync.http.tokens import Token
from omsync.sinks._http import Paging, Wire, packed
from omsync.sinks._medusa_answers import data_of, knows_no_filter

__all__ = [
    "LEVELS",
    "Access",
    "Found",
    "Item",
    "Level",
    "Shop",
    "Variant",
    "find",
    "find_items",
    "level_of",
    "log_in",
    "look_around",
    "name_page",
    "pages",
]

LEVELS = "location_levels.location_id,location_levels.stocked_quantity,location_levels.reserved_quantity"
_PARTS = "variants.inventory_items.inventory_item_id,variants.inventory_items.required_quantity"
_ITEM = f"id,sku,{LEVELS},variants.sku,variants.manage_inventory,{_PARTS}"
_VARIANT = (
    "id,sku,manage_inventory,"
    "inventory_items.inventory_item_id,inventory_items.required_quantity,inventory_items.inventory.sku"
)
_LOCATIONS_IN_A_PAGE = 200
_NAMES_IN_A_PAGE = 1000
_URL_ROOM = 6000
"""Bytes of SKUs in an address: a proxy usually takes a request line of 8 kB, Node headers of 16 kB."""


@frozen(kw_only=True)
class Access:
    """Where a shop is, as whom it is asked, and how many seconds an answer may take."""

    url: str
    timeout: float
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    def get(self, path: str, *query: tuple[str, str]) -> Request:
        """Make a request that reads."""
        return Request(
            method="GET", url=self.url + path, query=query, headers=self.headers, timeout=self.timeout
        )

    def post(self, path: str, body: Any, *query: tuple[str, str]) -> Request:
        """Make a request that writes; each of ours may be repeated, since quantities are absolute."""
        return Request(
            method="POST",
            url=self.url + path,
            query=query,
            headers=self.headers,
            body=body,
            timeout=self.timeout,
        )


@frozen(kw_only=True)
class Level:
    """Units of one inventory item at one stock location; None for a figure that is not whole."""

    on_hand: int | None = 0
    reserved: int | None = 0


@frozen(kw_only=True)
class Item:
    """An inventory item; its SKU is unique.

    Args:
        id: Medusa's id.
        sku: The item's own SKU.
        levels: Units by stock location id, where it has a level.
        sold_as_it_is: Whether a variant of the same SKU sells one unit of this item and nothing else.
    """

    id: str
    sku: str
    levels: Mapping[str, Level]
    sold_as_it_is: bool


@frozen(kw_only=True)
class Variant:
    """A product variant: what is sold.

    Args:
        sku: Its SKU, unique among variants.
        managed: Whether Medusa counts its stock.
        parts: The units of each inventory item that one of it needs, by the item's SKU (or id without one).
    """

    sku: str
    managed: bool
    parts: Mapping[str, int]


@frozen(kw_only=True)
class Found:
    """What a shop has under one SKU: an inventory item, a variant, or both."""

    item: Item | None = None
    variant: Variant | None = None

    @property
    def state(self) -> str:
        """Say whether its quantity can be set: only an inventory item's can, and only if it decides."""
        if self.variant is None:
            return "listed"
        if not self.variant.managed or not self.variant.parts:
            return "untracked"
        return "listed" if self.item and self.variant.parts == {self.item.sku: 1} else "unmanaged"

    @property
    def needs(self) -> str:
        """The parts of a kit, for messages."""
        parts = self.variant.parts if self.variant else {}
        return " + ".join(f"{need} x {sku}" for sku, need in parts.items())


@frozen(kw_only=True)
class Shop:
    """What has to be known of a shop before its quantities mean anything.

    Args:
        access: The way in, with credentials.
        locations: The stock locations, name by id.
    """

    access: Access
    locations: Mapping[str, str]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The location id by every id and exact name that means one location only."""
        meant: defaultdict[str, set[str]] = defaultdict(set)
        for key, name in self.locations.items():
            meant[key].add(key)
            meant[name].add(key)
        return {wanted: min(keys) for wanted, keys in meant.items() if wanted and len(keys) == 1}

    @property
    def choices(self) -> str:
        """The locations, for messages."""
        return ", ".join(f"{name!r} (id {key})" for key, name in self.locations.items()) or "none"


def log_in(access: Access, email: str, password: str) -> Conversation[Token]:
    """Log an administrator in; Medusa does not say how long the token is good for."""
    response = yield access.post("/auth/user/emailpass", {"email": email, "password": password})
    return Token(value=data_of(response).field("token").text())


def look_around(access: Access) -> Conversation[Shop]:
    """Read the stock locations: only these may be written to, since Medusa makes levels anywhere."""
    locations: dict[str, str] = {}
    paging = Paging()
    while True:
        response = yield access.get(
            "/admin/stock-locations",
            ("fields", "id,name"),
            ("order", "id"),
            ("limit", str(_LOCATIONS_IN_A_PAGE)),
            ("offset", str(len(locations))),
        )
        page = data_of(response)
        found = {_id(row): row.field("name").text() for row in page.field("stock_locations").rows()}
        known = len(locations)
        locations |= found
        if not found or len(locations) >= page.field("count").whole():
            return Shop(access=access, locations=locations)
        paging.after(str(len(locations)), new=len(locations) - known, place=page.place)


def find(access: Access, skus: Sequence[str]) -> Conversation[dict[str, Found]]:
    """Look SKUs up: inventory items first, and variants of those SKUs that the items do not settle."""
    items = yield from find_items(access, skus)
    doubtful = [sku for sku in skus if sku not in items or not items[sku].sold_as_it_is]
    variants = (yield from _find_variants(access, doubtful)) if doubtful else {}
    return {
        sku: Found(item=items.get(sku), variant=variants.get(sku))
        for sku in skus
        if sku in items or sku in variants
    }


def find_items(access: Access, skus: Sequence[str]) -> Conversation[dict[str, Item]]:
    """Look inventory items up by SKU, with their levels."""
    rows: list[Wire] = []
    seen: set[str] = set()
    paging = Paging()
    while True:
        page = data_of((yield _asked(access, "inventory-items", _ITEM, skus, len(rows))))
        more = page.field("inventory_items").rows()
        rows += more
        known = len(seen)
        seen.update(map(_id, more))
        if not more or len(rows) >= page.field("count").whole():
            return {item.sku: item for item in map(_item, rows) if item.sku in skus}
        paging.after(str(len(rows)), new=len(seen) - known, place=page.place)


def pages(skus: Iterable[str], most: int) -> Iterator[list[str]]:
    """Split SKUs so that each part fits into an address."""
    return packed(skus, lambda sku: len(urlencode([("sku[]", sku)])) + 1, room=_URL_ROOM, most=most)


def name_page(access: Access, offset: int) -> Conversation[tuple[list[str | None], int]]:
    """Read one page of the SKUs of all inventory items; and how many items there are."""
    response = yield access.get(
        "/admin/inventory-items",
        ("fields", "id,sku"),
        ("order", "id"),
        ("limit", str(_NAMES_IN_A_PAGE)),
        ("offset", str(offset)),
    )
    page = data_of(response)
    skus = [row.get("sku") for row in page.field("inventory_items").rows()]
    return [sku.text() if sku else None for sku in skus], page.field("count").whole()


def level_of(row: Wire) -> Level:
    """Read a level. What a write calls ``available_quantity`` is the figure before it, so it is not read."""
    return Level(on_hand=_units(row, "stocked_quantity"), reserved=_units(row, "reserved_quantity"))


def _find_variants(access: Access, skus: Sequence[str]) -> Conversation[dict[str, Variant]]:
    rows: list[Wire] = []
    seen: set[str] = set()
    paging = Paging()
    while True:
        response = yield _asked(access, "product-variants", _VARIANT, skus, len(rows))
        if knows_no_filter(response):
            return {}
        page = data_of(response)
        more = page.field("variants").rows()
        rows += more
        known = len(seen)
        seen.update(map(_id, more))
        if not more or len(rows) >= page.field("count").whole():
            return {variant.sku: variant for variant in map(_variant, rows) if variant.sku in skus}
        paging.after(str(len(rows)), new=len(seen) - known, place=page.place)


def _asked(access: Access, route: str, fields: str, skus: Sequence[str], offset: int) -> Request:
    # Medusa reads 1,000 parameters and ignores the rest without a word: the limit must not be among those.
    query = (("fields", fields), ("order", "id"), ("limit", str(len(skus))), ("offset", str(offset)))
    return access.get(f"/admin/{route}", *query, *(("sku[]", sku) for sku in skus))


def _id(row: Wire) -> str:
    return row.field("id").text()


def _units(row: Wire, name: str) -> int | None:
    figure = row.field(name)
    return None if type(figure.value) is float else figure.whole()


def _item(row: Wire) -> Item:
    own, sku = _id(row), row.field("sku").text()
    sold = False
    for variant in row.field("variants").rows():
        parts = {
            part.field("inventory_item_id").text(): part.field("required_quantity").whole()
            for part in variant.field("inventory_items").rows()
        }
        named = variant.get("sku")
        sold |= bool(
            named and named.text() == sku and variant.field("manage_inventory").flag() and parts == {own: 1}
        )
    levels = {
        level.field("location_id").text(): level_of(level) for level in row.field("location_levels").rows()
    }
    return Item(id=own, sku=sku, levels=levels, sold_as_it_is=sold)


def _variant(row: Wire) -> Variant:
    parts: defaultdict[str, int] = defaultdict(int)
    for part in row.field("inventory_items").rows():
        item = part.get("inventory")
        sku = item.get("sku") if item else None
        parts[sku.text() if sku else part.field("inventory_item_id").text()] += part.field(
            "required_quantity"
        ).whole()
    return Variant(
        sku=row.field("sku").text(), managed=row.field("manage_inventory").flag(), parts=dict(parts)
    )
