"""Orders that the snapshot has not seen: told by the order manager and by carts, each counted once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from fake_memory import START as NOW
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shell
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    Alias,
    Bundle,
    CartSettings,
    Component,
    InFlightOrder,
    InventorySnapshot,
    MerchantSettings,
    OrderLine,
    OrdersInFlight,
    OrdersNetted,
    OrdersRequest,
    OrderWindow,
    PerWarehouse,
    SalesChannel,
    Sku,
    StockLevel,
    SyncPlan,
    Warehouse,
    net_orders,
)
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    ServerFaultError,
    UnauthorizedError,
    WrongTypeError,
)
from omsync.http.blocking import Runner
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.sources.extensiv import ExtensivOrderManager, ExtensivOrders
from omsync.sources.extensiv.orders import orders_of_page
from omsync.sources.orders import CartOrders
from omsync.testing import Fault, OrderManagerSandbox, Throttle

TAKEN_AT = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
MERCHANT = MerchantSettings(mode=PerWarehouse())
WOO = CartSettings(name="woo", alias="Woo store")
HALF_AN_HOUR = timedelta(minutes=30)
WINDOW = OrderWindow(taken_at=TAKEN_AT, lag=HALF_AN_HOUR, until=NOW)
OM = "Extensiv Order Manager"


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}:00+00:00")


def reading(**more: Any) -> InventorySnapshot:
    given: dict[str, Any] = {
        "taken_at": TAKEN_AT,
        "skus": [Sku(master_sku=sku) for sku in ("CUP", "SPOON", "SET")],
        "warehouses": [Warehouse(id="1", name="Main")],
        "sales_channels": [SalesChannel(id="44", name="Woo store"), SalesChannel(id="31", name="Market")],
        "aliases": [
            Alias(name="Woo store", channel_id="44", listing_sku="woo-cup", master_sku="CUP"),
            Alias(name="Woo store", channel_id="44", listing_sku="six", master_sku="CUP", units=6),
            Alias(name="Woo store", channel_id="44", listing_sku="woo-set", master_sku="SET"),
            Alias(name="Market", channel_id="31", listing_sku="six", master_sku="SPOON"),
            Alias(name="UPC", listing_sku="0001", master_sku="SPOON"),
        ],
        "bundles": [
            Bundle(master_sku="SET", components=[Component(master_sku="CUP", quantity=2)]),
        ],
        "levels": [
            StockLevel(master_sku="CUP", location_id="1", on_hand=20, available=20),
            StockLevel(master_sku="SPOON", location_id="1", on_hand=9, available=9),
            StockLevel(master_sku="SET", location_id="1", on_hand=0, available=0),
        ],
    }
    return InventorySnapshot(**{**given, **more})


def order(number: str = "1001", *, placed: str = "07:40", taken_in: str = "", **more: Any) -> InFlightOrder:
    given: dict[str, Any] = {
        "order_id": number,
        "source": "cart woo",
        "channel": "woo",
        "placed_at": at(placed),
        "taken_in_at": at(taken_in) if taken_in else None,
        "lines": [OrderLine(listing_sku="woo-cup", quantity=1)],
    }
    return InFlightOrder(**{**given, **more})


def of_om(number: str = "1001", **more: Any) -> InFlightOrder:
    lines = [OrderLine(listing_sku="woo-cup", master_sku="CUP", quantity=1)]
    return order(number, **{"source": OM, "channel": "44", "lines": lines, **more})


def netted(*orders: InFlightOrder, carts: Sequence[CartSettings] = (WOO,), **more: Any) -> OrdersNetted:
    return net_orders(orders, reading(**more), WINDOW, carts)


def units(*orders: InFlightOrder, **more: Any) -> dict[str, int]:
    return dict(netted(*orders, **more).by_sku)


# Which orders the snapshot has not seen.


@pytest.mark.parametrize(
    ("clock", "units_in_flight"), [("06:59", {}), ("07:00", {"CUP": 1}), ("07:45", {"CUP": 1})]
)
def test_an_order_is_in_flight_until_the_lag_before_the_read(
    clock: str, units_in_flight: dict[str, int]
) -> None:
    assert units(order(placed=clock)) == units_in_flight


@pytest.mark.parametrize(("clock", "units_in_flight"), [("07:27", {}), ("07:28", {"CUP": 1})])
def test_where_the_order_manager_says_when_it_took_an_order_in_that_decides(
    clock: str, units_in_flight: dict[str, int]
) -> None:
    assert units(of_om(placed="07:20", taken_in=clock)) == units_in_flight


def test_an_order_that_took_hours_to_come_in_is_still_in_flight() -> None:
    assert units(of_om(placed="03:00", taken_in="07:50")) == {"CUP": 1}


def test_a_cancelled_order_takes_nothing() -> None:
    found = netted(order(status="cancelled"))

    assert (found.by_sku, found.cancelled, found.orders) == ({}, 1, 0)


def test_an_order_counts_unless_every_place_says_that_it_is_cancelled() -> None:
    assert units(order(), of_om(status="cancelled")) == {"CUP": 1}
    assert units(order(status="cancelled"), of_om(status="cancelled")) == {}


# One order, told by two places.


@pytest.mark.parametrize("number", ["1001", "#1001", " #1001 ", "# 1001"])
def test_an_order_that_two_places_tell_is_counted_once(number: str) -> None:
    found = netted(order(number), of_om("1001", taken_in="07:50"))

    assert found.by_sku == {"CUP": 1}
    assert (found.orders, found.told_twice) == (1, 1)


def test_what_the_order_manager_took_in_before_the_read_is_not_counted_for_the_cart_either() -> None:
    found = netted(order(placed="07:10"), of_om(placed="07:10", taken_in="07:15"))

    assert (found.by_sku, found.seen) == ({}, 1)


def test_of_an_order_taken_in_by_half_the_other_half_is_in_flight() -> None:
    two = [OrderLine(listing_sku="woo-cup", quantity=2)]

    assert units(order(lines=two), of_om(taken_in="07:15")) == {"CUP": 1}


def test_where_two_places_differ_the_larger_figure_counts() -> None:
    three = [OrderLine(master_sku="CUP", quantity=3)]

    assert units(order(), of_om(taken_in="07:50", lines=three)) == {"CUP": 3}


def test_the_parts_of_a_split_order_are_added() -> None:
    assert units(of_om(taken_in="07:50", part="1"), of_om(taken_in="07:50", part="2")) == {"CUP": 2}
    assert units(
        order(lines=[OrderLine(listing_sku="woo-cup", quantity=2)]),
        of_om(taken_in="07:10", part="1"),
        of_om(taken_in="07:50", part="2"),
    ) == {"CUP": 1}


def test_a_row_that_shifted_to_the_next_page_is_counted_once() -> None:
    assert units(of_om(taken_in="07:50", part="1"), of_om(taken_in="07:50", part="1")) == {"CUP": 1}


def test_equal_numbers_of_two_channels_are_two_orders() -> None:
    elsewhere = of_om(channel="31", taken_in="07:50")

    assert units(order(), elsewhere) == {"CUP": 2}


def test_orders_of_no_channel_are_never_taken_for_those_of_another_place() -> None:
    assert units(order(channel=""), order(channel="", source="a spreadsheet")) == {"CUP": 2}
    assert units(order(channel=""), order(channel="")) == {"CUP": 1}


def test_a_channel_goes_by_its_name_its_id_or_the_cart_s_name() -> None:
    told = [order(channel=channel, source=f"told as {channel}") for channel in ("woo", "Woo store", "44")]

    assert units(*told) == {"CUP": 1}
    assert units(*told, sales_channels=[]) == {"CUP": 1}


def test_two_carts_on_one_channel_keep_their_orders_apart() -> None:
    carts = (WOO, CartSettings(name="outlet", alias="44"))

    found = netted(order(), order(channel="outlet", source="cart outlet"), carts=carts)

    assert found.by_sku == {"CUP": 2}
    assert {name: dict(each) for name, each in found.by_cart.items()} == {
        "woo": {"CUP": 1},
        "outlet": {"CUP": 1},
    }


# What was ordered.


def lines(**pieces: int) -> list[OrderLine]:
    return [OrderLine(listing_sku=sku.replace("_", "-"), quantity=each) for sku, each in pieces.items()]


def test_a_listing_stands_for_its_product_and_units() -> None:
    assert units(order(lines=lines(woo_cup=1, six=2))) == {"CUP": 13}
    assert units(
        order(lines=lines(six=2)), carts=[CartSettings(name="woo", alias="44", units={"six": 5})]
    ) == {"CUP": 10}


def test_the_same_listing_sku_may_mean_another_product_in_another_channel() -> None:
    assert units(order(channel="Market", lines=lines(six=2))) == {"SPOON": 2}


def test_what_is_ambiguous_without_its_channel_is_named_and_not_guessed() -> None:
    found = netted(order(channel="", lines=lines(six=2)))

    assert (found.by_sku, found.unknown, found.orders) == ({}, ("six",), 1)
    assert found.notices[1].reason == "orders_of_unknown_skus"
    assert "'six'" in found.notices[1].message


def test_an_alias_of_another_name_helps_where_the_channel_has_none() -> None:
    assert units(order(lines=[OrderLine(listing_sku="0001", quantity=4)])) == {"SPOON": 4}


def test_a_cart_of_master_skus_needs_no_alias() -> None:
    cart = CartSettings(name="plain", units={"SPOON": 10})

    assert units(order(channel="plain", lines=lines(SPOON=2)), carts=[cart]) == {"SPOON": 20}
    assert units(order(channel="unheard of", lines=lines(SPOON=2)), carts=[]) == {"SPOON": 2}


def test_where_the_order_names_the_product_the_listing_only_tells_the_pack() -> None:
    assert units(of_om(lines=[OrderLine(listing_sku="six", master_sku="CUP", quantity=1)])) == {"CUP": 6}
    assert units(of_om(lines=[OrderLine(listing_sku="six", master_sku="SPOON", quantity=1)])) == {"SPOON": 1}


def test_a_line_of_no_pieces_is_no_news() -> None:
    assert netted(order(lines=lines(unheard=0))).unknown == ()


def test_the_notice_names_the_time_window_and_what_was_left_out() -> None:
    (notice,) = netted(
        order(),
        of_om(taken_in="07:50"),
        order("1002", placed="06:00"),
        order("1003", status="cancelled"),
        order("1004", lines=lines(six=1)),
    ).notices

    assert notice.reason == "orders_in_flight"
    assert notice.entries == ("CUP",)
    assert notice.message == (
        "2 orders from 2026-03-02 07:00:00Z to 2026-03-02 08:00:00Z that the figures of 2026-03-02 07:30:00Z "
        "have not seen: 7 units subtracted; 1 seen by them already; 1 told by two places and counted once; "
        "1 cancelled"
    )


def test_a_line_names_a_product_and_an_order_its_time_zone() -> None:
    with pytest.raises(InvalidValueError, match="names no product"):
        OrderLine(quantity=1)
    with pytest.raises(WrongTypeError, match=r"OrderLine\.quantity must be a whole number, not '5'"):
        OrderLine(quantity="5", master_sku="CUP")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(InvalidValueError, match=r"placed_at must know its time zone"):
        order(placed_at=datetime(2026, 3, 2))  # noqa: DTZ001  the point of the test


PLACES = st.lists(
    st.builds(
        lambda source, number, part, pieces, clock: order(
            str(number),
            source=source,
            channel="woo",
            part=str(part),
            placed_at=TAKEN_AT + timedelta(minutes=clock),
            lines=[OrderLine(listing_sku="woo-cup", quantity=pieces)],
        ),
        st.sampled_from(["cart woo", OM]),
        st.integers(1, 3),
        st.integers(1, 2),
        st.integers(0, 4),
        st.integers(-60, 29),
    ),
    max_size=8,
)


@given(PLACES)
def test_telling_it_all_once_more_by_another_place_changes_nothing(orders: list[InFlightOrder]) -> None:
    once = {(one.source, one.order_id, one.part): one for one in orders}.values()
    alone = [one for one in once if one.source == OM]
    again = [attrs.evolve(one, source="cart woo") for one in alone]

    assert units(*alone, *again) == units(*alone)


# The order manager tells.


class Sandbox(OrderManagerSandbox):
    """The demo merchant, with a clock that stands at the time of the reads."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.set_clock(NOW - timedelta(minutes=10))


