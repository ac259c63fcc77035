"""The engine behind ``allocate()`` equals the reference engine, bit for bit, with and without numpy."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from omsync import (
    Alias,
    Bundle,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SalesChannel,
    SettingsError,
    Sku,
    SkuOverride,
    StockLevel,
    Warehouse,
)
from omsync.allocation import Allocation, Desk, allocate, allocate_by_reference
from omsync.errors import OmsyncError
from omsync.testing.case import Case, features
from omsync.testing.strategies import cases

_MANY = settings(max_examples=300, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def assert_equal(fast: Allocation, plain: Allocation) -> None:
    """Compare what is told, what is skipped, what is noticed, and why."""
    assert list(fast.quantities) == list(plain.quantities)
    assert [fast.quantities[place] for place in range(len(fast.quantities))] == list(plain.quantities)
    assert fast == plain
    for row in plain.quantities:
        why = fast.explain(row.listing_sku, row.location_id)
        assert why == plain.explain(row.listing_sku, row.location_id)
        assert why.evaluate() == row.quantity


@_MANY
@given(cases())
def test_every_quantity_skip_and_reason_is_the_references(case: Case) -> None:
    for feature in sorted(features(case)):
        event(feature)
    assert_equal(case.allocated_by(allocate), case.allocated_by(allocate_by_reference))


@_MANY
@given(cases(channels=False, computed=True, trouble=False))
def test_bundles_and_orders_in_flight_are_the_references(case: Case) -> None:
    assert_equal(case.allocated_by(allocate), case.allocated_by(allocate_by_reference))


@_MANY
@given(st.lists(cases(), min_size=2, max_size=3))
def test_a_desk_that_served_other_carts_gives_the_same(several: list[Case]) -> None:
    desk = Desk()
    for case in [*several, *several]:
        assert case.allocated_by(desk.allocate) == case.allocated_by(allocate_by_reference)


WAREHOUSES = (Warehouse(id="1", name="Reno"), Warehouse(id="2", name="Ohio"), Warehouse(id="3", name="FBA"))


def reading(*levels: tuple[str, str, int | None], **more: object) -> InventorySnapshot:
    """Make a reading of these available figures, by product and warehouse."""
    parts: dict[str, object] = {
        "taken_at": datetime(2026, 11, 25, tzinfo=UTC),
        "skus": [Sku(master_sku=sku) for sku in sorted({sku for sku, _, _ in levels})],
        "warehouses": WAREHOUSES,
        "levels": [
            StockLevel(master_sku=sku, location_id=place, available=figure) for sku, place, figure in levels
        ],
    }
    return InventorySnapshot(**(parts | more))  # type: ignore[arg-type]  # a table of arguments


def both(snapshot: InventorySnapshot, cart: CartSettings, **mode: object) -> Allocation:
    """Allocate by both engines, hold them equal, and give the result."""
    merchant = MerchantSettings(mode=PerWarehouse(**mode))  # type: ignore[arg-type]  # a table of arguments
    fast = allocate(snapshot, merchant, cart)
    assert_equal(fast, allocate_by_reference(snapshot, merchant, cart))
    return fast


HUGE = 2**62


def test_figures_too_large_for_columns_are_added_up_exactly() -> None:
    snapshot = reading(("MUG", "1", HUGE), ("MUG", "2", HUGE), ("MUG", "3", HUGE), ("CUP", "1", 3))
    told = {row.listing_sku: row.quantity for row in both(snapshot, CartSettings(name="shop")).quantities}
    assert told == {"MUG": 3 * HUGE, "CUP": 3}


def test_a_bundle_of_a_part_with_a_huge_figure_is_exact() -> None:
    snapshot = reading(
        *(("PART", place, HUGE) for place in "123"),
        ("SET", "1", 0),
        bundles=[Bundle(master_sku="SET", components=[Component(master_sku="PART", quantity=2)])],
    )
    told = {row.listing_sku: row.quantity for row in both(snapshot, CartSettings(name="shop")).quantities}
    assert told == {"PART": 3 * HUGE, "SET": HUGE // 2}


def test_rules_make_nothing_of_a_product_that_no_counted_warehouse_knows() -> None:
    snapshot = reading(("MUG", "3", 9), ("CUP", "1", 0))
    cart = CartSettings(name="shop", rules=QuantityRules(show_at_least=5))
    allocation = both(snapshot, cart, disabled={"3"})
    rows = {row.listing_sku: (row.quantity, row.reason) for row in allocation.quantities}
    assert rows == {"MUG": (0, "not_at_counted_location"), "CUP": (5, "stock")}


def test_packs_and_overrides_have_rules_of_their_own() -> None:
    snapshot = reading(("MUG", "1", 100), ("CUP", "1", 100), ("JUG", "1", 100))
    cart = CartSettings(
        name="shop",
        units={"MUG": 6},
        rules=QuantityRules(percent=50),
        overrides={"CUP": SkuOverride(rules=QuantityRules(max_quantity=7))},
    )
    told = {row.listing_sku: (row.quantity, row.withheld) for row in both(snapshot, cart).quantities}
    assert told == {"MUG": (8, 52), "CUP": (7, 93), "JUG": (50, 50)}


def test_a_breakdown_adds_warehouses_that_go_to_one_place_of_the_cart() -> None:
    snapshot = reading(("MUG", "1", 4), ("MUG", "2", 5), ("CUP", "2", 1), ("JUG", "3", 8))
    cart = CartSettings(name="shop", breakdown=True, location_map={"1": "EAST", "2": "EAST"})
    allocation = both(snapshot, cart)
    assert [(row.listing_sku, row.location_id, row.quantity) for row in allocation.quantities] == [
        ("CUP", "EAST", 1),
        ("MUG", "EAST", 9),
    ]
    assert [(one.listing_sku, one.reason) for one in allocation.skipped] == [("JUG", "warehouse_not_mapped")]


def test_debts_of_parts_limit_the_bundles_of_all_warehouses() -> None:
    snapshot = reading(
        ("LID", "1", 10),
        ("LID", "2", -8),
        ("POT", "1", 9),
        ("POT", "2", 9),
        ("SET", "1", 1),
        ("SET", "2", 0),
        bundles=[
            Bundle(master_sku="SET", components=[Component(master_sku="LID"), Component(master_sku="POT")])
        ],
    )
    told = {row.listing_sku: row.quantity for row in both(snapshot, CartSettings(name="shop")).quantities}
    assert told["SET"] == 1 + 2
    assert {
        row.listing_sku: row.quantity
        for row in both(snapshot, CartSettings(name="shop"), clamp_each=True).quantities
    }["SET"] == 1 + 9
    assert {
        row.listing_sku: row.quantity
        for row in both(snapshot, CartSettings(name="shop"), pooled_assembly=True).quantities
    }["SET"] == 1 + 2


def test_a_warehouse_without_assembly_lends_no_parts() -> None:
    snapshot = reading(
        ("LID", "1", 10),
        ("POT", "1", 10),
        ("SET", "1", 2),
        bundles=[
            Bundle(master_sku="SET", components=[Component(master_sku="LID"), Component(master_sku="POT")])
        ],
    )
    rows = both(snapshot, CartSettings(name="shop"), preassembled_only={"1"}).quantities
    assert {row.listing_sku: row.quantity for row in rows}["SET"] == 2


def test_no_counted_warehouse_tells_nothing() -> None:
    snapshot = reading(("MUG", "1", 4))
    rows = both(snapshot, CartSettings(name="shop"), disabled={"1", "2", "3"}).quantities
    assert [(row.quantity, row.reason) for row in rows] == [(0, "not_at_counted_location")]
    assert not both(snapshot, CartSettings(name="shop", breakdown=True), disabled={"1", "2", "3"}).quantities


def test_an_empty_reading_tells_nothing() -> None:
    assert not both(reading(), CartSettings(name="shop")).quantities
    assert not both(reading(), CartSettings(name="shop", breakdown=True)).quantities


def test_listings_of_channels_and_unknown_products_are_the_references() -> None:
    aliases = [
        Alias(name="Shop", listing_sku="S-1", master_sku="MUG", channel_id="9", units=2),
        Alias(name="Shop", listing_sku="S-1", master_sku="MUG", channel_id="9", units=2),
        Alias(name="Shop", listing_sku="S-2", master_sku="NOWHERE", channel_id="9"),
        Alias(name="Shop", listing_sku="S-3", master_sku="CUP", channel_id="9", active=False),
        Alias(name="Shop", listing_sku="S-4", master_sku="CUP", channel_id="9", push_inventory=False),
        Alias(name="Shop", listing_sku="S-5", master_sku="CUP", channel_id="9"),
        Alias(name="Shop", listing_sku="S-5", master_sku="MUG", channel_id="9"),
        Alias(name="Other", listing_sku="O-1", master_sku="JUG"),
    ]
    snapshot = reading(("MUG", "1", 9), ("CUP", "1", 9), ("JUG", "2", 1), aliases=aliases)
    for alias in ("Shop", "9"):
        for respect in (False, True):
            for settled in ({}, {"exclude": {"MUG"}}, {"only": {"CUP"}}, {"units": {"S-1": 3}}):
                both(
                    snapshot,
                    CartSettings(name="shop", alias=alias, respect_push_inventory=respect, **settled),
                )


@pytest.mark.parametrize(
    "cart", [CartSettings(name="shop", alias="Gone"), CartSettings(name="s", location="x")]
)
def test_mistakes_are_refused_in_the_same_words(cart: CartSettings) -> None:
    snapshot, merchant = reading(("MUG", "1", 9)), MerchantSettings(mode=PerWarehouse())
    with pytest.raises(SettingsError) as plain:
        allocate_by_reference(snapshot, merchant, cart)
    with pytest.raises(OmsyncError) as fast:
        allocate(snapshot, merchant, cart)
    assert str(fast.value) == str(plain.value)


def test_carts_of_different_channels_share_a_desk() -> None:
    snapshot = InventorySnapshot(
        taken_at=datetime(2026, 11, 25, tzinfo=UTC),
        scope="channel",
        skus=[Sku(master_sku="MUG"), Sku(master_sku="CUP")],
        sales_channels=[SalesChannel(id="1"), SalesChannel(id="2")],
        levels=[
            StockLevel(master_sku="MUG", location_id="1", available=4),
            StockLevel(master_sku="CUP", location_id="2", available=5),
        ],
    )
    merchant, desk = MerchantSettings(mode=PerSalesChannel()), Desk()
    for location in ("1", "2", "1"):
        cart = CartSettings(name="shop", location=location)
        assert desk.allocate(snapshot, merchant, cart) == allocate_by_reference(snapshot, merchant, cart)


def test_two_carts_of_one_reading_share_a_desk() -> None:
    snapshot, merchant, desk = reading(("MUG", "1", 9)), MerchantSettings(mode=PerWarehouse()), Desk()
    for name in ("shop", "market"):
        cart = CartSettings(name=name)
        assert desk.allocate(snapshot, merchant, cart) == allocate_by_reference(snapshot, merchant, cart)


def test_an_allocation_can_be_sent_to_another_process() -> None:
    snapshot, merchant = reading(("MUG", "1", 9), ("CUP", "2", 3)), MerchantSettings(mode=PerWarehouse())
    allocation = allocate(snapshot, merchant, CartSettings(name="shop"))
    again = pickle.loads(pickle.dumps(allocation))  # noqa: S301  our own bytes
    assert_equal(again, allocate_by_reference(snapshot, merchant, CartSettings(name="shop")))


def test_quantities_are_a_sequence_like_any_other() -> None:
    snapshot = evolve(
        reading(("MUG", "1", 9), ("CUP", "2", 3), ("JUG", "2", 3)), doubtful={("CUP", "2"), ("JUG", "2")}
    )
    quantities = both(snapshot, CartSettings(name="shop")).quantities
    assert [row.listing_sku for row in quantities] == ["CUP", "JUG", "MUG"]
    assert quantities[-1].listing_sku == "MUG"
    assert [row.listing_sku for row in quantities[1:]] == ["JUG", "MUG"]
    assert quantities == tuple(quantities)
    assert quantities != tuple(quantities)[1:]
    assert quantities.__eq__(3) is NotImplemented
    assert hash(quantities) == hash(tuple(quantities))
    assert repr(quantities) == "<3 quantities>"
    with pytest.raises(IndexError):
        quantities[3]
