"""The eBay sink against a seller's account in memory: what eBay enforces, and what the sink makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import evolve
from fake_memory import DictMemory, FakeClock
from small_merchant import reading
from two_runners import RUNNERS, run_blocking

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, sync_cart
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    UnauthorizedError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Steps
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks.ebay import Ebay
from omsync.testing.carts.ebay import EbaySeller
from omsync.testing.carts.platform import Asked, json_answer

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
FAST = 1_000_000.0


def seller(**options: Any) -> EbaySeller:
    there = EbaySeller(**options)
    there.add("MUG", 10)
    there.add("CUP", 3)
    there.add("DRAFT", 5, offers=())
    return there


def sink(there: EbaySeller, **options: Any) -> Ebay:
    given = {
        "client_id": "ebay-test-app",
        "client_secret": "ebay-test-secret",
        "refresh_token": "ebay-test-refresh",
        "retry": ONCE,
        "calls_per_second": FAST,
        "handler": there.handle,
        "out_of_stock_control": True,
        **options,
    }
    return Ebay(**given)


def change(
    sku: str, quantity: int, location_id: str | None = None, *, shown: int | None = None
) -> QuantityChange:
    return QuantityChange(
        listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity, shown=shown
    )


def said(results: Sequence[PushResult]) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in results]


def shown(listings: Sequence[CartListing]) -> dict[tuple[str, str | None], int | None]:
    return {(one.listing_sku, one.location_id): one.quantity for one in listings}


def calls(there: EbaySeller, ending: str) -> list[Asked]:
    return [asked for asked in there.requests if asked.path.endswith(ending)]


def on(ending: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path.endswith(ending)


def stock(**figures: int) -> InventorySnapshot:
    return reading({sku: {"1": units} for sku, units in figures.items()})


MERCHANT, CART = MerchantSettings(mode=PerWarehouse()), CartSettings(name="ebay")
UPDATE, OFFER, GET = "/bulk_update_price_quantity", "/offer", "/bulk_get_inventory_item"


def test_ebay_is_a_cart_sink_whose_destination_holds_no_secret() -> None:
    there = sink(seller(), account="acme")
    assert isinstance(there, CartSink)
    assert there.capabilities.destination == "ebay at api.ebay.com (acme)"
    assert there.capabilities.quantity_meaning == "available"
    assert "ebay-test-secret" not in repr(there)
    assert "ebay-test-refresh" not in repr(there)


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_both_quantities_are_written_since_the_smaller_one_is_shown(
    run: Callable[[Steps[list[PushResult]]], list[PushResult]],
) -> None:
    there = seller()
    assert said(run(sink(there).push_steps([change("MUG", 17), change("CUP", 0)]))) == [
        ("accepted", ""),
        ("accepted", ""),
    ]
    assert (there.quantity("MUG"), there.quantity("CUP")) == (17, 0)
    (entry, _) = calls(there, UPDATE)[0].json()["requests"]
    assert entry["shipToLocationAvailability"] == {"quantity": 17}
    assert entry["offers"] == [{"offerId": "0000000001", "availableQuantity": 17}]


def test_the_same_goes_over_real_http() -> None:
    there = seller()
    with there.serve() as server:
        online = sink(there, url=server.base_url, handler=None)
        assert said(online.push([change("MUG", 8)])) == [("accepted", "")]
        assert shown(online.read(["MUG"]))["MUG", None] == 8


def test_a_read_gives_what_a_shopper_sees_the_smaller_of_item_and_offer() -> None:
    there = seller()
    there.add("PLATE", 9, offered=4)
    assert shown(sink(there).read(["MUG", "PLATE", "NO-SUCH"])) == {("MUG", None): 10, ("PLATE", None): 4}


def test_an_item_that_no_offer_shows_is_not_in_the_cart() -> None:
    there = seller()
    assert shown(sink(there).read(["DRAFT"])) == {}
    results = sink(there).push([change("DRAFT", 1), change("NO-SUCH", 1), change("MUG", 1)])
    assert said(results) == [("rejected", "not_in_cart"), ("rejected", "not_in_cart"), ("accepted", "")]
    assert "migrated" in results[0].message


def test_an_item_without_any_quantity_shows_none() -> None:
    there = EbaySeller()
    there.add("MUG", None)
    assert shown(sink(there).read(["MUG"])) == {("MUG", None): None}


def test_a_whole_run_applies_and_a_second_one_finds_nothing_to_do() -> None:
    there = seller()
    with SqliteLedger(":memory:") as ledger:
        first = sync_cart(stock(MUG=12, CUP=3, GONE=1), sink(there), CART, merchant=MERCHANT, ledger=ledger)
        assert first.counts == {"applied": 1, "unchanged": 1, "skipped": 1}
        second = sync_cart(stock(MUG=12, CUP=3, GONE=1), sink(there), CART, merchant=MERCHANT, ledger=ledger)
    assert second.counts == {"unchanged": 2, "skipped": 1}


def test_offers_are_looked_up_once_and_then_known_by_the_ledger() -> None:
    there = seller()
    with SqliteLedger(":memory:") as ledger:
        for units in (12, 11, 10):
            sync_cart(stock(MUG=units, CUP=3), sink(there), CART, merchant=MERCHANT, ledger=ledger)
        assert len(calls(there, OFFER)) == 2
        there.add("PLATE", 1)
        sync_cart(stock(MUG=9, CUP=3, PLATE=2), sink(there), CART, merchant=MERCHANT, ledger=ledger)
    assert [asked.first("sku") for asked in calls(there, OFFER)[2:]] == ["PLATE"]
    assert there.quantity("PLATE") == 2


def test_an_offer_that_was_ended_and_made_anew_is_looked_up_again_before_its_row_is_written() -> None:
    there = seller()
    with SqliteLedger(":memory:") as ledger:
        sync_cart(stock(MUG=12), sink(there), CART, merchant=MERCHANT, ledger=ledger)
        there.offer_anew("MUG")
        report = sync_cart(stock(MUG=7), sink(there), CART, merchant=MERCHANT, ledger=ledger)
    assert report.counts == {"applied": 1}
    assert there.quantity("MUG") == 7


def test_an_item_that_was_deleted_under_its_known_offer_is_never_written() -> None:
    there = seller()
    with SqliteLedger(":memory:") as ledger:
        sync_cart(stock(MUG=12), sink(there), CART, merchant=MERCHANT, ledger=ledger)
        there.remove("MUG")
        report = sync_cart(stock(MUG=7), sink(there), CART, merchant=MERCHANT, ledger=ledger)
    assert [(one.outcome, one.reason) for one in report.outcomes] == [("skipped", "not_in_cart")]


def test_an_offer_that_ends_for_good_on_the_way_costs_only_its_own_row() -> None:
    there = seller()
    there.trouble(
        json_answer(
            {
                "responses": [
                    {"sku": "MUG", "statusCode": 404, "errors": [{"errorId": 25713, "message": "gone"}]},
                    {"sku": "CUP", "statusCode": 200},
                ]
            },
            207,
        ),
        when=on(UPDATE),
    )
    there.trouble(
        json_answer({"errors": [{"errorId": 25713, "message": "gone"}]}, 404), when=_second_offer_call()
    )
    results = sink(there).push([change("MUG", 1), change("CUP", 1)])
    assert said(results) == [("rejected", "not_in_cart"), ("accepted", "")]


def _second_offer_call() -> Callable[[Asked], bool]:
    seen: list[str] = []

    def matches(asked: Asked) -> bool:
        if asked.path.endswith(OFFER) and asked.first("sku") == "MUG":
            seen.append("MUG")
        return asked.path.endswith(OFFER) and len(seen) == 2

    return matches


def test_more_than_25_skus_take_several_calls() -> None:
    there = EbaySeller()
    rows = [f"SKU-{number:03}" for number in range(60)]
    for sku in rows:
        there.add(sku, 1)
    results = sink(there).push([change(sku, 2) for sku in rows])
    assert {one.status for one in results} == {"accepted"}
    assert [len(asked.json()["requests"]) for asked in calls(there, UPDATE)] == [25, 25, 10]
    assert len(sink(there).read(rows)) == 60


def test_where_ebay_takes_one_sku_a_call_the_rows_go_out_one_by_one() -> None:
    there = seller(one_sku_a_call=True)
    assert said(sink(there).push([change("MUG", 1), change("CUP", 2)])) == [
        ("accepted", ""),
        ("accepted", ""),
    ]
    assert [len(asked.json()["requests"]) for asked in calls(there, UPDATE)] == [2, 1, 1]
    assert said(sink(there, skus_per_call=1).push([change("MUG", 3)])) == [("accepted", "")]
    assert len(calls(there, UPDATE)) == 4


@pytest.mark.parametrize("number", [25002, 25709, 25727])
def test_whatever_ebay_says_against_several_skus_they_go_out_one_by_one(number: int) -> None:
    there = seller()
    refusal = {"errorId": number, "domain": "API_INVENTORY", "category": "REQUEST", "message": "No."}
    there.trouble(json_answer({"errors": [refusal]}, 400), when=on(UPDATE))
    assert said(sink(there).push([change("MUG", 1), change("CUP", 2)])) == [("accepted", "")] * 2
    assert [len(asked.json()["requests"]) for asked in calls(there, UPDATE)] == [2, 1, 1]


def test_rows_of_one_sku_are_one_entry_since_ebay_takes_each_sku_once() -> None:
    there = seller()
    results = sink(there).push([change("MUG", 4, "RENO"), change("CUP", 1), change("MUG", 2, "OHIO")])
    assert said(results) == [("accepted", "")] * 3
    assert [row["sku"] for row in calls(there, UPDATE)[0].json()["requests"]] == ["MUG", "CUP"]


def test_the_vendor_takes_25_skus_and_each_once() -> None:
    there = EbaySeller()
    for body, number in (
        ({"requests": [{"sku": f"S{n}"} for n in range(26)]}, 25727),
        ({"requests": [{"sku": "S"}, {"sku": "S"}]}, 25734),
    ):
        assert ask(there, "POST", UPDATE, body)["errors"][0]["errorId"] == number
    assert ask(there, "POST", GET, {"requests": [{"sku": f"S{n}"} for n in range(26)]})["errors"]
    assert ask(there, "GET", "/inventory_item?limit=201")["errors"]
    assert ask(there, "GET", "/nonsense")["errors"]
    unknown = ask(there, "POST", UPDATE, {"requests": [{"sku": "MUG"}]})["responses"]
    assert [(one["statusCode"], one["errors"][0]["errorId"]) for one in unknown] == [(404, 25702)]
    row = {"sku": "MUG", "offers": []}
    there.add("MUG", 5)
    assert ask(there, "POST", UPDATE, {"requests": [row]}) == {"responses": []}
    assert there.quantity("MUG") == 5
    total_left_out = {"sku": "MUG", "shipToLocationAvailability": {}}
    ask(there, "POST", UPDATE, {"requests": [total_left_out]})
    assert (
        there.handle(Request(method="GET", url="https://api.ebay.com/sell/inventory/v1/offer")).status == 401
    )


def ask(there: EbaySeller, method: str, ending: str, body: Any = ...) -> Any:
    token = there.handle(
        Request(
            method="POST",
            url="https://api.ebay.com/identity/v1/oauth2/token",
            headers={"authorization": "Basic ZWJheS10ZXN0LWFwcDplYmF5LXRlc3Qtc2VjcmV0"},
            raw=b"grant_type=refresh_token&refresh_token=ebay-test-refresh",
        )
    ).json()["access_token"]
    return there.handle(
        Request(
            method=method,
            url=f"https://api.ebay.com/sell/inventory/v1{ending}",
            headers={"authorization": f"Bearer {token}"},
            body=body,
        )
    ).json()


def test_one_bad_row_among_many_costs_only_itself() -> None:
    there = seller()
    there.add("LOT", 5, auction=True)
    results = sink(there).push([change("MUG", 4), change("LOT", 3), change("CUP", 2)])
    assert said(results) == [("accepted", ""), ("rejected", "unmanaged_in_cart"), ("accepted", "")]
    assert (there.quantity("MUG"), there.quantity("CUP")) == (4, 2)


def test_a_sku_that_somebody_else_writes_is_tried_again_and_then_given_up() -> None:
    there = seller()
    there.is_busy(1)
    assert said(sink(there).push([change("MUG", 4)])) == [("accepted", "")]
    there.is_busy(3)
    assert said(sink(there).push([change("MUG", 5)])) == [("rejected", "busy")]
    assert there.quantity("MUG") == 4


def test_a_whole_call_that_meets_another_writer_is_tried_again() -> None:
    there = seller()
    busy = json_answer({"errors": [{"errorId": 25025, "message": "busy"}]}, 409)
    there.trouble(busy, when=on(UPDATE))
    assert said(sink(there, retry=AT_ONCE).push([change("MUG", 4)])) == [("accepted", "")]
    there.trouble(Response(status=409, content=b"no json"), when=on(UPDATE))
    with pytest.raises(RefusedError, match="409"):
        sink(there).push([change("MUG", 4)])


def test_ebays_own_failure_is_tried_again() -> None:
    there = seller()
    failure = json_answer({"errors": [{"errorId": 25001, "message": "A system error has occurred."}]}, 500)
    there.trouble(failure, when=on(UPDATE), times=2)
    assert said(sink(there, retry=AT_ONCE).push([change("MUG", 4)])) == [("accepted", "")]
    assert there.quantity("MUG") == 4


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (25001, "busy"),
        (25025, "busy"),
        (25702, "not_in_cart"),
        (25710, "not_in_cart"),
        (25759, "unmanaged_in_cart"),
        (25709, "row_refused"),
        (25734, "row_refused"),
    ],
)
def test_each_of_ebays_error_ids_about_a_sku_has_a_named_outcome(number: int, reason: str) -> None:
    there = seller()
    rows = [
        {"sku": "MUG", "statusCode": 400, "errors": [{"errorId": number, "message": "eBay's words."}]},
        {"sku": "CUP", "statusCode": 200},
    ]
    there.trouble(json_answer({"responses": rows}, 207), when=on(UPDATE), times=3)
    refused, taken = sink(there).push([change("MUG", 4), change("CUP", 2)])
    assert (refused.status, refused.reason) == ("rejected", reason)
    assert refused.message == f"eBay's words. ({number})"
    assert (taken.status, taken.reason) == ("accepted", "")


def test_a_quantity_that_ebay_cannot_take_is_not_sent() -> None:
    there = seller()
    assert said(sink(there).push([change("MUG", 2**31), change("CUP", 1)])) == [
        ("rejected", "out_of_range"),
        ("accepted", ""),
    ]
    answer = ask(
        there, "POST", UPDATE, {"requests": [{"sku": "MUG", "shipToLocationAvailability": {"quantity": -1}}]}
    )
    assert answer["responses"][0]["errors"][0]["errorId"] == 25709


def test_a_negative_or_fractional_quantity_cannot_even_be_written_down() -> None:
    with pytest.raises(InvalidValueError, match="at least 0"):
        change("MUG", -1)
    for wrong in (1.5, True, "5", None):
        with pytest.raises(WrongTypeError, match="whole number"):
            change("MUG", wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_an_answer_that_does_not_speak_of_a_sku_leaves_its_row_pending() -> None:
    there = seller()
    there.trouble(json_answer({"responses": []}), when=on(UPDATE))
    assert said(sink(there).push([change("MUG", 4)])) == [("pending", "not_echoed")]


def test_a_refused_row_says_what_ebay_said() -> None:
    there = seller()
    row = {"sku": "MUG", "statusCode": 400, "errors": [{"errorId": 25001, "longMessage": "Something long."}]}
    there.trouble(json_answer({"responses": [row]}, 207), when=on(UPDATE), times=3)
    (result,) = sink(there).push([change("MUG", 4)])
    assert (result.reason, result.message) == ("busy", "Something long. (25001)")
    other = {"sku": "MUG", "statusCode": 400, "errors": [{"errorId": 25999}]}
    there.trouble(json_answer({"responses": [other]}, 207), when=on(UPDATE))
    (result,) = sink(there).push([change("MUG", 4)])
    assert (result.reason, result.message) == ("row_refused", "no reason given (25999)")


def test_a_breakdown_goes_to_merchant_locations_and_their_sum_is_the_total() -> None:
    there = seller()
    results = sink(there).push([change("MUG", 4, "RENO"), change("MUG", 2, "OHIO"), change("CUP", 1)])
    assert said(results) == [("accepted", "")] * 3
    assert (there.quantity("MUG", "RENO"), there.quantity("MUG", "OHIO"), there.quantity("MUG")) == (4, 2, 6)
    assert said(sink(there).push([change("MUG", 1, "RENO")])) == [("accepted", "")]
    assert (there.quantity("MUG", "RENO"), there.quantity("MUG", "OHIO"), there.quantity("MUG")) == (1, 2, 3)
    assert shown(sink(there).read(["MUG"])) == {("MUG", "RENO"): 1, ("MUG", "OHIO"): 2, ("MUG", None): 3}


def test_a_locations_fulfilment_time_stays_as_it_is_since_the_list_replaces_what_was_there() -> None:
    there, slow = EbaySeller(), {"unit": "BUSINESS_DAY", "value": 3}
    there.add("MUG", 6, places={"RENO": 4, "OHIO": 2}, times={"RENO": slow})
    assert (
        said(sink(there).push([change("MUG", 1, "RENO"), change("MUG", 9, "UTAH")])) == [("accepted", "")] * 2
    )
    assert (there.quantity("MUG"), there.quantity("MUG", "OHIO")) == (12, 2)
    assert (there.fulfilment_time("MUG", "RENO"), there.fulfilment_time("MUG", "OHIO")) == (slow, None)


def test_prices_are_not_in_what_is_sent_since_they_would_be_written() -> None:
    there = seller()
    sink(there).push([change("MUG", 4)])
    assert b"price" not in calls(there, UPDATE)[0].content


def test_a_total_beside_quantities_by_location_is_a_contradiction() -> None:
    there = seller()
    results = sink(there).push([change("MUG", 4, "RENO"), change("MUG", 2)])
    assert said(results) == [("rejected", "contradiction")] * 2
    assert there.quantity("MUG") == 10


def test_only_offers_of_the_named_marketplaces_are_written() -> None:
    there = EbaySeller()
    there.add("MUG", 10, offers=("EBAY_US", "EBAY_DE"))
    assert said(sink(there, marketplaces={"EBAY_DE"}).push([change("MUG", 4)])) == [("accepted", "")]
    (entry,) = calls(there, UPDATE)[0].json()["requests"]
    assert [offer["offerId"] for offer in entry["offers"]] == ["0000000002"]
    assert said(sink(there, marketplaces=["EBAY_FR"]).push([change("MUG", 4)])) == [
        ("rejected", "not_in_cart")
    ]


def test_all_items_are_read_page_by_page_when_asked_to() -> None:
    there = EbaySeller()
    for number in range(410):
        there.add(f"SKU-{number:03}", number)
    listings = sink(there, lists_all=True).read(["SKU-409"])
    assert shown(listings)["SKU-409", None] == 409
    assert len(listings) == 410
    assert [asked.first("offset") for asked in calls(there, "/inventory_item")] == ["0", "200", "400"]
    assert sink(EbaySeller(), lists_all=True).read([]) == []


def test_a_sku_longer_than_ebay_knows_is_not_even_asked_for() -> None:
    there = seller()
    there.add("X" * 51, 1, offers=())
    assert sink(there).read(["X" * 51]) == []
    assert calls(there, GET) == []


def test_the_last_revisions_of_the_day_are_kept_for_falls() -> None:
    there = seller()
    shop = sink(there, revisions_per_day=5, kept_for_falls=2)
    for units in (11, 12, 13):
        assert said(shop.push([change("MUG", units, shown=units - 1)])) == [("accepted", "")]
    (held,) = shop.push([change("MUG", 14, shown=13)])
    assert (held.status, held.reason) == ("skipped", "revision_budget")
    assert said(shop.push([change("MUG", 2, shown=13)])) == [("accepted", "")]
    assert said(shop.push([change("MUG", 1)])) == [("accepted", "")]
    assert said(shop.push([change("MUG", 0, shown=1)])) == [("skipped", "revision_budget")]


def test_the_budget_is_one_for_all_variations_of_a_listing_and_outlives_the_process() -> None:
    there, memory = EbaySeller(), DictMemory()
    for sku in ("TEE-S", "TEE-M", "TEE-L"):
        there.add(sku, 5, listing="L-TEE")
    limits = {"revisions_per_day": 3, "kept_for_falls": 0}
    assert said(sink(there, **limits).remembering(memory).push([change("TEE-S", 6)])) == [("accepted", "")]
    results = (
        sink(there, **limits)
        .remembering(memory)
        .push([change("TEE-S", 7), change("TEE-M", 7), change("TEE-L", 7)])
    )
    assert said(results) == [("accepted", ""), ("accepted", ""), ("skipped", "revision_budget")]
    assert repr(sink(there).budget) == "Budget(0 listings)"


def test_a_new_day_brings_a_new_budget() -> None:
    there, clock = seller(), FakeClock()
    shop = sink(there, revisions_per_day=1, kept_for_falls=0, clock=clock)
    assert said(shop.push([change("MUG", 1)])) == [("accepted", "")]
    assert said(shop.push([change("MUG", 2)])) == [("skipped", "revision_budget")]
    clock.sleep(86_400)
    assert said(shop.remembering(None).push([change("MUG", 2)])) == [("accepted", "")]


def test_ebays_own_refusal_of_a_spent_budget_is_told() -> None:
    there = seller(revisions_per_day=1)
    shop = sink(there)
    shop.push([change("MUG", 1)])
    assert said(shop.push([change("MUG", 2)])) == [("rejected", "row_refused")]
    there.next_day()
    assert said(shop.push([change("MUG", 2)])) == [("accepted", "")]


def test_a_quantity_of_0_ends_a_listing_unless_out_of_stock_control_is_on_and_plans_say_so() -> None:
    there = seller(out_of_stock_control=False)
    report = sync_cart(stock(MUG=0), sink(there, out_of_stock_control=False), CART, merchant=MERCHANT)
    assert "zero_ends_listing" in {notice.reason for notice in report.notices}
    assert there.quantity("MUG") is None
    assert not sink(there).capabilities.zero_ends_listing


def test_a_token_is_asked_for_once_and_renewed_when_it_has_ended() -> None:
    there = seller()
    shop = sink(there)
    shop.read(["MUG"])
    shop.push([change("MUG", 1)])
    assert len(calls(there, "/token")) == 1
    there.expire_tokens()
    assert shown(shop.read(["MUG"])) == {("MUG", None): 1}
    assert len(calls(there, "/token")) == 2


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"refresh_token": "wrong"}])
def test_wrong_credentials_are_unauthorized_and_not_quoted(wrong: dict[str, str]) -> None:
    there = seller()
    with pytest.raises(UnauthorizedError, match="18 months") as caught:
        sink(there, **wrong).read(["MUG"])
    assert "wrong" not in str(caught.value)


def test_a_token_without_the_scope_is_unauthorized() -> None:
    there = seller()
    there.trouble(json_answer({"errors": [{"errorId": 1100, "message": "Access denied"}]}, 403), times=9)
    with pytest.raises(UnauthorizedError, match=r"sell\.inventory|no token"):
        sink(there).read(["MUG"])
    denied = seller()
    denied.trouble(json_answer({"errors": [{"errorId": 1100}]}, 403), when=on(GET), times=9)
    with pytest.raises(UnauthorizedError, match="scope"):
        sink(denied).read(["MUG"])


def test_a_lost_answer_leaves_rows_in_doubt_and_sending_them_again_is_harmless() -> None:
    there = seller()
    there.trouble("lost", when=on(UPDATE))
    with pytest.raises(LostAnswerError):
        sink(there).push([change("MUG", 7)])
    assert there.quantity("MUG") == 7
    there.trouble("lost", when=on(UPDATE))
    assert said(sink(there, retry=AT_ONCE).push([change("MUG", 8)])) == [("accepted", "")]
    assert there.quantity("MUG") == 8


def test_a_call_that_fails_after_others_went_through_is_told_row_by_row() -> None:
    there = EbaySeller()
    rows = [f"SKU-{number:03}" for number in range(30)]
    for sku in rows:
        there.add(sku, 1)
    there.trouble(
        "lost", when=lambda asked: asked.path.endswith(UPDATE) and len(asked.json()["requests"]) == 5
    )
    results = sink(there).push([change(sku, 2) for sku in rows])
    assert said(results) == [("accepted", "")] * 25 + [("pending", "answer_unknown")] * 5


def test_a_second_try_that_fails_altogether_concerns_only_its_rows() -> None:
    there = seller()
    there.is_busy(1)
    there.trouble(
        "unreachable", when=lambda asked: asked.path.endswith(UPDATE) and len(asked.json()["requests"]) == 1
    )
    assert said(sink(there).push([change("MUG", 4), change("CUP", 1)])) == [
        ("skipped", "not_sent"),
        ("accepted", ""),
    ]


def test_an_unreachable_ebay_writes_nothing() -> None:
    there = seller()
    there.trouble("unreachable", when=on(UPDATE), times=9)
    with pytest.raises(UnreachableError):
        sink(there).push([change("MUG", 4)])


def test_a_faulty_item_in_a_read_is_a_fault_of_the_server_and_no_missing_item() -> None:
    there = seller()
    row = {"sku": "MUG", "statusCode": 500, "errors": [{"errorId": 25001, "message": "Internal"}]}
    there.trouble(json_answer({"responses": [row]}, 207), when=on(GET))
    with pytest.raises(ServerFaultError, match="Internal"):
        sink(there).read(["MUG"])


def test_answers_that_are_not_what_ebay_documents_are_named() -> None:
    there = seller()
    there.trouble(Response(status=200, content=b"<html>"), when=on(GET))
    with pytest.raises(DecodeError, match="HTML"):
        sink(there).read(["MUG"])
    there.trouble(json_answer({"responses": [{"sku": "MUG", "statusCode": "200"}]}), when=on(GET))
    with pytest.raises(DecodeError, match="statusCode must be a whole number"):
        sink(there).read(["MUG"])
    text = {"shipToLocationAvailability": {"quantity": "7"}}
    row = {"sku": "MUG", "statusCode": 200, "inventoryItem": {"availability": text}}
    there.trouble(json_answer({"responses": [row]}), when=on(GET))
    with pytest.raises(DecodeError, match="quantity must be a whole number, not '7'"):
        sink(there).read(["MUG"])


def test_skus_are_compared_exactly() -> None:
    there = seller()
    assert sink(there).read(["mug"]) == []
    assert said(sink(there).push([change("mug", 1)])) == [("rejected", "not_in_cart")]


def test_an_empty_push_asks_nothing() -> None:
    there = seller()
    assert sink(there).push([]) == []
    assert there.requests == []


@pytest.mark.parametrize("options", [{"client_secret": None}, {"calls_per_second": 0}, {"url": "ebay"}])
def test_settings_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OmsyncError):
        sink(seller(), **options)


def test_a_sale_between_two_runs_shows_in_the_next_read() -> None:
    there = seller()
    there.sell("MUG", 4)
    assert shown(sink(there).read(["MUG"])) == {("MUG", None): 6}
    assert json.loads(there.requests[-1].content or b"{}") == {}
    assert run_blocking(sink(there).read_steps([])) == []


def test_an_offer_made_later_in_another_marketplace_is_found_within_the_week() -> None:
    there, clock = seller(), FakeClock()
    # The new offer shows less, as after a sale, and these figures are never read again.
    settings = evolve(CART, order_lag=0)
    with SqliteLedger(":memory:") as ledger:
        sync_cart(stock(MUG=12), sink(there, clock=clock), settings, merchant=MERCHANT, ledger=ledger)
        there.offer_also("MUG", "EBAY_DE", 2)
        calls_before = len(calls(there, OFFER))
        for _ in range(7):
            clock.sleep(86_400)
            sync_cart(stock(MUG=12), sink(there, clock=clock), settings, merchant=MERCHANT, ledger=ledger)
    assert there.quantity("MUG") == 12
    assert len(calls(there, OFFER)) - calls_before == 1


def test_offers_are_looked_up_anew_after_a_long_pause_whatever_the_day() -> None:
    there, clock = seller(), FakeClock()
    with SqliteLedger(":memory:") as ledger:
        sync_cart(stock(MUG=12, CUP=3), sink(there, clock=clock), CART, merchant=MERCHANT, ledger=ledger)
        before = len(calls(there, OFFER))
        clock.sleep(86_400 * 15)
        sync_cart(stock(MUG=12, CUP=3), sink(there, clock=clock), CART, merchant=MERCHANT, ledger=ledger)
    assert len(calls(there, OFFER)) - before == 2