def manager(
    sandbox: OrderManagerSandbox | Callable[[Request], Response], **more: Any
) -> ExtensivOrderManager:
    handler = sandbox.handle if isinstance(sandbox, OrderManagerSandbox) else sandbox
    return ExtensivOrderManager("sandbox-token", handler=handler, pace=Pace(), **more)


def request(**more: Any) -> OrdersRequest:
    return OrdersRequest(merchant=MERCHANT, now=NOW, since=NOW - timedelta(hours=1), **more)


def told(place: ExtensivOrders, asked: OrdersRequest | None = None) -> list[InFlightOrder]:
    with Runner(clock=FakeClock()) as runner:
        return runner.run(place.orders_steps(asked or request()))


def woo_listing(sandbox: OrderManagerSandbox) -> tuple[int, str, str]:
    one = next(state.value for state in sandbox._store.listings.values())  # noqa: SLF001  any listing will do
    return one.channel_id, one.listing_sku, one.master_sku


def test_the_order_manager_s_orders_are_read_page_by_page() -> None:
    sandbox = Sandbox()
    channel, listing, product = woo_listing(sandbox)
    for number in range(5):
        sandbox.place_order(f"10{number}", channel, {listing: number + 1}, placed_at=NOW - HALF_AN_HOUR)
    seen: list[tuple[str, int, int | None]] = []

    found = told(
        ExtensivOrders(manager(sandbox), page_size=2), request(on_progress=lambda *step: seen.append(step))
    )

    assert [one.order_id for one in found] == ["100", "101", "102", "103", "104"]
    assert found[4].lines == (OrderLine(listing_sku=listing, master_sku=product, quantity=5),)
    assert found[0].channel == str(channel)
    assert found[0].placed_at == NOW - HALF_AN_HOUR
    assert found[0].taken_in_at == NOW - timedelta(minutes=10) + timedelta(seconds=1)
    assert found[0].source == "Extensiv Order Manager at api.skubana.com"
    queries = [dict(one.query) for one in sandbox.requests if one.path == "/v1.1/orders"]
    assert [one["page"] for one in queries] == ["1", "2", "3", "4"]
    assert queries[0]["createdDateFrom"] == "2026-03-02T07:00:00Z"
    assert seen[-1] == ("orders", 5, None)


