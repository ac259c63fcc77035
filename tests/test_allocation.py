"""What every listing is told: the rules as sentences of a merchant."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from small_merchant import (
    ALL,
    BY_WAREHOUSE,
    alias,
    cart,
    only_skip,
    per_warehouse,
    reading,
    told,
)

from omsync.allocation import allocate
from omsync.errors import InvalidValueError, SettingsError, WrongTypeError
from omsync.settings import CartSettings, QuantityRules, SkuOverride

CUPS = reading({"CUP": {"1": 5, "2": 3, "3": 2}})


# Rule 1: what is available


def test_available_is_taken_as_reported_whatever_else_is_said() -> None:
    snapshot = reading({"CUP": {"1": {"available": 4, "on_hand": 90, "committed": 1, "locked": 1}}})
    assert told(snapshot) == {"CUP": 4}


@pytest.mark.parametrize(("subtract_locked", "expected"), [(True, 5), (False, 7)])
def test_locked_units_are_subtracted_from_on_hand_unless_told_not_to(
    subtract_locked: bool, expected: int
) -> None:
    snapshot = reading({"CUP": {"1": {"on_hand": 10, "committed": 3, "locked": 2, "in_transit": 40}}})
    assert told(snapshot, evolve(BY_WAREHOUSE, subtract_locked=subtract_locked)) == {"CUP": expected}


# Rule 2: bundles


def test_a_bundle_is_its_shelf_units_and_what_its_parts_make() -> None:
    snapshot = reading(
        {"BOX": {"1": 3}, "CUP": {"1": 20}, "SPOON": {"1": 13}}, {"BOX": {"CUP": 1, "SPOON": 2}}
    )
    assert told(snapshot)["BOX"] == 9


def test_a_bundle_is_only_built_where_it_has_a_stock_record() -> None:
    snapshot = reading({"BOX": {"1": 0}, "CUP": {"1": 2, "2": 9}}, {"BOX": {"CUP": 1}})
    assert told(snapshot)["BOX"] == 2
    assert told(snapshot, per_warehouse(pooled_assembly=True))["BOX"] == 11


def test_a_warehouse_for_pre_assembled_only_neither_builds_nor_lends() -> None:
    snapshot = reading({"BOX": {"1": 1, "2": 4}, "CUP": {"1": 2, "2": 9}}, {"BOX": {"CUP": 1}})
    assert told(snapshot, per_warehouse(preassembled_only=["2"]))["BOX"] == 7
    assert told(snapshot, per_warehouse(preassembled_only=["2"], pooled_assembly=True))["BOX"] == 7


def test_a_bundle_recorded_only_where_nothing_is_built_is_its_shelf_units() -> None:
    snapshot = reading({"BOX": {"2": 4}, "CUP": {"1": 9, "2": 3}}, {"BOX": {"CUP": 1}})
    assert told(snapshot, per_warehouse(preassembled_only=["2"]))["BOX"] == 4


def test_what_one_warehouse_owes_of_a_part_is_not_built_from_another() -> None:
    snapshot = reading({"BOX": {"1": 0, "2": 0}, "CUP": {"1": -6, "2": 10}}, {"BOX": {"CUP": 1}})
    assert told(snapshot)["BOX"] == 4
    assert told(snapshot, per_warehouse(clamp_each=True))["BOX"] == 10


def test_a_bundle_that_is_owed_lowers_what_is_built() -> None:
    snapshot = reading({"BOX": {"1": -2}, "CUP": {"1": 5}}, {"BOX": {"CUP": 1}})
    assert told(snapshot)["BOX"] == 3


def test_an_inner_kit_that_is_owed_is_built_first() -> None:
    snapshot = reading(
        {"HAMPER": {"1": 0}, "BOX": {"1": -2}, "CUP": {"1": 10}}, {"HAMPER": {"BOX": 1}, "BOX": {"CUP": 2}}
    )
    assert told(snapshot)["HAMPER"] == 3


def test_a_part_that_is_not_needed_limits_nothing() -> None:
    """Four kits stand on the shelf, so that a debt of their part keeps nobody from using them."""
    snapshot = reading(
        {"HAMPER": {"1": 0}, "BOX": {"1": 4}, "CUP": {"1": -3}}, {"HAMPER": {"BOX": 1}, "BOX": {"CUP": 1}}
    )
    assert told(snapshot)["HAMPER"] == 4


def test_a_part_that_is_named_twice_is_needed_twice() -> None:
    snapshot = reading({"BOX": {"1": 0}, "CUP": {"1": 9}}, {"BOX": {"CUP": 1}})
    (bundle,) = snapshot.bundles
    twice = evolve(bundle, components=(*bundle.components, *bundle.components))
    assert told(evolve(snapshot, bundles=[twice]))["BOX"] == 4


@pytest.mark.parametrize(
    ("quantities", "include", "expected", "reason"),
    [
        ("auto", "no", 9, "bundle_computed"),
        ("auto", "yes", 3, "bundle_reported"),
        ("auto", "unknown", 3, "bundle_reported"),
        ("computed", "no", 9, "bundle_computed"),
        ("computed", "unknown", 9, "bundle_computed"),
        ("reported", "no", 3, "bundle_reported"),
        ("reported", "yes", 3, "bundle_reported"),
        ("reported", "unknown", 3, "bundle_reported"),
    ],
)
def test_bundles_are_computed_or_taken_as_reported(
    quantities: str, include: str, expected: int, reason: str
) -> None:
    snapshot = reading(
        {"BOX": {"1": 3}, "CUP": {"1": 6}}, {"BOX": {"CUP": 1}}, bundles_include_buildable=include
    )
    allocation = allocate(snapshot, evolve(BY_WAREHOUSE, bundle_quantities=quantities), ALL)
    row = allocation.quantities[0]
    assert (row.master_sku, row.quantity, row.reason) == ("BOX", expected, reason)
    how = reason.replace("bundle_", "bundles_")
    if (quantities, include) == ("computed", "unknown"):
        how = "bundles_computed_over_unknown"
    assert [(one.reason, one.message[:10]) for one in allocation.notices] == [(how, "1 bundle: ")]


def test_computing_over_figures_that_include_buildable_units_is_refused() -> None:
    snapshot = reading({"BOX": {"1": 3}}, bundles_include_buildable="yes")
    with pytest.raises(SettingsError, match="would show those twice") as caught:
        allocate(snapshot, evolve(BY_WAREHOUSE, bundle_quantities="computed"), ALL)
    assert caught.value.code == "computed_over_buildable"


def test_a_reported_bundle_needs_no_healthy_parts() -> None:
    snapshot = reading({"BOX": {"1": 3}}, {"BOX": {}}, bundles_include_buildable="yes")
    assert told(snapshot) == {"BOX": 3}


@pytest.mark.parametrize("include", ["no", "yes"])
def test_a_bundle_without_a_record_is_skipped_however_bundles_are_taken(include: str) -> None:
    snapshot = reading({"CUP": {"1": 3}}, {"BOX": {"CUP": 1}}, bundles_include_buildable=include)
    assert only_skip(allocate(snapshot, BY_WAREHOUSE, ALL), "BOX").reason == "bundle_without_stock_record"


# Rules 4 to 10


def test_the_rules_apply_in_the_published_order() -> None:
    rules = QuantityRules(percent=50, safety_stock=3, backorder_room=1, zero_below=2, max_quantity=40)
    snapshot = reading({"CUP": {"1": 100}})
    settings = cart(rules=rules, units={"CUP": 6})
    explanation = allocate(snapshot, BY_WAREHOUSE, settings).explain("CUP")
    assert [(step.rule, step.before, step.after) for step in explanation.rows[0].steps()] == [
        ("units", 100, 16),
        ("percent", 16, 8),
        ("safety_stock", 8, 5),
        ("backorder_room", 5, 6),
        ("zero_below", 6, 6),
        ("show_at_least", 6, 6),
        ("max_quantity", 6, 6),
        ("never_below_zero", 6, 6),
    ]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (QuantityRules(percent=0), 0),
        (QuantityRules(safety_stock=11), 0),
        (QuantityRules(safety_stock=11, backorder_room=3), 2),
        (QuantityRules(safety_stock=6, zero_below=5), 0),
        (QuantityRules(safety_stock=6, zero_below=4), 4),
        (QuantityRules(safety_stock=99, show_at_least=2), 2),
        (QuantityRules(show_at_least=12), 12),
        (QuantityRules(max_quantity=0), 0),
        (QuantityRules(backorder_room=5, max_quantity=12), 12),
    ],
)
def test_rules_of_a_cart_that_has_10(rules: QuantityRules, expected: int) -> None:
    assert told(CUPS, settings=cart(rules=rules)) == {"CUP": expected}


def test_an_override_replaces_the_rules_whole() -> None:
    snapshot = reading({"CUP": {"1": 10}, "TIN": {"1": 10}})
    settings = cart(
        rules=QuantityRules(percent=50, safety_stock=2),
        overrides={"TIN": SkuOverride(rules=QuantityRules(percent=90))},
    )
    assert told(snapshot, settings=settings) == {"CUP": 3, "TIN": 9}


def test_units_of_a_listing_come_from_the_cart_before_the_alias() -> None:
    snapshot = reading(
        {"CUP": {"1": 13}},
        aliases=[alias("cup", "CUP"), alias("six", "CUP", units=6), alias("four", "CUP", units=6)],
    )
    rows = allocate(snapshot, BY_WAREHOUSE, cart(alias="91", units={"four": 4})).quantities
    assert [(row.listing_sku, row.quantity, row.units, row.withheld) for row in rows] == [
        ("cup", 13, 1, 0),
        ("four", 3, 4, 1),
        ("six", 2, 6, 1),
    ]


# Orders in flight


def test_orders_that_the_snapshot_has_not_seen_are_subtracted() -> None:
    assert told(CUPS, orders={"CUP": 4}) == {"CUP": 6}


def test_orders_are_a_debt_that_clamp_each_does_not_lift() -> None:
    snapshot = reading({"CUP": {"1": 2}})
    settings = cart(rules=QuantityRules(backorder_room=5))
    assert told(snapshot, per_warehouse(clamp_each=True), settings, {"CUP": 4}) == {"CUP": 3}


def test_orders_of_a_bundle_take_its_shelf_first_and_then_its_parts() -> None:
    snapshot = reading({"BOX": {"1": 3}, "CUP": {"1": 10}}, {"BOX": {"CUP": 2}})
    assert told(snapshot) == {"BOX": 8, "CUP": 10}
    assert told(snapshot, orders={"BOX": 2}) == {"BOX": 6, "CUP": 10}
    assert told(snapshot, orders={"BOX": 5}) == {"BOX": 3, "CUP": 6}


def test_a_bundle_that_is_owed_has_no_shelf_units_for_orders() -> None:
    snapshot = reading({"BOX": {"1": -1}, "CUP": {"1": 10}}, {"BOX": {"CUP": 2}})
    assert told(snapshot, orders={"BOX": 2}) == {"BOX": 2, "CUP": 6}


def test_orders_of_a_nested_bundle_take_inner_kits_from_the_shelf_before_their_parts() -> None:
    snapshot = reading(
        {"HAMPER": {"1": 1}, "BOX": {"1": 1}, "CUP": {"1": 10}}, {"HAMPER": {"BOX": 1}, "BOX": {"CUP": 1}}
    )
    assert told(snapshot, orders={"HAMPER": 3}) == {"HAMPER": 9, "BOX": 9, "CUP": 9}


def test_orders_of_one_bundle_lower_another_that_takes_the_same_part() -> None:
    snapshot = reading(
        {"BOX": {"1": 0}, "BAG": {"1": 0}, "CUP": {"1": 10}}, {"BOX": {"CUP": 1}, "BAG": {"CUP": 2}}
    )
    assert told(snapshot, orders={"BAG": 3}) == {"BAG": 2, "BOX": 4, "CUP": 4}


def test_a_single_location_bears_orders_whole_and_so_does_every_row_of_a_breakdown() -> None:
    assert told(CUPS, settings=cart(location="1"), orders={"CUP": 4}) == {"CUP": 1}
    assert told(CUPS, settings=cart(breakdown=True), orders={"CUP": 3}) == {
        ("CUP", "1"): 2,
        ("CUP", "2"): 0,
        ("CUP", "3"): 0,
    }


def test_orders_of_a_reported_bundle_lower_it_and_all_that_is_in_it() -> None:
    """Nobody knows which of them took shelf units, so the parts are lowered as well."""
    snapshot = reading(
        {"HAMPER": {"1": 5}, "BOX": {"1": 9}, "CUP": {"1": 20}},
        {"HAMPER": {"BOX": 2}, "BOX": {"CUP": 1}},
        bundles_include_buildable="unknown",
    )
    assert told(snapshot, orders={"HAMPER": 2}) == {"HAMPER": 3, "BOX": 5, "CUP": 16}


def test_orders_of_a_bundle_that_cannot_be_built_lower_its_sound_parts() -> None:
    """The bundle itself is skipped; whether its orders take parts nobody knows, so all are assumed to."""
    snapshot = reading({"BOX": {"1": 3}, "CUP": {"1": 9}}, {"BOX": {"CUP": 2, "JAM": 1}})
    assert told(snapshot, orders={"BOX": 2}) == {"CUP": 5}


def test_orders_of_a_bundle_that_contains_itself_are_its_own() -> None:
    snapshot = reading({"BOX": {"1": 3}, "CUP": {"1": 9}}, {"BOX": {"BOX": 1, "CUP": 1}})
    assert told(snapshot, orders={"BOX": 2}) == {"CUP": 9}


def test_orders_of_bundles_nested_without_end_are_their_own() -> None:
    chain = {f"KIT-{number:04d}": {f"KIT-{number + 1:04d}": 1} for number in range(1_500)}
    snapshot = reading({"KIT-0000": {"1": 3}, "KIT-1500": {"1": 9}}, chain)
    assert told(snapshot, orders={"KIT-0000": 2}) == {"KIT-1500": 9}


def test_no_orders_and_orders_of_nothing_are_the_same() -> None:
    assert told(CUPS, orders={"CUP": 0}) == told(CUPS)


@pytest.mark.parametrize("units", ["5", 5.0, True, None])
def test_orders_are_whole_numbers(units: Any) -> None:
    with pytest.raises(WrongTypeError, match=r"orders_in_flight\['CUP'\] must be a whole number, not"):
        allocate(CUPS, BY_WAREHOUSE, ALL, {"CUP": units})


def test_orders_are_never_negative() -> None:
    with pytest.raises(InvalidValueError, match=r"orders_in_flight\['CUP'\] must be at least 0, not -1"):
        allocate(CUPS, BY_WAREHOUSE, ALL, {"CUP": -1})


def test_a_figure_that_is_missing_for_a_part_of_an_ordered_bundle_stops_no_other_part() -> None:
    snapshot = reading(
        {"BOX": {"1": 1}, "CUP": {"1": 9}, "JAM": {"1": {"committed": 1}}}, {"BOX": {"CUP": 1, "JAM": 1}}
    )
    allocation = allocate(snapshot, BY_WAREHOUSE, ALL, {"BOX": 3})
    assert [(row.listing_sku, row.quantity) for row in allocation.quantities] == [("CUP", 7)]
    assert {one.master_sku: one.reason for one in allocation.skipped} == {
        "BOX": "quantity_not_reported",
        "JAM": "quantity_not_reported",
    }


def test_a_missing_shelf_figure_of_an_ordered_bundle_stops_its_parts_since_their_debt_is_unknown() -> None:
    snapshot = reading({"BOX": {"1": {}}, "CUP": {"1": 9}}, {"BOX": {"CUP": 1}})
    assert told(snapshot, orders={"BOX": 3}) == {}
    assert told(snapshot) == {"CUP": 9}


# Doubt, and what an allocation is


def test_a_figure_that_was_lost_on_its_way_makes_everything_from_it_doubtful() -> None:
    snapshot = reading(
        {"BOX": {"1": 0, "2": 0}, "CUP": {"1": 5, "2": 5}, "TIN": {"1": 5}},
        {"BOX": {"CUP": 1}},
        doubtful={("CUP", "2")},
    )

    def doubtful(settings: CartSettings) -> set[str]:
        return {
            row.listing_sku for row in allocate(snapshot, BY_WAREHOUSE, settings).quantities if row.doubtful
        }

    assert doubtful(ALL) == {"BOX", "CUP"}
    assert doubtful(cart(location="1")) == set()


def test_quantities_and_skips_are_sorted() -> None:
    snapshot = reading({"b": {"2": 1, "1": 1}, "a": {"1": 1}, "z": {}, "y": {}})
    allocation = allocate(snapshot, BY_WAREHOUSE, cart(breakdown=True))
    assert [(row.listing_sku, row.location_id) for row in allocation.quantities] == [
        ("a", "1"),
        ("b", "1"),
        ("b", "2"),
    ]
    assert [one.master_sku for one in allocation.skipped] == ["y", "z"]
    assert (allocation.merchant, allocation.cart) == ("default", "acme-us")
    assert allocation.taken_at == "2026-01-05T06:00:00+00:00"


def test_equal_inputs_give_equal_allocations() -> None:
    assert allocate(CUPS, BY_WAREHOUSE, ALL) == allocate(CUPS, BY_WAREHOUSE, ALL)


def test_nothing_at_all_is_an_empty_allocation() -> None:
    allocation = allocate(reading({}), BY_WAREHOUSE, ALL)
    assert (allocation.quantities, allocation.skipped, allocation.notices) == ((), (), ())
