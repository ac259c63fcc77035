"""The Saleor sink against a Saleor in memory: what the shop enforces, and what the sink makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from small_merchant import reading
from two_runners import RUNNERS, run_blocking

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, sync_cart
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    SettingsError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Steps
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks import _saleor as api
from omsync.sinks.saleor import Saleor
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.carts.saleor import SaleorShop

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
URL = "https://shop.example/graphql/"


def shop() -> SaleorShop:
    there = SaleorShop()
    there.add("MUG", 10)
    there.add("MUG", 5, warehouse="east")
    there.add("CUP", 3)
    there.add("FLYER", 0, tracked=False)
    there.add("NEW")
    return there


def sink(there: SaleorShop, **options: Any) -> Saleor:
    options = {"token": there.token, "warehouse": "main", "retry": ONCE, "handler": there.handle, **options}
    return Saleor(URL, **options)


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def said(results: list[PushResult]) -> list[tuple[str, str, int | None]]:
    return [(one.status, one.reason, one.echo) for one in results]


def at(
    listings: list[CartListing], location_id: str | None = None
) -> dict[str, tuple[int | None, int | None]]:
    return {
        one.listing_sku: (one.quantity, one.allocated) for one in listings if one.location_id == location_id
    }


def mutations(there: SaleorShop, name: str) -> list[Mapping[str, Any]]:
    return [asked.json()["variables"] for asked in there.requests if name in asked.json()["query"]]


def test_saleor_is_a_cart_sink_whose_destination_holds_no_secret() -> None:
    there = sink(shop())
    assert isinstance(there, CartSink)
    assert there.capabilities.destination == "saleor at shop.example"
    assert there.capabilities.quantity_meaning == "on_hand"
    assert "saleor-test-token" not in repr(there)


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_the_quantity_with_allocated_units_arrives_and_is_echoed(
    run: Callable[[Steps[list[PushResult]]], list[PushResult]],
) -> None:
    there = shop()
    assert said(run(sink(there).push_steps([change("MUG", 7), change("CUP", 0)]))) == [
        ("accepted", "", 7),
        ("accepted", "", 0),
    ]
    assert (there.quantity("MUG"), there.quantity("MUG", "east"), there.quantity("CUP")) == (7, 5, 0)


def test_the_same_goes_over_real_http() -> None:
    there = shop()
    with there.serve() as server:
        online = Saleor(f"{server.base_url}/graphql/", token=there.token, warehouse="main")
        assert said(online.push([change("MUG", 8)])) == [("accepted", "", 8)]
        assert at(online.read(["MUG"]))["MUG"] == (8, 0)


def test_a_read_gives_every_warehouse_under_each_of_its_names() -> None:
    there = shop()
    there.order("MUG", 4)
    listings = sink(there).read(["MUG"])
    assert at(listings)["MUG"] == (10, 4)
    assert at(listings, "east")["MUG"] == (5, 0)
    assert at(listings, "Main")["MUG"] == (10, 4)
    main = next(one.location_id for one in listings if one.same_as is None)
    assert main in there.warehouses


def test_a_variant_without_a_stock_shows_0_and_the_stock_is_made_by_the_push() -> None:
    there = shop()
    assert at(sink(there).read(["NEW"]))["NEW"] == (0, 0)
    assert said(sink(there).push([change("NEW", 6), change("CUP", 1)])) == [
        ("accepted", "", 6),
        ("accepted", "", 1),
    ]
    assert there.quantity("NEW") == 6


def test_listings_that_only_the_shop_has_are_named_or_not_asked_for() -> None:
    there = shop()
    everything = {one.listing_sku: one.state for one in sink(there).read(["MUG"])}
    assert everything == {"MUG": "listed", "CUP": "listed", "FLYER": "untracked", "NEW": "listed"}
    assert {one.listing_sku for one in sink(there, lists_all=False).read(["MUG"])} == {"MUG"}


def test_more_than_a_page_of_variants_is_read_to_its_end() -> None:
    there = SaleorShop()
    for number in range(230):
        there.add(f"SKU-{number:03}", number)
    asked = [f"SKU-{number:03}" for number in range(150)]
    listings = sink(there).read(asked)
    assert at(listings)["SKU-149"] == (149, 0)
    assert len({one.listing_sku for one in listings}) == 230


def test_units_of_open_orders_are_added_to_what_is_sent() -> None:
    there = shop()
    there.order("MUG", 4)
    report = sync_cart(
        small_stock({"MUG": 12}),
        sink(there),
        CartSettings(name="shop"),
        merchant=MerchantSettings(mode=PerWarehouse()),
    )
    assert report.counts == {"applied": 1}
    assert (there.quantity("MUG"), there.available("MUG")) == (16, 12)


def small_stock(figures: Mapping[str, int]) -> InventorySnapshot:
    return reading({sku: {"1": units} for sku, units in figures.items()})


def test_a_second_run_finds_nothing_to_do() -> None:
    there = shop()
    settings, merchant = CartSettings(name="shop"), MerchantSettings(mode=PerWarehouse())
    stock = small_stock({"MUG": 12, "CUP": 3, "FLYER": 9, "GONE": 1})
    first = sync_cart(stock, sink(there), settings, merchant=merchant)
    assert {(one.listing_sku, one.outcome, one.reason) for one in first.outcomes} == {
        ("MUG", "applied", ""),
        ("CUP", "unchanged", ""),
        ("FLYER", "skipped", "untracked_in_cart"),
        ("GONE", "skipped", "not_in_cart"),
    }
    assert first.cart_only == ("NEW",)
    second = sync_cart(stock, sink(there), settings, merchant=merchant)
    assert second.counts == {"unchanged": 2, "skipped": 2}


def test_a_breakdown_goes_to_the_warehouses_that_the_location_map_names() -> None:
    there = shop()
    results = sink(there).push([change("MUG", 1, "main"), change("MUG", 2, "East"), change("MUG", 3, "moon")])
    assert said(results) == [("accepted", "", 1), ("accepted", "", 2), ("rejected", "unknown_location", None)]
    assert (there.quantity("MUG"), there.quantity("MUG", "east")) == (1, 2)


def test_two_rows_that_contradict_each_other_are_both_refused() -> None:
    there = shop()
    results = sink(there).push([change("MUG", 1), change("MUG", 2, "Main"), change("CUP", 1)])
    assert said(results) == [
        ("rejected", "contradiction", None),
        ("rejected", "contradiction", None),
        ("accepted", "", 1),
    ]
    assert there.quantity("MUG") == 10


def test_a_shop_with_several_warehouses_must_be_told_which() -> None:
    there = shop()
    with pytest.raises(SettingsError, match="rows name none") as caught:
        sink(there, warehouse=None).push([change("MUG", 1)])
    assert "'East' (east)" in str(caught.value)
    with pytest.raises(SettingsError, match="no one warehouse 'moon'"):
        sink(there, warehouse="moon").read(["MUG"])
    assert "MUG" not in at(sink(there, warehouse=None).read(["MUG"]))


def test_a_shop_with_one_warehouse_needs_no_name() -> None:
    there = shop()
    del there.warehouses[next(key for key, slug in there.warehouses.items() if slug == "east")]
    there.remove("MUG")
    assert said(sink(there, warehouse=None).push([change("CUP", 1)])) == [("accepted", "", 1)]


@pytest.mark.parametrize("policy", ["REJECT_FAILED_ROWS", "IGNORE_FAILED", "REJECT_EVERYTHING"])
def test_one_bad_row_does_not_keep_the_others_from_being_written(policy: str) -> None:
    there = shop()
    seen: list[str] = []

    def remove_on_the_way(request: Request) -> Response:
        if b"stockBulkUpdate" in (request.content or b"") and not seen:
            seen.append("removed")
            there.remove("CUP")
        return there.handle(request)

    results = sink(there, handler=remove_on_the_way, error_policy=policy).push(
        [change("CUP", 2), change("MUG", 7)]
    )
    assert said(results) == [("rejected", "row_refused", None), ("accepted", "", 7)]
    assert "NOT_FOUND" in results[0].message
    assert there.quantity("MUG") == 7


def test_good_rows_beside_a_bad_one_come_back_without_error_and_are_not_taken_for_written() -> None:
    there = shop()
    access = api.Access(url=URL, token=there.token)
    good = api.Row(variant_id=variant_id(there, "MUG"), warehouse_id=main(there), quantity=50)
    bad = api.Row(variant_id=variant_id(there, "NEW"), warehouse_id=main(there), quantity=1)
    raw = there.handle(access.ask(api.UPDATE, stocks=[good.wire, bad.wire], policy="REJECT_EVERYTHING"))
    assert raw.json()["data"]["stockBulkUpdate"] == {
        "count": 0,
        "results": [
            {"stock": None, "errors": []},
            {
                "stock": None,
                "errors": [{"field": None, "message": "Stock was not found.", "code": "NOT_FOUND"}],
            },
        ],
        "errors": [],
    }
    assert there.quantity("MUG") == 10


def variant_id(there: SaleorShop, sku: str) -> str:
    request = api.Access(url=URL, token=there.token).ask(api.FIND, skus=[sku])
    return str(there.handle(request).json()["data"]["productVariants"]["edges"][0]["node"]["id"])


def main(there: SaleorShop) -> str:
    return next(key for key, slug in there.warehouses.items() if slug == "main")


def test_a_shop_that_writes_nothing_and_says_nothing_leaves_the_row_pending() -> None:
    there = shop()
    nothing: Any = {"results": [{"stock": None, "errors": []}], "errors": []}
    there.trouble(
        json_answer({"data": {"stockBulkUpdate": nothing}}),
        when=lambda asked: b"stockBulkUpdate" in asked.content,
    )
    assert said(sink(there).push([change("MUG", 1)])) == [("pending", "not_echoed", None)]


def test_an_answer_with_fewer_rows_than_were_sent_leaves_all_in_doubt() -> None:
    there = shop()
    there.trouble(
        json_answer({"data": {"stockBulkUpdate": {"results": [], "errors": []}}}),
        when=lambda asked: b"stockBulkUpdate" in asked.content,
    )
    with pytest.raises(LostAnswerError, match="1 rows sent, 0 answered"):
        sink(there).push([change("MUG", 1)])


def test_an_error_about_the_whole_batch_refuses_it() -> None:
    there = shop()
    whole = {"results": [], "errors": [{"field": "stocks", "message": "No.", "code": "REQUIRED"}]}
    there.trouble(
        json_answer({"data": {"stockBulkUpdate": whole}}),
        when=lambda asked: b"stockBulkUpdate" in asked.content,
    )
    with pytest.raises(RefusedError, match=r"No\. \(REQUIRED\)"):
        sink(there).push([change("MUG", 1)])


def test_a_wrong_token_is_unauthorized_although_saleor_says_200() -> None:
    there = shop()
    raw = there.handle(api.Access(url=URL, token="wrong").ask(api.FIND, skus=["MUG"]))
    assert raw.status == 200
    with pytest.raises(UnauthorizedError, match="MANAGE_PRODUCTS") as caught:
        sink(there, token="wrong").read(["MUG"])
    assert caught.value.remedy


def test_a_token_without_the_permission_is_answered_alike() -> None:
    there = shop()
    there.permitted = False
    with pytest.raises(UnauthorizedError):
        sink(there).push([change("MUG", 1)])


@pytest.mark.parametrize("status", [401, 403])
def test_a_proxy_that_refuses_is_unauthorized_too(status: int) -> None:
    there = shop()
    there.trouble(Response(status=status))
    with pytest.raises(UnauthorizedError):
        sink(there).read(["MUG"])


def test_a_wrong_address_is_told_from_a_wrong_token() -> None:
    there = shop()
    with pytest.raises(RefusedError, match="404") as caught:
        Saleor("https://shop.example/api", token=there.token, handler=there.handle).read(["MUG"])
    assert caught.value.code == "no_graphql_api"


def test_an_answer_that_is_no_graphql_is_named() -> None:
    there = shop()
    there.trouble(Response(status=200, content=b"<html>maintenance</html>"))
    with pytest.raises(DecodeError, match="HTML"):
        sink(there).read(["MUG"])


def test_a_lost_answer_leaves_rows_in_doubt_and_sending_them_again_is_harmless() -> None:
    there = shop()
    writes: Callable[[Asked], bool] = lambda asked: b"stockBulkUpdate" in asked.content  # noqa: E731  a word for it
    there.trouble("lost", when=writes)
    with pytest.raises(LostAnswerError):
        sink(there).push([change("MUG", 7)])
    assert there.quantity("MUG") == 7
    there.trouble("lost", when=writes)
    assert said(sink(there, retry=AT_ONCE).push([change("MUG", 7)])) == [("accepted", "", 7)]


def test_an_unreachable_shop_writes_nothing_and_says_so() -> None:
    there = shop()
    there.trouble("unreachable", times=9)
    with pytest.raises(UnreachableError):
        sink(there).push([change("MUG", 7)])


def test_an_answer_that_breaks_off_inside_means_that_it_may_have_been_carried_out() -> None:
    there = shop()
    inside = {"message": "Boom", "path": ["stockBulkUpdate", "results", 0], "extensions": {}}
    there.trouble(
        json_answer({"errors": [inside], "data": None}),
        when=lambda asked: b"stockBulkUpdate" in asked.content,
    )
    with pytest.raises(LostAnswerError, match="Boom"):
        sink(there).push([change("MUG", 7)])


def test_a_stock_that_vanishes_on_the_way_is_made_again() -> None:
    there = shop()
    not_found = {"field": None, "message": "Stock was not found.", "code": "NOT_FOUND"}
    there.trouble(
        json_answer(
            {"data": {"stockBulkUpdate": {"results": [{"stock": None, "errors": [not_found]}], "errors": []}}}
        ),
        when=lambda asked: b"stockBulkUpdate" in asked.content,
    )
    assert said(sink(there).push([change("MUG", 7)])) == [("accepted", "", 7)]
    assert len(mutations(there, "productVariantStocksUpdate")) == 1


def test_after_a_first_part_was_written_a_failure_is_told_row_by_row() -> None:
    there = shop()
    there.trouble("unreachable", when=lambda asked: b"productVariantStocksUpdate" in asked.content)
    assert said(sink(there).push([change("MUG", 7), change("NEW", 1)])) == [
        ("accepted", "", 7),
        ("skipped", "not_sent", None),
    ]


def test_when_only_new_stocks_are_made_a_failure_concerns_the_whole_push() -> None:
    there = shop()
    there.trouble("unreachable", when=lambda asked: b"productVariantStocksUpdate" in asked.content)
    with pytest.raises(UnreachableError):
        sink(there).push([change("NEW", 1)])


def test_a_new_stock_that_is_refused_is_its_own_rows_matter() -> None:
    there = shop()
    there.trouble(
        json_answer({"errors": [{"message": "No.", "extensions": {"code": "X"}}], "data": None}),
        when=lambda asked: b"productVariantStocksUpdate" in asked.content,
    )
    assert said(sink(there).push([change("NEW", 1)])) == [("rejected", "row_refused", None)]


def test_a_new_stock_that_the_answer_does_not_show_is_pending() -> None:
    there = shop()
    empty = {"productVariant": {"stocks": []}, "errors": []}
    there.trouble(
        json_answer({"data": {"productVariantStocksUpdate": empty}}),
        when=lambda asked: b"productVariantStocksUpdate" in asked.content,
    )
    assert said(sink(there).push([change("NEW", 1)])) == [("pending", "not_echoed", None)]


def test_an_untracked_variant_is_skipped_refused_or_tracking_is_switched_on() -> None:
    there = shop()
    assert said(sink(there).push([change("FLYER", 5)])) == [("skipped", "untracked_in_cart", None)]
    assert said(sink(there, untracked_policy="error").push([change("FLYER", 5)])) == [
        ("rejected", "untracked_in_cart", None)
    ]
    assert there.quantity("FLYER") == 0
    assert said(sink(there, untracked_policy="track").push([change("FLYER", 5), change("MUG", 1)])) == [
        ("accepted", "", 5),
        ("accepted", "", 1),
    ]
    assert there.tracks("FLYER")


@pytest.mark.parametrize(
    "answer",
    [
        {"productVariant": None, "errors": [{"field": "id", "message": "No.", "code": "NOT_FOUND"}]},
        {"productVariant": {"id": "x", "trackInventory": False}, "errors": []},
    ],
)
def test_a_variant_whose_tracking_cannot_be_switched_on_is_not_written(answer: Any) -> None:
    there = shop()
    there.trouble(
        json_answer({"data": {"productVariantUpdate": answer}}),
        when=lambda asked: b"productVariantUpdate" in asked.content,
    )
    results = sink(there, untracked_policy="track").push([change("FLYER", 5), change("MUG", 1)])
    assert [one.status for one in results] == ["rejected", "accepted"]
    assert there.quantity("FLYER") == 0


def test_a_quantity_beyond_32_bits_is_never_sent_since_the_shop_refuses_the_whole_request() -> None:
    there = shop()
    assert said(sink(there).push([change("MUG", 2**31), change("CUP", 1)])) == [
        ("rejected", "out_of_range", None),
        ("accepted", "", 1),
    ]
    raw = api.Row(variant_id=variant_id(there, "MUG"), warehouse_id=main(there), quantity=2**31)
    access = api.Access(url=URL, token=there.token)
    assert there.handle(access.ask(api.UPDATE, stocks=[raw.wire], policy="IGNORE_FAILED")).status == 400
    with pytest.raises(RefusedError):
        run_blocking(
            Saleor(URL, token=there.token, handler=lambda _: json_answer({"detail": "no"}, 400)).read_steps(
                ["A"]
            )
        )


def test_negatives_and_fractions_cannot_even_be_asked_for_since_the_shop_cuts_fractions() -> None:
    with pytest.raises(InvalidValueError):
        change("MUG", -1)
    with pytest.raises(OmsyncError):
        change("MUG", 1.5)  # type: ignore[arg-type]  # on purpose
    there = shop()
    access = api.Access(url=URL, token=there.token)
    row = {"variantId": variant_id(there, "MUG"), "warehouseId": main(there)}
    for units, shown in ((1.5, 1), (-1, None)):
        answer = there.handle(
            access.ask(api.UPDATE, stocks=[{**row, "quantity": units}], policy="IGNORE_FAILED")
        ).json()
        result = answer["data"]["stockBulkUpdate"]["results"][0]
        assert (result["stock"] or {}).get("quantity") == shown


def test_the_shop_trips_over_a_broken_first_row_so_ids_come_from_the_shop_itself() -> None:
    there = shop()
    access = api.Access(url=URL, token=there.token)
    good = api.Row(variant_id=variant_id(there, "MUG"), warehouse_id=main(there), quantity=1)
    rows = [{"variantId": "garbage", "warehouseId": main(there), "quantity": 1}, good.wire]
    answer = there.handle(access.ask(api.UPDATE, stocks=rows, policy="IGNORE_FAILED")).json()
    assert answer["data"] is None
    alone = there.handle(access.ask(api.UPDATE, stocks=rows[:1], policy="IGNORE_FAILED")).json()
    assert alone["data"]["stockBulkUpdate"]["results"][0]["errors"][0]["code"] == "INVALID"


def test_a_page_of_more_than_100_is_refused_by_the_shop_so_none_is_asked_for() -> None:
    there = shop()
    query = api.FIND.replace("first: 100", "first: 101")
    answer = there.handle(api.Access(url=URL, token=there.token).ask(query, skus=["MUG"])).json()
    assert "exceeds the `first` limit of 100" in answer["errors"][0]["message"]


def test_a_query_that_costs_more_than_the_shop_allows_is_refused_in_the_shops_own_words() -> None:
    there = shop()
    message = "The query exceeds the maximum cost of 50. Actual cost is 101"
    too_dear = {"message": message, "extensions": {"exception": {"code": "QueryCostError"}}}
    there.trouble(json_answer({"errors": [too_dear]}), when=lambda asked: b"omsyncFind" in asked.content)
    with pytest.raises(RefusedError, match="maximum cost of 50"):
        sink(there).read(["MUG"])


@pytest.mark.parametrize("code", ["GRAPHQL_ERROR", "INVALID", "REQUIRED", "NOT_FOUND"])
def test_each_of_saleors_codes_about_a_row_is_a_refusal_of_that_row_only(code: str) -> None:
    there = shop()
    against = {"field": "quantity", "message": "Saleor's words.", "code": code}
    rows: list[Any] = [
        {"stock": None, "errors": [against]},
        {"stock": {"quantity": 2, "quantityAllocated": 0}, "errors": []},
    ]
    there.trouble(
        json_answer({"data": {"stockBulkUpdate": {"results": rows, "errors": []}}}),
        when=lambda asked: b"stockBulkUpdate" in asked.content,
    )
    # A stock that is not found is made anew, by the other call; that one refuses it too.
    again = {"productVariant": None, "errors": [against]}
    there.trouble(
        json_answer({"data": {"productVariantStocksUpdate": again}}),
        when=lambda asked: b"productVariantStocksUpdate" in asked.content,
    )
    refused, taken = sink(there).push([change("MUG", 7), change("CUP", 2)])
    assert (refused.status, refused.reason) == ("rejected", "row_refused")
    assert refused.message == f"Saleor's words. ({code})"
    assert (taken.status, taken.echo) == ("accepted", 2)


def test_skus_are_compared_exactly() -> None:
    there = shop()
    assert sink(there, lists_all=False).read(["mug"]) == []
    assert said(sink(there).push([change("mug", 1)])) == [("rejected", "not_in_cart", None)]


def test_an_empty_push_asks_nothing() -> None:
    there = shop()
    assert sink(there).push([]) == []
    assert there.requests == []


@pytest.mark.parametrize("options", [{"token": ""}, {"token": "a\nb"}, {"token": 5}])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(options: dict[str, Any]) -> None:
    with pytest.raises(OmsyncError) as caught:
        Saleor(URL, **options)
    assert "a\nb" not in str(caught.value)


def test_the_fake_answers_like_a_running_shop_when_asked_wrongly() -> None:
    there = shop()
    access = api.Access(url=URL, token=there.token)
    broken = Request(method="POST", url=URL, raw=b"{")
    assert there.handle(broken).status == 400
    assert there.handle(access.ask("query { nonsense }")).status == 400
    for variant, stocks in (
        ("UHJvZHVjdFZhcmlhbnQ6OTk5", []),
        (variant_id(there, "MUG"), [{"warehouse": "moon", "quantity": 1}]),
        (variant_id(there, "MUG"), [{"warehouse": main(there), "quantity": -1}]),
    ):
        answer = there.handle(access.ask(api.UPSERT, variant=variant, stocks=stocks)).json()
        assert answer["data"]["productVariantStocksUpdate"]["errors"]
    gone = there.handle(access.ask(api.TRACK, variant="UHJvZHVjdFZhcmlhbnQ6OTk5")).json()
    assert gone["data"]["productVariantUpdate"]["errors"]
    assert there.quantity("NO-SUCH") is None
    assert there.available("NEW") is None
    there.order("MUG", 2)
    there.ship("MUG", 2)
    assert (there.quantity("MUG"), there.available("MUG")) == (8, 8)
    assert json.loads(there.requests[-1].content)


def test_more_than_a_page_of_warehouses_and_a_single_one_are_both_understood() -> None:
    there = SaleorShop()
    there.warehouses = {f"V2FyZWhvdXNlOj{number:03}": f"w{number}" for number in range(130)}
    there.add("MUG", 4, warehouse="w129")
    assert at(sink(there, warehouse="w129").read(["MUG"]))["MUG"] == (4, 0)
    alone = shop()
    alone.warehouses = {main(alone): "main"}
    alone.remove("MUG")
    assert at(sink(alone, warehouse=None).read(["CUP"]))["CUP"] == (3, 0)


def test_many_variants_are_named_page_by_page() -> None:
    there = SaleorShop()
    for number in range(210):
        there.add(f"SKU-{number:03}", number)
    assert len({one.listing_sku for one in sink(there).read([])}) == 210


def test_a_lost_batch_beside_a_row_that_was_refused_before_is_told_row_by_row() -> None:
    there = shop()
    refusal = {"productVariant": None, "errors": [{"field": "id", "message": "No.", "code": "NOT_FOUND"}]}
    there.trouble(
        json_answer({"data": {"productVariantUpdate": refusal}}),
        when=lambda asked: b"productVariantUpdate" in asked.content,
    )
    there.trouble("lost", when=lambda asked: b"stockBulkUpdate" in asked.content)
    results = sink(there, untracked_policy="track").push([change("FLYER", 5), change("MUG", 1)])
    assert said(results) == [("rejected", "row_refused", None), ("pending", "answer_unknown", None)]
