"""The Amazon sink against a marketplace in memory that is as strict as the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from fake_memory import DictMemory, FakeClock
from small_merchant import BY_WAREHOUSE, cart, reading
from two_runners import RUNNERS, run_blocking

from omsync import aio, plan_cart, sync_cart
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
from omsync.sinks import _amazon as api
from omsync.sinks._amazon_answers import judge
from omsync.sinks.amazon import Amazon
from omsync.testing.carts.amazon import AmazonMarketplace
from omsync.testing.carts.platform import Asked, json_answer

AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)


def sink(shop: AmazonMarketplace, **options: Any) -> Amazon:
    given: dict[str, Any] = {
        "marketplace_id": "ATVPDKIKX0DER",
        "client_id": "client-1",
        "client_secret": "secret-1",
        "refresh_token": "refresh-1",
        "calls_per_second": 1000.0,
        "poll_seconds": 1,
        "wait_seconds": 3,
        "retry": AT_ONCE,
        "handler": shop.handle,
    }
    return Amazon("A2SELLER", **{**given, **options})


def as_feed(shop: AmazonMarketplace, **options: Any) -> Amazon:
    return sink(shop, feed_from_rows=1, **options)


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def push(amazon: Amazon, *changes: QuantityChange) -> list[PushResult]:
    return run_blocking(amazon.push_steps(changes), clock=FakeClock())


def read(amazon: Amazon, *skus: str) -> list[CartListing]:
    return run_blocking(amazon.read_steps(skus), clock=FakeClock())


def figures(listings: Sequence[CartListing]) -> dict[tuple[str, str | None], tuple[str, int | None]]:
    return {(one.listing_sku, one.location_id): (one.state, one.quantity) for one in listings}


def outcomes(results: Sequence[PushResult]) -> dict[tuple[str, str | None], tuple[str, str]]:
    assert {one.echo for one in results} <= {None}, "accepted is never applied at Amazon"
    return {(one.listing_sku, one.location_id): (one.status, one.reason) for one in results}


def only(results: Sequence[PushResult]) -> PushResult:
    (result,) = results
    return result


def asked(shop: AmazonMarketplace, method: str, part: str) -> list[Asked]:
    return [one for one in shop.requests if one.method == method and part in one.path]


def feeds_of(shop: AmazonMarketplace) -> list[dict[str, Any]]:
    return [one.json() for one in asked(shop, "PUT", "/documents/")]


# --- what is written down -----------------------------------------------------------------------------


def test_a_sink_of_a_marketplace_says_what_it_can_do() -> None:
    amazon = sink(AmazonMarketplace())
    assert isinstance(amazon, CartSink)
    can = amazon.capabilities
    assert can.destination == "amazon seller A2SELLER in ATVPDKIKX0DER"
    assert (can.quantity_meaning, can.completion, can.locations) == ("available", "job", "none")
    assert (can.max_rows, can.rows_per_call, can.lists_all) == (75_000, 25_000, False)
    assert (can.calls_per_second, can.max_in_flight) == (1000.0, 5)


def test_the_documented_pace_is_the_default() -> None:
    amazon = Amazon("S", marketplace_id="M", client_id="c", client_secret="s", refresh_token="r")
    can = amazon.capabilities
    assert (can.calls_per_second, can.max_in_flight) == (5.0, 5)
    assert (amazon.feed_from_rows, amazon.wait_seconds, amazon.poll_seconds) == (100, 180, 15)


@pytest.mark.parametrize("region", ["na", "eu", "fe"])
def test_a_region_is_a_host(region: str) -> None:
    shop = AmazonMarketplace()
    hosts: list[str] = []

    def watched(request: Request) -> Response:
        hosts.append(request.url.split("/")[2])
        return shop.handle(request)

    read(sink(shop, region=region, handler=watched), "MUG")
    assert hosts == ["api.amazon.com", f"sellingpartnerapi-{region}.amazon.com"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"region": "us"}, InvalidValueError),
        ({"client_secret": ""}, SettingsError),
        ({"refresh_token": "line\nbreak"}, SettingsError),
        ({"client_secret": None}, WrongTypeError),
        ({"token_url": "api.amazon.com"}, SettingsError),
        ({"calls_per_second": 0}, InvalidValueError),
        ({"calls_per_second": True}, InvalidValueError),
        ({"feed_from_rows": 0}, InvalidValueError),
        ({"location": "Reno"}, SettingsError),
        ({"supply_sources": {"Reno": "src-1"}, "location": "Harbor"}, SettingsError),
        ({"supply_sources": "src-1"}, WrongTypeError),
    ],
)
def test_settings_that_cannot_be_right_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        sink(AmazonMarketplace(), **options)


def test_secrets_are_never_shown() -> None:
    shop = AmazonMarketplace(client_secret="hush-1", refresh_token="hush-2")
    amazon = as_feed(shop, client_secret="hush-1", refresh_token="hush-2")
    shop.add("MUG", 1)
    push(amazon, change("MUG", 5))
    shown = (
        repr(amazon)
        + repr(amazon.jobs)
        + repr(api.Access(url="u", seller_id="s", marketplace_id="m", issue_locale="l", token="hush-3"))
    )
    wrong = sink(AmazonMarketplace(), client_secret="hush-1")
    with pytest.raises(UnauthorizedError) as caught:
        read(wrong, "MUG")
    shown += str(caught.value) + repr(caught.value)
    assert "hush" not in shown


# --- the way in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "word"),
    [({"client_secret": "guess"}, "invalid_client"), ({"refresh_token": "guess"}, "invalid_grant")],
)
def test_wrong_credentials_are_unauthorized_and_say_which(wrong: dict[str, str], word: str) -> None:
    with pytest.raises(UnauthorizedError, match=word) as caught:
        read(sink(AmazonMarketplace(), **wrong), "MUG")
    assert "authorise the application again" in caught.value.remedy


def test_a_redirect_to_a_login_page_is_named_and_not_followed() -> None:
    shop = AmazonMarketplace()
    shop.trouble(Response(status=302, content=b"<html>"))
    with pytest.raises(RefusedError, match="HTTP 302: it points elsewhere") as caught:
        read(sink(shop), "MUG")
    assert caught.value.code == "redirected"


def test_a_missing_role_is_unauthorized_and_the_remedy_names_it() -> None:
    shop = AmazonMarketplace()
    with pytest.raises(UnauthorizedError) as caught:
        run_blocking(
            Amazon(
                "ANOTHER",
                marketplace_id="ATVPDKIKX0DER",
                client_id="client-1",
                client_secret="secret-1",
                refresh_token="refresh-1",
                handler=shop.handle,
                retry=AT_ONCE,
            ).read_steps(["MUG"])
        )
    assert "Product Listing" in caught.value.remedy


def test_one_token_serves_many_calls_and_is_renewed_before_its_hour_is_over() -> None:
    clock = FakeClock()
    shop = AmazonMarketplace(now=clock.monotonic)
    shop.add("MUG", 1)
    amazon = sink(shop, keeper=TokenKeeper(clock), calls_per_second=5.0)
    for _ in range(3):
        run_blocking(amazon.read_steps(["MUG"]), clock=clock)
    clock.sleep(3590)
    run_blocking(amazon.read_steps(["MUG"]), clock=clock)
    assert len(asked(shop, "POST", "/token")) == 2
    assert len(asked(shop, "GET", "/items/")) == 4


def test_a_token_that_ended_early_is_renewed_and_only_the_refused_call_made_again() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    amazon = sink(shop)
    read(amazon, "MUG")
    shop.end_tokens()
    assert figures(read(amazon, "MUG")) == {("MUG", None): ("listed", 1)}
    assert len(asked(shop, "POST", "/token")) == 2


def test_a_fresh_token_that_is_refused_is_told_as_expired() -> None:
    shop = AmazonMarketplace()
    details = "The access token you provided has expired."
    expired = json_answer({"errors": [{"code": "Unauthorized", "message": "no", "details": details}]}, 403)
    shop.trouble(expired, when=lambda one: "/items/" in one.path)
    with pytest.raises(UnauthorizedError) as caught:
        read(sink(shop), "MUG")
    assert "ended early" in caught.value.remedy


def test_the_signed_address_of_a_document_gets_no_token_and_is_in_no_error() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    denied = Response(status=403, content=b"<SignatureProvided>signed-for-1</SignatureProvided>")
    shop.trouble(denied, when=lambda one: one.method == "PUT")
    with pytest.raises(RefusedError) as caught:
        push(as_feed(shop), change("MUG", 5))
    assert caught.value.code == "document_store"
    assert "signed-for" not in str(caught.value)
    assert "?***" in str(caught.value)
    (put,) = asked(shop, "PUT", "/documents/")
    assert "x-amz-access-token" not in put.headers


# --- reading ------------------------------------------------------------------------------------------


def test_twenty_listings_are_read_with_one_call_and_each_once() -> None:
    shop = AmazonMarketplace()
    for number in range(45):
        shop.add(f"SKU-{number}", number)
    shown = figures(read(sink(shop), *(f"SKU-{number}" for number in range(45)), "SKU-0"))
    assert shown == {(f"SKU-{number}", None): ("listed", number) for number in range(45)}
    sizes = [len(one.first("identifiers").split(",")) for one in asked(shop, "GET", "/items/")]
    assert sorted(sizes) == [5, 20, 20]


def test_a_page_that_amazon_cuts_short_is_read_on() -> None:
    shop = AmazonMarketplace()
    shop.add("A", 1)
    shop.add("B", 2)
    first = {"items": [{"sku": "A", "fulfillmentAvailability": []}], "pagination": {"nextToken": "1"}}
    shop.trouble(json_answer(first), when=lambda one: "/items/" in one.path)
    assert [one.listing_sku for one in read(sink(shop), "A", "B")] == ["A", "B"]
    assert [one.first("pageToken") for one in asked(shop, "GET", "/items/")] == ["", "1"]


def test_a_sku_is_compared_exactly() -> None:
    shop = AmazonMarketplace()
    other = {"items": [{"sku": "mug", "fulfillmentAvailability": []}]}
    shop.trouble(json_answer(other), when=lambda one: "/items/" in one.path)
    assert read(sink(shop), "MUG") == []


def test_a_sku_with_a_comma_or_a_slash_is_read_by_its_own_path() -> None:
    shop = AmazonMarketplace()
    shop.add("CUP,RED/2 %", 4)
    shown = read(sink(shop), "CUP,RED/2 %", "CUP,BLUE")
    assert figures(shown) == {("CUP,RED/2 %", None): ("listed", 4)}
    assert push(sink(shop), change("CUP,RED/2 %", 9))[0].status == "accepted"
    assert shop.quantity("CUP,RED/2 %") == 9


def test_an_unknown_sku_is_left_out_and_never_sent() -> None:
    shop = AmazonMarketplace()
    assert read(sink(shop), "NONE") == []
    assert outcomes(push(sink(shop), change("NONE", 3))) == {("NONE", None): ("rejected", "not_in_cart")}
    assert not asked(shop, "PATCH", "/items/")


def test_stock_in_amazons_warehouses_is_unmanaged_and_never_touched() -> None:
    shop = AmazonMarketplace()
    shop.add("FBA", None, channel="AMAZON_NA")
    shop.add("MUG", 1)
    assert figures(read(sink(shop), "FBA", "MUG"))["FBA", None] == ("unmanaged", None)
    for amazon in (sink(shop), as_feed(shop)):
        result = outcomes(push(amazon, change("FBA", 3), change("MUG", 2)))
        assert result["FBA", None] == ("skipped", "fulfilled_by_platform")
        assert result["MUG", None] == ("accepted", "")
    assert list(shop.offers.by_sku["FBA"].channels) == ["AMAZON_NA"]


def test_the_marketplace_itself_would_strand_the_stock_which_is_why_it_is_asked_first() -> None:
    shop = AmazonMarketplace()
    shop.add("FBA", None, channel="AMAZON_NA")
    shop.offers.patch("FBA", {"productType": "PRODUCT", "patches": api.patches({"DEFAULT": 3})})
    assert list(shop.offers.by_sku["FBA"].channels) == ["DEFAULT"]


@pytest.mark.parametrize(
    ("policy", "outcome", "quantity"),
    [
        ("skip", ("skipped", "untracked_in_cart"), None),
        ("error", ("rejected", "untracked_in_cart"), None),
        ("track", ("accepted", ""), 3),
    ],
)
def test_a_listing_without_a_fulfilment_channel_is_skipped_unless_told_otherwise(
    policy: str, outcome: tuple[str, str], quantity: int | None
) -> None:
    shop = AmazonMarketplace()
    shop.add("NEW", channel=None)
    amazon = sink(shop, untracked_policy=policy)
    assert figures(read(amazon, "NEW")) == {("NEW", None): ("untracked", None)}
    assert outcomes(push(amazon, change("NEW", 3))) == {("NEW", None): outcome}
    assert shop.quantity("NEW") == quantity


def test_what_a_shopper_bought_is_gone_from_what_is_shown_so_nothing_is_added_to_what_is_sent() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 10)
    shop.sell("MUG", 4)
    (shown,) = read(sink(shop), "MUG")
    assert (shown.quantity, shown.allocated) == (6, None)
    plan = plan_cart(reading({"MUG": {"1": 8}}), sink(shop), cart(), merchant=BY_WAREHOUSE)
    (line,) = plan.lines
    assert (line.shown, line.quantity) == (6, 8)


@pytest.mark.parametrize("quantity", ["5", 5.5, True])
def test_a_quantity_that_is_no_whole_number_is_an_error_that_names_it(quantity: Any) -> None:
    shop = AmazonMarketplace()
    rows = [{"fulfillmentChannelCode": "DEFAULT", "quantity": quantity}]
    shop.trouble(
        json_answer({"items": [{"sku": "MUG", "fulfillmentAvailability": rows}]}),
        when=lambda one: "/items/" in one.path,
    )
    with pytest.raises(DecodeError, match=r"items\[0\]\.fulfillmentAvailability\[0\]\.quantity"):
        read(sink(shop), "MUG")


# --- single writes ------------------------------------------------------------------------------------


def test_few_listings_go_one_by_one_and_keep_what_else_is_set_there() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1, lead_time=3)
    shop.add("CUP", 1, product_type=None)
    result = outcomes(push(sink(shop), change("MUG", 5), change("CUP", 0)))
    assert set(result.values()) == {("accepted", "")}
    assert (shop.quantity("MUG"), shop.lead_time("MUG"), shop.quantity("CUP")) == (5, 3, 0)
    bodies = {one.path.rsplit("/", 1)[1]: one.json() for one in asked(shop, "PATCH", "/items/")}
    assert bodies["MUG"] == {
        "productType": "MUG",
        "patches": [
            {
                "op": "merge",
                "path": "/attributes/fulfillment_availability",
                "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 5}],
            }
        ],
    }
    assert bodies["CUP"]["productType"] == "PRODUCT"
    assert not asked(shop, "POST", "/feeds")


def test_the_marketplace_itself_wipes_the_lead_time_on_replace_which_is_why_merge_is_used() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1, lead_time=3)
    (one,) = api.patches({"DEFAULT": 5})
    shop.offers.patch("MUG", {"productType": "MUG", "patches": [{**one, "op": "replace"}]})
    assert (shop.quantity("MUG"), shop.lead_time("MUG")) == (5, None)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"path": "/attributes/fulfillmentAvailability"},
        {"path": "/attributes/fulfillment_availability/0/quantity"},
        {"op": "set"},
        {"value": [{"quantity": 5}]},
        {"value": [{"fulfillment_channel_code": "DEFAULT", "quantity": -1}]},
        {"value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 5.5}]},
        {"value": [{"fulfillment_channel_code": "src-1", "quantity": 5}]},
    ],
)
def test_the_marketplace_itself_refuses_patches_that_are_not_quite_right(spoiled: dict[str, Any]) -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    (one,) = api.patches({"DEFAULT": 5})
    status, issues = shop.offers.patch("MUG", {"productType": "MUG", "patches": [{**one, **spoiled}]})
    assert (status, issues[0]["severity"], shop.quantity("MUG")) == ("INVALID", "ERROR", 1)


def test_the_marketplace_itself_wants_a_product_type() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    assert shop.offers.patch("MUG", {"patches": api.patches({"DEFAULT": 5})})[0] == "INVALID"


def test_http_200_with_status_invalid_is_a_refusal_with_amazons_words() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.add("GONE", 1)
    amazon = sink(shop)
    read(amazon, "MUG", "GONE")
    shop.remove("GONE")
    results = {one.listing_sku: one for one in push(amazon, change("GONE", 5), change("MUG", 5))}
    assert (results["GONE"].status, results["GONE"].reason) == ("rejected", "row_refused")
    assert results["GONE"].message == "ERROR 13013: The SKU 'GONE' does not exist in the catalogue."
    assert results["MUG"].status == "accepted"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"status": "VALID"}, ("accepted", "")),
        ({"status": "ACCEPTED", "issues": [("WARNING", "w")]}, ("accepted", "")),
        ({"status": "ACCEPTED", "issues": [("ERROR", "e"), ("WARNING", "w")]}, ("rejected", "row_refused")),
        ({"status": "INVALID", "issues": [("WARNING", "w")]}, ("rejected", "row_refused")),
        ({"status": "INVALID"}, ("rejected", "row_refused")),
    ],
)
def test_errors_refuse_a_row_and_warnings_only_accompany_it(
    answer: dict[str, Any], outcome: tuple[str, str]
) -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    issues = [{"code": "1", "severity": how, "message": what} for how, what in answer.get("issues", [])]
    shop.trouble(json_answer({**answer, "issues": issues}), when=lambda one: one.method == "PATCH")
    result = only(push(sink(shop), change("MUG", 5)))
    assert (result.status, result.reason) == outcome
    assert [what for _, what in answer.get("issues", [])][:1] == result.message.split(": ")[1:][:1] or (
        "e" in result.message
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, ("rejected", "row_refused")),
        (404, ("rejected", "not_in_cart")),
        (413, ("rejected", "body_too_large")),
    ],
)
def test_one_listing_that_amazon_refuses_costs_only_itself(status: int, outcome: tuple[str, str]) -> None:
    shop = AmazonMarketplace()
    shop.add("BAD", 1)
    shop.add("MUG", 1)
    refusal = json_answer({"errors": [{"code": "InvalidInput", "message": "no", "details": ""}]}, status)
    shop.trouble(refusal, when=lambda one: one.path.endswith("/BAD"))
    result = outcomes(push(sink(shop), change("BAD", 5), change("MUG", 5)))
    assert result == {("BAD", None): outcome, ("MUG", None): ("accepted", "")}


def test_a_quantity_above_the_set_maximum_is_refused_before_it_is_sent() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    result = outcomes(push(sink(shop, max_quantity=999), change("MUG", 1000)))
    assert result == {("MUG", None): ("rejected", "out_of_range")}
    assert not asked(shop, "PATCH", "/items/")


def test_negative_and_fractional_quantities_cannot_even_be_written_down() -> None:
    for quantity in (-1, 5.5, "5"):
        with pytest.raises((InvalidValueError, WrongTypeError)):
            change("MUG", quantity)  # type: ignore[arg-type]  # wrong on purpose


def test_rows_that_contradict_each_other_are_not_sent() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    results = push(sink(shop), change("MUG", 5), change("MUG", 6))
    assert [(one.status, one.reason) for one in results] == [("rejected", "contradiction")] * 2
    assert shop.quantity("MUG") == 1


def test_a_lost_answer_is_asked_again_and_harmless() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.trouble("lost", when=lambda one: one.method == "PATCH")
    assert push(sink(shop), change("MUG", 5))[0].status == "accepted"
    assert (shop.quantity("MUG"), len(asked(shop, "PATCH", "/items/"))) == (5, 2)


def test_a_row_whose_answer_stays_lost_is_pending_while_the_others_go_through() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    shop.trouble("lost", when=lambda one: one.path.endswith("/MUG") and one.method == "PATCH", times=3)
    assert outcomes(push(sink(shop), change("MUG", 5), change("CUP", 5))) == {
        ("MUG", None): ("pending", "answer_unknown"),
        ("CUP", None): ("accepted", ""),
    }


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("unreachable", UnreachableError),
        (Response(status=429), ThrottledError),
        (json_answer({"errors": [{"code": "Unauthorized", "message": "no"}]}, 403), UnauthorizedError),
    ],
)
def test_where_nothing_goes_through_the_whole_push_says_so(trouble: Any, error: type[Exception]) -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    shop.trouble(trouble, when=lambda one: one.method == "PATCH", times=100)
    with pytest.raises(error):
        push(sink(shop), change("MUG", 5), change("CUP", 5))


def test_a_row_that_found_no_connection_is_not_sent_while_another_went_through() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    shop.trouble("unreachable", when=lambda one: one.path.endswith("/MUG") and one.method == "PATCH", times=3)
    assert outcomes(push(sink(shop), change("MUG", 5), change("CUP", 5))) == {
        ("MUG", None): ("skipped", "not_sent"),
        ("CUP", None): ("accepted", ""),
    }


def test_a_push_of_nothing_asks_nothing() -> None:
    shop = AmazonMarketplace()
    assert push(sink(shop)) == []
    assert not shop.requests


# --- pace ---------------------------------------------------------------------------------------------


def test_the_default_pace_is_never_throttled() -> None:
    clock = FakeClock()
    shop = AmazonMarketplace(now=clock.monotonic)
    skus = [f"SKU-{number}" for number in range(60)]
    for sku in skus:
        shop.add(sku, 1)
    refused: list[int] = []

    def watched(request: Request) -> Response:
        response = shop.handle(request)
        refused.append(response.status)
        return response

    amazon = sink(
        shop,
        calls_per_second=5.0,
        poll_seconds=15,
        max_in_flight=1,
        handler=watched,
        keeper=TokenKeeper(clock),
    )
    run_blocking(amazon.push_steps([change(sku, 5) for sku in skus]), clock=clock)
    assert 429 not in refused
    assert shop.quantity("SKU-59") == 5
    assert clock.waited > 11


def test_a_429_tells_the_rate_and_the_lane_waits_for_it() -> None:
    request = Request(method="PATCH", url="https://a.example/x")
    said = json_answer({"errors": [{"code": "QuotaExceeded", "message": "too often", "details": ""}]}, 429)
    for headers, wait in (
        ({"x-amzn-ratelimit-limit": "0.5"}, 2.0),
        ({"x-amzn-ratelimit-limit": "0"}, None),
        ({"x-amzn-ratelimit-limit": "0.5", "retry-after": "7"}, 7.0),
        ({}, None),
    ):
        verdict = judge(request, Response(status=429, headers=headers, content=said.content))
        assert isinstance(verdict, ThrottledError)
        assert verdict.retry_after == wait
        # Whose limit it was, the seller's or the application's, only Amazon's words tell.
        assert "QuotaExceeded: too often" in str(verdict)
    assert judge(request, Response(status=400)) is None
    assert isinstance(judge(request, Response(status=503)), ServerFaultError)


def test_where_another_program_used_the_allowance_up_the_push_goes_on_when_it_may() -> None:
    clock = FakeClock()
    shop = AmazonMarketplace(now=clock.monotonic)
    skus = [f"SKU-{number}" for number in range(12)]
    for sku in skus:
        shop.add(sku, 1)
    shop.spend("patch", 5)
    # Before its first answer nobody knows; the pace alone is far too fast.
    amazon = sink(shop, retry=RetryPolicy(), max_in_flight=1, keeper=TokenKeeper(clock))
    results = run_blocking(amazon.push_steps([change(sku, 5) for sku in skus]), clock=clock)
    assert {one.status for one in results} == {"accepted"}
    assert len(asked(shop, "PATCH", "/items/")) == 12 + 1


# --- feeds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
@pytest.mark.parametrize("gzipped", [True, False])
def test_many_listings_go_as_one_feed_that_is_waited_for(run: Any, gzipped: bool) -> None:
    shop = AmazonMarketplace(gzipped=gzipped, feed_looks=2)
    for number in range(100):
        shop.add(f"SKU-{number}", 1)
    changes = [change(f"SKU-{number}", number) for number in range(100)]
    results = run(sink(shop).push_steps(changes), clock=FakeClock())
    assert set(outcomes(results).values()) == {("accepted", "")}
    assert shop.quantity("SKU-99") == 99
    (feed,) = feeds_of(shop)
    assert feed["header"] == {"sellerId": "A2SELLER", "version": "2.0", "issueLocale": "en_US"}
    assert feed["messages"][1] == {
        "messageId": 2,
        "sku": "SKU-1",
        "operationType": "PATCH",
        "productType": "MUG",
        "patches": api.patches({"DEFAULT": 1}),
    }
    assert not asked(shop, "PATCH", "/items/")


def test_fewer_listings_than_the_threshold_go_one_by_one() -> None:
    shop = AmazonMarketplace()
    for number in range(99):
        shop.add(f"SKU-{number}", 1)
    push(sink(shop), *(change(f"SKU-{number}", 7) for number in range(99)))
    assert (len(asked(shop, "PATCH", "/items/")), feeds_of(shop)) == (99, [])


def test_the_wait_between_two_questions_is_the_one_that_was_set() -> None:
    clock = FakeClock()
    shop = AmazonMarketplace(feed_looks=3)
    shop.add("MUG", 1)
    amazon = as_feed(shop, poll_seconds=15, wait_seconds=180)
    run_blocking(amazon.push_steps([change("MUG", 5)]), clock=clock)
    assert 44 < clock.waited < 46
    assert len(asked(shop, "GET", "/feeds/5")) == 4


def test_a_report_names_rows_by_message_and_only_those_are_refused() -> None:
    shop = AmazonMarketplace()
    for sku in ("A", "B", "C"):
        shop.add(sku, 1)
    amazon = as_feed(shop)
    read(amazon, "A", "B", "C")
    shop.remove("B")
    results = {one.listing_sku: one for one in push(amazon, change("A", 5), change("B", 5), change("C", 5))}
    assert {sku: one.status for sku, one in results.items()} == {
        "A": "accepted",
        "B": "rejected",
        "C": "accepted",
    }
    assert results["B"].message == "ERROR 13013: The SKU 'B' does not exist in the catalogue."


@pytest.mark.parametrize(
    ("end", "outcome", "word"),
    [
        ("FATAL", ("pending", "job_failed"), "4000001"),
        ("CANCELLED", ("rejected", "job_cancelled"), "cancelled"),
    ],
)
def test_a_feed_that_ends_badly_is_told(end: str, outcome: tuple[str, str], word: str) -> None:
    shop = AmazonMarketplace(feed_end=end)
    shop.add("MUG", 1)
    result = only(push(as_feed(shop), change("MUG", 5)))
    assert (result.status, result.reason) == outcome
    assert word in result.message
    assert shop.quantity("MUG") == 1


def test_a_feed_that_broke_off_in_an_earlier_run_is_sent_again() -> None:
    shop = AmazonMarketplace(feed_end="FATAL", feed_looks=0)
    shop.add("MUG", 1)
    amazon = as_feed(shop, wait_seconds=0)
    push(amazon, change("MUG", 5))
    read(amazon, "MUG")
    shop.feeds.end = "DONE"
    assert only(push(amazon, change("MUG", 5))).job == "50002"


def report_answer(shop: AmazonMarketplace, report: Any) -> None:
    content = report if isinstance(report, bytes) else json.dumps(report).encode()
    shop.trouble(
        Response(status=200, content=content),
        when=lambda one: one.method == "GET" and one.path.startswith("/documents/"),
    )


@pytest.mark.parametrize(
    "report",
    [
        {"issues": [], "summary": {"messagesProcessed": 1, "messagesAccepted": 1}},
        {"issues": [], "summary": {"messagesProcessed": 2, "messagesAccepted": 1}},
        {
            "issues": [{"messageId": 9, "code": "1", "severity": "ERROR", "message": "stray"}],
            "summary": {"messagesProcessed": 2, "messagesAccepted": 1},
        },
        b"\x1f\x8bbroken",
        b"<html>",
        {"issues": [{"code": 5}]},
    ],
)
def test_a_report_that_does_not_account_for_every_row_accepts_none(report: Any) -> None:
    shop = AmazonMarketplace()
    shop.add("A", 1)
    shop.add("B", 1)
    report_answer(shop, report)
    result = outcomes(push(as_feed(shop), change("A", 5), change("B", 5)))
    assert set(result.values()) == {("pending", "job_unclear")}


def test_a_feed_that_is_done_without_a_report_accepts_none() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    done = json_answer({"feedId": "50001", "processingStatus": "DONE"})
    shop.trouble(done, when=lambda one: "/feeds/5" in one.path)
    assert outcomes(push(as_feed(shop), change("MUG", 5))) == {("MUG", None): ("pending", "job_unclear")}


def test_feeds_hold_no_more_rows_and_bytes_than_amazon_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.sinks.amazon._MESSAGES_A_FEED", 3)
    shop = AmazonMarketplace()
    for number in range(7):
        shop.add(f"SKU-{number}", 1)
    results = push(as_feed(shop, wait_seconds=20), *(change(f"SKU-{number}", 7) for number in range(7)))
    assert {one.status for one in results} == {"accepted"}
    assert [len(feed["messages"]) for feed in feeds_of(shop)] == [3, 3, 1]
    assert [feed["messages"][0]["messageId"] for feed in feeds_of(shop)] == [1, 1, 1]
    monkeypatch.setattr("omsync.sinks.amazon._BYTES_A_FEED", 600)
    before = len(feeds_of(shop))
    push(as_feed(shop), *(change(f"SKU-{number}", 8) for number in range(7)))
    assert len(feeds_of(shop)) - before == 4
    assert max(len(one.content) for one in asked(shop, "PUT", "/documents/")[before:]) <= 600


def test_twenty_five_thousand_quantities_fit_into_one_feed() -> None:
    longest = 40
    message = {
        "messageId": 25_000,
        "sku": "x" * longest,
        "operationType": "PATCH",
        "productType": "x" * 40,
        "patches": api.patches({"DEFAULT": 2**31}),
    }
    assert 25_000 * len(json.dumps(message, separators=(",", ":"))) < 10_000_000


def test_the_marketplace_itself_breaks_off_a_feed_that_is_too_large() -> None:
    shop = AmazonMarketplace()
    document = Asked(method="POST", path="/", query=(), headers={}, content=b'{"contentType":"c"}')
    shop.feeds.new_document(document)
    next(iter(shop.feeds.documents.values())).content = json.dumps({"messages": [{}] * 25_001}).encode()
    feed = b'{"feedType":"JSON_LISTINGS_FEED","inputFeedDocumentId":"amzn1.tortuga.4.na.1"}'
    shop.feeds.new_feed(Asked(method="POST", path="/", query=(), headers={}, content=feed))
    for _ in range(2):
        told = shop.feeds.status_of(document, "50001").json()
    assert told["processingStatus"] == "FATAL"


def test_a_feed_handed_in_twice_because_its_answer_was_lost_is_harmless() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.trouble("lost", when=lambda one: one.path.endswith("/feeds") and one.method == "POST")
    assert outcomes(push(as_feed(shop), change("MUG", 5))) == {("MUG", None): ("accepted", "")}
    assert (len(shop.feeds.feeds), shop.quantity("MUG")) == (2, 5)


def test_a_feed_whose_answer_stays_lost_leaves_the_push_in_doubt() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    shop.trouble("lost", when=lambda one: one.path.endswith("/feeds") and one.method == "POST", times=3)
    with pytest.raises(LostAnswerError):
        push(as_feed(shop), change("MUG", 5))


def test_a_token_that_ends_while_a_feed_is_waited_for_is_renewed_and_the_feed_not_sent_again() -> None:
    shop = AmazonMarketplace(feed_looks=1)
    shop.add("MUG", 1)

    def ending(request: Request) -> Response:
        response = shop.handle(request)
        if request.url.endswith("/feeds"):
            shop.end_tokens()
        return response

    results = push(as_feed(shop, handler=ending), change("MUG", 5))
    assert outcomes(results) == {("MUG", None): ("accepted", "")}
    assert len(shop.feeds.feeds) == 1


# --- feeds that are not done in time ------------------------------------------------------------------


def test_a_feed_that_is_not_done_in_time_is_pending_with_its_id() -> None:
    shop = AmazonMarketplace(feed_looks=100)
    shop.add("MUG", 1)
    result = only(push(as_feed(shop), change("MUG", 5)))
    assert (result.status, result.reason, result.job) == ("pending", "job_pending", "50001")


def test_a_push_that_shall_not_wait_does_not_even_ask() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    assert only(push(as_feed(shop, wait_seconds=0), change("MUG", 5))).reason == "job_pending"
    assert not asked(shop, "GET", "/feeds/5")


def test_a_row_in_an_open_feed_is_not_sent_again_and_another_quantity_waits_for_its_turn() -> None:
    shop = AmazonMarketplace(feed_looks=100)
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    memory = DictMemory()
    push(as_feed(shop).remembering(memory), change("MUG", 5), change("CUP", 5))
    later = as_feed(shop).remembering(memory)
    read(later, "MUG", "CUP")
    results = {one.listing_sku: one for one in push(later, change("MUG", 5), change("CUP", 0))}
    assert (results["MUG"].status, results["MUG"].reason, results["MUG"].job) == (
        "pending",
        "job_pending",
        "50001",
    )
    assert (results["CUP"].status, results["CUP"].reason) == ("pending", "job_in_progress")
    assert "carries 5" in results["CUP"].message
    assert len(feeds_of(shop)) == 1
    assert not asked(shop, "PATCH", "/items/")


def test_once_the_feed_is_done_the_next_run_sends_what_waited() -> None:
    shop = AmazonMarketplace(feed_looks=0)
    shop.add("MUG", 1)
    memory = DictMemory()
    push(as_feed(shop, wait_seconds=0).remembering(memory), change("MUG", 5))
    later = as_feed(shop).remembering(memory)
    assert figures(read(later, "MUG")) == {("MUG", None): ("listed", 5)}
    assert memory.namespaces == {}
    assert outcomes(push(later, change("MUG", 0))) == {("MUG", None): ("accepted", "")}
    assert shop.quantity("MUG") == 0


def test_what_an_earlier_feed_refused_is_told_by_the_next_run_and_sent_by_the_one_after() -> None:
    shop = AmazonMarketplace(feed_looks=0)
    shop.add("MUG", 1)
    amazon = as_feed(shop, wait_seconds=0)
    memory = DictMemory()
    read(amazon, "MUG")
    offer = shop.offers.by_sku["MUG"]
    first = as_feed(shop, wait_seconds=0).remembering(memory)
    read(first, "MUG")
    shop.remove("MUG")
    push(first, change("MUG", 5))
    second = first.remembering(memory)
    read(second, "MUG")
    shop.offers.by_sku["MUG"] = offer
    result = only(push(second, change("MUG", 5)))
    assert (result.status, result.reason) == ("rejected", "row_refused")
    assert len(feeds_of(shop)) == 1
    assert only(push(second.remembering(memory), change("MUG", 5))).reason == "job_pending"
    assert len(feeds_of(shop)) == 2


def test_what_an_earlier_feed_took_and_does_not_show_yet_is_not_sent_again_at_once() -> None:
    shop = AmazonMarketplace(feed_looks=0, applies_at_once=False)
    shop.add("MUG", 1)
    memory = DictMemory()
    push(as_feed(shop, wait_seconds=0).remembering(memory), change("MUG", 5))
    second = as_feed(shop, wait_seconds=0).remembering(memory)
    assert figures(read(second, "MUG"))["MUG", None] == ("listed", 1)
    assert outcomes(push(second, change("MUG", 5))) == {("MUG", None): ("accepted", "")}
    assert len(feeds_of(shop)) == 1
    shop.apply()
    assert figures(read(second, "MUG"))["MUG", None] == ("listed", 5)


def test_without_a_ledger_open_feeds_are_known_to_the_sink_itself() -> None:
    shop = AmazonMarketplace(feed_looks=100)
    shop.add("MUG", 1)
    amazon = as_feed(shop, wait_seconds=0).remembering(None)
    push(amazon, change("MUG", 5))
    assert only(push(amazon.remembering(None), change("MUG", 5))).reason == "job_pending"
    assert repr(amazon.jobs) == "Jobs(1 under way)"
    assert only(push(as_feed(shop, wait_seconds=0), change("MUG", 5))).job == "50002"


def test_a_feed_that_is_stuck_is_given_up_after_some_runs_and_its_rows_sent_again() -> None:
    shop = AmazonMarketplace(feed_looks=10_000)
    shop.add("MUG", 1)
    memory = DictMemory()
    amazon = as_feed(shop, wait_seconds=0, patience_runs=3)
    jobs = []
    for _ in range(5):
        run = amazon.remembering(memory)
        read(run, "MUG")
        jobs.append(only(push(run, change("MUG", 5))).job)
    assert jobs == ["50001", "50001", "50001", "50002", "50002"]


def test_a_feed_that_amazon_no_longer_knows_is_forgotten_and_its_rows_sent_again() -> None:
    shop = AmazonMarketplace(feed_looks=100)
    shop.add("MUG", 1)
    memory = DictMemory()
    push(as_feed(shop, wait_seconds=0).remembering(memory), change("MUG", 5))
    shop.feeds.feeds.clear()
    result = only(push(as_feed(shop, wait_seconds=0).remembering(memory), change("MUG", 5)))
    assert (result.reason, result.job) == ("job_pending", "50001")
    assert len(feeds_of(shop)) == 2


def test_a_feed_that_cannot_be_asked_after_counts_as_under_way() -> None:
    shop = AmazonMarketplace(feed_looks=0)
    shop.add("MUG", 1)
    memory = DictMemory()
    push(as_feed(shop, wait_seconds=0).remembering(memory), change("MUG", 5))
    shop.trouble(Response(status=503), when=lambda one: "/feeds/5" in one.path, times=3)
    assert only(push(as_feed(shop).remembering(memory), change("MUG", 5))).reason == "job_pending"


def test_a_deadline_ends_the_wait_and_not_the_feed() -> None:
    clock = FakeClock()
    shop = AmazonMarketplace(feed_looks=100)
    shop.add("MUG", 1)
    memory = DictMemory()
    amazon = as_feed(shop, poll_seconds=15, wait_seconds=180).remembering(memory)
    steps = amazon.push_steps([change("MUG", 5)])
    result = only(run_blocking(steps, clock=clock, deadline=clock.now() + timedelta(seconds=40)))
    assert (result.reason, result.job) == ("job_pending", "50001")
    assert clock.waited < 40
    assert list(memory.namespaces) == ["jobs of amazon seller A2SELLER in ATVPDKIKX0DER"]


def test_a_second_feed_that_is_refused_costs_only_its_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.sinks.amazon._MESSAGES_A_FEED", 1)
    shop = AmazonMarketplace()
    for sku in ("A", "B", "C"):
        shop.add(sku, 1)
    refusal = json_answer({"errors": [{"code": "InvalidInput", "message": "no"}]}, 400)
    shop.trouble(refusal, when=lambda one: one.path.endswith("/feeds") and bool(shop.feeds.feeds))
    results = push(as_feed(shop), change("A", 5), change("B", 5), change("C", 5))
    assert outcomes(results) == {
        ("A", None): ("accepted", ""),
        ("B", None): ("rejected", "refused"),
        ("C", None): ("skipped", "not_sent"),
    }


def test_a_first_feed_that_is_refused_raises_since_nothing_is_written() -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 1)
    refusal = json_answer({"errors": [{"code": "InvalidInput", "message": "no"}]}, 400)
    shop.trouble(refusal, when=lambda one: one.path.endswith("/feeds"))
    with pytest.raises(RefusedError, match="InvalidInput: no"):
        push(as_feed(shop), change("MUG", 5))


# --- multi-location inventory -------------------------------------------------------------------------

SOURCES = {"Reno DC": "src-1", "Harbor 3PL": "src-2"}


def enrolled() -> AmazonMarketplace:
    shop = AmazonMarketplace(enrolled=True)
    shop.add("MUG", 7)
    return shop


def test_supply_sources_are_the_sellers_own_and_named_by_code_or_name() -> None:
    shop = enrolled()
    shop.add("MUG", 4, channel="src-1")
    shown = read(sink(shop, supply_sources=SOURCES, location="Reno DC"), "MUG")
    assert {(one.location_id, one.quantity, one.same_as) for one in shown} == {
        (None, 4, "src-1"),
        ("Reno DC", 4, "src-1"),
        ("src-1", 4, None),
        ("Harbor 3PL", 0, "src-2"),
        ("src-2", 0, None),
    }
    assert figures(read(sink(shop), "MUG")) == {("MUG", None): ("unmanaged", None)}


@pytest.mark.parametrize("make", [sink, as_feed])
def test_a_breakdown_goes_to_supply_sources_and_default_is_set_to_0_once(make: Any) -> None:
    shop = enrolled()
    amazon = make(shop, supply_sources=SOURCES)
    result = outcomes(push(amazon, change("MUG", 5, "Reno DC"), change("MUG", 2, "src-2")))
    assert set(result.values()) == {("accepted", "")}
    assert [shop.quantity("MUG", code) for code in ("DEFAULT", "src-1", "src-2")] == [0, 5, 2]
    push(amazon.remembering(None), change("MUG", 6, "Reno DC"))
    sent = [one.json() for one in asked(shop, "PATCH", "/items/")] or [
        feed["messages"][0] for feed in feeds_of(shop)
    ]
    codes = [[one["fulfillment_channel_code"] for one in body["patches"][0]["value"]] for body in sent]
    assert codes == [["DEFAULT", "src-1", "src-2"], ["src-1"]]


def test_rows_without_a_location_go_to_the_one_supply_source_or_must_name_one() -> None:
    shop = enrolled()
    one = sink(shop, supply_sources={"src-1"})
    assert one.capabilities.locations == "optional"
    assert outcomes(push(one, change("MUG", 5))) == {("MUG", None): ("accepted", "")}
    assert shop.quantity("MUG", "src-1") == 5
    two = sink(shop, supply_sources=SOURCES)
    assert two.capabilities.locations == "required"
    assert sink(shop, supply_sources=SOURCES, location="src-2").capabilities.locations == "optional"


@pytest.mark.parametrize("sources", [{}, SOURCES])
def test_an_unknown_location_is_rejected_before_it_is_sent(sources: dict[str, str]) -> None:
    shop = enrolled()
    result = outcomes(push(sink(shop, supply_sources=sources), change("MUG", 5, "Nowhere")))
    assert result == {("MUG", "Nowhere"): ("rejected", "unknown_location")}
    assert not asked(shop, "PATCH", "/items/")


# --- whole runs ---------------------------------------------------------------------------------------


def run_once(amazon: Amazon, ledger: SqliteLedger, stock: dict[str, dict[str, int]]) -> Any:
    return sync_cart(reading(stock), amazon, cart(), merchant=BY_WAREHOUSE, ledger=ledger)


@pytest.mark.parametrize("make", [sink, as_feed])
def test_a_whole_run_and_a_second_one_that_finds_nothing_to_do(make: Any, tmp_path: Any) -> None:
    shop = AmazonMarketplace()
    shop.add("MUG", 3)
    shop.add("FBA", None, channel="AMAZON_NA")
    stock = {"MUG": {"1": 8}, "FBA": {"1": 5}, "NONE": {"1": 1}}
    amazon = make(shop, wait_seconds=0)
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        first = run_once(amazon, ledger, stock)
        assert {one.master_sku: (one.outcome, one.reason) for one in first.outcomes} == {
            "MUG": ("pending", "accepted" if make is sink else "job_pending"),
            "FBA": ("skipped", "unmanaged_in_cart"),
            "NONE": ("skipped", "not_in_cart"),
        }
        shop.feeds.looks = 0
        for feed in shop.feeds.feeds.values():
            feed.looks_left = 0
        second = run_once(amazon, ledger, stock)
    assert {one.master_sku: one.outcome for one in second.outcomes}["MUG"] == "unchanged"
    assert shop.quantity("MUG") == 8


def test_a_whole_run_awaiting_and_over_http() -> None:
    shop = AmazonMarketplace(feed_looks=0)
    shop.add("MUG", 3)
    with shop.serve() as server:
        amazon = as_feed(
            shop,
            handler=None,
            url=server.base_url,
            token_url=f"{server.base_url}/auth/o2/token",
            wait_seconds=0,
        )
        snapshot = reading({"MUG": {"1": 8}})
        first = asyncio.run(aio.sync_cart(snapshot, amazon, cart(), merchant=BY_WAREHOUSE))
        assert first.counts == {"pending": 1}
        second = asyncio.run(aio.sync_cart(snapshot, amazon, cart(), merchant=BY_WAREHOUSE))
        assert second.counts == {"unchanged": 1}
        assert shop.quantity("MUG") == 8


def test_a_packed_report_is_read_over_http_too() -> None:
    shop = AmazonMarketplace(feed_looks=0)
    shop.add("MUG", 3)
    with shop.serve() as server:
        amazon = as_feed(
            shop, handler=None, url=server.base_url, token_url=f"{server.base_url}/auth/o2/token"
        )
        assert outcomes(amazon.push([change("MUG", 8)])) == {("MUG", None): ("accepted", "")}
        assert figures(amazon.read(["MUG"])) == {("MUG", None): ("listed", 8)}


# --- the marketplace itself ---------------------------------------------------------------------------


def ask(shop: AmazonMarketplace, method: str, path: str, *query: tuple[str, str], **more: Any) -> Response:
    grant = api.grant("https://a.example/auth/o2/token", "client-1", "secret-1", "refresh-1")
    token = shop.handle(next(grant)).json()["access_token"]
    headers = {"x-amz-access-token": token}
    url = f"https://a.example{path}"
    return shop.handle(Request(method=method, url=url, query=query, **{"headers": headers, **more}))


ITEMS = "/listings/2021-08-01/items"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/listings/2021-08-01/items", 404),
        ("GET", "/listings/2020-09-01/items/A2SELLER", 404),
        ("DELETE", f"{ITEMS}/A2SELLER/MUG", 404),
        ("GET", f"{ITEMS}/A2SELLER/NONE", 404),
        ("GET", f"{ITEMS}/ANOTHER/MUG", 403),
        ("PATCH", f"{ITEMS}/ANOTHER/MUG", 403),
        ("GET", "/feeds/2021-06-30/feeds/1", 404),
        ("GET", "/feeds/2021-06-30/documents/1", 404),
    ],
)
def test_the_marketplace_itself_knows_no_other_paths(method: str, path: str, status: int) -> None:
    answer = ask(AmazonMarketplace(), method, path, ("marketplaceIds", "ATVPDKIKX0DER"))
    assert answer.status == status
    assert answer.json()["errors"][0]["code"]


@pytest.mark.parametrize(
    "query",
    [
        {"marketplaceIds": "A1PA6795UKMFR9"},
        {"identifiers": ",".join(map(str, range(21)))},
        {"pageSize": "21"},
        {"identifiersType": "ASIN"},
    ],
)
def test_the_marketplace_itself_takes_twenty_skus_of_its_own_marketplace(query: dict[str, str]) -> None:
    given = {"marketplaceIds": "ATVPDKIKX0DER", "identifiers": "MUG", "identifiersType": "SKU", **query}
    assert ask(AmazonMarketplace(), "GET", f"{ITEMS}/A2SELLER", *given.items()).status == 400


def test_the_marketplace_itself_gives_ten_items_a_page_unless_asked_for_more() -> None:
    shop = AmazonMarketplace()
    skus = [f"SKU-{number}" for number in range(12)]
    for sku in skus:
        shop.add(sku)
    query = {"marketplaceIds": "ATVPDKIKX0DER", "identifiers": ",".join(skus), "identifiersType": "SKU"}
    page = ask(shop, "GET", f"{ITEMS}/A2SELLER", *query.items()).json()
    assert (len(page["items"]), page["pagination"]) == (10, {"nextToken": "10"})
    assert list(page["items"][0]) == ["sku"]


def test_the_marketplace_itself_wants_a_token_and_a_refresh_token() -> None:
    shop = AmazonMarketplace()
    assert ask(shop, "GET", "/", headers={}).status == 403
    form = {"content-type": "application/x-www-form-urlencoded"}
    token = Request(
        method="POST", url="https://a.example/auth/o2/token", headers=form, raw=b"grant_type=password"
    )
    assert shop.handle(token).json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"feedType": "POST_INVENTORY_AVAILABILITY_DATA"},
        {"marketplaceIds": ["A1PA6795UKMFR9"]},
        {"inputFeedDocumentId": "none"},
    ],
)
def test_the_marketplace_itself_takes_json_feeds_of_its_documents_only(spoiled: dict[str, Any]) -> None:
    shop = AmazonMarketplace()
    made = ask(shop, "POST", "/feeds/2021-06-30/documents", body={"contentType": "c"}).json()
    body = {
        "feedType": "JSON_LISTINGS_FEED",
        "marketplaceIds": ["ATVPDKIKX0DER"],
        "inputFeedDocumentId": made["feedDocumentId"],
    }
    assert ask(shop, "POST", "/feeds/2021-06-30/feeds", body=body).status == 202
    assert ask(shop, "POST", "/feeds/2021-06-30/feeds", body={**body, **spoiled}).status == 400


def test_the_marketplace_itself_stores_only_what_was_announced_at_a_signed_address_without_a_token() -> None:
    shop = AmazonMarketplace()
    made = ask(shop, "POST", "/feeds/2021-06-30/documents", body={"contentType": "c"}).json()
    put = {"method": "PUT", "url": made["url"], "raw": b"{}"}
    assert shop.handle(Request(**put, headers={"content-type": "d"})).status == 403
    assert shop.handle(Request(**put, headers={"content-type": "c", "x-amz-access-token": "t"})).status == 403
    unsigned = {**put, "url": made["url"].partition("?")[0]}
    assert shop.handle(Request(**unsigned, headers={"content-type": "c"})).status == 403
    assert shop.handle(Request(**put, headers={"content-type": "c"})).status == 200


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"messages":[{"messageId":1,"sku":"MUG"}]}'])
def test_the_marketplace_itself_refuses_what_is_no_feed_of_patches(content: bytes) -> None:
    shop = AmazonMarketplace(feed_looks=0, gzipped=False)
    made = ask(shop, "POST", "/feeds/2021-06-30/documents", body={"contentType": "c"}).json()
    shop.feeds.documents[made["feedDocumentId"]].content = content
    body = {
        "feedType": "JSON_LISTINGS_FEED",
        "marketplaceIds": ["ATVPDKIKX0DER"],
        "inputFeedDocumentId": made["feedDocumentId"],
    }
    feed = ask(shop, "POST", "/feeds/2021-06-30/feeds", body=body).json()["feedId"]
    for _ in range(2):
        told = ask(shop, "GET", f"/feeds/2021-06-30/feeds/{feed}").json()
    assert told["processingStatus"] == ("DONE" if b"messageId" in content else "FATAL")
    report = json.loads(shop.feeds.documents[told["resultFeedDocumentId"]].content)
    assert report["summary"]["errors"] == 1


def test_what_was_accepted_for_a_listing_that_has_gone_shows_nowhere() -> None:
    shop = AmazonMarketplace(applies_at_once=False)
    shop.add("MUG", 1)
    push(sink(shop), change("MUG", 5))
    assert shop.quantity("MUG") == 1
    shop.remove("MUG")
    shop.apply()
    shop.add("MUG", 2)
    assert shop.quantity("MUG") == 2
