"""One short conversation for each call of the order manager: one page, or one list that is not paged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from attrs import field, frozen

from omsync.errors import RefusedError, ServerFaultError, ThrottledError, UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Verdict, judge, seconds_header
from omsync.model import SalesChannel, Warehouse
from omsync.sources.extensiv import wire
from omsync.sources.extensiv.rows import ListingRow, ProductRow
from omsync.sources.extensiv.stock import StockPage, inventory_page, totals_page

__all__ = ["Api", "extensiv_judge"]

T = TypeVar("T")
Query = tuple[tuple[str, str], ...]

_RETRY_HEADER = "x-skubana-quota-retryafter"
_SECONDS_WITHOUT_HEADER = 15.0
_LOOKUP_PAGES = 50


def extensiv_judge(request: Request, response: Response) -> Verdict:
    """Decide about retrying: the header of a 429 counts milliseconds; where it is missing, wait 15 s."""
    if response.status != 429:  # noqa: PLR2004  the status code's own name
        return judge(request, response)
    asked = seconds_header(response, _RETRY_HEADER, unit=0.001)
    return ThrottledError(
        f"{request.place}: too many calls (HTTP 429)",
        retry_after=_SECONDS_WITHOUT_HEADER if asked is None else asked,
        remedy="Lower the pace, or ask Extensiv for a larger quota.",
    )


def wire_moment(moment: datetime) -> str:
    """Write a moment as the order manager does: UTC, whole seconds, rounded down, a trailing Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer(response: Response) -> Any:
    """Give the JSON of a good answer.

    Raises:
        UnauthorizedError: The token is missing, wrong, revoked or lacks a scope.
        RefusedError: Any other answer that is no success; asking again will not help.
        DecodeError: The body is no JSON.
    """
    return good(response).json()


def good(response: Response) -> Response:
    """Give the answer if it is one of success.

    Raises:
        UnauthorizedError: The token is missing, wrong, revoked or lacks a scope.
        RefusedError: Any other answer that is no success; asking again will not help.
    """
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004  the class of successes
        return response
    said = f"{response.place}: HTTP {status}: {response.excerpt}"
    if status == 401:  # noqa: PLR2004  the status code's own name
        raise UnauthorizedError(
            f"{response.place}: the order manager does not accept the token (HTTP 401)",
            remedy="Check the token. If it is the right one, it was revoked: install the app again in Order "
            "Manager.",
        )
    if status == 403:  # noqa: PLR2004  the status code's own name
        raise UnauthorizedError(
            said,
            code="forbidden",
            remedy="Give the app the scopes read_inventory and read_products, and install it again.",
        )
    raise RefusedError(said, remedy="Check the address and the settings that the message speaks of.")


@frozen(kw_only=True)
class Api:
    """How one account is called: address, token, page sizes.

    Args:
        base_url: Without a trailing slash.
        token: The bearer token.
        page_sizes: Rows in a page, by resource.
        missing_available: What to do where no available figure is reported.
        timeout: Seconds to wait for one answer.
    """

    base_url: str
    token: str = field(repr=False)
    page_sizes: Mapping[str, int]
    missing_available: str
    timeout: float

    def request(
        self, path: str, query: Query = (), *, method: str = "GET", repeatable: bool = True
    ) -> Request:
        """Make the request; each verb and path has its own lane, since each has its own quota."""
        return Request(
            method=method,
            url=self.base_url + path,
            query=query,
            headers={"authorization": f"Bearer {self.token}"},
            lane=f"{method} {path}",
            repeatable=repeatable,
            timeout=self.timeout,
        )

    def quotas(self) -> Conversation[list[wire.Quota]]:
        """Ask what this app may call how often; nothing when the order manager does not tell."""
        try:
            response = yield self.request("/v1/throttlelimits")
            value = answer(response)
        except (RefusedError, ServerFaultError) as error:
            if isinstance(error, UnauthorizedError) and error.code != "forbidden":
                raise
            return []
        return wire.quotas(value, response.place)

    def warehouses(self) -> Conversation[list[Warehouse]]:
        """Ask for all warehouses, inactive ones included."""
        response = yield self.request("/v1/warehouses")
        return wire.warehouses(answer(response), response.place)

    def sales_channels(self) -> Conversation[list[SalesChannel]]:
        """Ask for all sales channels, inactive ones included."""
        response = yield self.request("/v1/saleschannels", (("includeInactive", "true"),))
        return wire.sales_channels(answer(response), response.place)

    def products(self, page: int, *, since: datetime | None = None) -> Conversation[list[ProductRow]]:
        """Ask for one page of products, active and inactive; with ``since``, of those modified from then."""
        query = self._paged("products", page, since)
        return (yield from self._list("/v1.1/products", query, wire.products))

    def listings(self, page: int, *, since: datetime | None = None) -> Conversation[list[ListingRow]]:
        """Ask for one page of listings; with ``since``, of those modified from then."""
        query = self._paged("listings", page, since)
        return (yield from self._list("/v1/listings", query, wire.listings))

    def totals(
        self, page: int, *, warehouse_id: str, with_buildable: bool = False
    ) -> Conversation[StockPage]:
        """Ask for one page of a warehouse's totals, one row for each product that has a record there."""
        query = (("warehouseId", warehouse_id), *self._paged("totals", page))
        path = "/v1/productstocks/total"
        if with_buildable:
            path = "/v1.1/productstocks/total"
            query = (("inventoryOptions", "COMPONENT_INVENTORY"), *query)
        response = yield self.request(path, query)
        return totals_page(
            good(response), warehouse_id=warehouse_id, missing_available=self.missing_available
        )

    def inventory(self, page: int) -> Conversation[StockPage]:
        """Ask for one page of stock rows of all warehouses, without the rows of bundles' parts."""
        query = (("includeBundledItems", "false"), *self._paged("inventory", page))
        response = yield self.request("/v1/inventory", query)
        return inventory_page(good(response), missing_available=self.missing_available)

    def product_of(self, master_sku: str) -> Conversation[ProductRow | None]:
        """Look one product up; the order manager matches prefixes, so the exact one is picked."""
        before: list[ProductRow] = []
        for page in range(1, _LOOKUP_PAGES + 1):
            query = (("sku", master_sku), *self._paged("products", page))
            rows = yield from self._list("/v1.1/products", query, wire.products)
            for row in rows:
                if row.sku.master_sku == master_sku:
                    return row
            if not rows or rows == before:
                return None
            before = rows
        return None

    def acknowledge(
        self, page: int, *, channel_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> Conversation[wire.AcknowledgePage]:
        """Take one page of a channel's changes. The order manager forgets what it answers: never repeated."""
        window = tuple(
            (name, wire_moment(moment)) for name, moment in (("fromDate", start), ("toDate", end)) if moment
        )
        query = (("salesChannelId", channel_id), *window, *self._paged("acknowledge", page))
        response = yield self.request("/v1.2/inventory/acknowledge", query, method="POST", repeatable=False)
        return wire.acknowledged(answer(response), response.place)

    def _paged(self, resource: str, page: int, since: datetime | None = None) -> Query:
        window = (("modifiedDateFrom", wire_moment(since)),) if since else ()
        return (*window, ("limit", str(self.page_sizes[resource])), ("page", str(page)))

    def _list(self, path: str, query: Query, decode: Callable[[Any, str], T]) -> Conversation[T]:
        response = yield self.request(path, query)
        return decode(answer(response), response.place)
