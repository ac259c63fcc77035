"""eBay's Sell Inventory API as conversations: tokens, items, offers, and the bulk update."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NoReturn
from urllib.parse import urlencode

from attrs import field, frozen

from omsync.errors import DecodeError, RefusedError, ServerFaultError, UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Verdict
from omsync.http.retrying import judge as usual_judge
from omsync.http.tokens import Token
from omsync.sinks._credentials import basic
from omsync.sinks._http import Wire

__all__ = [
    "AUCTION",
    "BUSY",
    "LONGEST_SKU",
    "NO_OFFER",
    "ONE_A_CALL",
    "UNKNOWN_SKU",
    "Access",
    "Entry",
    "Item",
    "Offer",
    "Said",
    "due",
    "grant",
    "items",
    "items_page",
    "judge",
    "kept",
    "offers",
    "recalled",
    "update",
]

SCOPE = "https://api.ebay.com/oauth/api_scope/sell.inventory"
LONGEST_SKU = 50
"""eBay's items have no longer SKU."""

BUSY = {25001, 25025}
"""The system failed, or somebody else writes the same item: to be tried again."""
ONE_A_CALL = {25002, 25709, 25727}
"""What eBay answers where it does not take several SKUs in one call."""
UNKNOWN_SKU, NO_OFFER, AUCTION = {25702, 25710}, {25713}, {25759}

_OK = {200, 207}
_UNAUTHORIZED = {401, 403}
_NOT_FOUND = 404


@frozen(kw_only=True)
class Access:
    """Where eBay is, and the token to ask with."""

    url: str
    token: str = field(repr=False)

    def get(self, path: str, lane: str, query: Sequence[tuple[str, str]] = ()) -> Request:
        """Make a request that reads."""
        return Request(
            method="GET", url=self.url + path, query=tuple(query), headers=self._headers, lane=lane
        )

    def post(self, path: str, lane: str, body: Any) -> Request:
        """Make a request that sends; each of ours may be repeated, since quantities are absolute."""
        return Request(method="POST", url=self.url + path, headers=self._headers, body=body, lane=lane)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "content-language": "en-US"}


@frozen(kw_only=True)
class Item:
    """An inventory item: its total, what of it stands at which merchant location, and how fast that ships.

    Args:
        sku: The seller's code.
        quantity: The total.
        places: By merchant location, what stands there.
        times: By merchant location, its fulfilment time as eBay gave it, where it has one.
    """

    sku: str
    quantity: int | None
    places: Mapping[str, int] = field(factory=dict)
    times: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Offer:
    """An offer of an item in one marketplace; a shopper sees the smaller of its quantity and the item's."""

    id: str
    marketplace: str
    listing: str = ""
    quantity: int | None = None


@frozen(kw_only=True)
class Entry:
    """One SKU of an update: the total, its locations if it has them, and the offers that show it."""

    sku: str
    quantity: int
    offers: tuple[str, ...]
    places: Mapping[str, int] = field(factory=dict)
    times: Mapping[str, Any] = field(factory=dict)

    @property
    def wire(self) -> dict[str, Any]:
        """The entry as eBay takes it; both quantities are written, since the smaller one is shown."""
        availability: dict[str, Any] = {"quantity": self.quantity}
        if self.places:
            # The list replaces what was there, fulfilment times too.
            availability["availabilityDistributions"] = [
                {
                    "merchantLocationKey": key,
                    "quantity": units,
                    **({"fulfillmentTime": self.times[key]} if key in self.times else {}),
                }
                for key, units in sorted(self.places.items())
            ]
        offers = [{"offerId": offer, "availableQuantity": self.quantity} for offer in self.offers]
        return {"sku": self.sku, "shipToLocationAvailability": availability, "offers": offers}


@frozen(kw_only=True)
class Said:
    """What eBay said of one SKU: its error ids, and a sentence."""

    ok: bool
    ids: frozenset[int] = frozenset()
    message: str = ""


