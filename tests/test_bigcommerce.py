"""The BigCommerce sink against a store in memory: what the store enforces, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fake_memory import FakeClock
from small_merchant import reading
from two_runners import RUNNERS, run_blocking

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, plan_cart, sync_cart
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    SettingsError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.messages import Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Steps
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks import _bigcommerce as api
from omsync.sinks.bigcommerce import BigCommerce
from omsync.testing.carts.bigcommerce import BigCommerceStore
from omsync.testing.carts.platform import Asked, json_answer

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
MERCHANT, CART = MerchantSettings(mode=PerWarehouse()), CartSettings(name="bc")
ADJUST, ITEMS = "/inventory/adjustments/absolute", "/inventory/items"


def store(**options: Any) -> BigCommerceStore:
    there = BigCommerceStore(**options)
    there.add("MUG", 10)
    there.add("MUG", 5, location=2)
    there.add("CUP", 3)
    there.add("NEW", None)
    return there


def sink(there: BigCommerceStore, **options: Any) -> BigCommerce:
    options = {"token": there.token, "location": "MAIN", "retry": ONCE, "handler": there.handle, **options}
    options.setdefault("quota_per_window", 1_000_000)
    return BigCommerce("abc123", **options)


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def said(results: Sequence[PushResult]) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in results]


def at(listings: Sequence[CartListing], location_id: str | None = None) -> dict[str, int | None]:
    return {one.listing_sku: one.quantity for one in listings if one.location_id == location_id}


def calls(there: BigCommerceStore, ending: str) -> list[Asked]:
    return [asked for asked in there.requests if asked.path.endswith(ending)]


def on(ending: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path.endswith(ending)


def stock(**figures: int) -> InventorySnapshot:
    return reading({sku: {"1": units} for sku, units in figures.items()})


def test_bigcommerce_is_a_cart_sink_whose_destination_holds_no_secret() -> None:
    there = sink(store())
    assert isinstance(there, CartSink)
    assert there.capabilities.destination == "bigcommerce store abc123"
    assert "bigcommerce-test-token" not in repr(there)
    assert BigCommerce("abc123", token="t").capabilities.calls_per_second == 5.0


def test_the_capabilities_say_what_bigcommerce_can_do() -> None:
    able = BigCommerce("abc123", token="t").capabilities
    assert (able.rows_per_push, able.grouping, able.max_in_flight) == (2000, "by_location", 1)
    assert (able.completion, able.atomicity, able.compare_and_set) == ("eventual", "call", "blind")
    assert (able.max_quantity, able.quantity_meaning) == (2**31 - 1, "available")
    assert BigCommerce("abc123", token="t", safety_stock="add").capabilities.quantity_meaning == "on_hand"
    assert BigCommerce("abc123", token="t", quota_per_window=450).capabilities.calls_per_second == 15.0


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_quantities_are_set_by_sku_and_location_in_one_call(
    run: Callable[[Steps[list[PushResult]]], list[PushResult]],
) -> None:
    there = store()
    assert said(run(sink(there).push_steps([change("MUG", 7), change("CUP", 0)]))) == [("accepted", "")] * 2
    assert (there.quantity("MUG"), there.quantity("MUG", 2), there.quantity("CUP")) == (7, 5, 0)
    (adjusted,) = calls(there, ADJUST)
    assert adjusted.json() == {
        "reason": "omsync",
        "items": [
            {"location_id": 1, "sku": "MUG", "quantity": 7},
            {"location_id": 1, "sku": "CUP", "quantity": 0},
        ],
    }


def test_the_same_goes_over_real_http() -> None:
    there = store()
    with there.serve() as server:
        online = sink(there, url=server.base_url, handler=None)
        assert said(online.push([change("MUG", 8)])) == [("accepted", "")]
        assert at(online.read(["MUG"]))["MUG"] == 8


def test_a_read_gives_what_is_on_hand_under_each_name_of_a_location() -> None:
    there = store()
    listings = sink(there).read(["MUG", "NEW"])
    assert at(listings)["MUG"] == at(listings, "1")["MUG"] == at(listings, "Main warehouse")["MUG"] == 10
    assert at(listings, "EAST") == {"MUG": 5, "NEW": None}


def test_listings_that_only_the_store_has_are_counted_and_pages_are_read_to_their_end() -> None:
    there = store()
    there.page_size = 2
    assert set(at(sink(there).read(["MUG"]))) == {"MUG", "CUP", "NEW"}
    assert [asked.first("page") for asked in calls(there, ITEMS)] == ["1", "2"]
    asked_for = sink(there, lists_all=False).read(["MUG", "CUP", "NEW", "GONE"])
    assert set(at(asked_for)) == {"MUG", "CUP", "NEW"}
    assert [asked.first("sku:in") for asked in calls(there, ITEMS)[2:]] == ["MUG,CUP,NEW,GONE"] * 2


def test_more_skus_than_a_query_holds_are_looked_up_in_several_calls() -> None:
    there = BigCommerceStore()
    for number in range(250):
        there.add(f"SKU-{number:03}", number)
    asked = [f"SKU-{number:03}" for number in range(250)]
    assert len(at(sink(there, lists_all=False).read(asked))) == 250
    assert len(calls(there, ITEMS)) == 3


@pytest.mark.parametrize("lists_all", [True, False])
def test_a_sku_with_a_comma_is_found_among_all_items(lists_all: bool) -> None:
    there = store()
    there.add("plate, 24 cm", 4)
    shop = sink(there, lists_all=lists_all)
    assert at(shop.read(["plate, 24 cm", "MUG"]))["plate, 24 cm"] == 4
    assert said(shop.push([change("plate, 24 cm", 9)])) == [("accepted", "")]
    assert said(sink(there).push([change("plate, 24 cm", 8), change("plate", 1)])) == [
        ("accepted", ""),
        ("rejected", "not_in_cart"),
    ]
    assert there.quantity("plate, 24 cm") == 8


def test_a_location_list_of_several_pages_is_read_whole() -> None:
    there = store()
    there.page_size = 1
    assert at(sink(there, location="EAST").read(["MUG"]))["MUG"] == 5


def test_a_first_adjustment_makes_the_stock_that_was_never_set() -> None:
    there = store()
    assert said(sink(there).push([change("NEW", 6)])) == [("accepted", "")]
    assert there.quantity("NEW") == 6


def test_what_was_taken_shows_later_and_the_next_run_sees_it() -> None:
    there = store(eventual=True)
    first = sync_cart(stock(MUG=12, CUP=3, GONE=1), sink(there), CART, merchant=MERCHANT)
    assert first.counts == {"pending": 1, "unchanged": 1, "skipped": 1}
    assert {one.reason for one in first.outcomes if one.outcome == "pending"} == {"accepted"}
    assert first.cart_only == ("NEW",)
    there.settle()
    second = sync_cart(stock(MUG=12, CUP=3, GONE=1), sink(there), CART, merchant=MERCHANT)
    assert second.counts == {"unchanged": 2, "skipped": 1}


def test_waiting_and_reading_back_turns_taken_into_applied() -> None:
    there, clock = store(), FakeClock()
    results = sink(there, verify_after=30, clock=clock).push([change("MUG", 7), change("GONE", 1)])
    assert [one.echo for one in results] == [7, None]
    assert clock.waited == 30
    slow = store(eventual=True)
    (late,) = sink(slow, verify_after=30, clock=FakeClock()).push([change("MUG", 7)])
    assert (late.status, late.echo) == ("accepted", None)


def test_a_read_back_that_fails_leaves_what_was_taken_taken() -> None:
    there = store()
    seen: list[Asked] = []

    def second_look(asked: Asked) -> bool:
        if asked.path.endswith(ITEMS):
            seen.append(asked)
        return len(seen) == 2 and asked.path.endswith(ITEMS)

    there.trouble("unreachable", when=second_look)
    (result,) = sink(there, verify_after=1, clock=FakeClock()).push([change("MUG", 7)])
    assert (result.status, result.echo) == ("accepted", None)


def test_an_item_whose_row_has_gone_since_is_not_shown_as_applied() -> None:
    there = store()
    clock = FakeClock()

    def remove(seconds: float) -> None:
        clock.waited += seconds
        there.remove("MUG")

    clock.sleep = remove  # type: ignore[method-assign]  # the wait is where others act
    (result,) = sink(there, verify_after=1, clock=clock).push([change("MUG", 7)])
    assert (result.status, result.echo) == ("accepted", None)


def test_a_breakdown_goes_location_by_location_one_call_each() -> None:
    there = store()
    rows = [change("MUG", 1, "MAIN"), change("MUG", 2, "East warehouse"), change("CUP", 3, "2")]
    results = sink(there).push([*rows, change("MUG", 9, "moon")])
    assert said(results) == [("accepted", "")] * 3 + [("rejected", "unknown_location")]
    assert [{row["location_id"] for row in asked.json()["items"]} for asked in calls(there, ADJUST)] == [
        {1},
        {2},
    ]


def test_a_plan_by_location_warns_that_the_storefront_sells_the_default_location_only() -> None:
    there = store()
    cart = CartSettings(name="bc", breakdown=True, location_map={"1": "EAST"})
    plan = plan_cart(stock(MUG=1), sink(there), cart, merchant=MERCHANT)
    (notice,) = [notice for notice in plan.notices if notice.reason == "default_location_sells"]
    assert notice.entries == ("EAST",)
    summed = plan_cart(stock(MUG=1), sink(there, aggregated_stock=True), cart, merchant=MERCHANT)
    assert "default_location_sells" not in {notice.reason for notice in summed.notices}


def test_the_stores_safety_stock_is_kept_back_or_added() -> None:
    there = BigCommerceStore()
    there.add("MUG", 10, safety_stock=3)
    sync_cart(stock(MUG=12), sink(there), CART, merchant=MERCHANT)
    assert (there.quantity("MUG"), there.available("MUG")) == (12, 9)
    sync_cart(stock(MUG=12), sink(there, safety_stock="add"), CART, merchant=MERCHANT)
    assert (there.quantity("MUG"), there.available("MUG")) == (15, 12)
    third = sync_cart(stock(MUG=12), sink(there, safety_stock="add"), CART, merchant=MERCHANT)
    assert third.counts == {"unchanged": 1}


def test_what_is_compared_is_what_stands_on_hand_and_not_what_is_for_sale() -> None:
    there = BigCommerceStore()
    there.add("MUG", 12, safety_stock=3)
    assert (at(sink(there).read(["MUG"]))["MUG"], there.available("MUG")) == (12, 9)
    report = sync_cart(stock(MUG=12), sink(there), CART, merchant=MERCHANT)
    assert report.counts == {"unchanged": 1}


def test_a_sale_is_subtracted_by_the_store_at_once() -> None:
    there = store()
    there.sell("MUG", 4)
    assert at(sink(there).read(["MUG"]))["MUG"] == 6


def test_an_unknown_sku_is_never_sent_since_nobody_knows_what_the_store_would_do() -> None:
    there = store()
    assert said(sink(there).push([change("GONE", 1), change("MUG", 1)])) == [
        ("rejected", "not_in_cart"),
        ("accepted", ""),
    ]
    assert [row["sku"] for row in calls(there, ADJUST)[0].json()["items"]] == ["MUG"]
    assert said(sink(there).push([change("mug", 1)])) == [("rejected", "not_in_cart")]


def test_the_row_that_a_422_names_is_dropped_and_the_rest_sent_again() -> None:
    there = store()
    shop = sink(there)
    shop.read(["MUG", "CUP", "NEW"])
    there.remove("CUP")
    results = shop.push([change("MUG", 4), change("CUP", 1), change("NEW", 2)])
    assert said(results) == [("accepted", ""), ("rejected", "row_refused"), ("accepted", "")]
    assert (there.quantity("MUG"), there.quantity("NEW")) == (4, 2)
    assert len(calls(there, ADJUST)) == 2


def test_a_422_that_names_no_row_is_halved_until_the_bad_row_stands_alone() -> None:
    there = store()
    nameless = json_answer({"status": 422, "title": "Something is wrong."}, 422)
    there.trouble(
        nameless, when=lambda asked: asked.path.endswith(ADJUST) and b'"CUP"' in asked.content, times=9
    )
    results = sink(there).push([change("MUG", 4), change("CUP", 1), change("NEW", 2)])
    assert said(results) == [("accepted", ""), ("rejected", "row_refused"), ("accepted", "")]
    assert results[1].message == "Something is wrong."


def test_a_422_without_a_title_is_quoted() -> None:
    there = store()
    there.trouble(json_answer({"status": 422}, 422), when=on(ADJUST))
    (result,) = sink(there).push([change("MUG", 4)])
    assert "422" in result.message


def test_an_item_tracked_by_its_product_is_named_by_the_product() -> None:
    there = store()
    there.add("POSTER", 5, by_product=True)
    results = sink(there).push([change("MUG", 4), change("POSTER", 9)])
    assert said(results) == [("accepted", ""), ("accepted", "")]
    assert there.quantity("POSTER") == 9


def test_variants_that_share_their_products_stock_are_the_stores_own_matter() -> None:
    there = store()
    there.add("TEE-S", 5, by_product=True, product_id=77)
    there.add("TEE-M", 5, by_product=True, product_id=77)
    results = sink(there).push([change("TEE-S", 4), change("TEE-M", 3), change("MUG", 2)])
    assert said(results) == [("rejected", "unmanaged_in_cart")] * 2 + [("accepted", "")]
    assert there.quantity("TEE-S") == 5
    assert said(sink(there).push([change("TEE-S", 4)])) == [("rejected", "unmanaged_in_cart")]
    assert there.quantity("TEE-S") == 5


def test_while_nobody_knows_which_variants_share_a_products_stock_it_is_not_written() -> None:
    there = store()
    there.add("POSTER", 5, by_product=True)
    there.trouble("unreachable", when=lambda asked: asked.first("product_id:in") != "")
    assert said(sink(there).push([change("POSTER", 9)])) == [("rejected", "unmanaged_in_cart")]
    assert there.quantity("POSTER") == 5


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("lost", ("pending", "answer_unknown")),
        (json_answer({"status": 422, "title": "No."}, 422), ("rejected", "row_refused")),
    ],
)
def test_a_second_try_by_product_that_fails_concerns_its_own_row(
    trouble: Any, expected: tuple[str, str]
) -> None:
    there = store()
    there.add("POSTER", 5, by_product=True)
    there.trouble(trouble, when=lambda asked: b"product_id" in asked.content)
    assert said(sink(there).push([change("POSTER", 9), change("MUG", 1)])) == [expected, ("accepted", "")]


def test_a_failure_at_a_second_location_is_told_row_by_row() -> None:
    there = store()
    there.trouble("unreachable", when=lambda asked: b'"location_id":2' in asked.content)
    results = sink(there).push([change("MUG", 1, "MAIN"), change("MUG", 2, "EAST")])
    assert said(results) == [("accepted", ""), ("skipped", "not_sent")]


def test_an_unreachable_store_writes_nothing() -> None:
    there = store()
    there.trouble("unreachable", when=on(ADJUST), times=9)
    with pytest.raises(UnreachableError):
        sink(there).push([change("MUG", 1)])


def test_a_lost_answer_leaves_rows_in_doubt_and_sending_them_again_is_harmless() -> None:
    there = store()
    there.trouble("lost", when=on(ADJUST))
    with pytest.raises(LostAnswerError):
        sink(there).push([change("MUG", 7)])
    assert there.quantity("MUG") == 7
    there.trouble("lost", when=on(ADJUST))
    assert said(sink(there, retry=AT_ONCE).push([change("MUG", 7)])) == [("accepted", "")]


def test_a_throttled_call_waits_until_the_quota_begins_anew() -> None:
    clock = FakeClock()
    there = store(quota=2, now=lambda: clock.waited)
    there.spend(2)
    shop = sink(there, retry=RetryPolicy(attempts=3))
    results = run_blocking(shop.push_steps([change("MUG", 7)]), clock=clock)
    assert said(results) == [("accepted", "")]
    # Two windows for five calls; in the second one too little is left, and that is foreseen.
    assert 59 <= clock.waited <= 62


def test_a_429_without_the_quotas_headers_is_an_overload_and_asks_for_a_longer_pause() -> None:
    there = store()
    there.trouble(Response(status=429), when=on(ITEMS))
    with pytest.raises(ThrottledError) as caught:
        sink(there).read(["MUG"])
    assert caught.value.retry_after == 30.0


def test_omsync_itself_stays_below_the_stores_quota() -> None:
    clock = FakeClock()
    there = store(quota=150, now=lambda: clock.waited)
    for number in range(400):
        there.add(f"SKU-{number:03}", 0)
        there.locations[number + 10] = (f"L{number}", f"Location {number}")
    shop = sink(there, quota_per_window=150, location="MAIN")
    rows = [change("MUG", 1, f"L{number}") for number in range(400)]
    assert {one.status for one in run_blocking(shop.push_steps(rows), clock=clock)} == {"accepted"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_unauthorized_and_names_the_scopes(status: int) -> None:
    there = store()
    with pytest.raises(UnauthorizedError, match="store_inventory"):
        sink(there, token="wrong").read(["MUG"])
    there.trouble(json_answer({"status": status}, status))
    with pytest.raises(UnauthorizedError):
        sink(there).push([change("MUG", 1)])


def test_a_wrong_store_hash_is_a_wrong_setting() -> None:
    there = store()
    with pytest.raises(SettingsError, match="no such store"):
        BigCommerce("zzz", token=there.token, handler=there.handle).read(["MUG"])


def test_an_answer_that_is_not_what_is_documented_is_named() -> None:
    there = store()
    there.trouble(json_answer({"data": [{"id": "1"}], "meta": {}}), when=on("/inventory/locations"))
    with pytest.raises(DecodeError, match=r"data\[0\]\.id must be a whole number, not '1'"):
        sink(there).read(["MUG"])
    there.trouble(json_answer({"title": "Teapot"}, 418), when=on("/inventory/locations"))
    with pytest.raises(RefusedError, match="418"):
        sink(there).read(["MUG"])


def test_a_store_with_several_locations_must_be_told_which() -> None:
    there = store()
    with pytest.raises(SettingsError, match="rows name none") as caught:
        sink(there, location=None).push([change("MUG", 1)])
    assert "'East warehouse' (id 2)" in str(caught.value)
    with pytest.raises(SettingsError, match="no one location 'moon'"):
        sink(there, location="moon").read(["MUG"])
    assert "MUG" not in at(sink(there, location=None).read(["MUG"]))
    del there.locations[2]
    there.remove("MUG")
    assert said(sink(there, location=None).push([change("CUP", 1)])) == [("accepted", "")]


def test_contradicting_rows_and_quantities_out_of_range_are_not_sent() -> None:
    there = store()
    results = sink(there).push(
        [change("MUG", 1), change("MUG", 2, "MAIN"), change("CUP", 2**31), change("NEW", 1)]
    )
    assert said(results) == [
        ("rejected", "contradiction"),
        ("rejected", "contradiction"),
        ("rejected", "out_of_range"),
        ("accepted", ""),
    ]


def test_a_negative_or_fractional_quantity_cannot_even_be_written_down() -> None:
    with pytest.raises(InvalidValueError, match="at least 0"):
        change("MUG", -1)
    for wrong in (1.5, True, "5", None):
        with pytest.raises(WrongTypeError, match="whole number"):
            change("MUG", wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_push_within_a_run_asks_only_for_skus_that_the_read_has_not_shown() -> None:
    there = store()
    shop = sink(there).remembering(None)
    shop.read(["MUG"])
    shop.push([change("MUG", 1)])
    assert len(calls(there, ITEMS)) == 1
    sink(there).push([change("MUG", 2)])
    assert len(calls(there, ITEMS)) == 2


def test_an_empty_push_asks_nothing() -> None:
    there = store()
    assert sink(there).push([]) == []
    assert there.requests == []


@pytest.mark.parametrize(
    "options",
    [{"store_hash": "a/b"}, {"store_hash": ""}, {"token": ""}, {"verify_after": -1}, {"url": "shop"}],
)
def test_settings_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OmsyncError):
        BigCommerce(**{"store_hash": "abc123", "token": "t", **options})


def test_the_store_refuses_what_the_vendor_says_it_refuses() -> None:
    there = store()
    access = api.Access(url="https://api.bigcommerce.com/stores/abc123/v3", token=there.token)

    def adjust(*items: Any) -> Response:
        return there.handle(access.put(ADJUST, {"reason": "r", "items": list(items)}))

    row = {"location_id": 1, "sku": "MUG", "quantity": 1}
    assert adjust(row).status == 200
    assert adjust(*[row] * 2001).status == 422
    for wrong in (
        {**row, "product_id": 1001},
        {**row, "location_id": 9},
        {**row, "quantity": -1},
        {**row, "quantity": 2**31},
    ):
        assert adjust(wrong).status == 422
    assert there.handle(access.get("/nonsense")).status == 404
    assert there.quantity("NO-SUCH") is None
    assert there.available("NEW") is None
