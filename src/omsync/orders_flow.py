"""How orders in flight are read and netted, as steps; a mapping of units is taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, cast, runtime_checkable

from attrs import field, frozen

from omsync.allocation import Notice
from omsync.checks import shown
from omsync.errors import WrongTypeError
from omsync.http.steps import Steps, call
from omsync.inflight import InFlightOrder, OrderWindow, net_orders
from omsync.model import InventorySnapshot
from omsync.ports import AsyncOrdersInFlight, OrdersInFlight, OrdersRequest
from omsync.runs import Context
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["GivenOrders", "InFlight", "OrdersRead", "orders_for", "read_orders"]

GivenOrders = (
    Mapping[str, int] | OrdersInFlight | AsyncOrdersInFlight | Sequence[OrdersInFlight | AsyncOrdersInFlight]
)
"""Units by master SKU, or a place that knows orders, or several of them."""


@runtime_checkable
class _TellsInSteps(Protocol):
    def orders_steps(self, request: OrdersRequest, /) -> Steps[list[InFlightOrder]]: ...


@frozen(kw_only=True)
class OrdersRead:
    """Orders that were read once, for any number of carts.

    Args:
        orders: What all places told.
        carts: The carts that orders may name.
        until: When they were read.
    """

    orders: tuple[InFlightOrder, ...]
    carts: tuple[CartSettings, ...]
    until: datetime


@frozen(kw_only=True)
class InFlight:
    """What orders in flight mean for one cart.

    Args:
        units: Units by master SKU that the snapshot has not seen, sold anywhere.
        sold_here: Those of them that this cart sold; a mapping that was given does not tell, so all of it.
        when: From when to when orders were looked for, in words.
        notices: What a person should know.
    """

    units: Mapping[str, int] = field(factory=dict)
    sold_here: Mapping[str, int] = field(factory=dict)
    when: str = ""
    notices: tuple[Notice, ...] = ()


def read_orders(
    given: GivenOrders | OrdersRead | None,
    snapshot: InventorySnapshot,
    carts: Iterable[CartSettings],
    merchant: MerchantSettings,
    context: Context,
) -> Steps[Mapping[str, int] | OrdersRead]:
    """Read the orders that the snapshot may not have seen, once; what is no place to ask passes.

    Raises:
        WrongTypeError: What is given is neither a mapping nor knows orders.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping | OrdersRead):
        return given
    carts = tuple(carts)
    places = _places(given)
    lag = timedelta(minutes=max([cart.order_lag for cart in carts], default=0))
    now = context.clock.now()
    window = OrderWindow(taken_at=snapshot.taken_at, lag=lag, until=now)
    request = OrdersRequest(
        merchant=merchant,
        now=now,
        since=window.since,
        deadline=context.deadline,
        on_progress=context.tell,
    )
    orders: list[InFlightOrder] = []
    context.tell("orders", 0, None)
    for place in places:
        orders += yield from _told_by(place, request)
    context.tell("orders", len(orders), len(orders))
    return OrdersRead(orders=tuple(orders), carts=carts, until=now)


def orders_for(
    given: GivenOrders | OrdersRead | None,
    snapshot: InventorySnapshot,
    cart: CartSettings,
    merchant: MerchantSettings,
    context: Context,
) -> Steps[InFlight]:
    """Give what orders in flight mean for a cart; they are read unless they were already."""
    read = yield from read_orders(given, snapshot, (cart,), merchant, context)
    if not isinstance(read, OrdersRead):
        return InFlight(units=read, sold_here=read)
    window = OrderWindow(taken_at=snapshot.taken_at, lag=timedelta(minutes=cart.order_lag), until=read.until)
    netted = yield from call(net_orders, read.orders, snapshot, window, read.carts)
    return InFlight(
        units=netted.by_sku,
        sold_here=netted.by_cart.get(cart.name, {}),
        when=str(netted.window),
        notices=netted.notices,
    )


def _places(given: object) -> Sequence[object]:
    places = tuple(given) if isinstance(given, list | tuple) else (given,)
    for place in places:
        if not hasattr(place, "orders"):
            raise WrongTypeError(
                f"orders_in_flight must be a mapping, or know orders, and this is neither: {shown(place)}",
                remedy="Give units by master SKU, such as {'MUG-01': 3}, an OrdersInFlight such as "
                "CartOrders(...), or a list of those.",
            )
    return places


def _told_by(place: object, request: OrdersRequest) -> Steps[list[InFlightOrder]]:
    if isinstance(place, _TellsInSteps):
        return (yield from place.orders_steps(request))
    tell = cast("Callable[[OrdersRequest], Iterable[InFlightOrder]]", cast("Any", place).orders)
    told = yield from call(tell, request)
    # A call of its own, since a generator does its work only now.
    orders = yield from call(list, told)
    for order in orders:
        if not isinstance(order, InFlightOrder):
            raise WrongTypeError(
                f"orders() gives InFlightOrder values, not {shown(order)}",
                remedy="Build omsync.InFlightOrder(...) for each order.",
            )
    return orders
