"""The product view: every product with its aliases and its stock by location; totals where they mean much."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import attrs
import pytest
from fake_ports import DictLedger, stock
from products_read import DISABLED_FBA, TAKEN_AT, channels, warehouses

from omsync import (
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    StockLevel,
    Warehouse,
    product_view,
)
from omsync.errors import SettingsError, SnapshotError
from omsync.views.page import Table


def test_every_product_is_there_with_its_aliases_and_its_stock_at_each_warehouse() -> None:
    view = product_view(warehouses())

    assert [row.master_sku for row in view] == ["MUG", "NIL", "OLD", "SET", "STRAY"]
    mug = view.rows[0]
    assert [alias.listing_sku for alias in mug.aliases] == ["amz-mug", "woo-mug"]
    assert [(one.location, one.on_hand, one.available) for one in mug.figures] == [
        ("Reno", 10, 8),
        ("FBA", 5, 2),
    ]
    assert (len(view), view.taken_at, view.scope) == (5, TAKEN_AT, "warehouse")
    assert [row.is_bundle for row in view] == [False, False, False, True, False]


def test_in_warehouse_mode_there_are_two_totals_and_what_is_disabled_is_shown_and_marked() -> None:
    view = product_view(warehouses(), DISABLED_FBA)
    mug = view.rows[0]

    assert (mug.total_on_hand, mug.total_available) == (15, 10)
    assert (mug.counted_on_hand, mug.counted_available) == (10, 8)
    assert [(one.location, one.counted, one.note) for one in mug.figures] == [
        ("Reno", True, ""),
        ("FBA", False, "disabled"),
    ]
    text = str(view)
    assert "FBA *" in text
    assert "not counted when combining (FBA: disabled; 3: inactive)" in text


def test_what_is_not_reported_makes_a_total_unknown_and_never_smaller() -> None:
    rows = {row.master_sku: row for row in product_view(warehouses())}

    assert (rows["OLD"].total_on_hand, rows["OLD"].total_available) == (None, 7)
    assert (rows["NIL"].total_on_hand, rows["NIL"].counted_available) == (None, None)
    assert rows["OLD"].counted_available == 3


def test_locked_units_are_taken_off_only_as_the_merchant_says() -> None:
    kept = MerchantSettings(mode=PerWarehouse(), subtract_locked=False)

    assert product_view(warehouses(), kept).rows[0].figures[1].available == 4


def test_in_channel_mode_there_is_no_total_and_the_reason_is_said() -> None:
    for view in (
        product_view(channels()),
        product_view(channels(), MerchantSettings(mode=PerSalesChannel())),
    ):
        mug = view.rows[0]
        assert (mug.total_available, mug.counted_available) == (None, None)
        assert [(one.location, one.counted, one.note) for one in mug.figures] == [
            ("Amazon", True, ""),
            ("Woo", False, "inactive"),
        ]
        assert "No total over sales channels" in str(view)
        assert "total" not in view.to_csv().splitlines()[0]


def test_a_view_prints_as_a_table() -> None:
    lines = str(product_view(warehouses(), DISABLED_FBA)).splitlines()

    assert lines[0] == "5 products, read 2026-03-02 07:30:00Z; on hand / available"
    assert lines[1].split() == [
        "master",
        "SKU",
        "name",
        "Reno",
        "FBA",
        "*",
        "3",
        "*",
        "all",
        "counted",
        "aliases",
    ]
    assert "10 / 8" in lines[2]
    assert "Amazon: amz-mug, Woo: woo-mug" in lines[2]
    assert "OLD (inactive)" in lines[4]
    assert "? / 3" in lines[4]
    assert "1 / 1" in lines[6]


def test_all_warehouses_that_count_need_no_mark() -> None:
    snapshot = warehouses(warehouses=[Warehouse(id=place, name=place) for place in ("1", "2", "3")])

    assert "not counted" not in str(product_view(snapshot))


def test_a_view_as_csv_has_a_line_for_each_product_and_no_formula_from_outside() -> None:
    header, mug, nil, *_ = csv.reader(io.StringIO(product_view(warehouses()).to_csv()))
    row = dict(zip(header, mug, strict=True))

    assert header[:6] == ["master_sku", "name", "active", "aliases", "Reno on hand", "Reno available"]
    assert (row["Reno on hand"], row["FBA available"], row["3 [inactive] on hand"]) == ("10", "2", "")
    assert (row["total on hand"], row["counted available"], row["weight_oz"]) == ("15", "10", "12.5")
    assert (row["upc"], row["mpn"], row["description"]) == ("0081001", "'=M1", "Holds tea")
    assert row["read_at"] == "2026-03-02T07:30:00+00:00"
    assert dict(zip(header, nil, strict=True))["total on hand"] == ""


def test_a_path_is_where_the_csv_is_written_as_well(tmp_path: Path) -> None:
    view = product_view(warehouses())
    sheet = view.to_csv(tmp_path / "products.csv")

    assert (tmp_path / "products.csv").read_bytes().decode() == sheet == view.to_csv()


def test_columns_of_locations_that_are_named_alike_get_the_id_and_what_does_not_count_is_marked() -> None:
    places = [
        Warehouse(id="1", name="Depot"),
        Warehouse(id="2", name="Depot"),
        Warehouse(id="3", name="FBA"),
    ]
    view = product_view(warehouses(warehouses=places), DISABLED_FBA)
    header, mug, *_ = csv.reader(io.StringIO(view.to_csv()))

    assert len(set(header)) == len(header)
    row = dict(zip(header, mug, strict=True))
    assert (row["Depot (1) on hand"], row["Depot (2) on hand"], row["FBA [disabled] on hand"]) == (
        "10",
        "5",
        "",
    )


def test_locations_that_are_named_alike_are_told_apart_in_the_text_and_where_a_row_opens() -> None:
    places = [Warehouse(id="1", name="Depot"), Warehouse(id="2", name="Depot"), Warehouse(id="3", name="FBA")]
    view = product_view(warehouses(warehouses=places), DISABLED_FBA)

    assert "Depot (1)  Depot (2)  FBA *" in str(view)
    table = view.page().parts[0]
    assert isinstance(table, Table)
    opened = [branch.label for tree in table.details if tree is not None for branch in tree.root.branches]
    assert {"Depot (1)", "Depot (2)"} <= set(opened)
    assert "Depot" not in opened


def test_a_record_that_says_nothing_is_a_question_mark_and_no_missing_record() -> None:
    snapshot = attrs.evolve(
        stock({"MUG": 5, "NEW": 1}), levels=[StockLevel(master_sku="MUG", location_id="W1")]
    )
    mug, new = str(product_view(snapshot)).splitlines()[2:4]

    assert mug.split() == ["MUG", *["?", "/", "?"] * 3]
    assert new.split() == ["NEW", *["-"] * 3]


def test_a_view_is_one_line_for_a_debugger() -> None:
    assert repr(product_view(warehouses())) == "<ProductView of 5 products, read 2026-03-02 07:30:00Z>"


def test_a_view_as_json_is_plain_data() -> None:
    view = product_view(warehouses())
    data = json.loads(view.to_json(indent=1))

    assert data == json.loads(json.dumps(view.to_data()))
    assert data["products"][0]["figures"][1]["available"] == 2
    assert data["products"][0]["sku"]["weight_oz"] == 12.5
    assert data["locations"][2]["reason"] == "inactive"


def test_products_are_found_by_any_of_their_codes_or_their_name() -> None:
    view = product_view(warehouses())

    assert [row.master_sku for row in view.find("mug")] == ["MUG", "OLD"]
    assert [row.master_sku for row in view.find("WOO-")] == ["MUG"]
    assert view.find("teapot") == ()


def test_the_last_complete_read_of_a_ledger_is_shown() -> None:
    ledger = DictLedger()
    ledger.save_snapshot("default", warehouses())
    ledger.save_snapshot("edi", warehouses(levels=()))
    edi = MerchantSettings(name="edi", mode=PerWarehouse())

    assert product_view(ledger, DISABLED_FBA) == product_view(warehouses(), DISABLED_FBA)
    assert product_view(ledger) == product_view(warehouses())
    assert product_view(ledger, edi) == product_view(warehouses(levels=()), edi)


@pytest.mark.parametrize("merchant", [None, DISABLED_FBA])
def test_a_ledger_without_a_complete_read_has_nothing_to_show(merchant: MerchantSettings | None) -> None:
    with pytest.raises(SnapshotError) as caught:
        product_view(DictLedger(), merchant)

    assert caught.value.code == "no_complete_read"
    assert "'default'" in str(caught.value)
    assert "read_inventory()" in str(caught.value)


def test_a_disabled_warehouse_that_does_not_exist_is_an_error_that_lists_the_choices() -> None:
    with pytest.raises(SettingsError) as caught:
        product_view(warehouses(), MerchantSettings(mode=PerWarehouse(disabled={"Rneo"})))

    assert caught.value.code == "unknown_location"
    assert "'Reno' (1)" in str(caught.value)
