"""Orders in flight as the order manager tells them: ``GET /v1.1/orders``, page by page.

Documented: the endpoint, its filters and fields, and the statuses. Not documented: at which moment an order's
units become part of the figures. Taken for true here: with a status of ``TAKEN_IN`` they do when the order is
created in the order manager (``createdDate``); with any other status nothing is known, and the time at which
the order was placed (``orderDate``) decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.errors import UnauthorizedError
from omsync.http.blocking import Runner
from omsync.http.messages import Conversation
from omsync.http.steps import Steps, talk
from omsync.inflight import InFlightOrder, OrderLine
from omsync.ports import OrdersRequest
from omsync.sources.extensiv.conversations import Api, answer, wire_moment
from omsync.sources.extensiv.fields import Fields, strictly
from omsync.sources.extensiv.reading import open_line
from omsync.sources.extensiv.source import ExtensivOrderManager
from omsync.sources.extensiv.streams import Stream

__all__ = ["NOT_TAKEN", "TAKEN_IN", "ExtensivOrders", "orders_of_page"]

TAKEN_IN = frozenset(
    {
        "AWAITING_SHIPMENT",
        "AWAITING_MC_FULFILLMENT",
        "AWAITING_3PL_EXPORT",
        "AWAITING_DROPSHIP",
        "PENDING_FULFILLMENT",
        "SHIPPED",
    }
)
"""Statuses of orders whose units are promised or gone."""

NOT_TAKEN = frozenset({"CANCELLED", "PROCESSED_OUTSIDE_OF_SKUBANA", "INBOUND_SHIPMENT_PLAN"})
"""Statuses of what takes no stock as a sale does."""

_PATH = "/v1.1/orders"


@frozen
class ExtensivOrders:
    """Tells the orders that came into Extensiv Order Manager since the last read.

    Args:
        order_manager: The account; its token needs the scope ``read_orders``. Pace, retries and handler are
            its own.
        page_size: Orders in a page; the vendor publishes no maximum, and up to 500 have been seen.

    Raises:
        WrongTypeError: A setting that breaks its own rules.
    """

    order_manager: ExtensivOrderManager = field(validator=checks.instance_of(ExtensivOrderManager))
    page_size: int = field(default=100, kw_only=True, validator=checks.whole(minimum=1))

    @property
    def name(self) -> str:
        """What this is, without secrets."""
        return self.order_manager.name

    def orders(self, request: OrdersRequest, /) -> list[InFlightOrder]:
        """Read all orders created since then, blocking, or raise."""
        with Runner(deadline=request.deadline) as runner:
            return runner.run(self.orders_steps(request))

    def orders_steps(self, request: OrdersRequest) -> Steps[list[InFlightOrder]]:
        """Say how to read them, as steps for a blocking or an awaiting runner."""
        line = yield from open_line(self.order_manager)
        found: list[InFlightOrder] = []
        stream: Stream[list[InFlightOrder]] = Stream(
            name="orders",
            stage="orders",
            ask=partial(self._page, self.order_manager.api, request.since),
            into=found.extend,
        )
        while not stream.finished:
            stream.take((yield from talk(line, stream.ask(stream.next_page))))
            if request.on_progress is not None:
                request.on_progress("orders", stream.count, None)
        return found

    def _page(self, api: Api, since: datetime, page: int) -> Conversation[list[InFlightOrder]]:
        query = (
            ("createdDateFrom", wire_moment(since)),
            ("limit", str(self.page_size)),
            ("page", str(page)),
        )
        response = yield api.request(_PATH, query)
        try:
            value = answer(response)
        except UnauthorizedError as error:
            if error.code != "forbidden":
                raise
            raise UnauthorizedError(
                error.message,
                code="forbidden",
                remedy="Give the app the scope read_orders too, and install it again; or leave "
                "orders_in_flight out.",
            ) from error
        return orders_of_page(value, response.place, source=self.name)


def orders_of_page(value: Any, place: str, *, source: str) -> list[InFlightOrder]:
    """Decode a page of ``/v1.1/orders``."""
    rows, problems = strictly(value, place)
    found = [_order(row, source) for row in rows]
    problems.settle()
    return [order for order in found if order is not None]


def _order(row: Fields, source: str) -> InFlightOrder | None:
    number, part = row.wanted_text("orderNumber"), row.wanted_id("orderId")
    created, placed = _moment(row, "createdDate"), _moment(row, "orderDate")
    status = row.text("orderStatus") or ""
    channel = row.inner("salesChannel").id("salesChannelId") if row.raw("salesChannel") is not None else None
    lines = tuple(_lines(row, number))
    if created is None and placed is None:
        if row.raw("createdDate") is None and row.raw("orderDate") is None:
            row.bad("orderDate", "is missing, and so is createdDate")
        return None
    return InFlightOrder(
        order_id=number,
        source=source,
        channel=channel or "",
        placed_at=placed or created,
        taken_in_at=created if status in TAKEN_IN else None,
        lines=lines,
        status="cancelled" if status in NOT_TAKEN else "open",
        part=part,
    )


def _lines(row: Fields, number: str) -> Iterator[OrderLine]:
    for item in row.rows("orderItems"):
        product = item.raw("product")
        master_sku = item.inner("product").text("masterSku") if product is not None else None
        listing_sku = item.text("listingSku")
        quantity = item.whole("quantityOrdered", minimum=0)
        if quantity is None and item.raw("quantityOrdered") is None:
            item.bad("quantityOrdered", "is missing")
        if not master_sku and not listing_sku:
            # The order manager keeps such orders as unresolved; they are named, and stop nothing.
            listing_sku = f"a line without a SKU in order {number}"
        yield OrderLine(
            quantity=quantity or 0, listing_sku=listing_sku or None, master_sku=master_sku or None
        )


def _moment(row: Fields, name: str) -> datetime | None:
    """Give a moment with its zone, or None."""
    text = row.text(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        row.bad(name, f"must be a date and time with its zone, not {checks.shown(text)}")
        return None
    return moment