def test_orders_from_before_are_not_asked_for() -> None:
    sandbox = Sandbox()
    channel, listing, _ = woo_listing(sandbox)
    sandbox.set_clock(NOW - timedelta(hours=3))
    sandbox.place_order("1", channel, {listing: 1})

    assert told(ExtensivOrders(manager(sandbox))) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("AWAITING_SHIPMENT", ("open", True)),
        ("SHIPPED", ("open", True)),
        ("UNRESOLVED", ("open", False)),
        ("ON_HOLD", ("open", False)),
        ("CANCELLED", ("cancelled", False)),
        ("PROCESSED_OUTSIDE_OF_SKUBANA", ("cancelled", False)),
    ],
)
def test_an_order_s_status_says_whether_its_units_are_promised(
    status: str, expected: tuple[str, bool]
) -> None:
    sandbox = Sandbox()
    channel, listing, _ = woo_listing(sandbox)
    sandbox.set_order_status(sandbox.place_order("1", channel, {listing: 1}), status)

    (found,) = ExtensivOrders(manager(sandbox)).orders(request())

    assert (found.status, found.taken_in_at is not None) == expected


def test_a_throttled_reading_waits_and_goes_on() -> None:
    clock = FakeClock()
    sandbox = Sandbox(
        throttle={"GET /v1.1/orders": Throttle(bucket=1, per_second=0.5)}, monotonic=clock.monotonic
    )
    channel, listing, _ = woo_listing(sandbox)
    sandbox.place_order("1", channel, {listing: 1})
    sandbox.add_faults(
        Fault(on="GET /v1.1/orders", kind="status", status=429, headers={"x-skubana-quota-retryAfter": "5"}),
        Fault(on="GET /v1.1/orders", kind="status", status=503, nth=3),
    )

    with Runner(clock=clock) as runner:
        steps = ExtensivOrders(manager(sandbox, ask_limits=False)).orders_steps(request())
        assert len(runner.run(steps)) == 1
    assert len(clock.slept) >= 2


