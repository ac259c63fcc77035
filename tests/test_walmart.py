"""The Walmart sink against a marketplace in memory that is as strict as the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from fake_memory import DictMemory, FakeClock
from small_merchant import BY_WAREHOUSE, cart, reading
from two_runners import RUNNERS, run_blocking

from omsync import aio, sync_cart
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.tokens import TokenKeeper
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks import _walmart as api
from omsync.sinks._walmart_answers import judge
from omsync.sinks.walmart import Walmart
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.carts.walmart import WalmartMarketplace

AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
RENO, HARBOR = "10000", "10001"
NODES = {"Reno DC": RENO, "Harbor 3PL": HARBOR}


def sink(shop: WalmartMarketplace, **options: Any) -> Walmart:
    given: dict[str, Any] = {
        "client_id": "client-1",
        "client_secret": "secret-1",
        "calls_per_second": 1000.0,
        "poll_seconds": 1,
        "wait_seconds": 3,
        "retry": AT_ONCE,
        "handler": shop.handle,
    }
    return Walmart("10001234567", **{**given, **options})


def as_feed(shop: WalmartMarketplace, **options: Any) -> Walmart:
    return sink(shop, feed_from_rows=1, **options)


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def push(walmart: Walmart, *changes: QuantityChange) -> list[PushResult]:
    return run_blocking(walmart.push_steps(changes), clock=FakeClock())


def read(walmart: Walmart, *skus: str) -> list[CartListing]:
    return run_blocking(walmart.read_steps(skus), clock=FakeClock())


def figures(listings: Sequence[CartListing]) -> dict[tuple[str, str | None], tuple[int | None, int | None]]:
    return {(one.listing_sku, one.location_id): (one.quantity, one.allocated) for one in listings}


def outcomes(results: Sequence[PushResult]) -> dict[tuple[str, str | None], tuple[str, str, int | None]]:
    return {(one.listing_sku, one.location_id): (one.status, one.reason, one.echo) for one in results}


def only(results: Sequence[PushResult]) -> PushResult:
    (result,) = results
    return result


def asked(shop: WalmartMarketplace, method: str, part: str) -> list[Asked]:
    return [one for one in shop.requests if one.method == method and part in one.path]


def feeds_of(shop: WalmartMarketplace) -> list[dict[str, Any]]:
    return [json.loads(feed.content) for feed in shop.feeds.feeds.values()]


# --- what is written down -----------------------------------------------------------------------------


def test_a_sink_of_a_marketplace_says_what_it_can_do() -> None:
    walmart = Walmart("10001234567", client_id="c", client_secret="s")
    assert isinstance(walmart, CartSink)
    can = walmart.capabilities
    assert can.destination == "walmart seller 10001234567"
    assert (can.quantity_meaning, can.completion, can.locations) == ("on_hand", "job", "none")
    assert (can.calls_per_second, can.max_in_flight, can.lists_all) == (5.0, 4, True)
    assert (walmart.feed_from_rows, walmart.feeds_per_hour) == (500, 10)
    assert sink(WalmartMarketplace(), ship_nodes=NODES).capabilities.locations == "required"
    assert sink(WalmartMarketplace(), ship_nodes=NODES, location=RENO).capabilities.locations == "optional"
    assert sink(WalmartMarketplace(), ship_nodes=[RENO]).capabilities.locations == "optional"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"client_secret": ""}, SettingsError),
        ({"client_id": "line\nbreak"}, SettingsError),
        ({"client_secret": None}, WrongTypeError),
        ({"url": "marketplace.walmartapis.com"}, SettingsError),
        ({"calls_per_second": -1}, InvalidValueError),
        ({"feeds_per_hour": 0}, InvalidValueError),
        ({"ship_nodes": "10000"}, WrongTypeError),
        ({"ship_nodes": NODES, "location": "Nowhere"}, SettingsError),
    ],
)
def test_settings_that_cannot_be_right_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        sink(WalmartMarketplace(), **options)


def test_secrets_are_never_shown() -> None:
    shop = WalmartMarketplace(client_secret="hush-1")
    walmart = as_feed(shop, client_secret="hush-1")
    shop.add("MUG", 1)
    push(walmart, change("MUG", 5))
    access = api.Access(url="https://w.example", service="s", token="hush-2")
    shown = repr(walmart) + repr(access) + repr(access.ask("GET", "/", "x"))
    with pytest.raises(UnauthorizedError) as caught:
        read(sink(WalmartMarketplace(), client_secret="hush-3"), "MUG")
    shown += str(caught.value) + repr(caught.value)
    assert "hush" not in shown


# --- the way in ---------------------------------------------------------------------------------------


def test_wrong_credentials_are_unauthorized() -> None:
    with pytest.raises(UnauthorizedError, match="UNAUTHORIZED") as caught:
        read(sink(WalmartMarketplace(), client_secret="guess"), "MUG")
    assert "sandbox" in caught.value.remedy


def test_a_missing_permission_is_unauthorized_and_the_remedy_names_it() -> None:
    shop = WalmartMarketplace()
    forbidden = json_answer({"errors": [{"code": "FORBIDDEN.GMP_GATEWAY_API", "message": "no"}]}, 403)
    shop.trouble(forbidden, when=lambda one: "/inventories" in one.path)
    with pytest.raises(UnauthorizedError) as caught:
        read(sink(shop), "MUG")
    assert "Inventory and Feeds" in caught.value.remedy


def test_a_token_lasts_a_quarter_of_an_hour_and_is_renewed_before_its_end() -> None:
    clock = FakeClock()
    shop = WalmartMarketplace(now=clock.monotonic)
    walmart = sink(shop, keeper=TokenKeeper(clock))
    for _ in range(3):
        run_blocking(walmart.read_steps(["MUG"]), clock=clock)
    clock.sleep(880)
    run_blocking(walmart.read_steps(["MUG"]), clock=clock)
    assert len(asked(shop, "POST", "/token")) == 2


def test_a_token_that_ended_early_is_renewed() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    walmart = sink(shop)
    read(walmart, "MUG")
    shop.end_tokens()
    assert figures(read(walmart, "MUG")) == {("MUG", None): (1, 0)}


def test_every_try_brings_a_correlation_id_of_its_own() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.trouble(Response(status=503), when=lambda one: one.method == "PUT")
    push(sink(shop), change("MUG", 5))
    ids = [one.headers["wm_qos.correlation_id"] for one in shop.requests]
    assert len(ids) == len(set(ids)) == 4
    assert {one.headers["wm_svc.name"] for one in shop.requests} == {"Walmart Marketplace"}
    with pytest.raises(UnauthorizedError, match=r"CORRELATION_ID is missing or was used before"):
        read(sink(shop, correlation_id=lambda: ids[0]), "MUG")


# --- reading ------------------------------------------------------------------------------------------


def test_what_was_put_in_is_the_quantity_and_what_is_reserved_is_allocated() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 10)
    shop.sell("MUG", 4)
    assert figures(read(sink(shop), "MUG")) == {("MUG", None): (10, 4)}


def test_units_of_an_open_order_are_added_to_what_is_sent() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 10)
    shop.sell("MUG", 4)
    report = sync_cart(reading({"MUG": {"1": 7}}), sink(shop), cart(), merchant=BY_WAREHOUSE)
    assert report.counts == {"applied": 1}
    assert (shop.quantity("MUG"), shop.for_sale("MUG")) == (11, 7)
    shop.ship("MUG", 4)
    assert (shop.quantity("MUG"), shop.for_sale("MUG")) == (7, 7)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"inputQty": 10, "availToSellQty": 7}, (10, 3)),
        ({"inputQty": 10}, (10, None)),
        ({"availToSellQty": 7}, (None, None)),
        ({"inputQty": 10, "availToSellQty": 7, "reservedQty": 2}, (10, 2)),
    ],
)
def test_units_that_are_not_told_are_worked_out_or_unknown(
    told: dict[str, int], shown: tuple[int | None, int | None]
) -> None:
    shop = WalmartMarketplace()
    node = {"shipNode": RENO, **{name: {"unit": "EACH", "amount": units} for name, units in told.items()}}
    answer = {"elements": {"inventories": [{"sku": "MUG", "nodes": [node]}]}}
    shop.trouble(json_answer(answer), when=lambda one: "/inventories" in one.path)
    assert figures(read(sink(shop), "MUG")) == {("MUG", None): shown}


@pytest.mark.parametrize("amount", ["5", 5.5, True, None])
def test_a_quantity_that_is_no_whole_number_is_an_error_that_names_it(amount: Any) -> None:
    shop = WalmartMarketplace()
    node = {"shipNode": RENO, "inputQty": {"unit": "EACH", "amount": amount}}
    answer = {"elements": {"inventories": [{"sku": "MUG", "nodes": [node]}]}}
    shop.trouble(json_answer(answer), when=lambda one: "/inventories" in one.path)
    with pytest.raises(DecodeError, match=r"inventories\[0\]\.nodes\[0\]\.inputQty\.amount"):
        read(sink(shop), "MUG")


def test_all_items_are_read_fifty_a_call_with_a_cursor_that_changes() -> None:
    shop = WalmartMarketplace()
    for number in range(120):
        shop.add(f"SKU-{number}", number)
    shown = read(sink(shop), *(f"SKU-{number}" for number in range(100)))
    assert len(shown) == 120
    assert figures(shown)["SKU-119", None] == (119, 0)
    pages = asked(shop, "GET", "/inventories")
    assert [(one.first("limit"), one.first("nextCursor")) for one in pages] == [
        ("50", ""),
        ("50", "after-50"),
        ("50", "after-100"),
    ]


def test_few_items_of_many_are_looked_up_one_by_one() -> None:
    shop = WalmartMarketplace()
    for number in range(400):
        shop.add(f"SKU-{number}", number)
    shown = figures(read(sink(shop), "SKU-3", "SKU-399", "NONE"))
    assert shown["SKU-399", None] == (399, 0)
    assert len(asked(shop, "GET", "/inventories")) == 3
    assert not [one for one in shown if one[0] == "NONE"]


def test_an_item_that_shifts_to_the_next_page_is_there_once_and_an_empty_page_is_the_last() -> None:
    shop = WalmartMarketplace()
    row = {
        "sku": "MUG",
        "nodes": [{"shipNode": RENO, "inputQty": {"amount": 4}, "reservedQty": {"amount": 0}}],
    }
    for cursor, rows in (("a", [row]), ("b", [row]), ("c", [])):
        answer = {"meta": {"nextCursor": cursor}, "elements": {"inventories": rows}}
        shop.trouble(json_answer(answer), when=lambda one: "/inventories" in one.path)
    assert [(one.listing_sku, one.quantity) for one in read(sink(shop), "MUG")] == [("MUG", 4)]
    assert len(asked(shop, "GET", "/inventories")) == 3


def test_an_empty_cursor_ends_the_reading() -> None:
    shop = WalmartMarketplace()
    row = {"sku": "MUG", "nodes": []}
    answer = {"meta": {"nextCursor": ""}, "elements": {"inventories": [row]}}
    shop.trouble(json_answer(answer), when=lambda one: "/inventories" in one.path)
    assert figures(read(sink(shop), "MUG")) == {("MUG", None): (0, 0)}


def test_a_sku_is_percent_encoded_and_compared_exactly() -> None:
    shop = WalmartMarketplace()
    odd = "CUP/RED #2 &%"
    shop.add(odd, 4)
    for options in ({}, {"ship_nodes": [RENO]}):
        assert only(push(sink(shop, **options), change(odd, 9))).status == "accepted"
        assert shop.quantity(odd) == 9
        shop.add(odd, 4)
    shop.trouble(
        json_answer({"sku": "mug", "nodes": []}), when=lambda one: one.path.endswith("/inventories/MUG")
    )
    assert only(push(sink(shop), change("MUG", 9))).reason == "not_in_cart"


def test_an_unknown_sku_is_left_out_and_never_sent() -> None:
    shop = WalmartMarketplace()
    assert read(sink(shop), "NONE") == []
    assert outcomes(push(sink(shop), change("NONE", 3))) == {
        ("NONE", None): ("rejected", "not_in_cart", None)
    }
    assert not asked(shop, "PUT", "/")


def test_stock_that_walmart_keeps_is_unmanaged_and_never_sent() -> None:
    shop = WalmartMarketplace()
    shop.add("WFS", 5, node="20000", wfs=True)
    shop.add("MUG", 5)
    states = {one.listing_sku: (one.state, one.quantity) for one in read(sink(shop), "WFS", "MUG")}
    assert states == {"WFS": ("unmanaged", None), "MUG": ("listed", 5)}
    assert outcomes(push(sink(shop), change("WFS", 3)))["WFS", None][:2] == (
        "skipped",
        "fulfilled_by_platform",
    )


def test_the_marketplace_itself_refuses_quantities_of_wfs_items() -> None:
    shop = WalmartMarketplace()
    shop.add("WFS", 5, wfs=True)
    answer = ask(shop, "PUT", "/v3/inventory", ("sku", "WFS"), body={"sku": "WFS", "quantity": api.units(3)})
    assert (answer.status, shop.quantity("WFS")) == (400, 5)


# --- ship nodes ---------------------------------------------------------------------------------------


def two_nodes() -> WalmartMarketplace:
    shop = WalmartMarketplace()
    shop.add("MUG", 5, reserved=1)
    shop.add("MUG", 7, node=HARBOR)
    shop.add("CUP", 2)
    return shop


@pytest.mark.parametrize("make", [sink, as_feed])
def test_between_several_ship_nodes_none_is_chosen_for_somebody(make: Any) -> None:
    for act in (lambda one: read(one, "MUG"), lambda one: push(one, change("MUG", 3))):
        with pytest.raises(SettingsError, match="10000, 10001") as caught:
            act(make(two_nodes()))
        assert caught.value.code == "choose_cart_location"


def test_a_location_says_which_ship_node_is_meant() -> None:
    shop = two_nodes()
    walmart = sink(shop, location=HARBOR)
    assert figures(read(walmart, "MUG", "CUP")) == {
        ("MUG", None): (7, 0),
        ("MUG", RENO): (5, 1),
        ("CUP", None): (0, 0),
        ("CUP", RENO): (2, 0),
    }
    assert outcomes(push(walmart, change("MUG", 3)))["MUG", None] == ("accepted", "", 3)
    assert only(push(as_feed(shop, location=HARBOR), change("CUP", 4))).status == "accepted"
    assert [shop.quantity(sku, node) for sku in ("MUG", "CUP") for node in (RENO, HARBOR)] == [5, 3, 2, 4]


def test_ship_nodes_are_named_by_id_or_name_and_a_missing_record_shows_0() -> None:
    shown = read(sink(two_nodes(), ship_nodes=NODES, location="Reno DC"), "CUP")
    assert {(one.location_id, one.quantity, one.same_as) for one in shown if one.listing_sku == "CUP"} == {
        (None, 2, RENO),
        ("Reno DC", 2, RENO),
        (RENO, 2, None),
        ("Harbor 3PL", 0, HARBOR),
        (HARBOR, 0, None),
    }


@pytest.mark.parametrize(("make", "echo"), [(sink, None), (as_feed, None)])
def test_a_breakdown_goes_to_its_ship_nodes(make: Any, echo: None) -> None:
    shop = two_nodes()
    walmart = make(shop, ship_nodes=NODES)
    result = outcomes(
        push(walmart, change("MUG", 3, "Reno DC"), change("MUG", 4, HARBOR), change("CUP", 6, HARBOR))
    )
    assert set(result.values()) == {("accepted", "", echo)}
    assert [shop.quantity(sku, node) for sku in ("MUG", "CUP") for node in (RENO, HARBOR)] == [3, 4, 2, 6]


def test_http_200_may_refuse_one_ship_node_of_several() -> None:
    shop = two_nodes()
    walmart = sink(shop, ship_nodes={**NODES, "New": "30000"})
    results = {
        one.location_id: one for one in push(walmart, change("MUG", 3, "Reno DC"), change("MUG", 4, "New"))
    }
    assert results["Reno DC"].status == "accepted"
    assert (results["New"].status, results["New"].reason) == ("rejected", "row_refused")
    assert results["New"].message == "INVALID_SHIP_NODE: shipNode: The ship node 30000 was not found."


@pytest.mark.parametrize(
    ("node", "outcome"),
    [
        ({"shipNode": RENO, "status": "Success", "errors": []}, ("accepted", "")),
        ({"shipNode": RENO, "status": "SUCCESS", "errors": [{"code": "E1"}]}, ("rejected", "row_refused")),
        ({"shipNode": RENO, "status": "Failure"}, ("rejected", "row_refused")),
        ({"shipNode": RENO}, ("pending", "not_echoed")),
        ({"shipNode": HARBOR, "status": "Success"}, ("pending", "not_echoed")),
    ],
)
def test_a_ship_node_counts_only_if_the_answer_says_that_it_went_well(
    node: dict[str, Any], outcome: tuple[str, str]
) -> None:
    shop = two_nodes()
    shop.trouble(json_answer({"sku": "MUG", "nodes": [node]}), when=lambda one: one.method == "PUT")
    result = only(push(sink(shop, ship_nodes=NODES), change("MUG", 3, RENO)))
    assert (result.status, result.reason) == outcome


@pytest.mark.parametrize("nodes", [{}, NODES])
def test_an_unknown_location_is_rejected_before_it_is_sent(nodes: dict[str, str]) -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    result = outcomes(push(sink(shop, ship_nodes=nodes), change("MUG", 5, "Nowhere")))
    assert result == {("MUG", "Nowhere"): ("rejected", "unknown_location", None)}
    assert not asked(shop, "PUT", "/")


# --- single writes ------------------------------------------------------------------------------------


def test_few_rows_go_one_by_one_and_the_answer_shows_the_quantity() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    assert outcomes(push(sink(shop), change("MUG", 5), change("CUP", 0))) == {
        ("MUG", None): ("accepted", "", 5),
        ("CUP", None): ("accepted", "", 0),
    }
    put = next(one for one in asked(shop, "PUT", "/v3/inventory") if one.first("sku") == "MUG")
    assert put.json() == {"sku": "MUG", "quantity": {"unit": "EACH", "amount": 5}}
    assert put.query == (("sku", "MUG"),)
    assert not shop.feeds.feeds


def test_an_answer_that_shows_another_quantity_or_none_is_not_applied() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    other = json_answer({"sku": "MUG", "quantity": {"unit": "EACH", "amount": 4}})
    shop.trouble(other, when=lambda one: one.first("sku") == "MUG")
    shop.trouble(json_answer({"sku": "CUP"}), when=lambda one: one.first("sku") == "CUP")
    assert outcomes(push(sink(shop), change("MUG", 5), change("CUP", 5))) == {
        ("MUG", None): ("accepted", "", 4),
        ("CUP", None): ("pending", "not_echoed", None),
    }


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "row_refused"), (404, "not_in_cart"), (413, "body_too_large")]
)
def test_one_row_that_walmart_refuses_costs_only_itself(status: int, reason: str) -> None:
    shop = WalmartMarketplace()
    shop.add("BAD", 1)
    shop.add("MUG", 1)
    refusal = json_answer({"errors": [{"code": "INVALID_REQUEST", "field": "sku", "message": "no"}]}, status)
    shop.trouble(refusal, when=lambda one: one.first("sku") == "BAD")
    results = {one.listing_sku: one for one in push(sink(shop), change("BAD", 5), change("MUG", 5))}
    assert (results["BAD"].status, results["BAD"].reason) == ("rejected", reason)
    assert "INVALID_REQUEST: sku: no" in results["BAD"].message
    assert results["MUG"].status == "accepted"


def test_a_quantity_above_the_set_maximum_is_refused_before_it_is_sent() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    assert only(push(sink(shop, max_quantity=999), change("MUG", 1000))).reason == "out_of_range"
    assert not asked(shop, "PUT", "/")


def test_a_negative_or_fractional_quantity_cannot_even_be_written_down() -> None:
    with pytest.raises(InvalidValueError, match="at least 0"):
        change("MUG", -1)
    for wrong in (1.5, True, "5", None):
        with pytest.raises(WrongTypeError, match="whole number"):
            change("MUG", wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_rows_that_contradict_each_other_are_not_sent() -> None:
    shop = two_nodes()
    results = push(sink(shop, ship_nodes=NODES), change("MUG", 5, RENO), change("MUG", 6, "Reno DC"))
    assert [(one.status, one.reason) for one in results] == [("rejected", "contradiction")] * 2
    assert shop.quantity("MUG") == 5


def test_a_lost_answer_is_asked_again_and_harmless() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.trouble("lost", when=lambda one: one.method == "PUT")
    assert only(push(sink(shop), change("MUG", 5))).echo == 5
    assert (shop.quantity("MUG"), len(asked(shop, "PUT", "/"))) == (5, 2)


def test_a_row_whose_answer_stays_lost_is_pending_while_the_others_go_through() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    shop.trouble("lost", when=lambda one: one.first("sku") == "MUG", times=3)
    results = {one.listing_sku: one for one in push(sink(shop), change("MUG", 5), change("CUP", 5))}
    assert (results["MUG"].status, results["MUG"].reason) == ("pending", "answer_unknown")
    assert results["CUP"].echo == 5


@pytest.mark.parametrize(
    ("trouble", "error"), [("unreachable", UnreachableError), (Response(status=429), ThrottledError)]
)
def test_where_nothing_goes_through_the_whole_push_says_so(trouble: Any, error: type[Exception]) -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.trouble(trouble, when=lambda one: one.method == "PUT", times=100)
    with pytest.raises(error):
        push(sink(shop), change("MUG", 5))


def test_a_push_of_nothing_asks_nothing() -> None:
    shop = WalmartMarketplace()
    assert push(sink(shop)) == []
    assert not shop.requests


# --- throttling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"x-next-replenish-time": "1773648060", "date": "Mon, 16 Mar 2026 08:00:00 GMT"}, 60.0),
        ({"x-next-replenish-time": "1773648060000", "date": "Mon, 16 Mar 2026 08:00:00 GMT"}, 60.0),
        ({"x-next-replenish-time": "1773648060000", "date": "Mon, 16 Mar 2026 09:00:00 GMT"}, None),
        ({"x-next-replenish-time": "1773648060000"}, None),
        ({"x-next-replenish-time": "soon"}, None),
        ({}, None),
    ],
)
def test_walmart_says_in_two_ways_how_long_to_wait(headers: dict[str, str], wait: float | None) -> None:
    request = Request(method="POST", url="https://w.example/v3/feeds")
    verdict = judge(request, Response(status=429, headers=headers, content=b"<html>"))
    assert isinstance(verdict, ThrottledError)
    assert verdict.retry_after == wait


def test_a_threshold_that_is_violated_is_throttling_whatever_the_status() -> None:
    request = Request(method="POST", url="https://w.example/v3/feeds")
    content = b'{"error":[{"code":"REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API","description":"too often"}]}'
    verdict = judge(request, Response(status=420, content=content))
    assert isinstance(verdict, ThrottledError)
    assert "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API: too often" in str(verdict)
    assert judge(request, Response(status=200, content=content)) is None
    assert isinstance(judge(request, Response(status=503)), ServerFaultError)


def test_more_feeds_than_an_hour_allows_are_not_sent_and_the_rows_say_so() -> None:
    clock = FakeClock()
    shop = WalmartMarketplace(now=clock.monotonic, feed_looks=0)
    shop.add("MUG", 1)
    walmart = as_feed(shop, keeper=TokenKeeper(clock), feeds_per_hour=100_000)
    for quantity in range(10):
        assert (
            only(run_blocking(walmart.push_steps([change("MUG", quantity)]), clock=clock)).status
            == "accepted"
        )
    with pytest.raises(ThrottledError, match="REQUEST_THRESHOLD_VIOLATED"):
        run_blocking(walmart.push_steps([change("MUG", 99)]), clock=clock)
    clock.sleep(3600)
    assert only(run_blocking(walmart.push_steps([change("MUG", 99)]), clock=clock)).status == "accepted"


# --- feeds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_many_rows_go_as_one_feed_that_is_waited_for(run: Any) -> None:
    shop = WalmartMarketplace(feed_looks=2)
    for number in range(500):
        shop.add(f"SKU-{number}", 1)
    walmart = sink(shop)
    run(walmart.read_steps([]), clock=FakeClock())
    results = run(
        walmart.push_steps([change(f"SKU-{number}", number) for number in range(500)]), clock=FakeClock()
    )
    assert {(one.status, one.echo) for one in results} == {("accepted", None)}
    assert shop.quantity("SKU-499") == 499
    (feed,) = feeds_of(shop)
    assert feed["InventoryHeader"] == {"version": "1.4"}
    assert feed["Inventory"][7] == {"sku": "SKU-7", "quantity": {"unit": "EACH", "amount": 7}}
    assert not asked(shop, "PUT", "/")
    assert len(asked(shop, "GET", "/feeds/")) == 3


def test_fewer_rows_than_the_threshold_go_one_by_one() -> None:
    shop = WalmartMarketplace()
    for number in range(5):
        shop.add(f"SKU-{number}", 1)
    push(sink(shop, feed_from_rows=6), *(change(f"SKU-{number}", 7) for number in range(5)))
    assert (len(asked(shop, "PUT", "/")), shop.feeds.feeds) == (5, {})


def test_a_feed_by_ship_nodes_is_of_another_kind_with_other_capitals() -> None:
    shop = two_nodes()
    push(as_feed(shop, ship_nodes=NODES), change("MUG", 3, RENO), change("MUG", 4, HARBOR))
    (post,) = asked(shop, "POST", "/feeds")
    assert post.query == (("feedType", "MP_INVENTORY"),)
    assert feeds_of(shop) == [
        {
            "inventoryHeader": {"version": "1.5"},
            "inventory": [
                {
                    "sku": "MUG",
                    "shipNodes": [
                        {"shipNode": RENO, "quantity": {"unit": "EACH", "amount": 3}},
                        {"shipNode": HARBOR, "quantity": {"unit": "EACH", "amount": 4}},
                    ],
                }
            ],
        }
    ]


def test_a_feed_is_taken_even_if_every_row_in_it_will_fail() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    walmart = as_feed(shop)
    read(walmart, "MUG")
    shop.remove("MUG")
    result = only(push(walmart, change("MUG", 5)))
    assert (result.status, result.reason) == ("rejected", "row_refused")
    assert result.message == "ERR_EXT_DATA_0101126: sku: The SKU MUG was not found."


@pytest.mark.parametrize("page", [1, 50, 1000])
def test_the_details_of_a_feed_are_read_page_by_page_and_only_if_something_failed(page: int) -> None:
    shop = WalmartMarketplace(details_page=page, feed_looks=0)
    for number in range(7):
        shop.add(f"SKU-{number}", 1)
    walmart = as_feed(shop)
    read(walmart)
    shop.remove("SKU-5")
    results = push(walmart, *(change(f"SKU-{number}", 5) for number in range(7)))
    assert [one.listing_sku for one in results if one.status == "rejected"] == ["SKU-5"]
    assert len([one for one in results if one.status == "accepted"]) == 6
    looks = asked(shop, "GET", "/feeds/")
    assert [one.first("includeDetails") for one in looks] == ["false", *["true"] * (7 if page == 1 else 1)]


def feed_answer(shop: WalmartMarketplace, *items: dict[str, Any], **counts: Any) -> None:
    told = {"feedStatus": "PROCESSED", "itemsReceived": 2, "itemsSucceeded": 1, **counts}
    for rows in ([], list(items), []):
        answer = json_answer({**told, "itemDetails": {"itemIngestionStatus": rows}})
        shop.trouble(answer, when=lambda one: one.method == "GET" and "/feeds/" in one.path)


@pytest.mark.parametrize("status", ["SYSTEM_ERROR", "TIMEOUT_ERROR", "INPROGRESS"])
def test_an_item_that_walmart_itself_failed_is_pending_and_sent_again(status: str) -> None:
    shop = WalmartMarketplace()
    shop.add("A", 1)
    shop.add("B", 1)
    feed_answer(shop, {"sku": "A", "ingestionStatus": "SUCCESS"}, {"sku": "B", "ingestionStatus": status})
    results = {one.listing_sku: one for one in push(as_feed(shop), change("A", 5), change("B", 5))}
    assert results["A"].status == "accepted"
    assert (results["B"].status, results["B"].reason) == ("pending", "job_unclear")
    assert status in results["B"].message


def test_an_item_that_is_told_of_twice_counts_by_the_worse() -> None:
    wrong = {"ingestionError": [{"code": "E1", "description": "no"}]}
    refusal = {"sku": "A", "ingestionStatus": "DATA_ERROR", "ingestionErrors": wrong}
    success = {"sku": "A", "ingestionStatus": "SUCCESS"}
    for rows in ((success, refusal), (refusal, success)):
        shop = WalmartMarketplace()
        shop.add("A", 1)
        feed_answer(shop, *rows)
        assert only(push(as_feed(shop), change("A", 5))).status == "rejected"


def test_an_item_that_the_report_does_not_name_is_pending() -> None:
    shop = WalmartMarketplace()
    shop.add("A", 1)
    shop.add("B", 1)
    feed_answer(shop, {"sku": "A", "ingestionStatus": "SUCCESS"})
    results = {one.listing_sku: one for one in push(as_feed(shop), change("A", 5), change("B", 5))}
    assert (results["A"].status, results["B"].reason) == ("accepted", "job_unclear")


def test_a_feed_that_is_refused_as_a_whole_wrote_nothing() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    wrong = {"ingestionError": [{"code": "ERR_EXT_DATA_0000", "description": "bad file"}]}
    answer = json_answer({"feedStatus": "ERROR", "ingestionErrors": wrong})
    shop.trouble(answer, when=lambda one: one.method == "GET" and "/feeds/" in one.path)
    result = only(push(as_feed(shop), change("MUG", 5)))
    assert (result.status, result.reason) == ("rejected", "job_failed")
    assert "ERR_EXT_DATA_0000: bad file" in result.message


def test_feeds_are_no_larger_than_walmart_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.sinks.walmart._BYTES_A_FEED", 500)
    shop = WalmartMarketplace(feed_looks=0)
    for number in range(9):
        shop.add(f"SKU-{number}", 1)
    results = push(as_feed(shop, wait_seconds=30), *(change(f"SKU-{number}", 7) for number in range(9)))
    assert {one.status for one in results} == {"accepted"}
    posts = asked(shop, "POST", "/feeds")
    assert len(posts) > 1
    assert max(len(one.content) for one in posts) <= 500


def test_a_file_that_is_too_large_is_refused_and_says_so() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.trouble(Response(status=413), when=lambda one: one.path.endswith("/feeds"))
    with pytest.raises(RefusedError) as caught:
        push(as_feed(shop), change("MUG", 5))
    assert caught.value.code == "body_too_large"


def test_a_feed_handed_in_twice_because_its_answer_was_lost_is_harmless() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.trouble("lost", when=lambda one: one.path.endswith("/feeds"))
    assert only(push(as_feed(shop), change("MUG", 5))).status == "accepted"
    assert (len(shop.feeds.feeds), shop.quantity("MUG")) == (2, 5)


def test_a_feed_whose_answer_stays_lost_leaves_the_push_in_doubt() -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 1)
    shop.trouble("lost", when=lambda one: one.path.endswith("/feeds"), times=3)
    with pytest.raises(LostAnswerError):
        push(as_feed(shop), change("MUG", 5))


def test_a_row_in_an_open_feed_is_not_sent_again_and_another_quantity_waits_for_its_turn() -> None:
    shop = WalmartMarketplace(feed_looks=100)
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    memory = DictMemory()
    first = push(as_feed(shop).remembering(memory), change("MUG", 5), change("CUP", 5))
    assert {one.reason for one in first} == {"job_pending"}
    assert {one.job for one in first} == {"F129C19240844B97A3C6AD8F1A2C1@AU8BAQA"}
    later = sink(shop).remembering(memory)
    read(later, "MUG", "CUP")
    results = {one.listing_sku: one.reason for one in push(later, change("MUG", 5), change("CUP", 0))}
    assert results == {"MUG": "job_pending", "CUP": "job_in_progress"}
    assert (len(shop.feeds.feeds), asked(shop, "PUT", "/")) == (1, [])
    (feed,) = shop.feeds.feeds.values()
    feed.looks_left = 0
    last = sink(shop).remembering(memory)
    assert figures(read(last, "MUG", "CUP")) == {("MUG", None): (5, 0), ("CUP", None): (5, 0)}
    assert only(push(last, change("CUP", 0))).echo == 0
    assert memory.namespaces == {}


# --- whole runs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [sink, as_feed])
def test_a_whole_run_and_a_second_one_that_finds_nothing_to_do(make: Any, tmp_path: Any) -> None:
    shop = WalmartMarketplace(feed_looks=0)
    shop.add("MUG", 3, reserved=2)
    shop.add("WFS", 3, wfs=True)
    shop.add("OLD", 1)
    stock = reading({"MUG": {"1": 8}, "WFS": {"1": 5}, "NONE": {"1": 1}})
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        first = sync_cart(stock, make(shop), cart(), merchant=BY_WAREHOUSE, ledger=ledger)
        assert {one.master_sku: (one.outcome, one.reason) for one in first.outcomes} == {
            "MUG": ("applied", "") if make is sink else ("pending", "accepted"),
            "WFS": ("skipped", "unmanaged_in_cart"),
            "NONE": ("skipped", "not_in_cart"),
        }
        assert first.cart_only == ("OLD",)
        second = sync_cart(stock, make(shop), cart(), merchant=BY_WAREHOUSE, ledger=ledger)
    assert {one.master_sku: one.outcome for one in second.outcomes}["MUG"] == "unchanged"
    assert (shop.quantity("MUG"), shop.for_sale("MUG")) == (10, 8)


@pytest.mark.parametrize("make", [sink, as_feed])
def test_a_whole_run_awaiting_and_over_http(make: Any) -> None:
    shop = WalmartMarketplace(feed_looks=0)
    shop.add("MUG/1", 3)
    snapshot = reading({"MUG/1": {"1": 8}})
    with shop.serve() as server:
        walmart = make(shop, handler=None, url=server.base_url, wait_seconds=0)
        for _ in range(2):
            report = asyncio.run(aio.sync_cart(snapshot, walmart, cart(), merchant=BY_WAREHOUSE))
    assert report.counts == {"unchanged": 1}
    assert shop.quantity("MUG/1") == 8


# --- the marketplace itself ---------------------------------------------------------------------------


def ask(shop: WalmartMarketplace, method: str, path: str, *query: tuple[str, str], **more: Any) -> Response:
    basic = "Basic Y2xpZW50LTE6c2VjcmV0LTE="
    token = Request(
        method="POST",
        url="https://w.example/v3/token",
        raw=b"grant_type=client_credentials",
        headers={
            "authorization": basic,
            "WM_SVC.NAME": "t",
            "WM_QOS.CORRELATION_ID": f"t{len(shop.requests)}",
        },
    )
    headers = {
        "WM_SEC.ACCESS_TOKEN": shop.handle(token).json()["access_token"],
        "WM_SVC.NAME": "t",
        "WM_QOS.CORRELATION_ID": f"c{len(shop.requests)}",
        **more.pop("headers", {}),
    }
    return shop.handle(
        Request(method=method, url=f"https://w.example{path}", query=query, headers=headers, **more)
    )


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "code"),
    [
        ("GET", "/v3/items", {}, 404, "URI_NOT_FOUND"),
        ("GET", "/v2/inventories", {}, 404, "URI_NOT_FOUND"),
        ("GET", "/v3/inventories", {"limit": "51"}, 400, "INVALID_REQUEST_PARAM"),
        ("GET", "/v3/inventories/NONE", {}, 404, "CONTENT_NOT_FOUND"),
        ("GET", "/v3/feeds/NONE", {}, 404, "CONTENT_NOT_FOUND"),
        ("POST", "/v3/feeds", {"feedType": "price"}, 400, "INVALID_REQUEST_PARAM"),
        ("POST", "/v3/feeds", {"feedType": "inventory"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_the_marketplace_itself_refuses_what_it_does_not_know(
    method: str, path: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = ask(WalmartMarketplace(), method, path, *query.items())
    assert (answer.status, answer.json()["errors"][0]["code"]) == (status, code)


def test_the_marketplace_itself_gives_ten_items_unless_asked_for_more() -> None:
    shop = WalmartMarketplace()
    for number in range(12):
        shop.add(f"SKU-{number}")
    assert len(ask(shop, "GET", "/v3/inventories").json()["elements"]["inventories"]) == 10


def test_the_marketplace_itself_wants_its_headers() -> None:
    shop = WalmartMarketplace()
    assert ask(shop, "GET", "/v3/inventories", headers={"WM_SVC.NAME": ""}).status == 400
    assert ask(shop, "GET", "/v3/inventories", headers={"WM_QOS.CORRELATION_ID": ""}).status == 400
    assert ask(shop, "GET", "/v3/inventories", headers={"WM_SEC.ACCESS_TOKEN": "x"}).status == 401
    basic = {"authorization": "Basic Y2xpZW50LTE6c2VjcmV0LTE="}
    assert ask(shop, "POST", "/v3/token", headers=basic, raw=b"grant_type=password").status == 400


@pytest.mark.parametrize(
    ("sku", "body", "status"),
    [
        ("MUG", {"sku": "CUP", "quantity": api.units(1)}, 400),
        ("NONE", {"sku": "NONE", "quantity": api.units(1)}, 404),
        ("MUG", {"sku": "MUG", "quantity": api.units(-1)}, 400),
        ("MUG", {"sku": "MUG", "quantity": {"amount": 1}}, 400),
        ("MUG", {"sku": "MUG", "quantity": {"unit": "EACH", "amount": 1.5}}, 400),
    ],
)
def test_the_marketplace_itself_refuses_quantities_that_are_none(
    sku: str, body: dict[str, Any], status: int
) -> None:
    shop = WalmartMarketplace()
    shop.add("MUG", 4)
    assert ask(shop, "PUT", "/v3/inventory", ("sku", sku), body=body).status == status
    assert shop.quantity("MUG") == 4
    assert shop.quantity("MUG", HARBOR) is None


def test_the_marketplace_itself_knows_no_other_skus_by_node() -> None:
    body: dict[str, Any] = {"inventories": {"nodes": []}}
    assert ask(WalmartMarketplace(), "PUT", "/v3/inventories/NONE", body=body).status == 404


@pytest.mark.parametrize(
    ("kind", "document", "status"),
    [
        ("inventory", {"InventoryHeader": {"version": "1.4"}, "Inventory": []}, "PROCESSED"),
        ("inventory", {"inventoryHeader": {"version": "1.4"}, "inventory": []}, "ERROR"),
        ("inventory", {"InventoryHeader": {"version": "1.5"}, "Inventory": []}, "ERROR"),
        ("MP_INVENTORY", {"InventoryHeader": {"version": "1.5"}, "Inventory": []}, "ERROR"),
        ("MP_INVENTORY", {"inventoryHeader": {"version": "1.5"}, "inventory": []}, "PROCESSED"),
    ],
)
def test_the_marketplace_itself_minds_the_capitals_and_versions_of_feeds(
    kind: str, document: dict[str, Any], status: str
) -> None:
    shop = WalmartMarketplace(feed_looks=0)
    part = f'Content-Disposition: form-data; name="file"\r\n\r\n{json.dumps(document)}'
    answer = ask(
        shop,
        "POST",
        "/v3/feeds",
        ("feedType", kind),
        headers={"content-type": "multipart/form-data; boundary=b"},
        raw=f"--b\r\n{part}\r\n--b--\r\n".encode(),
    )
    feed = answer.json()["feedId"]
    assert ask(shop, "GET", f"/v3/feeds/{feed}").json()["feedStatus"] == status


@pytest.mark.parametrize(("content", "status"), [(b"--b\r\n\r\n--b--", 400), (b"x" * 5_000_001, 413)])
def test_the_marketplace_itself_wants_a_file_of_no_more_than_5_mb(content: bytes, status: int) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    answer = ask(
        WalmartMarketplace(), "POST", "/v3/feeds", ("feedType", "inventory"), headers=kind, raw=content
    )
    assert answer.status == status
