"""Orders that a test or a demonstration places in a sandbox."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime

from attrs import evolve

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.testing.sandbox_endpoints import ORDER_STATUSES
from omsync.testing.sandbox_state import Store

__all__ = ["PlacedOrders"]


class PlacedOrders:
    """Orders, as ``GET /v1.1/orders`` tells them. Which units an order takes, and when, is yours to say."""

    _store: Store
    _lock: threading.RLock

    def place_order(
        self,
        number: str,
        channel_id: int,
        pieces: Mapping[str, int],
        *,
        placed_at: datetime | None = None,
        status: str = "AWAITING_SHIPMENT",
        from_warehouse: int | None = None,
    ) -> int:
        """Let an order come in, created now; give its id.

        Args:
            number: The channel's order number.
            channel_id: The sales channel.
            pieces: Pieces by listing SKU of that channel.
            placed_at: When the shopper placed it, aware; None for now.
            status: One of the order manager's statuses.
            from_warehouse: Promise the units of the product's only stock record in this warehouse; None
                leaves stock as it is.
        """
        with self._lock:
            store = self._store
            store.channel(channel_id)
            products = {sku: store.listing(channel_id, sku).value.master_sku for sku in pieces}
            for sku, each in pieces.items():
                if type(each) is not int or each < 1:
                    raise InvalidValueError(
                        f"The order {number!r} has {checks.shown(each)} pieces of {sku!r}",
                        remedy="Give whole numbers from 1.",
                    )
            _check_status(status)
            shelves = {
                sku: store.shelf(products[sku], from_warehouse, None) for sku in pieces if from_warehouse
            }
            now = store.tick()
            for sku, shelf in shelves.items():
                shelf.record = evolve(shelf.record, committed=shelf.record.committed + pieces[sku])
                store.moved(products[sku])
            return store.put_order(
                number=number,
                channel_id=channel_id,
                placed=checks.to_utc(placed_at) or now,
                created=now,
                modified=now,
                status=status,
                pieces=dict(pieces),
                products=products,
            )

    def set_order_status(self, order_id: int, status: str) -> None:
        """Change an order's status; stock stays as it is."""
        with self._lock:
            order = self._store.order(order_id)
            _check_status(status)
            order.status, order.modified = status, self._store.tick()


def _check_status(status: str) -> None:
    if status not in ORDER_STATUSES:
        raise InvalidValueError(
            f"The order manager has no order status {status!r}",
            remedy=f"Use one of: {', '.join(sorted(ORDER_STATUSES))}.",
        )
