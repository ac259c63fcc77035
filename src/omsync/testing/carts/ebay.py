"""A seller's account on eBay in memory: inventory items, their offers, and the listings that show them.

As documented: a shopper sees the smaller of an item's and an offer's quantity; a bulk update takes 25 SKUs
(``one_sku_a_call`` for accounts where it takes one), names each SKU once, and answers each offer on its own
with HTTP 207 where one failed; an item whose total is left out loses it; a listing is revised 250 times a
day; 0 ends a listing unless out-of-stock control is on. Assumed: the error id of a spent budget (25019).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from attrs import define, field

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["EbaySeller"]

_MOST = 25
_PAGE = 200
_LONGEST_SKU = 50
_REVISIONS = 250

Row = dict[str, Any]


@define
class _Item:
    quantity: int | None
    places: dict[str, int] = field(factory=dict)
    times: dict[str, Any] = field(factory=dict)


@define
class _Offer:
    id: str
    sku: str
    marketplace: str
    quantity: int | None
    listing: str
    live: bool = True
    auction: bool = False


class EbaySeller(Platform):
    """An account that answers as eBay's Sell Inventory API does.

    Args:
        client_id: The application's id.
        client_secret: Its secret.
        refresh_token: The seller's refresh token.
        one_sku_a_call: Whether a bulk update takes one SKU only.
        out_of_stock_control: Whether a listing stays at 0 instead of ending.
        revisions_per_day: How often a listing may be revised until ``next_day()``.
        now: See ``Platform``.
    """

    def __init__(
        self,
        *,
        client_id: str = "ebay-test-app",
        client_secret: str = "ebay-test-secret",  # noqa: S107  an invented secret
        refresh_token: str = "ebay-test-refresh",  # noqa: S107  likewise
        one_sku_a_call: bool = False,
        out_of_stock_control: bool = True,
        revisions_per_day: int = _REVISIONS,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.client = f"{client_id}:{client_secret}"
        self.refresh_token = refresh_token
        self.one_sku_a_call = one_sku_a_call
        self.out_of_stock_control = out_of_stock_control
        self.revisions_per_day = revisions_per_day
        self.revisions: dict[str, int] = {}
        self._tokens: list[str] = []
        self._items: dict[str, _Item] = {}
        self._offers: list[_Offer] = []
        self._busy = 0

    def add(
        self,
        sku: str,
        quantity: int | None,
        *,
        offers: Sequence[str] = ("EBAY_US",),
        offered: int | None = None,
        listing: str | None = None,
        auction: bool = False,
        places: Mapping[str, int] | None = None,
        times: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an item with its offers.

        Args:
            sku: The seller's code.
            quantity: The item's total.
            offers: The marketplaces in which it is offered; none for an item that nobody can buy.
            offered: What the offers show, if not the same.
            listing: The listing's id; several SKUs with one id are its variations.
            auction: Whether eBay holds its quantity back for an auction.
            places: By merchant location, what of the total stands there.
            times: By merchant location, its fulfilment time, such as ``{"unit": "DAY", "value": 2}``.
        """
        self._items[sku] = _Item(quantity, dict(places or {}), dict(times or {}))
        for marketplace in offers:
            number = len(self._offers) + 1
            units = quantity if offered is None else offered
            self._offers.append(
                _Offer(f"{number:010}", sku, marketplace, units, listing or f"L{number}", auction=auction)
            )

    def offer_anew(self, sku: str) -> None:
        """End the offers of a SKU and make them again, under other ids."""
        for offer in [one for one in self._offers if one.sku == sku]:
            self._offers.remove(offer)
            number = f"9{len(self._offers):09}"
            self._offers.append(_Offer(number, sku, offer.marketplace, offer.quantity, offer.listing))

    def offer_also(self, sku: str, marketplace: str, quantity: int) -> None:
        """Offer an item in one more marketplace."""
        number = f"8{len(self._offers):09}"
        self._offers.append(_Offer(number, sku, marketplace, quantity, f"L{number}"))

    def remove(self, sku: str) -> None:
        """Delete an item and its offers."""
        self._items.pop(sku, None)
        self._offers = [offer for offer in self._offers if offer.sku != sku]

    def quantity(self, sku: str, place: str | None = None) -> int | None:
        """Give what a shopper sees, or what stands at one merchant location; None for nothing."""
        item = self._items.get(sku)
        if item is None or place is not None:
            return item.places.get(place) if item and place else None
        shown = [offer.quantity for offer in self._offers if offer.sku == sku and offer.live]
        figures = [units for units in (item.quantity, *shown) if units is not None]
        return min(figures) if shown and figures else None

    def fulfilment_time(self, sku: str, place: str) -> Any:
        """Give an item's fulfilment time at a merchant location; None where it has none."""
        return self._items[sku].times.get(place)

    def sell(self, sku: str, units: int) -> None:
        """Sell so many: item and offers fall together."""
        item = self._items[sku]
        item.quantity = (item.quantity or 0) - units
        for offer in self._offers:
            if offer.sku == sku and offer.quantity is not None:
                offer.quantity -= units

    def is_busy(self, times: int) -> None:
        """Let so many SKUs of the next updates meet somebody else's write."""
        self._busy = times

    def expire_tokens(self) -> None:
        """Let all access tokens end."""
        self._tokens.clear()

    def next_day(self) -> None:
        """Let the count of revisions begin anew."""
        self.revisions.clear()

    def answer(self, asked: Asked) -> Response:
        """Answer one request."""
        if asked.path == "/identity/v1/oauth2/token":
            return self._grant(asked)
        routes: Mapping[tuple[str, str], Callable[[Asked], Response]] = {
            ("POST", "/sell/inventory/v1/bulk_get_inventory_item"): self._bulk_get,
            ("GET", "/sell/inventory/v1/inventory_item"): self._page,
            ("GET", "/sell/inventory/v1/offer"): self._offers_of,
            ("POST", "/sell/inventory/v1/bulk_update_price_quantity"): self._bulk_update,
        }
        route = routes.get((asked.method, asked.path))
        if route is None:
            return _errors(2002, "Resource not found", status=404)
        bearer = asked.headers.get("authorization", "")
        if bearer.removeprefix("Bearer ") not in self._tokens:
            return _errors(1001, "Invalid access token", status=401)
        return route(asked)

    def _grant(self, asked: Asked) -> Response:
        form = dict(parse_qsl(asked.content.decode()))
        header = "Basic " + base64.b64encode(self.client.encode()).decode()
        if asked.headers.get("authorization") != header:
            return json_answer({"error": "invalid_client"}, 401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh_token:
            return json_answer({"error": "invalid_grant"}, 400)
        token = f"ebay-access-{len(self._tokens) + 1}-{id(self)}"
        self._tokens.append(token)
        return json_answer({"access_token": token, "expires_in": 7200, "token_type": "User Access Token"})

    def _bulk_get(self, asked: Asked) -> Response:
        rows: list[Row] = asked.json()["requests"]
        if len(rows) > _MOST:
            return _errors(25727, f"The number of items exceeds {_MOST}")
        responses = [self._get(row["sku"]) for row in rows]
        good = all(row["statusCode"] == 200 for row in responses)  # noqa: PLR2004  HTTP's
        return json_answer({"responses": responses}, 200 if good else 207)

    def _get(self, sku: str) -> Row:
        item = self._items.get(sku)
        if item is None or len(sku) > _LONGEST_SKU:
            return {"sku": sku, "statusCode": 404, "errors": [_error(25710, "No item has this SKU")]}
        return {"sku": sku, "statusCode": 200, "inventoryItem": _show(item)}

    def _page(self, asked: Asked) -> Response:
        limit, offset = int(asked.first("limit", "25")), int(asked.first("offset", "0"))
        if not 1 <= limit <= _PAGE:
            return _errors(25709, "Invalid value for limit")
        rows = [{"sku": sku, **_show(item)} for sku, item in self._items.items()][offset : offset + limit]
        return json_answer({"total": len(self._items), "size": len(rows), "inventoryItems": rows})

    def _offers_of(self, asked: Asked) -> Response:
        sku = asked.first("sku")
        found = [offer for offer in self._offers if offer.sku == sku]
        if not found:
            return _errors(25713, "This Offer is not available", status=404)
        rows = [
            {
                "offerId": offer.id,
                "sku": offer.sku,
                "marketplaceId": offer.marketplace,
                "format": "AUCTION" if offer.auction else "FIXED_PRICE",
                "availableQuantity": offer.quantity,
                "status": "PUBLISHED" if offer.live else "UNPUBLISHED",
                **(
                    {"listing": {"listingId": offer.listing, "listingStatus": "ACTIVE"}} if offer.live else {}
                ),
            }
            for offer in found
        ]
        return json_answer({"total": len(rows), "offers": rows})

    def _bulk_update(self, asked: Asked) -> Response:
        rows: list[Row] = asked.json()["requests"]
        if len(rows) > (1 if self.one_sku_a_call else _MOST):
            return _errors(25002 if self.one_sku_a_call else 25727, "Too many items in one request")
        skus = [row["sku"] for row in rows]
        if len(set(skus)) < len(skus):
            return _errors(25734, "A SKU is given twice")
        responses = [response for row in rows for response in self._update(row)]
        good = all(row["statusCode"] == 200 for row in responses)  # noqa: PLR2004  HTTP's
        return json_answer({"responses": responses}, 200 if good else 207)

    def _update(self, row: Row) -> list[Row]:
        sku, availability = row["sku"], row.get("shipToLocationAvailability")
        item = self._items.get(sku)
        if item is None:
            return [_failed(sku, 25702, "No item has this SKU", 404)]
        if self._busy:
            self._busy -= 1
            return [_failed(sku, 25025, "Concurrent access of the same inventory item is not allowed", 409)]
        if availability is not None:
            given = [availability.get("quantity"), *_spread(availability).values()]
            if any(units is not None and (type(units) is not int or units < 0) for units in given):
                return [_failed(sku, 25709, "Invalid value for quantity", 400)]
            item.quantity = availability.get("quantity")
            item.places, item.times = _spread(availability), _times(availability)
        return [self._update_offer(sku, one) for one in row.get("offers", [])]

    def _update_offer(self, sku: str, row: Row) -> Row:
        offer = next((one for one in self._offers if one.id == row["offerId"] and one.sku == sku), None)
        if offer is None:
            return _failed(sku, 25713, "This Offer is not available", 404, row["offerId"])
        if offer.auction:
            return _failed(sku, 25759, "The quantity is allocated to an auction", 400, offer.id)
        if self.revisions.get(offer.listing, 0) >= self.revisions_per_day:
            return _failed(sku, 25019, "The listing was revised too often today", 400, offer.id)
        self.revisions[offer.listing] = self.revisions.get(offer.listing, 0) + 1
        offer.quantity = row["availableQuantity"]
        if offer.quantity == 0 and not self.out_of_stock_control:
            offer.live = False
        return {"sku": sku, "offerId": offer.id, "statusCode": 200}


def _spread(availability: Mapping[str, Any]) -> dict[str, int]:
    rows = availability.get("availabilityDistributions") or []
    return {row["merchantLocationKey"]: row["quantity"] for row in rows}


def _times(availability: Mapping[str, Any]) -> dict[str, Any]:
    rows = availability.get("availabilityDistributions") or []
    return {row["merchantLocationKey"]: row["fulfillmentTime"] for row in rows if "fulfillmentTime" in row}


def _show(item: _Item) -> Row:
    availability: Row = {}
    if item.quantity is not None:
        availability["quantity"] = item.quantity
    if item.places:
        availability["availabilityDistributions"] = [
            {
                "merchantLocationKey": key,
                "quantity": units,
                **({"fulfillmentTime": item.times[key]} if key in item.times else {}),
            }
            for key, units in item.places.items()
        ]
    return {"availability": {"shipToLocationAvailability": availability} if availability else {}}


def _error(number: int, message: str) -> Row:
    return {"errorId": number, "domain": "API_INVENTORY", "category": "REQUEST", "message": message}


def _errors(number: int, message: str, *, status: int = 400) -> Response:
    return json_answer({"errors": [_error(number, message)]}, status)


def _failed(sku: str, number: int, message: str, status: int, offer: str | None = None) -> Row:
    named = {"offerId": offer} if offer else {}
    return {"sku": sku, **named, "statusCode": status, "errors": [_error(number, message)]}
