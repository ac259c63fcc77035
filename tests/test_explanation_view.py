"""Why a quantity is what it is, drawn; and what one unit more would do, derived again and never guessed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_merchant import BY_CHANNEL, BY_WAREHOUSE, alias, cart, per_warehouse, reading

from omsync import (
    Allocation,
    Explanation,
    InventorySnapshot,
    QuantityRules,
    SkuOverride,
    StockLevel,
    allocate,
    explanation_view,
    what_if,
)
from omsync.allocation import allocate_by_reference
from omsync.errors import InvalidValueError, NoExplanationError, WrongTypeError
from omsync.views.derivation import tree_of
from omsync.views.levers import levers_of
from omsync.views.page import Branch, Chart, Table

STOCK = {
    "SET": {"1": 2, "3": 0},
    "DUO": {"1": 0},
    "PART-A": {"1": 10, "3": 4},
    "PART-B": {"1": 3, "3": 9, "2": 5},
    "MUG": {"1": 5},
}
BUNDLES = {"SET": {"PART-A": 1, "PART-B": 2}, "DUO": {"PART-B": 1}}
NO_FBA = per_warehouse(disabled={"Amazon FBA US"})


def worked(rules: QuantityRules | None = None, **more: object) -> Allocation:
    return allocate(reading(STOCK, BUNDLES), NO_FBA, cart(rules=rules or QuantityRules(), **more))


def branches(explanation: Explanation) -> Iterator[Branch]:
    ahead = [tree_of(explanation).root]
    while ahead:
        branch = ahead.pop()
        yield branch
        ahead += branch.branches


def labelled(explanation: Explanation, label: str) -> list[Branch]:
    return [branch for branch in branches(explanation) if branch.label == label]


def deciding(explanation: Explanation) -> set[str]:
    return {branch.label for branch in branches(explanation) if branch.tone == "decides"}


# The tree.


def test_a_bundles_tree_names_shelf_parts_and_the_part_that_decides_at_each_warehouse() -> None:
    told = worked(QuantityRules(safety_stock=1)).explain("SET")

    root = tree_of(told).root
    assert (root.label, root.figure) == ("SET", 6)
    (reno,) = labelled(told, "Reno DC (1)")
    assert (reno.figure, reno.detail) == (3, "counted: 2 on the shelf + 1 built")
    built = reno.branches[1]
    assert (built.figure, built.detail) == (1, "one more needs 4 PART-B, there are 3")
    assert [(part.label, part.figure, part.tone) for part in built.branches] == [
        ("PART-A", 10, ""),
        ("PART-B", 3, "decides"),
    ]
    assert built.branches[0].detail == "1 in each, enough for 10; available as reported"
    (harbor,) = labelled(told, "Harbor 3PL (3)")
    assert [part.tone for part in harbor.branches[1].branches] == ["decides", ""]


def test_each_rule_that_is_set_stands_in_its_order_with_before_and_after() -> None:
    told = worked(QuantityRules(percent=50, safety_stock=1, max_quantity=2)).explain("SET")
    rules = [branch for branch in tree_of(told).root.branches[0].branches if "->" in branch.detail]

    assert [(one.label, one.detail, one.figure) for one in rules] == [
        ("percent 50", "7 -> 3", 3),
        ("safety_stock 1", "3 -> 2", 2),
        ("max_quantity 2", "2 -> 2", 2),
    ]


def test_a_location_that_does_not_count_is_there_with_its_figure_and_the_reason() -> None:
    told = worked().explain("PART-B")
    (fba,) = labelled(told, "Amazon FBA US (2)")

    assert (fba.figure, fba.tone) == (5, "quiet")
    assert fba.detail == "not counted: disabled for combining; available as reported"
    (elsewhere,) = labelled(worked().explain("MUG"), "Harbor 3PL (3)")
    assert (elsewhere.figure, elsewhere.detail) == (None, "counted; no stock record here")
    (nowhere,) = labelled(worked().explain("MUG"), "Amazon FBA US (2)")
    assert nowhere.detail == "not counted: disabled for combining; no stock record here"


def test_what_is_recorded_only_where_this_cart_does_not_count_is_0_and_says_so() -> None:
    allocation = allocate(reading({"MUG": {"2": 5}}), NO_FBA, cart())
    (row,) = tree_of(allocation.explain("MUG")).root.branches

    assert (row.figure, row.detail) == (0, "recorded only at locations that this cart does not count")
    assert [one.label for one in row.branches] == ["Reno DC (1)", "Amazon FBA US (2)", "Harbor 3PL (3)"]
    view = explanation_view(allocation.explain("MUG"))
    assert view.levers == ()
    assert "nothing recorded would change it" in str(view)


def test_parts_that_are_owed_elsewhere_decide_over_all_locations_together() -> None:
    snapshot = reading({"SET": {"1": 0, "3": 0}, "PART-A": {"1": 5, "3": -4}}, {"SET": {"PART-A": 1}})
    told = allocate(snapshot, BY_WAREHOUSE, cart()).explain("SET")

    assert told.quantity == 1
    assert deciding(told) == {"parts netted over the counted locations make"}
    (netted,) = labelled(told, "parts netted over the counted locations make")
    assert (netted.figure, netted.detail) == (1, "one more needs 2 PART-A, there are 1")


def test_parts_that_may_be_brought_together_decide_together() -> None:
    snapshot = reading(
        {"SET": {"1": 0}, "PART-A": {"1": 5}, "PART-B": {"3": 2}}, {"SET": {"PART-A": 1, "PART-B": 1}}
    )
    told = allocate(snapshot, per_warehouse(pooled_assembly=True), cart()).explain("SET")

    assert told.quantity == 2
    assert deciding(told) == {"parts pooled over the counted locations make"}


def test_a_kit_in_a_kit_is_taken_apart_once() -> None:
    stock = {"BOX": {"1": 0}, "SET": {"1": 1}, "KIT": {"1": 0}, "LID": {"1": 7}}
    bundles = {"BOX": {"SET": 1, "KIT": 1}, "SET": {"KIT": 1}, "KIT": {"LID": 2}}
    told = allocate(reading(stock, bundles), BY_WAREHOUSE, cart()).explain("BOX")

    assert told.quantity == told.evaluate()
    assert [len(kit.branches) for kit in labelled(told, "KIT")].count(1) == 1
    assert deciding(told) == {"LID"}


def test_a_warehouse_that_builds_nothing_says_so() -> None:
    merchant = per_warehouse(preassembled_only={"Reno DC"})
    told = allocate(reading(STOCK, BUNDLES), merchant, cart()).explain("SET")
    (reno,) = labelled(told, "Reno DC (1)")

    assert (reno.figure, reno.detail) == (2, "counted: pre-assembled only, nothing is built here")
    assert [one.label for one in reno.branches] == ["on the shelf"]


def test_a_bundle_that_is_taken_as_reported_says_so() -> None:
    snapshot = reading(STOCK, BUNDLES, bundles_include_buildable="yes")
    told = allocate(snapshot, NO_FBA, cart()).explain("SET")

    assert tree_of(told).root.branches[0].detail == "a bundle, taken as the order manager reports it"
    assert [one.detail for one in labelled(told, "Reno DC (1)")] == ["counted: available as reported"]


def test_orders_in_flight_are_taken_off_in_sight() -> None:
    told = allocate(reading(STOCK, BUNDLES), NO_FBA, cart(), {"MUG": 2}, orders_when="from 8 to 9").explain(
        "MUG"
    )
    (orders,) = labelled(told, "orders in flight of MUG")

    assert (told.quantity, orders.figure, orders.detail) == (3, -2, "looked for from 8 to 9")
    plain = allocate(reading(STOCK, BUNDLES), NO_FBA, cart(), {"MUG": 2}).explain("MUG")
    assert labelled(plain, "orders in flight of MUG")[0].detail == "not in the figures yet"


def test_a_debt_that_is_lifted_and_a_figure_in_doubt_are_said() -> None:
    snapshot = reading({"MUG": {"1": -3, "3": 5}}, doubtful=[("MUG", "1")])
    told = allocate(snapshot, per_warehouse(clamp_each=True), cart()).explain("MUG")

    (reno,) = labelled(told, "Reno DC (1)")
    assert (reno.figure, reno.detail) == (
        0,
        "counted: available as reported; a debt lifted to 0 by clamp_each",
    )
    assert [one.tone for one in labelled(told, "a figure in doubt")] == ["warning"]
    assert "In doubt" in [fact.name for fact in explanation_view(told).page().facts]


def test_parts_of_which_a_location_has_no_record_are_0_there() -> None:
    snapshot = reading({"SET": {"1": 0}, "PART-A": {"1": 5}, "PART-B": {"3": 2}}, BUNDLES)
    told = allocate(snapshot, per_warehouse(clamp_each=True), cart(only={"SET"})).explain("SET")

    (missing,) = labelled(told, "PART-B")
    assert (missing.figure, missing.detail) == (0, "2 in each, enough for 0; no stock record here")


# What would change it.


def test_one_more_of_the_bottleneck_raises_it_and_one_more_of_the_other_part_does_not() -> None:
    told = worked().explain("SET")
    levers = {(one.master_sku, one.location_id): one for one in levers_of(told)}

    assert levers["PART-B", "1"].one_more == told.quantity + 1
    assert levers["PART-A", "1"].one_more == told.quantity
    assert levers["PART-A", "3"].one_less == told.quantity - 1
    assert levers["PART-A", "1"].next_rise is None
    assert ("PART-B", "2") not in levers  # it does not count
    assert levers["PART-B", "1"].sentence(7) == "one more of PART-B in Reno DC (1) raises this by 1"
    assert levers["PART-A", "1"].sentence(7) == "10,000 more of PART-A in Reno DC (1) do not raise this"


@pytest.mark.parametrize(
    ("missing", "rise"), [(0, 1), (1, 2), (8191, 8192), (8192, 8193), (9999, 10_000), (10_000, None)]
)
def test_the_next_rise_is_found_up_to_ten_thousand_units(missing: int, rise: int | None) -> None:
    snapshot = reading({"MUG": {"1": 0}})
    rules = QuantityRules(safety_stock=missing)
    (lever,) = levers_of(allocate(snapshot, BY_WAREHOUSE, cart(rules=rules)).explain("MUG"))

    assert lever.next_rise == rise


def test_each_figure_is_what_an_allocation_with_the_unit_gives() -> None:
    allocation = worked(QuantityRules(percent=60, safety_stock=1))
    snapshot = allocation.workbench.snapshot
    for sku in ("SET", "DUO", "PART-A", "PART-B", "MUG"):
        for lever in levers_of(allocation.explain(sku)):
            for units, figure in ((1, lever.one_more), (-1, lever.one_less), (lever.next_rise, None)):
                if units is None:
                    continue
                has = lever.has + units
                level = StockLevel(master_sku=lever.master_sku, location_id=lever.location_id, available=has)
                again = allocate(snapshot.with_levels([level]), NO_FBA, allocation.workbench.cart)
                quantity = again.explain(sku).quantity
                if figure is not None:
                    assert quantity == figure
                else:
                    assert quantity > allocation.explain(sku).quantity


def test_a_six_pack_says_how_many_units_raise_it() -> None:
    allocation = allocate(reading({"MUG": {"1": 8}}), BY_WAREHOUSE, cart(units={"MUG": 6}))
    (lever,) = levers_of(allocation.explain("MUG"))

    assert (lever.one_more, lever.next_rise) == (1, 4)
    assert lever.sentence(1) == "4 more of MUG in Reno DC (1) raise this"


def test_the_way_to_raise_a_bundle_is_a_part_rather_than_the_bundle_itself() -> None:
    assert levers_of(worked().explain("SET"))[0].master_sku == "PART-B"


def test_figures_that_are_computed_from_on_hand_are_levers_too() -> None:
    snapshot = reading({"MUG": {"1": {"on_hand": 7, "committed": 2}}})
    (lever,) = levers_of(allocate(snapshot, BY_WAREHOUSE, cart()).explain("MUG"))

    assert (lever.has, lever.one_more, lever.one_less) == (5, 6, 4)


# What it would do to the whole cart.


def test_one_more_of_a_shared_part_raises_three_listings() -> None:
    found = what_if(worked(), "PART-B", location_id="Reno DC")

    assert found.sentence == "1 more of PART-B in Reno DC (1) raises 3 listings"
    assert [(one.listing_sku, one.before, one.after) for one in found] == [
        ("DUO", 3, 4),
        ("PART-B", 12, 13),
        ("SET", 7, 8),
    ]
    assert repr(found) == f"<WhatIf: {found.sentence}>"
    assert "What if: +1 of PART-B" in str(found)


def test_without_a_location_it_is_where_most_listings_move() -> None:
    assert what_if(worked(), "PART-B").location == "Reno DC (1)"
    assert len(what_if(worked(), "PART-B", location_id="3")) == 1


def test_fewer_lower_and_what_moves_nothing_says_so() -> None:
    assert what_if(worked(), "PART-B", -1).sentence == "1 fewer of PART-B in Reno DC (1) lowers 2 listings"
    capped = worked(QuantityRules(max_quantity=1))
    assert what_if(capped, "MUG").sentence == "1 more of MUG in Reno DC (1) changes nothing"


def test_an_allocation_of_the_reference_engine_gives_the_same() -> None:
    allocation = allocate_by_reference(reading(STOCK, BUNDLES), NO_FBA, cart())

    assert what_if(allocation, "PART-B").moves == what_if(worked(), "PART-B").moves


def test_a_reading_with_its_settings_will_do() -> None:
    snapshot = reading(STOCK, BUNDLES)

    assert len(what_if(snapshot, "PART-B", merchant=NO_FBA, cart=cart())) == 3
    for wrong in (snapshot, "MUG"):
        with pytest.raises(WrongTypeError, match=r"what_if\(\) wants an Allocation"):
            what_if(wrong, "PART-B")  # type: ignore[arg-type]  # that is what is tried


@pytest.mark.parametrize(("sku", "place"), [("NIL", None), ("PART-B", "2"), ("MUG", "3")])
def test_what_has_no_figure_that_counts_is_refused(sku: str, place: str | None) -> None:
    with pytest.raises(NoExplanationError) as caught:
        what_if(worked(), sku, location_id=place)
    assert caught.value.code == "no_such_record"


def test_no_change_and_half_a_unit_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="must not be 0"):
        what_if(worked(), "MUG", 0)
    with pytest.raises(WrongTypeError, match="is a whole number"):
        what_if(worked(), "MUG", 0.5)  # type: ignore[arg-type]  # that is what is tried


def test_an_override_that_leaves_a_warehouse_out_counts() -> None:
    left_out = {"SET": SkuOverride(leave_out={"Reno DC"})}
    assert {one.location_id for one in levers_of(worked(overrides=left_out).explain("SET"))} == {"3"}


# The page.


def tables(page: object) -> list[Table]:
    return [part for part in page.parts if isinstance(part, Table)]  # type: ignore[attr-defined]  # a page


def test_the_page_answers_in_a_line_and_draws_the_rules() -> None:
    allocation = worked(QuantityRules(safety_stock=1))
    page = explanation_view(allocation.explain("SET"), allocation).page()

    assert page.title == "Why SET shall show 6"
    assert page.summary == "6 = 2 on the shelf + 5 built, safety_stock 1: 7 -> 6"
    facts = {fact.name: fact.value for fact in page.facts}
    assert facts["To raise it"] == "one more of PART-B in Reno DC (1) raises this by 1"
    (levers,) = tables(page)
    assert levers.rows[0] == (
        *("PART-B", "Reno DC (1)", 3, 7, 6, 1, 3),
        "DUO 2 -> 3, PART-B 11 -> 12, SET 6 -> 7",
    )
    assert levers.tones[0] == "decides"
    (drawn,) = [part for part in page.parts if isinstance(part, Chart)]
    assert (drawn.labels, drawn.series[0].figures) == (("in all", "safety stock"), (7, 6))


def test_without_an_allocation_only_this_listing_is_spoken_of() -> None:
    told = worked().explain("SET")
    (levers,) = tables(explanation_view(told).page())

    assert [column.title for column in levers.columns][-1] == "units to the next rise"
    assert [part for part in explanation_view(told).page().parts if isinstance(part, Chart)] == []
    assert repr(explanation_view(told)) == f"<ExplanationView of 'SET': {told.summary}>"


def test_a_location_of_a_breakdown_is_in_the_title() -> None:
    allocation = allocate(reading(STOCK, BUNDLES), NO_FBA, cart(breakdown=True))

    assert explanation_view(allocation.explain("SET", "3")).page().title == "Why SET at 3 shall show 4"


def test_more_listings_than_a_line_has_room_for_are_counted() -> None:
    names = [f"mug-{number}" for number in range(8)]
    snapshot: InventorySnapshot = reading({"MUG": {"1": 5}}, aliases=[alias(name, "MUG") for name in names])
    allocation = allocate(snapshot, BY_WAREHOUSE, cart(alias="Shopify US"))
    (levers,) = tables(explanation_view(allocation.explain("mug-0"), allocation).page())

    assert str(levers.rows[0][-1]).endswith("mug-4 5 -> 6 and 3 more")


def test_a_channels_figure_is_drawn_as_well() -> None:
    snapshot = reading({"MUG": {"91": 5, "92": 9}}, scope="channel")
    told = allocate(snapshot, BY_CHANNEL, cart(location="Shopify US")).explain("MUG")

    assert labelled(told, "Shopify US (91)")[0].figure == 5
    assert labelled(told, "Wholesale (92)")[0].tone == "quiet"
