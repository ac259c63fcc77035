"""The vectors and the traps that other people's systems have published, each as a test.

The figures are facts from the sources listed in the docs' bibliography.
"""

from __future__ import annotations

import pytest
from small_merchant import BY_WAREHOUSE, Stock, cart, per_warehouse, reading, told

from omsync.allocation import allocate
from omsync.errors import WrongTypeError
from omsync.model import StockLevel
from omsync.settings import QuantityRules

POOLED = per_warehouse(pooled_assembly=True)


def _under_rules(units: int, **rules: int) -> int:
    return told(reading({"CUP": {"1": units}}), settings=cart(rules=QuantityRules(**rules)))["CUP"]


# The vectors


def test_vector_1_the_scarcer_part_decides() -> None:
    snapshot = reading({"BOX": {"1": 0}, "A": {"1": 15}, "B": {"1": 20}}, {"BOX": {"A": 1, "B": 2}})
    assert told(snapshot)["BOX"] == 10


@pytest.mark.parametrize(("merchant", "expected"), [(BY_WAREHOUSE, 0), (POOLED, 10)])
def test_vector_2_parts_apart_make_nothing_unless_pooled(merchant: object, expected: int) -> None:
    snapshot = reading({"BOX": {"1": 0, "2": 0}, "A": {"1": 10}, "B": {"2": 20}}, {"BOX": {"A": 1, "B": 2}})
    assert told(snapshot, merchant)["BOX"] == expected  # type: ignore[arg-type]  # parametrized


def test_vector_3_three_parts_of_four_each() -> None:
    snapshot = reading(
        {"BOX": {"1": 0}, "A": {"1": 200}, "B": {"1": 500}, "C": {"1": 4000}},
        {"BOX": {"A": 4, "B": 4, "C": 4}},
    )
    assert told(snapshot)["BOX"] == 50


def test_vector_4_three_parts_of_different_needs() -> None:
    snapshot = reading(
        {"BOX": {"1": 0}, "A": {"1": 100}, "B": {"1": 30}, "C": {"1": 200}},
        {"BOX": {"A": 2, "B": 1, "C": 5}},
    )
    assert told(snapshot)["BOX"] == 30


def test_vector_7_a_bundle_whose_part_is_owed_shows_0() -> None:
    held: Stock = {
        "BOX": {"1": 0},
        "A": {"1": {"on_hand": 8, "committed": 14}},
        "B": {"1": {"on_hand": 4258, "committed": 168}},
    }
    snapshot = reading(held, {"BOX": {"A": 2, "B": 2}})

    assert told(snapshot)["BOX"] == 0
    assert told(snapshot)["A"] == 0
    assert told(snapshot)["B"] == 4090


def test_vector_8_nothing_prepackaged_shows_what_the_bottleneck_makes() -> None:
    snapshot = reading({"BOX": {"1": 0}, "A": {"1": 50}, "B": {"1": 90}}, {"BOX": {"A": 1, "B": 1}})
    assert told(snapshot)["BOX"] == 50


def test_vector_9_what_is_prepackaged_remains_when_a_part_is_out() -> None:
    snapshot = reading({"BOX": {"1": 3}, "A": {"1": 0}, "B": {"1": 90}}, {"BOX": {"A": 1, "B": 1}})
    assert told(snapshot)["BOX"] == 3


@pytest.mark.parametrize(
    ("percent", "units", "expected"), [(90, 1, 0), (40, 2, 0), (50, 3, 1), (70, 10, 7), (70, 100, 70)]
)
def test_vector_10_percent_rounds_down(percent: int, units: int, expected: int) -> None:
    assert _under_rules(units, percent=percent) == expected


@pytest.mark.parametrize(("units", "expected"), [(4, 0), (5, 5)])
def test_vector_11_zero_below_5_is_strict(units: int, expected: int) -> None:
    assert _under_rules(units, zero_below=5) == expected


def test_vector_11_an_inclusive_cut_off_has_no_setting_and_is_the_next_number() -> None:
    assert not hasattr(QuantityRules(), "zero_at_or_below")
    assert _under_rules(5, zero_below=6) == 0
    assert _under_rules(6, zero_below=6) == 6


@pytest.mark.parametrize(("units", "expected"), [(40, 10), (7, 7)])
def test_vector_12_a_cap_of_10(units: int, expected: int) -> None:
    assert _under_rules(units, max_quantity=10) == expected


def test_vector_13_on_hand_10_allocated_5_threshold_3() -> None:
    snapshot = reading({"CUP": {"1": {"on_hand": 10, "committed": 5}}})
    assert told(snapshot, settings=cart(rules=QuantityRules(safety_stock=3)))["CUP"] == 2


def test_vector_13_a_negative_threshold_has_no_setting_and_is_room_for_backorders() -> None:
    with pytest.raises(ValueError, match="safety_stock must be at least 0, not -5"):
        QuantityRules(safety_stock=-5)
    snapshot = reading({"CUP": {"1": {"on_hand": 10, "committed": 10}}})
    assert told(snapshot, settings=cart(rules=QuantityRules(backorder_room=5)))["CUP"] == 5


