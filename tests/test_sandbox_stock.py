"""The sandbox's stock: rows, totals, marketplace stock, and the changes that tests make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sandbox_calls import (
    FBA,
    OHIO,
    RENO,
    TEXAS,
    TOTALS,
    TOTALS_WITH_OPTIONS,
    acknowledge,
    all_pages,
    ask,
    get,
    skus,
    small,
    told,
)

from omsync.errors import InvalidValueError, WrongTypeError
from omsync.model import Component
from omsync.testing import CatalogListing, CatalogProduct, OrderManagerSandbox


def get_stock(sandbox: OrderManagerSandbox, sku: str) -> list[Any]:
    rows: list[Any] = get(sandbox, TOTALS, ("sku", sku))
    return rows


class TestStockRows:
    def test_each_stock_location_has_a_row_that_repeats_its_warehouse_totals(self) -> None:
        rows = get(OrderManagerSandbox(), "/v1/inventory", ("sku", "MUG-01"), ("warehouseId", RENO))
        mugs = [row for row in rows if row["product"]["masterSku"] == "MUG-01"]
        assert [
            (
                row["stockLocation"]["location"],
                row["quantity"],
                row["allocatedQuantity"],
                row["quantityLocked"],
            )
            for row in mugs
        ] == [("A-01", 30, 4, 0), ("B-07", 20, 0, 2)]
        assert [row["availableQuantity"] for row in mugs] == [26, 18]
        assert (
            mugs[0]["warehouseStockTotals"]
            == mugs[1]["warehouseStockTotals"]
            == {
                "onHandQuantity": 50,
                "availableQuantity": 44,
                "allocatedQuantity": 4,
                "lockedQuantity": 2,
                "inTransitQuantity": 12,
                "minInventoryLevel": 5,
            }
        )
        assert "active" not in mugs[0]["product"]

    def test_the_sku_matches_by_prefix(self) -> None:
        rows = get(OrderManagerSandbox(), "/v1/inventory", ("sku", "MUG-01"))
        assert sorted(set(skus(rows))) == ["MUG-01", "MUG-01-B"]

    def test_a_full_scan_gives_every_record_once_in_pages_of_20(self) -> None:
        sandbox = OrderManagerSandbox()
        for flag in ("true", "false"):
            pages = all_pages(sandbox, "/v1/inventory", ("includeBundledItems", flag))
            assert [len(page) for page in pages] == [20, 20, 5]
            assert len({row["productStockId"] for page in pages for row in page}) == 45

    def test_asking_for_a_bundle_adds_the_rows_of_its_parts_unless_told_not_to(self) -> None:
        sandbox = OrderManagerSandbox(small())
        bundle = get(sandbox, "/v1.1/product", ("sku", "AB"))["productId"]
        assert skus(get(sandbox, "/v1/inventory", ("productId", bundle))) == ["A", "A", "B", "B", "AB"]
        alone = get(sandbox, "/v1/inventory", ("productId", bundle), ("includeBundledItems", "false"))
        assert skus(alone) == ["AB"]
        by_code = get(sandbox, "/v1/inventory", ("sku", "AB"), ("warehouseId", 2))
        assert skus(by_code) == ["A", "B"]

    def test_they_are_filtered_by_location_and_by_date(self) -> None:
        sandbox = OrderManagerSandbox()
        assert skus(get(sandbox, "/v1/inventory", ("stockLocationName", "B-07"))) == ["MUG-01"]
        assert get(sandbox, "/v1/inventory", ("createdFromDate", "2026-01-01T00:00:00Z")) == []
        assert len(get(sandbox, "/v1/inventory", ("createdToDate", "2026-01-01T00:00:00Z"))) == 20


class TestTotals:
    def test_they_count_what_is_physically_there_and_leave_out_who_has_no_record(self) -> None:
        rows = get(OrderManagerSandbox(small()), TOTALS, ("warehouseId", 1))
        assert [
            (
                row["product"]["masterSku"],
                row["onHandQuantity"],
                row["allocatedQuantity"],
                row["lockedQuantity"],
                row["availableQuantity"],
            )
            for row in rows
        ] == [("A", 10, 0, 0, 10), ("B", 6, 1, 1, 4), ("AB", 1, 0, 0, 1)]
        assert skus(get(OrderManagerSandbox(small()), TOTALS, ("warehouseId", 2))) == ["A", "B"]

    def test_a_debt_is_negative(self) -> None:
        (row,) = get(OrderManagerSandbox(), TOTALS, ("warehouseId", OHIO), ("sku", "KETTLE-GN"))
        assert row["availableQuantity"] == -5

    def test_without_a_warehouse_they_add_up_the_active_ones(self) -> None:
        sandbox = OrderManagerSandbox(small())
        (row,) = get(sandbox, TOTALS, ("sku", "A"))
        assert row["onHandQuantity"] == 11
        sandbox.change_warehouse(1, active=False)
        (row,) = get(sandbox, TOTALS, ("sku", "A"))
        assert row["onHandQuantity"] == 1
        assert skus(get(sandbox, TOTALS, ("warehouseId", 1))) == ["A", "B", "AB"]

    def test_the_sku_matches_exactly_here(self) -> None:
        sandbox = OrderManagerSandbox()
        assert skus(get(sandbox, TOTALS, ("sku", "MUG-01"))) == ["MUG-01"]
        assert get(sandbox, TOTALS, ("sku", "mug-01")) == []

    def test_component_inventory_adds_what_can_be_built_inside_each_warehouse(self) -> None:
        sandbox = OrderManagerSandbox(small())
        inside = ("inventoryOptions", "COMPONENT_INVENTORY")
        (bundle,) = get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "AB"), inside)
        assert (bundle["onHandQuantity"], bundle["availableQuantity"]) == (3, 3)  # 1 + min(10 // 1, 4 // 2)
        (plain,) = get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "AB"))
        assert plain["availableQuantity"] == 1

    def test_a_part_in_debt_builds_nothing_and_takes_nothing_away(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.set_stock("B", 1, committed=30)
        inside = ("inventoryOptions", "COMPONENT_INVENTORY")
        assert get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "AB"), inside)[0]["availableQuantity"] == 1

    def test_the_pooled_option_takes_parts_of_all_active_warehouses_together(self) -> None:
        sandbox = OrderManagerSandbox(small())
        pooled = ("inventoryOptions", "COMPONENT_INVENTORY_ACROSS_WAREHOUSES")
        (bundle,) = get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "AB"), pooled)
        assert bundle["availableQuantity"] == 1 + min(11, 13 // 2)

    def test_inner_bundles_are_built_too_and_a_warehouse_may_build_nothing(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.create_stock_record("C", 1, on_hand=9)
        sandbox.create_stock_record("ABC", 1)
        inside = ("inventoryOptions", "COMPONENT_INVENTORY")
        (hamper,) = get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "ABC"), inside)
        assert hamper["availableQuantity"] == 3
        sandbox.change_warehouse(1, use_component_inventory=False)
        (hamper,) = get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "ABC"), inside)
        assert hamper["availableQuantity"] == 0

    def test_a_bundle_inside_itself_and_a_part_that_is_needed_zero_times_build_nothing(self) -> None:
        sandbox = OrderManagerSandbox(small())
        inside = ("inventoryOptions", "COMPONENT_INVENTORY")
        sandbox.change_product("AB", components=(Component(master_sku="AB", quantity=1),))
        assert get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "AB"), inside)[0]["availableQuantity"] == 1
        sandbox.change_product("AB", components=(Component(master_sku="A", quantity=0),))
        assert get(sandbox, TOTALS_WITH_OPTIONS, ("sku", "AB"), inside)[0]["availableQuantity"] == 1

    def test_older_servers_leave_figures_out(self) -> None:
        sandbox = OrderManagerSandbox(totals_without_available=True, totals_without_allocated=True)
        for path in (TOTALS, TOTALS_WITH_OPTIONS):
            row = get(sandbox, path)[0]
            assert sorted(row) == ["inTransitQuantity", "lockedQuantity", "onHandQuantity", "product"]
        assert "allocatedQuantity" in get(OrderManagerSandbox(totals_without_available=True), TOTALS)[0]


class TestMarketplaceStock:
    def test_it_has_a_row_for_each_listing_of_the_owner(self) -> None:
        sandbox = OrderManagerSandbox()
        (row,) = get(sandbox, "/v1/inventory/fba", ("warehouseId", FBA), ("sku", "MUG-01"))
        assert (row["listingSku"], row["inStockSupplyQuantity"], row["totalSupplyQuantity"]) == (
            "JK-MUG-GREEN-FBA",
            52,
            84,
        )
        product_id = row["product"]["productId"]
        assert get(sandbox, "/v1/inventory/fba", ("warehouseId", FBA), ("productId", product_id)) == [row]
        assert get(sandbox, "/v1/inventory/fba", ("warehouseId", 9), ("sku", "MUG-01")) == []

    def test_it_wants_a_warehouse_and_a_product(self) -> None:
        assert ask(OrderManagerSandbox(), "/v1/inventory/fba", ("warehouseId", FBA)).status == 422
        assert ask(OrderManagerSandbox(), "/v1/inventory/fba", ("sku", "MUG-01")).status == 422


class TestChanges:
    def test_only_the_given_figures_change(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.set_stock("B", 1, on_hand=20)
        sandbox.set_stock("B", 1, locked=0, in_transit=7, location="A-01")
        (row,) = get(sandbox, "/v1/inventory", ("sku", "B"), ("warehouseId", 1))
        assert (row["quantity"], row["allocatedQuantity"], row["quantityLocked"]) == (20, 1, 0)
        assert row["warehouseStockTotals"]["inTransitQuantity"] == 7

    def test_records_come_and_go_one_by_one_or_all_of_a_warehouse(self) -> None:
        sandbox = OrderManagerSandbox()
        sandbox.create_stock_record("STARTER-SET", RENO)
        sandbox.create_stock_record("STARTER-SET", TEXAS, on_hand=2)
        rows = get(sandbox, "/v1/inventory", ("sku", "STARTER"), ("includeBundledItems", "false"))
        assert [row["stockLocation"]["location"] for row in rows] == ["A-01", "GLOBAL"]
        sandbox.remove_stock_record("MUG-01", RENO, location="B-07")
        assert get_stock(sandbox, "MUG-01")[0]["onHandQuantity"] == 30 + 16 + 60
        sandbox.create_stock_record("MUG-01", RENO, location="B-07")
        sandbox.remove_stock_record("MUG-01", RENO)
        assert get_stock(sandbox, "MUG-01")[0]["onHandQuantity"] == 16 + 60

    def test_a_new_bundle_follows_its_parts(self) -> None:
        sandbox = OrderManagerSandbox(small())
        acknowledge(sandbox, 7)
        parts = (Component(master_sku="A", quantity=3),)
        sandbox.add_product(CatalogProduct(master_sku="AAA", kind="bundle", components=parts))
        sandbox.create_stock_record("AAA", 1)
        assert told(acknowledge(sandbox, 7)) == {"AAA": 3}
        sandbox.set_stock("A", 1, on_hand=6)
        assert told(acknowledge(sandbox, 7)) == {"A": 7, "AB": 3, "AAA": 2}
        sandbox.change_product("AAA", components=(Component(master_sku="B", quantity=1),))
        assert told(acknowledge(sandbox, 7)) == {"AAA": 4}
        sandbox.set_stock("A", 1, on_hand=7)
        assert told(acknowledge(sandbox, 7)) == {"A": 8, "AB": 3}

    def test_a_listing_can_move_to_another_product(self) -> None:
        sandbox = OrderManagerSandbox()
        acknowledge(sandbox, 44)
        sandbox.change_listing(44, "woo-candle", master_sku="TRAY-OAK")
        (row,) = get(sandbox, "/v1/listings", ("listingSku", "woo-candle"))
        assert row["masterSku"] == "TRAY-OAK"
        assert sorted(told(acknowledge(sandbox, 44))) == ["CANDLE-JN", "TRAY-OAK"]

    @pytest.mark.parametrize(
        ("method", "arguments", "fields"),
        [
            ("set_stock", ("MUG-99", RENO), {"on_hand": 1}),
            ("set_stock", ("MUG-02", OHIO), {"on_hand": 1}),
            ("set_stock", ("MUG-01", 9), {"on_hand": 1}),
            ("set_stock", ("MUG-01", RENO), {"on_hand": 1}),
            ("set_stock", ("MUG-01", RENO), {"on_hand": 1, "location": "Z-99"}),
            ("create_stock_record", ("MUG-99", RENO), {}),
            ("create_stock_record", ("MUG-01", 9), {}),
            ("remove_stock_record", ("MUG-02", OHIO), {}),
            ("change_product", ("MUG-99",), {"name": "x"}),
            ("change_product", ("GIFT-SET",), {"components": (Component(master_sku="NO", quantity=1),)}),
            ("add_product", (CatalogProduct(master_sku="X", parent_sku="NO"),), {}),
            ("add_listing", (CatalogListing(channel_id=44, listing_sku="x", master_sku="NO"),), {}),
            ("add_listing", (CatalogListing(channel_id=9, listing_sku="x", master_sku="MUG-01"),), {}),
            ("rename_listing", (44, "no"), {"to": "yes"}),
            ("remove_listing", (44, "no"), {}),
            ("change_listing", (44, "woo-candle"), {"master_sku": "NO"}),
            ("change_channel", (9,), {"name": "x"}),
            ("change_warehouse", (9,), {"name": "x"}),
            ("set_channel_quantity", (9,), {}),
            ("set_channel_quantity", (44,), {"master_sku": "NO"}),
            ("set_channel_quantity", (44,), {"excluded_warehouses": [9]}),
        ],
    )
    def test_naming_what_is_not_there_is_an_error_that_lists_choices_and_changes_nothing(
        self, method: str, arguments: tuple[Any, ...], fields: dict[str, Any]
    ) -> None:
        sandbox = OrderManagerSandbox()
        before = [all_pages(sandbox, path) for path in ("/v1.1/products", "/v1/inventory", "/v1/listings")]
        with pytest.raises(InvalidValueError) as caught:
            getattr(sandbox, method)(*arguments, **fields)
        assert caught.value.code == "sandbox_unknown"
        assert "name one of" in caught.value.remedy
        after = [all_pages(sandbox, path) for path in ("/v1.1/products", "/v1/inventory", "/v1/listings")]
        assert after == before

    def test_giving_twice_is_an_error(self) -> None:
        sandbox = OrderManagerSandbox()
        twice = CatalogListing(channel_id=44, listing_sku="woo-candle", master_sku="MUG-01")
        changes: tuple[Callable[[], None], ...] = (
            lambda: sandbox.create_stock_record("MUG-02", RENO, location="A-02"),
            lambda: sandbox.add_product(CatalogProduct(master_sku="MUG-02")),
            lambda: sandbox.add_listing(twice),
            lambda: sandbox.rename_listing(44, "woo-towel", to="woo-candle"),
        )
        for change in changes:
            with pytest.raises(InvalidValueError) as caught:
                change()
            assert caught.value.code == "sandbox_given_twice"

    def test_a_master_sku_never_changes(self) -> None:
        changes: dict[str, Any] = {"master_sku": "MUG-1"}
        with pytest.raises(TypeError, match="master_sku"):
            OrderManagerSandbox().change_product("MUG-01", **changes)

    def test_figures_are_whole_numbers(self) -> None:
        with pytest.raises(WrongTypeError, match="on_hand"):
            OrderManagerSandbox().set_stock("MUG-02", RENO, on_hand="5")  # type: ignore[arg-type]  # on purpose
