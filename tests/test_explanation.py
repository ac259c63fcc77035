"""Why a quantity is what it is: text to read, JSON to keep, and a value that evaluates to the quantity."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from attrs import evolve
from small_merchant import ALL, BY_WAREHOUSE, alias, cart, per_warehouse, reading

from omsync.allocation import Explanation, allocate
from omsync.allocation.derivation import Derivation
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings, QuantityRules, SkuOverride

_PACIFIC = timezone(timedelta(hours=-8))
GIFT_SET = reading(
    {"GIFT": {"1": 2, "2": 1}, "CUP": {"1": 20, "2": -4}, "SPOON": {"1": {"on_hand": 20, "committed": 7}}},
    {"GIFT": {"CUP": 1, "SPOON": 2}},
)


def _explain(
    snapshot: InventorySnapshot,
    listing_sku: str,
    merchant: MerchantSettings = BY_WAREHOUSE,
    settings: CartSettings = ALL,
    location_id: str | None = None,
    **orders: int,
) -> Explanation:
    return allocate(snapshot, merchant, settings, orders).explain(listing_sku, location_id)


def test_a_bundle_is_explained_in_a_few_lines() -> None:
    assert str(_explain(GIFT_SET, "GIFT")) == (
        "GIFT: 9 = 3 on the shelf + 6 built in Reno DC (1) (bottleneck SPOON: 13 // 2)\n"
        "  GIFT, bundle computed:\n"
        "    Reno DC (1): counted, 2 (available as reported) + 6 built: "
        "one more needs 14 SPOON, there are 13\n"
        "    Amazon FBA US (2): counted, 1 (available as reported) + 0 built: "
        "one more needs 1 CUP, there are -4\n"
        "    Harbor 3PL (3): counted, no stock record here\n"
        "    total 9 units\n"
        "  figures read 2026-01-05 06:00:00Z"
    )


def test_a_plain_product_is_explained_by_the_figures_of_each_warehouse_in_or_out() -> None:
    snapshot = reading(
        {"CUP": {"1": {"on_hand": 9, "committed": 2, "locked": 3}, "2": 40, "3": {"on_hand": 5}}}
    )
    explanation = _explain(
        snapshot, "CUP", per_warehouse(disabled=["2"]), cart(rules=QuantityRules(percent=50, max_quantity=7))
    )
    assert str(explanation).splitlines() == [
        "CUP: 4 = 9 available in 2 locations, percent 50: 9 -> 4",
        "  CUP, stock:",
        "    Reno DC (1): counted, 4 (on hand 9 - committed 2 - locked 3)",
        "    Amazon FBA US (2): not counted, disabled for combining (40 available as reported)",
        "    Harbor 3PL (3): counted, 5 (on hand 5 - committed 0 - locked 0)",
        "    total 9 units",
        "    percent 50: 9 -> 4",
        "    max_quantity 7: 4 -> 4",
        "  figures read 2026-01-05 06:00:00Z",
    ]


def test_locked_units_are_not_mentioned_when_they_do_not_count() -> None:
    snapshot = reading({"CUP": {"1": {"on_hand": 9, "committed": 2, "locked": 3}}})
    text = str(_explain(snapshot, "CUP", evolve(BY_WAREHOUSE, subtract_locked=False)))
    assert "Reno DC (1): counted, 7 (on hand 9 - committed 2)" in text
    assert text.startswith("CUP: 7 = 7 available in Reno DC (1)\n")


@pytest.mark.parametrize(
    ("merchant", "settings", "words"),
    [
        (per_warehouse(counted=["1"]), ALL, "not counted, not among the counted ones (3 available"),
        (BY_WAREHOUSE, cart(location="1"), "not counted, not named by the cart (3 available"),
        (
            BY_WAREHOUSE,
            cart(overrides={"CUP": SkuOverride(leave_out=["2"])}),
            "not counted, left out for this product (3 available",
        ),
    ],
)
def test_a_location_that_is_out_says_why(
    merchant: MerchantSettings, settings: CartSettings, words: str
) -> None:
    text = str(_explain(reading({"CUP": {"1": 5, "2": 3}}), "CUP", merchant, settings))
    assert f"    Amazon FBA US (2): {words}" in text


def test_an_inactive_location_says_so_and_how_its_figure_would_come_about() -> None:
    snapshot = reading({"CUP": {"1": 5, "2": {"on_hand": 3}, "3": {}}})
    first, *others = snapshot.warehouses
    closed = evolve(snapshot, warehouses=[first, *(evolve(one, active=False) for one in others)])
    text = str(_explain(closed, "CUP"))
    assert "(2): not counted, inactive in the order manager (on hand 3 - committed 0 - locked 0)" in text
    assert "(3): not counted, inactive in the order manager (not reported)" in text


def test_what_is_recorded_only_where_the_cart_does_not_count_is_0_because_of_that() -> None:
    explanation = _explain(reading({"CUP": {"2": 5}}), "CUP", per_warehouse(disabled=["2"]))
    assert explanation.summary == (
        "0 = nothing counted: recorded only at locations that this cart does not count"
    )


def test_nothing_is_pooled_for_a_bundle_without_a_record_at_a_counted_location() -> None:
    snapshot = reading({"BOX": {"2": 0}, "A": {"1": 3}}, {"BOX": {"A": 1}})
    settings = cart(rules=QuantityRules(show_at_least=2))
    explanation = _explain(snapshot, "BOX", per_warehouse(disabled=["2"], pooled_assembly=True), settings)
    assert explanation.evaluate() == explanation.quantity == 0
    assert "    total 0 units\n  figures read" in str(explanation)
    assert explanation.to_data()["rows"][0]["steps"] == []


def test_a_debt_says_that_it_is_told_as_0() -> None:
    explanation = _explain(reading({"CUP": {"1": -3}}), "CUP")
    assert explanation.summary == "0 = -3 available in Reno DC (1), never below 0: -3 -> 0"
    assert "    never below 0: -3 -> 0" in str(explanation)


def test_rules_that_change_nothing_and_were_not_set_are_not_mentioned() -> None:
    text = str(_explain(reading({"CUP": {"1": 5}}), "CUP", settings=cart(rules=QuantityRules(zero_below=2))))
    assert [line.strip() for line in text.splitlines() if "->" in line] == ["zero_below 2: 5 -> 5"]


def test_a_pack_says_how_many_units_are_in_one_piece() -> None:
    snapshot = reading({"CUP": {"1": 13}}, aliases=[alias("six", "CUP", units=6)])
    explanation = _explain(snapshot, "six", settings=cart(alias="91"))
    assert explanation.summary == "2 = 13 available in Reno DC (1), 6 units in one piece: 13 -> 2"


@pytest.mark.parametrize(
    ("include", "words"),
    [
        ("no", "without what the components make"),
        ("yes", "what the components make included"),
        ("unknown", "which may include what the components make"),
    ],
)
def test_a_reported_bundle_says_what_the_figure_means(include: str, words: str) -> None:
    snapshot = reading(
        {"BOX": {"1": 3}, "CUP": {"1": 9}}, {"BOX": {"CUP": 1}}, bundles_include_buildable=include
    )
    explanation = _explain(snapshot, "BOX", evolve(BY_WAREHOUSE, bundle_quantities="reported"))
    assert explanation.summary == f"3 = 3 as reported, {words}"
    assert explanation.rows[0].meaning == include
    assert "    Reno DC (1): counted, 3 (available as reported)\n" in str(explanation)


def test_orders_in_flight_are_named() -> None:
    explanation = _explain(reading({"CUP": {"1": 9}}), "CUP", CUP=2)
    assert explanation.summary == "7 = 9 available in Reno DC (1) - 2 in orders in flight"
    assert "    orders in flight: 2 of CUP" in str(explanation)


def test_a_nested_bundle_names_what_one_more_would_need() -> None:
    snapshot = reading(
        {"HAMPER": {"1": 0}, "BOX": {"1": 1}, "CUP": {"1": 10}}, {"HAMPER": {"BOX": 1}, "BOX": {"CUP": 2}}
    )
    assert _explain(snapshot, "HAMPER").summary == (
        "6 = 0 on the shelf + 6 built in Reno DC (1) (bottleneck CUP: one more needs 12, there are 10)"
    )


def test_several_warehouses_that_build_tell_of_their_parts_one_by_one() -> None:
    snapshot = reading(
        {"BOX": {"1": 0, "2": 0}, "A": {"1": 3, "2": 9}, "B": {"1": 9, "2": 4}}, {"BOX": {"A": 1, "B": 1}}
    )
    explanation = _explain(snapshot, "BOX")
    assert explanation.summary == "7 = 0 on the shelf + 7 built"
    assert "+ 3 built: one more needs 4 A, there are 3" in str(explanation)
    assert "+ 4 built: one more needs 5 B, there are 4" in str(explanation)


def test_the_same_bottleneck_everywhere_is_named_over_all() -> None:
    snapshot = reading({"BOX": {"1": 0, "2": 0}, "A": {"1": 3, "2": 4}}, {"BOX": {"A": 1}})
    assert _explain(snapshot, "BOX").summary == "7 = 0 on the shelf + 7 built (bottleneck A: 7 // 1)"


def test_debts_elsewhere_are_named_when_they_decide() -> None:
    snapshot = reading({"BOX": {"1": 0, "2": 0}, "A": {"1": 10, "2": -6}}, {"BOX": {"A": 1}})
    explanation = _explain(snapshot, "BOX")
    assert explanation.summary == "4 = 0 on the shelf + 4 built in Reno DC (1) (bottleneck A: 4 // 1)"
    assert "    parts netted over all counted locations make only 4\n" in str(explanation)


def test_nothing_built_anywhere_names_the_one_place_that_could() -> None:
    snapshot = reading({"BOX": {"1": 0}, "A": {"1": 0, "2": 8}}, {"BOX": {"A": 2}})
    assert _explain(snapshot, "BOX").summary == "0 = 0 on the shelf + 0 built (bottleneck A: 0 // 2)"


def test_pooled_parts_are_named_over_all_locations() -> None:
    snapshot = reading({"BOX": {"1": 0}, "A": {"1": 3}, "B": {"1": 2, "2": 8}}, {"BOX": {"A": 1, "B": 2}})
    explanation = _explain(snapshot, "BOX", per_warehouse(pooled_assembly=True))
    assert explanation.summary == "3 = 0 on the shelf + 3 built (bottleneck A: 3 // 1)"
    assert "    parts pooled over the counted locations make 3\n" in str(explanation)


def test_a_warehouse_for_pre_assembled_only_says_so() -> None:
    snapshot = reading({"BOX": {"1": 5}, "A": {"1": 3}}, {"BOX": {"A": 1}})
    text = str(_explain(snapshot, "BOX", per_warehouse(preassembled_only=["1"])))
    assert "    Reno DC (1): counted, 5 (available as reported), pre-assembled only\n" in text


def test_a_row_of_a_breakdown_names_its_location_and_the_rows_beside_it() -> None:
    text = str(
        _explain(reading({"CUP": {"1": 5, "2": 3}}), "CUP", settings=cart(breakdown=True), location_id="2")
    )
    assert text.startswith("CUP at 2: 3 = 3 available in Amazon FBA US (2)\n")
    assert "    Reno DC (1): not counted, shown in a row of its own (5 available as reported)\n" in text


def test_a_location_that_gathers_several_warehouses_adds_up_their_rows() -> None:
    settings = cart(breakdown=True, location_map={"1": "west", "2": "west"})
    explanation = _explain(reading({"CUP": {"1": 5, "2": 3}}), "CUP", settings=settings, location_id="west")
    assert explanation.summary == ("8 = 5 available in Reno DC (1) + 3 available in Amazon FBA US (2)")
    assert explanation.evaluate() == 8


def test_a_warehouse_without_a_name_is_called_by_its_id() -> None:
    snapshot = reading({"CUP": {"1": 5}})
    first, *others = snapshot.warehouses
    unnamed = evolve(snapshot, warehouses=[evolve(first, name=""), *others])
    assert _explain(unnamed, "CUP").summary == "5 = 5 available in 1"


def test_json_holds_every_figure_and_what_was_worked_out() -> None:
    data = json.loads(_explain(GIFT_SET, "GIFT", GIFT=1).to_json())
    (row,) = data["rows"]
    assert data["summary"].startswith("8 = 3 on the shelf + 6 built")
    assert data["quantity"] == row["steps"][-1]["after"] == row["worked"]["total"] == 8
    assert row["orders"] == [{"master_sku": "GIFT", "units": 1, "when": ""}]
    assert {(one["master_sku"], one["location_id"]): one["available"] for one in row["levels"]} == {
        ("GIFT", "1"): 2,
        ("GIFT", "2"): 1,
        ("CUP", "1"): 20,
        ("CUP", "2"): -4,
        ("SPOON", "1"): None,
    }
    assert row["worked"]["shortage"] == {"master_sku": "SPOON", "need": 14, "have": 13}
    assert "\n" not in _explain(GIFT_SET, "GIFT").to_json(indent=None)


def test_an_explanation_evaluates_from_its_own_figures() -> None:
    explanation = _explain(GIFT_SET, "GIFT")
    (row,) = explanation.rows
    more = [evolve(level, on_hand=24) if level.master_sku == "SPOON" else level for level in row.levels]
    assert explanation.evaluate() == 9
    assert evolve(explanation, rows=(evolve(row, levels=tuple(more)),)).evaluate() == 11


def test_a_derivation_names_what_is_not_reported() -> None:
    row: Derivation = _explain(reading({"CUP": {"1": 5}}), "CUP").rows[0]
    (level,) = row.levels
    missing = evolve(row, levels=(evolve(level, available=None),))
    assert row.unreported == ()
    assert [one.location_id for one in missing.unreported] == ["1"]


def test_an_explanation_is_the_same_in_every_order_of_reading() -> None:
    back = evolve(GIFT_SET, levels=reversed(list(GIFT_SET.levels)), warehouses=reversed(GIFT_SET.warehouses))
    assert _explain(GIFT_SET, "GIFT") == _explain(back, "GIFT")


def test_a_debt_that_is_lifted_by_clamp_each_is_named_with_the_figure_before() -> None:
    snapshot = reading({"CUP": {"1": -3, "2": 5}, "TIN": {"1": {"on_hand": 2, "committed": 6}}})
    text = str(_explain(snapshot, "CUP", per_warehouse(clamp_each=True)))
    assert text.startswith("CUP: 5 = 5 available in 2 locations\n")
    assert "    Reno DC (1): counted, 0 (a debt lifted by clamp_each: -3 available as reported)\n" in text
    assert "    Amazon FBA US (2): counted, 5 (available as reported)\n" in text
    text = str(_explain(snapshot, "TIN", per_warehouse(clamp_each=True)))
    assert "counted, 0 (a debt lifted by clamp_each: -4 on hand 2 - committed 6 - locked 0)" in text
    assert "clamp_each" not in str(_explain(snapshot, "CUP"))


def test_a_figure_that_was_lost_on_its_way_is_said_to_be_doubtful() -> None:
    snapshot = reading({"CUP": {"1": 5, "2": 3}, "TIN": {"1": 4}}, doubtful={("CUP", "2")})
    doubt = "    the newest answer about these figures was lost on its way; they may be too high\n"
    assert doubt in str(_explain(snapshot, "CUP"))
    assert _explain(snapshot, "CUP").rows[0].doubtful
    assert doubt not in str(_explain(snapshot, "TIN"))
    assert doubt not in str(_explain(snapshot, "CUP", settings=cart(location="1")))


def test_a_location_that_does_not_count_is_listed_with_or_without_a_record() -> None:
    text = str(_explain(reading({"CUP": {"1": 1, "2": 3}}), "CUP", per_warehouse(disabled=["2", "3"])))
    assert "    Amazon FBA US (2): not counted, disabled for combining (3 available as reported)\n" in text
    assert "    Harbor 3PL (3): not counted, disabled for combining; no stock record here\n" in text
    assert "    total 1 unit\n" in text


@pytest.mark.parametrize("pooled", [False, True])
def test_where_nothing_is_built_no_part_is_called_the_bottleneck(pooled: bool) -> None:
    snapshot = reading({"BOX": {"1": 5}, "A": {"1": 3, "2": 0}}, {"BOX": {"A": 1}})
    places = ["1", "2", "3"] if pooled else ["1"]
    merchant = per_warehouse(preassembled_only=places, pooled_assembly=pooled)
    assert _explain(snapshot, "BOX", merchant).summary == (
        "5 = 5 on the shelf + 0 built (pre-assembled only: nothing is built where it is recorded)"
    )


def test_parts_pooled_from_elsewhere_are_built_for_a_record_at_a_pre_assembled_place() -> None:
    snapshot = reading({"BOX": {"1": 5}, "A": {"2": 3}}, {"BOX": {"A": 1}})
    merchant = per_warehouse(preassembled_only=["1"], pooled_assembly=True)
    assert _explain(snapshot, "BOX", merchant).summary == (
        "8 = 5 on the shelf + 3 built (bottleneck A: 3 // 1)"
    )


def test_an_explanation_is_one_line_for_a_debugger() -> None:
    assert repr(_explain(GIFT_SET, "CUP")) == "<Explanation of 'CUP': 16 = 16 available in 2 locations>"


def test_times_are_told_as_universal_time() -> None:
    cups = reading({"CUP": {"1": 5}}, taken_at=datetime(2026, 11, 25, 3, 12, 29, 4, tzinfo=_PACIFIC))
    assert str(_explain(cups, "CUP")).endswith("\n  figures read 2026-11-25 11:12:29Z")
