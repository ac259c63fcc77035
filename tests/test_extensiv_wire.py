"""Conversations with the order manager by hand: what is asked, and how strictly the answers are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from omsync.errors import DecodeError, LostAnswerError, ServerFaultError, ThrottledError
from omsync.http.messages import Conversation, Request, Response
from omsync.model import Component, SalesChannel
from omsync.sources.extensiv import wire
from omsync.sources.extensiv.conversations import Api, extensiv_judge, wire_moment
from omsync.sources.extensiv.rows import Figure, ListingRow, ProductRow, StockRow, pack_page, unpack_page
from omsync.sources.extensiv.source import PAGE_SIZES

T = TypeVar("T")
API = Api(
    base_url="https://om.example", token="t", page_sizes=PAGE_SIZES, missing_available="refuse", timeout=60.0
)
SINCE = datetime(2026, 3, 2, 8, 0, 0, 999, tzinfo=UTC)
PLACE = "GET /somewhere"


def hold(conversation: Conversation[T], *answers: object) -> tuple[list[Request], T]:
    """Hold a conversation by hand; give what was asked and what came of it."""
    asked = []
    try:
        request = next(conversation)
        for answer in answers:
            asked.append(request)
            content = json.dumps(answer).encode()
            request = conversation.send(Response(status=200, content=content, place=request.place))
    except StopIteration as finished:
        return asked, finished.value
    raise AssertionError(f"the conversation goes on with {request.place}")


@pytest.mark.parametrize(
    ("conversation", "lane", "query"),
    [
        (API.quotas(), "GET /v1/throttlelimits", ""),
        (API.warehouses(), "GET /v1/warehouses", ""),
        (API.sales_channels(), "GET /v1/saleschannels", "?includeInactive=true"),
        (API.products(1), "GET /v1.1/products", "?limit=100&page=1"),
        (
            API.products(3, since=SINCE),
            "GET /v1.1/products",
            "?modifiedDateFrom=2026-03-02T08%3A00%3A00Z&limit=100&page=3",
        ),
        (
            API.listings(2, since=SINCE),
            "GET /v1/listings",
            "?modifiedDateFrom=2026-03-02T08%3A00%3A00Z&limit=100&page=2",
        ),
        (
            API.totals(1, warehouse_id="701"),
            "GET /v1/productstocks/total",
            "?warehouseId=701&limit=200&page=1",
        ),
        (
            API.totals(1, warehouse_id="701", with_buildable=True),
            "GET /v1.1/productstocks/total",
            "?inventoryOptions=COMPONENT_INVENTORY&warehouseId=701&limit=200&page=1",
        ),
        (API.inventory(4), "GET /v1/inventory", "?includeBundledItems=false&limit=100&page=4"),
        (
            API.acknowledge(2, channel_id="44"),
            "POST /v1.2/inventory/acknowledge",
            "?salesChannelId=44&limit=500&page=2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_call_asks_as_documented(conversation: Conversation[Any], lane: str, query: str) -> None:
    (request,), _ = hold(conversation, [])
    method, path = lane.split()
    assert request.place == f"{method} https://om.example{path}{query}"
    assert request.lane == lane
    assert request.headers == {"authorization": "Bearer t"}
    assert request.body is ...
    assert request.repeatable == (method == "GET"), "only acknowledge must not be repeated"


def test_moments_are_written_as_utc_with_whole_seconds() -> None:
    assert wire_moment(datetime.fromisoformat("2026-03-02T09:30:15.9+02:00")) == "2026-03-02T07:30:15Z"


def test_a_product_is_looked_up_page_by_page_until_the_exact_sku_comes() -> None:
    others = [{"masterSku": sku} for sku in ("AB-1", "ab", "ABC")]
    asked, found = hold(API.product_of("AB"), others, [{"masterSku": "AB", "name": "it"}])
    assert found is not None
    assert found.sku.name == "it"
    assert [dict(request.query) for request in asked] == [
        {"sku": "AB", "limit": "100", "page": page} for page in "12"
    ]


@pytest.mark.parametrize("second", [[], [{"masterSku": "AB-1"}]], ids=["ends", "repeats itself"])
def test_a_look_up_that_finds_prefixes_only_finds_nothing(second: list[Any]) -> None:
    assert hold(API.product_of("AB"), [{"masterSku": "AB-1"}], second)[1] is None


def test_a_look_up_does_not_go_on_for_ever() -> None:
    pages = [[{"masterSku": f"AB-{number}"}] for number in range(50)]
    assert hold(API.product_of("AB"), *pages)[1] is None


def answered(status: int, headers: dict[str, str] | None = None) -> Response:
    """Make an answer."""
    return Response(status=status, headers=headers or {}, content=b"oops", place=PLACE)


def test_retrying_is_decided_by_status_and_by_whether_the_call_may_be_repeated() -> None:
    reading, taking = (next(one) for one in (API.products(1), API.acknowledge(1, channel_id="44")))
    throttled = extensiv_judge(reading, answered(429, {"x-skubana-quota-retryafter": "1500"}))
    assert isinstance(throttled, ThrottledError)
    assert throttled.retry_after == 1.5
    for header in ({}, {"x-skubana-quota-retryafter": "soon"}, {"retry-after": "1"}):
        verdict = extensiv_judge(reading, answered(429, header))
        assert verdict is not None
        assert verdict.retry_after == 15.0
    assert isinstance(extensiv_judge(reading, answered(503)), ServerFaultError)
    assert isinstance(extensiv_judge(taking, answered(503)), LostAnswerError)
    for status in (200, 201, 301, 401, 403, 404, 422):
        assert extensiv_judge(reading, answered(status)) is None


def test_sales_channels_are_read_in_both_spellings() -> None:
    rows = [
        {"salesChannelId": 44, "salesChannelName": "Woo", "salesChannelType": "CUSTOM", "active": True},
        {"salesChannelId": 45, "name": "Old", "type": "MANUAL", "active": False, "connectionParams": {}},
        {"salesChannelId": 46, "salesChannelName": None, "active": None},
    ]
    assert wire.sales_channels(rows, PLACE) == [
        SalesChannel(id="44", name="Woo", kind="CUSTOM"),
        SalesChannel(id="45", name="Old", kind="MANUAL", active=False),
        SalesChannel(id="46"),
    ]


def test_any_field_but_the_codes_may_be_null_or_missing_and_unknown_ones_are_ignored() -> None:
    (row,) = wire.products([{"masterSku": "A", "productId": None, "weight": None, "novelty": [1]}], PLACE)
    assert (row.sku.source_id, row.sku.active, row.sku.kind, row.parts) == (None, True, "core", ())
    (listing,) = wire.listings([{"listingSku": "a", "salesChannelId": 44}], PLACE)
    assert (listing.master_sku, listing.product_id, listing.active, listing.push_inventory) == (
        None,
        None,
        True,
        True,
    )
    (place,) = wire.warehouses([{"warehouseId": 1}], PLACE)
    assert (place.id, place.name, place.kind, place.active) == ("1", "", "", True)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"type": "CORE_PRODUCT"}, "core"),
        ({"type": "VIRTUAL_PRODUCT"}, "virtual"),
        ({"type": "BUNDLE_KIT"}, "bundle"),
        ({"type": "SOMETHING_NEW"}, "core"),
        ({"bundle": True}, "bundle"),
        ({}, "core"),
    ],
)
def test_kinds_of_products_are_open_words(row: dict[str, Any], kind: str) -> None:
    (product,) = wire.products([{"masterSku": "A", **row}], PLACE)
    assert product.sku.kind == kind


def test_the_bundled_product_of_an_item_is_the_part_and_not_the_bundle() -> None:
    item = {
        "bundledProductQuantity": 2,
        "product": {"masterSku": "SET"},
        "bundledProduct": {"masterSku": "SPOON"},
    }
    (product,) = wire.products([{"masterSku": "SET", "bundledItems": [item]}], PLACE)
    assert product.parts == (Component(master_sku="SPOON", quantity=2),)


def test_a_negative_weight_measures_nothing_and_stops_nobody() -> None:
    (product,) = wire.products([{"masterSku": "A", "weight": -1, "length": 3, "width": 2.5}], PLACE)
    assert (product.sku.weight_oz, product.sku.length_in, product.sku.width_in) == (None, 3.0, 2.5)


BAD: list[tuple[Callable[[Any, str], Any], dict[str, Any], str]] = [
    (wire.products, {"masterSku": None}, "$[0].masterSku: is missing"),
    (wire.products, {"masterSku": ""}, "$[0].masterSku: is empty"),
    (wire.products, {"masterSku": 5}, "$[0].masterSku: must be text, not 5 (int)"),
    (wire.products, {"active": "yes"}, "$[0].active: must be true or false, not 'yes' (str)"),
    (wire.products, {"weight": "1"}, "$[0].weight: must be a number, not '1' (str)"),
    (wire.products, {"weight": True}, "$[0].weight: must be a number, not True (bool)"),
    (wire.products, {"productId": "1"}, "$[0].productId: must be a whole number, not '1' (str)"),
    (wire.products, {"productId": 2**63}, f"$[0].productId: must be at most {2**63 - 1}, not {2**63}"),
    (wire.products, {"bundledItems": {}}, "$[0].bundledItems: must be an array, not {} (dict)"),
    (wire.products, {"bundledItems": [1]}, "$[0].bundledItems[0]: must be an object, not 1 (int)"),
    (
        wire.products,
        {"bundledItems": [{"bundledProductQuantity": 1}]},
        "$[0].bundledItems[0].bundledProduct: is missing",
    ),
    (
        wire.products,
        {"bundledItems": [{"bundledProduct": {"masterSku": "B"}}]},
        "$[0].bundledItems[0].bundledProductQuantity: is missing",
    ),
    (wire.listings, {"listingSku": None}, "$[0].listingSku: is missing"),
    (wire.listings, {"salesChannelId": None}, "$[0].salesChannelId: is missing"),
    (wire.warehouses, {"warehouseId": None}, "$[0].warehouseId: is missing"),
    (
        wire.sales_channels,
        {"salesChannelId": 4.0},
        "$[0].salesChannelId: must be a whole number, not 4.0 (float)",
    ),
    (wire.quotas, {"throttleConfig": None}, "$[0].throttleConfig: is missing"),
    (wire.quotas, {"throttleConfig": []}, "$[0].throttleConfig: must be an object, not [] (list)"),
]
SOUND = {
    "masterSku": "A",
    "listingSku": "a",
    "salesChannelId": 44,
    "warehouseId": 1,
    "requestMethod": "GET",
    "requestPath": "/v1/inventory",
    "throttleConfig": {},
}


@pytest.mark.parametrize(
    ("decode", "row", "problem"), BAD, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_bad_field_is_named_by_its_path_and_its_value(
    decode: Callable[[Any, str], Any], row: dict[str, Any], problem: str
) -> None:
    decode([SOUND], PLACE)
    with pytest.raises(DecodeError, match=PLACE) as raised:
        decode([{**SOUND, **row}], PLACE)
    assert raised.value.problems == (problem,)
    assert raised.value.code == "bad_field"


def totals(row: dict[str, Any], missing_available: str = "refuse") -> StockRow:
    """Decode one row of totals."""
    product = {"masterSku": "A", "productId": 1}
    (record,) = wire.totals(
        [{"product": product, **row}], PLACE, warehouse_id="701", missing_available=missing_available
    )
    return record


def test_negative_figures_of_hand_and_available_are_debts_and_not_errors() -> None:
    record = totals({"onHandQuantity": -2, "availableQuantity": -5})
    assert (record.on_hand, record.available, record.committed, record.locked) == (-2, -5, 0, 0)


@pytest.mark.parametrize("name", ["lockedQuantity", "allocatedQuantity", "inTransitQuantity"])
def test_negative_locked_allocated_or_travelling_units_are_an_error_that_names_the_row(name: str) -> None:
    with pytest.raises(DecodeError) as raised:
        totals({"onHandQuantity": 5, "availableQuantity": 5, name: -1})
    assert raised.value.problems == (f"$[0].{name}: must be at least 0, not -1",)


@pytest.mark.parametrize("missing", ["onHandQuantity", "lockedQuantity"])
def test_what_must_be_computed_needs_all_its_figures(missing: str) -> None:
    row = {"onHandQuantity": 5, "allocatedQuantity": 1, "lockedQuantity": 2}
    assert totals(row).available is None
    with pytest.raises(DecodeError, match="could be computed") as raised:
        totals({**row, missing: None})
    assert raised.value.problems[0].startswith(f"$[0].{missing}: is missing")


def test_a_stock_row_without_its_warehouses_totals_or_place_is_an_error() -> None:
    with pytest.raises(DecodeError) as raised:
        wire.inventory_rows([{"product": {"masterSku": "A"}}], PLACE, missing_available="refuse")
    assert "$[0].warehouseStockTotals: is missing" in raised.value.problems
    assert "$[0].stockLocation: is missing" in raised.value.problems


def test_an_error_lists_no_more_findings_than_a_person_reads() -> None:
    with pytest.raises(DecodeError, match="1000 fields are") as raised:
        wire.warehouses([{}] * 1000, PLACE)
    assert raised.value.problems[-1] == "and 900 more"


def test_acknowledge_keeps_good_rows_and_tells_damage() -> None:
    def row(product: Any, quantity: Any) -> dict[str, Any]:
        return {"product": product, "availableQuantity": quantity, "warehouseInventoryBreakdown": []}

    page = wire.acknowledged(
        {
            "pagesRemaining": True,
            "productAggregatedQuantities": [
                row({"masterSku": "A", "productId": 1}, 5),
                row({"masterSku": "B"}, None),
                row({"masterSku": "C", "productId": 3}, 2.5),
            ],
        },
        PLACE,
    )
    assert page.figures == (Figure(master_sku="A", product_id="1", available=5),)
    assert page.unsure == ("sku B", "3")
    assert page.remaining is True
    assert not page.unreadable
    assert page.damage == (
        "$.productAggregatedQuantities[1].availableQuantity: is missing",
        "$.productAggregatedQuantities[2].availableQuantity: must be a whole number, not 2.5 (float)",
    )


@pytest.mark.parametrize("page", [{"productAggregatedQuantities": [{}]}, {"productAggregatedQuantities": {}}])
def test_rows_of_acknowledge_that_tell_no_product_are_unreadable(page: dict[str, Any]) -> None:
    assert wire.acknowledged([page], PLACE).unreadable
    assert wire.acknowledged([1, page], PLACE).unreadable


def test_several_pages_in_one_answer_of_acknowledge_are_one_page() -> None:
    def page(sku: str, *, remaining: bool) -> dict[str, Any]:
        product = {"product": {"masterSku": sku}, "availableQuantity": 1}
        return {"pagesRemaining": remaining, "productAggregatedQuantities": [product]}

    both = wire.acknowledged([page("A", remaining=True), page("B", remaining=False)], PLACE)
    assert [figure.master_sku for figure in both.figures] == ["A", "B"]
    assert both.remaining is False


def test_rows_come_back_from_the_memory_as_they_were() -> None:
    product = {
        "masterSku": "Ä-1",
        "productId": 5,
        "type": "BUNDLE_KIT",
        "active": False,
        "weight": 1.5,
        "bundledItems": [{"bundledProductQuantity": 2, "bundledProduct": {"masterSku": "B"}}],
    }
    products = wire.products([product, {"masterSku": "-"}], PLACE)
    assert unpack_page(pack_page(products), ProductRow.unpack) == products
    listings = wire.listings([{"listingSku": "a", "salesChannelId": 44, "pushInventory": False}], PLACE)
    assert unpack_page(pack_page(listings), ListingRow.unpack) == listings
    stock = [
        totals({"availableQuantity": None, "allocatedQuantity": 1, "onHandQuantity": 2, "lockedQuantity": 0})
    ]
    assert unpack_page(pack_page(stock), StockRow.unpack) == stock
