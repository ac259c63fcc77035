"""Reading today's hosted copy: its failures come with HTTP 200, and nothing it says is guessed at."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from attrs import evolve
from fake_memory import START, FakeClock
from two_runners import RUNNERS

from omsync import (
    InventorySnapshot,
    MerchantSettings,
    OmsyncError,
    OrderManagerSource,
    PerSalesChannel,
    PerWarehouse,
    ReadRequest,
    RefusedError,
    ServerFaultError,
    SettingsError,
    ThrottledError,
    UnauthorizedError,
    compare,
    read_inventory,
)
from omsync.errors import DecodeError, InvalidValueError
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.sources import integration_manager
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.sources.integration_manager import IntegrationManager, SkuReading
from omsync.testing import Catalog, CatalogProduct, OrderManagerSandbox, demo_merchant
from omsync.testing.integration_manager import IntegrationManagerSandbox

BY_WAREHOUSE = MerchantSettings(mode=PerWarehouse())
AT = "2026-01-05T08:00:00+00:00"
ONCE = RetryPolicy(attempts=1)
run = RUNNERS["blocking"]


def source(
    sandbox: IntegrationManagerSandbox | Callable[[Request], Response], **more: Any
) -> IntegrationManager:
    """Make a source of small pages and no waiting."""
    handler = sandbox.handle if isinstance(sandbox, IntegrationManagerSandbox) else sandbox
    usual: dict[str, Any] = {
        "api_user": "sandbox-user",
        "api_key": "sandbox-key",
        "page_size": 7,
        "pace": Pace(),
        "handler": handler,
    }
    return IntegrationManager(**{**usual, **more})


def read(one: IntegrationManager, *, mode: Any = None, **more: Any) -> InventorySnapshot:
    merchant = MerchantSettings(mode=mode or PerWarehouse())
    return run(one.read_steps(ReadRequest(merchant=merchant, now=START, **more)), clock=FakeClock())


def row(sku: Any = "MUG", available: Any = 4, **more: Any) -> dict[str, Any]:
    """Write one record as a page has it."""
    place = {"warehouse": "Reno DC", "qty_available": available, "qty_on_hand": 5, "wms_datetime": AT}
    usual = {"qty_available": available, "qty_on_hand": 5, "wms_datetime": AT, "aliases": []}
    return {"sku": sku, **usual, "warehouses": {"9101": place}, **more}


def answers(*pages: Any) -> Callable[[Request], Response]:
    """Give a handler that answers these pages, then empty ones; a page that is no list is a whole body."""

    def handle(request: Request) -> Response:
        page = int(dict(request.query).get("page", "1"))
        said = pages[page - 1] if page <= len(pages) else []
        body = {"success_code": True, "response": said} if isinstance(said, list) else said
        headers = {"x-cartrover-process-id": "p-77"}
        return Response(status=200, headers=headers, content=json.dumps(body).encode(), place=request.place)

    return handle


# What is read


def test_it_is_an_order_manager_to_read_and_tells_no_secret() -> None:
    one = IntegrationManager(api_user="merchant-7", api_key="top-secret")
    assert isinstance(one, OrderManagerSource)
    assert one.name == "Integration Manager at api.cartrover.com"
    assert one.pace == Pace.within(bucket=100, per_second=1.0)
    assert "top-secret" not in repr(one) + repr(one.api) + one.account


def test_figures_stand_in_its_own_warehouses_and_bundles_count_their_parts() -> None:
    snapshot = read(source(IntegrationManagerSandbox()))
    assert [(place.id, place.name) for place in snapshot.warehouses] == [
        ("9101", "Reno DC"),
        ("9102", "Ohio DC"),
        ("9103", "Amazon FBA US"),
        ("9104", "Texas 3PL"),
    ]
    reno = {level.location_id: level for level in snapshot.levels.of("MUG-01")}["9101"]
    assert (reno.on_hand, reno.available) == (50, 44)
    kit = snapshot.levels.of("GIFT-SET")
    assert [(level.on_hand, level.available) for level in kit] == [(9, 9)], "3 stand ready, 6 would be made"
    assert snapshot.bundles_include_buildable == "yes"
    assert (snapshot.scope, snapshot.bundles) == ("warehouse", ())
    assert ("Woo store", "woo-mug-green", "MUG-01") in {
        (one.name, one.listing_sku, one.master_sku) for one in snapshot.aliases
    }


def test_by_sales_channel_its_warehouses_are_channels() -> None:
    snapshot = read(source(IntegrationManagerSandbox(mode="channel")), mode=PerSalesChannel())
    assert snapshot.scope == "channel"
    assert [one.name for one in snapshot.sales_channels] == ["Woo store", "Wholesale portal"]
    assert snapshot.warehouses == ()
    woo = snapshot.sales_channels[0].id
    (spoons,) = [one for one in snapshot.levels.of("SPOON-03") if one.location_id == woo]
    assert spoons.available == 50, "the channel's rule of at most 50"


def test_every_page_is_read_until_an_empty_one_comes_also_after_a_short_one() -> None:
    sandbox = IntegrationManagerSandbox(short_pages={2: 3})
    told: list[tuple[str, int, int | None]] = []
    snapshot = read(source(sandbox), on_progress=lambda *said: told.append(said))
    assert len(snapshot.skus) == 25
    assert [dict(one.query)["page"] for one in sandbox.requests] == ["1", "2", "3", "4", "5", "6"]
    assert told == [*(("stock", so_far, None) for so_far in (7, 10, 17, 24, 25)), ("stock", 25, 25)]


def test_the_demo_merchant_reads_alike_from_both_systems() -> None:
    om, im = OrderManagerSandbox(), IntegrationManagerSandbox()
    ours = ExtensivOrderManager(om.token, handler=om.handle, shadow=True)
    result = compare(ours, source(im), merchant=BY_WAREHOUSE)
    # The hosted copy keeps one listing for each alias name and product.
    assert [str(one) for one in result.differences] == [
        "woo-mug-green-sale of 'Woo store' is an alias of MUG-01 in Extensiv Order Manager only"
    ]
    om.set_stock("MUG-01", 701, location="A-01", on_hand=25)
    behind = compare(ours, source(im), merchant=BY_WAREHOUSE)
    assert (behind.units, behind.counts["available"]) == (5, 1)
    assert all(one.method == "GET" for one in (*om.requests, *im.requests))


def test_a_record_without_a_warehouse_is_no_zero(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "omsync"):
        snapshot = read(
            source(answers([row("TEA", 0, qty_on_hand=0, warehouses={}), row("POT", warehouses=[]), row()]))
        )
    assert {sku.master_sku for sku in snapshot.skus} == {"TEA", "POT", "MUG"}
    assert snapshot.levels.master_skus == ("MUG",)
    assert "figures of 1 products in no warehouse, and they are left out: POT" in caplog.text


def test_aliases_may_be_an_object_an_empty_list_missing_or_without_a_value() -> None:
    named = row("A", aliases={"Woo store": "woo-a", "UPC": "", "EDI": None})
    missing = {name: value for name, value in row("B").items() if name != "aliases"}
    snapshot = read(source(answers([named, missing, row("C", aliases=None), row("D")])))
    assert [(one.name, one.listing_sku, one.master_sku) for one in snapshot.aliases] == [
        ("Woo store", "woo-a", "A")
    ]


def test_a_snapshot_is_as_old_as_its_oldest_figure() -> None:
    older = row("TEA")
    older["warehouses"]["9101"]["wms_datetime"] = "2026-01-04T10:00:00+02:00"
    nowhere = row("POT", warehouses={}, wms_datetime="2020-01-01T00:00:00+00:00")
    assert read(source(answers([row(), older, nowhere]))).taken_at == datetime(2026, 1, 4, 8, tzinfo=UTC)
    silent = row(wms_datetime="")
    silent["warehouses"]["9101"]["wms_datetime"] = None
    assert read(source(answers([silent]))).taken_at == START
    ahead = row(wms_datetime="2030-01-01T00:00:00+00:00")
    ahead["warehouses"]["9101"]["wms_datetime"] = "2030-01-01T00:00:00+00:00"
    assert read(source(answers([ahead]))).taken_at == START


def test_half_a_character_does_no_harm() -> None:
    broken = row()
    broken["warehouses"]["9101"]["warehouse"] = "Reno \ud83d"
    assert read(source(answers([broken]))).warehouses[0].name == "Reno ?"


# Rows that shift between pages


def later(record: dict[str, Any], moment: str) -> dict[str, Any]:
    place = {**record["warehouses"]["9101"], "wms_datetime": moment}
    return {**record, "wms_datetime": moment, "warehouses": {"9101": place}}


def test_a_row_that_comes_twice_and_is_equal_is_one() -> None:
    assert len(read(source(answers([row("A"), row("B")], [row("B"), row("C")]))).skus) == 3
    assert len(read(source(answers([row("A"), row("B")], [row("B")]))).skus) == 2, "a shift by one at the end"


def test_of_two_figures_of_one_product_the_one_reported_later_is_taken() -> None:
    now = later(row("B", 9), "2026-01-05T08:30:00+00:00")
    for pages in (([row("A"), row("B")], [now]), ([row("A"), now], [row("B")])):
        (level,) = read(source(answers(*pages))).levels.of("B")
        assert level.available == 9


def test_two_figures_of_one_product_and_one_moment_are_an_error() -> None:
    with pytest.raises(
        DecodeError, match=r"lists 'B' twice with different figures.* page 2: available 4 and 9"
    ):
        read(source(answers([row("A"), row("B")], [row("B", 9)])))
    timeless = row("B", 9, warehouses={}, wms_datetime=None)
    with pytest.raises(DecodeError, match="both reported at no time"):
        read(source(answers([row("A"), evolved(timeless, 4)], [timeless])))


def evolved(record: dict[str, Any], available: int) -> dict[str, Any]:
    return {**record, "qty_available": available}


def test_a_server_that_ignores_the_page_number_is_found_out() -> None:
    with pytest.raises(DecodeError, match="page 2 only repeats what earlier pages gave") as caught:
        read(source(lambda request: answers([row("A"), row("B")])(evolve(request, query=()))))
    assert caught.value.code == "pages_repeat"


def test_a_list_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integration_manager, "MOST_PAGES", 3)
    with pytest.raises(DecodeError, match="no empty page came in 3 pages"):
        read(source(answers([row("A")], [row("B")], [row("C")], [row("D")])))


# Strictness


def in_place(field: str, value: Any) -> dict[str, Any]:
    record = row()
    record["warehouses"]["9101"][field] = value
    return record


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (
            row(qty_available="44"),
            r"page=2.*response\[1\]\.qty_available must be a whole number, not '44' .str",
        ),
        (row(qty_on_hand=5.0), r"response\[1\]\.qty_on_hand must be a whole number, not 5\.0"),
        (in_place("qty_available", "4"), r"warehouses\.9101\.qty_available must be a whole number, not '4'"),
        (in_place("qty_available", True), r"must be a whole number, not True"),
        (in_place("qty_on_hand", None), r"warehouses\.9101\.qty_on_hand must be a whole number, not None"),
        (in_place("qty_on_hand", 2**63), r"at most 9223372036854775807"),
        (in_place("warehouse", 7), r"warehouse must be text, not 7"),
        (in_place("wms_datetime", "2026-01-05 08:00:00"), r"must be a date and time with its zone"),
        (row(wms_datetime="yesterday"), r"wms_datetime must be a date and time with its zone"),
        (row(sku=""), r"sku must be text that is not empty"),
        (row(sku=12), r"sku must be text, not 12"),
        (row(aliases=["x"]), r"aliases must be an object, or \[\] when empty, not \['x'\]"),
        (row(aliases={"": "x"}), r"must be an object without empty names"),
        (row(aliases={"UPC": 810012}), r"aliases\.UPC must be text, not 810012"),
        (row(warehouses=None), r"warehouses must be an object"),
        ({"sku": "X"}, r"response\[1\]\.qty_on_hand is missing"),
        ("text", r"response\[1\] must be an object, not 'text'|must be an object"),
    ],
)
def test_a_wrong_field_is_named_with_its_page_its_row_and_its_value(record: Any, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as caught:
        read(source(answers([row("A"), row("B")], [row("C"), record])))
    assert "process id p-77" in str(caught.value)
    assert "tell the vendor" in caught.value.remedy


@pytest.mark.parametrize(
    "body", [{"response": []}, {"success_code": 1, "response": []}, {"success_code": True}, {}, 5, None]
)
def test_a_body_without_the_envelope_is_an_error(body: Any) -> None:
    with pytest.raises(DecodeError):
        read(source(answers(body if body is not None else {"success_code": True, "response": None})))


def test_html_is_no_answer() -> None:
    with pytest.raises(DecodeError, match="it is HTML"):
        read(source(lambda request: Response(status=200, content=b"<html>", place=request.place)))


# One SKU


@pytest.mark.parametrize("runner", RUNNERS)
def test_one_sku_is_read_with_totals_that_are_text(runner: str) -> None:
    sandbox = IntegrationManagerSandbox()
    reading = RUNNERS[runner](source(sandbox).read_sku_steps("MUG-01"))
    assert isinstance(reading, SkuReading)
    assert (reading.available, reading.on_hand, reading.aliases) == (111, 126, ())
    assert [place.available for place in reading.places] == [44, 15, 52]


def test_a_sku_is_encoded_in_the_address() -> None:
    code = "A/B #1?é%"
    catalog = demo_merchant()
    named = evolve(
        catalog,
        products=(*catalog.products, CatalogProduct(master_sku=code)),
        stock=(*catalog.stock, evolve(catalog.stock[0], master_sku=code, on_hand=3, committed=0)),
    )
    sandbox = IntegrationManagerSandbox(named)
    with sandbox.serve() as server:
        reading = source(sandbox, handler=None, base_url=server.base_url).read_sku(code)
    assert (reading.master_sku, reading.available) == (code, 3)


def test_an_unknown_sku_is_refused_and_a_wrong_one_is_none() -> None:
    sandbox = IntegrationManagerSandbox()
    with pytest.raises(RefusedError, match=r"process id im-000001.*refused .Invalid.: Unknown SKU"):
        source(sandbox).read_sku("mug-01")
    for wrong in ("", 5, None):
        with pytest.raises(InvalidValueError):
            source(sandbox).read_sku(wrong)  # type: ignore[arg-type]  # the mistake is the point


def single(**fields: Any) -> Callable[[Request], Response]:
    return answers({"success_code": True, "response": {**row(qty_available="4", qty_on_hand="5"), **fields}})


def test_only_decimal_digits_are_taken_for_a_total() -> None:
    assert source(single()).read_sku("MUG").available == 4
    assert source(single(qty_available="-4")).read_sku("MUG").available == -4
    assert source(single(qty_available=4)).read_sku("MUG").available == 4
    for wrong in ("4.0", " 4", "+4", "", "٤", "4e1", "0x4", "1" * 19, 4.0, True, None):
        with pytest.raises(DecodeError, match="qty_available must be"):
            source(single(qty_available=wrong)).read_sku("MUG")


def test_an_answer_about_another_sku_is_an_error() -> None:
    with pytest.raises(DecodeError, match="asked about 'mug', the answer is about 'MUG'"):
        source(single()).read_sku("mug")


# Failures


def test_the_credentials_go_in_a_header_and_never_in_the_address() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return answers()(request)

    read(source(handle))
    pair = base64.b64encode(b"sandbox-user:sandbox-key").decode()
    assert seen[0].headers["authorization"] == f"Basic {pair}"
    assert seen[0].query == (("limit", "7"), ("page", "1"))
    assert "sandbox-key" not in seen[0].place
    assert seen[0].method == "GET"


def test_a_wrong_key_is_unauthorized_although_the_status_says_200() -> None:
    with pytest.raises(UnauthorizedError, match="Invalid API user or API key") as caught:
        read(source(IntegrationManagerSandbox(api_key="another")))
    assert "merchant" in caught.value.remedy


@pytest.mark.parametrize("status", [401, 403])
def test_a_status_that_means_credentials_is_unauthorized(status: int) -> None:
    with pytest.raises(UnauthorizedError, match=f"HTTP {status}"):
        read(source(lambda request: Response(status=status, content=b"", place=request.place)))


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("Invalid", "Unknown page", RefusedError),
        ("Brand New", "", RefusedError),
        ("Invalid", "Authentication failed", UnauthorizedError),
        ("Failure", "You are not authorized for this level", UnauthorizedError),
        ("Failure", "Database is down", ServerFaultError),
        ("RateLimit", "Wrong key? No: too fast", ThrottledError),
    ],
)
def test_each_failure_has_its_error(code: str, message: str, kind: type[OmsyncError]) -> None:
    sandbox = IntegrationManagerSandbox()
    sandbox.fail(code, message)
    with pytest.raises(OmsyncError) as caught:
        read(source(sandbox, retry=ONCE))
    assert type(caught.value) is kind
    assert "process id im-000001" in caught.value.message
    assert (message or "no reason given") in caught.value.message


def test_failure_and_rate_limit_are_tried_again_and_refusals_are_not() -> None:
    sandbox = IntegrationManagerSandbox()
    sandbox.fail("Failure", "busy", times=2)
    sandbox.fail("RateLimit", "slow down")
    assert len(read(source(sandbox)).skus) == 25
    assert len(sandbox.requests) == 5 + 3
    sandbox.fail("Invalid", "no")
    with pytest.raises(RefusedError):
        read(source(sandbox))
    assert len(sandbox.requests) == 5 + 3 + 1


def test_a_rate_limit_is_waited_out_as_long_as_it_says_or_fifteen_seconds() -> None:
    clock = FakeClock()
    sandbox = IntegrationManagerSandbox(bucket=2, leak_per_second=0.1, monotonic=clock.monotonic)
    request = ReadRequest(merchant=BY_WAREHOUSE, now=START)
    run(source(sandbox).read_steps(request), clock=clock)
    assert clock.waited == pytest.approx(15.0 * 2, abs=1)
    limited = {"success_code": False, "error_code": "RateLimit", "status_message": "wait"}

    def handle(request: Request) -> Response:
        headers = {"retry-after": "3", "x-cartrover-api-minute-hits-remaining": "0"}
        return Response(
            status=200, headers=headers, content=json.dumps(limited).encode(), place=request.place
        )

    with pytest.raises(ThrottledError, match="wait; hits remaining: 0") as caught:
        read(source(handle, retry=ONCE))
    assert caught.value.retry_after == 3


def test_the_usual_pace_stays_within_the_bucket() -> None:
    clock = FakeClock()
    sandbox = IntegrationManagerSandbox(monotonic=clock.monotonic)
    request = ReadRequest(merchant=BY_WAREHOUSE, now=START)
    usual = IntegrationManager(
        api_user="sandbox-user", api_key="sandbox-key", page_size=1, handler=sandbox.handle, retry=ONCE
    )
    for _ in range(8):
        run(usual.read_steps(request), clock=clock)
        clock.sleep(30)
    assert len(sandbox.requests) == 8 * 26


def test_other_statuses_are_judged_as_usual() -> None:
    with pytest.raises(ServerFaultError, match="HTTP 500"):
        read(source(lambda request: Response(status=500, content=b"oops", place=request.place), retry=ONCE))
    with pytest.raises(RefusedError, match="HTTP 404"):
        read(source(lambda request: Response(status=404, content=b"[]", place=request.place)))


def test_an_echoed_key_never_reaches_a_message() -> None:
    pair = base64.b64encode(b"sandbox-user:sandbox-key").decode()
    sandbox = IntegrationManagerSandbox()
    sandbox.fail("Invalid", f"no such thing: sandbox-key, {pair}")
    with pytest.raises(RefusedError) as caught:
        read(source(sandbox))
    assert "sandbox-key" not in str(caught.value)
    assert pair not in str(caught.value)


def test_a_conversation_driven_by_hand_knows_failures_too() -> None:
    conversation = source(IntegrationManagerSandbox()).api.page(1)
    request = next(conversation)
    body = json.dumps({"success_code": False, "error_code": "Failure", "message": "x"}).encode()
    with pytest.raises(ServerFaultError):
        conversation.send(Response(status=200, content=body, place=request.place))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"api_user": ""}, "api_user must be text"),
        ({"api_user": "a:b"}, "api_user must be text"),
        ({"api_key": "k y"}, "api_key must be text"),
        ({"api_key": 5}, "api_key must be text"),
        ({"api_key": "schlüssel"}, "api_key must be text"),
        ({"base_url": "api.cartrover.com"}, "whole address"),
        ({"base_url": "https://u:p@api.cartrover.com"}, "holds a user or password"),
        ({"base_url": 5}, "whole address"),
        ({"page_size": 0}, "page_size must be at least 1"),
        ({"page_size": "100"}, "page_size must be a whole number"),
    ],
)
def test_settings_that_break_their_rules_are_errors(settings: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"api_user": "u", "api_key": "k"}
    with pytest.raises((InvalidValueError, SettingsError), match=words) as caught:
        IntegrationManager(**{**usual, **settings})
    assert "schl" not in str(caught.value)


def test_a_key_may_hold_a_colon() -> None:
    assert IntegrationManager(api_user="u", api_key="a:b", base_url="https://x.example/v1/").base_url == (
        "https://x.example/v1"
    )


# The sandbox itself


def test_the_sandbox_shows_changes_only_after_its_run() -> None:
    times = iter([datetime(2026, 1, 5, 8, tzinfo=UTC), datetime(2026, 1, 5, 9, tzinfo=UTC)])
    sandbox = IntegrationManagerSandbox(clock=lambda: next(times))
    catalog = demo_merchant()
    stock = [
        evolve(one, on_hand=0, committed=0) if one.master_sku == "TOWEL-LN" else one for one in catalog.stock
    ]
    before = read(source(sandbox))
    sandbox.load(evolve(catalog, stock=tuple(stock)))
    after = read(source(sandbox))
    assert [one.levels.of("TOWEL-LN")[0].available for one in (before, after)] == [108, 0]
    assert after.taken_at.hour == 9


def test_the_sandbox_over_http_takes_both_ways_to_log_in() -> None:
    sandbox = IntegrationManagerSandbox()
    with sandbox.serve() as server, httpx.Client(base_url=server.base_url) as client:
        keys = {"api_user": "sandbox-user", "api_key": "sandbox-key"}
        answer = client.get("/v1/merchant/inventory", params=keys)
        assert len(answer.json()["response"]) == 20, "what limit is when left out"
        assert answer.headers["x-cartrover-api-minute-hits-remaining"] == "99"
        by_header = client.get("/merchant/inventory/MUG-01", auth=("sandbox-user", "sandbox-key")).json()
        assert by_header["response"]["qty_available"] == "111"
        assert "aliases" not in by_header["response"]
        refused = client.get("/v1/merchant/inventory")
        assert (refused.status_code, refused.json()["error_code"]) == (200, "Invalid")
    assert repr(sandbox) == "<IntegrationManagerSandbox: 25 SKUs, 3 requests answered>"
    assert [(one.path, one.status) for one in sandbox.requests][1] == ("/merchant/inventory/MUG-01", 200)


def test_the_sandbox_refuses_what_the_api_does_not_have() -> None:
    sandbox = IntegrationManagerSandbox()

    def ask(path: str, method: str = "GET", **query: str) -> Any:
        keys = {"api_user": "sandbox-user", "api_key": "sandbox-key", **query}
        request = Request(method=method, url=f"https://x.example/v1{path}", query=tuple(keys.items()))
        return sandbox.handle(request).json()

    assert ask("/merchant/inventory", limit="2", page="99")["response"] == []
    assert ask("/merchant/inventory", limit="none")["message"] == "limit must be a number from 1"
    assert ask("/merchant/inventory", page="0")["error_code"] == "Invalid"
    assert ask("/merchant/inventory", "POST")["success_code"] is False
    assert ask("/merchant/product/MUG-01")["success_code"] is False
    with pytest.raises(InvalidValueError, match="mode must be"):
        IntegrationManagerSandbox(mode="both")


def test_an_empty_merchant_is_an_empty_snapshot() -> None:
    sandbox = IntegrationManagerSandbox(Catalog())
    assert len(read(source(sandbox)).skus) == 0


def test_read_inventory_reads_it_too() -> None:
    assert len(read_inventory(source(IntegrationManagerSandbox()), BY_WAREHOUSE).levels) == 43
