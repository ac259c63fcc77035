"""The Adobe Commerce sink against a shop in memory: what the shop enforces, and what the sink makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from fake_memory import FakeClock
from small_merchant import BY_WAREHOUSE, cart, reading
from two_runners import RUNNERS, run_blocking

from omsync import InventorySnapshot, sync_cart
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    UnauthorizedError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Steps
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks._adobe import Limits
from omsync.sinks.adobe_commerce import (
    AdminLogin,
    AdobeCommerce,
    BearerToken,
    Integration,
    ServerToServer,
)
from omsync.testing import SinkBench, assert_conforms, losing_answers
from omsync.testing.carts.adobe_commerce import AdobeShop
from omsync.testing.carts.platform import Asked, json_answer

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
URL = "https://shop.example"
KEYS = Integration(
    consumer_key="adobe-test-consumer-key",
    consumer_secret="adobe-test-consumer-secret",
    access_token="adobe-test-access-token",
    access_token_secret="adobe-test-access-token-secret",
)


def shop(**options: Any) -> AdobeShop:
    there = AdobeShop(**options)
    there.add("MUG", 10)
    there.add("CUP", 3)
    there.add("SET", None, type_id="bundle")
    there.add("NEW", None)
    return there


def sink(there: AdobeShop, **options: Any) -> AdobeCommerce:
    return AdobeCommerce(
        options.pop("url", URL),
        **{"access": KEYS, "retry": ONCE, "calls_per_second": 1000.0, "handler": there.handle, **options},
    )


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def push(adobe: AdobeCommerce, *changes: QuantityChange) -> list[PushResult]:
    return run_blocking(adobe.push_steps(changes), clock=FakeClock())


def read(adobe: AdobeCommerce, *skus: str) -> list[CartListing]:
    return run_blocking(adobe.read_steps(skus), clock=FakeClock())


def said(results: Iterable[PushResult]) -> dict[str, tuple[str, str]]:
    return {one.listing_sku: (one.status, one.reason) for one in results}


def at(
    listings: Iterable[CartListing], location_id: str | None = None
) -> dict[str, tuple[int | None, int | None]]:
    return {
        one.listing_sku: (one.quantity, one.allocated) for one in listings if one.location_id == location_id
    }


def small_stock(figures: Mapping[str, int]) -> InventorySnapshot:
    return reading({sku: {"1": units} for sku, units in figures.items()})


def writes(asked: Asked) -> bool:
    return asked.method == "POST" and asked.path.endswith("/inventory/source-items")


def written(there: AdobeShop) -> list[Any]:
    return [asked.json() for asked in there.requests if writes(asked)]


def asked_for(there: AdobeShop, part: str) -> list[str]:
    return [asked.path for asked in there.requests if part in asked.path]


def answering(part: str) -> Callable[[Asked], bool]:
    return lambda asked: part in asked.path


# --- what the sink is --------------------------------------------------------------------------------


def test_adobe_commerce_is_a_cart_sink_whose_destination_holds_no_secret() -> None:
    there = sink(shop())
    assert isinstance(there, CartSink)
    assert there.capabilities.destination == "adobe commerce at shop.example"
    assert there.capabilities.quantity_meaning == "on_hand"
    assert (there.capabilities.completion, there.capabilities.max_in_flight) == ("immediate", 1)
    assert "adobe-test" not in repr(there)


@pytest.mark.parametrize(
    "access",
    [
        BearerToken("adobe-test-bearer"),
        AdminLogin(username="omsync", password="adobe-test-password"),
        ServerToServer(client_id="client", client_secret="adobe-test-secret", organization="ORG"),
    ],
    ids=lambda access: type(access).__name__,
)
def test_no_secret_is_in_a_repr(access: Any) -> None:
    assert "adobe-test" not in repr(sink(shop(), access=access))


def test_the_sink_kit_finds_nothing_wrong() -> None:
    there = shop()
    far = {"url": "http://127.0.0.1:9", "handler": None}
    wrong = Integration(
        consumer_key="adobe-test-consumer-key",
        consumer_secret="not-the-secret",
        access_token="adobe-test-access-token",
        access_token_secret="adobe-test-access-token-secret",
    )
    report = assert_conforms(
        SinkBench(
            sink=sink(there),
            shown=lambda: {(sku, None): int(there.quantity(sku) or 0) for sku in ("MUG", "CUP")},
            listings=["MUG", "CUP"],
            absent_location="moon",
            unmanaged="SET",
            unauthorized=sink(there, access=wrong),
            unreachable=sink(there, **far),
            losing=sink(there, handler=losing_answers(there.handle, of=lambda one: one.method == "POST")),
            secrets=["not-the-secret", "adobe-test-consumer-secret"],
        )
    )
    assert report.conforms


# --- writing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_quantities_arrive_with_their_status_and_show_in_the_read_back(
    run: Callable[[Steps[Any]], Any],
) -> None:
    there = shop()
    results = run(sink(there).push_steps([change("MUG", 7), change("CUP", 0)]))
    assert [(one.status, one.echo) for one in results] == [("accepted", None), ("accepted", None)]
    assert written(there) == [
        {
            "sourceItems": [
                {"sku": "MUG", "source_code": "default", "quantity": 7, "status": 1},
                {"sku": "CUP", "source_code": "default", "quantity": 0, "status": 0},
            ]
        }
    ]
    assert at(run(sink(there).read_steps(["MUG", "CUP"]))) == {"MUG": (7, 0), "CUP": (0, 0)}


def test_the_same_goes_over_real_http_with_signatures_that_cover_the_query() -> None:
    there = shop()
    there.add("A B,C/ü&", 4)
    with there.serve() as server:
        there.doorkeeper.base_url = server.base_url
        online = AdobeCommerce(server.base_url, access=KEYS, retry=ONCE)
        assert said(online.push([change("MUG", 8)])) == {"MUG": ("accepted", "")}
        assert at(online.read(["MUG", "A B,C/ü&"])) == {"MUG": (8, 0), "A B,C/ü&": (4, 0)}


def test_nothing_is_asked_for_an_empty_push() -> None:
    there = shop()
    assert push(sink(there)) == []
    assert there.requests == []


def test_a_row_without_a_status_is_refused_by_the_shop_so_it_is_always_sent() -> None:
    there = shop()
    raw = there.handle(signed("POST", "inventory/source-items", body={"sourceItems": [row("MUG", 1)]}))
    assert (raw.status, raw.json()) == (
        400,
        {
            "message": 'Validation Failed: "status" should be numeric.',
            "errors": [{"message": '"%field" should be numeric.', "parameters": {"field": "status"}}],
        },
    )


def signed(method: str, path: str, **more: Any) -> Request:
    return KEYS.sign(Request(method=method, url=f"{URL}/rest/all/V1/{path}", **more))


def row(sku: Any, quantity: Any, source_code: str = "default", **more: Any) -> dict[str, Any]:
    return {"sku": sku, "source_code": source_code, "quantity": quantity, **more}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("", 1, status=1), 'Validation Failed: "sku" can not be empty.'),
        (row(" MUG", 1, status=1), 'Validation Failed: "sku" can not contain leading or trailing spaces.'),
        (row("M" * 65, 1, status=1), 'Validation Failed: "sku" value is not longer than 64 characters.'),
        (row("MUG", None, status=1), 'Validation Failed: "quantity" should be numeric.'),
        (row("MUG", 1, "", status=1), 'Validation Failed: "source_code" can not be empty.'),
        (row("MUG", 1, "a b", status=1), 'Validation Failed: "source_code" can not contain whitespaces.'),
        (row("MUG", 1, status=9), 'Validation Failed: "status" should a known status.'),
        (row("MUG", 1, "moon", status=1), "Could not save Source Item"),
        (row("GONE", 1, status=1), "Could not save Source Item"),
    ],
)
def test_the_shop_refuses_all_rows_for_one_and_does_not_say_which(bad: Any, message: str) -> None:
    there = shop()
    good = row("CUP", 9, status=1)
    raw = there.handle(signed("POST", "inventory/source-items", body={"sourceItems": [good, bad]}))
    assert (raw.status, raw.json()["message"]) == (400, message)
    assert there.quantity("CUP") == 3


def test_an_empty_call_is_refused_by_the_shop() -> None:
    raw = shop().handle(signed("POST", "inventory/source-items", body={"sourceItems": []}))
    assert (raw.status, raw.json()["message"]) == (400, "Input data is empty")


def test_negatives_and_fractions_pass_the_shops_validator_and_are_never_sent() -> None:
    there = shop()
    rows = [row("MUG", -2, status=1), row("CUP", 1.5, status=1)]
    assert there.handle(signed("POST", "inventory/source-items", body={"sourceItems": rows})).status == 200
    assert (there.quantity("MUG"), there.quantity("CUP")) == (-2, 1.5)
    with pytest.raises(InvalidValueError):
        change("MUG", -1)
    with pytest.raises(WrongTypeError):
        change("MUG", 1.5)  # type: ignore[arg-type]  # what must not happen


def test_one_bad_row_is_found_by_halving_and_costs_only_itself() -> None:
    there = shop()
    for number in range(8):
        there.add(f"SKU-{number}", 1)
    adobe = sink(there)
    read(adobe, *(f"SKU-{number}" for number in range(8)))
    there.remove("SKU-5")
    results = push(adobe, *(change(f"SKU-{number}", 20) for number in range(8)))
    assert said(results).pop("SKU-5") == ("rejected", "row_refused")
    assert "Could not save Source Item" in next(one.message for one in results if one.status == "rejected")
    assert [there.quantity(f"SKU-{number}") for number in (0, 4, 6, 7)] == [20] * 4
    assert len(results) == 8


def test_a_source_item_is_made_where_the_product_had_none() -> None:
    there = shop()
    assert at(read(sink(there), "NEW"))["NEW"] == (0, 0)
    assert said(push(sink(there), change("NEW", 6))) == {"NEW": ("accepted", "")}
    assert there.quantity("NEW") == 6


def test_zero_stays_in_stock_where_backorders_are_taken() -> None:
    there = shop()
    there.add("WAIT", 0, backorders=True)
    adobe = sink(there, backorders_in_stock=True)
    # Out of stock, it cannot be backordered: the figure alone would look right, so it is left open.
    assert at(read(adobe, "WAIT"))["WAIT"] == (None, 0)
    push(adobe, change("WAIT", 0))
    assert there.in_stock("WAIT")
    assert at(read(adobe, "WAIT"))["WAIT"] == (0, 0)


# --- outcomes ----------------------------------------------------------------------------------------


def test_each_row_that_must_not_be_sent_has_its_reason() -> None:
    there = shop()
    there.add("VARIES", None, type_id="configurable")
    there.add("BUNCH", None, type_id="grouped")
    there.add("EBOOK", 1, type_id="downloadable")
    long, blank = "L" * 65, "MUG "
    results = push(
        sink(there),
        change("GONE", 1),
        change(long, 1),
        change(blank, 1),
        change("SET", 1),
        change("VARIES", 1),
        change("BUNCH", 1),
        change("EBOOK", 5),
        change("CUP", 100_000_000),
        change("MUG", 1, "moon"),
    )
    assert said(results) == {
        "GONE": ("rejected", "not_in_cart"),
        long: ("rejected", "not_in_cart"),
        blank: ("rejected", "not_in_cart"),
        "SET": ("skipped", "unmanaged_in_cart"),
        "VARIES": ("skipped", "unmanaged_in_cart"),
        "BUNCH": ("skipped", "unmanaged_in_cart"),
        "EBOOK": ("accepted", ""),
        "CUP": ("rejected", "out_of_range"),
        "MUG": ("rejected", "unknown_location"),
    }
    assert "64 characters" in next(one.message for one in results if one.listing_sku == long)
    assert there.quantity("EBOOK") == 5


def test_an_unknown_sku_is_looked_up_first_since_old_shops_take_it_in_silence() -> None:
    there = shop(refuses_unknown_skus=False)
    body = {"sourceItems": [row("GONE", 1, status=1)]}
    assert there.handle(signed("POST", "inventory/source-items", body=body)).json() == []
    assert said(push(sink(there), change("LOST", 1))) == {"LOST": ("rejected", "not_in_cart")}
    assert there.quantity("LOST") is None


def test_skus_are_compared_with_their_case_although_the_shop_does_not() -> None:
    there = shop()
    raw = there.handle(
        signed(
            "GET",
            "products",
            query=(
                ("searchCriteria[filter_groups][0][filters][0][field]", "sku"),
                ("searchCriteria[filter_groups][0][filters][0][value]", "mug"),
                ("searchCriteria[filter_groups][0][filters][0][condition_type]", "eq"),
            ),
        )
    )
    assert [one["sku"] for one in raw.json()["items"]] == ["MUG"]
    assert read(sink(there), "mug") == []
    assert said(push(sink(there), change("mug", 1))) == {"mug": ("rejected", "not_in_cart")}


@pytest.mark.parametrize(("policy", "status"), [("skip", "skipped"), ("error", "rejected")])
def test_a_product_whose_stock_is_not_managed_is_noticed_when_asked_to(policy: str, status: str) -> None:
    there = shop()
    there.add("FLYER", 0, manage_stock=False)
    adobe = sink(there, check_tracking=True, untracked_policy=policy)
    assert {one.state for one in read(adobe, "FLYER")} == {"untracked"}
    assert said(push(adobe, change("FLYER", 1))) == {"FLYER": (status, "untracked_in_cart")}
    # One call a SKU, so it is not asked unless it is wished.
    there.requests.clear()
    assert {one.state for one in read(sink(there), "FLYER")} == {"listed"}
    assert asked_for(there, "stockItems") == []


def test_kits_are_unmanaged_and_nothing_more_is_asked_of_them() -> None:
    there = shop()
    listings = read(sink(there, check_tracking=True), "SET")
    assert {(one.state, one.quantity) for one in listings} == {("unmanaged", None)}
    assert asked_for(there, "SET") == []
    assert asked_for(there, "source-items") == []


def test_two_rows_that_contradict_each_other_are_both_refused_and_two_that_agree_are_one_write() -> None:
    there = shop()
    results = push(
        sink(there),
        change("MUG", 1),
        change("MUG", 2, "Default Source"),
        change("CUP", 5),
        change("CUP", 5, "default"),
    )
    assert [(one.listing_sku, one.location_id, one.status, one.reason) for one in results] == [
        ("MUG", None, "rejected", "contradiction"),
        ("MUG", "Default Source", "rejected", "contradiction"),
        ("CUP", None, "accepted", ""),
        ("CUP", "default", "accepted", ""),
    ]
    assert len(written(there)[0]["sourceItems"]) == 1


# --- sources -----------------------------------------------------------------------------------------


def with_sources(**options: Any) -> AdobeShop:
    there = shop(**options)
    there.add_source("reno", "Reno DC", stock=2)
    there.add_source("harbor", "Harbor", stock=2)
    there.add("MUG", 4, source="reno")
    there.add("MUG", 5, source="harbor")
    return there


def test_a_breakdown_goes_to_sources_by_code_or_exact_name() -> None:
    there = with_sources()
    results = push(sink(there), change("MUG", 1, "reno"), change("MUG", 2, "Harbor"))
    assert [one.status for one in results] == ["accepted", "accepted"]
    assert (there.quantity("MUG", "reno"), there.quantity("MUG", "harbor"), there.quantity("MUG")) == (
        1,
        2,
        10,
    )


def test_a_read_gives_every_source_under_each_of_its_names() -> None:
    listings = read(sink(with_sources(), location="reno", stock_id=2), "MUG")
    assert at(listings)["MUG"] == at(listings, "reno")["MUG"] == at(listings, "Reno DC")["MUG"] == (4, 0)
    assert {one.same_as for one in listings if one.location_id in {None, "Reno DC"}} == {"reno"}
    assert {one.location_id for one in listings if one.same_as is None} == {"default", "reno", "harbor"}


def test_a_shop_with_several_sources_must_be_told_which() -> None:
    there = with_sources()
    with pytest.raises(SettingsError, match="rows name none") as caught:
        push(sink(there), change("MUG", 1))
    assert "'Reno DC' (reno)" in str(caught.value)
    with pytest.raises(SettingsError, match="no one source 'moon'"):
        read(sink(there, location="moon"), "MUG")
    assert "MUG" not in at(read(sink(there, stock_id=2), "MUG"))


def test_a_name_that_two_sources_share_names_neither() -> None:
    there = with_sources()
    there.add_source("harbor-2", "Harbor", stock=2)
    results = push(sink(there), change("MUG", 1, "Harbor"), change("CUP", 1, "harbor-2"))
    assert said(results) == {"MUG": ("rejected", "unknown_location"), "CUP": ("accepted", "")}


def test_a_name_that_is_another_sources_code_means_that_source() -> None:
    there = with_sources()
    there.add_source("far", "reno", stock=2)
    push(sink(there), change("MUG", 1, "reno"))
    assert (there.quantity("MUG", "reno"), there.quantity("MUG", "far")) == (1, None)


# --- units of open orders ----------------------------------------------------------------------------


def test_units_of_open_orders_are_added_to_what_is_sent() -> None:
    there = shop()
    there.order("MUG", 4)
    assert at(read(sink(there), "MUG"))["MUG"] == (10, 4)
    report = sync_cart(small_stock({"MUG": 12}), sink(there), cart(), merchant=BY_WAREHOUSE)
    assert report.counts == {"applied": 1}
    assert (there.quantity("MUG"), there.salable("MUG")) == (16, 12)


def test_a_second_run_finds_nothing_to_do() -> None:
    there = shop()
    there.order("MUG", 4)
    stock = small_stock({"MUG": 12, "CUP": 3, "SET": 9, "GONE": 1})
    first = sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE)
    assert {(one.listing_sku, one.outcome, one.reason) for one in first.outcomes} == {
        ("MUG", "applied", ""),
        ("CUP", "unchanged", ""),
        ("SET", "skipped", "unmanaged_in_cart"),
        ("GONE", "skipped", "not_in_cart"),
    }
    there.ship("MUG", 4)
    second = sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE)
    assert second.counts == {"unchanged": 2, "skipped": 2}


def test_a_product_that_is_sold_out_by_its_orders_is_restocked() -> None:
    there = shop()
    there.order("CUP", 3)
    assert at(read(sink(there), "CUP"))["CUP"] == (3, 3)
    sync_cart(small_stock({"CUP": 10}), sink(there), cart(), merchant=BY_WAREHOUSE)
    assert there.salable("CUP") == 10


def test_an_index_that_is_behind_is_noticed_and_nothing_is_sent() -> None:
    there = shop(index_lags=True)
    stock = small_stock({"MUG": 50})
    assert sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE).counts == {"applied": 1}
    # The shop still says 10 salable of 50, which looks like 40 reserved ones.
    second = sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE)
    assert {(one.outcome, one.reason) for one in second.outcomes} == {("skipped", "allocated_unknown")}
    assert there.quantity("MUG") == 50
    there.reindex()
    assert sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE).counts == {"unchanged": 1}


def test_a_product_that_is_out_of_stock_by_hand_shows_0_and_is_put_in_stock_by_a_push() -> None:
    there = shop()
    there.add("OFF", 5, in_stock=False)
    assert at(read(sink(there), "OFF"))["OFF"] == (0, 0)
    sync_cart(small_stock({"OFF": 5}), sink(there), cart(), merchant=BY_WAREHOUSE)
    assert (there.quantity("OFF"), there.in_stock("OFF")) == (5, True)


def test_a_threshold_counts_as_held_so_shoppers_may_buy_what_was_planned() -> None:
    there = shop()
    there.add("LAMP", 10, threshold=2)
    assert at(read(sink(there), "LAMP"))["LAMP"] == (10, 2)
    sync_cart(small_stock({"LAMP": 7}), sink(there), cart(), merchant=BY_WAREHOUSE)
    assert there.salable("LAMP") == 7


def test_room_for_backorders_is_never_taken_for_stock() -> None:
    there = shop()
    there.add("LAMP", 10, threshold=-5, backorders=True)
    assert at(read(sink(there), "LAMP"))["LAMP"] == (10, 0)


def test_with_backorders_the_check_is_useless_so_the_salable_quantity_stands_alone() -> None:
    there = shop()
    there.add("WAIT", 2, backorders=True)
    there.order("WAIT", 5)
    assert there.salable("WAIT") == -3
    assert at(read(sink(there), "WAIT"))["WAIT"] == (2, None)
    assert at(read(sink(there, backorders_in_stock=True), "WAIT"))["WAIT"] == (2, 5)


def test_reserved_units_are_put_on_the_sinks_own_source_or_the_first_in_priority() -> None:
    there = with_sources()
    there.order("MUG", 3, stock=2)
    by_own = read(sink(there, location="harbor", stock_id=2), "MUG")
    assert (at(by_own, "harbor")["MUG"], at(by_own, "reno")["MUG"]) == ((5, 3), (4, 0))
    by_priority = read(sink(there, stock_id=2), "MUG")
    assert (at(by_priority, "reno")["MUG"], at(by_priority, "harbor")["MUG"]) == ((4, 3), (5, 0))


def test_a_source_outside_the_stock_has_unknown_reservations() -> None:
    there = with_sources()
    listings = read(sink(there, location="default", stock_id=2), "MUG")
    assert at(listings)["MUG"] == (10, None)
    assert at(read(sink(there, location="default", stock_id=7), "MUG"))["MUG"] == (10, None)


def test_a_disabled_source_does_not_count() -> None:
    there = with_sources()
    there.add_source("closed", "Closed", stock=2, enabled=False)
    there.add("MUG", 100, source="closed")
    listings = read(sink(there, stock_id=2), "MUG")
    assert (at(listings, "reno")["MUG"], at(listings, "closed")["MUG"]) == ((4, 0), (100, None))


@pytest.mark.parametrize("part", ["get-product-salable-quantity/MUG", "requested-qty/MUG"])
@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_product_that_the_shop_stumbles_over_is_unknown_and_the_others_go_on(
    part: str, status: int
) -> None:
    there = shop()
    there.order("MUG", 1)
    there.trouble(
        json_answer({"message": "The requested sku is not assigned."}, status), when=answering(part)
    )
    assert at(read(sink(there), "MUG", "CUP")) == {"MUG": (10, None), "CUP": (3, 0)}


def test_a_missing_permission_for_the_salable_quantity_is_an_error_and_no_guess() -> None:
    there = shop()
    there.doorkeeper.resources.remove("Magento_InventorySalesApi::stock")
    with pytest.raises(UnauthorizedError, match="Magento_InventorySalesApi::stock"):
        read(sink(there), "MUG")
    assert at(read(sink(there, reservations="none"), "MUG"))["MUG"] == (10, 0)


def test_without_reservations_open_orders_are_subtracted_twice_as_documented() -> None:
    there = shop()
    there.order("MUG", 4)
    sync_cart(small_stock({"MUG": 12}), sink(there, reservations="none"), cart(), merchant=BY_WAREHOUSE)
    assert (there.quantity("MUG"), there.salable("MUG")) == (12, 8)
    assert asked_for(there, "salable") == []


def test_given_reservations_cost_no_call() -> None:
    there = shop()
    there.order("MUG", 4)
    adobe = sink(there, reservations="given", reserved={"MUG": 4})
    assert at(read(adobe, "MUG", "CUP")) == {"MUG": (10, 4), "CUP": (3, 0)}
    assert asked_for(there, "salable") == []


def test_given_reservations_without_saying_so_are_a_mistake() -> None:
    with pytest.raises(SettingsError, match="reservations='given'"):
        sink(shop(), reserved={"MUG": 4})
    with pytest.raises(WrongTypeError):
        sink(shop(), reservations="given", reserved={"MUG": 1.5})


def test_the_salable_quantity_is_asked_only_where_something_is_there() -> None:
    there = shop()
    there.add("EMPTY", 0)
    there.requests.clear()
    read(sink(there), "MUG", "EMPTY", "NEW", "SET", "GONE")
    assert asked_for(there, "salable") == ["/rest/all/V1/inventory/get-product-salable-quantity/MUG/1"]
    # What looks reserved is checked, which is one call more.
    there.order("MUG", 1)
    there.requests.clear()
    read(sink(there), "MUG")
    assert len(asked_for(there, "salable")) == 2


# --- decimals ----------------------------------------------------------------------------------------


def test_5_0_is_a_whole_quantity_and_5_5_is_left_open() -> None:
    there = shop()
    there.add("ROPE", 5.0)
    there.add("WIRE", 5.5)
    raw = there.handle(signed("GET", "inventory/source-items"))
    assert b'"quantity":5.0' in raw.content
    assert at(read(sink(there), "ROPE", "WIRE")) == {"ROPE": (5, 0), "WIRE": (None, 0)}


def test_half_a_unit_in_an_open_order_is_not_added_to_what_is_sent() -> None:
    there = shop()
    there.add("WIRE", 5.5)
    there.order("WIRE", 2)
    there.trouble(json_answer(3.25), when=answering("get-product-salable-quantity"))
    assert at(read(sink(there), "WIRE"))["WIRE"] == (None, 2)


@pytest.mark.parametrize("quantity", ["5", True, None, float("nan")])
def test_a_quantity_that_is_no_number_is_named(quantity: Any) -> None:
    there = shop()
    item = {"sku": "MUG", "source_code": "default", "quantity": quantity, "status": 1}
    page = json.dumps({"items": [item], "total_count": 1}).encode()
    there.trouble(Response(status=200, content=page), when=answering("source-items"))
    with pytest.raises(DecodeError, match="quantity"):
        read(sink(there), "MUG")


# --- limits and pages --------------------------------------------------------------------------------


def many(there: AdobeShop, count: int) -> list[str]:
    skus = [f"SKU-{number:04}" for number in range(count)]
    for sku in skus:
        there.add(sku, 1)
    return skus


def test_the_shops_limit_on_items_is_learned_and_remembered_for_the_run() -> None:
    there = shop(input_limits=(20, 5000, 300))
    skus = many(there, 50)
    adobe = sink(there)
    assert {one.status for one in push(adobe, *(change(sku, 2) for sku in skus))} == {"accepted"}
    assert [len(body["sourceItems"]) for body in written(there)] == [50, 20, 20, 10]
    there.requests.clear()
    push(adobe, *(change(sku, 3) for sku in skus[:25]))
    assert [len(body["sourceItems"]) for body in written(there)] == [20, 5]
    there.requests.clear()
    push(adobe.remembering(None), *(change(sku, 4) for sku in skus[:25]))
    assert [len(body["sourceItems"]) for body in written(there)] == [25, 20, 5]


def test_the_limit_comes_with_its_number_apart_from_its_sentence() -> None:
    there = shop(input_limits=(20, 5000, 300))
    body = {"sourceItems": [row("MUG", 1, status=1)] * 21}
    assert there.handle(signed("POST", "inventory/source-items", body=body)).json() == {
        "message": 'Maximum items of type "%type" is %max',
        "parameters": {"type": "\\Magento\\InventoryApi\\Api\\Data\\SourceItemInterface", "max": 20},
    }


def test_a_limit_that_makes_no_sense_ends_as_a_refusal() -> None:
    there = shop()
    limit = {"message": 'Maximum items of type "%type" is %max', "parameters": {"type": "X", "max": 20}}
    there.trouble(json_answer(limit, 400), when=writes)
    assert said(push(sink(there), change("MUG", 1), change("CUP", 1))) == {
        "MUG": ("rejected", "input_limit"),
        "CUP": ("rejected", "input_limit"),
    }
    there.trouble(json_answer({**limit, "parameters": {"type": "X", "max": 0}}, 400), when=writes)
    assert said(push(sink(there), change("MUG", 1))) == {"MUG": ("rejected", "row_refused")}


def test_the_shops_limit_on_pages_is_learned() -> None:
    there = with_sources(input_limits=(20, 5000, 2))
    skus = many(there, 5)
    adobe = sink(there, location="default")
    assert set(at(read(adobe, *skus))) == set(skus)
    sizes = [asked.first("searchCriteria[pageSize]") for asked in there.requests if asked.query]
    assert sizes[0] == "300"
    assert set(sizes[1:]) == {"2"}


def test_a_page_limit_that_makes_no_sense_is_an_error() -> None:
    there = shop()
    limit = {"message": "Maximum SearchCriteria pageSize is %max", "parameters": {"max": 300}}
    there.trouble(json_answer(limit, 400))
    with pytest.raises(RefusedError, match="pageSize is 300"):
        read(sink(there), "MUG")


def test_more_products_than_fit_an_address_are_asked_for_in_several_calls() -> None:
    there = shop()
    skus = many(there, 700)
    assert len(at(read(sink(there, reservations="none"), *skus))) == 700
    assert all(len(asked.first(VALUE)) < 3_000 for asked in there.requests)
    assert max(asked.first(VALUE).count(",") for asked in there.requests) > 100


VALUE = "searchCriteria[filter_groups][0][filters][0][value]"


def test_a_sku_with_a_comma_is_asked_for_alone_since_commas_divide() -> None:
    there = shop()
    there.add("A,B", 2)
    assert at(read(sink(there), "MUG", "A,B")) == {"MUG": (10, 0), "A,B": (2, 0)}
    assert "A,B" in {asked.first(VALUE) for asked in there.requests}


def test_pages_that_end_too_soon_are_an_error() -> None:
    there = shop()
    there.trouble(json_answer({"items": [], "total_count": 3}), when=answering("products"))
    with pytest.raises(DecodeError, match="0 of 3 rows"):
        read(sink(there), "MUG")


# --- refusals and troubles ---------------------------------------------------------------------------


def test_a_wrong_signature_is_unauthorized_and_names_the_resources() -> None:
    wrong = Integration(
        consumer_key="adobe-test-consumer-key",
        consumer_secret="another-secret",
        access_token="adobe-test-access-token",
        access_token_secret="adobe-test-access-token-secret",
    )
    with pytest.raises(UnauthorizedError, match="signature is invalid") as caught:
        read(sink(shop(), access=wrong), "MUG")
    assert "Magento_InventoryApi::stock_source_item_assign" in caught.value.remedy
    assert "another-secret" not in str(caught.value)


@pytest.mark.parametrize("word", ["consumer_key", "access_token"])
def test_unknown_keys_are_unauthorized(word: str) -> None:
    keys = {
        name: f"adobe-test-{name.replace('_', '-')}"
        for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    }
    with pytest.raises(UnauthorizedError):
        read(sink(shop(), access=Integration(**{**keys, word: "unknown"})), "MUG")


def test_a_missing_resource_is_named() -> None:
    there = shop()
    there.doorkeeper.resources.remove("Magento_InventoryApi::stock_source_item_assign")
    with pytest.raises(UnauthorizedError, match="stock_source_item_assign"):
        push(sink(there), change("MUG", 1))


def test_a_refused_timestamp_is_unauthorized_although_it_is_a_400() -> None:
    there = shop()
    there.trouble(Response(status=400, content=b"oauth_problem=timestamp_refused"))
    with pytest.raises(UnauthorizedError, match="timestamp_refused"):
        read(sink(there), "MUG")


def test_each_try_is_signed_anew() -> None:
    there = shop()
    request = signed("GET", "inventory/sources")
    assert there.handle(request).status == 200
    assert there.handle(request).status == 401
    there.trouble(Response(status=503))
    assert at(read(sink(there, retry=AT_ONCE), "MUG"))["MUG"] == (10, 0)


def test_another_signature_method_is_refused_by_the_shop() -> None:
    request = signed("GET", "inventory/sources")
    header = request.headers["authorization"].replace("HMAC-SHA256", "HMAC-SHA1")
    raw = shop().handle(Request(method="GET", url=request.url, headers={"authorization": header}))
    assert raw.status == 400


def test_a_shop_without_multi_source_inventory_is_told_from_wrong_credentials() -> None:
    there = shop()
    there.trouble(json_answer({"message": "Request does not match any route."}, 404))
    with pytest.raises(RefusedError, match="any route") as caught:
        read(sink(there), "MUG")
    assert caught.value.code == "no_msi"
    assert there.handle(signed("GET", "inventory/nothing")).status == 404


def test_a_wrong_address_is_an_error_that_shows_what_answered() -> None:
    with pytest.raises(RefusedError, match="404 Not Found"):
        read(sink(shop(), url="https://shop.example/blog"), "MUG")


def test_sentences_have_their_parameters_filled_in() -> None:
    there = shop()
    body = {
        "message": "Sorry: %1 and %10",
        "parameters": ["one", *"23456789", "ten"],
        "errors": [{"message": "%field is %field_two", "parameters": {"field": "a", "field_two": "b"}}],
    }
    there.trouble(json_answer(body, 400))
    with pytest.raises(RefusedError, match="Sorry: one and ten; a is b"):
        read(sink(there), "MUG")
    there.trouble(json_answer({"message": "Plain %1", "parameters": "odd"}, 400))
    with pytest.raises(RefusedError, match="Plain %1"):
        read(sink(there), "MUG")


def test_a_deadlock_is_tried_again_whether_it_comes_as_500_or_400() -> None:
    there = shop()
    locked = "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock"
    there.trouble(json_answer({"message": locked}, 500), when=writes)
    there.trouble(json_answer({"message": "1205 Lock wait timeout exceeded"}, 400), when=writes)
    assert said(push(sink(there, retry=AT_ONCE), change("MUG", 7))) == {"MUG": ("accepted", "")}
    there.trouble(json_answer({"message": locked}, 500), when=writes)
    with pytest.raises(ServerFaultError, match="another writer"):
        push(sink(there), change("MUG", 8))


def test_a_lost_answer_leaves_rows_in_doubt_and_sending_them_again_is_harmless() -> None:
    there = shop()
    there.trouble("lost", when=writes)
    with pytest.raises(LostAnswerError):
        push(sink(there), change("MUG", 7))
    assert there.quantity("MUG") == 7
    there.trouble("lost", when=writes)
    assert said(push(sink(there, retry=AT_ONCE), change("MUG", 9))) == {"MUG": ("accepted", "")}
    assert (there.quantity("MUG"), len(written(there))) == (9, 3)


@pytest.mark.parametrize(
    ("what", "second", "rest"),
    [
        ("lost", ("pending", "answer_unknown"), ("skipped", "not_sent")),
        ("unreachable", ("skipped", "not_sent"), ("skipped", "not_sent")),
        (json_answer({"message": "No."}, 401), ("skipped", "not_sent"), ("skipped", "not_sent")),
    ],
    ids=["lost", "unreachable", "unauthorized"],
)
def test_once_something_is_written_an_error_costs_only_the_rows_that_it_met(
    what: Any, second: tuple[str, str], rest: tuple[str, str]
) -> None:
    there = shop(input_limits=(1, 5000, 300))
    calls: list[int] = []

    def third(asked: Asked) -> bool:
        calls.extend([1] * writes(asked))
        return writes(asked) and len(calls) >= 3

    there.trouble(what, when=third, times=2)
    there.add("PAN", 1)
    there.add("POT", 1)
    results = push(sink(there), change("MUG", 5), change("CUP", 5), change("PAN", 5), change("POT", 5))
    assert list(said(results).values()) == [("accepted", ""), second, rest, rest]


def test_no_connection_raises_while_nothing_is_written() -> None:
    there = shop()
    there.trouble("unreachable", when=writes)
    with pytest.raises(UnreachableError):
        push(sink(there), change("MUG", 1))


@pytest.mark.parametrize("part", ["sources", "products", "source-items", "get-product-salable-quantity"])
def test_html_instead_of_json_is_named(part: str) -> None:
    there = shop()
    there.trouble(Response(status=200, content=b"<html>maintenance</html>"), when=answering(part))
    with pytest.raises(DecodeError, match="HTML"):
        read(sink(there), "MUG")


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError):
        sink(shop(), url="shop.example")
    with pytest.raises(InvalidValueError):
        sink(shop(), mode="later")
    with pytest.raises(WrongTypeError):
        sink(shop(), access="token")
    with pytest.raises(OmsyncError):
        BearerToken("")


def test_the_shop_answers_questions_about_what_it_does_not_have_in_its_own_words() -> None:
    there = with_sources()

    def ask(path: str) -> tuple[int, str]:
        raw = there.handle(signed("GET", path))
        return raw.status, raw.json()["message"]

    assert ask("inventory/get-product-salable-quantity/GONE/1")[0] == 404
    assert ask("inventory/get-product-salable-quantity/SET/1") == (
        400,
        "Can't check requested quantity for products without Source Items support.",
    )
    assert ask("inventory/get-product-salable-quantity/CUP/2") == (
        400,
        "The requested sku is not assigned to given stock.",
    )
    assert ask("stockItems/GONE")[0] == 404
    assert ask("bulk/1234/status")[0] == 404
    there.add_source("attic", "Attic", stock=None)
    assert at(read(sink(there, location="attic"), "MUG"))["MUG"] == (0, None)


def test_learned_limits_show_themselves_to_a_debugger() -> None:
    assert repr(Limits(300)) == "Limits(page=300, save=None, bulk=None)"
