"""A Walmart Marketplace in memory: inventories by ship node, single writes and feeds, as strict as it is."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil
from typing import Any
from urllib.parse import unquote

from attrs import define, evolve

from omsync.http.messages import Response
from omsync.testing.carts._limits import CallLimits
from omsync.testing.carts._walmart_feeds import Feeds, error
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["WalmartMarketplace"]

_FEEDS_PER_HOUR = 10
_HOUR = 3600
_EPOCH = 1_773_648_000
"""The point in time at which the marketplace's seconds begin."""
_TOKEN_SECONDS = 900
_MOST_ITEMS = 50


@define(kw_only=True)
class _Stock:
    put_in: int
    reserved: int = 0
    kind: str = "SellerFulfilled"


class WalmartMarketplace(Platform):
    """One seller's inventory at Walmart, by item and ship node.

    Args:
        client_id: The client id of the seller's keys.
        client_secret: Their secret.
        default_node: The ship node that is meant where none is named.
        feed_looks: How often a feed is still under way when it is asked about.
        details_page: How many items a page of a feed's details has at most.
        now: Counts seconds; with it feeds are throttled and tokens end.
    """

    def __init__(
        self,
        *,
        client_id: str = "client-1",
        client_secret: str = "secret-1",  # noqa: S107  invented, for tests
        default_node: str = "10000",
        feed_looks: int = 1,
        details_page: int = 1000,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.default_node = default_node
        self.nodes = {default_node}
        self.feeds = Feeds(self._write, looks=feed_looks, details=details_page)
        self._basic = "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._limits = CallLimits({"feed": (_FEEDS_PER_HOUR / _HOUR, _FEEDS_PER_HOUR)}, now)
        self._items: dict[str, dict[str, _Stock]] = {}
        self._tokens: dict[str, float] = {}
        self._correlations: set[str] = set()

    def add(
        self, sku: str, quantity: int = 0, *, node: str | None = None, reserved: int = 0, wfs: bool = False
    ) -> None:
        """Add an item, or its stock at a further ship node.

        Args:
            sku: The seller's code.
            quantity: Units put in, those sold and not shipped among them.
            node: The ship node; None for the default one.
            reserved: Units sold and not shipped.
            wfs: Whether Walmart keeps and ships the stock.
        """
        node = node or self.default_node
        self.nodes.add(node)
        kind = "WFSFulfilled" if wfs else "SellerFulfilled"
        self._items.setdefault(sku, {})[node] = _Stock(put_in=quantity, reserved=reserved, kind=kind)

    def remove(self, sku: str) -> None:
        """Take an item away."""
        del self._items[sku]

    def quantity(self, sku: str, node: str | None = None) -> int | None:
        """Give the units put in at a ship node; None where there is no record."""
        stock = self._items[sku].get(node or self.default_node)
        return None if stock is None else stock.put_in

    def for_sale(self, sku: str, node: str | None = None) -> int:
        """Give what a shopper may still buy."""
        stock = self._items[sku][node or self.default_node]
        return stock.put_in - stock.reserved

    def sell(self, sku: str, units: int = 1, node: str | None = None) -> None:
        """Let a shopper order: units are reserved and stay among those put in."""
        self._items[sku][node or self.default_node].reserved += units

    def ship(self, sku: str, units: int = 1, node: str | None = None) -> None:
        """Ship what was ordered: it is neither put in nor reserved any more."""
        stock = self._items[sku][node or self.default_node]
        stock.reserved -= units
        stock.put_in -= units

    def spend_feeds(self, feeds: int) -> None:
        """Let another program of the seller's send so many feeds."""
        self._limits.spend("feed", feeds)

    def end_tokens(self) -> None:
        """Take every access token back at once."""
        self._tokens.clear()

    def answer(self, asked: Asked) -> Response:
        """Do what Walmart does."""
        problem = self._headers_problem(asked)
        if problem is not None:
            return problem
        parts = [unquote(part) for part in asked.path.split("/")[1:]]
        routes: dict[tuple[str, str, int], Callable[..., Response]] = {
            ("POST", "token", 0): self._grant,
            ("GET", "inventories", 0): self._page,
            ("GET", "inventories", 1): self._get,
            ("PUT", "inventory", 0): self._put,
            ("PUT", "inventories", 1): self._put_nodes,
            ("POST", "feeds", 0): self._take_feed,
            ("GET", "feeds", 1): self.feeds.status_of,
        }
        name, rest = "".join(parts[1:2]), parts[2:]
        do = routes.get((asked.method, name, len(rest))) if parts[:1] == ["v3"] else None
        if do is None:
            return error(404, "URI_NOT_FOUND", "The requested URI was not found.")
        return do(asked, *rest)

    def _headers_problem(self, asked: Asked) -> Response | None:
        correlation = asked.headers.get("wm_qos.correlation_id")
        if not correlation or correlation in self._correlations:
            return error(
                400, "INVALID_REQUEST_HEADER", "WM_QOS.CORRELATION_ID is missing or was used before."
            )
        self._correlations.add(correlation)
        if not asked.headers.get("wm_svc.name"):
            return error(400, "MISSING_REQUEST_HEADER", "WM_SVC.NAME is missing.")
        if asked.path == "/v3/token":
            return None
        ends = self._tokens.get(asked.headers.get("wm_sec.access_token", ""))
        if ends is None or self.now() >= ends:
            return error(
                401, "UNAUTHORIZED.GMP_GATEWAY_API", "Unauthorized token or incorrect authorization header."
            )
        return None

    def _grant(self, asked: Asked) -> Response:
        if asked.headers.get("authorization") != self._basic:
            return error(401, "UNAUTHORIZED.GMP_GATEWAY_API", "Unauthorized credentials.")
        if asked.content != b"grant_type=client_credentials":
            return error(400, "INVALID_REQUEST", "grant_type is missing.")
        token = f"token-{len(self.requests)}"
        self._tokens[token] = self.now() + _TOKEN_SECONDS
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS})

    def _page(self, asked: Asked) -> Response:
        limit = int(asked.first("limit", "10"))
        if not 1 <= limit <= _MOST_ITEMS:
            return error(400, "INVALID_REQUEST_PARAM", "The value provided for 'limit' is invalid.")
        start = int(asked.first("nextCursor", "after-0").removeprefix("after-"))
        skus = list(self._items)
        meta: dict[str, Any] = {"totalCount": len(skus)}
        if start + limit < len(skus):
            meta["nextCursor"] = f"after-{start + limit}"
        told = [self._told(sku) for sku in skus[start : start + limit]]
        return json_answer({"meta": meta, "elements": {"inventories": told}})

    def _get(self, _: Asked, sku: str) -> Response:
        if sku not in self._items:
            return error(404, "CONTENT_NOT_FOUND", "No inventory was found for the SKU.")
        return json_answer(self._told(sku))

    def _told(self, sku: str) -> dict[str, Any]:
        return {
            "sku": sku,
            "nodes": [
                {
                    "shipNode": node,
                    "shipNodeType": stock.kind,
                    "inputQty": _units(stock.put_in),
                    "availToSellQty": _units(stock.put_in - stock.reserved),
                    "reservedQty": _units(stock.reserved),
                }
                for node, stock in self._items[sku].items()
            ],
        }

    def _put(self, asked: Asked) -> Response:
        sku, body = asked.first("sku"), asked.json()
        if body.get("sku") != sku:
            return error(400, "INVALID_REQUEST_CONTENT", "The SKU in the body is another one.")
        if sku not in self._items:
            return error(404, "CONTENT_NOT_FOUND", "The SKU was not found.")
        complaint = self._write(sku, asked.first("shipNode"), body["quantity"])
        if complaint:
            return error(400, "INVALID_REQUEST_CONTENT", complaint)
        return json_answer({"sku": sku, "quantity": body["quantity"]})

    def _put_nodes(self, asked: Asked, sku: str) -> Response:
        """Write at several nodes: HTTP 200, whatever came of them."""
        if sku not in self._items:
            return error(404, "CONTENT_NOT_FOUND", "The SKU was not found.")
        told = []
        for row in asked.json()["inventories"]["nodes"]:
            complaint = self._write(sku, row["shipNode"], row["inputQty"])
            wrong = [{"code": "INVALID_SHIP_NODE", "field": "shipNode", "description": complaint}]
            told.append(
                {"shipNode": row["shipNode"], "status": "Failure", "errors": wrong}
                if complaint
                else {"shipNode": row["shipNode"], "status": "Success"}
            )
        return json_answer({"sku": sku, "nodes": told})

    def _take_feed(self, asked: Asked) -> Response:
        wait = self._limits.take("feed")
        if wait:
            answer = error(429, "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API", "Too many requests.")
            return evolve(answer, headers={**answer.headers, "retry-after": str(int(wait) + 1)})
        answer, now = self.feeds.take(asked), _EPOCH + self.now()
        told = {
            "date": format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True),
            "x-current-token-count": str(self._limits.left("feed")),
            "x-next-replenish-time": str(ceil((now + self._limits.more_in("feed")) * 1000)),
        }
        return evolve(answer, headers={**answer.headers, **told})

    def _write(self, sku: str, node: str, quantity: Any) -> str:
        """Write one quantity; give a complaint, or an empty text."""
        node = node or self.default_node
        amount = quantity.get("amount")
        stock = self._items.get(sku, {}).get(node)
        if sku not in self._items:
            return f"The SKU {sku} was not found."
        if node not in self.nodes:
            return f"The ship node {node} was not found."
        if quantity.get("unit") != "EACH" or type(amount) is not int or amount < 0:
            return f"The quantity {quantity} is invalid."
        if stock is not None and stock.kind == "WFSFulfilled":
            return "The inventory of WFS items cannot be updated."
        reserved = 0 if stock is None else stock.reserved
        self._items[sku][node] = _Stock(put_in=amount, reserved=reserved)
        return ""


def _units(amount: int) -> dict[str, Any]:
    return {"unit": "EACH", "amount": amount}