def grant(url: str, client_id: str, client_secret: str, refresh_token: str) -> Conversation[Token]:
    """Ask for an access token, good for two hours, with the seller's refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": SCOPE}
    response = yield Request(
        method="POST",
        url=f"{url}/identity/v1/oauth2/token",
        headers={
            "authorization": basic(client_id, client_secret),
            "content-type": "application/x-www-form-urlencoded",
        },
        raw=urlencode(form).encode(),
        lane="token",
    )
    if response.status in {400, 401}:
        # Its body is not quoted: it may repeat what was sent.
        raise UnauthorizedError(
            f"{response.place}: eBay grants no token (HTTP {response.status})",
            remedy="Check client_id and client_secret. A refresh token lasts 18 months, and ends when the "
            f"seller takes the consent back: then ask for it anew, with the scope {SCOPE}.",
        )
    body = _body(response)
    return Token(value=body.field("access_token").text(), seconds=float(body.field("expires_in").whole()))


def items(access: Access, skus: Sequence[str]) -> Conversation[list[Item]]:
    """Look at most 25 items up; one that the account does not have is left out."""
    requests = [{"sku": sku} for sku in skus]
    response = yield access.post("/sell/inventory/v1/bulk_get_inventory_item", "read", {"requests": requests})
    found: list[Item] = []
    for row in _body(response).field("responses").rows():
        said = _said(row)
        if said.ok:
            found.append(_item(row.field("sku").text(), row.field("inventoryItem")))
        elif not said.ids & UNKNOWN_SKU and row.field("statusCode").whole() != _NOT_FOUND:
            raise ServerFaultError(f"{response.place}: {said.message}", remedy="Try again later.")
    return found


def items_page(access: Access, offset: int) -> Conversation[tuple[list[Item], int]]:
    """Read one page of 200 of all items; and how many there are in all."""
    query = (("limit", "200"), ("offset", str(offset)))
    body = _body((yield access.get("/sell/inventory/v1/inventory_item", "read", query)))
    rows = body.get("inventoryItems")
    page = [_item(row.field("sku").text(), row) for row in rows.rows()] if rows else []
    return page, body.field("total").whole()


def offers(access: Access, sku: str) -> Conversation[list[Offer]]:
    """Look the offers of one SKU up: the only way that there is, one call a SKU."""
    response = yield access.get("/sell/inventory/v1/offer", "offers", (("sku", sku),))
    if response.status == _NOT_FOUND:
        return []
    found = []
    for row in _body(response).field("offers").rows():
        listing = row.get("listing")
        listing_id = listing.get("listingId") if listing else None
        units = row.get("availableQuantity")
        found.append(
            Offer(
                id=row.field("offerId").text(),
                marketplace=row.field("marketplaceId").text(),
                listing=listing_id.text() if listing_id else "",
                quantity=units.whole() if units else None,
            )
        )
    return found


def update(access: Access, entries: Sequence[Entry]) -> Conversation[dict[str, Said] | None]:
    """Write quantities; give by SKU what was said. None: eBay takes no several SKUs in one call."""
    body = {"requests": [entry.wire for entry in entries]}
    response = yield access.post("/sell/inventory/v1/bulk_update_price_quantity", "write", body)
    if response.status == 400 and len(entries) > 1 and _ids(_errors(response)) & ONE_A_CALL:  # noqa: PLR2004  HTTP's
        return None
    by_sku: dict[str, list[Said]] = {}
    for row in _body(response).field("responses").rows():
        by_sku.setdefault(row.field("sku").text(), []).append(_said(row))
    return {sku: _together(said) for sku, said in by_sku.items()}


def judge(request: Request, response: Response) -> Verdict:
    """Decide about another try: eBay's own error ids tell a passing fault from a lasting one."""
    if response.status == 409 and _ids(_errors(response)) & BUSY:  # noqa: PLR2004  HTTP's conflict
        return ServerFaultError(f"{request.place}: somebody else writes the same item", remedy="Try again.")
    return usual_judge(request, response)


def _together(several: Iterable[Said]) -> Said:
    """Sum up an item and its offers: all of them must have been taken."""
    several = list(several)
    return Said(
        ok=all(said.ok for said in several),
        ids=frozenset().union(*(said.ids for said in several)),
        message="; ".join(dict.fromkeys(said.message for said in several if said.message)),
    )


def _said(row: Wire) -> Said:
    errors = row.get("errors")
    rows = errors.rows() if errors else []
    ok = row.field("statusCode").whole() == 200 and not rows  # noqa: PLR2004  HTTP's
    return Said(ok=ok, ids=_ids(rows), message="; ".join(map(_words, rows)))


def _ids(errors: Iterable[Wire]) -> frozenset[int]:
    return frozenset(error.field("errorId").whole() for error in errors)


def _words(error: Wire) -> str:
    long = error.get("longMessage") or error.get("message")
    return f"{long.text() if long else 'no reason given'} ({error.field('errorId').whole()})"


def _errors(response: Response) -> list[Wire]:
    try:
        errors = Wire(value=response.json(), path="answer", place=response.place).get("errors")
    except DecodeError:
        return []
    return errors.rows() if errors else []


def _body(response: Response) -> Wire:
    if response.status in _UNAUTHORIZED:
        raise UnauthorizedError(
            f"{response.place}: HTTP {response.status}",
            remedy=f"The seller's token must have the scope {SCOPE}; a token from another environment "
            "(sandbox, production) is refused as well.",
        )
    if response.status not in _OK:
        _refuse(response)
    return Wire(value=response.json(), path="answer", place=response.place)


def _refuse(response: Response) -> NoReturn:
    said = "; ".join(map(_words, _errors(response))) or response.excerpt
    raise RefusedError(f"{response.place}: HTTP {response.status}: {said}", code="row_refused")


def _item(sku: str, row: Wire) -> Item:
    availability = row.get("availability")
    ship_to = availability.get("shipToLocationAvailability") if availability else None
    if ship_to is None:
        return Item(sku=sku, quantity=None)
    units, spread = ship_to.get("quantity"), ship_to.get("availabilityDistributions")
    places = {one.field("merchantLocationKey").text(): one for one in (spread.rows() if spread else ())}
    times = {key: one.get("fulfillmentTime") for key, one in places.items()}
    return Item(
        sku=sku,
        quantity=units.whole() if units else None,
        places={key: one.field("quantity").whole() for key, one in places.items()},
        times={key: time.value for key, time in times.items() if time is not None},
    )


def kept(found: Sequence[Offer], today: date) -> str:
    """Write offers down for the ledger, with the day on which they were looked up."""
    rows = [[one.id, one.marketplace, one.listing] for one in found]
    return json.dumps([today.isoformat(), rows], separators=(",", ":"))


def recalled(text: str) -> tuple[Offer, ...]:
    """Read offers that the ledger kept."""
    _, rows = json.loads(text)
    return tuple(Offer(id=key, marketplace=place, listing=listing) for key, place, listing in rows)


def due(sku: str, text: str, today: date, days: int) -> bool:
    """Tell whether kept offers are to be looked up anew: once in so many days, each SKU on its own day."""
    looked_up = date.fromisoformat(json.loads(text)[0])
    its_day = (today.toordinal() + zlib.crc32(sku.encode())) % days == 0
    return (its_day and looked_up != today) or (today - looked_up).days >= 2 * days