def test_orders_that_cannot_be_read_are_an_error_and_not_none() -> None:
    sandbox = Sandbox(faults=[Fault(on="GET /v1.1/orders", kind="status", status=500, times=None)])

    with pytest.raises(ServerFaultError):
        told(ExtensivOrders(manager(sandbox)))


def test_a_missing_scope_is_named() -> None:
    sandbox = Sandbox(faults=[Fault(on="GET /v1.1/orders", kind="status", status=403)])

    with pytest.raises(UnauthorizedError, match="403") as caught:
        told(ExtensivOrders(manager(sandbox)))
    assert "read_orders" in caught.value.remedy


def test_a_wrong_token_is_said_as_everywhere() -> None:
    sandbox = Sandbox(token="another", faults=[])

    with pytest.raises(UnauthorizedError, match="does not accept the token"):
        told(ExtensivOrders(manager(sandbox, ask_limits=False)))


ROW: dict[str, Any] = {
    "orderId": 1,
    "orderNumber": "A-1",
    "orderStatus": "AWAITING_SHIPMENT",
    "orderDate": "2026-03-02T07:00:00Z",
    "createdDate": "2026-03-02T07:05:00Z",
    "salesChannel": {"salesChannelId": 44},
    "orderItems": [{"listingSku": "woo-cup", "quantityOrdered": 2, "product": {"masterSku": "CUP"}}],
}


