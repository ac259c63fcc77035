"""The WooCommerce sink against a WooCommerce in memory: what is read, what is written, what is said of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from fake_memory import FakeClock
from small_merchant import reading
from two_runners import RUNNERS, run_blocking

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, sync_cart
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    RefusedError,
    SettingsError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Steps
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks._woocommerce_writing import CallSize
from omsync.sinks.woocommerce import WooCommerce
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.carts.woocommerce import WooCommerceShop
from omsync.testing.sink_kit import SINK_CHECKS, SinkBench, assert_conforms, losing_answers

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
URL = "https://shop.example"


def shop() -> WooCommerceShop:
    there = WooCommerceShop()
    there.add("MUG", 10)
    there.add("CUP", 3)
    there.add("FLYER", tracked=False, backorders="notify")
    there.add("SET", kind="grouped")
    there.add_variable("TEE", {"TEE-S": 5, "TEE-M": 2})
    there.add_variable("CAP", {"CAP-RED": None, "CAP-BLUE": None}, quantity=20)
    return there


def sink(there: WooCommerceShop, **options: Any) -> WooCommerce:
    options = {
        "key": there.key,
        "secret": there.secret,
        "retry": ONCE,
        "calls_per_second": 1e6,
        "handler": there.handle,
        **options,
    }
    return WooCommerce(URL, **options)


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def said(results: list[PushResult]) -> list[tuple[str, str, int | None]]:
    return [(one.status, one.reason, one.echo) for one in results]


def states(listings: list[CartListing]) -> dict[str, tuple[str, int | None]]:
    return {one.listing_sku: (one.state, one.quantity) for one in listings}


def writes(there: WooCommerceShop) -> list[tuple[str, int]]:
    """Give the batches that were sent: where to, and how many rows."""
    return [
        (asked.path.removeprefix("/wp-json/wc/v3"), len(asked.json()["update"]))
        for asked in there.requests
        if asked.method == "POST"
    ]


def look_ups(there: WooCommerceShop) -> list[str]:
    return [asked.first("sku") for asked in there.requests if asked.method == "GET"]


def a_write(asked: Asked) -> bool:
    return asked.method == "POST"


def rows_above(most: int) -> Callable[[Asked], bool]:
    return lambda asked: a_write(asked) and len(asked.json()["update"]) > most


ACCEPTED: Callable[[int], tuple[str, str, int | None]] = lambda units: ("accepted", "", units)  # noqa: E731  a word for it


# What it is


def test_woocommerce_is_a_cart_sink_whose_destination_holds_no_secret() -> None:
    there = sink(shop())
    assert isinstance(there, CartSink)
    able = there.capabilities
    assert able.destination == "woocommerce at shop.example"
    assert (able.quantity_meaning, able.locations, able.lists_all) == ("available", "none", False)
    assert (able.max_rows, able.rows_per_call, able.grouping) == (500, 100, "by_parent")
    assert (able.atomicity, able.compare_and_set, able.completion) == ("row", "blind", "immediate")
    assert (able.max_in_flight, able.max_quantity) == (2, 2**53 - 1)
    assert WooCommerce(URL, key="ck_1", secret="cs_1").capabilities.calls_per_second == 5.0
    assert "only_for_tests" not in repr(there) + repr(able)


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_products_and_variations_are_written_and_the_echo_shows_it(
    run: Callable[[Steps[list[PushResult]]], list[PushResult]],
) -> None:
    there = shop()
    rows = [change("MUG", 7), change("TEE-S", 0), change("CUP", 1), change("TEE-M", 9)]
    assert said(run(sink(there).push_steps(rows))) == [ACCEPTED(units) for units in (7, 0, 1, 9)]
    assert {sku: there.quantity(sku) for sku in ("MUG", "CUP", "TEE-S", "TEE-M")} == {
        "MUG": 7,
        "CUP": 1,
        "TEE-S": 0,
        "TEE-M": 9,
    }
    tee = there.id_of("TEE")
    assert sorted(writes(there)) == [(f"/products/{tee}/variations/batch", 2), ("/products/batch", 2)]


def test_only_the_id_and_the_quantity_are_sent() -> None:
    there = shop()
    sink(there).push([change("MUG", 7)])
    assert there.requests[-1].json() == {"update": [{"id": there.id_of("MUG"), "stock_quantity": 7}]}


def test_the_same_goes_over_real_http_with_a_signature_over_the_configured_address() -> None:
    there = shop()
    with there.serve() as server:
        online = WooCommerce(
            server.base_url, key=there.key, secret=there.secret, home_url="http://shop.example"
        )
        assert said(online.push([change("MUG", 8)])) == [ACCEPTED(8)]
        assert states(online.read(["MUG"])) == {"MUG": ("listed", 8)}


def test_nothing_is_asked_for_nothing() -> None:
    there = shop()
    assert sink(there).push([]) == []
    assert sink(there).read([]) == []
    assert there.requests == []


def small_stock(figures: Mapping[str, int]) -> InventorySnapshot:
    return reading({sku: {"1": units} for sku, units in figures.items()})


SETTINGS, MERCHANT = CartSettings(name="shop"), MerchantSettings(mode=PerWarehouse())


def test_a_whole_run_and_a_second_one_that_finds_nothing_to_do() -> None:
    there = shop()
    stock = small_stock(
        {"MUG": 12, "CUP": 3, "FLYER": 9, "GONE": 1, "TEE-S": 6, "CAP-RED": 3, "SET": 1, "TEE": 2}
    )
    first = sync_cart(stock, sink(there), SETTINGS, merchant=MERCHANT)
    assert {(one.listing_sku, one.outcome, one.reason) for one in first.outcomes} == {
        ("MUG", "applied", ""),
        ("TEE-S", "applied", ""),
        ("CUP", "unchanged", ""),
        ("FLYER", "skipped", "untracked_in_cart"),
        ("GONE", "skipped", "not_in_cart"),
        ("CAP-RED", "skipped", "unmanaged_in_cart"),
        ("SET", "skipped", "unmanaged_in_cart"),
        ("TEE", "skipped", "unmanaged_in_cart"),
    }
    assert look_ups(there) == ["CAP-RED,CUP,FLYER,GONE,MUG,SET,TEE,TEE-S", "MUG,TEE-S"], (
        "what is written is looked up once more, and nothing else"
    )
    second = sync_cart(stock, sink(there), SETTINGS, merchant=MERCHANT)
    assert second.counts == {"unchanged": 3, "skipped": 5}


def test_an_open_order_is_already_subtracted_so_what_is_sent_is_what_may_be_sold() -> None:
    there = shop()
    there.order("MUG", 4)
    assert states(sink(there).read(["MUG"])) == {"MUG": ("listed", 6)}
    sync_cart(small_stock({"MUG": 12}), sink(there), SETTINGS, merchant=MERCHANT)
    assert there.quantity("MUG") == 12


def test_an_order_between_read_and_write_is_overwritten_since_there_is_no_compare_and_set() -> None:
    there = shop()
    bench = sink(there).remembering(None)
    bench.read(["MUG"])
    there.order("MUG", 4)
    assert said(bench.push([change("MUG", 9)])) == [ACCEPTED(9)]
    assert there.quantity("MUG") == 9


def test_a_quantity_below_zero_is_read_as_it_is_and_can_be_lifted() -> None:
    there = shop()
    there.order("CUP", 5)
    assert states(sink(there).read(["CUP"])) == {"CUP": ("listed", -2)}
    assert said(sink(there).push([change("CUP", 4)])) == [ACCEPTED(4)]


BENCH_SHOP = shop()


@pytest.mark.parametrize("check", SINK_CHECKS)
def test_the_sink_conforms(check: str) -> None:
    there = BENCH_SHOP
    if len(there.products.visible) == 10:
        there.add("TWICE", 1)
        there.add("TWICE", 2)
    wrong = sink(there, secret="cs_wrong_one")
    losing = losing_answers(there.handle, of=lambda request: request.method == "POST")
    bench = SinkBench(
        sink=sink(there),
        shown=lambda: {(sku, None): there.quantity(sku) or 0 for sku in ("MUG", "CUP", "TEE-S", "TEE-M")},
        listings=["MUG", "CUP", "TEE-S", "TEE-M"],
        absent_location="moon",
        duplicate="TWICE",
        untracked="FLYER",
        unmanaged="CAP-RED",
        unauthorized=wrong,
        unreachable=WooCommerce("http://127.0.0.1:9", key="ck_1", secret="cs_1", retry=ONCE),
        losing=sink(there, handler=losing),
        secrets=[there.key, there.secret, "cs_wrong_one"],
    )
    assert_conforms(bench, checks=[check])


# Looking up


def test_what_the_shop_has_is_told_apart_by_state() -> None:
    there = shop()
    there.add("LINK", kind="external")
    skus = ["MUG", "FLYER", "SET", "LINK", "TEE", "TEE-S", "CAP", "CAP-RED", "GONE"]
    assert states(sink(there).read(skus)) == {
        "MUG": ("listed", 10),
        "FLYER": ("untracked", None),
        "SET": ("unmanaged", None),
        "LINK": ("unmanaged", None),
        "TEE": ("unmanaged", None),
        "TEE-S": ("listed", 5),
        "CAP": ("listed", 20),
        "CAP-RED": ("unmanaged", 20),
    }


def test_case_decides_although_the_shop_does_not_mind_it() -> None:
    there = shop()
    assert sink(there).read(["mug"]) == []
    assert said(sink(there).push([change("mug", 1)])) == [("rejected", "not_in_cart", None)]
    assert there.quantity("MUG") == 10


def test_a_trashed_product_is_not_in_the_cart() -> None:
    there = shop()
    there.trash("MUG")
    assert sink(there).read(["MUG"]) == []


def test_a_sku_with_a_comma_is_asked_for_alone_since_the_shop_parts_lists_at_commas() -> None:
    there = shop()
    there.add("MUG,BLUE", 4)
    assert states(sink(there).read(["MUG,BLUE", "CUP"])) == {
        "MUG,BLUE": ("listed", 4),
        "CUP": ("listed", 3),
    }
    assert sorted(look_ups(there)) == ["CUP", "MUG,BLUE"]


def test_a_sku_with_an_angle_bracket_does_not_hide_those_beside_it() -> None:
    there = shop()
    assert states(sink(there).read(["A<1", "MUG", "B>2"])) == {"MUG": ("listed", 10)}
    assert sorted(look_ups(there)) == ["A<1", "MUG,B>2"]


def test_the_sku_0_does_not_ask_for_every_product() -> None:
    there = shop()
    there.add("0", 8)
    assert states(sink(there).read(["0"])) == {"0": ("listed", 8)}
    assert look_ups(there) == ["0,0"]


def test_a_sku_that_two_products_have_is_a_duplicate_also_across_pages() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(100)]
    for sku in skus:
        there.add(sku, 1)
    twin = there.add("P-050", 2)
    listings = states(sink(there).read(skus))
    assert len(listings) == 100
    assert listings["P-050"] == ("duplicate", None)
    assert [asked.first("page") for asked in there.requests] == ["1", "2"]
    (result,) = sink(there).push([change("P-050", 9)])
    assert (result.status, result.reason) == ("rejected", "duplicate_in_cart")
    assert str(twin) in result.message


def test_pages_are_followed_where_a_proxy_drops_the_header_that_counts_them() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(100)]
    for sku in (*skus, *skus[:5]):
        there.add(sku, 1)

    def without_header(request: Request) -> Response:
        answer = there.handle(request)
        return Response(status=answer.status, content=answer.content, place=answer.place)

    listings = states(sink(there, handler=without_header).read(skus))
    assert sum(state == "duplicate" for state, _ in listings.values()) == 5
    assert len(there.requests) == 2


def test_100_skus_a_call_and_fewer_where_the_address_would_get_too_long() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(230)]
    for sku in skus:
        there.add(sku, 1)
    assert len(sink(there).read(skus)) == 230
    assert [len(asked.split(",")) for asked in look_ups(there)] == [100, 100, 30]
    there.requests.clear()
    long = [f"Größe {number:03} " + "x" * 60 for number in range(100)]
    sink(there, max_url_bytes=2000).read(long)
    addresses = [
        len(f"{URL}{asked.path}?{urlencode(asked.query)}&oauth_consumer_key={'k' * 250}")
        for asked in there.requests
    ]
    assert len(addresses) > 5
    assert max(addresses) <= 2000


def test_what_a_second_read_does_not_find_is_not_written_to() -> None:
    there = shop()
    bench = sink(there).remembering(None)
    bench.read(["MUG"])
    there.trash("MUG")
    assert bench.read(["MUG"]) == []
    assert said(bench.push([change("MUG", 1)])) == [("rejected", "not_in_cart", None)]
    assert writes(there) == []


def test_a_product_that_keeps_stock_and_shows_none_has_no_known_quantity() -> None:
    there = shop()
    there.products.by_sku("MUG").quantity = None
    assert states(sink(there).read(["MUG"])) == {"MUG": ("listed", None)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stock_quantity", "5"),
        ("stock_quantity", 1.5),
        ("manage_stock", "yes"),
        ("id", "7"),
        ("parent_id", None),
        ("backorders", 1),
    ],
)
def test_a_field_of_the_wrong_kind_is_named_and_not_guessed(field: str, value: Any) -> None:
    row = {
        "id": 7,
        "sku": "MUG",
        "type": "variation",
        "parent_id": 6,
        "manage_stock": True,
        "stock_quantity": 1,
        "backorders": "no",
        field: value,
    }
    there = shop()
    there.trouble(json_answer([row]))
    with pytest.raises(DecodeError, match=field):
        sink(there).read(["MUG"])


def test_a_page_of_others_rows_is_not_judged() -> None:
    there = shop()
    there.trouble(json_answer([{"sku": "mug", "stock_quantity": 1.5}]))
    assert sink(there).read(["MUG"]) == []


# What must not be sent


def test_rows_that_name_a_location_or_too_large_a_quantity_are_refused_before_sending() -> None:
    there = shop()
    rows = [change("MUG", 1, "Reno DC"), change("CUP", 2**53), change("TEE-S", 2**53 - 1)]
    assert said(sink(there).push(rows)) == [
        ("rejected", "unknown_location", None),
        ("rejected", "out_of_range", None),
        ACCEPTED(2**53 - 1),
    ]


@pytest.mark.parametrize("quantity", [-1, 1.5, "abc", "", None, True])
def test_what_a_batch_would_take_for_0_or_1_cannot_even_be_asked_for(quantity: Any) -> None:
    with pytest.raises(InvalidValueError):
        change("MUG", quantity)


def test_grouped_products_and_products_with_variations_are_left_alone() -> None:
    there = shop()
    results = sink(there, untracked_policy="track").push([change("SET", 1), change("TEE", 1)])
    assert said(results) == [("skipped", "unmanaged_in_cart", None)] * 2
    assert "grouped" in results[0].message
    assert "variations" in results[1].message
    assert writes(there) == []


@pytest.mark.parametrize(("policy", "status"), [("skip", "skipped"), ("error", "rejected")])
def test_a_product_whose_stock_nobody_counts_is_told_by_the_policy_and_not_written(
    policy: str, status: str
) -> None:
    there = shop()
    there.stop_tracking("TEE-S")
    there.products.by_sku("TEE-S").backorders = "yes"
    results = sink(there, untracked_policy=policy).push([change("FLYER", 1), change("TEE-S", 1)])
    assert said(results) == [(status, "untracked_in_cart", None)] * 2
    assert there.backorders("TEE-S") == "yes", "a write of the quantity alone would reset it"


def test_tracking_is_switched_on_by_the_same_write_where_the_policy_says_so() -> None:
    there = shop()
    there.stop_tracking("TEE-S")
    there.products.by_sku("TEE-S").backorders = "yes"
    results = sink(there, untracked_policy="track").push([change("FLYER", 4), change("TEE-S", 1)])
    assert said(results) == [ACCEPTED(4), ACCEPTED(1)]
    assert (there.tracks("FLYER"), there.tracks("TEE-S")) == (True, True)
    assert (there.backorders("FLYER"), there.backorders("TEE-S")) == ("notify", "yes")
    assert {
        row["backorders"]
        for asked in there.requests
        if asked.method == "POST"
        for row in asked.json()["update"]
    } == {"notify", "yes"}


def test_a_plugin_that_shows_no_backorders_setting_is_sent_none() -> None:
    there = shop()
    row = {"id": there.id_of("FLYER"), "sku": "FLYER", "type": "simple", "manage_stock": False}
    there.trouble(json_answer([row]))
    assert said(sink(there, untracked_policy="track").push([change("FLYER", 4)])) == [ACCEPTED(4)]
    (sent,) = there.requests[-1].json()["update"]
    assert sent == {"id": there.id_of("FLYER"), "stock_quantity": 4, "manage_stock": True}


# Stock that a parent keeps


def test_a_variation_on_its_parents_stock_is_unmanaged_and_the_reason_names_the_parent() -> None:
    there = shop()
    (result,) = sink(there).push([change("CAP-RED", 3)])
    assert (result.status, result.reason) == ("skipped", "unmanaged_in_cart")
    assert f"product {there.id_of('CAP')}" in result.message
    assert there.quantity("CAP") == 20


def test_the_parents_stock_is_written_where_that_is_wanted() -> None:
    there = shop()
    bench = sink(there, parent_stock="write_parent")
    assert states(bench.read(["CAP-RED"])) == {"CAP-RED": ("listed", 20)}
    assert said(bench.push([change("CAP-RED", 3), change("CAP-BLUE", 3)])) == [ACCEPTED(3)] * 2
    assert there.quantity("CAP") == 3
    assert writes(there) == [("/products/batch", 1)]


def test_variations_that_want_different_quantities_of_their_parents_stock_are_refused() -> None:
    there = shop()
    rows = [change("CAP-RED", 3), change("CAP-BLUE", 4), change("MUG", 1)]
    results = sink(there, parent_stock="write_parent").push(rows)
    assert said(results) == [("rejected", "contradiction", None)] * 2 + [ACCEPTED(1)]
    assert "[3, 4]" in results[0].message
    assert there.quantity("CAP") == 20


def test_a_parents_stock_does_not_swing_between_what_two_variations_want_from_run_to_run() -> None:
    there = shop()
    bench = sink(there, parent_stock="write_parent")
    stock = small_stock({"CAP-RED": 3, "CAP-BLUE": 20})
    for _ in range(2):
        report = sync_cart(stock, bench, SETTINGS, merchant=MERCHANT)
        assert {(one.listing_sku, one.outcome, one.reason) for one in report.outcomes} == {
            ("CAP-RED", "rejected", "contradiction"),
            ("CAP-BLUE", "unchanged", ""),
        }
        assert there.quantity("CAP") == 20


def test_a_parents_own_listing_and_its_variations_want_the_same_too() -> None:
    there = shop()
    bench = sink(there, parent_stock="write_parent")
    report = sync_cart(small_stock({"CAP": 3, "CAP-RED": 20}), bench, SETTINGS, merchant=MERCHANT)
    assert report.counts == {"rejected": 1, "unchanged": 1}
    report = sync_cart(small_stock({"CAP": 3, "CAP-RED": 3}), bench, SETTINGS, merchant=MERCHANT)
    assert report.counts == {"applied": 2}


def test_a_listing_that_two_products_share_wants_nothing_of_a_parents_stock() -> None:
    there = shop()
    there.add("CAP-BLUE", 5)
    report = sync_cart(
        small_stock({"CAP-RED": 3, "CAP-BLUE": 20}),
        sink(there, parent_stock="write_parent"),
        SETTINGS,
        merchant=MERCHANT,
    )
    assert {(one.listing_sku, one.outcome, one.reason) for one in report.outcomes} == {
        ("CAP-RED", "applied", ""),
        ("CAP-BLUE", "skipped", "duplicate_in_cart"),
    }


def test_a_variation_with_stock_of_its_own_does_not_hinder_its_siblings() -> None:
    there = WooCommerceShop()
    there.add_variable("CAP", {"CAP-RED": None, "CAP-BLUE": 7}, quantity=20)
    report = sync_cart(
        small_stock({"CAP-RED": 3, "CAP-BLUE": 7}),
        sink(there, parent_stock="write_parent"),
        SETTINGS,
        merchant=MERCHANT,
    )
    assert report.counts == {"applied": 1, "unchanged": 1}
    assert (there.quantity("CAP"), there.quantity("CAP-BLUE")) == (3, 7)


def test_two_rows_of_one_listing_that_contradict_each_other_are_both_refused() -> None:
    there = shop()
    results = sink(there).push([change("MUG", 1), change("MUG", 2), change("CUP", 1)])
    assert said(results) == [("rejected", "contradiction", None)] * 2 + [ACCEPTED(1)]


# What the echo shows


def on_the_way(there: WooCommerceShop, do: Callable[[], None]) -> Callable[[Request], Response]:
    """Let something happen between the look-up and the write."""
    done: list[str] = []

    def handler(request: Request) -> Response:
        if request.method == "POST" and not done:
            done.append("once")
            do()
        return there.handle(request)

    return handler


def swap(there: WooCommerceShop, one: str, other: str) -> None:
    """Let two listings change SKUs with each other."""
    first, second = there.products.by_sku(one), there.products.by_sku(other)
    first.sku, second.sku = other, one


def test_listings_that_change_skus_between_the_read_and_the_push_are_written_by_their_new_ones() -> None:
    there = shop()
    mug, cup = there.id_of("MUG"), there.id_of("CUP")
    cart = sink(there).remembering(None)
    cart.read(["MUG", "CUP"])
    swap(there, "MUG", "CUP")
    assert said(cart.push([change("MUG", 7), change("CUP", 8)])) == [ACCEPTED(7), ACCEPTED(8)]
    assert (there.quantity("MUG"), there.quantity("CUP")) == (7, 8)
    assert (there.id_of("MUG"), there.id_of("CUP")) == (cup, mug)
    assert there.requests[-1].json()["update"] == [
        {"id": cup, "stock_quantity": 7},
        {"id": mug, "stock_quantity": 8},
    ]


def test_a_product_that_was_renamed_after_the_read_is_not_in_the_cart() -> None:
    there = shop()
    cart = sink(there).remembering(None)
    cart.read(["MUG"])
    there.products.by_sku("MUG").sku = "OLD-MUG"
    assert said(cart.push([change("MUG", 7)])) == [("rejected", "not_in_cart", None)]
    assert (there.quantity("OLD-MUG"), writes(there)) == (10, [])


def test_skus_that_change_hands_in_the_very_moment_of_a_write_are_a_conflict_that_says_so() -> None:
    there = shop()
    handler = on_the_way(there, lambda: swap(there, "MUG", "TEE-S"))
    mug, tee, cup = sink(there, handler=handler).push(
        [change("MUG", 7), change("TEE-S", 8), change("CUP", 1)]
    )
    assert said([mug, tee, cup]) == [("conflict", "renamed_in_cart", None)] * 2 + [ACCEPTED(1)]
    assert mug.message == (
        f"product {there.id_of('TEE-S')} got the SKU 'TEE-S' before the write and shows 7 now; look at it "
        "and at 'MUG', or let the next run set them right"
    )


def test_a_parent_that_is_written_to_answers_with_a_sku_of_its_own() -> None:
    there = shop()
    results = sink(there, parent_stock="write_parent").push([change("CAP-RED", 7), change("CAP-BLUE", 7)])
    assert said(results) == [ACCEPTED(7), ACCEPTED(7)]


def test_looking_up_before_writing_costs_a_call_for_100_rows_beside_slow_writes() -> None:
    there = shop()
    skus = [f"MANY-{number:03d}" for number in range(500)]
    for sku in skus:
        there.add(sku, 1)
    cart = sink(there).remembering(None)
    cart.read(skus)
    there.requests.clear()
    assert {one.status for one in cart.push([change(sku, 7) for sku in skus])} == {"accepted"}
    assert (len(look_ups(there)), len(writes(there))) == (5, 9)


def test_tracking_switched_off_on_the_way_is_seen_in_the_echo() -> None:
    there = shop()

    def switch_off() -> None:
        there.stop_tracking("MUG")
        there.stop_tracking("TEE-S")

    handler = on_the_way(there, switch_off)
    results = sink(there, handler=handler).push([change("MUG", 1), change("TEE-S", 1), change("CUP", 1)])
    assert said(results) == [("skipped", "untracked_in_cart", None)] * 2 + [ACCEPTED(1)]
    assert "backorders" not in results[0].message
    assert "backorders" in results[1].message


def test_a_shop_that_keeps_no_stock_at_all_is_named() -> None:
    there = shop()
    there.products.manage_stock = False
    assert states(sink(there).read(["MUG"])) == {"MUG": ("untracked", None)}
    (result,) = sink(there, untracked_policy="track").push([change("MUG", 1)])
    assert (result.status, result.reason) == ("rejected", "untracked_in_cart")
    assert "Settings > Products" in result.message


def test_a_variation_that_went_over_to_its_parents_stock_is_seen_in_the_echo() -> None:
    there = WooCommerceShop()
    there.add_variable("CAP", {"CAP-RED": 4}, quantity=20)
    handler = on_the_way(there, lambda: there.stop_tracking("CAP-RED"))
    (result,) = sink(there, handler=handler).push([change("CAP-RED", 1)])
    assert (result.status, result.reason) == ("skipped", "unmanaged_in_cart")


def test_a_quantity_that_stays_as_it_was_is_accepted_and_not_applied() -> None:
    there = shop()
    mug = {"id": there.id_of("MUG"), "manage_stock": True, "stock_quantity": 10}
    there.trouble(json_answer({"update": [mug]}), when=a_write)
    report = sync_cart(small_stock({"MUG": 4}), sink(there), SETTINGS, merchant=MERCHANT)
    assert [(one.outcome, one.reason) for one in report.outcomes] == [("pending", "accepted_not_applied")]


def test_an_answer_that_does_not_name_a_row_or_shows_no_quantity_leaves_it_pending() -> None:
    there = shop()
    mug = {"id": there.id_of("MUG"), "manage_stock": True, "stock_quantity": None}
    there.trouble(json_answer({"update": [mug]}), when=a_write)
    results = sink(there).push([change("MUG", 1), change("CUP", 1)])
    assert said(results) == [("pending", "not_echoed", None)] * 2


# One bad row


def test_a_bad_row_stands_beside_good_ones() -> None:
    there = shop()
    mug, cup = there.id_of("MUG"), there.id_of("CUP")
    broken = {"code": "product_invalid_sku", "message": "Duplicate SKU.", "data": {"status": 400}}
    good = {"id": cup, "manage_stock": True, "stock_quantity": 1}
    there.trouble(json_answer({"update": [{"id": mug, "error": broken}, good]}), when=a_write)
    results = sink(there).push([change("MUG", 1), change("CUP", 1)])
    assert said(results) == [("rejected", "row_refused", None), ACCEPTED(1)]
    assert results[0].message == "Duplicate SKU. (product_invalid_sku)"


def test_a_product_deleted_on_the_way_is_looked_up_once_more_and_not_in_the_cart() -> None:
    there = shop()
    handler = on_the_way(there, lambda: there.trash("MUG"))
    results = sink(there, handler=handler).push([change("MUG", 1), change("CUP", 1)])
    assert said(results) == [("rejected", "not_in_cart", None), ACCEPTED(1)]
    assert look_ups(there) == ["MUG,CUP", "MUG"]


def test_a_variation_that_got_another_parent_is_looked_up_once_more_and_written_there() -> None:
    there = shop()
    bench = sink(there, handler=on_the_way(there, lambda: there.move("TEE-S", there.id_of("CAP"))))
    bench = bench.remembering(None)
    bench.read(["TEE-S"])
    assert said(bench.push([change("TEE-S", 1), change("TEE-M", 1)])) == [ACCEPTED(1)] * 2
    assert writes(there)[-1] == (f"/products/{there.id_of('CAP')}/variations/batch", 1)
    assert said(bench.push([change("TEE-S", 2)])) == [ACCEPTED(2)]
    assert len(writes(there)) == 3, "the new parent is known from then on"


def test_an_id_that_the_shop_shows_and_does_not_know_is_not_asked_for_for_ever() -> None:
    there = shop()
    unknown = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": {}}
    answer = json_answer({"update": [{"id": there.id_of("MUG"), "error": unknown}]})
    there.trouble(answer, when=a_write, times=9)
    assert said(sink(there).push([change("MUG", 1)])) == [("rejected", "row_refused", None)]
    assert (len(writes(there)), len(look_ups(there))) == (1, 2)


def test_a_second_look_that_fails_leaves_what_the_shop_said() -> None:
    there = shop()
    there.trouble("unreachable", when=lambda asked: asked.first("sku") == "MUG")
    handler = on_the_way(there, lambda: there.trash("MUG"))
    results = sink(there, handler=handler).push([change("MUG", 1), change("CUP", 1)])
    assert said(results) == [("rejected", "row_refused", None), ACCEPTED(1)]


def test_a_second_write_that_does_not_come_about_is_told_of_its_row_alone() -> None:
    there = shop()
    cap = there.id_of("CAP")
    there.trouble("unreachable", when=lambda asked: asked.path.endswith(f"/{cap}/variations/batch"))
    handler = on_the_way(there, lambda: there.move("TEE-S", cap))
    results = sink(there, handler=handler).push([change("TEE-S", 1), change("TEE-M", 1)])
    assert said(results) == [("skipped", "not_sent", None), ACCEPTED(1)]


def test_a_second_write_whose_answer_is_lost_leaves_its_rows_in_doubt() -> None:
    there = shop()
    cap = there.id_of("CAP")

    def second(asked: Asked) -> bool:
        return asked.path.endswith(f"/{cap}/variations/batch")

    def move() -> None:
        there.move("TEE-S", cap)
        there.move("TEE-M", cap)

    there.trouble("lost", when=second)
    there.trouble("unreachable", when=second, times=9)
    results = sink(there, handler=on_the_way(there, move)).push([change("TEE-S", 1), change("TEE-M", 1)])
    assert said(results) == [("pending", "answer_unknown", None)] * 2


# Sizes


def test_calls_hold_50_rows_at_first_and_more_as_they_go_through() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(400)]
    for sku in skus:
        there.add(sku, 1)
    bench = sink(there, max_in_flight=1).remembering(None)
    assert len({one.status for one in bench.push([change(sku, 2) for sku in skus])}) == 1
    assert [rows for _, rows in writes(there)] == [50, 55, 60, 65, 70, 75, 25]
    bench.push([change(sku, 3) for sku in skus])
    assert [rows for _, rows in writes(there)][7:] == [80, 85, 90, 95, 50], "the run remembers"


def test_variations_of_one_parent_share_a_call_however_the_rows_are_mixed() -> None:
    there = WooCommerceShop()
    for parent in range(3):
        there.add_variable(f"T{parent}", {f"T{parent}-{size}": 1 for size in "SML"})
    rows = [change(f"T{parent}-{size}", 2) for size in "SML" for parent in range(3)]
    assert said(sink(there).push(rows)) == [ACCEPTED(2)] * 9
    assert [count for _, count in writes(there)] == [3, 3, 3]


@pytest.mark.parametrize(
    "what",
    [
        "lost",
        Response(status=500, content=b'{"code":"internal_server_error","message":"critical error"}'),
        Response(status=504, content=b"<html>gateway time-out</html>"),
        Response(status=413, content=b"<html>entity too large</html>"),
        Response(status=200, content=b"<br />Warning: something in a plugin"),
    ],
    ids=["lost", "500", "504", "413", "not json"],
)
def test_calls_that_come_to_nothing_are_halved_and_the_size_is_remembered(what: str | Response) -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(60)]
    for sku in skus:
        there.add(sku, 1)
    there.trouble(what, when=rows_above(20), times=99)
    bench = sink(there, max_in_flight=1)
    results = bench.push([change(sku, 2) for sku in skus])
    assert {one.status for one in results} == {"accepted"}
    assert [rows for _, rows in writes(there)] == [50, 25, 12, 13, 17, 8, 10]


def test_the_shops_own_limit_below_100_is_found_out() -> None:
    there = WooCommerceShop()
    there.batch_limit = 20
    skus = [f"P-{number:03}" for number in range(50)]
    for sku in skus:
        there.add(sku, 1)
    assert {one.status for one in sink(there).push([change(sku, 2) for sku in skus])} == {"accepted"}


def test_two_calls_are_under_way_at_most_and_each_is_waited_for_long() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(400)]
    for sku in skus:
        there.add(sku, 1)
    lock, under_way, most = threading.Lock(), 0, 0
    timeouts = set()

    def counted(request: Request) -> Response:
        nonlocal under_way, most
        timeouts.add(request.timeout)
        with lock:
            under_way += 1
            most = max(most, under_way)
        answer = there.handle(request)
        with lock:
            under_way -= 1
        return answer

    sink(there, handler=counted).push([change(sku, 2) for sku in skus])
    assert most <= 2
    assert timeouts == {120.0}
    with pytest.raises(InvalidValueError):
        WooCommerce(URL, key="ck_1", secret="cs_1", max_in_flight=3)


def test_the_size_of_calls_never_leaves_its_bounds() -> None:
    size = CallSize(50, 100)
    size.shrink(1)
    assert size.rows == 1
    for _ in range(99):
        size.grow(size.rows)
    assert size.rows == 100
    size.grow(3)
    assert CallSize(50, 20).rows == 20
    assert repr(size) == "CallSize(100 rows)"
    size.shrink(100)
    size.grow(49)
    assert size.rows == 50, "a call that was not full says nothing"


# What goes wrong on the way


def test_a_row_that_breaks_the_shop_ends_alone_and_the_others_go_through() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(30)]
    for sku in skus:
        there.add(sku, 1)
    poison = there.id_of("P-017")
    crash = Response(status=500, content=b"critical error")
    there.trouble(
        crash,
        when=lambda asked: a_write(asked) and poison in [row["id"] for row in asked.json()["update"]],
        times=99,
    )
    results = {one.listing_sku: one for one in sink(there).push([change(sku, 2) for sku in skus])}
    assert results.pop("P-017").reason == "answer_unknown"
    assert {one.status for one in results.values()} == {"accepted"}


def test_several_such_rows_do_not_end_the_push_while_others_go_through() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(30)]
    for sku in skus:
        there.add(sku, 1)
    poison = {there.id_of(sku) for sku in skus[::5]}
    there.trouble(
        Response(status=500, content=b"critical error"),
        when=lambda asked: a_write(asked) and bool(poison & {row["id"] for row in asked.json()["update"]}),
        times=999,
    )
    results = sink(there, max_in_flight=1).push([change(sku, 2) for sku in skus])
    assert [one.status for one in results] == (["pending"] + ["accepted"] * 4) * 6


def test_a_shop_that_refuses_every_call_is_given_up_and_nothing_is_in_doubt() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(20)]
    for sku in skus:
        there.add(sku, 1)
    no = json_answer({"code": "rest_invalid_param", "message": "No.", "data": {"status": 400}}, 400)
    there.trouble(no, when=a_write, times=999)
    results = sink(there, max_in_flight=1).push([change(sku, 2) for sku in skus])
    assert said(results) == [("rejected", "refused", None)] * 4 + [("skipped", "not_sent", None)] * 16
    assert "No." in results[-1].message


def test_a_batch_that_is_refused_as_a_whole_loses_only_the_row_to_blame() -> None:
    there = shop()
    cup = there.id_of("CUP")
    no = json_answer({"code": "rest_invalid_param", "message": "No.", "data": {"status": 400}}, 400)
    there.trouble(no, when=lambda asked: a_write(asked) and b'"id":%d' % cup in asked.content, times=99)
    results = sink(there).push([change("MUG", 1), change("CUP", 1), change("TEE-S", 1)])
    assert said(results) == [ACCEPTED(1), ("rejected", "refused", None), ACCEPTED(1)]
    assert "No. (rest_invalid_param)" in results[1].message


def test_a_lost_answer_is_harmless_since_the_rows_are_sent_again() -> None:
    there = shop()
    there.trouble("lost", when=a_write)
    results = sink(there, retry=AT_ONCE).push([change("MUG", 7), change("CUP", 7)])
    assert said(results) == [ACCEPTED(7)] * 2
    assert (there.quantity("MUG"), there.quantity("CUP")) == (7, 7)
    assert [rows for _, rows in writes(there)] == [2, 1, 1], "in halves, not once more as it was"


def test_a_single_row_is_tried_again_with_patience() -> None:
    there = shop()
    there.trouble("lost", when=a_write, times=2)
    assert said(sink(there, retry=AT_ONCE).push([change("MUG", 7)])) == [ACCEPTED(7)]
    assert len(writes(there)) == 3


def test_rows_whose_answers_stay_lost_are_pending_and_the_rest_is_not_sent() -> None:
    there = WooCommerceShop()
    skus = [f"P-{number:03}" for number in range(60)]
    for sku in skus:
        there.add(sku, 1)
    there.trouble("lost", when=a_write, times=999)
    results = sink(there, max_in_flight=1).push([change(sku, 2) for sku in skus])
    assert [one.status for one in results] == ["pending"] * 50 + ["skipped"] * 10
    assert {one.reason for one in results} == {"answer_unknown", "not_sent"}
    assert len(writes(there)) < 12, "a shop that is down is given up"


def test_a_shop_that_cannot_be_reached_raises_while_nothing_is_written() -> None:
    there = shop()
    there.trouble("unreachable", when=a_write)
    with pytest.raises(UnreachableError):
        sink(there).push([change("MUG", 1), change("CUP", 1)])


def test_a_shop_that_goes_away_after_the_first_call_leaves_the_rest_unsent() -> None:
    there = shop()
    tee = there.id_of("TEE")
    there.trouble("unreachable", when=lambda asked: asked.path.endswith(f"/{tee}/variations/batch"))
    rows = [change("MUG", 1), change("TEE-S", 1)]
    assert said(sink(there).push(rows)) == [ACCEPTED(1), ("skipped", "not_sent", None)]


def test_rows_of_a_lost_call_stay_in_doubt_when_the_shop_then_goes_away() -> None:
    there = shop()
    there.trouble("lost", when=rows_above(1))
    there.trouble("unreachable", when=a_write, times=9)
    results = sink(there).push([change("MUG", 1), change("CUP", 1)])
    assert said(results) == [("pending", "answer_unknown", None)] * 2


def test_a_shop_that_calls_too_often_is_waited_for_as_long_as_it_says() -> None:
    there = shop()
    busy = Response(status=429, headers={"retry-after": "7"}, content=b"<html>slow down</html>")
    there.trouble(busy, when=a_write)
    clock = FakeClock()
    patient = sink(there, retry=RetryPolicy())
    assert said(run_blocking(patient.push_steps([change("MUG", 1)]), clock=clock)) == [ACCEPTED(1)]
    assert clock.waited >= 7


def test_a_shop_in_maintenance_says_when_to_come_back() -> None:
    there = shop()
    away = Response(status=503, headers={"retry-after": "30"}, content=b"<html>Briefly unavailable</html>")
    there.trouble(away, when=a_write)
    clock = FakeClock()
    patient = sink(there, retry=RetryPolicy())
    run_blocking(patient.push_steps([change("MUG", 1), change("CUP", 1)]), clock=clock)
    assert clock.waited >= 30
    assert [rows for _, rows in writes(there)] == [2, 2], "it is not a matter of the size"
    there.trouble(away)
    with pytest.raises(ThrottledError, match="30 seconds"):
        sink(there).read(["MUG"])


def test_a_503_without_a_word_is_tried_again() -> None:
    there = shop()
    there.trouble(Response(status=503, content=b"<html>Service unavailable</html>"))
    assert states(sink(there, retry=AT_ONCE).read(["MUG"])) == {"MUG": ("listed", 10)}


def test_a_look_up_that_is_lost_raises() -> None:
    there = shop()
    there.trouble("lost")
    with pytest.raises(LostAnswerError):
        sink(there).push([change("MUG", 1)])
    assert writes(there) == []


def test_a_key_that_is_revoked_on_the_way_stops_the_push() -> None:
    there = shop()
    tee = there.id_of("TEE")

    def revoked(asked: Asked) -> bool:
        return asked.path.endswith(f"/{tee}/variations/batch")

    no = json_answer({"code": "woocommerce_rest_cannot_batch", "message": "Sorry.", "data": {}}, 401)
    there.trouble(no, when=revoked)
    rows = [change("MUG", 1), change("TEE-S", 1)]
    assert said(sink(there).push(rows)) == [ACCEPTED(1), ("skipped", "not_sent", None)]
    there.trouble(no, when=a_write)
    with pytest.raises(UnauthorizedError):
        sink(there).push([change("MUG", 2)])


def test_an_api_that_is_gone_is_said_before_anything_is_written() -> None:
    there = shop()
    there.trouble(Response(status=404, content=b"<html>"), when=a_write)
    with pytest.raises(SettingsError):
        sink(there).push([change("MUG", 2)])


def test_a_look_up_that_is_refused_is_told_in_the_shops_words() -> None:
    there = shop()
    there.trouble(json_answer({"code": "rest_invalid_param", "message": "Invalid parameter."}, 400))
    with pytest.raises(RefusedError, match="Invalid parameter"):
        sink(there).read(["MUG"])
