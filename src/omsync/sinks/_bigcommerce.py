"""BigCommerce's Inventory API as conversations: locations, items, and absolute adjustments."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

from attrs import field, frozen

from omsync.errors import OmsyncError, RefusedError, SettingsError, ThrottledError, UnauthorizedError
from omsync.http.foresight import Allowance, figure
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Verdict, seconds_header
from omsync.http.retrying import judge as usual_judge
from omsync.sinks._http import Paging, Wire

__all__ = [
    "PAGE",
    "Access",
    "Item",
    "Level",
    "Row",
    "Store",
    "adjust",
    "find",
    "foresee",
    "judge",
    "look_around",
    "of_products",
    "page",
]

PAGE = 1000
"""Items in one page at most."""

_OK, _NOT_FOUND, _UNPROCESSABLE, _THROTTLED = 200, 404, 422, 429
_OVERLOADED = 30.0
"""Seconds to stay away where a 429 comes without the headers of the store's quota."""


@frozen(kw_only=True)
class Access:
    """Where a store's API is, and the token to ask with."""

    url: str
    token: str = field(repr=False)

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Request:
        """Make a request that reads."""
        return Request(method="GET", url=self.url + path, query=tuple(query), headers=self._headers)

    def put(self, path: str, body: Any) -> Request:
        """Make a request that sets; absolute, so it may be repeated."""
        return Request(method="PUT", url=self.url + path, headers=self._headers, body=body)

    @property
    def _headers(self) -> dict[str, str]:
        return {"x-auth-token": self.token}


@frozen(kw_only=True)
class Level:
    """What stands at one location; ``on_hand`` is None until a first adjustment."""

    on_hand: int | None
    safety_stock: int = 0


@frozen(kw_only=True)
class Item:
    """An item of the store: its SKU, its product, and its levels by location id."""

    sku: str
    product_id: int | None
    levels: Mapping[str, Level]


@frozen(kw_only=True)
class Row:
    """One quantity to set at a location; ``product_id`` names an item that is tracked by its product."""

    sku: str
    location_id: str
    quantity: int
    product_id: int | None = None

    @property
    def wire(self) -> dict[str, Any]:
        """The row as BigCommerce takes it: named in exactly one way."""
        named = {"sku": self.sku} if self.product_id is None else {"product_id": self.product_id}
        return {"location_id": int(self.location_id), **named, "quantity": self.quantity}


@frozen(kw_only=True)
class Store:
    """The store's locations, (code, label) by id."""

    locations: Mapping[str, tuple[str, str]]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The location id by every id, code and exact label that means one location only."""
        meant: defaultdict[str, set[str]] = defaultdict(set)
        for key, names in self.locations.items():
            for name in (key, *names):
                meant[name].add(key)
        return {wanted: min(keys) for wanted, keys in meant.items() if wanted and len(keys) == 1}

    @property
    def choices(self) -> str:
        """The locations, for messages."""
        return ", ".join(f"{label!r} (id {key})" for key, (_, label) in self.locations.items()) or "none"


def look_around(access: Access) -> Conversation[Store]:
    """Read the store's locations."""
    found: dict[str, tuple[str, str]] = {}
    paging = Paging()
    number = 1
    while True:
        known = len(found)
        body = _body((yield access.get("/inventory/locations", (("page", str(number)), ("limit", "250")))))
        for row in body.field("data").rows():
            code, label = row.get("code"), row.get("label")
            found[str(row.field("id").whole())] = (code.text() if code else "", label.text() if label else "")
        if number >= _pages(body):
            return Store(locations=found)
        number += 1
        paging.after(str(number), new=len(found) - known, place=body.place)


def find(access: Access, skus: Sequence[str]) -> Conversation[list[Item]]:
    """Look items up by SKU; one that the store does not have is left out."""
    found = yield from _filtered(access, "sku:in", skus)
    return [item for item in found if item.sku in frozenset(skus)]


def of_products(access: Access, product_ids: Sequence[int]) -> Conversation[list[Item]]:
    """Look all items of some products up."""
    return (yield from _filtered(access, "product_id:in", [str(key) for key in product_ids]))


def _filtered(access: Access, name: str, values: Sequence[str]) -> Conversation[list[Item]]:
    found: list[Item] = []
    seen: set[tuple[str, int | None]] = set()
    paging = Paging()
    number = 1
    while True:
        query = ((name, ",".join(values)), ("page", str(number)), ("limit", str(PAGE)))
        body = _body((yield access.get("/inventory/items", query)))
        known = len(seen)
        for row in map(_item, body.field("data").rows()):
            found.append(row)
            seen.add((row.sku, row.product_id))
        if number >= _pages(body):
            return found
        number += 1
        paging.after(str(number), new=len(seen) - known, place=body.place)