def decoded(**changes: Any) -> list[InFlightOrder]:
    return orders_of_page([{**ROW, **changes}], "GET /v1.1/orders", source=OM)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"orderNumber": None}, "$[0].orderNumber: is missing"),
        ({"orderId": "1"}, "$[0].orderId: must be a whole number, not '1' (str)"),
        ({"orderDate": "yesterday"}, "$[0].orderDate: must be a date and time with its zone"),
        ({"createdDate": "2026-03-02T07:05:00"}, "$[0].createdDate: must be a date and time with its zone"),
        ({"createdDate": 5}, "$[0].createdDate: must be text, not 5 (int)"),
        ({"orderDate": None, "createdDate": None}, "$[0].orderDate: is missing, and so is createdDate"),
        ({"orderDate": "?", "createdDate": None}, "$[0].orderDate: must be a date"),
        ({"salesChannel": {"salesChannelId": True}}, "salesChannelId: must be a whole number, not True"),
        ({"orderItems": {}}, "$[0].orderItems: must be an array"),
        ({"orderItems": [{"listingSku": "a"}]}, "$[0].orderItems[0].quantityOrdered: is missing"),
        ({"orderItems": [{"listingSku": "a", "quantityOrdered": 1.5}]}, "must be a whole number, not 1.5"),
        ({"orderItems": [{"listingSku": "a", "quantityOrdered": -1}]}, "must be at least 0, not -1"),
        ({"orderItems": [{"quantityOrdered": 1, "product": 3}]}, "product: must be an object, not 3"),
    ],
)
def test_what_is_not_as_documented_is_named_by_place_and_value(changes: dict[str, Any], finding: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(**changes)
    assert any(finding in problem for problem in caught.value.problems), caught.value.problems


def test_an_order_of_no_channel_or_of_one_date_is_taken_as_it_is() -> None:
    (found,) = decoded(salesChannel=None, orderDate=None, modifiedDate="never mind")

    assert found.channel == ""
    assert found.placed_at == at("07:05")
    assert decoded(createdDate=None)[0].taken_in_at is None


def test_a_line_that_names_no_product_stops_nothing_and_is_told() -> None:
    (found,) = decoded(
        createdDate="2026-03-02T07:50:00Z", orderItems=[{"quantityOrdered": 1, "product": None}]
    )

    assert net_orders([found], reading(), WINDOW).unknown == ("a line without a SKU in order A-1",)


def test_the_sandbox_filters_orders_as_documented() -> None:
    sandbox = Sandbox()
    channel, listing, product = woo_listing(sandbox)
    first = sandbox.place_order("AB-1", channel, {listing: 1})
    sandbox.place_order("AC-1", channel, {listing: 1}, status="ON_HOLD")

    def numbers(*query: tuple[str, str]) -> list[str]:
        asked = Request(
            method="GET",
            url="http://om.example/v1.1/orders",
            query=query,
            headers={"authorization": "Bearer sandbox-token"},
        )
        answer = sandbox.handle(asked)
        return [one["orderNumber"] for one in answer.json()] if answer.status == 200 else [answer.excerpt]

    assert numbers() == ["AB-1", "AC-1"]
    assert numbers(("orderNumber", "ab")) == ["AB-1"]
    assert numbers(("orderId", str(first))) == ["AB-1"]
    assert numbers(("status", "ON_HOLD"), ("status", "SHIPPED")) == ["AC-1"]
    assert numbers(("salesChannelId", str(channel + 1))) == []
    assert numbers(("orderDateFrom", "2030-01-01T00:00:00Z")) == []
    assert numbers(("modifiedDateTo", "2020-01-01T00:00:00Z")) == []
    assert "status must be one of" in numbers(("status", "LOST"))[0]
    assert product


def test_an_order_may_promise_units_in_the_sandbox() -> None:
    sandbox = Sandbox()
    shelf = next(
        (state, shelf)
        for state in sandbox._store.products.values()  # noqa: SLF001  any product that is listed and stocked
        for shelf in state.shelves
        if len(state.shelves_in(shelf.record.warehouse_id)) == 1
        and any(one.value.master_sku == state.value.master_sku for one in sandbox._store.listings.values())  # noqa: SLF001
    )
    state, before = shelf[0], shelf[1].record
    one = next(
        each.value
        for each in sandbox._store.listings.values()  # noqa: SLF001
        if each.value.master_sku == state.value.master_sku
    )

    sandbox.place_order("1", one.channel_id, {one.listing_sku: 2}, from_warehouse=before.warehouse_id)

    assert shelf[1].record.committed == before.committed + 2


def test_the_sandbox_refuses_orders_that_cannot_be() -> None:
    sandbox = Sandbox()
    channel, listing, _ = woo_listing(sandbox)
    with pytest.raises(InvalidValueError, match="pieces of"):
        sandbox.place_order("1", channel, {listing: 0})
    with pytest.raises(InvalidValueError, match="no order status 'LOST'"):
        sandbox.place_order("1", channel, {listing: 1}, status="LOST")
    with pytest.raises(InvalidValueError, match="no order 7"):
        sandbox.set_order_status(7, "SHIPPED")
    with pytest.raises(InvalidValueError, match="no listing"):
        sandbox.place_order("1", channel, {"unheard of": 1})


# A cart tells, from a list.


def test_a_cart_s_orders_come_from_a_list_or_a_function() -> None:
    rows: list[Any] = [
        {"order_id": "#1", "placed_at": at("07:40"), "lines": {"woo-cup": 2}},
        order("2", channel=""),
    ]
    asked: list[datetime] = []

    def rows_since(since: datetime) -> list[Any]:
        asked.append(since)
        return rows

    for given_rows in (rows, rows_since):
        first, second = CartOrders("woo", given_rows).orders(request())
        assert (first.order_id, first.source, first.channel) == ("#1", "cart woo", "woo")
        assert first.lines == (OrderLine(listing_sku="woo-cup", quantity=2),)
        assert second.channel == "woo"
    assert asked == [NOW - timedelta(hours=1)]
    assert CartOrders("woo", [order(channel="44")]).orders(request())[0].channel == "44"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1001", "is an InFlightOrder or a mapping, not '1001'"),
        ({"order_id": "1", "placed": 1}, "an order has no 'placed'"),
        ({"order_id": "1"}, "an order lacks placed_at, lines"),
        ({"order_id": "1", "placed_at": NOW, "lines": ["a"]}, "pieces by listing SKU"),
        ({"order_id": "1", "placed_at": NOW, "lines": {"a": "5"}}, "must be a whole number, not '5'"),
        ({"order_id": 1, "placed_at": NOW, "lines": {}}, r"order_id must be text, not 1"),
    ],
)
def test_a_cart_s_order_that_is_none_is_named(row: Any, words: str) -> None:
    with pytest.raises((WrongTypeError, InvalidValueError), match=words):
        CartOrders("woo", [row]).orders(request())


