"""Pages of stock in columns: whatever comes, they say what the strict reader of rows says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync.errors import DecodeError
from omsync.http.decoding import faster
from omsync.http.messages import Response
from omsync.levels import Levels, StockLevel
from omsync.sources.extensiv import wire
from omsync.sources.extensiv.rows import StockRow, pack_page
from omsync.sources.extensiv.stock import Stock, StockPage, inventory_page, totals_page

PLACE = "GET /somewhere"
FIGURES = ("onHandQuantity", "availableQuantity", "allocatedQuantity", "lockedQuantity", "inTransitQuantity")


@contextmanager
def decoder(name: str) -> Iterator[None]:
    """Be a process in which msgspec is, or is not, installed."""
    with pytest.MonkeyPatch.context() as patch:
        if name == "json":
            patch.setitem(sys.modules, "msgspec", None)
        faster.cache_clear()
        yield
    faster.cache_clear()


def outcome(make: Callable[[], StockPage]) -> Any:
    """Give the page, or all that the error says."""
    try:
        return make()
    except DecodeError as error:
        return str(error), error.code, error.remedy, error.problems


usually = st.integers(-5, 99) | st.none()
odd = st.sampled_from(
    ["5", 5.0, 5.7, True, False, [], {}, 2**63, -(2**63), 2**64, float("nan"), "", "\ud83d"]
)
ids = st.integers(1, 9)


def objects(**fields: Any) -> Any:
    return st.fixed_dictionaries({}, optional={**fields, "novelty": odd})


def rows_of(*, odd_ones: bool) -> Any:
    """Draw rows, all sound or not."""
    perhaps = odd if odd_ones else st.nothing()
    counted = objects(**dict.fromkeys(FIGURES, (usually if odd_ones else st.integers(0, 99)) | perhaps))
    product = st.fixed_dictionaries(
        {"masterSku": st.sampled_from(["A", "Ä", "B"]) | perhaps}, optional={"productId": ids | perhaps}
    )
    place = st.fixed_dictionaries({"warehouseId": ids | perhaps})
    row = st.builds(
        lambda figures, product, place: {
            **figures,
            "product": product,
            "stockLocation": place,
            "warehouseStockTotals": figures,
        },
        counted | perhaps.filter(lambda one: isinstance(one, dict)),
        product | perhaps,
        place | perhaps,
    )
    return st.lists(row | perhaps, max_size=4)


@settings(max_examples=120, deadline=None)
@given(
    st.booleans().flatmap(lambda odd_ones: rows_of(odd_ones=odd_ones)),
    st.sampled_from(["refuse", "on_hand_minus_locked"]),
    st.sampled_from(["json", "msgspec"]),
)
def test_columns_say_what_the_strict_reader_says_of_the_same_rows(
    rows: list[Any], missing: str, name: str
) -> None:
    response = Response(status=200, content=json.dumps(rows).encode(), place=PLACE)
    with decoder(name):
        one = outcome(lambda: totals_page(response, warehouse_id="701", missing_available=missing))
        other = outcome(lambda: inventory_page(response, missing_available=missing))
    rows = json.loads(response.content)
    assert one == outcome(
        lambda: StockPage.of(wire.totals(rows, PLACE, warehouse_id="701", missing_available=missing))
    )
    assert other == outcome(lambda: StockPage.of(wire.inventory_rows(rows, PLACE, missing_available=missing)))


@settings(max_examples=60, deadline=None)
@given(rows_of(odd_ones=False), st.sampled_from(["json", "msgspec"]))
def test_a_page_comes_back_from_the_memory_as_it_was_and_is_kept_as_its_rows_are(
    rows: list[Any], name: str
) -> None:
    response = Response(status=200, content=json.dumps(rows).encode(), place=PLACE)
    try:
        strict = wire.inventory_rows(rows, PLACE, missing_available="refuse")
    except DecodeError:
        return
    with decoder(name):
        page = inventory_page(response, missing_available="refuse")
    assert page.pack() == pack_page(strict)
    assert StockPage.unpack(page.pack()) == page


def row(sku: str, units: Any = 5, product_id: Any = None) -> dict[str, Any]:
    """Make a row of totals, or of stock rows."""
    figures = {**dict.fromkeys(FIGURES, 0), "availableQuantity": units}
    product = {"masterSku": sku, "productId": product_id}
    return {
        "product": product,
        **figures,
        "warehouseStockTotals": figures,
        "stockLocation": {"warehouseId": 7},
    }


@pytest.mark.parametrize("name", ["json", "msgspec"])
def test_every_bad_field_of_a_page_is_named_by_its_path_and_its_value(name: str) -> None:
    rows = [row("A", "5"), row("B"), row("C", 5.0), row("", True), row("D", 2**64)]
    rows[1]["stockLocation"]["warehouseId"] = "701"
    response = Response(status=200, content=json.dumps(rows).encode(), place=PLACE)
    with decoder(name), pytest.raises(DecodeError, match="6 fields are not") as raised:
        inventory_page(response, missing_available="refuse")
    assert raised.value.problems == (
        "$[0].warehouseStockTotals.availableQuantity: must be a whole number, not '5' (str)",
        "$[1].stockLocation.warehouseId: must be a whole number, not '701' (str)",
        "$[2].warehouseStockTotals.availableQuantity: must be a whole number, not 5.0 (float)",
        "$[3].product.masterSku: is empty",
        "$[3].warehouseStockTotals.availableQuantity: must be a whole number, not True (bool)",
        f"$[4].warehouseStockTotals.availableQuantity: must be at most {2**63 - 1}, not {2**64}",
    )


@pytest.mark.parametrize("name", ["json", "msgspec"])
def test_a_warehouse_that_is_text_is_an_error_in_the_first_row_too(name: str) -> None:
    rows = [row("A")]
    rows[0]["stockLocation"]["warehouseId"] = "701"
    response = Response(status=200, content=json.dumps(rows).encode(), place=PLACE)
    with decoder(name), pytest.raises(DecodeError) as raised:
        inventory_page(response, missing_available="refuse")
    assert raised.value.problems == (
        "$[0].stockLocation.warehouseId: must be a whole number, not '701' (str)",
    )


@pytest.mark.parametrize("name", ["json", "msgspec"])
def test_false_is_no_figure_where_others_are_not_reported(name: str) -> None:
    rows = [{**row("A"), "lockedQuantity": False}, {**row("B"), "lockedQuantity": None}]
    response = Response(status=200, content=json.dumps(rows).encode(), place=PLACE)
    with decoder(name), pytest.raises(DecodeError) as raised:
        totals_page(response, warehouse_id="701", missing_available="refuse")
    assert raised.value.problems == ("$[0].lockedQuantity: must be a whole number, not False (bool)",)


@pytest.mark.parametrize("name", ["json", "msgspec"])
@pytest.mark.parametrize("missing", ["onHandQuantity", "lockedQuantity", "allocatedQuantity"])
def test_where_available_is_to_be_computed_what_it_takes_must_be_there(name: str, missing: str) -> None:
    one = {**row("A"), "availableQuantity": None}
    with decoder(name):
        assert totals(one).levels.available == [None]
        with pytest.raises(DecodeError, match="is not what the order manager documents"):
            totals({**one, missing: None})


@pytest.mark.parametrize("name", ["json", "msgspec"])
def test_a_cut_off_emoji_in_a_sku_is_kept_as_a_question_mark(name: str) -> None:
    response = Response(status=200, content=json.dumps([row("A\ud83d")]).encode(), place=PLACE)
    with decoder(name):
        for page in (
            totals_page(response, warehouse_id="701", missing_available="refuse"),
            inventory_page(response, missing_available="refuse"),
        ):
            assert page.master_skus == ["A?"]


def totals(*rows: dict[str, Any], warehouse_id: str = "701") -> StockPage:
    """Decode a page."""
    response = Response(status=200, content=json.dumps(rows).encode(), place=PLACE)
    return totals_page(response, warehouse_id=warehouse_id, missing_available="refuse")


def test_a_record_that_comes_again_replaces_the_earlier_and_only_active_warehouses_count() -> None:
    stock = Stock()
    stock.add(totals(row("A", 1, product_id=7), row("B", 2)))
    stock.add(totals(row("A2", 3, product_id=7), warehouse_id="702"))
    stock.add(totals(row("A2", 4, product_id=7)))
    assert stock.warehouse_ids == {"701", "702"}
    assert list(stock.products) == [("7", "A2"), (None, "B")]
    levels = stock.levels(lambda product_id, reported: f"{product_id}/{reported}", {"701"})
    assert levels == Levels(
        StockLevel(
            master_sku=sku, location_id="701", on_hand=0, available=units, committed=0, locked=0, in_transit=0
        )
        for sku, units in (("7/A2", 4), ("None/B", 2))
    )


def test_an_empty_page_is_a_page() -> None:
    page = totals()
    assert len(page) == 0
    assert page == StockPage.of([])
    assert StockPage.unpack(pack_page(list[StockRow]())) == page
