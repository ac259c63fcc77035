"""How the Shopify sink keeps to its points: sizes of pages, pace by cost, and what a throttled call means."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from fake_memory import FakeClock
from two_runners import run_blocking

from omsync.errors import ServerFaultError, ThrottledError
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.ports import QuantityChange
from omsync.sinks import _shopify as api
from omsync.sinks._shopify_points import Meter, cost_of
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.carts.shopify import ShopifyShop

AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
ACCESS = api.Access(url="https://acme.myshopify.com/x", token="t")


def sink(shop: ShopifyShop, **options: Any) -> Shopify:
    options.setdefault("retry", AT_ONCE)
    return Shopify("acme", access=StaticToken("shpat_test"), handler=shop.handle, **options)


def answer(requested: float, *, available: float = 2000.0, code: str | None = None) -> Response:
    cost = {
        "requestedQueryCost": requested,
        "actualQueryCost": None if code else requested,
        "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0},
    }
    told = [{"message": code, "extensions": {"code": code}}]
    errors: dict[str, Any] = {"errors": told} if code else {"data": {}}
    return json_answer({**errors, "extensions": {"cost": cost}})


def full_shop(items: int, locations: int, *, now: Callable[[], float] | None = None) -> ShopifyShop:
    shop = ShopifyShop(locations=[f"Store {number}" for number in range(locations)], now=now)
    for number in range(items):
        shop.add(f"S{number}", number)
    return shop


def sizes(shop: ShopifyShop, operation: str) -> list[int]:
    asked = [variables for name, variables in shop.operations() if name == operation]
    return [len(one.get("ids", ())) or one["first"] for one in asked]


def test_a_page_is_as_large_as_the_points_of_the_first_one_allow() -> None:
    shop = full_shop(400, 2)
    reader = sink(shop, lists_all=True, location="Store 0")
    run_blocking(reader.read_steps([f"S{number}" for number in range(400)]), clock=FakeClock())
    first, *rest = sizes(shop, "omsyncItems")
    assert (first, max(rest)) == (62, 55)
    assert sum([first, *rest]) == 400
    cheap = Meter()
    cheap.judge(ACCESS.ask(api.ITEMS, ids=["1"] * 62), answer(62.0))
    assert cheap.rows("omsyncItems", guess=8.0, most=250) == 250


def test_a_shop_with_many_locations_is_read_in_smaller_pages() -> None:
    few, many = full_shop(120, 1), full_shop(120, 60)
    for shop in (few, many):
        reader = sink(shop, lists_all=True, location="Store 0")
        run_blocking(reader.read_steps([f"S{number}" for number in range(120)]), clock=FakeClock())
    assert max(sizes(many, "omsyncItems")) < 5 < max(sizes(few, "omsyncItems"))


@pytest.mark.parametrize("lists_all", [True, False])
def test_a_page_that_costs_too_much_is_halved(lists_all: bool) -> None:
    shop = full_shop(40, 1)
    told = json_answer(
        {"errors": [{"message": "Query cost is 1402", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
    )
    operation = b"omsyncItems" if lists_all else b"omsyncFind"
    shop.trouble(told, when=lambda one: operation in one.content)
    shown = sink(shop, lists_all=lists_all).read([f"S{number}" for number in range(40)])
    assert len({one.listing_sku for one in shown}) == 40
    assert sizes(shop, operation.decode()) == [40, 20, 20]


@pytest.mark.parametrize("lists_all", [True, False])
def test_a_single_row_that_costs_too_much_is_an_error_that_says_so(lists_all: bool) -> None:
    shop = full_shop(2, 1)
    told = {"errors": [{"message": "Query cost is 1402", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
    shop.trouble(json_answer(told), when=lambda one: b"quantities(" in one.content, times=9)
    with pytest.raises(Exception, match="Query cost is 1402") as caught:
        sink(shop, lists_all=lists_all).read(["S0", "S1"])
    assert getattr(caught.value, "code", "") == "query_too_costly"


def test_an_item_with_more_levels_than_a_page_holds_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api, "_MOST_LEVELS", 2)
    shop = full_shop(1, 5)
    for number in range(5):
        shop.stock("gid://shopify/InventoryItem/1", number + 10, at=f"Store {number}")
    shown = {one.location_id: one.quantity for one in sink(shop, location="Store 4").read(["S0"])}
    assert [shown[f"Store {number}"] for number in range(5)] == [10, 11, 12, 13, 14]


def test_a_pace_that_could_be_foreseen_is_kept_so_that_nothing_is_throttled() -> None:
    clock = FakeClock()
    shop = full_shop(600, 3, now=clock.monotonic)
    door = sink(shop, location="Store 0", max_in_flight=1)
    rows = [f"S{number}" for number in range(600)]
    run_blocking(door.read_steps(rows), clock=clock)
    spent = 2000 + clock.waited * 100
    changes = [
        QuantityChange(listing_sku=sku, quantity=7, available=7, key=f"r:{sku}:") for sku in rows[:1000]
    ]
    run_blocking(door.push_steps(changes), clock=clock)
    assert shop.throttled == 0
    assert clock.waited > 50
    assert spent > 600 * 12


def test_a_dear_call_takes_the_place_of_many_cheap_ones_in_the_same_lane() -> None:
    meter = Meter(100.0)
    dear, cheap = meter.pace(500), meter.pace(10)
    assert dear.per_second == pytest.approx(cheap.per_second / 50)
    assert (dear.burst, cheap.burst) == (2, 100)
    assert {ACCESS.ask(document).lane for document in api.DOCUMENTS} == {"admin"}


def test_what_an_answer_says_about_points_replaces_the_plans_figures() -> None:
    meter = Meter(1000.0)
    assert meter.judge(ACCESS.ask(api.ITEMS, ids=["1", "2"]), answer(44.0)) is None
    assert (meter.restored, meter.bucket) == (100.0, 2000.0)
    assert meter.points("omsyncItems", 10) == 220.0
    assert meter.judge(ACCESS.ask(api.WRITE, input={}), answer(31.0)) is None
    assert meter.points("omsyncWrite") == 31.0


def test_a_throttled_call_waits_until_it_can_be_paid_for() -> None:
    meter = Meter()
    told = meter.judge(ACCESS.ask(api.WRITE, input={}), answer(100, available=25, code="THROTTLED"))
    assert isinstance(told, ThrottledError)
    assert told.retry_after == 0.75


def test_a_throttled_call_without_figures_is_tried_again_after_a_wait_of_our_own() -> None:
    said = json_answer({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]})
    told = Meter().judge(ACCESS.ask(api.WRITE, input={}), said)
    assert isinstance(told, ThrottledError)
    assert told.retry_after is None


def test_http_429_is_throttled_too() -> None:
    limited = Response(status=429, headers={"retry-after": "2.0"})
    told = Meter().judge(ACCESS.ask(api.WRITE, input={}), limited)
    assert isinstance(told, ThrottledError)
    assert told.retry_after == 2.0
    assert isinstance(Meter().judge(ACCESS.ask(api.WRITE), Response(status=502)), ServerFaultError)
    assert Meter().judge(Request(method="POST", url="https://s", raw=b"a=1"), Response(status=200)) is None


def test_a_shop_that_another_process_has_drained_is_waited_for() -> None:
    clock = FakeClock()
    shop = full_shop(1, 1, now=clock.monotonic)
    drained = answer(12, available=0, code="THROTTLED")
    shop.trouble(drained, when=lambda one: b"omsyncFind" in one.content)
    patient = sink(shop, retry=RetryPolicy())
    shown = run_blocking(patient.read_steps(["S0"]), clock=clock)
    assert {one.quantity for one in shown} == {0}
    assert clock.waited >= 0.12


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"extensions": {}},
        {"extensions": {"cost": {"requestedQueryCost": 1, "throttleStatus": None}}},
        {"extensions": {"cost": {"requestedQueryCost": "much", "throttleStatus": {}}}},
        [],
    ],
)
def test_points_that_are_not_said_are_not_learned(broken: Any) -> None:
    assert cost_of(json_answer(broken)) is None


def test_points_that_never_come_back_are_not_believed() -> None:
    status = {"maximumAvailable": 2000, "currentlyAvailable": 0, "restoreRate": 0}
    said = {"extensions": {"cost": {"requestedQueryCost": 1, "throttleStatus": status}}}
    assert cost_of(json_answer(said)) is None


def test_another_version_that_answers_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    shop = ShopifyShop(oldest="2026-07")
    shop.add("MUG", 3)
    old = sink(shop, version="2026-04")
    with caplog.at_level(logging.WARNING, "omsync"):
        old.read(["MUG"])
        old.read(["MUG"])
    (said,) = [one.getMessage() for one in caplog.records]
    assert "version 2026-04 of the API was asked for, and 2026-07 answers" in said
    caplog.clear()
    sink(shop).read(["MUG"])
    assert not caplog.records


def test_a_shop_whose_fake_is_not_given_a_clock_never_throttles() -> None:
    shop = full_shop(300, 1)
    run_blocking(sink(shop).read_steps([f"S{number}" for number in range(300)]), clock=FakeClock())
    assert shop.throttled == 0
    assert isinstance(shop.requests[0], Asked)