# The whole way.


class Told:
    """A place that knows orders, and counts how often it is asked."""

    def __init__(self, *orders: Any) -> None:
        self._orders = orders
        self.requests: list[OrdersRequest] = []

    def orders(self, asked: OrdersRequest, /) -> Iterable[InFlightOrder]:
        self.requests.append(asked)
        return iter(self._orders)


class AwaitedTold(Told):
    async def orders(self, asked: OrdersRequest, /) -> Iterable[InFlightOrder]:  # type: ignore[override]  # the twin
        return super().orders(asked)


SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


def place(shell: Shell, *orders: Any) -> Told:
    return AwaitedTold(*orders) if shell.name == "awaiting, async ports" else Told(*orders)


def test_orders_in_flight_are_subtracted_and_named_with_their_window(shell: Shell) -> None:
    cart = FakeCart({"woo-cup": 20, "six": 3, "woo-set": 10})
    orders = place(shell, order(), order("1002", lines=lines(woo_set=2)))

    report = shell.sync_cart(
        reading(), cart, WOO, merchant=MERCHANT, orders_in_flight=orders, clock=FakeClock()
    )

    assert cart.shows("woo-cup") == 15
    assert cart.shows("woo-set") == 7
    (notice,) = [one for one in report.notices if one.reason == "orders_in_flight"]
    assert "2 orders from 2026-03-02 07:00:00Z to 2026-03-02 08:00:00Z" in notice.message
    assert notice.message in str(report)
    assert "orders in flight: 1 of CUP, from 2026-03-02 07:00:00Z to 2026-03-02 08:00:00Z" in str(
        report.explain("woo-cup")
    )
    (asked,) = orders.requests
    assert (asked.since, asked.now) == (at("07:00"), NOW)


