"""A Shopify shop in memory: what its Admin API enforces at run time, whether or not its schema says so."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from omsync.http.messages import Response
from omsync.testing.carts._shopify_language import Document, NotReadableError, Selection, matches, parse
from omsync.testing.carts._shopify_stock import (
    Item,
    Level,
    Refusal,
    Site,
    connection,
    points,
    select,
)
from omsync.testing.carts._shopify_writing import Writing
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["ShopifyShop"]

RESTORED = {"standard": 100.0, "advanced": 200.0, "plus": 1000.0, "enterprise": 2000.0}
SCOPES = ("read_inventory", "write_inventory", "read_locations", "read_products")
NEEDED = {
    "locations": "read_locations",
    "inventoryItems": "read_inventory",
    "nodes": "read_inventory",
    "inventorySetQuantities": "write_inventory",
    "inventoryActivate": "write_inventory",
    "inventoryItemUpdate": "write_inventory",
}
MOST = 250
OK, BAD, UNAUTHORIZED, NOT_FOUND = 200, 400, 401, 404


class ShopifyShop(Platform):
    """A shop.

    Args:
        token: An access token that is always good.
        locations: Names of its own locations.
        plan: Decides how fast points come back; they only count where ``now`` is given.
        oldest: The oldest version that is still served; an older one gets this one, without a word.
        scopes: What the app may do.
        now: Counts seconds.
    """

    def __init__(
        self,
        *,
        token: str = "shpat_test",  # noqa: S107  invented
        locations: Sequence[str] = ("Main street",),
        plan: str = "standard",
        oldest: str = "2026-04",
        scopes: Sequence[str] = SCOPES,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.tokens = {token}
        self.client = ("client-id", "client-secret")
        self.refresh_tokens: list[str] = ["refresh-0"]
        self.scopes = set(scopes)
        self.oldest = oldest
        self.sites: dict[str, Site] = {}
        self.items: dict[str, Item] = {}
        self.meddle: Callable[[Asked], None] = lambda _: None
        self.most_paged = 25_000
        self.throttled = 0
        self._numbers = itertools.count(1)
        self._metered = now is not None
        self._restored = RESTORED[plan]
        self._bucket = self._available = self._restored * 20
        self._counted_at = self.now()
        self._writing = Writing(self.sites, self.items)
        for name in locations:
            self.add_location(name)

    # --- set up, and look ---

    def add_location(self, name: str, *, service: bool = False, active: bool = True) -> str:
        """Open a location; give its id."""
        site = Site(f"gid://shopify/Location/{len(self.sites) + 1}", name, service, active)
        self.sites[site.id] = site
        return site.id

    def add(
        self,
        sku: str | None,
        quantity: int = 0,
        *,
        at: str | None = None,
        tracked: bool = True,
        bundle: bool = False,
        stocked: bool = True,
    ) -> str:
        """Add an inventory item with so many units for sale at a location, or at the first; give its id.

        Args:
            sku: Its SKU; several items may share one.
            quantity: Units for sale.
            at: The location's name.
            tracked: Whether its stock is counted.
            bundle: Whether it is the parent of a bundle, whose stock follows from its parts.
            stocked: Whether it is stocked there, rather than at an inactive level.
        """
        item = Item(f"gid://shopify/InventoryItem/{next(self._numbers)}", sku, tracked, bundle)
        self.items[item.id] = item
        self.stock(item.id, quantity, at=at, stocked=stocked)
        return item.id

    def stock(
        self,
        item_id: str,
        quantity: int,
        *,
        at: str | None = None,
        stocked: bool = True,
        committed: int = 0,
        damaged: int = 0,
    ) -> None:
        """Set an item's units at a location by hand."""
        site = self._site(at)
        self.items[item_id].levels[site.id] = Level(site, stocked, quantity, committed, damaged)

    def quantity(self, sku: str, location: str | None = None, *, name: str = "available") -> int:
        """Give an item's units at a location by name, or at the first: for sale, or ``"on_hand"``."""
        return self._level(sku, location).units(name)

    def sell(self, sku: str, units: int, location: str | None = None) -> None:
        """Take an order: its units are no longer for sale, and stay on hand until it is shipped."""
        level = self._level(sku, location)
        level.available -= units
        level.committed += units

    def ship(self, sku: str, units: int, location: str | None = None) -> None:
        """Ship an order's units."""
        self._level(sku, location).committed -= units

    def hide(self, sku: str) -> None:
        """Let the search index not know an item yet."""
        for item in self._of(sku):
            item.searchable = False

    @property
    def history(self) -> list[dict[str, Any]]:
        """The adjustment groups, as the shop's inventory history shows them."""
        return self._writing.history

    def spend(self, some: int) -> None:
        """Let another process of the same app spend points."""
        self._restore()
        self._available -= min(some, self._available)

    def name_no_rows(self) -> None:
        """Let errors about rows say no longer which row they mean."""
        self._writing.names_rows = False

    def operations(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Give what was asked through GraphQL: (operation's name, variables), in order."""
        asked = [one.json() for one in self.requests if one.path.endswith("graphql.json")]
        return [(body["operationName"], body["variables"]) for body in asked]

    # --- the platform ---

    def answer(self, asked: Asked) -> Response:
        """Do what Shopify does."""
        if asked.method == "POST" and asked.path == "/admin/oauth/access_token":
            return self._grant(asked)
        version = re.fullmatch(r"/admin/api/(20\d\d-(?:01|04|07|10))/graphql\.json", asked.path)
        if asked.method != "POST" or version is None:
            return json_answer({"errors": "Not Found"}, NOT_FOUND)
        headers = {"x-shopify-api-version": max(version[1], self.oldest)}
        if asked.headers.get("x-shopify-access-token") not in self.tokens:
            wrong = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_answer({"errors": wrong}, UNAUTHORIZED, headers)
        self.meddle(asked)
        return json_answer(self._execute(asked.json()), OK, headers)

    def _grant(self, asked: Asked) -> Response:
        form = {name: values[0] for name, values in parse_qs(asked.content.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            return json_answer({"error": "invalid_client"}, UNAUTHORIZED)
        token = f"shpat_{len(self.tokens)}"
        granted: dict[str, Any] = {"access_token": token, "scope": ",".join(sorted(self.scopes))}
        if form.get("grant_type") == "client_credentials":
            granted["expires_in"] = 86_399
        elif form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self.refresh_tokens[-2:]:
                said = "This request requires an active refresh_token"
                return json_answer({"error": "invalid_request", "error_description": said}, BAD)
            if form["refresh_token"] == self.refresh_tokens[-1]:
                self.refresh_tokens.append(f"refresh-{len(self.refresh_tokens)}")
            # Only one of these tokens is good at a time.
            self.tokens.clear()
            token = granted["access_token"] = f"shpat_of_{self.refresh_tokens[-1]}"
            granted |= {
                "expires_in": 3600,
                "refresh_token": self.refresh_tokens[-1],
                "refresh_token_expires_in": 7_776_000,
            }
        else:
            return json_answer({"error": "unsupported_grant_type"}, BAD)
        self.tokens.add(token)
        return json_answer(granted)

    def _execute(self, body: Mapping[str, Any]) -> dict[str, Any]:
        cost = 0
        try:
            document = parse(body["query"], body.get("variables") or {})
            cost = points(document.fields, mutation=document.kind == "mutation")
            self._pay(cost)
            data = {one.alias: self._operate(document, one) for one in document.fields}
        except NotReadableError as fault:
            return self._said(Refusal("", str(fault)), cost)
        except Refusal as refusal:
            return self._said(refusal, cost)
        return {"data": data, "extensions": {"cost": self._cost(cost, cost)}}

    def _said(self, refusal: Refusal, cost: int) -> dict[str, Any]:
        extensions = {"code": refusal.code, **refusal.more} if refusal.code else {}
        error = {"message": refusal.message, "path": refusal.path, "extensions": extensions}
        return {"errors": [error], "extensions": {"cost": self._cost(cost, None)}}

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        status = {
            "maximumAvailable": self._bucket,
            "currentlyAvailable": int(self._available),
            "restoreRate": self._restored,
        }
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}

    def _pay(self, cost: int) -> None:
        if cost > 1000:  # noqa: PLR2004  Shopify's own limit
            said = f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
            raise Refusal("MAX_COST_EXCEEDED", said, cost=cost, maxCost=1000)
        if not self._metered:
            return
        self._restore()
        if cost > self._available:
            self.throttled += 1
            raise Refusal("THROTTLED", "Throttled")
        self._available -= cost

    def _restore(self) -> None:
        now = self.now()
        restored = (now - self._counted_at) * self._restored
        self._available, self._counted_at = min(self._bucket, self._available + restored), now

    def _operate(self, document: Document, asked: Selection) -> Any:
        operation = {
            ("query", "locations"): self._locations,
            ("query", "inventoryItems"): self._inventory_items,
            ("query", "nodes"): self._nodes,
            ("mutation", "inventorySetQuantities"): self._writing.set_quantities,
            ("mutation", "inventoryActivate"): self._writing.activate,
            ("mutation", "inventoryItemUpdate"): self._writing.update_item,
        }.get((document.kind, asked.name))
        if operation is None:
            kind = {"query": "QueryRoot", "mutation": "Mutation"}[document.kind]
            raise Refusal("undefinedField", f"Field '{asked.name}' doesn't exist on type '{kind}'")
        if NEEDED[asked.name] not in self.scopes:
            said = f"Access denied for {asked.name} field. Required access: `{NEEDED[asked.name]}` scope."
            raise Refusal("ACCESS_DENIED", said, [asked.alias])
        for argument in asked.arguments.values():
            _check_sizes(argument)
        return select(operation(asked), asked.fields)

    def _locations(self, asked: Selection) -> dict[str, Any]:
        rows = [
            site.shown()
            for site in self.sites.values()
            if (site.active or asked.arguments.get("includeInactive"))
            and (not site.service or asked.arguments.get("includeLegacy"))
        ]
        return connection(rows, asked.arguments)

    def _inventory_items(self, asked: Selection) -> dict[str, Any]:
        rows = list(self.items.values())
        search = asked.arguments.get("query")
        if search:
            fits = matches(search)
            rows = [item for item in rows if item.searchable and fits(item.sku or "")]
        if int(asked.arguments.get("after") or 0) >= self.most_paged:
            raise Refusal("BAD_REQUEST", f"Cannot page beyond {self.most_paged} objects")
        page = connection(rows, asked.arguments)
        return {**page, "nodes": self._shown(page["nodes"])}

    def _nodes(self, asked: Selection) -> list[Any]:
        return self._shown([self.items.get(item_id) for item_id in asked.arguments["ids"]])

    def _shown(self, items: Sequence[Item | None]) -> list[Any]:
        claims = Counter(item.sku for item in self.items.values() if item.sku)
        return [item.shown(max(0, claims[item.sku or ""] - 1)) if item else None for item in items]

    # --- finding ---

    def _site(self, name: str | None) -> Site:
        return next(site for site in self.sites.values() if name in {None, site.name})

    def _of(self, sku: str | None) -> list[Item]:
        return [item for item in self.items.values() if item.sku == sku]

    def _level(self, sku: str, location: str | None) -> Level:
        return self._of(sku)[0].levels[self._site(location).id]


def _check_sizes(value: Any) -> None:
    """Refuse any list that is longer than every API of Shopify takes."""
    if isinstance(value, Mapping):
        for member in value.values():
            _check_sizes(member)
    elif isinstance(value, list) and len(value) > MOST:
        said = f"The input array size of {len(value)} is greater than the maximum allowed of {MOST}."
        raise Refusal("MAX_INPUT_SIZE_EXCEEDED", said)
