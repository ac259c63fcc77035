"""Saleor's GraphQL API as conversations: each is one page or one batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

from attrs import field, frozen

from omsync.errors import LostAnswerError, RefusedError, UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.sinks._graphql import Fault, body_of, faults_of, was_carried_out
from omsync.sinks._http import Paging, Wire

__all__ = [
    "PAGE",
    "Access",
    "Answer",
    "Level",
    "Row",
    "Shop",
    "Variant",
    "find",
    "look_around",
    "name_page",
    "track",
    "update",
    "upsert",
]

PAGE = 100
"""Saleor refuses a page of more."""

WAREHOUSES = """query omsyncWarehouses($after: String) {
  warehouses(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { id slug name } }
  }
}"""
FIND = """query omsyncFind($skus: [String!]!) {
  productVariants(first: 100, where: {sku: {oneOf: $skus}}) {
    edges { node { id sku trackInventory stocks { warehouse { id } quantity quantityAllocated } } }
  }
}"""
NAMES = """query omsyncNames($after: String) {
  productVariants(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { id sku trackInventory } }
  }
}"""
UPDATE = """mutation omsyncUpdate($stocks: [StockBulkUpdateInput!]!, $policy: ErrorPolicyEnum!) {
  stockBulkUpdate(stocks: $stocks, errorPolicy: $policy) {
    results { stock { quantity quantityAllocated } errors { field message code } }
    errors { field message code }
  }
}"""
UPSERT = """mutation omsyncUpsert($variant: ID!, $stocks: [StockInput!]!) {
  productVariantStocksUpdate(variantId: $variant, stocks: $stocks) {
    productVariant { stocks { warehouse { id } quantity quantityAllocated } }
    errors { field message code }
  }
}"""
TRACK = """mutation omsyncTrack($variant: ID!) {
  productVariantUpdate(id: $variant, input: {trackInventory: true}) {
    productVariant { id trackInventory }
    errors { field message code }
  }
}"""

_OK, _BAD_REQUEST = 200, 400
_DENIED = {"PermissionDenied", "InvalidTokenError", "ExpiredSignatureError", "InvalidSignatureError"}


@frozen(kw_only=True)
class Access:
    """Where a shop is and as which app it is asked."""

    url: str
    token: str = field(repr=False)

    def ask(self, query: str, **variables: Any) -> Request:
        """Make the request for one operation; each of ours may be repeated."""
        return Request(
            method="POST",
            url=self.url,
            headers={"authorization": f"Bearer {self.token}"},
            body={"query": query, "variables": variables},
        )


@frozen(kw_only=True)
class Level:
    """Units of one variant at one warehouse; ``quantity`` counts the allocated ones too."""

    quantity: int = 0
    allocated: int = 0


@frozen(kw_only=True)
class Variant:
    """A product variant; a SKU belongs to one at most."""

    id: str
    sku: str
    tracked: bool
    levels: Mapping[str, Level] = field(factory=dict)


@frozen(kw_only=True)
class Row:
    """One quantity to write: a variant at a warehouse, by their ids."""

    variant_id: str
    warehouse_id: str
    quantity: int

    @property
    def wire(self) -> dict[str, Any]:
        """The row as Saleor's ``StockBulkUpdateInput``."""
        return {
            "variantId": self.variant_id,
            "warehouseId": self.warehouse_id,
            "quantity": self.quantity,
        }


@frozen(kw_only=True)
class Answer:
    """What came of one row: the quantity that the shop shows now, or what it says against the row."""

    quantity: int | None = None
    code: str = ""
    message: str = ""


@frozen(kw_only=True)
class Shop:
    """The shop's warehouses, (slug, name) by id."""

    warehouses: Mapping[str, tuple[str, str]]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The warehouse id by every id, slug and exact name that means one warehouse only."""
        meant: defaultdict[str, set[str]] = defaultdict(set)
        for key, names in self.warehouses.items():
            for name in (key, *names):
                meant[name].add(key)
        return {wanted: min(keys) for wanted, keys in meant.items() if wanted and len(keys) == 1}

    @property
    def choices(self) -> str:
        """The warehouses, for messages."""
        return ", ".join(f"{name!r} ({slug})" for slug, name in self.warehouses.values()) or "none"


def look_around(access: Access) -> Conversation[Shop]:
    """Read the shop's warehouses."""
    found: dict[str, tuple[str, str]] = {}
    paging = Paging()
    after: str | None = None
    while True:
        page = _data((yield access.ask(WAREHOUSES, after=after))).field("warehouses")
        known = len(found)
        for node in _nodes(page):
            names = (node.field("slug").text(), node.field("name").text())
            found[node.field("id").text()] = names
        after = paging.after(_next(page), new=len(found) - known, place=page.place)
        if after is None:
            return Shop(warehouses=found)


def find(access: Access, skus: Sequence[str]) -> Conversation[list[Variant]]:
    """Look at most 100 variants up by SKU, with their stocks."""
    page = _data((yield access.ask(FIND, skus=list(skus)))).field("productVariants")
    wanted = frozenset(skus)
    return [variant for variant in map(_variant, _nodes(page)) if variant.sku in wanted]


def name_page(access: Access, after: str | None) -> Conversation[tuple[list[Variant], str | None]]:
    """Read one page of all variants, without their stocks; and where the next begins."""
    page = _data((yield access.ask(NAMES, after=after))).field("productVariants")
    return [_variant(node) for node in _nodes(page)], _next(page)