def test_several_places_are_asked_and_an_order_of_both_counts_once(shell: Shell) -> None:
    cart = FakeCart({"woo-cup": 20, "six": 3, "woo-set": 10})

    shell.sync_cart(
        reading(),
        cart,
        WOO,
        merchant=MERCHANT,
        orders_in_flight=[place(shell, order("#1001")), place(shell, of_om(taken_in="07:50"))],
        clock=FakeClock(),
    )

    assert cart.shows("woo-cup") == 19


def test_many_carts_share_one_reading_of_orders_and_each_has_its_own_lag(shell: Shell) -> None:
    carts = {
        "woo": FakeCart({"woo-cup": 20}),
        "swift": FakeCart({"CUP": 20}),
    }
    swift = CartSettings(name="swift", order_lag=None, only={"CUP"})
    orders = place(shell, order("1", placed="07:10"), order("2", placed="07:40"))

    shell.sync_carts(
        reading(),
        [(carts["woo"], WOO), (carts["swift"], swift)],
        merchant=MERCHANT,
        orders_in_flight=orders,
        clock=FakeClock(),
    )

    assert len(orders.requests) == 1
    assert carts["woo"].shows("woo-cup") == 18
    assert carts["swift"].shows("CUP") == 19


def test_a_mapping_is_taken_as_it_is_and_nothing_is_as_nothing(shell: Shell) -> None:
    for given_orders, shows in (({"CUP": 2}, 18), ({}, 20), (None, 20), ([], 20)):
        cart = FakeCart({"woo-cup": 19, "six": 3, "woo-set": 10})
        shell.sync_cart(
            reading(), cart, WOO, merchant=MERCHANT, orders_in_flight=given_orders, clock=FakeClock()
        )
        assert cart.shows("woo-cup") == shows


