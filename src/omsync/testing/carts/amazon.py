"""An Amazon marketplace in memory: listings, single writes and feeds, as strict as the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

from attrs import evolve

from omsync.http.messages import Response
from omsync.testing.carts._amazon_feeds import Feeds, error
from omsync.testing.carts._amazon_offers import Offer, Offers
from omsync.testing.carts._limits import CallLimits
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["AmazonMarketplace"]

_LIMITS: dict[str, tuple[float, int]] = {
    "search": (5, 5),
    "get": (5, 10),
    "patch": (5, 5),
    "new document": (0.5, 15),
    "new feed": (0.0083, 15),
    "feed": (2, 15),
    "document": (0.0222, 10),
}
_MOST_SKUS = 20
_HOUR = 3600
_APIS = (["listings", "2021-08-01"], ["feeds", "2021-06-30"])


class AmazonMarketplace(Platform):
    """One seller's listings in one marketplace of Amazon's, behind the Selling Partner API.

    Args:
        seller_id: The seller.
        marketplace_id: The marketplace.
        client_id: The application's id at Login with Amazon.
        client_secret: Its secret.
        refresh_token: The seller's authorisation.
        feed_looks: How often a feed is still under way when it is asked about.
        feed_end: How feeds end: ``"DONE"``, ``"FATAL"`` or ``"CANCELLED"``.
        gzipped: Whether reports are packed.
        applies_at_once: Whether what is accepted shows at once; if not, ``apply()`` makes it show.
        enrolled: Whether the seller is in Multi-Location Inventory.
        now: Counts seconds; with it calls are throttled and tokens end.
    """

    def __init__(
        self,
        *,
        seller_id: str = "A2SELLER",
        marketplace_id: str = "ATVPDKIKX0DER",
        client_id: str = "client-1",
        client_secret: str = "secret-1",  # noqa: S107  invented, for tests
        refresh_token: str = "refresh-1",  # noqa: S107  likewise
        feed_looks: int = 1,
        feed_end: str = "DONE",
        gzipped: bool = True,
        applies_at_once: bool = True,
        enrolled: bool = False,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.seller_id = seller_id
        self.marketplace_id = marketplace_id
        self._credentials = {
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        self._limits = CallLimits(_LIMITS, now)
        self.offers = Offers(enrolled=enrolled, applies_at_once=applies_at_once)
        self._tokens: dict[str, float] = {}
        self.feeds = Feeds(self.offers.patch, seller_id, looks=feed_looks, gzipped=gzipped, end=feed_end)

    def add(
        self,
        sku: str,
        quantity: int | None = 0,
        *,
        product_type: str | None = "MUG",
        channel: str | None = "DEFAULT",
        lead_time: int | None = None,
    ) -> None:
        """Add a listing, or a further fulfilment channel of one.

        Args:
            sku: The seller's code.
            quantity: Units; None where Amazon tells no number, as for its own warehouses.
            product_type: Amazon's product type; None: not told.
            channel: ``"DEFAULT"``, a supply source, or Amazon's ``"AMAZON_NA"``; None for none.
            lead_time: Days until it ships, which a careless write wipes out.
        """
        offer = self.offers.by_sku.setdefault(sku, Offer(sku=sku, product_type=product_type))
        if channel is not None:
            kept = {} if lead_time is None else {"lead_time_to_ship_max_days": lead_time}
            offer.channels[channel] = {**({} if quantity is None else {"quantity": quantity}), **kept}

    def remove(self, sku: str) -> None:
        """Take a listing away."""
        del self.offers.by_sku[sku]

    def quantity(self, sku: str, channel: str = "DEFAULT") -> int | None:
        """Give what the marketplace shows; None where it shows no number."""
        quantity: int | None = self.offers.by_sku[sku].channels.get(channel, {}).get("quantity")
        return quantity

    def lead_time(self, sku: str, channel: str = "DEFAULT") -> int | None:
        """Give the days until a listing ships, if they are still there."""
        days: int | None = self.offers.by_sku[sku].channels.get(channel, {}).get("lead_time_to_ship_max_days")
        return days

    def sell(self, sku: str, units: int = 1, channel: str = "DEFAULT") -> None:
        """Let a shopper buy: what may still be bought goes down."""
        self.offers.by_sku[sku].channels[channel]["quantity"] -= units

    def apply(self) -> None:
        """Let everything that was accepted show."""
        self.offers.apply()

    def end_tokens(self) -> None:
        """Take every access token back at once."""
        self._tokens.clear()

    def answer(self, asked: Asked) -> Response:
        """Do what Amazon does."""
        parts = [unquote(part) for part in asked.path.split("/")[1:]]
        if parts == ["auth", "o2", "token"]:
            return self._grant(asked)
        if parts[:1] == ["documents"]:
            return self.feeds.store(asked, parts[1])
        return self._refused(asked) or self._route(asked, parts)

    def _route(self, asked: Asked, parts: list[str]) -> Response:
        routes: dict[tuple[str, str, int], tuple[str, Callable[..., Response]]] = {
            ("GET", "items", 1): ("search", self._search),
            ("GET", "items", 2): ("get", self._get),
            ("PATCH", "items", 2): ("patch", self._patch),
            ("POST", "documents", 0): ("new document", self.feeds.new_document),
            ("POST", "feeds", 0): ("new feed", self._new_feed),
            ("GET", "feeds", 1): ("feed", self.feeds.status_of),
            ("GET", "documents", 1): ("document", self.feeds.document),
        }
        name, rest = "".join(parts[2:3]), parts[3:]
        route = routes.get((asked.method, name, len(rest))) if parts[:2] in _APIS else None
        if route is None:
            return error(404, "NotFound", "The resource does not exist.")
        operation, do = route
        if self._limits.take(operation):
            answer = error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
        else:
            answer = do(asked, *rest)
        rate = str(self._limits.rate(operation))
        return evolve(answer, headers={**answer.headers, "x-amzn-ratelimit-limit": rate})

    def spend(self, operation: str, calls: int) -> None:
        """Let another program of the seller's make so many calls of a kind (``"search"``, ``"patch"``)."""
        self._limits.spend(operation, calls)

    def allow(self, operation: str, *, per_second: float, at_once: int) -> None:
        """Allow another rate of one kind of call than the documents name."""
        self._limits.change(operation, per_second, at_once)

    def _grant(self, asked: Asked) -> Response:
        form = {name: values[0] for name, values in parse_qs(asked.content.decode()).items()}
        if form.get("grant_type") != "refresh_token":
            return json_answer({"error": "unsupported_grant_type", "error_description": "Not supported"}, 400)
        if any(form.get(name) != self._credentials[name] for name in ("client_id", "client_secret")):
            return json_answer({"error": "invalid_client", "error_description": "Client auth failed"}, 401)
        if form.get("refresh_token") != self._credentials["refresh_token"]:
            return json_answer({"error": "invalid_grant", "error_description": "The grant is invalid"}, 400)
        token = f"Atza|{len(self._tokens) + 1}-{len(self.requests)}"
        self._tokens[token] = self.now() + _HOUR
        return json_answer({"access_token": token, "token_type": "bearer", "expires_in": _HOUR})

    def _refused(self, asked: Asked) -> Response | None:
        token = asked.headers.get("x-amz-access-token")
        if token is None:
            return error(403, "MissingAuthenticationToken", "Access token is missing in the request header.")
        ends = self._tokens.get(token)
        if ends is None or self.now() >= ends:
            details = "The access token you provided has expired."
            return error(403, "Unauthorized", "Access to requested resource is denied.", details)
        return None

    def _stranger(self, asked: Asked, seller: str) -> Response | None:
        if seller != self.seller_id:
            return error(403, "Unauthorized", "Access to requested resource is denied.")
        if asked.first("marketplaceIds") != self.marketplace_id:
            return error(400, "InvalidInput", "Parameter 'marketplaceIds' is invalid for this seller.")
        return None

    def _search(self, asked: Asked, seller: str) -> Response:
        stranger = self._stranger(asked, seller)
        if stranger is not None:
            return stranger
        skus = asked.first("identifiers").split(",")
        size = int(asked.first("pageSize", "10"))
        if len(skus) > _MOST_SKUS or size > _MOST_SKUS or asked.first("identifiersType") != "SKU":
            return error(400, "InvalidInput", "At most 20 identifiers of one type, and 20 items on a page.")
        found = [self.offers.by_sku[sku] for sku in skus if sku in self.offers.by_sku]
        start = int(asked.first("pageToken", "0"))
        page = found[start : start + size]
        told: dict[str, Any] = {
            "numberOfResults": len(found),
            "items": [self._told(asked, offer) for offer in page],
        }
        if start + size < len(found):
            told["pagination"] = {"nextToken": str(start + size)}
        return json_answer(told)

    def _get(self, asked: Asked, seller: str, sku: str) -> Response:
        stranger = self._stranger(asked, seller)
        if stranger is not None:
            return stranger
        if sku not in self.offers.by_sku:
            return error(404, "NOT_FOUND", f"SKU '{sku}' not found in marketplace {self.marketplace_id}")
        return json_answer(self._told(asked, self.offers.by_sku[sku]))

    def _told(self, asked: Asked, offer: Offer) -> dict[str, Any]:
        included = asked.first("includedData", "summaries").split(",")
        told: dict[str, Any] = {"sku": offer.sku}
        if "fulfillmentAvailability" in included:
            told["fulfillmentAvailability"] = [
                {
                    "fulfillmentChannelCode": code,
                    **{name: units for name, units in shown.items() if name == "quantity"},
                }
                for code, shown in offer.channels.items()
            ]
        if "productTypes" in included and offer.product_type is not None:
            told["productTypes"] = [{"marketplaceId": self.marketplace_id, "productType": offer.product_type}]
        return told

    def _new_feed(self, asked: Asked) -> Response:
        if asked.json().get("marketplaceIds") != [self.marketplace_id]:
            return error(400, "InvalidInput", "The marketplace is invalid for this seller.")
        return self.feeds.new_feed(asked)

    def _patch(self, asked: Asked, seller: str, sku: str) -> Response:
        stranger = self._stranger(asked, seller)
        if stranger is not None:
            return stranger
        status, issues = self.offers.patch(sku, asked.json())
        return json_answer(
            {"sku": sku, "status": status, "submissionId": f"s-{len(self.requests)}", "issues": issues}
        )
