"""Walmart's Marketplace API as conversations: tokens, inventories and single writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from attrs import evolve, field, frozen

from omsync.errors import UnauthorizedError
from omsync.http.messages import Conversation, Request
from omsync.http.tokens import Token
from omsync.sinks._credentials import basic
from omsync.sinks._http import Wire
from omsync.sinks._rows import Verdict
from omsync.sinks._walmart_answers import data_of, errors_of, said_in

__all__ = [
    "SKUS_A_PAGE",
    "Access",
    "Item",
    "Page",
    "Stock",
    "get",
    "grant",
    "page",
    "put",
    "put_nodes",
    "units",
]

SKUS_A_PAGE = 50
_REFUSED = {400, 401, 403}
_NOT_FOUND = 404
_WFS = "WFSFulfilled"


@frozen(kw_only=True)
class Access:
    """The way to one seller's inventory.

    Args:
        url: The host.
        service: Walmart wants a name of the calling service.
        token: The access token; never shown.
    """

    url: str
    service: str
    token: str = field(default="", repr=False)

    def ask(self, method: str, path: str, lane: str, *query: tuple[str, str], body: Any = ...) -> Request:
        """Make a request with the token in its header; its correlation id is added anew for each try."""
        headers = {"WM_SVC.NAME": self.service, "WM_SEC.ACCESS_TOKEN": self.token}
        return Request(
            method=method, url=f"{self.url}{path}", query=query, headers=headers, body=body, lane=lane
        )


@frozen(kw_only=True)
class Stock:
    """What a ship node has of an item: what was put in, and units sold and not shipped; None: not told."""

    put_in: int | None = None
    reserved: int | None = None
    walmarts: bool = False


@frozen(kw_only=True)
class Item:
    """An item's stock by ship node."""

    sku: str
    nodes: Mapping[str, Stock]


@frozen(kw_only=True)
class Page:
    """Some of all items; ``total`` counts all of them, ``following`` asks for the next page."""

    items: list[Item]
    total: int | None = None
    following: str | None = None


def grant(access: Access, client_id: str, client_secret: str) -> Conversation[Token]:
    """Ask for an access token."""
    response = yield Request(
        method="POST",
        url=f"{access.url}/v3/token",
        headers={
            "authorization": basic(client_id, client_secret),
            "content-type": "application/x-www-form-urlencoded",
            "WM_SVC.NAME": access.service,
        },
        raw=b"grant_type=client_credentials",
        lane="token",
    )
    if response.status in _REFUSED:
        raise UnauthorizedError(
            f"{response.place}: no access token was granted: {said_in(response)}",
            remedy="Check client_id and client_secret, and that they are not those of the sandbox.",
        )
    answer = data_of(response)
    return Token(value=answer.field("access_token").text(), seconds=answer.field("expires_in").whole())


def page(access: Access, cursor: str | None) -> Conversation[Page]:
    """Read a page of all items at all ship nodes; the cursor is another one on each page."""
    following = () if cursor is None else (("nextCursor", cursor),)
    response = yield access.ask(
        "GET", "/v3/inventories", "GET inventories", ("limit", str(SKUS_A_PAGE)), *following
    )
    answer = data_of(response)
    meta = answer.get("meta")
    total = meta.get("totalCount") if meta else None
    cursor_now = meta.get("nextCursor") if meta else None
    rows = answer.field("elements").field("inventories").rows()
    return Page(
        items=[_item(row) for row in rows],
        total=total.whole() if total else None,
        following=(cursor_now.text() or None) if cursor_now else None,
    )


def get(access: Access, sku: str) -> Conversation[Page]:
    """Read one item at all ship nodes; none when Walmart has no inventory of it."""
    response = yield access.ask("GET", f"/v3/inventories/{quote(sku, safe='')}", "GET inventory")
    if response.status == _NOT_FOUND:
        return Page(items=[])
    item = _item(data_of(response))
    return Page(items=[item] if item.sku == sku else [])


def put(access: Access, sku: str, node: str, quantity: int) -> Conversation[dict[str, Verdict]]:
    """Write one item at one ship node, or at the seller's only one; the answer shows the quantity."""
    at = (("shipNode", node),) if node else ()
    response = yield access.ask(
        "PUT",
        "/v3/inventory",
        "PUT inventory",
        ("sku", sku),
        *at,
        body={"sku": sku, "quantity": units(quantity)},
    )
    answer = data_of(response, refusal="row_refused", absent="not_in_cart")
    shown = answer.get("quantity")
    return {node: Verdict(echo=shown.field("amount").whole()) if shown else _NOT_ECHOED}


def put_nodes(access: Access, sku: str, wanted: Mapping[str, int]) -> Conversation[dict[str, Verdict]]:
    """Write one item at several ship nodes; HTTP 200 may refuse some of them."""
    nodes = [{"shipNode": node, "inputQty": units(quantity)} for node, quantity in wanted.items()]
    response = yield access.ask(
        "PUT",
        f"/v3/inventories/{quote(sku, safe='')}",
        "PUT inventory",
        body={"inventories": {"nodes": nodes}},
    )
    answer = data_of(response, refusal="row_refused", absent="not_in_cart")
    said = {row.field("shipNode").text(): _node_verdict(row) for row in answer.field("nodes").rows()}
    return {node: said.get(node, _NOT_ECHOED) for node in wanted}


def units(quantity: int) -> dict[str, Any]:
    """Give a quantity as Walmart writes it."""
    return {"unit": "EACH", "amount": quantity}


_NOT_ECHOED = Verdict(
    status="pending", reason="not_echoed", message="Walmart's answer does not show this row"
)


def _node_verdict(row: Wire) -> Verdict:
    errors = errors_of(row, "errors")
    status = row.get("status")
    if status is None and not errors:
        return _NOT_ECHOED
    if errors or status is None or status.text().casefold() != "success":
        message = "; ".join(errors) or f"status {status.text() if status else 'missing'}"
        return Verdict(status="rejected", reason="row_refused", message=message)
    return Verdict()


def _item(row: Wire) -> Item:
    nodes = row.get("nodes")
    return Item(
        sku=row.field("sku").text(),
        nodes={node.field("shipNode").text(): _stock(node) for node in (nodes.rows() if nodes else ())},
    )


def _stock(node: Wire) -> Stock:
    kind = node.get("shipNodeType")
    put_in, for_sale, reserved = (
        amount.field("amount").whole() if (amount := node.get(name)) else None
        for name in ("inputQty", "availToSellQty", "reservedQty")
    )
    stock = Stock(put_in=put_in, reserved=reserved, walmarts=kind is not None and kind.text() == _WFS)
    if reserved is None and put_in is not None and for_sale is not None:
        return evolve(stock, reserved=put_in - for_sale)
    return stock
