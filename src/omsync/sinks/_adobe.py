"""Adobe Commerce as conversations: products, sources, source items, and what shoppers may still buy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from attrs import field, frozen

from omsync.errors import DecodeError, RefusedError, ServerFaultError, UnauthorizedError
from omsync.http.messages import Conversation, Request
from omsync.sinks._adobe_access import Access
from omsync.sinks._adobe_answers import TooManyError, amount, body_of
from omsync.sinks._http import Wire, packed
from omsync.sinks._rows import Row

__all__ = [
    "Door",
    "Item",
    "Limits",
    "Product",
    "Source",
    "chunks_of",
    "items_of",
    "products_of",
    "reserved_of",
    "save",
    "sources_of",
    "stock_of",
    "tracked_of",
    "wire_of",
]

T = TypeVar("T")

KITS = frozenset({"configurable", "bundle", "grouped"})
"""Product types that have no source items of their own."""

NOT_ENOUGH = "is_salable_with_reservations-not_enough_qty"
IN_STOCK = 1
_WRITE_SECONDS = 300.0
"""The shop reindexes inside the call: a minute for 2,000 rows has been seen."""
_ROOM = 3_000
"""Bytes of SKUs in one address; servers take 8,000 in all."""


@frozen(kw_only=True)
class Door:
    """Where calls go, and what they carry."""

    root: str
    access: Access
    token: str = field(default="", repr=False)

    def get(self, path: str, lane: str, query: Iterable[tuple[str, str]] = ()) -> Request:
        """Make a request that reads."""
        return Request(
            method="GET",
            url=f"{self.root}/V1/{path}",
            query=tuple(query),
            headers=self.access.headers(self.token),
            lane=lane,
        )

    def post(self, path: str, lane: str, body: Any) -> Request:
        """Make a request that writes; quantities are absolute, so sending it twice is harmless."""
        return Request(
            method="POST",
            url=f"{self.root}/{path}",
            headers=self.access.headers(self.token),
            body=body,
            lane=lane,
            timeout=_WRITE_SECONDS,
        )


class Limits:
    """The shop's input limits, learned from its refusals and good for one run.

    Args:
        page: Rows on one page to begin with.
    """

    def __init__(self, page: int) -> None:
        self.page = page
        self.save: int | None = None
        self.bulk: int | None = None

    def __repr__(self) -> str:
        return f"Limits(page={self.page}, save={self.save}, bulk={self.bulk})"


@frozen(kw_only=True)
class Product:
    """A product: its type, and whether the shop counts its stock."""

    sku: str
    type_id: str
    tracked: bool = True

    @property
    def state(self) -> str:
        """The state of its listings."""
        if self.type_id in KITS:
            return "unmanaged"
        return "listed" if self.tracked else "untracked"


@frozen(kw_only=True)
class Source:
    """A place where stock is kept."""

    code: str
    name: str
    enabled: bool = True


@frozen(kw_only=True)
class Item:
    """What a source holds of a product; with the status "out of stock" the shop sells none of it."""

    sku: str
    source: str
    quantity: Decimal
    in_stock: bool


def wire_of(row: Row, *, backorders: bool) -> dict[str, Any]:
    """Give a row as the shop takes it; the status is always sent, since the shop refuses a row without."""
    units = row.change.quantity
    status = IN_STOCK if units > 0 or backorders else 0
    return {"sku": row.change.listing_sku, "source_code": row.place, "quantity": units, "status": status}


def chunks_of(skus: Iterable[str], *, most: int) -> list[list[str]]:
    """Split SKUs into those that one search can ask for; one with a comma stands alone."""
    wanted = list(skus)
    together = [sku for sku in wanted if "," not in sku]
    chunks = packed(together, lambda sku: len(quote(sku, safe="")) + 3, room=_ROOM, most=max(1, most))
    return [*chunks, *([sku] for sku in wanted if "," in sku)]


def products_of(door: Door, limits: Limits, skus: Sequence[str]) -> Conversation[list[Product]]:
    """Look products up; one that the shop does not have is left out. The shop compares without case."""
    rows = yield from _search(door, limits, "products", skus, "items[sku,type_id],total_count")
    found = [Product(sku=row.field("sku").text(), type_id=row.field("type_id").text()) for row in rows]
    return [product for product in found if product.sku in set(skus)]


def items_of(door: Door, limits: Limits, skus: Sequence[str]) -> Conversation[list[Item]]:
    """Read what every source holds of these products."""
    rows = yield from _search(door, limits, "inventory/source-items", skus, "")
    return [
        Item(
            sku=row.field("sku").text(),
            source=row.field("source_code").text(),
            quantity=amount(row.field("quantity")),
            in_stock=row.field("status").whole() == IN_STOCK,
        )
        for row in rows
    ]


def sources_of(door: Door, limits: Limits) -> Conversation[list[Source]]:
    """Read all sources."""
    rows = yield from _search(door, limits, "inventory/sources", [], "")
    return [_source(row) for row in rows]


def stock_of(door: Door, stock_id: int) -> Conversation[list[str]]:
    """Give the codes of a stock's sources that are switched on, the first in priority first."""
    path = f"inventory/get-sources-assigned-to-stock-ordered-by-priority/{stock_id}"
    response = yield door.get(path, "read")
    return [source.code for source in map(_source, body_of(response).rows()) if source.enabled]