def page(access: Access, number: int) -> Conversation[tuple[list[Item], int]]:
    """Read one page of all items; and how many pages there are."""
    body = _body((yield access.get("/inventory/items", (("page", str(number)), ("limit", str(PAGE))))))
    return [_item(row) for row in body.field("data").rows()], _pages(body)


def adjust(access: Access, rows: Sequence[Row], reason: str) -> Conversation[dict[str, str | OmsyncError]]:
    """Set quantities; give by SKU why a row was refused, and nothing for those that were taken.

    A refusal applies nothing: the rows that it names are dropped and the rest is sent again; where it names
    none, the rows are halved until the bad one stands alone. What the store tracks by product is named by
    its product instead, once. An error is raised only while nothing is written; afterwards it is the answer
    of the rows that are left.
    """
    refused: dict[str, str | OmsyncError] = {}
    waiting = [list(rows)]
    written = False
    while waiting:
        batch = waiting.pop(0)
        body = {"reason": reason, "items": [row.wire for row in batch]}
        try:
            response = yield access.put("/inventory/adjustments/absolute", body)
            if response.status != _UNPROCESSABLE:
                _body(response)
                written = True
                continue
            said = _title(response)
        except OmsyncError as error:
            if not written:
                raise
            return refused | {row.sku: error for left in (batch, *waiting) for row in left}
        # A SKU in quotes is meant; without any, a word may be one, or chance to look like one.
        named = [row for row in batch if _quotes(said, row)] or [row for row in batch if _names(said, row)]
        named = named or (batch if len(batch) == 1 else [])
        if not named:
            middle = len(batch) // 2
            waiting[:0] = [batch[:middle], batch[middle:]]
            continue
        left = [row for row in batch if row not in named]
        for row in named:
            refused[row.sku] = said
        if left:
            waiting.insert(0, left)
    return refused


def tracked_by_product(said: str) -> bool:
    """Tell whether a refusal means that the item has to be named by its product."""
    return re.search(r"track\w* (by|at|on) (the )?product", said, re.IGNORECASE) is not None


def judge(request: Request, response: Response) -> Verdict:
    """Decide about another try: the store's quota says when, and an overload asks for a longer pause."""
    if response.status == _THROTTLED:
        wait = seconds_header(response, "x-rate-limit-time-reset-ms", unit=0.001)
        return ThrottledError(
            f"{request.place}: the store's quota of calls is used up (HTTP 429)",
            retry_after=_OVERLOADED if wait is None else wait,
            remedy="Other applications use the same quota; lower quota_per_window to leave them more.",
        )
    return usual_judge(request, response)


def foresee(_: Request, response: Response) -> Allowance | None:
    """Read how many calls the store's quota still has, whichever application made the others."""
    left, reset = (figure(response, f"x-rate-limit-{name}") for name in ("requests-left", "time-reset-ms"))
    return None if left is None or reset is None else Allowance(left=left, reset=reset / 1000)


def _names(said: str, row: Row) -> bool:
    words = set(re.split(r"[\s'\"`,;:()\[\]]+", said))
    named = {row.sku} if row.product_id is None else {row.sku, str(row.product_id)}
    return bool(named & words)


def _quotes(said: str, row: Row) -> bool:
    return any(f"{quote}{row.sku}{quote}" in said for quote in "'\"`")


def _title(response: Response) -> str:
    title = Wire(value=response.json(), path="answer", place=response.place).get("title")
    return title.text() if title else response.excerpt


def _pages(body: Wire) -> int:
    return body.field("meta").field("pagination").field("total_pages").whole()


def _item(row: Wire) -> Item:
    identity = row.field("identity")
    sku, product = identity.get("sku"), identity.get("product_id")
    levels: dict[str, Level] = {}
    for place in row.field("locations").rows():
        units, settings = place.get("total_inventory_onhand"), place.get("settings")
        safety = settings.get("safety_stock") if settings else None
        levels[str(place.field("location_id").whole())] = Level(
            on_hand=units.whole() if units else None, safety_stock=safety.whole() if safety else 0
        )
    return Item(sku=sku.text() if sku else "", product_id=product.whole() if product else None, levels=levels)


def _body(response: Response) -> Wire:
    if response.status in {401, 403}:
        raise UnauthorizedError(
            f"{response.place}: HTTP {response.status}",
            remedy="Check the API account's token and its scopes: store_inventory (modify), and read access "
            "to locations.",
        )
    if response.status == _NOT_FOUND:
        raise SettingsError(
            f"{response.place}: there is no such store (HTTP 404)",
            code="unknown_store",
            remedy="Check store_hash: it is the part after /stores/ in the API path of the account.",
        )
    if response.status != _OK:
        _refuse(response)
    return Wire(value=response.json(), path="answer", place=response.place)


def _refuse(response: Response) -> NoReturn:
    raise RefusedError(f"{response.place}: HTTP {response.status}: {response.excerpt}", code="row_refused")
