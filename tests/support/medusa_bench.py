"""A Medusa shop on the bench, the fake one or a real one: how it is spoken to past the sink."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from omsync.http.messages import Handler, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.ports import CartListing, PushResult, QuantityChange
from omsync.sinks._credentials import basic
from omsync.sinks.medusa import Medusa

__all__ = ["BATCH", "Bench", "change", "figures", "outcomes", "states"]

BATCH = "/admin/inventory-items/location-levels/batch"
AT_ONCE = RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0)


class Bench(ABC):
    """A shop with two stock locations and the stock that ``medusa_seed`` describes.

    Args:
        url: Its address.
        facts: Credentials (``api_key``, ``email``, ``password``), location ids (``west``, ``east``) and
            ``items``, the inventory item ids by SKU.
        handler: How sinks reach it; None for the network.
    """

    def __init__(self, url: str, facts: Mapping[str, Any], handler: Handler | None) -> None:
        self.url = url
        self.facts = facts
        self.handler = handler
        self.west: str = facts["west"]
        self.east: str = facts["east"]
        self.items: Mapping[str, str] = facts["items"]

    @abstractmethod
    def send(self, request: Request) -> Response:
        """Carry out one request."""

    @abstractmethod
    def buyable(self, sku: str) -> int:
        """Give what the store offers."""

    @abstractmethod
    def without_database(self) -> AbstractContextManager[None]:
        """Take the shop's database away for a while."""

    def ask(self, method: str, path: str, body: Any = ..., **more: Any) -> tuple[int, Any]:
        """Ask by hand with the secret key; give status and answer."""
        headers = {"authorization": basic(self.facts["api_key"], "")}
        request = Request(
            method=method,
            url=self.url + path,
            query=tuple(more.get("query", ())),
            headers=more.get("headers", headers),
            body=body,
        )
        answer = self.send(request)
        is_json = "json" in answer.headers.get("content-type", "")
        return answer.status, answer.json() if is_json else answer.content.decode()

    def row(self, sku: str, units: Any, place: str | None = None) -> dict[str, Any]:
        """Make a row of a batch."""
        return {
            "inventory_item_id": self.items.get(sku, sku),
            "location_id": place or self.west,
            "stocked_quantity": units,
        }

    def on_hand(self, sku: str, place: str | None = None) -> Any:
        """Look up, past the sink, what is on hand at a location (the west when left out)."""
        _, answer = self.ask(
            "GET", "/admin/inventory-items", query=[("sku[]", sku), ("fields", "*location_levels")]
        )
        levels = [level for item in answer["inventory_items"] for level in item["location_levels"]]
        wanted = place or self.west
        return next((level["stocked_quantity"] for level in levels if level["location_id"] == wanted), None)

    def sink(self, **options: Any) -> Medusa:
        """Make a sink for the western warehouse, with the secret key."""
        usual = {"location": "West warehouse", "handler": self.handler, "retry": AT_ONCE}
        if not {"email", "api_key"} & options.keys():
            usual["api_key"] = self.facts["api_key"]
        return Medusa(self.url, **{**usual, **options})

    def meddled(self, happening: Callable[[], object]) -> Handler:
        """Let something happen once, right before the sink's first write."""
        left = [happening]

        def handle(request: Request) -> Response:
            if request.method == "POST" and left:
                left.pop()()
            return self.send(request)

        return handle


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    """Make a row to push."""
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def figures(listings: list[CartListing]) -> dict[tuple[str, str | None], tuple[int | None, int | None]]:
    """Give units on hand and allocated by listing and location."""
    return {(one.listing_sku, one.location_id): (one.quantity, one.allocated) for one in listings}


def states(listings: list[CartListing]) -> dict[str, str]:
    """Give the state by listing."""
    return {one.listing_sku: one.state for one in listings}


def outcomes(results: list[PushResult]) -> list[tuple[str, str, int | None]]:
    """Give status, reason and echo of each row."""
    return [(one.status, one.reason, one.echo) for one in results]
