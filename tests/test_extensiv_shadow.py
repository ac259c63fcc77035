"""In the shadow of today's service: nothing is acknowledged, written or pushed."""

from __future__ import annotations

import pytest
from extensiv_desk import ACKNOWLEDGE, WOO, by_channel, calls, order_manager, read, wanted
from fake_memory import DictMemory
from fake_ports import FakeCart

from omsync import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse, compare, plan_cart
from omsync.errors import LedgerError, SettingsError, WrongTypeError
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

SHOP = CartSettings(name="shop", alias="Woo store")
BY_WAREHOUSE = MerchantSettings(mode=PerWarehouse(disabled={"Amazon FBA US"}))


def test_a_channel_read_in_the_shadow_asks_nothing_at_all() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    with pytest.raises(SettingsError, match="With shadow=True nothing is taken") as caught:
        read(order_manager(sandbox, shadow=True), by_channel(memory))
    assert caught.value.code == "shadow_by_channel"
    assert "PerWarehouse" in caught.value.remedy
    assert sandbox.requests == ()
    assert memory.namespaces == {}


def test_whoever_lives_on_acknowledge_still_gets_everything_after_a_shadow_read() -> None:
    sandbox = OrderManagerSandbox()
    before = read(order_manager(OrderManagerSandbox()), by_channel(DictMemory()))
    read(order_manager(sandbox, shadow=True), wanted())
    assert calls(sandbox, ACKNOWLEDGE) == []
    assert {one.method for one in sandbox.requests} == {"GET"}
    today = read(order_manager(sandbox), by_channel(DictMemory()))
    assert today.levels == before.levels
    assert calls(sandbox, ACKNOWLEDGE)[0]["salesChannelId"] == WOO


@pytest.mark.parametrize("stock", ["totals", "rows"])
def test_by_warehouse_the_shadow_reads_what_is_read_without(stock: str) -> None:
    sandbox = OrderManagerSandbox()
    shadowed = read(order_manager(sandbox, stock=stock, shadow=True), wanted())
    assert shadowed.levels == read(order_manager(sandbox, stock=stock), wanted()).levels


def test_planning_and_comparing_write_nothing_anywhere() -> None:
    sandbox, shop = OrderManagerSandbox(), FakeCart({"woo-mug-green": 3})
    source = ExtensivOrderManager(sandbox.token, handler=sandbox.handle, shadow=True)
    plan = plan_cart(source, shop, SHOP, merchant=BY_WAREHOUSE)
    result = compare(source, shop, cart=SHOP, merchant=BY_WAREHOUSE)
    (line,) = plan.changes
    (difference,) = result.of("quantity")
    assert (line.listing_sku, line.quantity, line.shown) == ("woo-mug-green", difference.a, difference.b)
    assert shop.pushes == []
    assert {one.method for one in sandbox.requests} == {"GET"}


def test_comparing_never_acknowledges_even_without_shadow() -> None:
    sandbox = OrderManagerSandbox()
    by_channels = MerchantSettings(mode=PerSalesChannel())
    with pytest.raises(LedgerError):
        compare(order_manager(sandbox), order_manager(sandbox), merchant=by_channels)
    assert sandbox.requests == ()


def test_shadow_is_true_or_false() -> None:
    with pytest.raises(WrongTypeError, match="shadow must be True or False"):
        ExtensivOrderManager("token", shadow="yes")  # type: ignore[arg-type]  # the mistake is the point
