"""Which locations count: combining, naming, breakdowns, sales channels, and names that fit nothing."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from small_merchant import (
    ALL,
    BY_CHANNEL,
    BY_WAREHOUSE,
    CHANNELS,
    FBA,
    HARBOR,
    RENO,
    cart,
    only_skip,
    per_warehouse,
    reading,
    told,
)

from omsync.allocation import allocate
from omsync.allocation.locations import check_channel_is_read
from omsync.errors import SettingsError
from omsync.model import InventorySnapshot, Warehouse
from omsync.settings import CartSettings, MerchantSettings, QuantityRules, SkuOverride

CUPS = reading({"CUP": {"1": 5, "2": 3, "3": 2}})


# Locations


def test_combining_adds_up_all_counted_warehouses() -> None:
    assert told(CUPS) == {"CUP": 10}


@pytest.mark.parametrize("name", ["2", "Amazon FBA US"])
def test_a_disabled_warehouse_is_left_out_of_combining(name: str) -> None:
    assert told(CUPS, per_warehouse(disabled=[name])) == {"CUP": 7}


@pytest.mark.parametrize("name", ["2", "Amazon FBA US"])
def test_a_cart_may_still_name_a_disabled_warehouse(name: str) -> None:
    assert told(CUPS, per_warehouse(disabled=["2"]), cart(location=name)) == {"CUP": 3}


def test_a_cart_may_name_several_warehouses() -> None:
    assert told(CUPS, settings=cart(location=("1", "Harbor 3PL"))) == {"CUP": 7}


def test_counted_warehouses_may_be_named_one_by_one() -> None:
    assert told(CUPS, per_warehouse(counted=["Reno DC"])) == {"CUP": 5}


def test_a_warehouse_is_not_both_counted_by_its_name_and_disabled_by_its_id() -> None:
    with pytest.raises(SettingsError, match="both in counted and in disabled: '1'") as caught:
        told(CUPS, per_warehouse(counted=["Reno DC", "2"], disabled=["1"]))
    assert caught.value.code == "counted_and_disabled"


def test_a_disabled_warehouse_that_is_not_among_the_counted_ones_changes_nothing() -> None:
    assert told(CUPS, per_warehouse(counted=["1"], disabled=["2"])) == {"CUP": 5}


def test_an_inactive_warehouse_is_never_counted() -> None:
    snapshot = evolve(CUPS, warehouses=(RENO, evolve(FBA, active=False), HARBOR))
    assert told(snapshot) == {"CUP": 7}
    assert told(snapshot, per_warehouse(disabled=["2"])) == {"CUP": 7}


def test_what_is_recorded_only_where_the_cart_does_not_count_is_told_as_0_with_the_reason() -> None:
    rules = QuantityRules(show_at_least=4, backorder_room=2)
    allocation = allocate(
        reading({"CUP": {"2": 9}}), per_warehouse(disabled=["2"]), cart(rules=rules), {"CUP": 1}
    )
    (row,) = allocation.quantities
    assert (row.quantity, row.reason, row.withheld) == (0, "not_at_counted_location", 0)


def test_a_breakdown_has_a_row_for_each_counted_warehouse_with_a_record() -> None:
    snapshot = reading({"CUP": {"1": 5, "2": 3}, "TIN": {"3": 1}})
    assert told(snapshot, per_warehouse(disabled=["2"]), cart(breakdown=True)) == {
        ("CUP", "1"): 5,
        ("TIN", "3"): 1,
    }


def test_every_row_of_a_breakdown_passes_the_rules_alone_and_says_what_that_withholds() -> None:
    settings = cart(breakdown=True, rules=QuantityRules(zero_below=3, max_quantity=4))
    rows = allocate(CUPS, BY_WAREHOUSE, settings).quantities
    assert [(row.location_id, row.quantity, row.withheld) for row in rows] == [
        ("1", 4, 1),
        ("2", 3, 0),
        ("3", 0, 2),
    ]


def test_several_warehouses_that_go_to_one_location_of_the_cart_are_added() -> None:
    settings = cart(breakdown=True, location_map={"Reno DC": "west", "3": "west", "2": "fba"})
    allocation = allocate(CUPS, BY_WAREHOUSE, settings)
    assert [(row.location_id, row.quantity) for row in allocation.quantities] == [("fba", 3), ("west", 7)]
    assert allocation.explain("CUP", "west").evaluate() == 7


def test_a_warehouse_that_is_not_mapped_is_skipped_and_named() -> None:
    allocation = allocate(CUPS, BY_WAREHOUSE, cart(breakdown=True, location_map={"1": "west", "2": "fba"}))
    skipped = only_skip(allocation, "CUP")
    assert (skipped.reason, skipped.location_id) == ("warehouse_not_mapped", "3")
    assert skipped.hint == "The warehouse '3' has no entry in the cart's location_map; add one."


def test_an_override_leaves_locations_out_for_its_own_quantity_only() -> None:
    snapshot = reading({"CUP": {"1": 5, "2": 3}, "BOX": {"1": 0, "2": 0}}, {"BOX": {"CUP": 1}})
    settings = cart(overrides={"CUP": SkuOverride(leave_out=["Amazon FBA US"])})
    assert told(snapshot, settings=settings) == {"CUP": 5, "BOX": 8}


def test_a_row_that_an_override_leaves_out_is_told_as_0() -> None:
    settings = cart(breakdown=True, overrides={"CUP": SkuOverride(leave_out=["2"])})
    rows = allocate(CUPS, BY_WAREHOUSE, settings).quantities
    assert [(row.location_id, row.quantity, row.reason) for row in rows] == [
        ("1", 5, "stock"),
        ("2", 0, "left_out"),
        ("3", 2, "stock"),
    ]


def test_a_sum_of_rows_takes_its_reason_from_a_row_that_counts() -> None:
    settings = cart(
        breakdown=True,
        location_map={"1": "west", "2": "west", "3": "west"},
        overrides={"CUP": SkuOverride(leave_out=["1"])},
    )
    (row,) = allocate(CUPS, BY_WAREHOUSE, settings).quantities
    assert (row.quantity, row.reason) == (5, "stock")


# Sales-channel mode

CHANNEL = reading(
    {"CUP": {"91": 5, "92": 50}, "TIN": {"92": 2}, "BOX": {"91": 2}}, {"BOX": {"CUP": 1}}, scope="channel"
)


@pytest.mark.parametrize("channel", ["91", "Shopify US"])
def test_a_cart_takes_the_share_of_its_channel(channel: str) -> None:
    assert told(CHANNEL, BY_CHANNEL, cart(location=channel)) == {"CUP": 5, "BOX": 7}


def test_what_has_no_figure_in_this_channel_is_skipped_and_not_told_as_0() -> None:
    skipped = only_skip(allocate(CHANNEL, BY_CHANNEL, cart(location="91")), "TIN")
    assert skipped.reason == "no_stock_record"
    assert skipped.hint.startswith("'TIN' has no stock record in this channel; absent is not zero.")


def test_the_part_of_a_bundle_needs_a_figure_in_the_same_channel() -> None:
    snapshot = reading({"CUP": {"92": 5}, "BOX": {"91": 2}}, {"BOX": {"CUP": 1}}, scope="channel")
    skipped = only_skip(allocate(snapshot, BY_CHANNEL, cart(location="91")), "BOX")
    assert skipped.reason == "component_without_stock_record"


@pytest.mark.parametrize("location", [None, ("91",), ("91", "92")])
def test_a_cart_in_channel_mode_names_one_channel(location: Any) -> None:
    with pytest.raises(SettingsError, match="this merchant is in channel mode; choose one channel") as caught:
        allocate(CHANNEL, BY_CHANNEL, cart(location=location))
    assert caught.value.code == "choose_one_channel"
    assert "one of: 'Shopify US' (91), 'Wholesale' (92)" in caught.value.remedy


def test_there_is_no_breakdown_in_channel_mode() -> None:
    with pytest.raises(SettingsError, match="asks for a breakdown by warehouse") as caught:
        allocate(CHANNEL, BY_CHANNEL, cart(location="91", breakdown=True))
    assert caught.value.code == "breakdown_in_channel_mode"


@pytest.mark.parametrize(
    ("snapshot", "merchant", "message"),
    [
        (CUPS, BY_CHANNEL, "is in sales-channel mode, and the snapshot holds warehouses"),
        (CHANNEL, BY_WAREHOUSE, "is in warehouse mode, and the snapshot holds sales channels"),
    ],
)
def test_mode_and_snapshot_have_to_fit(
    snapshot: InventorySnapshot, merchant: MerchantSettings, message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        allocate(snapshot, merchant, cart(location="91"))
    assert caught.value.code == "mode_mismatch"


def test_an_inactive_channel_cannot_be_named() -> None:
    snapshot = evolve(CHANNEL, sales_channels=[evolve(CHANNELS[0], active=False), CHANNELS[1]])
    with pytest.raises(SettingsError, match="is inactive in the order manager") as caught:
        allocate(snapshot, BY_CHANNEL, cart(location="91"))
    assert caught.value.code == "inactive_location"


def test_a_channel_of_which_nothing_was_read_is_refused_before_all_its_listings_are_skipped() -> None:
    snapshot = reading({"CUP": {"92": 5}}, scope="channel")
    with pytest.raises(
        SettingsError, match=r"takes the channel Shopify US \(91\), of which no figure"
    ) as caught:
        check_channel_is_read(snapshot, BY_CHANNEL, cart(location="91"))
    assert caught.value.code == "channel_not_read"
    assert caught.value.remedy.endswith("choose one that has figures: 'Wholesale' (92).")


@pytest.mark.parametrize(
    ("snapshot", "merchant"),
    [(CHANNEL, BY_CHANNEL), (reading({"CUP": {}}, scope="channel"), BY_CHANNEL), (CUPS, BY_WAREHOUSE)],
    ids=["read", "nothing recorded at all", "warehouse mode"],
)
def test_a_channel_is_fine_where_figures_were_read_or_there_are_none(
    snapshot: InventorySnapshot, merchant: MerchantSettings
) -> None:
    check_channel_is_read(snapshot, merchant, cart(location="91"))


# Names of locations


@pytest.mark.parametrize(
    ("merchant", "settings", "where"),
    [
        (BY_WAREHOUSE, cart(location="Reno"), "the location of the cart 'acme-us'"),
        (per_warehouse(disabled=["Reno"]), ALL, "disabled"),
        (per_warehouse(counted=["Reno"]), ALL, "counted"),
        (per_warehouse(preassembled_only=["Reno"]), ALL, "preassembled_only"),
        (BY_WAREHOUSE, cart(overrides={"CUP": SkuOverride(leave_out=["Reno"])}), "leave_out of 'CUP'"),
        (
            BY_WAREHOUSE,
            cart(breakdown=True, location_map={"Reno": "west"}),
            "location_map of the cart 'acme-us'",
        ),
    ],
)
def test_an_unknown_location_is_an_error_that_lists_the_choices(
    merchant: MerchantSettings, settings: CartSettings, where: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        allocate(CUPS, merchant, settings)
    assert caught.value.code == "unknown_location"
    assert caught.value.message == f"'Reno' in {where} is unknown to the order manager"
    assert caught.value.remedy == ("Choose from: 'Reno DC' (1), 'Amazon FBA US' (2), 'Harbor 3PL' (3).")


def test_an_unknown_location_of_an_order_manager_without_any_says_so() -> None:
    with pytest.raises(SettingsError, match="nothing; the snapshot has no locations"):
        allocate(reading({}, warehouses=()), BY_WAREHOUSE, cart(location="1"))


def test_a_name_that_two_warehouses_have_is_ambiguous() -> None:
    twins = (RENO, Warehouse(id="9", name="Reno DC", active=False))
    with pytest.raises(SettingsError) as caught:
        allocate(reading({}, warehouses=twins), BY_WAREHOUSE, cart(location="Reno DC"))
    assert caught.value.code == "ambiguous_location"
    assert caught.value.message.endswith("may mean any of 'Reno DC' (1), 'Reno DC' (9), inactive")
    assert caught.value.remedy == "Use the id."


@pytest.mark.parametrize(
    ("merchant", "settings"),
    [(BY_WAREHOUSE, cart(location="2")), (per_warehouse(counted=["Amazon FBA US"]), ALL)],
)
def test_an_inactive_warehouse_cannot_be_named(merchant: MerchantSettings, settings: CartSettings) -> None:
    snapshot = evolve(CUPS, warehouses=(RENO, evolve(FBA, active=False), HARBOR))
    with pytest.raises(SettingsError, match="is inactive in the order manager") as caught:
        allocate(snapshot, merchant, settings)
    assert caught.value.code == "inactive_location"


def test_one_warehouse_cannot_go_to_two_locations_of_the_cart() -> None:
    with pytest.raises(SettingsError, match="sends '1' both to 'west' and to 'east'") as caught:
        allocate(CUPS, BY_WAREHOUSE, cart(breakdown=True, location_map={"1": "west", "Reno DC": "east"}))
    assert caught.value.code == "ambiguous_location"


def test_one_warehouse_may_be_mapped_twice_to_the_same() -> None:
    settings = cart(breakdown=True, location="1", location_map={"1": "west", "Reno DC": "west"})
    assert told(CUPS, settings=settings) == {("CUP", "west"): 5}