def test_what_knows_no_orders_is_refused(shell: Shell) -> None:
    for wrong in ("CUP", 5, ["CUP"]):
        with pytest.raises(WrongTypeError, match="orders_in_flight must be a mapping, or know orders"):
            shell.plan_cart(reading(), FakeCart(), WOO, merchant=MERCHANT, orders_in_flight=wrong)
    with pytest.raises(WrongTypeError, match=r"orders\(\) gives InFlightOrder values, not 'x'"):
        shell.plan_cart(reading(), FakeCart(), WOO, merchant=MERCHANT, orders_in_flight=place(shell, "x"))


def test_nothing_is_pushed_when_the_orders_cannot_be_read(shell: Shell) -> None:
    sandbox = Sandbox(faults=[Fault(on="GET /v1.1/orders", kind="status", status=401, times=None)])
    cart, ledger = FakeCart({"woo-cup": 1}), DictLedger()

    with pytest.raises(UnauthorizedError):
        shell.sync_cart(
            reading(),
            cart,
            WOO,
            merchant=MERCHANT,
            ledger=ledger,
            orders_in_flight=ExtensivOrders(manager(sandbox, ask_limits=False)),
            clock=FakeClock(),
        )

    assert cart.pushes == []
    assert ledger.runs("default", "woo")[0].status == "failed"


def test_the_order_manager_s_orders_come_through_both_runners(shell: Shell) -> None:
    sandbox = Sandbox()
    source = manager(sandbox)
    channel, listing, _ = woo_listing(sandbox)
    settings = CartSettings(name="shop", alias=str(channel), order_lag=0)
    clock = FakeClock()
    before = shell.plan_cart(
        source, FakeCart(lists_all=True, creates_listings=True), settings, merchant=MERCHANT, clock=clock
    )
    sandbox.set_clock(NOW)
    sandbox.place_order("1", channel, {listing: 1})

    after = shell.plan_cart(
        source,
        FakeCart(lists_all=True, creates_listings=True),
        settings,
        merchant=MERCHANT,
        orders_in_flight=ExtensivOrders(source),
        clock=clock,
    )

    def quantity(plan: SyncPlan) -> int:
        return next(line.quantity for line in plan.lines if line.listing_sku == listing)

    assert quantity(after) == quantity(before) - 1


def test_the_shipped_places_fit_the_port() -> None:
    places: list[OrdersInFlight] = [CartOrders("woo", []), ExtensivOrders(manager(Sandbox()))]

    assert all(isinstance(one, OrdersInFlight) for one in places)
    assert "sandbox-token" not in repr(places)
