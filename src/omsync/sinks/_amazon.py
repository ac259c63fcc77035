"""Amazon's Selling Partner API as conversations: tokens, listings and single writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from omsync.http.messages import Conversation, Request
from omsync.http.tokens import Token
from omsync.sinks._amazon_answers import data_of, issues_of, token_refused, verdict_of
from omsync.sinks._http import Paging, Wire
from omsync.sinks._rows import Verdict

__all__ = ["DEFAULT", "SKUS_A_CALL", "Access", "Listing", "find", "get", "grant", "patch", "patches"]

DEFAULT = "DEFAULT"
"""Amazon's code of stock that the seller keeps and ships, without Multi-Location Inventory."""

SKUS_A_CALL = 20
_LISTINGS = "/listings/2021-08-01/items"
_INCLUDED = "fulfillmentAvailability,productTypes"
_OK, _NOT_FOUND = 200, 404


@frozen(kw_only=True)
class Access:
    """The way to one seller's listings in one marketplace.

    Args:
        url: The region's host.
        seller_id: The seller.
        marketplace_id: The marketplace.
        token: The access token; never shown.
        issue_locale: The language of issues.
    """

    url: str
    seller_id: str
    marketplace_id: str
    issue_locale: str
    token: str = field(default="", repr=False)

    def ask(self, method: str, path: str, lane: str, *query: tuple[str, str], body: Any = ...) -> Request:
        """Make a request with the token in its header."""
        return Request(
            method=method,
            url=f"{self.url}{path}",
            query=query,
            headers={"x-amz-access-token": self.token},
            body=body,
            lane=lane,
        )

    def listing_path(self, sku: str) -> str:
        """Give a listing's path; whatever a SKU holds is percent-encoded, slashes too."""
        return f"{_LISTINGS}/{quote(self.seller_id, safe='')}/{quote(sku, safe='')}"


@frozen(kw_only=True)
class Listing:
    """A listing as Amazon shows it.

    Args:
        sku: The seller's code.
        product_type: Amazon's product type in this marketplace, where it is told.
        units: By fulfilment channel code; None where Amazon tells no number, as for its own warehouses.
    """

    sku: str
    product_type: str | None = None
    units: Mapping[str, int | None] = field(factory=dict)

    def foreign(self, own: frozenset[str]) -> list[str]:
        """Give the fulfilment channels that are not the seller's own."""
        return sorted(self.units.keys() - own - {DEFAULT})


def grant(url: str, client_id: str, client_secret: str, refresh_token: str) -> Conversation[Token]:
    """Ask Login with Amazon for an access token."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    response = yield Request(
        method="POST",
        url=url,
        headers={"content-type": "application/x-www-form-urlencoded;charset=UTF-8"},
        raw=urlencode(form).encode(),
        lane="token",
    )
    if response.status != _OK:
        token_refused(response)
    answer = data_of(response)
    return Token(value=answer.field("access_token").text(), seconds=answer.field("expires_in").whole())


def find(access: Access, skus: Sequence[str]) -> Conversation[list[Listing]]:
    """Look up to 20 SKUs up; what is not listed is left out, and SKUs are compared exactly."""
    wanted = frozenset(skus)
    found: dict[str, Listing] = {}
    query = [
        ("marketplaceIds", access.marketplace_id),
        ("identifiers", ",".join(skus)),
        ("identifiersType", "SKU"),
        ("includedData", _INCLUDED),
        ("pageSize", str(SKUS_A_CALL)),
    ]
    paging = Paging()
    page: tuple[tuple[str, str], ...] = ()
    while True:
        response = yield access.ask(
            "GET", f"{_LISTINGS}/{quote(access.seller_id, safe='')}", "GET listings", *query, *page
        )
        answer = data_of(response)
        rows = answer.field("items").rows()
        for row in rows:
            listing = _listing(row, access.marketplace_id)
            if listing.sku in wanted:
                found[listing.sku] = listing
        pagination = answer.get("pagination")
        token = pagination.get("nextToken") if pagination else None
        following = paging.after(token.text() if token else None, new=len(rows), place=response.place)
        if following is None:
            return list(found.values())
        page = (("pageToken", following),)


def get(access: Access, sku: str) -> Conversation[list[Listing]]:
    """Look one SKU up by its path: one that holds a comma would fall apart in a list."""
    response = yield access.ask(
        "GET",
        access.listing_path(sku),
        "GET listing",
        ("marketplaceIds", access.marketplace_id),
        ("includedData", _INCLUDED),
    )
    if response.status == _NOT_FOUND:
        return []
    return [_listing(data_of(response), access.marketplace_id)]


def patch(
    access: Access, sku: str, product_type: str, units: Mapping[str, int]
) -> Conversation[dict[str, Verdict]]:
    """Write one listing's quantities; HTTP 200 may still say that they are refused."""
    response = yield access.ask(
        "PATCH",
        access.listing_path(sku),
        "PATCH listing",
        ("marketplaceIds", access.marketplace_id),
        ("issueLocale", access.issue_locale),
        body={"productType": product_type, "patches": patches(units)},
    )
    answer = data_of(response, refusal="row_refused", absent="not_in_cart")
    status = answer.field("status").one_of("ACCEPTED", "INVALID", "VALID")
    return dict.fromkeys(units, verdict_of(issues_of(answer), refused=status == "INVALID"))


def patches(units: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give the patch: ``merge`` keeps lead times and restock dates, which ``replace`` would wipe out."""
    value = [{"fulfillment_channel_code": code, "quantity": quantity} for code, quantity in units.items()]
    return [{"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}]


def _listing(row: Wire, marketplace_id: str) -> Listing:
    types = row.get("productTypes")
    units = row.get("fulfillmentAvailability")
    return Listing(
        sku=row.field("sku").text(),
        product_type=next(
            (
                one.field("productType").text()
                for one in (types.rows() if types else ())
                if one.field("marketplaceId").text() == marketplace_id
            ),
            None,
        ),
        units={
            one.field("fulfillmentChannelCode").text(): quantity.whole()
            if (quantity := one.get("quantity"))
            else None
            for one in (units.rows() if units else ())
        },
    )
