"""Today's hosted service to try things on: it answers inventory questions as Integration Manager's API does.

``IntegrationManagerSandbox`` holds a copy of a merchant's catalogue, as the hosted service does: what changes
in the order manager shows here only after ``load()``, which is its hourly run.

Documented by the vendor or seen in public clients, and done the same way here:

* Basic credentials, or ``api_user`` and ``api_key`` in the query; GET and POST only.
* HTTP 200 for failures too: ``success_code`` false, ``error_code`` Invalid, Failure or RateLimit, a message.
* ``limit`` (20 when left out) and ``page`` from 1, without a total; a page beyond the end is empty.
* ``aliases`` as an object of alias names, ``[]`` when there are none, and missing in the reply about one SKU;
  whose two totals are text.
* A leaky bucket of 100 calls; ``X-CartRover-Process-ID`` and ``X-CartRover-Api-Minute-Hits-Remaining``.
* Bundles with a stock record show their shelf units plus what the parts in the warehouse make; products
  without a stock record, and inactive ones, are not there.
* By sales channel, the channels' names stand where warehouses would.

Assumed: one call leaks each second; SKUs are ordered and compared exactly; available is what the order
manager reports as such; an inactive warehouse is not listed; a channel's on-hand figure equals its available
one; an alias is a channel's first active listing of the product; the words of messages.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.http.messages import Request, Response
from omsync.testing.catalog import Catalog
from omsync.testing.demo_catalog import demo_merchant
from omsync.testing.sandbox import Answer, LoggedRequest
from omsync.testing.sandbox_server import SandboxServer
from omsync.testing.sandbox_state import START, ProductState, Store, Totals

__all__ = ["IntegrationManagerSandbox"]

_FIRST_ID = 9101
_USUAL_LIMIT = 20
_ACKNOWLEDGED = {"CUSTOM", "MANUAL"}
Json = dict[str, Any]


@frozen
class _Refusal(Exception):  # noqa: N818  it is an answer, not a mistake of the program
    code: str = field()
    message: str = field()


class IntegrationManagerSandbox:
    """A stand-in for Integration Manager's API, filled from a catalogue.

    Args:
        catalog: What its last run has loaded; None for ``demo_merchant()``.
        api_user: The user that it accepts.
        api_key: The key that it accepts.
        mode: Its Inventory Sync Mode: ``"warehouse"`` or ``"channel"``.
        bucket: Calls that may follow each other at once.
        leak_per_second: Calls that leak from the bucket each second.
        short_pages: By page number, how many rows it gives at most; later pages go on after them.
        clock: Tells when a run loads, as an aware datetime; None for a fixed time.
        monotonic: Tells the seconds by which the bucket leaks.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        *,
        api_user: str = "sandbox-user",
        api_key: str = "sandbox-key",
        mode: str = "warehouse",
        bucket: int = 100,
        leak_per_second: float = 1.0,
        short_pages: Mapping[int, int] | None = None,
        clock: Callable[[], datetime] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode not in {"warehouse", "channel"}:
            raise InvalidValueError(f"mode must be 'warehouse' or 'channel', not {checks.shown(mode)}")
        self.api_user = api_user
        self.api_key = api_key
        self._by_channel = mode == "channel"
        self._bucket, self._leak, self._monotonic = bucket, leak_per_second, monotonic
        self._level, self._seen = 0.0, monotonic()
        self._short_pages = dict(short_pages or {})
        self._clock = clock or (lambda: START)
        self._failures: list[_Refusal] = []
        self._log: list[LoggedRequest] = []
        self._lock = threading.RLock()
        self._rows: list[Json] = []
        self.load(demo_merchant() if catalog is None else catalog)

    def __repr__(self) -> str:
        return f"<IntegrationManagerSandbox: {len(self._rows):,} SKUs, {len(self._log):,} requests answered>"

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The requests so far, in order, without headers."""
        with self._lock:
            return tuple(self._log)

    def load(self, catalog: Catalog) -> None:
        """Take over a catalogue, as the hosted service's inventory run does."""
        store = Store(catalog)
        reported = self._clock().astimezone(UTC).isoformat(timespec="seconds")
        seen = sorted(store.products.values(), key=lambda one: one.value.master_sku)
        with self._lock:
            self._rows = [
                self._row(store, product, reported)
                for product in seen
                if product.shelves and product.value.active
            ]

    def fail(self, error_code: str, message: str = "", *, times: int = 1) -> None:
        """Answer the next calls with a failure: ``"Invalid"``, ``"Failure"`` or ``"RateLimit"``."""
        with self._lock:
            self._failures += [_Refusal(error_code, message)] * times

    def handle(self, request: Request) -> Response:
        """Answer in the process; only the address's path counts, so any host will do."""
        path = urlsplit(request.url).path.removeprefix("/v1")
        with self._lock:
            try:
                body: Json = {"success_code": True, "response": self._answer(request, path)}
            except _Refusal as refusal:
                body = {
                    "success_code": False,
                    "error_code": refusal.code,
                    "message": refusal.message,
                    "error_response": None,
                }
            self._log.append(LoggedRequest(request.method, path, request.query, 200))
            headers = {
                "content-type": "application/json",
                "x-cartrover-process-id": f"im-{len(self._log):06}",
                "x-cartrover-api-minute-hits-remaining": str(max(0, int(self._bucket - self._level))),
            }
        content = json.dumps(body, separators=(",", ":")).encode()
        return Response(status=200, headers=headers, content=content, place=request.place)

    def serve(self) -> SandboxServer:
        """Start a server on loopback; its ``base_url`` is the API's. Use it as a context manager."""
        return SandboxServer(lambda request: Answer(response=self.handle(request)))

    def _answer(self, request: Request, path: str) -> Any:
        query = dict(request.query)
        self._let_in(request, query)
        self._pour()
        if self._failures:
            raise self._failures.pop(0)
        if request.method == "GET" and path == "/merchant/inventory":
            return self._page(_number(query, "limit", _USUAL_LIMIT), _number(query, "page", 1))
        code = path.removeprefix("/merchant/inventory/")
        if request.method == "GET" and code != path and "/" not in code:
            return self._single(unquote(code))
        raise _Refusal("Invalid", f"No such call: {request.method} {path}")

    def _let_in(self, request: Request, query: Mapping[str, str]) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        pair = base64.b64encode(f"{self.api_user}:{self.api_key}".encode()).decode()
        in_query = (query.get("api_user"), query.get("api_key")) == (self.api_user, self.api_key)
        if not in_query and headers.get("authorization") != f"Basic {pair}":
            raise _Refusal("Invalid", "Invalid API user or API key")

    def _pour(self) -> None:
        now = self._monotonic()
        self._level = max(0.0, self._level - (now - self._seen) * self._leak)
        self._seen = now
        if self._level + 1 > self._bucket + 1e-6:
            raise _Refusal("RateLimit", "API rate limit exceeded")
        self._level += 1

    def _page(self, limit: int, page: int) -> list[Json]:
        sizes = [min(limit, self._short_pages.get(number, limit)) for number in range(1, page + 1)]
        start = sum(sizes[:-1])
        return self._rows[start : start + sizes[-1]]

    def _single(self, master_sku: str) -> Json:
        for row in self._rows:
            if row["sku"] == master_sku:
                told = {name: value for name, value in row.items() if name != "aliases"}
                return {**told, **{name: str(row[name]) for name in ("qty_available", "qty_on_hand")}}
        raise _Refusal("Invalid", "Unknown SKU")

    def _row(self, store: Store, product: ProductState, reported: str) -> Json:
        places = self._shares(store, product) if self._by_channel else self._stock(store, product)
        aliases: dict[str, str] = {}
        for listing in store.listings.values():
            if listing.value.master_sku == product.value.master_sku and listing.value.active:
                name = store.channel(listing.value.channel_id).name
                aliases.setdefault(name, listing.value.listing_sku)
        return {
            "sku": product.value.master_sku,
            "qty_available": sum(available for _, _, available in places.values()),
            "qty_on_hand": sum(on_hand for _, on_hand, _ in places.values()),
            "wms_datetime": reported,
            "aliases": aliases or [],
            "warehouses": {
                warehouse_id: {
                    "warehouse": name,
                    "qty_available": available,
                    "qty_on_hand": on_hand,
                    "wms_datetime": reported,
                }
                for warehouse_id, (name, on_hand, available) in places.items()
            },
        }

    def _stock(self, store: Store, product: ProductState) -> dict[str, tuple[str, int, int]]:
        places = {}
        for number, warehouse in enumerate(store.active_warehouses()):
            shelves = product.shelves_in(warehouse.warehouse_id)
            if shelves:
                totals = Totals.of(shelves)
                built = store.buildable(product, [warehouse.warehouse_id])
                places[str(_FIRST_ID + number)] = (
                    warehouse.name,
                    totals.on_hand + built,
                    totals.available + built,
                )
        return places

    def _shares(self, store: Store, product: ProductState) -> dict[str, tuple[str, int, int]]:
        served = [one for one in store.channels.values() if one.active and one.type in _ACKNOWLEDGED]
        shares = {}
        for number, channel in enumerate(served):
            units, _ = store.share(product, channel)
            shares[str(_FIRST_ID + number)] = (channel.name, units, units)
        return shares


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _Refusal("Invalid", f"{name} must be a number from 1")
    return int(text)
