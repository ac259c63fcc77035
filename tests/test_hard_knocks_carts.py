"""What a hostile tester found in the carts: outcomes that lied, lists without end, secrets in logs."""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from attrs import evolve
from edi846_partner import acknowledgement, envelope, take
from fake_memory import FakeClock
from fake_ports import DictLedger, stock
from fake_ports import FakeClock as Calendar
from two_runners import RUNNERS, run_blocking

from omsync import (
    CartListing,
    CartSettings,
    MerchantSettings,
    PerWarehouse,
    SyncReport,
    sync_cart,
    sync_carts,
)
from omsync.errors import (
    DecodeError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.messages import Conversation, Request, Response, scrubbed
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk
from omsync.http.tokens import Token, TokenKeeper
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import PushResult, QuantityChange, SinkCapabilities
from omsync.sinks import _amazon, _bigcommerce, _medusa, _medusa_rows, _saleor, _shopify
from omsync.sinks import _shopify_rows as shopify_rows
from omsync.sinks import _shopify_writing as shopify_writing
from omsync.sinks import _walmart as walmart_api
from omsync.sinks import _walmart_feeds as walmart_feeds
from omsync.sinks._granted import Granted
from omsync.sinks._http import Paging, starts_of_pages
from omsync.sinks._jobs import Job
from omsync.sinks._shopify_points import Meter
from omsync.sinks.amazon import Amazon
from omsync.sinks.bigcommerce import BigCommerce
from omsync.sinks.ebay import Ebay
from omsync.sinks.edi846 import Edi846, PartnerProfile, Party
from omsync.sinks.files import CsvCart
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.sinks.walmart import Walmart
from omsync.testing.carts.amazon import AmazonMarketplace
from omsync.testing.carts.bigcommerce import BigCommerceStore
from omsync.testing.carts.ebay import EbaySeller
from omsync.testing.carts.platform import Platform, json_answer
from omsync.testing.carts.shopify import ShopifyShop
from omsync.testing.carts.walmart import WalmartMarketplace

ONCE = RetryPolicy(attempts=1)
MERCHANT, CART = MerchantSettings(mode=PerWarehouse()), CartSettings(name="shop")
FAST = 1_000_000.0
Handler = Callable[[Request], Response]


def ends(report: SyncReport) -> dict[str | None, tuple[str, str]]:
    return {one.listing_sku: (one.outcome, one.reason) for one in report.outcomes}


def synced(figures: dict[str, int], sink: Any, **more: Any) -> SyncReport:
    """Sync, and give the report also of a run that an error ended."""
    more.setdefault("clock", FakeClock())
    try:
        return sync_cart(stock(figures), sink, CART, merchant=MERCHANT, **more)
    except OmsyncError as error:
        report: SyncReport = error.omsync_report  # type: ignore[attr-defined]  # every run's error has one
        return report


def walmart(handler: Handler, **options: Any) -> Walmart:
    given: dict[str, Any] = {"client_id": "client-1", "client_secret": "secret-1", "calls_per_second": FAST}
    return Walmart("1", **given, retry=ONCE, handler=handler, **options)


def ebay(there: EbaySeller, handler: Handler | None = None, **options: Any) -> Ebay:
    given: dict[str, Any] = {
        "client_id": "ebay-test-app",
        "client_secret": "ebay-test-secret",
        "refresh_token": "ebay-test-refresh",
        "out_of_stock_control": True,
        "calls_per_second": FAST,
    }
    return Ebay(**given, retry=ONCE, handler=handler or there.handle, **options)


def amazon(handler: Handler | None, **options: Any) -> Amazon:
    given: dict[str, Any] = {
        "marketplace_id": "ATVPDKIKX0DER",
        "client_id": "client-1",
        "client_secret": "secret-1",
        "refresh_token": "refresh-1",
        "calls_per_second": 1000.0,
        "poll_seconds": 1,
        "retry": ONCE,
        "handler": handler,
        "feed_from_rows": 1,
    }
    return Amazon("A2SELLER", **{**given, **options})


# What a push says when it is broken off in its middle.


def test_rows_that_were_written_before_the_credentials_were_taken_back_are_applied() -> None:
    there = WalmartMarketplace()
    for sku in "ABCD":
        there.add(sku, 1)
    writes: list[Request] = []

    def revoking(request: Request) -> Response:
        writes.extend([request] if request.method == "PUT" else [])
        if len(writes) > 2:
            return json_answer({"errors": [{"code": "UNAUTHORIZED"}]}, 401)
        return there.handle(request)

    report = synced(dict.fromkeys("ABCD", 9), walmart(revoking, max_in_flight=1))

    assert {sku: there.quantity(sku) for sku in "ABCD"} == {"A": 9, "B": 9, "C": 1, "D": 1}
    assert ends(report) == {
        "A": ("applied", ""),
        "B": ("applied", ""),
        "C": ("skipped", "not_sent"),
        "D": ("skipped", "not_sent"),
    }


@pytest.mark.parametrize("failure", [ServerFaultError("broke"), UnauthorizedError("no")])
def test_what_came_of_a_round_is_kept_when_the_next_one_gets_no_token(failure: OmsyncError) -> None:
    clock = FakeClock()
    grants = iter([Token(value="t1", seconds=100.0)])

    def grant() -> Conversation[Token]:
        yield from ()
        token = next(grants, None)
        if token is None:
            raise failure
        return token

    def asked(number: int) -> Callable[[str], Conversation[int]]:
        def ask(_: str) -> Conversation[int]:
            clock.sleep(1.0)
            yield from ()
            return number

        return ask

    line = Line(account="x", retry=ONCE, max_in_flight=1)
    door = Granted(line=line, keeper=TokenKeeper(clock), grant=grant)
    outcomes = run_blocking(door.ask_all([asked(number) for number in range(150)]), clock=clock)

    assert outcomes[:100] == list(range(100))
    assert {type(one) for one in outcomes[100:]} <= {UnreachableError, UnauthorizedError}
    assert len(outcomes) == 150


def test_half_a_batch_that_bigcommerce_took_before_it_failed_is_not_called_unsent() -> None:
    there = BigCommerceStore()
    for sku in ("A1", "A2", "A3", "A4"):
        there.add(sku, 1)
    writes: list[Request] = []

    def failing(request: Request) -> Response:
        writes.extend([request] if request.method == "PUT" else [])
        if request.method == "PUT" and len(writes) == 1:
            return json_answer({"title": "something is bad"}, 422)
        if request.method == "PUT" and len(writes) == 3:
            return json_answer({}, 401)
        return there.handle(request)

    sink = BigCommerce(
        "abc123", token=there.token, location="MAIN", retry=ONCE, handler=failing, quota_per_window=1_000_000
    )
    report = synced(dict.fromkeys(("A1", "A2", "A3", "A4"), 9), sink)

    assert [there.quantity(sku) for sku in ("A1", "A2", "A3", "A4")] == [9, 9, 1, 1]
    assert ends(report) == {
        "A1": ("pending", "accepted"),
        "A2": ("pending", "accepted"),
        "A3": ("skipped", "not_sent"),
        "A4": ("skipped", "not_sent"),
    }


def test_a_bad_sku_in_quotes_does_not_take_along_a_sku_that_reads_like_a_word_of_the_refusal() -> None:
    rows = [_bigcommerce.Row(sku=sku, location_id="3", quantity=1) for sku in ("3", "A1", "item")]
    access = _bigcommerce.Access(url="https://x", token="t")
    said = {"title": "item 'A1' not found in location 3"}
    result = driven(
        _bigcommerce.adjust(access, rows, "r"),
        lambda _, number: json_answer(said, 422) if number == 1 else json_answer({}),
    )
    assert result == {"A1": said["title"]}


def test_of_two_calls_to_ebay_that_fail_differently_each_says_so_of_its_own_rows() -> None:
    there = EbaySeller()
    for sku in ("S0", "S1"):
        there.add(sku, 1)
    calls: list[Request] = []

    def failing(request: Request) -> Response:
        if not request.url.endswith("/bulk_update_price_quantity"):
            return there.handle(request)
        calls.append(request)
        if "S1" in str(request.body):
            there.handle(request)
            raise LostAnswerError("lost")
        raise UnreachableError("down")

    report = synced({"S0": 9, "S1": 9}, ebay(there, failing, skus_per_call=1))

    assert ends(report) == {"S0": ("skipped", "not_sent"), "S1": ("pending", "answer_unknown")}
    assert there.quantity("S1") == 9


def test_an_offer_that_refused_what_its_item_took_is_never_called_unchanged() -> None:
    """Shoppers see the smaller of both, so the listing stayed at 5 while every run called it 9."""
    there = EbaySeller(revisions_per_day=1)
    there.add("S", 1)
    sink = ebay(there)
    with SqliteLedger(":memory:") as ledger:
        results = [ends(synced({"S": figure}, sink, ledger=ledger))["S"] for figure in (5, 9, 9)]
        there.next_day()
        results.append(ends(synced({"S": 9}, sink, ledger=ledger))["S"])
    assert results == [
        ("applied", ""),
        ("rejected", "row_refused"),
        ("rejected", "row_refused"),
        ("applied", ""),
    ]
    assert there.quantity("S") == 9


def test_an_offer_of_unknown_state_is_looked_at_again_after_a_lost_answer() -> None:
    there = EbaySeller()
    there.add("S", 1)
    sink = ebay(there)
    with SqliteLedger(":memory:") as ledger:
        synced({"S": 5}, sink, ledger=ledger)
        there.trouble("lost", when=lambda asked: asked.path.endswith("_price_quantity"))
        assert ends(synced({"S": 9}, sink, ledger=ledger))["S"] == ("pending", "answer_unknown")
        (offer,) = there._offers  # noqa: SLF001  what a shopper sees cannot be set otherwise
        offer.quantity = 5  # the item took it, its offer did not
        assert ends(synced({"S": 9}, sink, ledger=ledger))["S"] == ("applied", "")
    assert offer.quantity == 9


def test_a_report_about_a_job_of_yesterday_does_not_excuse_what_somebody_changed_since() -> None:
    there = AmazonMarketplace()
    there.add("A", 50)
    sink = amazon(there.handle, wait_seconds=0)
    with SqliteLedger(":memory:") as ledger:
        synced({"A": 5}, sink, ledger=ledger)
        there.feeds.finish()
        there.offers.by_sku["A"].channels["DEFAULT"]["quantity"] = 80
        assert ends(synced({"A": 5}, sink, ledger=ledger))["A"] == ("pending", "job_pending")
        there.feeds.finish()
    assert there.quantity("A") == 5


def test_an_answer_with_a_result_and_an_error_beside_it_is_no_refusal() -> None:
    target = shopify_rows.Target(place=("i", "l"), sku="MUG", quantity=1, expected=0, key="k")
    sending = shopify_rows.Sending(name="available", salt="", reference="gid://x/y/1")
    item = {"id": "i", "sku": "MUG"}
    change = {"name": "available", "quantityAfterChange": 1, "item": item, "location": {"id": "l"}}
    group = {"inventoryAdjustmentGroup": {"changes": [change]}, "userErrors": []}
    both = {"data": {"inventorySetQuantities": group}, "errors": [{"message": "odd"}]}
    access = _shopify.Access(url="https://x", token="t")
    with pytest.raises(LostAnswerError):
        driven(shopify_writing.write(access, [target], sending), lambda *_: json_answer(both))
    with pytest.raises(RefusedError):
        driven(
            shopify_writing.write(access, [target], sending),
            lambda *_: json_answer({**both, "data": {"inventorySetQuantities": None}}),
        )
    rows = [_saleor.Row(variant_id="v", warehouse_id="w", quantity=1)]
    bulk = {"data": {"stockBulkUpdate": {"results": [], "errors": []}}, "errors": [{"message": "odd"}]}
    with pytest.raises(LostAnswerError):
        driven(
            _saleor.update(_saleor.Access(url="https://x", token="t"), rows, "IGNORE_FAILED"),
            lambda *_: json_answer(bulk),
        )


def test_units_on_hand_without_the_available_ones_beside_them_are_not_guessed_at() -> None:
    """All of them were taken for units of open orders, and added to what was sent."""
    there = ShopifyShop()
    there.add("A", 9)

    def forgetful(request: Request) -> Response:
        answer = there.handle(request)
        return evolve(answer, content=answer.content.replace(b'"name":"available"', b'"name":"free"'))

    sink = Shopify(
        "acme", access=StaticToken("shpat_test"), quantity_name="on_hand", retry=ONCE, handler=forgetful
    )
    assert ends(synced({"A": 5}, sink)) == {"A": ("skipped", "allocated_unknown")}
    assert there.quantity("A") == 9


def test_a_row_that_medusa_names_and_that_was_never_sent_is_a_refusal_and_no_crash() -> None:
    shop = _medusa.Shop(access=_medusa.Access(url="https://x", timeout=1.0), locations={"l": "L"})
    entry = _medusa_rows.Entry(sku="A", target=("a", "l"), units=1, exists=True)
    said = {"type": "invalid_data", "message": "Invalid request: Expected a number at 'update, 99, x'"}
    with pytest.raises(RefusedError, match="update, 99"):
        driven(
            _medusa_rows.write(shop, [entry], _medusa_rows.batch_request), lambda *_: json_answer(said, 400)
        )


class _Refuses:
    """A user's own sink that fails before its run has begun."""

    capabilities = CsvCart("x.csv").capabilities

    def remembering(self, _: object) -> _Refuses:
        raise RuntimeError("no room")

    def read(self, _: Sequence[str]) -> list[CartListing]:
        return []

    def push(self, _: Sequence[QuantityChange]) -> list[Any]:
        return []


def test_a_cart_that_fails_as_its_run_begins_stops_no_other(tmp_path: Path) -> None:
    carts: list[tuple[Any, CartSettings]] = [
        (_Refuses(), CartSettings(name="bad")),
        (CsvCart(tmp_path / "x.csv"), CartSettings(name="good")),
    ]
    bad, good = sync_carts(stock({"A": 1}), carts, merchant=MERCHANT)
    assert (bad.status, good.status) == ("failed", "success")


# Lists that never end, end too early, or lie.


def driven(
    conversation: Conversation[Any], answer: Callable[[Request, int], Response], most: int = 300
) -> Any:
    """Hold a conversation with a server that knows only how often it was asked."""
    number = 0
    try:
        request = next(conversation)
        while True:
            number += 1
            assert number <= most, "the conversation does not end"
            request = conversation.send(answer(request, number))
    except StopIteration as finished:
        return finished.value


SHOPIFY = _shopify.Access(url="https://x", token="t")
MEDUSA = _medusa.Access(url="https://x", timeout=1.0)
STORE = _bigcommerce.Access(url="https://x", token="t")
MORE = {"hasNextPage": True, "endCursor": "again"}
ITEM = {"id": "1", "sku": "A", "tracked": True, "duplicateSkuCount": 0}
LEVELS = {"inventoryLevels": {"nodes": [], "pageInfo": MORE}}
MEDUSA_ITEM = {"id": "a", "sku": "A", "variants": [], "location_levels": []}
MEDUSA_VARIANT = {"id": "v", "sku": "A", "manage_inventory": True, "inventory_items": []}

ENDLESS: dict[str, tuple[Callable[[], Conversation[Any]], Any]] = {
    "shopify locations": (
        lambda: _shopify.look_around(SHOPIFY),
        {"data": {"locations": {"nodes": [], "pageInfo": MORE}}},
    ),
    "shopify items": (
        lambda: _shopify.items_by_sku(SHOPIFY, ["A"], levels=1, names=["available"]),
        {"data": {"inventoryItems": {"nodes": [], "pageInfo": MORE}}},
    ),
    "shopify levels": (
        lambda: _shopify.items_by_id(SHOPIFY, ["1"], levels=1, names=["available"]),
        {"data": {"nodes": [{**ITEM, **LEVELS}]}},
    ),
    "saleor warehouses": (
        lambda: _saleor.look_around(_saleor.Access(url="https://x", token="t")),
        {"data": {"warehouses": {"edges": [], "pageInfo": MORE}}},
    ),
    "amazon listings": (
        lambda: _amazon.find(
            _amazon.Access(url="https://x", seller_id="s", marketplace_id="m", issue_locale="en_US"), ["A"]
        ),
        {"items": [], "pagination": {"nextToken": "again"}},
    ),
    "bigcommerce locations": (
        lambda: _bigcommerce.look_around(STORE),
        {"data": [{"id": 1}], "meta": {"pagination": {"total_pages": 10**9}}},
    ),
    "bigcommerce items": (
        lambda: _bigcommerce.find(STORE, ["A"]),
        {"data": [], "meta": {"pagination": {"total_pages": 10**9}}},
    ),
    "medusa locations": (
        lambda: _medusa.look_around(MEDUSA),
        {"stock_locations": [{"id": "a", "name": "A"}], "count": 10**9},
    ),
    "medusa items": (
        lambda: _medusa.find_items(MEDUSA, ["A"]),
        {"inventory_items": [MEDUSA_ITEM], "variants": [MEDUSA_VARIANT], "count": 10**9},
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_list_that_leads_back_to_itself_is_an_error_and_no_wait_without_end(name: str) -> None:
    begin, page = ENDLESS[name]
    with pytest.raises(DecodeError) as caught:
        driven(begin(), lambda *_: json_answer(page))
    assert caught.value.code == "endless_list"


def test_a_list_of_medusas_variants_that_leads_back_to_itself_is_an_error_too() -> None:
    pages = {
        "inventory-items": {"inventory_items": [], "count": 0},
        "product-variants": {"variants": [MEDUSA_VARIANT], "count": 10**9},
    }
    with pytest.raises(DecodeError, match="does not end"):
        driven(
            _medusa.find(MEDUSA, ["A"]), lambda request, _: json_answer(pages[request.url.rpartition("/")[2]])
        )


def test_a_total_that_no_shop_can_have_is_refused_before_its_pages_are_asked_for() -> None:
    assert list(starts_of_pages(200, 601, place="here")) == [200, 400, 600]
    assert list(starts_of_pages(0, 601, place="here")) == []
    with pytest.raises(DecodeError, match="here: a page of 1 says that there are 1,000,000,000 in all"):
        starts_of_pages(1, 10**9, place="here")


def test_empty_pages_in_between_are_followed_and_always_fresh_cursors_are_not() -> None:
    paging = Paging()
    cursors = [paging.after(str(number), new=0, place="here") for number in range(90)]
    assert cursors[-1] == "89"
    assert paging.after("full", new=1, place="here") == "full"
    assert paging.after(None, new=0, place="here") is None
    cursors = [paging.after(f"later {number}", new=0, place="here") for number in range(98)]
    assert len(cursors) == 98
    with pytest.raises(DecodeError, match="here: the list does not end"):
        paging.after("one too many", new=0, place="here")


@pytest.mark.parametrize("later", [{"nodes": []}, {"nodes": [None]}])
def test_an_item_that_goes_while_its_levels_are_read_is_one_that_has_gone(later: dict[str, Any]) -> None:
    pages = [{"nodes": [{**ITEM, **LEVELS}]}, later]
    found = driven(
        _shopify.items_by_id(SHOPIFY, ["1"], levels=1, names=["available"]),
        lambda _, number: json_answer({"data": pages[number - 1]}),
    )
    assert found == []


def test_details_of_a_walmart_feed_that_repeat_themselves_leave_the_rest_unclear() -> None:
    detail = {"sku": "A", "ingestionStatus": "SUCCESS"}
    page = {
        "feedStatus": "PROCESSED",
        "itemsReceived": 10**12,
        "itemsSucceeded": 1,
        "itemDetails": {"itemIngestionStatus": [detail]},
    }
    job = Job(id="1", rows={("A", ""): 1, ("B", ""): 2})
    report = driven(
        walmart_feeds.look(walmart_api.Access(url="https://x", service="s"), job, "lane"),
        lambda *_: json_answer(page),
    )
    assert (report.of("A").status, report.of("B").reason) == ("accepted", "job_unclear")


def test_an_item_that_slips_between_two_pages_of_walmart_is_looked_up_alone() -> None:
    there = WalmartMarketplace()
    there.add("A", 1)
    there.add("B", 2)

    def slipping(request: Request) -> Response:
        if request.url.endswith("/v3/inventories"):
            first = there.handle(evolve(request, query=(("limit", "50"),)))
            page = json.loads(first.content)
            page["elements"]["inventories"] = page["elements"]["inventories"][:1]
            page["meta"]["nextCursor"] = "again"
            return json_answer(page)
        return there.handle(request)

    listings = run_blocking(walmart(slipping).read_steps(["A", "B"]), clock=FakeClock())
    assert {one.listing_sku: one.quantity for one in listings} == {"A": 1, "B": 2}


@pytest.mark.parametrize("cart", ["ebay", "bigcommerce"])
def test_an_item_that_slips_between_two_pages_of_everything_is_looked_up_alone(cart: str) -> None:
    skus = [f"S{number:04d}" for number in range(1001)]
    there: EbaySeller | BigCommerceStore = EbaySeller() if cart == "ebay" else BigCommerceStore()
    for sku in skus:
        there.add(sku, 1)
    lists = ("/inventory_item", "/inventory/items")
    done: list[str] = []

    def deleting(request: Request) -> Response:
        answer = there.handle(request)
        if request.url.endswith(lists) and not done:
            done.append(request.url)
            there.remove(skus[0])
        return answer

    sink: Any = (
        ebay(there, deleting, lists_all=True)
        if isinstance(there, EbaySeller)
        else BigCommerce(
            "abc123",
            token=there.token,
            location="MAIN",
            retry=ONCE,
            handler=deleting,
            quota_per_window=1_000_000,
            lists_all=True,
        )
    )
    listings = run_blocking(sink.read_steps(skus), clock=FakeClock())
    assert done
    assert set(skus[1:]) <= {one.listing_sku for one in listings}


@pytest.mark.parametrize(("name", "value"), [("restoreRate", "NaN"), ("maximumAvailable", "Infinity")])
def test_a_cost_that_is_no_number_teaches_the_meter_nothing(name: str, value: str) -> None:
    figures = {"currentlyAvailable": "1", "restoreRate": "50", "maximumAvailable": "1000", name: value}
    status = ",".join(f'"{key}":{one}' for key, one in figures.items())
    content = f'{{"extensions":{{"cost":{{"requestedQueryCost":1,"throttleStatus":{{{status}}}}}}}}}'
    meter = Meter()
    request = Request(method="POST", url="https://x", body={"operationName": "o", "variables": {}})
    assert meter.judge(request, Response(status=200, content=content.encode())) is None
    assert meter.pace(10) == Meter().pace(10)


# Trading partners.


def partner(folder: Path, **given: Any) -> Edi846:
    own = {name: given.pop(name) for name in ("codes",) if name in given}
    profile = PartnerProfile(
        **{"sender": Party(id="ACME"), "receiver": Party(id="BIGBOX"), "usage": "production", **given}
    )
    return Edi846(profile=profile, folder=folder, clock=Calendar(), **own)


def test_a_product_that_was_lost_is_no_gap_in_a_full_document(tmp_path: Path) -> None:
    """The order manager lost B, and with it the code under which the partner knows it."""
    both = {"A": {"buyer": "BA"}, "B": {"buyer": "BB"}}
    codes = {"item_codes": (("IN", "buyer"),), "skip_without": "buyer"}
    synced({"A": 5, "B": 6}, partner(tmp_path / "p", codes=both, **codes))
    take(tmp_path / "p")
    report = synced({"A": 4}, partner(tmp_path / "p", codes={"A": both["A"]}, **codes))

    assert "IN*BB~QTY*33*6*" in take(tmp_path / "p")
    assert report.status == "success"
    (notice,) = [one for one in report.notices if one.reason == "codes_as_last_told"]
    assert notice.entries == ("B",)


def test_a_product_that_is_left_out_of_a_full_document_is_told_and_the_run_is_no_success(
    tmp_path: Path,
) -> None:
    """B's code is another product's by now, so B cannot be repeated."""
    both = {"A": {"buyer": "BA"}, "B": {"buyer": "BB"}}
    codes = {"item_codes": (("IN", "buyer"),), "skip_without": "buyer"}
    synced({"A": 5, "B": 6}, partner(tmp_path / "p", codes=both, **codes))
    take(tmp_path / "p")
    report = synced(
        {"A": 4, "C": 6}, partner(tmp_path / "p", codes={"A": both["A"], "C": both["B"]}, **codes)
    )

    assert take(tmp_path / "p").count("*BB~") == 1
    assert report.status == "partial"
    (notice,) = [one for one in report.notices if one.reason == "not_repeated"]
    assert notice.message == "1 row could not be repeated (no alias): 'B' has no code 'buyer'."
    assert notice.entries == ("B",)


class _Forgetful:
    """A cart that is told everything each time, and says nothing about most of it."""

    capabilities = SinkCapabilities(destination="partner", contents="full", completion="eventual")

    def read(self, _: Sequence[str]) -> list[CartListing]:
        return [CartListing(listing_sku=sku, quantity=1) for sku in ("A", "OLD")]

    def push(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return [
            PushResult(listing_sku=one.listing_sku, status="accepted") for one in changes if not one.repeated
        ]


def test_a_repetition_about_which_the_cart_is_silent_is_told(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        report = synced({"A": 4}, _Forgetful(), ledger=ledger)
    assert ends(report) == {"A": ("pending", "accepted")}
    assert report.status == "partial"
    (notice,) = [one for one in report.notices if one.reason == "not_repeated"]
    assert notice.message.endswith("the cart said nothing about it")
    assert notice.entries == ("OLD",)


def test_a_crash_before_the_outbox_leaves_what_the_partner_was_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had been told became unknown, and a full document then left it out."""
    sink = partner(tmp_path / "p", acknowledged_within=None)
    synced({"A": 7, "B": 6}, sink)
    take(tmp_path / "p")

    def die(self: Path, target: Path) -> Path:
        if Path(target).parent.name == "outbox":
            raise KeyboardInterrupt
        os.replace(self, target)  # noqa: PTH105  the method itself is replaced
        return Path(target)

    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            synced({"A": 5, "B": 6}, sink)

    assert {one.listing_sku: one.quantity for one in sink.read([])} == {"A": 7, "B": 6}
    synced({"B": 6}, sink)
    text = take(tmp_path / "p")
    assert "*A~QTY*33*7*" in text


def test_a_crash_right_after_the_outbox_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = partner(tmp_path / "p", acknowledged_within=None)
    synced({"A": 7}, sink)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("omsync.sinks.edi846.archive.Archive._settle", die)
        with pytest.raises(KeyboardInterrupt):
            synced({"A": 5}, sink)

    assert {one.listing_sku: one.quantity for one in sink.read([])} == {"A": 5}
    assert not list((tmp_path / "p" / "pending").iterdir())
    document = sink.document(2)
    assert document is not None
    assert [one.status for one in document.sets] == ["assumed"]


def test_a_full_disk_after_the_outbox_does_not_call_a_document_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = partner(tmp_path / "p", acknowledged_within=None)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as filling:
        filling.setattr("omsync.sinks.edi846.archive.Archive._settle", full)
        assert ends(synced({"A": 7}, sink)) == {"A": ("pending", "accepted")}
    assert "*A~QTY*33*7*" in take(tmp_path / "p")
    assert {one.listing_sku: one.quantity for one in sink.read([])} == {"A": 7}


def test_an_answer_to_a_test_settles_nothing_in_production(tmp_path: Path) -> None:
    sink = partner(tmp_path / "p")
    synced({"A": 7}, sink)
    text = envelope(acknowledgement(1, {1: "R"}, "R")).replace("*0*P*>", "*0*T*>")
    (tmp_path / "p" / "inbox" / "997.edi").write_text(text)
    (answer,) = sink.acknowledgements()
    assert (answer.status, answer.notes) == ("misdirected", ("it answers a test",))
    assert [one.listing_sku for one in sink.read([])] == ["A"]


@pytest.mark.parametrize("sku", ["A\tB", "A\nB"])
def test_a_sku_that_the_archive_cannot_keep_is_refused_and_breaks_nothing(tmp_path: Path, sku: str) -> None:
    codes = {sku: {"vendor": "V1"}, "Z": {"vendor": "V2"}}
    sink = partner(tmp_path / "p", codes=codes, item_codes=(("VN", "vendor"),), skip_without="vendor")
    rows = [QuantityChange(listing_sku=one, quantity=1, available=1) for one in (sku, "Z")]
    assert [one.reason for one in sink.push(rows)] == ["not_printable", "awaiting_acknowledgement"]
    assert [one.listing_sku for one in sink.read([])] == ["Z"]


# Secrets.


def test_a_server_that_echoes_a_login_does_not_spread_it() -> None:
    form = "application/x-www-form-urlencoded"
    header = base64.b64encode(b"client:pass-word-1").decode()
    requests = [
        Request(
            method="POST",
            url="https://x",
            headers={"content-type": form},
            raw=f"grant_type=refresh_token&refresh_token={quote_plus('re/fresh+1')}".encode(),
        ),
        Request(method="POST", url="https://x", body={"email": "a@b.example", "password": "re/fresh+1"}),
        Request(method="POST", url="https://x", headers={"authorization": f"Basic {header}"}),
        Request(method="POST", url="https://x", headers={"authorization": "Basic é"}, raw=b"no form"),
    ]
    echo = b"refresh_token re/fresh+1 re%2Ffresh%2B1 pass-word-1"
    contents = [scrubbed(one, Response(status=500, content=echo)).content for one in requests]
    assert contents == [
        b"refresh_token *** *** pass-word-1",
        b"refresh_token *** *** pass-word-1",
        b"refresh_token re/fresh+1 re%2Ffresh%2B1 ***",
        echo,
    ]


class _Anything(Platform):
    def answer(self, asked: Any) -> Response:
        return json_answer([list(pair) for pair in asked.query])


def _get(url: str, *query: tuple[str, str]) -> Conversation[Any]:
    return (yield Request(method="GET", url=url, query=query)).json()


SIGNED = [("X-Amz-Signature", "sig/nature+1"), ("b", "ü /")]


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_no_log_shows_a_signed_address_and_the_server_gets_all_of_it(
    run: Callable[[Steps[Any]], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    line = Line(account="x", retry=ONCE)
    with _Anything().serve() as server:
        url = f"{server.base_url}/a%2Fb"
        asked = [
            _get(f"{url}?X-Amz-Signature=sig%2Fnature%2B1&b=%C3%BC%20%2F"),
            _get(url, *SIGNED),
            _get(url, ("sku", "MUG")),
        ]
        answers = [run(talk(line, one)) for one in asked]
    assert answers == [[list(pair) for pair in SIGNED]] * 2 + [[["sku", "MUG"]]]
    assert "sku=MUG" in caplog.text
    assert "nature" not in caplog.text


def test_a_whole_feed_over_http_shows_no_secret_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    there = AmazonMarketplace()
    there.add("A", 50)
    with there.serve() as server:
        sink = amazon(None, url=server.base_url, token_url=f"{server.base_url}/auth/o2/token")
        report = synced({"A": 5}, sink, ledger=DictLedger())
    assert ends(report)["A"] == ("pending", "accepted")
    assert there.quantity("A") == 5
    assert "/documents/" in caplog.text
    shown = caplog.text + report.to_json() + str(report) + repr(sink)
    assert not [secret for secret in ("secret-1", "refresh-1", "signed-for-") if secret in shown]
