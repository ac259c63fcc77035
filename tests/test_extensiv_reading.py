"""Reading Extensiv Order Manager by warehouse, against the sandbox and its faults."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from extensiv_desk import (
    ACKNOWLEDGE,
    FBA,
    LISTINGS,
    OHIO,
    PRODUCTS,
    RENO,
    ROWS,
    TEXAS,
    TOTALS,
    available,
    calls,
    order_manager,
    parts,
    read,
    read_awaiting,
    wanted,
    when,
)
from fake_memory import START, DictMemory, FakeClock

from omsync.errors import (
    DecodeError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    SnapshotError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.model import Bundle, Component
from omsync.ports import OrderManagerSource, ReadRequest
from omsync.sources.extensiv.stock import StockPage
from omsync.testing import (
    Catalog,
    CatalogProduct,
    CatalogWarehouse,
    Fault,
    OrderManagerSandbox,
    Throttle,
    generated_merchant,
)

STOCK_WAYS = [("totals", TOTALS), ("rows", ROWS)]


def test_warehouse_mode_reports_every_record_of_the_active_warehouses() -> None:
    snapshot = read(order_manager(OrderManagerSandbox()))
    (record,) = [level for level in snapshot.levels.of("MUG-01") if level.location_id == RENO]
    assert (record.on_hand, record.available, record.committed, record.locked, record.in_transit) == (
        50,
        44,
        4,
        2,
        12,
    )
    assert available(snapshot, OHIO)["KETTLE-GN"] == -5
    assert available(snapshot, TEXAS)["TOWEL-LN"] == 108
    assert snapshot.scope == "warehouse"
    assert snapshot.bundles_include_buildable == "no"
    assert snapshot.taken_at == START
    assert {place.id: place.kind for place in snapshot.warehouses}[FBA] == "SALES_CHANNEL"
    assert "STARTER-SET" not in snapshot.levels, "a product without a record is absent, not zero"


def test_products_aliases_and_bundles_come_with_their_details() -> None:
    snapshot = read(order_manager(OrderManagerSandbox()))
    skus = {sku.master_sku: sku for sku in snapshot.skus}
    mug = skus["MUG-01"]
    assert (mug.weight_oz, mug.length_in, mug.upc, mug.brand) == (
        12.5,
        5.0,
        "810012340012",
        "Juniper & Kettle",
    )
    assert (skus["MUG"].kind, skus["GIFT-SET"].kind, mug.kind) == ("virtual", "bundle", "core")
    assert skus["GIFT-CARD"].digital
    assert not skus["MUG-OLD"].active
    assert (
        Bundle(
            master_sku="GIFT-SET",
            components=(
                Component(master_sku="MUG-01", quantity=1),
                Component(master_sku="SPOON-02", quantity=2),
            ),
        )
        in snapshot.bundles
    )
    aliases = {(alias.name, alias.listing_sku): alias for alias in snapshot.aliases}
    sale = aliases["Woo store", "woo-mug-green-sale"]
    assert (sale.master_sku, sale.push_inventory, sale.channel_id) == ("MUG-01", False, "44")
    assert sale.source_id
    assert not aliases["Woo store", "woo-mint"].active


def test_totals_and_stock_rows_tell_the_same_although_rows_repeat_their_totals() -> None:
    sandbox = OrderManagerSandbox()
    assert parts(read(order_manager(sandbox))) == parts(read(order_manager(sandbox, stock="rows")))
    assert {query["includeBundledItems"] for query in calls(sandbox, ROWS)} == {"false"}


def test_the_cheaper_totals_are_asked_of_active_warehouses_only() -> None:
    sandbox = OrderManagerSandbox()
    sandbox.change_warehouse(704, active=False)
    by_totals, by_rows = read(order_manager(sandbox)), read(order_manager(sandbox, stock="rows"))
    assert {query["warehouseId"] for query in calls(sandbox, TOTALS)} == {RENO, OHIO, FBA}
    assert TEXAS not in by_rows.levels.location_ids
    assert parts(by_totals) == parts(by_rows)


def test_blocking_and_awaiting_reads_give_equal_snapshots() -> None:
    sandbox = OrderManagerSandbox(generated_merchant(products=120, seed=3))
    for settings in ({}, {"stock": "rows"}):
        source = order_manager(sandbox, **settings)
        blocking, awaiting = read(source, wanted()), read_awaiting(source, wanted())
        assert parts(blocking) == parts(awaiting)


def test_the_plain_read_is_the_port_and_speaks_http() -> None:
    sandbox = OrderManagerSandbox()
    with sandbox.serve() as server:
        source = order_manager(sandbox, base_url=server.base_url + "/", handler=None)
        assert isinstance(source, OrderManagerSource)
        over_http = source.read(wanted())
    assert parts(over_http) == parts(read(order_manager(sandbox)))


def test_the_deadline_of_the_request_ends_a_plain_read() -> None:
    source = order_manager(OrderManagerSandbox())
    with pytest.raises(OmsyncError) as raised:
        source.read(ReadRequest(merchant=wanted().merchant, now=START, deadline=START - timedelta(days=1)))
    assert raised.value.code == "deadline"


def test_bundles_are_never_component_inclusive_while_omsync_computes() -> None:
    sandbox = OrderManagerSandbox()
    computed = read(order_manager(sandbox))
    assert available(computed, RENO)["GIFT-SET"] == 3
    assert not calls(sandbox, "GET /v1.1/productstocks/total")
    reported = read(order_manager(sandbox), wanted(bundle_quantities="reported"))
    assert available(reported, RENO)["GIFT-SET"] == 3 + 13 // 2
    assert reported.bundles_include_buildable == "yes"
    assert {query["inventoryOptions"] for query in calls(sandbox, "GET /v1.1/productstocks/total")} == {
        "COMPONENT_INVENTORY"
    }


def test_reported_bundles_cannot_be_read_from_stock_rows() -> None:
    with pytest.raises(SettingsError) as raised:
        read(order_manager(OrderManagerSandbox(), stock="rows"), wanted(bundle_quantities="reported"))
    assert raised.value.code == "rows_without_buildable"


@pytest.mark.parametrize(("stock", "lane"), STOCK_WAYS)
@pytest.mark.parametrize("kind", ["short_page", "shifted_rows"])
def test_short_pages_in_the_middle_and_shifting_rows_lose_and_double_nothing(
    stock: str, lane: str, kind: str
) -> None:
    truth = read(order_manager(OrderManagerSandbox()))
    faults = [Fault(on=on, kind=kind, query={"page": "2"}, rows=2) for on in (lane, PRODUCTS, LISTINGS)]
    snapshot = read(order_manager(OrderManagerSandbox(faults=faults), stock=stock))
    assert parts(snapshot) == parts(truth)


def test_a_server_that_quietly_gives_smaller_pages_is_read_to_the_end() -> None:
    sandbox = OrderManagerSandbox(page_caps={"/v1.1/products": 4, "/v1/productstocks/total": 3})
    source = order_manager(sandbox, page_sizes={})
    assert parts(read(source)) == parts(read(order_manager(OrderManagerSandbox())))


def test_a_later_reading_of_a_shifted_row_counts() -> None:
    sandbox = OrderManagerSandbox(faults=[Fault(on=TOTALS, kind="shifted_rows", query={"page": "2"}, rows=5)])

    def all_sold(request: Request) -> Response:
        if (
            request.lane == TOTALS
            and ("page", "2") in request.query
            and ("warehouseId", RENO) in request.query
        ):
            sandbox.set_stock("MUG-01", 701, on_hand=6, location="A-01")
        return sandbox.handle(request)

    assert available(read(order_manager(all_sold)), RENO)["MUG-01"] == 20


def test_a_server_that_ignores_the_page_number_is_found_out() -> None:
    sandbox = OrderManagerSandbox()

    def always_the_first(request: Request) -> Response:
        query = tuple((name, "1" if name == "page" else value) for name, value in request.query)
        return sandbox.handle(Request(**{**_fields(request), "query": query}))

    with pytest.raises(DecodeError, match="the server repeats page 1 as page 2") as raised:
        read(order_manager(always_the_first))
    assert raised.value.code == "pages_repeat"


def _fields(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("method", "url", "query", "headers", "lane")}


def test_a_list_without_an_end_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.sources.extensiv.streams.MOST_PAGES", 3)
    with pytest.raises(DecodeError) as raised:
        read(order_manager(OrderManagerSandbox()))
    assert raised.value.code == "pages_endless"


def test_a_product_made_while_we_read_is_looked_up_by_its_exact_sku_among_prefix_matches() -> None:
    sandbox = OrderManagerSandbox()

    def made_meanwhile() -> None:
        for sku in ("NEW-1-RED", "NEW-1", "new-1"):
            sandbox.add_product(CatalogProduct(master_sku=sku, name=f"called {sku}"))
        sandbox.create_stock_record("NEW-1", 701, on_hand=5)

    pages = {"products": 50, "totals": 5}
    source = order_manager(when(sandbox, TOTALS, made_meanwhile, nth=9), page_sizes=pages)
    snapshot = read(source)
    assert available(snapshot, RENO)["NEW-1"] == 5
    names = {sku.master_sku: sku.name for sku in snapshot.skus}
    assert names["NEW-1"] == "called NEW-1"
    assert "NEW-1-RED" not in names


def test_a_stocked_product_that_cannot_be_found_is_left_for_the_engine_to_name() -> None:
    def renamed(rows: Any) -> Any:
        for row in rows:
            if row["product"]["masterSku"] == "TOWEL-LN":
                row["product"] = {"masterSku": "TOWEL-GHOST"}
        return rows

    sandbox = OrderManagerSandbox(faults=[Fault(on=TOTALS, kind="replace", edit=renamed, times=None)])
    snapshot = read(order_manager(sandbox))
    assert "TOWEL-GHOST" in snapshot.levels
    assert "TOWEL-GHOST" not in {sku.master_sku for sku in snapshot.skus}


def test_a_failing_look_up_fails_the_read() -> None:
    sandbox = OrderManagerSandbox(
        faults=[
            Fault(on=PRODUCTS, kind="status", status=422, query={"sku": "GHOST"}),
            Fault(on=TOTALS, kind="replace", edit=lambda rows: [*rows, _total("GHOST")], nth=1),
        ]
    )
    with pytest.raises(RefusedError):
        read(order_manager(sandbox))


def _total(master_sku: str, **figures: Any) -> dict[str, Any]:
    return {"product": {"masterSku": master_sku}, "onHandQuantity": 1, "availableQuantity": 1, **figures}


def test_a_stock_row_names_its_product_by_id_so_a_renamed_product_stays_one() -> None:
    def earlier_name(rows: Any) -> Any:
        for row in rows:
            if row["product"]["masterSku"] == "CANDLE-JN":
                row["product"]["masterSku"] = "CANDLE-BEFORE"
        return rows

    sandbox = OrderManagerSandbox(faults=[Fault(on=TOTALS, kind="replace", edit=earlier_name, times=None)])
    assert parts(read(order_manager(sandbox))) == parts(read(order_manager(OrderManagerSandbox())))


def test_a_warehouse_made_while_we_read_is_asked_for_again() -> None:
    sandbox = OrderManagerSandbox()
    all_of_them = read(order_manager(sandbox, stock="rows"))
    sandbox.add_faults(Fault(on="GET /v1/warehouses", kind="replace", edit=lambda rows: rows[:-1]))
    assert parts(read(order_manager(sandbox, stock="rows"))) == parts(all_of_them)
    assert len(calls(sandbox, "GET /v1/warehouses")) == 3


def test_stock_in_a_warehouse_that_is_never_listed_is_an_error() -> None:
    fault = Fault(on="GET /v1/warehouses", kind="replace", edit=lambda rows: rows[:-1], times=None)
    with pytest.raises(DecodeError, match="704") as raised:
        read(order_manager(OrderManagerSandbox(faults=[fault]), stock="rows"))
    assert raised.value.code == "unknown_warehouse"


def test_channels_are_understood_in_both_spellings() -> None:
    old, new = (read(order_manager(OrderManagerSandbox(old_channel_spelling=flag))) for flag in (True, False))
    assert old.sales_channels == new.sales_channels
    assert {channel.name for channel in old.sales_channels} == {"Amazon US", "Woo store", "Wholesale portal"}


def test_inactive_channels_are_read_and_a_listing_of_an_unknown_one_goes_by_its_id() -> None:
    sandbox = OrderManagerSandbox()
    sandbox.change_channel(45, active=False)
    snapshot = read(order_manager(sandbox))
    assert [channel.active for channel in snapshot.sales_channels if channel.id == "45"] == [False]
    sandbox.add_faults(Fault(on="GET /v1/saleschannels", kind="replace", edit=lambda rows: rows[:-1]))
    assert "45" in {alias.name for alias in read(order_manager(sandbox)).aliases}


def test_available_that_is_not_reported_is_left_to_the_engine_where_allocated_is() -> None:
    snapshot = read(order_manager(OrderManagerSandbox(totals_without_available=True)))
    (record,) = [level for level in snapshot.levels.of("MUG-01") if level.location_id == RENO]
    assert (record.available, record.on_hand, record.committed, record.locked) == (None, 50, 4, 2)


def test_where_neither_is_reported_the_read_refuses_and_names_the_setting() -> None:
    sandbox = OrderManagerSandbox(totals_without_available=True, totals_without_allocated=True)
    with pytest.raises(DecodeError, match="missing_available='on_hand_minus_locked'") as raised:
        read(order_manager(sandbox))
    assert raised.value.code == "available_not_reported"
    snapshot = read(order_manager(sandbox, missing_available="on_hand_minus_locked"))
    (record,) = [level for level in snapshot.levels.of("MUG-01") if level.location_id == RENO]
    assert (record.available, record.on_hand, record.committed, record.locked) == (None, 50, 0, 2)


def test_a_quantity_as_text_is_an_error_that_names_row_field_and_value() -> None:
    def as_text(rows: Any) -> Any:
        rows[3]["availableQuantity"] = "5"
        rows[4]["lockedQuantity"] = -1
        return rows

    sandbox = OrderManagerSandbox(faults=[Fault(on=TOTALS, kind="replace", edit=as_text)])
    with pytest.raises(DecodeError) as raised:
        read(order_manager(sandbox))
    assert raised.value.code == "bad_field"
    assert raised.value.problems == (
        "$[3].availableQuantity: must be a whole number, not '5' (str)",
        "$[4].lockedQuantity: must be at least 0, not -1",
    )
    assert "/v1/productstocks/total?warehouseId=" in str(raised.value)


def test_an_object_where_an_array_is_declared_is_an_error_that_names_the_place() -> None:
    fault = Fault(on=LISTINGS, kind="replace", edit=lambda rows: {"results": rows})
    with pytest.raises(DecodeError, match=r"/v1/listings.*an array is documented here") as raised:
        read(order_manager(OrderManagerSandbox(faults=[fault])))
    assert raised.value.code == "wrong_shape"


@pytest.mark.parametrize(("kind", "what"), [("html", "it is HTML"), ("truncated_json", "cut off")])
def test_html_and_truncated_json_are_errors_and_are_not_asked_for_again(kind: str, what: str) -> None:
    sandbox = OrderManagerSandbox(faults=[Fault(on=PRODUCTS, kind=kind, query={"page": "2"})])
    with pytest.raises(DecodeError, match=what) as raised:
        read(order_manager(sandbox))
    assert raised.value.code == "not_json"
    assert [query["page"] for query in calls(sandbox, PRODUCTS)] == ["1", "2"]


def test_a_wrong_token_is_refused_at_the_first_call_with_the_remedy_and_is_not_shown() -> None:
    sandbox = OrderManagerSandbox(token="another")
    source = order_manager(sandbox)
    with pytest.raises(UnauthorizedError, match="install the app again") as raised:
        read(source)
    assert raised.value.code == "unauthorized"
    assert len(sandbox.requests) == 1
    assert "sandbox-token" not in repr(source) + str(raised.value) + repr(source.api) + source.account


@pytest.mark.parametrize("status", [400, 404, 422, 302])
def test_what_is_refused_is_never_tried_again(status: int) -> None:
    sandbox = OrderManagerSandbox(faults=[Fault(on=LISTINGS, kind="status", status=status, body="no")])
    clock = FakeClock()
    with pytest.raises(RefusedError, match=f"HTTP {status}") as raised:
        read(order_manager(sandbox), clock=clock)
    assert raised.value.code == ("redirected" if status == 302 else "refused")
    assert len(calls(sandbox, LISTINGS)) == 1


def test_a_missing_scope_is_told_as_such() -> None:
    sandbox = OrderManagerSandbox(faults=[Fault(on=LISTINGS, kind="status", status=403)])
    with pytest.raises(UnauthorizedError, match="read_products") as raised:
        read(order_manager(sandbox))
    assert raised.value.code == "forbidden"


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [({"x-skubana-quota-retryAfter": "2500"}, 2.5, 3.0), ({}, 15.0, 15.5)],
)
def test_a_429_waits_for_the_milliseconds_that_its_header_tells_or_15_seconds(
    headers: dict[str, str], least: float, most: float
) -> None:
    fault = Fault(on=LISTINGS, kind="status", status=429, headers=headers, query={"page": "1"})
    sandbox, clock = OrderManagerSandbox(faults=[fault]), FakeClock()
    assert parts(read(order_manager(sandbox), clock=clock)) == parts(
        read(order_manager(OrderManagerSandbox()))
    )
    assert least <= clock.waited <= most


def test_a_429_that_stays_is_an_error_after_bounded_tries() -> None:
    fault = Fault(on=LISTINGS, kind="status", status=429, times=None)
    sandbox = OrderManagerSandbox(faults=[fault])
    with pytest.raises(ThrottledError):
        read(order_manager(sandbox))
    assert len(calls(sandbox, LISTINGS)) == 6


@pytest.mark.parametrize(
    "fault",
    [
        Fault(on=TOTALS, kind="status", status=502, times=2),
        Fault(on=TOTALS, kind="cut_connection"),
        Fault(on=TOTALS, kind="refuse_connection_after_processing"),
        Fault(on=TOTALS, kind="refuse_connection_before_processing"),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_broken_server_or_connection_that_recovers_is_only_a_delay(fault: Fault) -> None:
    sandbox, clock = OrderManagerSandbox(faults=[fault]), FakeClock()
    assert parts(read(order_manager(sandbox), clock=clock)) == parts(
        read(order_manager(OrderManagerSandbox()))
    )
    assert clock.waited > 0


def test_a_server_that_stays_broken_fails_the_read_and_gives_no_snapshot() -> None:
    with pytest.raises(ServerFaultError):
        read(order_manager(OrderManagerSandbox(faults=[Fault(on=PRODUCTS, kind="status", times=None)])))
    fault = Fault(on=PRODUCTS, kind="cut_connection", times=None)
    with pytest.raises(LostAnswerError):
        read(order_manager(OrderManagerSandbox(faults=[fault])))


def test_an_unreachable_host_is_told_as_such() -> None:
    def nobody(request: Request) -> Response:
        raise UnreachableError(f"{request.place}: no connection")

    with pytest.raises(UnreachableError):
        read(order_manager(nobody))


def test_the_limits_are_asked_first_and_set_the_pace_of_each_kind_of_call() -> None:
    throttle = {TOTALS: Throttle(bucket=4, per_second=2.0, per_hour=3600)}
    sandbox, clock = OrderManagerSandbox(throttle=throttle, monotonic=lambda: clock.waited), FakeClock()
    read(order_manager(sandbox), clock=clock)
    assert sandbox.requests[0].path == "/v1/throttlelimits"
    assert not [one for one in sandbox.requests if one.status == 429]
    # The hourly ceiling of 3,600 allows one a second; the first two go at once.
    assert clock.waited == pytest.approx((len(calls(sandbox, TOTALS)) - 2) / 0.998, abs=0.01)


@pytest.mark.parametrize(("unit", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600)])
def test_the_unit_of_the_restore_rate_is_a_setting(unit: str, seconds: int) -> None:
    sandbox, clock = OrderManagerSandbox(), FakeClock()
    sandbox.add_faults(Fault(on="GET /v1/throttlelimits", kind="replace", edit=lambda _: [_limit(5)]))
    read(order_manager(sandbox, restore_rate_per=unit), clock=clock)
    gaps = len(calls(sandbox, TOTALS)) - 1
    assert clock.waited == pytest.approx(gaps * seconds / 5 / 0.998)


def _limit(rate: int | None, hourly: int | None = None) -> dict[str, Any]:
    config = {"quotaMaxRequest": 1, "quotaRestoreRate": rate, "quotaMaxRequestHourly": hourly}
    return {
        "requestMethod": "get",
        "requestPath": "/v1/productstocks/total",
        "throttleConfig": config,
    }


def test_limits_that_say_nothing_usable_leave_the_safe_pace() -> None:
    sandbox, clock = OrderManagerSandbox(), FakeClock()
    sandbox.add_faults(Fault(on="GET /v1/throttlelimits", kind="replace", edit=lambda _: [_limit(None)]))
    safe = order_manager(sandbox, pace=Pace(per_second=1, burst=1))
    read(safe, clock=clock)
    assert clock.waited == pytest.approx(len(calls(sandbox, TOTALS)) - 1)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_order_manager_that_does_not_tell_limits_is_read_at_the_safe_pace(status: int) -> None:
    fault = Fault(on="GET /v1/throttlelimits", kind="status", status=status, times=None)
    sandbox = OrderManagerSandbox(faults=[fault])
    assert parts(read(order_manager(sandbox))) == parts(read(order_manager(OrderManagerSandbox())))


def test_limits_are_not_asked_for_when_that_is_switched_off() -> None:
    sandbox = OrderManagerSandbox()
    read(order_manager(sandbox, ask_limits=False))
    assert not calls(sandbox, "GET /v1/throttlelimits")


def test_streams_are_read_side_by_side() -> None:
    sandbox = OrderManagerSandbox()
    read(order_manager(sandbox))
    pages = [dict(one.query).get("page") for one in sandbox.requests]
    first_second = pages.index("2")
    assert pages[:first_second].count("1") == 6, (
        "products, listings and four warehouses before any second page"
    )


def test_progress_names_the_stage_and_counts_rows() -> None:
    seen: list[tuple[str, int, int | None]] = []
    snapshot = read(order_manager(OrderManagerSandbox()), wanted(on_progress=lambda *told: seen.append(told)))
    assert ("products", len(snapshot.skus), None) in seen
    assert ("stock", len(snapshot.levels), None) in seen
    assert [done for stage, done, _ in seen if stage == "listings"][:2] == [9, 18]
    ends = {stage: (done, total) for stage, done, total in seen}
    assert ends == {stage: (done, done) for stage, (done, _) in ends.items()}
    assert {total for stage, _, total in seen[:-3] if stage == "stock"} == {None}, "known at the end only"


def test_one_product_under_two_ids_is_refused_and_is_not_found_again_in_the_memory() -> None:
    def second(rows: Any) -> Any:
        return [*rows, {**rows[0], "productId": 999_999}]

    fault = Fault(on=PRODUCTS, kind="replace", edit=second, query={"page": "1"})
    sandbox, memory = OrderManagerSandbox(faults=[fault]), DictMemory()
    with pytest.raises(SnapshotError):
        read(order_manager(sandbox), wanted(memory=memory))
    assert parts(read(order_manager(sandbox), wanted(memory=memory))) == parts(
        read(order_manager(OrderManagerSandbox()))
    )


def test_a_merchant_without_anything_has_an_empty_snapshot() -> None:
    empty = OrderManagerSandbox(Catalog(warehouses=(CatalogWarehouse(warehouse_id=1, name="A"),)))
    snapshot = read(order_manager(empty))
    assert (len(snapshot.levels), snapshot.skus, snapshot.aliases) == (0, (), ())


def test_warehouse_mode_never_touches_acknowledge() -> None:
    sandbox = OrderManagerSandbox()
    read(order_manager(sandbox))
    assert not calls(sandbox, ACKNOWLEDGE)


@pytest.mark.parametrize("edit", [lambda _: None, lambda _: "text", lambda _: [1]])
def test_any_other_shape_is_a_decode_error(edit: Callable[[Any], Any]) -> None:
    for lane in ("GET /v1/warehouses", "GET /v1/saleschannels", PRODUCTS, LISTINGS, TOTALS):
        with pytest.raises(DecodeError):
            read(order_manager(OrderManagerSandbox(faults=[Fault(on=lane, kind="replace", edit=edit)])))


@pytest.mark.parametrize("memory", [None, DictMemory()], ids=["no_ledger", "ledger"])
@pytest.mark.parametrize(("stock", "lane"), STOCK_WAYS)
def test_only_the_newest_stock_pages_are_held_however_long_the_reading(
    stock: str, lane: str, memory: DictMemory | None
) -> None:
    def pages() -> int:
        return sum(isinstance(one, StockPage) for one in gc.get_objects())

    def answer(request: Request) -> Response:
        if request.lane == lane:
            held.append(pages() - of_others)
        return sandbox.handle(request)

    gc.collect()
    sandbox, of_others = OrderManagerSandbox(), pages()
    held: list[int] = []

    sizes = {"totals": 1, "inventory": 2}
    read(order_manager(sandbox, stock=stock, page_sizes=sizes, handler=answer), wanted(memory=memory))
    side_by_side = 1 if stock == "rows" else len({query["warehouseId"] for query in calls(sandbox, lane)})
    assert len(held) > 10 * side_by_side
    assert max(held) <= 2 * side_by_side, "of each list the last page, to see a repeated one, and the next"
