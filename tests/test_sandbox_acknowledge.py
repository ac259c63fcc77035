"""The sandbox's acknowledge: what each channel is told, and that it is told once."""

from __future__ import annotations

import pytest
from sandbox_calls import ACKNOWLEDGE, RENO, acknowledge, ask, small, told

from omsync.testing import CatalogListing, OrderManagerSandbox


class TestAcknowledge:
    def test_the_first_call_tells_everything_that_has_a_record_and_the_next_nothing(self) -> None:
        sandbox = OrderManagerSandbox(small())
        page = acknowledge(sandbox, 7)
        assert told(page) == {"A": 11, "B": 13, "AB": 3}
        assert page["pagesRemaining"] is False
        breakdown = page["productAggregatedQuantities"][0]["warehouseInventoryBreakdown"]
        assert breakdown == [
            {"warehouseId": 1, "availableQuantity": 10},
            {"warehouseId": 2, "availableQuantity": 1},
        ]
        assert told(acknowledge(sandbox, 7)) == {}

    def test_each_channel_has_a_memory_of_its_own(self) -> None:
        sandbox = OrderManagerSandbox()
        assert told(acknowledge(sandbox, 44))
        assert told(acknowledge(sandbox, 45))

    def test_a_changed_part_also_tells_the_bundles_with_it_inside(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.create_stock_record("ABC", 1)
        acknowledge(sandbox, 7)
        sandbox.set_stock("B", 1, on_hand=4)
        assert told(acknowledge(sandbox, 7)) == {"B": 11, "AB": 2, "ABC": 0}
        sandbox.set_stock("B", 1, on_hand=4)
        assert told(acknowledge(sandbox, 7)) == {}

    def test_later_pages_go_on_in_the_same_list(self) -> None:
        sandbox = OrderManagerSandbox()
        first = acknowledge(sandbox, 44, ("limit", 10))
        sandbox.set_stock("BOX-GIFT", RENO, on_hand=1)
        second = acknowledge(sandbox, 44, ("limit", 10), ("page", 2))
        third = acknowledge(sandbox, 44, ("limit", 10), ("page", 3))
        assert [page["pagesRemaining"] for page in (first, second, third)] == [True, True, False]
        assert len({*told(first), *told(second), *told(third)}) == 26
        assert "BOX-GIFT" in told(first)
        assert sorted(told(acknowledge(sandbox, 44))) == ["BOX-GIFT", "HAMPER"]

    def test_what_was_answered_is_not_answered_again(self) -> None:
        sandbox = OrderManagerSandbox()
        first = acknowledge(sandbox, 44, ("limit", 10))
        again = acknowledge(sandbox, 44, ("limit", 10))
        assert not told(first).keys() & told(again).keys()
        repeated = acknowledge(sandbox, 44, ("limit", 10), ("page", 1))
        assert len(told(repeated)) == 6
        assert told(acknowledge(sandbox, 44, ("page", 2))) == {}

    def test_a_later_page_that_is_asked_again_is_empty_too(self) -> None:
        sandbox = OrderManagerSandbox()
        acknowledge(sandbox, 44, ("limit", 10))
        second = acknowledge(sandbox, 44, ("limit", 10), ("page", 2))
        again = acknowledge(sandbox, 44, ("limit", 10), ("page", 2))
        assert (len(told(second)), len(told(again))) == (10, 0)
        assert again["pagesRemaining"] is True

    def test_no_page_remains_after_one_that_is_just_full(self) -> None:
        assert acknowledge(OrderManagerSandbox(small()), 7, ("limit", 3))["pagesRemaining"] is False

    def test_a_later_page_asked_first_is_empty(self) -> None:
        sandbox = OrderManagerSandbox(small())
        assert told(acknowledge(sandbox, 7, ("page", 2))) == {}
        assert told(acknowledge(sandbox, 7)) == {"A": 11, "B": 13, "AB": 3}

    def test_the_channels_rules_decide_the_quantity(self) -> None:
        sandbox = OrderManagerSandbox(small())
        acknowledge(sandbox, 7)
        sandbox.set_channel_quantity(7, percent=50, excluded_warehouses=[2])
        assert told(acknowledge(sandbox, 7)) == {"A": 5, "B": 2, "AB": 1}
        sandbox.set_channel_quantity(7, master_sku="A", max_units=4)
        assert told(acknowledge(sandbox, 7)) == {"A": 4}
        sandbox.set_channel_quantity(7, master_sku="B", excluded_warehouses=[1])
        page = acknowledge(sandbox, 7)
        assert told(page) == {"B": 0}
        assert page["productAggregatedQuantities"][0]["warehouseInventoryBreakdown"] == []

    def test_a_debt_is_netted_and_never_told_below_0(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.set_stock("A", 1, committed=13)
        assert told(acknowledge(sandbox, 7))["A"] == 0
        sandbox.set_stock("A", 2, on_hand=5)
        assert told(acknowledge(sandbox, 7))["A"] == 2

    def test_a_channel_may_leave_out_what_could_be_built(self) -> None:
        sandbox = OrderManagerSandbox(small())
        sandbox.change_channel(7, counts_buildable=False)
        assert told(acknowledge(sandbox, 7))["AB"] == 1

    def test_inactive_warehouses_do_not_count(self) -> None:
        sandbox = OrderManagerSandbox(small())
        acknowledge(sandbox, 7)
        sandbox.change_warehouse(2, active=False)
        assert told(acknowledge(sandbox, 7)) == {"A": 10, "B": 4, "AB": 3}

    def test_a_removed_record_is_told_once_as_0_and_a_product_that_never_had_one_is_never_told(self) -> None:
        sandbox = OrderManagerSandbox(small())
        acknowledge(sandbox, 7)
        sandbox.remove_stock_record("AB", 1)
        sandbox.change_product("C", name="See")
        assert told(acknowledge(sandbox, 7)) == {"AB": 0}
        sandbox.set_stock("A", 1, on_hand=3)
        assert told(acknowledge(sandbox, 7)) == {"A": 4}
        sandbox.create_stock_record("C", 2, on_hand=8)
        assert told(acknowledge(sandbox, 7)) == {"C": 8}

    def test_listings_that_change_tell_their_product_on_their_channel_only(self) -> None:
        sandbox = OrderManagerSandbox()
        acknowledge(sandbox, 44)
        acknowledge(sandbox, 45)
        sandbox.rename_listing(44, "woo-towel", to="towel")
        sandbox.add_listing(CatalogListing(channel_id=44, listing_sku="woo-tray", master_sku="TRAY-OAK"))
        sandbox.remove_listing(44, "woo-candle")
        assert sorted(told(acknowledge(sandbox, 44))) == ["CANDLE-JN", "TOWEL-LN", "TRAY-OAK"]
        assert told(acknowledge(sandbox, 45)) == {}

    @pytest.mark.parametrize("channel_id", ["", "0", "31", "99"])
    def test_a_missing_native_or_unknown_channel_gets_422(self, channel_id: str) -> None:
        sandbox = OrderManagerSandbox()
        assert ask(sandbox, ACKNOWLEDGE, ("salesChannelId", channel_id), method="POST").status == 422
        assert ask(sandbox, ACKNOWLEDGE, method="POST").status == 422

    def test_dates_have_no_effect_but_must_be_dates(self) -> None:
        sandbox = OrderManagerSandbox(small())
        window = ("fromDate", "2030-01-01T00:00:00Z")
        assert len(told(acknowledge(sandbox, 7, window))) == 3
        answer = ask(sandbox, ACKNOWLEDGE, ("salesChannelId", 7), ("toDate", "now"), method="POST")
        assert answer.status == 422

    def test_it_may_answer_an_object(self) -> None:
        sandbox = OrderManagerSandbox(small(), acknowledge_as_object=True)
        page = ask(sandbox, ACKNOWLEDGE, ("salesChannelId", 7), method="POST").json()
        assert told(page) == {"A": 11, "B": 13, "AB": 3}
