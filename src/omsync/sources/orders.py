"""Orders in flight from a list: what a cart's web hooks, a data base or a spreadsheet tell you."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.hints import suggestion
from omsync.inflight import InFlightOrder, OrderLine
from omsync.ports import OrdersRequest

__all__ = ["CartOrders"]

Row = InFlightOrder | Mapping[str, Any]
Told = Iterable[Row] | Callable[[datetime], Iterable[Row]]

_KEYS = ("order_id", "placed_at", "lines", "status", "part", "taken_in_at")


@frozen
class CartOrders:
    """Tells a cart's orders from a list that you give.

    Args:
        channel: The cart's name, or a sales channel's id or exact name.
        told: The orders, or a function that gives them from a moment on. Each is an ``InFlightOrder``, or a
            mapping with ``order_id``, ``placed_at``, ``lines`` (pieces by listing SKU), and if wanted
            ``status``, ``part`` and ``taken_in_at``.

    Raises:
        WrongTypeError: An order is neither, or a field is of another type; raised when it is read.
        InvalidValueError: An order breaks a rule of ``InFlightOrder``, or has a key that no order has.
    """

    channel: str = field(validator=checks.text)
    told: Told = field(repr=False)

    @property
    def name(self) -> str:
        """What this is."""
        return f"cart {self.channel}"

    def orders(self, request: OrdersRequest, /) -> list[InFlightOrder]:
        """Give the orders."""
        rows = self.told(request.since) if callable(self.told) else self.told
        return [self._order(row) for row in rows]

    def _order(self, row: object) -> InFlightOrder:
        if isinstance(row, InFlightOrder):
            return evolve(row, channel=row.channel or self.channel)
        if not isinstance(row, Mapping):
            raise WrongTypeError(
                f"{self.name}: an order is an InFlightOrder or a mapping, not {checks.shown(row)}",
                remedy="Write {'order_id': '1001', 'placed_at': ..., 'lines': {'mug-red': 2}}.",
            )
        strange = [key for key in row if key not in _KEYS]
        if strange:
            raise InvalidValueError(
                f"{self.name}: an order has no {strange[0]!r}", remedy=suggestion(str(strange[0]), _KEYS)
            )
        missing = [key for key in ("order_id", "placed_at", "lines") if key not in row]
        if missing:
            raise InvalidValueError(
                f"{self.name}: an order lacks {', '.join(missing)}: {checks.shown(dict(row))}",
                remedy="Give order_id, placed_at and lines.",
            )
        lines = row["lines"]
        if not isinstance(lines, Mapping):
            raise WrongTypeError(
                f"{self.name}: the lines of order {row['order_id']!r} are pieces by listing SKU, not "
                f"{checks.shown(lines)}"
            )
        given = {**row, "lines": [OrderLine(listing_sku=sku, quantity=each) for sku, each in lines.items()]}
        return InFlightOrder(source=self.name, channel=self.channel, **given)
