"""The order manager sandbox, asked in the process: calls, places, products and listings."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sandbox_calls import (
    ACKNOWLEDGE,
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

from omsync.errors import InvalidValueError
from omsync.http.messages import Request
from omsync.testing import CatalogListing, CatalogProduct, OrderManagerSandbox, generated_merchant


class TestCalling:
    def test_a_wrong_or_missing_token_gets_401_on_every_path(self) -> None:
        sandbox = OrderManagerSandbox(token="mine")
        assert ask(sandbox, "/v1/warehouses", token="mine").status == 200
        assert ask(sandbox, "/v1/warehouses", token="yours").status == 401
        assert sandbox.handle(Request(method="GET", url="http://x/v1/warehouses")).status == 401
        assert ask(sandbox, "/v1/nothing", token="yours").status == 401

    def test_an_unknown_path_gets_404_and_a_wrong_verb_405(self) -> None:
        sandbox = OrderManagerSandbox()
        assert ask(sandbox, "/v2/warehouses").status == 404
        assert ask(sandbox, "/v1/warehouse/new").status == 404
        assert ask(sandbox, ACKNOWLEDGE).status == 405

    @pytest.mark.parametrize(
        ("path", "name", "value"),
        [
            ("/v1.1/products", "limit", "many"),
            ("/v1.1/products", "limit", "0"),
            ("/v1.1/products", "page", "-1"),
            ("/v1.1/products", "active", "yes"),
            ("/v1.1/products", "modifiedDateFrom", "yesterday"),
            ("/v1.1/products", "modifiedDateFrom", "2026-01-05T08:00:00"),
            ("/v1/inventory", "warehouseId", "Reno"),
            (TOTALS_WITH_OPTIONS, "inventoryOptions", "ALL"),
        ],
    )
    def test_a_parameter_that_cannot_be_read_gets_422_and_is_named(
        self, path: str, name: str, value: str
    ) -> None:
        answer = ask(OrderManagerSandbox(), path, (name, value))
        assert answer.status == 422
        assert name in answer.json()["message"]

    def test_the_log_holds_what_was_asked_and_no_token(self) -> None:
        sandbox = OrderManagerSandbox()
        ask(sandbox, "/v1/inventory", ("sku", "A"), ("sku", "B"))
        ask(sandbox, "/v1/nothing")
        assert sandbox.requests == (
            ("GET", "/v1/inventory", (("sku", "A"), ("sku", "B")), 200),
            ("GET", "/v1/nothing", (), 404),
        )
        assert "sandbox-token" not in repr(sandbox) + repr(sandbox.requests)

    def test_it_may_be_asked_from_many_threads_and_tells_each_change_once(self) -> None:
        sandbox = OrderManagerSandbox(generated_merchant(products=300))
        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(lambda _: acknowledge(sandbox, 41, ("limit", 10)), range(60)))
        heard = [sku for page in pages for sku in told(page)]
        recorded = [sku for page in all_pages(sandbox, TOTALS, ("limit", 100)) for sku in skus(page)]
        assert len(recorded) > 200
        assert sorted(heard) == sorted(recorded)

    def test_it_needs_neither_pytest_nor_hypothesis(self) -> None:
        code = (
            "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None; "
            "from omsync.testing import OrderManagerSandbox; print(OrderManagerSandbox())"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("<OrderManagerSandbox of Juniper & Kettle (demo): 30 products")


class TestPlaces:
    def test_warehouses_come_as_a_bare_array_with_inactive_ones(self) -> None:
        sandbox = OrderManagerSandbox()
        sandbox.change_warehouse(TEXAS, active=False)
        rows = get(sandbox, "/v1/warehouses")
        assert [(row["warehouseId"], row["name"], row["type"], row["active"]) for row in rows] == [
            (701, "Reno DC", "DIRECT_FULFILLMENT", True),
            (702, "Ohio DC", "DIRECT_FULFILLMENT", True),
            (703, "Amazon FBA US", "SALES_CHANNEL", True),
            (704, "Texas 3PL", "THIRD_PARTY_LOGISTICS", False),
        ]
        assert rows[2]["salesChannelId"] == 31
        assert "useComponentInventory" not in rows[0]

    def test_one_warehouse_is_answered_by_its_id_or_404(self) -> None:
        sandbox = OrderManagerSandbox()
        assert get(sandbox, "/v1/warehouse/702")["name"] == "Ohio DC"
        assert ask(sandbox, "/v1/warehouse/9").status == 404

    def test_inactive_channels_come_only_when_asked(self) -> None:
        sandbox = OrderManagerSandbox()
        sandbox.change_channel(45, active=False)
        rows = get(sandbox, "/v1/saleschannels")
        assert [
            (row["salesChannelId"], row["salesChannelName"], row["salesChannelType"]) for row in rows
        ] == [
            (31, "Amazon US", "AMAZON"),
            (44, "Woo store", "CUSTOM"),
        ]
        assert len(get(sandbox, "/v1/saleschannels", ("includeInactive", "true"))) == 3

    def test_channels_can_be_written_in_the_old_spelling(self) -> None:
        rows = get(OrderManagerSandbox(old_channel_spelling=True), "/v1/saleschannels")
        assert (rows[1]["name"], rows[1]["type"]) == ("Woo store", "CUSTOM")
        assert "salesChannelName" not in rows[1]
        assert "salesChannelType" not in rows[1]

    def test_the_company_is_one_object(self) -> None:
        assert get(OrderManagerSandbox(), "/v1/companyinfo")["companyName"] == "Juniper & Kettle (demo)"


class TestProducts:
    def test_pages_have_20_rows_unless_asked_and_end_with_an_empty_one(self) -> None:
        sandbox = OrderManagerSandbox()
        assert [len(page) for page in all_pages(sandbox, "/v1.1/products")] == [20, 10]
        pages = all_pages(sandbox, "/v1.1/products", ("limit", 7))
        assert [len(page) for page in pages] == [7, 7, 7, 7, 2]
        assert len({sku for page in pages for sku in skus(page)}) == 30

    def test_a_page_cap_quietly_lowers_the_limit(self) -> None:
        sandbox = OrderManagerSandbox(page_caps={"/v1.1/products": 8})
        pages = all_pages(sandbox, "/v1.1/products", ("limit", 500))
        assert [len(page) for page in pages] == [8, 8, 8, 6]
        assert len(get(sandbox, "/v1.1/products", ("limit", 3))) == 3

    def test_codes_match_by_prefix_without_regard_to_letter_case(self) -> None:
        sandbox = OrderManagerSandbox()
        assert skus(get(sandbox, "/v1.1/products", ("sku", "MUG-01"))) == ["MUG-01", "MUG-01-B"]
        assert skus(get(sandbox, "/v1.1/products", ("sku", "mug-01"))) == ["MUG-01", "MUG-01-B"]
        both = get(sandbox, "/v1.1/products", ("sku", "TRAY"), ("sku", "TOWEL"))
        assert skus(both) == ["TRAY-OAK", "TOWEL-LN"]
        assert skus(get(sandbox, "/v1.1/products", ("upc", "8100123400"), ("limit", 99)))[0] == "MUG-01"
        assert skus(get(sandbox, "/v1.1/products", ("mpn", "JK0210"))) == ["CANDLE-JN"]
        assert get(sandbox, "/v1.1/products", ("sku", "UG-01")) == []

    def test_answers_stay_right_however_many_different_questions_there_were(self) -> None:
        sandbox = OrderManagerSandbox(small())
        for number in range(70):
            assert get(sandbox, "/v1.1/products", ("sku", f"Z{number}")) == []
        assert skus(get(sandbox, "/v1.1/products", ("sku", "AB"))) == ["AB", "ABC"]

    def test_values_are_not_split_at_commas(self) -> None:
        assert get(OrderManagerSandbox(), "/v1.1/products", ("sku", "MUG-01,MUG-02")) == []

    def test_active_and_inactive_ones_come_unless_asked(self) -> None:
        sandbox = OrderManagerSandbox(small())
        assert skus(get(sandbox, "/v1.1/products")) == ["A", "B", "C", "AB", "ABC"]
        assert skus(get(sandbox, "/v1.1/products", ("active", "true"))) == ["A", "C", "AB", "ABC"]
        assert skus(get(sandbox, "/v1.1/products", ("active", "false"))) == ["B"]
        sandbox.deactivate_product("C")
        assert skus(get(sandbox, "/v1.1/products", ("active", "false"))) == ["B", "C"]

    def test_products_without_a_stock_record_can_be_asked_for(self) -> None:
        rows = get(OrderManagerSandbox(small()), "/v1.1/products", ("productInvStatus", "UNCONFIGURED_STOCK"))
        assert skus(rows) == ["C", "ABC"]

    def test_a_bundle_names_itself_and_its_parts_the_documented_way(self) -> None:
        rows = get(OrderManagerSandbox(), "/v1.1/products", ("sku", "GIFT-SET"))
        (bundle,) = rows
        assert (bundle["type"], bundle["bundle"]) == ("BUNDLE_KIT", True)
        assert [
            (
                item["product"]["masterSku"],
                item["bundledProduct"]["masterSku"],
                item["bundledProductQuantity"],
            )
            for item in bundle["bundledItems"]
        ] == [("GIFT-SET", "MUG-01", 1), ("GIFT-SET", "SPOON-02", 2)]

    def test_details_come_in_ounces_and_inches_and_variations_name_their_parent(self) -> None:
        sandbox = OrderManagerSandbox()
        mug = get(sandbox, "/v1.1/product", ("sku", "MUG-01"))
        assert (mug["weight"], mug["pounds"], mug["ounces"]) == (12.5, 0, 12.5)
        assert (mug["length"], mug["width"], mug["height"]) == (5.0, 4.0, 4.0)
        parent = get(sandbox, "/v1.1/product", ("sku", "MUG"))
        assert (parent["type"], parent["parentId"]) == ("VIRTUAL_PRODUCT", 0)
        assert mug["parentId"] == parent["productId"]

    def test_one_product_is_found_by_exact_code_or_404(self) -> None:
        sandbox = OrderManagerSandbox(small())
        assert get(sandbox, "/v1.1/product", ("productId", 4003))["masterSku"] == "C"
        assert get(sandbox, "/v1.1/product", ("upc", "100"), ("mpn", "m-A"))["masterSku"] == "A"
        assert ask(sandbox, "/v1.1/product", ("sku", "a")).status == 404
        assert ask(sandbox, "/v1.1/product", ("sku", "B"), ("active", "true")).status == 404
        assert ask(sandbox, "/v1.1/product").status == 422

    def test_only_what_was_changed_since_comes_when_asked(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.set_clock(datetime(2026, 3, 1, tzinfo=UTC))
        sandbox.change_product("C", name="See")
        sandbox.add_product(CatalogProduct(master_sku="D"))
        sandbox.set_stock("A", 1, on_hand=99)
        since = ("modifiedDateFrom", "2026-03-01T00:00:01Z")
        rows = get(sandbox, "/v1.1/products", since)
        assert [(row["masterSku"], row["modifiedDate"]) for row in rows] == [
            ("C", "2026-03-01T00:00:01Z"),
            ("D", "2026-03-01T00:00:02Z"),
        ]
        assert skus(get(sandbox, "/v1.1/products", since, ("modifiedDateTo", "2026-03-01T00:00:01Z"))) == [
            "C"
        ]
        assert skus(get(sandbox, "/v1.1/products", ("createdDateFrom", "2026-03-01T00:00:00Z"))) == ["D"]
        assert len(get(sandbox, "/v1.1/products", ("createdDateTo", "2026-02-01T00:00:00Z"))) == 5

    def test_a_deactivated_product_stays_and_says_so(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.deactivate_product("A")
        assert get(sandbox, "/v1.1/product", ("sku", "A"))["active"] is False
        assert skus(get(sandbox, TOTALS, ("warehouseId", 1))) == ["A", "B", "AB"]

    def test_a_clock_without_a_zone_is_an_error(self) -> None:
        noon = datetime(2027, 5, 6, 12)  # noqa: DTZ001  on purpose
        with pytest.raises(InvalidValueError, match="no time zone"):
            OrderManagerSandbox(small()).set_clock(noon)
        with pytest.raises(InvalidValueError, match="no time zone"):
            OrderManagerSandbox(small(), clock=lambda: noon)

    def test_the_clock_may_be_the_real_one(self) -> None:
        sandbox = OrderManagerSandbox(small(), clock=lambda: datetime(2027, 5, 6, 7, 8, 9, tzinfo=UTC))
        sandbox.change_product("A", name="New")
        assert get(sandbox, "/v1.1/product", ("sku", "A"))["modifiedDate"] == "2027-05-06T07:08:09Z"
        assert sandbox.now == datetime(2027, 5, 6, 7, 8, 9, tzinfo=UTC)


class TestListings:
    def test_they_are_filtered_by_channel_code_and_product(self) -> None:
        sandbox = OrderManagerSandbox()
        assert len(get(sandbox, "/v1/listings")) == 35
        assert len(get(sandbox, "/v1/listings", ("salesChannelId", 0))) == 35
        assert len(get(sandbox, "/v1/listings", ("salesChannelId", 44))) == 26
        (coffee,) = get(sandbox, "/v1/listings", ("listingSku", "JK-COFFEE-FBA"))
        assert (coffee["masterSku"], coffee["salesChannelId"], coffee["fnSku"]) == (
            "COFFEE-250",
            31,
            "X00COFF",
        )
        mugs = get(sandbox, "/v1/listings", ("masterSku", "MUG-01"))
        assert [row["listingSku"] for row in mugs] == [
            "woo-mug-green",
            "woo-mug-green-sale",
            "810012340012",
            "JK-MUG-GREEN-FBA",
        ]
        assert get(sandbox, "/v1/listings", ("productId", mugs[0]["productId"])) == mugs
        assert get(sandbox, "/v1/listings", ("listingId", mugs[1]["listingId"])) == [mugs[1]]

    def test_they_say_whether_they_are_active_and_pushed(self) -> None:
        rows = {row["listingSku"]: row for row in get(OrderManagerSandbox(), "/v1/listings")}
        assert rows["woo-candle"]["pushInventory"] is False
        assert rows["woo-mint"]["active"] is False
        inactive = get(OrderManagerSandbox(), "/v1/listings", ("active", "false"))
        assert [row["listingSku"] for row in inactive] == ["woo-mint"]

    def test_pages_have_100_rows_unless_asked(self) -> None:
        sandbox = OrderManagerSandbox(generated_merchant(products=100, channels=2))
        assert [len(page) for page in all_pages(sandbox, "/v1/listings")][:-1] == [100]

    def test_changes_move_their_date_and_removals_leave_no_trace(self) -> None:
        sandbox = OrderManagerSandbox()
        sandbox.set_clock(datetime(2026, 3, 1, tzinfo=UTC))
        sandbox.rename_listing(44, "woo-teapot", to="woo-teapot-1l")
        sandbox.deactivate_listing(44, "woo-kettle")
        sandbox.change_listing(44, "woo-towel", push_inventory=False)
        sandbox.add_listing(CatalogListing(channel_id=44, listing_sku="woo-tray", master_sku="TRAY-OAK"))
        sandbox.remove_listing(44, "woo-server")
        rows = get(sandbox, "/v1/listings", ("modifiedDateFrom", "2026-03-01T00:00:00Z"))
        assert [(row["listingSku"], row["active"], row["pushInventory"]) for row in rows] == [
            ("woo-teapot-1l", True, True),
            ("woo-kettle", False, True),
            ("woo-towel", True, False),
            ("woo-tray", True, True),
        ]
        assert rows[0]["lastModified"] == "2026-03-01T00:00:01Z"
        created = get(sandbox, "/v1/listings", ("createdDateFrom", "2026-03-01T00:00:00Z"))
        assert [row["listingSku"] for row in created] == ["woo-tray"]
        assert get(sandbox, "/v1/listings", ("listingSku", "woo-server"), ("listingSku", "woo-teapot")) == []