def reserved_of(
    door: Door, stock_id: int, sku: str, counted: Decimal, *, backorders: bool
) -> Conversation[int | None]:
    """Work out how many units of a product open orders hold; None when it cannot be known.

    The shop tells only what is salable, from an index that may be behind. So what looks reserved is
    checked: if one unit more than the salable ones could be bought, the index was behind, or the product is
    out of stock for another reason than its orders.

    Args:
        door: Where to ask.
        stock_id: The stock that shoppers buy from.
        sku: The product.
        counted: What the stock's sources hold.
        backorders: Whether the shop sells more than it has, which makes the check useless.
    """
    place = f"{quote(sku, safe='')}/{stock_id}"
    try:
        body = body_of((yield door.get(f"inventory/get-product-salable-quantity/{place}", "salable")))
        salable = amount(body)
        reserved = math.floor(counted - salable)
        if reserved <= 0 or backorders:
            return max(0, reserved)
        one_more = max(1, math.floor(salable) + 1)
        path = f"inventory/is-product-salable-for-requested-qty/{place}/{one_more}"
        body = body_of((yield door.get(path, "salable")))
    except UnauthorizedError:
        raise
    except (RefusedError, ServerFaultError):
        # One product that the shop stumbles over must not stop the others.
        return None
    codes = {error.field("code").text() for error in body.field("errors").rows()}
    return reserved if NOT_ENOUGH in codes else None


def tracked_of(door: Door, sku: str) -> Conversation[bool]:
    """Tell whether the shop counts a product's stock."""
    response = yield door.get(f"stockItems/{quote(sku, safe='')}", "read")
    return body_of(response).field("manage_stock").flag()


def save(door: Door, rows: Sequence[Mapping[str, Any]]) -> Conversation[None]:
    """Write source items, all or none; the shop's yes is an empty list."""
    body_of((yield door.post("V1/inventory/source-items", "write", {"sourceItems": rows})))


def _search(
    door: Door, limits: Limits, path: str, skus: Sequence[str], fields: str
) -> Conversation[list[Wire]]:
    """Page through a search by SKU; a page that is too large for the shop is made smaller."""
    rows: list[Wire] = []
    page, size = 1, limits.page
    while True:
        try:
            body = body_of((yield door.get(path, "read", _criteria(skus, page, size, fields))))
        except TooManyError as error:
            if error.most >= size:
                raise
            page, size, rows = 1, error.most, []
            limits.page = min(limits.page, size)
            continue
        found = body.field("items").rows()
        rows += found
        total = body.field("total_count").whole()
        if len(rows) >= total:
            return rows
        if not found:
            # The shop repeats its last page rather than give an empty one, so something is amiss.
            raise DecodeError(f"{body.place}: {len(rows)} of {total} rows came", code="cut_off")
        page += 1


def _criteria(skus: Sequence[str], page: int, size: int, fields: str) -> list[tuple[str, str]]:
    first = "searchCriteria[filter_groups][0][filters][0]"
    criteria = [("searchCriteria[pageSize]", str(size)), ("searchCriteria[currentPage]", str(page))]
    if skus:
        criteria += [
            (f"{first}[field]", "sku"),
            (f"{first}[value]", ",".join(skus)),
            (f"{first}[condition_type]", "in" if len(skus) > 1 else "eq"),
        ]
    return criteria + ([("fields", fields)] if fields else [])


def _source(row: Wire) -> Source:
    enabled = row.get("enabled")
    return Source(
        code=row.field("source_code").text(),
        name=row.field("name").text(),
        enabled=enabled.flag() if enabled else True,
    )