def update(access: Access, rows: Sequence[Row], policy: str) -> Conversation[list[Answer]]:
    """Write quantities of stocks that are there; give one answer a row, in their order.

    Under ``REJECT_EVERYTHING`` good rows beside a bad one come back without an error and without a stock:
    they were not written, so they are sent again without the bad one.
    """
    answers: dict[int, Answer] = {}
    left = list(range(len(rows)))
    while left:
        response = yield access.ask(UPDATE, stocks=[rows[index].wire for index in left], policy=policy)
        payload = _data(response).field("stockBulkUpdate")
        _refuse_whole(response, payload)
        results = payload.field("results").rows()
        if len(results) != len(left):
            raise LostAnswerError(f"{response.place}: {len(left)} rows sent, {len(results)} answered")
        again: list[int] = []
        for index, result in zip(left, results, strict=True):
            errors = result.field("errors").rows()
            stock = result.get("stock")
            if errors:
                answers[index] = _against(errors)
            elif stock is not None:
                answers[index] = Answer(quantity=stock.field("quantity").whole())
            else:
                again.append(index)
        if len(again) == len(left):
            silent = Answer(code="not_written", message="the shop wrote nothing, and does not say why")
            answers.update(dict.fromkeys(again, silent))
            break
        left = again
    return [answers[index] for index in range(len(rows))]


def upsert(access: Access, variant_id: str, rows: Sequence[Row]) -> Conversation[list[Answer]]:
    """Write one variant's quantities, making stocks that are not there; one answer a row."""
    stocks = [{"warehouse": row.warehouse_id, "quantity": row.quantity} for row in rows]
    response = yield access.ask(UPSERT, variant=variant_id, stocks=stocks)
    payload = _data(response).field("productVariantStocksUpdate")
    errors = payload.field("errors").rows()
    if errors:
        return [_against(errors)] * len(rows)
    levels = _levels(payload.field("productVariant"))
    return [
        Answer(quantity=levels[row.warehouse_id].quantity)
        if row.warehouse_id in levels
        else Answer(code="not_echoed", message="the shop's answer does not show this row")
        for row in rows
    ]


def track(access: Access, variant_id: str) -> Conversation[Answer]:
    """Switch tracking on for one variant."""
    response = yield access.ask(TRACK, variant=variant_id)
    payload = _data(response).field("productVariantUpdate")
    errors = payload.field("errors").rows()
    if errors:
        return _against(errors)
    if not payload.field("productVariant").field("trackInventory").flag():
        return Answer(code="untracked_in_cart", message="the shop did not switch tracking on")
    return Answer()


def _against(errors: Sequence[Wire]) -> Answer:
    said = "; ".join(error.field("message").text() for error in errors)
    return Answer(code=errors[0].field("code").text(), message=said)


def _refuse_whole(response: Response, payload: Wire) -> None:
    errors = payload.field("errors").rows()
    if errors:
        against = _against(errors)
        raise RefusedError(f"{response.place}: {against.message} ({against.code})", code="row_refused")


def _data(response: Response) -> Wire:
    """Give what GraphQL answered, or raise what its errors or the HTTP status mean."""
    if response.status in {401, 403}:
        _denied(response, f"HTTP {response.status}")
    if response.status not in {_OK, _BAD_REQUEST}:
        raise RefusedError(
            f"{response.place}: HTTP {response.status}: {response.excerpt}",
            code="no_graphql_api",
            remedy="Check that the address is that of the GraphQL API, such as https://shop.example/graphql/.",
        )
    for fault in faults_of(response):
        _raise(response, fault)
    if response.status == _BAD_REQUEST:
        raise RefusedError(f"{response.place}: HTTP 400: {response.excerpt}", code="row_refused")
    return body_of(response).field("data")


def _raise(response: Response, fault: Fault) -> NoReturn:
    if fault.code in _DENIED:
        _denied(response, fault.message)
    if fault.depth > 1 or was_carried_out(response):
        raise LostAnswerError(
            f"{response.place}: {fault.message}; the request may have been carried out, its answer broke off"
        )
    raise RefusedError(f"{response.place}: {fault.message}", code="row_refused")


def _denied(response: Response, said: str) -> NoReturn:
    raise UnauthorizedError(
        f"{response.place}: {said}",
        remedy="Saleor answers alike when the app's token is wrong and when it lacks a permission. Check the "
        "token, and that the app has MANAGE_PRODUCTS.",
    )


def _nodes(page: Wire) -> list[Wire]:
    return [edge.field("node") for edge in page.field("edges").rows()]


def _next(page: Wire) -> str | None:
    info = page.field("pageInfo")
    return info.field("endCursor").text() if info.field("hasNextPage").flag() else None


def _variant(node: Wire) -> Variant:
    sku = node.get("sku")
    return Variant(
        id=node.field("id").text(),
        sku=sku.text() if sku else "",
        tracked=node.field("trackInventory").flag(),
        levels=_levels(node) if node.get("stocks") else {},
    )


def _levels(node: Wire) -> dict[str, Level]:
    return {
        stock.field("warehouse").field("id").text(): Level(
            quantity=stock.field("quantity").whole(), allocated=stock.field("quantityAllocated").whole()
        )
        for stock in node.field("stocks").rows()
    }