def test_vector_14_two_warehouses_of_10_are_20() -> None:
    assert told(reading({"CUP": {"1": 10, "2": 10}}))["CUP"] == 20


def test_vector_19_80_held_and_29_reserved_are_51() -> None:
    assert told(reading({"CUP": {"1": {"on_hand": 80, "committed": 29}}}))["CUP"] == 51


# The traps


def test_trap_1_availability_comes_first_then_the_bundle() -> None:
    """What is held would make 20 and what is owed makes 0: their difference is the wrong way."""
    held: Stock = {
        "BOX": {"1": 0},
        "A": {"1": {"on_hand": 80, "committed": 70}},
        "B": {"1": {"on_hand": 40, "committed": 0}},
    }
    assert told(reading(held, {"BOX": {"A": 2, "B": 2}}))["BOX"] == 5


def test_trap_2_a_part_needed_along_two_paths_is_needed_the_sum_of_times() -> None:
    snapshot = reading(
        {"HAMPER": {"1": 0}, "CUP": {"1": 10}}, {"HAMPER": {"BOX": 1, "CUP": 1}, "BOX": {"CUP": 1}}
    )
    assert told(snapshot)["HAMPER"] == 5


def test_trap_3_per_warehouse_is_the_default_and_pooled_is_never_less() -> None:
    snapshot = reading(
        {"BOX": {"1": 0, "2": 0}, "A": {"1": 3, "2": 2}, "B": {"1": 1, "2": 6}}, {"BOX": {"A": 1, "B": 1}}
    )
    assert told(snapshot)["BOX"] == 3
    assert told(snapshot, POOLED)["BOX"] == 5


def test_trap_4_pre_assembled_adds_to_what_is_built() -> None:
    snapshot = reading({"BOX": {"1": 3}, "A": {"1": 6}}, {"BOX": {"A": 1}})
    assert told(snapshot)["BOX"] == 9


def test_trap_5_a_pre_assembled_inner_kit_is_used_for_the_outer_one() -> None:
    snapshot = reading(
        {"HAMPER": {"1": 0}, "BOX": {"1": 4}, "CUP": {"1": 0}, "JAM": {"1": 9}},
        {"HAMPER": {"BOX": 1, "JAM": 1}, "BOX": {"CUP": 2}},
    )
    assert told(snapshot)["HAMPER"] == 4


def test_trap_6_only_divisions_round_and_debts_round_down_too() -> None:
    assert _under_rules(7, percent=50, safety_stock=1) == 2
    owed = reading({"CUP": {"1": -1}})
    # Half of a debt of one is a whole debt, which the room for backorders has to cover first.
    assert told(owed, settings=cart(rules=QuantityRules(percent=50, backorder_room=2)))["CUP"] == 1


def test_trap_7_a_debt_at_one_warehouse_reduces_another_unless_each_is_clamped() -> None:
    snapshot = reading({"CUP": {"1": -3, "2": 10}})
    assert told(snapshot)["CUP"] == 7
    assert told(snapshot, per_warehouse(clamp_each=True))["CUP"] == 10


@pytest.mark.parametrize(
    ("bundles", "reason"),
    [
        ({"BOX": {"CUP": 0}}, "component_need_below_one"),
        ({"BOX": {}}, "bundle_without_components"),
        ({"BOX": {"BOX": 1}}, "component_in_cycle"),
    ],
)
def test_trap_8_nothing_to_divide_by_is_a_named_reason(
    bundles: dict[str, dict[str, int]], reason: str
) -> None:
    allocation = allocate(reading({"BOX": {"1": 5}, "CUP": {"1": 5}}, bundles), BY_WAREHOUSE, cart())
    assert [(one.master_sku, one.reason) for one in allocation.skipped] == [("BOX", reason)]
    assert [row.master_sku for row in allocation.quantities] == ["CUP"]


def test_trap_9_an_absent_record_is_not_zero() -> None:
    snapshot = reading({"CUP": {"1": 5}}, {"BOX": {"CUP": 1}, "HAMPER": {"JAM": 1}})
    allocation = allocate(snapshot, BY_WAREHOUSE, cart())
    assert {one.master_sku: one.reason for one in allocation.skipped} == {
        "BOX": "bundle_without_stock_record",
        "HAMPER": "bundle_without_stock_record",
        "JAM": "no_stock_record",
    }


def test_trap_10_a_threshold_applies_once_to_the_sum() -> None:
    snapshot = reading({"CUP": {"1": 4, "2": 4}})
    assert told(snapshot, settings=cart(rules=QuantityRules(zero_below=5)))["CUP"] == 8
    assert told(snapshot, settings=cart(rules=QuantityRules(safety_stock=3)))["CUP"] == 5


def test_trap_11_there_is_no_infinite_quantity() -> None:
    with pytest.raises(WrongTypeError, match=r"StockLevel\.available must be a whole number, not inf"):
        StockLevel(master_sku="CUP", location_id="1", available=float("inf"))  # type: ignore[arg-type]  # on purpose
