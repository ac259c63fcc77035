"""Desired against shown: what becomes of each line, in which order it is pushed, and what is said of it."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pytest
from fake_ports import capabilities, stock
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    Alias,
    Allocation,
    CartListing,
    CartSettings,
    InventorySnapshot,
    ListingState,
    MerchantSettings,
    Notice,
    PerWarehouse,
    PlanLine,
    QuantityRules,
    SkuOverride,
    SyncPlan,
    allocate,
)
from omsync.errors import InvalidValueError, NoExplanationError, SettingsError
from omsync.exchange import SinkCapabilities
from omsync.planning import accepted_figures, batches, changes_of, make_plan, refresh
from omsync.planning.plan import Key
from omsync.serial import load_plan

MERCHANT = MerchantSettings(mode=PerWarehouse())
Shown = Mapping[str, int | CartListing | None]


def allocation_of(figures: Mapping[str, int] | InventorySnapshot, **cart: Any) -> Allocation:
    snapshot = figures if isinstance(figures, InventorySnapshot) else stock(figures)
    return allocate(snapshot, MERCHANT, CartSettings(name="shop", **cart))


def listings(shown: Shown) -> list[CartListing]:
    return [
        one if isinstance(one, CartListing) else CartListing(listing_sku=sku, quantity=one)
        for sku, one in shown.items()
    ]


def planned(
    figures: Mapping[str, int] | InventorySnapshot,
    shown: Shown,
    *,
    accepted: Mapping[Key, int] | None = None,
    cart: Mapping[str, Any] | None = None,
    **can: Any,
) -> SyncPlan:
    return make_plan(
        allocation_of(figures, **(cart or {})), listings(shown), capabilities(**can), accepted or {}
    )


def only_line(plan: SyncPlan) -> PlanLine:
    (line,) = plan.lines
    return line


def line_of(sku: str, quantity: int, shown: int | None = None, **more: Any) -> PlanLine:
    basis = "none" if shown is None else "cart"
    given: dict[str, Any] = {"action": "change", "basis": basis, **more}
    return PlanLine(listing_sku=sku, master_sku=sku, quantity=quantity, shown=shown, **given)


def plan_of(*lines: PlanLine) -> SyncPlan:
    return SyncPlan(merchant="default", cart="shop", lines=lines)


def actions(plan: SyncPlan) -> dict[str, tuple[str, str]]:
    return {line.listing_sku: (line.action, line.reason) for line in plan.lines}


def test_a_listing_that_shows_something_else_is_changed_and_one_that_shows_it_already_is_not() -> None:
    plan = planned({"A": 5, "B": 7}, {"A": 3, "B": 7})

    assert actions(plan) == {"A": ("change", "stock"), "B": ("unchanged", "stock")}
    assert [(line.shown, line.basis) for line in plan.lines] == [(3, "cart"), (7, "cart")]


def test_a_cart_that_does_not_say_what_it_shows_is_told_again() -> None:
    line = only_line(planned({"A": 5}, {"A": None}))

    assert (line.action, line.shown, line.basis) == ("change", None, "none")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("untracked", "untracked_in_cart"),
        ("duplicate", "duplicate_in_cart"),
        ("unmanaged", "unmanaged_in_cart"),
    ],
)
def test_a_listing_that_cannot_take_a_quantity_is_skipped_with_the_remedy(state: str, reason: str) -> None:
    line = only_line(planned({"A": 5}, {"A": CartListing(listing_sku="A", quantity=1, state=state)}))

    assert (line.action, line.reason) == ("skip", reason)
    assert line.hint


def test_an_untracked_listing_is_pushed_where_the_cart_switches_tracking_on_whatever_it_seems_to_show() -> (
    None
):
    untracked = CartListing(listing_sku="A", quantity=5, state="untracked")

    line = only_line(planned({"A": 5}, {"A": untracked}, untracked_policy="track"))

    assert (line.action, line.shown) == ("change", None)


def test_a_listing_that_the_cart_does_not_have_is_skipped_unless_pushing_makes_it() -> None:
    assert actions(planned({"A": 5}, {})) == {"A": ("skip", "not_in_cart")}
    assert actions(planned({"A": 5}, {}, creates_listings=True)) == {"A": ("change", "stock")}


def test_a_listing_known_at_another_location_is_known_here_too() -> None:
    snapshot = stock({"A": 5}, places=("W1", "W2"))
    shown = CartListing(listing_sku="A", location_id="W1", quantity=5, allocated=0)

    plan = planned(snapshot, {"A": shown}, cart={"breakdown": True}, locations="optional")

    assert [(line.location_id, line.action) for line in plan.lines] == [("W1", "unchanged"), ("W2", "change")]
    assert [line.allocated for line in plan.lines] == [0, None]


def test_at_a_location_without_a_record_a_cart_that_keeps_units_on_hand_holds_nothing_allocated() -> None:
    snapshot = stock({"A": 5}, places=("W1", "W2"))
    shown = CartListing(listing_sku="A", location_id="W1", quantity=7, allocated=2)
    can: dict[str, Any] = {"quantity_meaning": "on_hand", "locations": "required"}

    plan = planned(snapshot, {"A": shown}, cart={"breakdown": True}, **can)

    assert [(line.action, line.shown, line.allocated) for line in plan.lines] == [
        ("unchanged", 5, 2),
        ("change", None, 0),
    ]


def test_a_cart_that_keeps_units_on_hand_is_compared_as_available_and_told_on_hand() -> None:
    shown = CartListing(listing_sku="A", quantity=10, allocated=4)
    can = capabilities(quantity_meaning="on_hand")

    plan = make_plan(allocation_of({"A": 5}), [shown], can)
    (row,) = changes_of(plan, can, run_id="r")

    assert only_line(plan).shown == 6
    assert (row.quantity, row.available, row.shown) == (9, 5, 10)


def test_a_debt_in_the_cart_is_lifted_to_nothing_by_telling_it_what_its_orders_hold() -> None:
    can = capabilities(quantity_meaning="on_hand")
    shown = CartListing(listing_sku="A", quantity=3, allocated=5)

    plan = make_plan(allocation_of({"A": 0}), [shown], can)
    (row,) = changes_of(plan, can, run_id="r")

    assert (only_line(plan).shown, row.quantity) == (-2, 5)


def test_a_cart_that_does_not_say_what_its_orders_hold_is_refused_rather_than_guessed_at() -> None:
    silent = CartListing(listing_sku="A", quantity=10)

    assert actions(planned({"A": 5}, {"A": silent}, quantity_meaning="on_hand")) == {
        "A": ("skip", "allocated_unknown")
    }
    assert actions(planned({"A": 5}, {}, quantity_meaning="on_hand", readable=False)) == {
        "A": ("skip", "allocated_unknown")
    }


def test_a_cart_that_cannot_be_read_is_compared_with_what_it_last_accepted() -> None:
    plan = planned({"A": 5, "B": 5, "C": 5}, {}, accepted={("A", None): 5, ("B", None): 2}, readable=False)

    assert [(line.action, line.shown, line.basis) for line in plan.lines] == [
        ("unchanged", 5, "ledger"),
        ("change", 2, "ledger"),
        ("change", None, "none"),
    ]


def test_a_figure_that_was_sent_since_and_never_answered_leaves_open_what_the_cart_shows() -> None:
    states = [
        ListingState(listing_sku="A", sent=5, accepted=5),
        ListingState(listing_sku="B", sent=3, accepted=5),
        ListingState(listing_sku="C", sent=3),
        ListingState(listing_sku="D", accepted=5),
    ]

    assert accepted_figures(states) == {("A", None): 5, ("D", None): 5}


def test_the_largest_quantity_of_the_cart_caps_what_it_is_told() -> None:
    line = only_line(planned({"A": 5000}, {"A": 1}, max_quantity=999))

    assert (line.quantity, line.reason) == (999, "capped_by_cart")


def test_a_quantity_that_the_cart_does_not_take_is_held_for_a_person() -> None:
    plan = planned({"A": 0, "B": 2, "C": 3}, {"A": 4, "B": 4, "C": 4}, accepts_zero=False, min_quantity=3)

    assert actions(plan) == {
        "A": ("hold", "cart_refuses_zero"),
        "B": ("hold", "below_cart_minimum"),
        "C": ("change", "stock"),
    }
    assert all(line.hint for line in plan.held)


def test_nothing_rises_on_a_figure_that_was_lost_on_its_way_but_it_may_fall() -> None:
    lost = {("RISE", "W1"), ("FALL", "W1"), ("NEW", "W1")}
    snapshot = stock({"RISE": 9, "FALL": 2, "NEW": 3}, doubtful=lost)

    plan = planned(snapshot, {"RISE": 5, "FALL": 5, "NEW": None})

    assert actions(plan) == {
        "RISE": ("hold", "source_answer_lost"),
        "FALL": ("change", "stock"),
        "NEW": ("hold", "source_answer_lost"),
    }


def test_listings_that_only_the_cart_has_are_counted_and_those_that_are_skipped_are_not_among_them() -> None:
    plan = planned(
        {"A": 5, "B": 1}, {"A": 5, "B": 1, "ZZZ": 3, "OLD": 3}, cart={"exclude": {"B"}}, lists_all=True
    )

    assert plan.cart_only == ("OLD", "ZZZ")


@pytest.mark.parametrize("quantities", [(3, 8), (8, 3), (3, 8, 3), (5, None)])
def test_a_listing_that_the_cart_gives_twice_and_differently_is_a_duplicate(
    quantities: tuple[int | None, ...],
) -> None:
    rows = [CartListing(listing_sku="A", quantity=quantity) for quantity in quantities]

    plan = make_plan(allocation_of({"A": 5}), rows, capabilities())
    again = refresh(plan_of(line_of("A", 5, 3)), rows, capabilities())

    assert actions(plan) == actions(again) == {"A": ("skip", "duplicate_in_cart")}


def test_a_listing_that_the_cart_gives_twice_alike_is_one() -> None:
    plan = make_plan(allocation_of({"A": 5}), [CartListing(listing_sku="A", quantity=3)] * 2, capabilities())

    assert actions(plan) == {"A": ("change", "stock")}


def at(location_id: str | None, quantity: int | None, sku: str = "A", **more: Any) -> CartListing:
    return CartListing(listing_sku=sku, location_id=location_id, quantity=quantity, **more)


def rows_beside(rows: Iterable[CartListing], **cart: Any) -> Notice | None:
    plan = make_plan(
        allocation_of(stock({"A": 5, "B": 5}, places=("W1", "W2")), **cart),
        rows,
        capabilities(locations="optional", lists_all=True),
    )
    found = [notice for notice in plan.notices if notice.reason == "rows_only_in_cart"]
    assert len(found) <= 1
    return found[0] if found else None


def test_what_the_cart_still_shows_at_places_that_a_breakdown_does_not_tell_is_said() -> None:
    rows = [at("W1", 5), at("OLD", 4), at(None, 2), at("W2", 1, "B"), at("OLD", 9, "B")]

    notice = rows_beside(rows, breakdown=True)

    assert notice is not None
    assert notice.entries == ("A", "A at OLD", "B at OLD")
    assert notice.message == (
        "3 rows of these listings at places that the plan does not tell; they keep what they show: "
        "'A', 'A at OLD', 'B at OLD'"
    )


def test_what_the_cart_still_shows_by_place_beside_a_total_is_said() -> None:
    notice = rows_beside([at(None, 5), at("W1", 4)])

    assert notice is not None
    assert notice.message.startswith("1 row of these listings at places")


@pytest.mark.parametrize("rows", [[at("OLD", 0)], [at("OLD", None)], [at("OLD", -2)], [at("OLD", 3, "ODD")]])
def test_rows_that_show_nothing_or_are_of_no_planned_listing_are_no_matter(rows: list[CartListing]) -> None:
    assert rows_beside([at("W1", 5), *rows], breakdown=True) is None


def test_a_row_that_repeats_a_figure_under_another_name_is_not_counted_twice() -> None:
    names = [at("1", 5), at("Main", 5, same_as="1"), at(None, 5, same_as="1")]
    by_name = {"location_map": {"W1": "Main"}, "breakdown": True, "location": "W1"}
    by_number = {**by_name, "location_map": {"W1": "1"}}
    elsewhere = {**by_name, "location_map": {"W1": "2"}}

    assert rows_beside(names) is None
    assert rows_beside(names, **by_name) is None
    assert rows_beside(names, **by_number) is None
    notice = rows_beside(names, **elsewhere)
    assert notice is not None
    assert notice.entries == ("A at 1",)


def test_a_breakdown_into_a_cart_without_locations_is_refused_and_so_is_the_reverse() -> None:
    with pytest.raises(SettingsError) as without:
        planned({"A": 5}, {}, cart={"breakdown": True})
    with pytest.raises(SettingsError) as required:
        planned({"A": 5}, {}, locations="required")

    assert (without.value.code, required.value.code) == ("cart_has_no_locations", "cart_needs_locations")
    assert "fake cart" in str(without.value)
    assert "breakdown=True" in str(required.value)


def test_a_cart_that_takes_listings_down_at_zero_and_cannot_refuse_late_writes_is_said_to() -> None:
    def reasons(shown: int, **can: Any) -> list[str]:
        return [notice.reason for notice in planned({"A": 0}, {"A": shown}, **can).notices]

    assert reasons(4, zero_ends_listing=True) == ["zero_ends_listing", "blind_cart"]
    assert reasons(4, zero_ends_listing=True, compare_and_set="cas") == ["zero_ends_listing"]
    assert reasons(0, zero_ends_listing=True) == []


def test_units_that_rules_keep_back_are_added_up() -> None:
    assert planned({"A": 5, "B": 7}, {}, cart={"rules": QuantityRules(safety_stock=2)}).withheld == 4


def test_zeros_go_first_then_falls_then_the_unknown_then_rises() -> None:
    plan = plan_of(
        line_of("RISE", 9, 2),
        line_of("NEW", 4),
        line_of("FALL", 3, 8),
        line_of("ZERO", 0, 1),
        line_of("Z2", 0),
    )

    assert [line.listing_sku for line in plan.changes] == ["ZERO", "Z2", "FALL", "NEW", "RISE"]
    rows = changes_of(plan, capabilities(), run_id="r")
    assert [row.listing_sku for row in rows] == ["ZERO", "Z2", "FALL", "NEW", "RISE"]


def test_held_lines_go_out_only_when_approved_and_in_their_place() -> None:
    plan = plan_of(line_of("RISE", 9, 2), line_of("ZERO", 0, 1, action="hold"))

    without = changes_of(plan, capabilities(), run_id="r")
    approved = changes_of(plan, capabilities(), run_id="r", approved=True)

    assert [row.listing_sku for row in without] == ["RISE"]
    assert [row.listing_sku for row in approved] == ["ZERO", "RISE"]


def test_a_row_carries_a_key_of_its_own_and_the_version_that_the_cart_gave() -> None:
    plan = plan_of(line_of("A", 1, 2, version="v7"), line_of("B", 1, 2, location_id="W1"))

    rows = changes_of(plan, capabilities(), run_id="run-1")

    assert [(row.key, row.version) for row in rows] == [("run-1:A:", "v7"), ("run-1:B:W1", None)]


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"max_rows": None}, [7]),
        ({"max_rows": 3}, [3, 3, 1]),
        ({"max_rows": 100, "max_bytes": 500, "bytes_per_row": 100, "bytes_per_call": 90}, [4, 3]),
        ({"max_rows": 2, "max_bytes": 500, "bytes_per_row": 100}, [2, 2, 2, 1]),
        ({"max_rows": None, "max_bytes": 10, "bytes_per_row": 100}, [1, 1, 1, 1, 1, 1, 1]),
        ({"max_rows": None, "max_bytes": 10}, [7]),
    ],
)
def test_batches_stay_within_rows_and_bytes_and_keep_the_order(
    limits: dict[str, int | None], sizes: list[int]
) -> None:
    rows = changes_of(plan_of(*(line_of(f"S{n}", n, 99) for n in range(7))), capabilities(), run_id="r")

    cut = batches(rows, capabilities(**limits))

    assert [len(batch) for batch in cut] == sizes
    assert tuple(row for batch in cut for row in batch) == rows


def test_nothing_to_push_is_no_batch() -> None:
    assert batches((), capabilities(max_rows=None)) == ()


def test_a_cart_that_takes_one_location_a_push_gets_it_and_zeros_still_go_first() -> None:
    can = capabilities(grouping="by_location", locations="optional", max_rows=2)
    plan = plan_of(
        line_of("A", 0, 1, location_id="W1"),
        line_of("A", 0, 1, location_id="W2"),
        line_of("B", 0, 1, location_id="W1"),
        line_of("C", 0, 1, location_id="W1"),
        line_of("D", 9, 1, location_id="W1"),
        line_of("E", 0, 1),
    )

    cut = batches(changes_of(plan, can, run_id="r"), can)

    assert [[(row.listing_sku, row.location_id) for row in batch] for batch in cut] == [
        [("E", None)],
        [("A", "W1"), ("B", "W1")],
        [("C", "W1")],
        [("A", "W2")],
        [("D", "W1")],
    ]


# A plan that is looked at again before it is pushed.


def looked_at_again(line: PlanLine, *shown: CartListing, **can: Any) -> PlanLine:
    return only_line(refresh(plan_of(line), shown, capabilities(**can)))


def test_a_line_that_shows_the_same_as_when_planned_is_pushed() -> None:
    line = looked_at_again(line_of("A", 5, 3), CartListing(listing_sku="A", quantity=3, version="9"))

    assert (line.action, line.version) == ("change", "9")


def test_a_line_that_moved_meanwhile_is_dropped_and_says_how() -> None:
    line = looked_at_again(line_of("A", 5, 3), CartListing(listing_sku="A", quantity=2))

    assert (line.action, line.reason) == ("skip", "moved_since_plan")
    assert "showed 3 when planned and shows 2 now" in line.hint


def test_a_line_of_which_nothing_was_known_and_which_shows_something_now_has_moved() -> None:
    line = looked_at_again(line_of("A", 5), CartListing(listing_sku="A", quantity=2))

    assert (line.action, line.reason) == ("skip", "moved_since_plan")
    assert "showed nothing known when planned and shows 2 now" in line.hint


def test_a_line_that_shows_its_quantity_by_now_is_unchanged() -> None:
    assert looked_at_again(line_of("A", 5, 3), CartListing(listing_sku="A", quantity=5)).action == "unchanged"
    assert looked_at_again(line_of("A", 5), CartListing(listing_sku="A", quantity=5)).action == "unchanged"


def test_a_listing_that_has_gone_from_the_cart_is_skipped_but_one_to_be_made_is_still_made() -> None:
    assert looked_at_again(line_of("A", 5, 3)).reason == "not_in_cart"
    assert looked_at_again(line_of("A", 5)).action == "change"


def test_a_listing_that_cannot_take_a_quantity_any_more_is_skipped() -> None:
    doubled = CartListing(listing_sku="A", quantity=3, state="duplicate")
    silent = CartListing(listing_sku="A", quantity=3)
    tracking = CartListing(listing_sku="A", quantity=3, state="untracked")

    assert looked_at_again(line_of("A", 5, 3), doubled).reason == "duplicate_in_cart"
    assert (
        looked_at_again(line_of("A", 5, 3), silent, quantity_meaning="on_hand").reason == "allocated_unknown"
    )
    assert looked_at_again(line_of("A", 5), tracking, untracked_policy="track").action == "change"


def test_for_units_on_hand_the_newest_units_of_its_orders_are_taken_over() -> None:
    line = looked_at_again(
        line_of("A", 5, 3, allocated=1),
        CartListing(listing_sku="A", quantity=9, allocated=6),
        quantity_meaning="on_hand",
    )

    assert (line.action, line.allocated) == ("change", 6)


def test_lines_that_were_never_to_be_pushed_are_left_alone() -> None:
    line = line_of("A", 5, 5, action="unchanged")

    assert looked_at_again(line, CartListing(listing_sku="A", quantity=1)) == line


@pytest.mark.parametrize(
    ("accepted", "action"),
    [
        ({("A", None): 3}, "change"),
        ({("A", None): 5}, "unchanged"),
        ({("A", None): 4}, "skip"),
        ({}, "change"),
    ],
)
def test_a_cart_that_cannot_be_read_is_looked_at_through_what_it_accepted_by_now(
    accepted: dict[Key, int], action: str
) -> None:
    unreadable = capabilities(readable=False)

    known = refresh(plan_of(line_of("A", 5, 3, basis="ledger")), (), unreadable, accepted)
    unknown = refresh(plan_of(line_of("A", 5)), (), unreadable, accepted)

    assert only_line(known).action == action
    assert only_line(unknown).action == "change"


# What a plan says of itself.


def test_the_digest_names_what_every_listing_shall_show_and_no_time() -> None:
    one = planned({"A": 5, "B": 7}, {"A": 3, "B": 7})
    later = attrs.evolve(one, taken_at="2031-01-01T00:00:00+00:00")
    other = planned({"A": 6, "B": 7}, {"A": 3, "B": 7})

    assert one.digest == later.digest == planned({"A": 5, "B": 7}, {"A": 4, "B": 2}).digest
    assert one.digest != other.digest
    assert one.digest != planned({"A": 5}, {"A": 4}).digest
    assert one.digest != planned({"A": 5, "B": 6}, {"A": 3, "B": 6}).digest
    assert one.digest != attrs.evolve(one, cart="other").digest
    assert one.digest != attrs.evolve(one, merchant="other").digest
    assert plan_of(line_of("A", 5, location_id="W1")).digest != plan_of(line_of("A", 5)).digest


def test_the_digest_does_not_depend_on_the_order_of_lines_and_counts_all_of_them() -> None:
    lines = (line_of("A", 5, 1), line_of("B", 6, 1, action="hold"))

    assert plan_of(*lines).digest == plan_of(*reversed(lines)).digest
    assert plan_of(*lines).digest != plan_of(lines[0]).digest
    assert plan_of(lines[0], line_of("C", 3, 3, action="unchanged")).digest != plan_of(lines[0]).digest
    assert plan_of(line_of("A", 5, 5, action="unchanged")).digest == plan_of(lines[0]).digest


@pytest.mark.parametrize("lines", [0, 1, 999, 1000, 1001, 2500])
def test_the_digest_is_that_of_the_whole_plan_written_as_json_however_long_it_is(lines: int) -> None:
    plan = plan_of(
        *(line_of(f'S"{n * 7 % 2503}ü', n, location_id=f"W{n}" if n % 2 else None) for n in range(lines))
    )
    rows = sorted([line.listing_sku, line.location_id or "", line.quantity] for line in plan.lines)
    text = json.dumps([plan.merchant, plan.cart, plan.destination, rows], separators=(",", ":"))

    assert plan.digest == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert pickle.loads(pickle.dumps(plan)).digest == plan.digest  # noqa: S301  our own


def test_a_plan_is_one_line_for_a_debugger() -> None:
    plan = planned({"A": 5, "B": 7}, {"A": 3, "B": 7})

    assert repr(plan) == f"<SyncPlan {plan.digest} for default / shop: 1 to change>"
    assert repr(allocation_of({"A": 5})) == "<Allocation for default / shop: 1 quantity, 0 skipped>"
    assert repr(allocation_of({"A": 5, "B": 7}, exclude={"B", "A"})).endswith("0 quantities, 2 skipped>")


def test_a_plan_prints_as_a_table_that_names_what_changes_what_is_held_and_what_is_skipped() -> None:
    lost = {("LOST", "W1")}
    snapshot = stock({"A": 5, "B": 2, "LOST": 9, "OUT": 1}, places=("W1",), doubtful=lost)
    cart = {"exclude": {"OUT"}, "overrides": {"B": SkuOverride(rules=QuantityRules(percent=50))}}

    text = str(planned(snapshot, {"A": None, "B": 4, "LOST": 1, "ODD": 1}, cart=cart, lists_all=True))

    assert "2 to change, 0 unchanged, 1 held, 1 skipped" in text
    assert "listing  location  shows  shall show" in text
    assert "A        -         ?      5" in text
    assert "held: source answer lost" in text
    assert "skipped: 1 excluded" in text
    assert "only in the cart: 1 (ODD)" in text
    assert "keep back 1 unit" in text
    assert "note: The cart cannot refuse a write that comes too late" in text


def test_a_long_plan_prints_only_its_beginning_and_an_empty_one_no_table() -> None:
    long = str(plan_of(*(line_of(f"S{n:03}", 5, 1) for n in range(60))))

    assert "... and 20 more" in long
    assert "S039" in long
    assert "S040" not in long
    assert "shall show" not in str(plan_of())
    assert "switched off" in str(SyncPlan(merchant="m", cart="c", enabled=False))


def test_a_plan_explains_its_quantities_here_and_its_changed_ones_elsewhere() -> None:
    plan = planned({"A": 5, "B": 7}, {"A": 3, "B": 7})
    elsewhere = plan.portable()

    assert plan.explain("B").evaluate() == 7
    assert elsewhere.portable() is elsewhere
    assert elsewhere.explain("A").evaluate() == 5
    with pytest.raises(NoExplanationError) as caught:
        elsewhere.explain("B")
    assert caught.value.code == "not_carried"


def test_an_alias_cart_is_planned_by_its_listing_codes() -> None:
    aliases = [Alias(name="Shop US", listing_sku="us-a", master_sku="A", units=2)]

    plan = planned(stock({"A": 5}, aliases=aliases), {"us-a": 1}, cart={"alias": "Shop US"})

    assert [(line.listing_sku, line.master_sku, line.quantity) for line in plan.lines] == [("us-a", "A", 2)]


# Laws.

SKUS = ("A", "B", "C", "D", "E", "F")
figure = st.integers(0, 6)
shown_listing = st.builds(
    CartListing,
    listing_sku=st.sampled_from(SKUS),
    quantity=st.none() | st.integers(-2, 6),
    allocated=st.none() | st.integers(0, 4),
    state=st.sampled_from(("listed", "listed", "listed", "untracked", "duplicate", "unmanaged")),
)
cart_abilities = st.builds(
    capabilities,
    quantity_meaning=st.sampled_from(("available", "on_hand")),
    readable=st.booleans(),
    creates_listings=st.booleans(),
    accepts_zero=st.booleans(),
    min_quantity=st.integers(0, 3),
    max_quantity=st.none() | st.integers(3, 5),
    max_rows=st.none() | st.integers(1, 4),
    untracked_policy=st.sampled_from(("skip", "track", "error")),
)
some_plans = st.builds(
    make_plan,
    st.dictionaries(st.sampled_from(SKUS), figure).map(allocation_of),
    st.lists(shown_listing, unique_by=lambda one: one.listing_sku),
    cart_abilities,
)


@given(some_plans, cart_abilities)
def test_every_quantity_has_exactly_one_line_and_every_change_is_one_row_in_order_of_danger(
    plan: SyncPlan, can: SinkCapabilities
) -> None:
    keys = [line.key for line in plan.lines]
    rows = changes_of(plan, can, run_id="r")
    by_key = {line.key: line for line in plan.lines}
    dangers = [by_key[row.listing_sku, row.location_id].danger for row in rows]

    assert len(keys) == len(set(keys))
    assert [row for batch in batches(rows, can) for row in batch] == list(rows)
    assert sorted((row.listing_sku, row.location_id) for row in rows) == sorted(
        line.key for line in plan.changes
    )
    assert dangers == sorted(dangers)
    assert all(row.quantity >= 0 for row in rows)


@given(
    st.dictionaries(st.sampled_from(SKUS), figure),
    st.lists(shown_listing, unique_by=lambda one: one.listing_sku),
    cart_abilities,
)
def test_looking_again_at_a_cart_that_did_not_move_changes_no_line(
    figures: dict[str, int], shown: Iterable[CartListing], can: SinkCapabilities
) -> None:
    shown = list(shown)
    plan = make_plan(allocation_of(figures), shown, can)

    assert refresh(plan, shown, can).lines == plan.lines


# A cart that is sent everything each time.


def rows_of(plan: SyncPlan, *, approved: bool = False, **can: Any) -> dict[str, tuple[int, bool]]:
    rows = changes_of(plan, capabilities(contents="full", **can), run_id="r", approved=approved)
    return {row.listing_sku: (row.quantity, row.repeated) for row in rows}


def full_plan(shown: Shown, figures: Mapping[str, int], **more: Any) -> SyncPlan:
    return planned(figures, shown, contents="full", lists_all=True, creates_listings=True, **more)


def test_a_cart_that_is_sent_everything_gets_what_is_unchanged_again() -> None:
    plan = full_plan({"A": 5, "B": 1}, {"A": 5, "B": 7, "C": 2})

    assert rows_of(plan) == {"A": (5, True), "B": (7, False), "C": (2, False)}
    assert plan.known == ()


def test_what_is_held_is_repeated_at_what_the_cart_was_last_told_until_it_is_approved() -> None:
    plan = full_plan({"A": 5}, {"A": 0}, accepts_zero=False)

    assert actions(plan) == {"A": ("hold", "cart_refuses_zero")}
    assert rows_of(plan) == {"A": (5, True)}
    assert rows_of(plan, approved=True) == {"A": (0, False)}


def test_what_is_held_and_was_never_told_is_left_out() -> None:
    assert rows_of(full_plan({}, {"A": 0}, accepts_zero=False)) == {}


def test_what_is_skipped_but_known_is_repeated_and_what_was_never_told_is_not() -> None:
    plan = full_plan({"OUT": 4, "GONE": 3}, {"A": 1, "OUT": 9, "NEW": 9}, cart={"exclude": {"OUT", "NEW"}})

    assert rows_of(plan) == {"A": (1, False), "OUT": (4, True), "GONE": (3, True)}
    assert [row.listing_sku for row in plan.known] == ["GONE", "OUT"]
    assert [(one.reason, one.entries) for one in plan.notices if one.reason == "cart_only_repeated"] == [
        ("cart_only_repeated", ("GONE",))
    ]
    assert plan.cart_only == ("GONE",)


def test_a_plan_for_a_cart_that_is_sent_everything_says_how_many_rows_are_repeated() -> None:
    plan = full_plan({"A": 5, "OLD": 2}, {"A": 5, "B": 5})

    (said,) = [one.message for one in plan.notices if one.reason == "told_everything"]
    assert said == "fake cart is told everything each time, and what does not change as last told: 2 rows"


@pytest.mark.parametrize(
    "listing",
    [
        CartListing(listing_sku="OLD", quantity=1, state="duplicate"),
        CartListing(listing_sku="OLD", quantity=None),
        CartListing(listing_sku="OLD", location_id="W", quantity=1, same_as="V"),
    ],
)
def test_what_the_cart_was_told_is_repeated_only_where_it_is_certain(listing: CartListing) -> None:
    assert full_plan({"OLD": listing}, {"A": 1}).known == ()


def test_a_cart_that_cannot_be_read_gets_repeated_what_it_accepted() -> None:
    plan = planned(
        {"A": 5, "B": 0},
        {},
        accepted={("A", None): 5, ("B", None): 3, ("OLD", "W"): 2, ("OLD", None): 1},
        contents="full",
        readable=False,
        accepts_zero=False,
    )

    assert rows_of(plan, readable=False)["A"] == (5, True)
    assert rows_of(plan, readable=False)["B"] == (3, True)
    assert [(row.listing_sku, row.location_id) for row in plan.known] == [("OLD", None), ("OLD", "W")]


def test_a_repeated_figure_is_never_negative() -> None:
    assert rows_of(full_plan({"OLD": -3}, {}))["OLD"] == (0, True)


def test_what_is_sent_as_a_whole_is_one_push_whatever_the_limits_are() -> None:
    can = capabilities(
        contents="full",
        max_rows=1,
        max_bytes=10,
        bytes_per_row=9,
        grouping="by_location",
        locations="optional",
    )
    rows = changes_of(full_plan({"A": 5, "B": 1}, {"A": 5, "B": 7}), can, run_id="r")

    assert [len(batch) for batch in batches(rows, can)] == [2]
    assert can.rows_per_push is None


def test_a_cart_that_keeps_units_on_hand_cannot_be_sent_everything() -> None:
    with pytest.raises(InvalidValueError, match="does not go with"):
        capabilities(contents="full", quantity_meaning="on_hand")


def test_what_was_told_since_the_plan_is_what_a_later_push_repeats() -> None:
    can = capabilities(contents="full", lists_all=True, creates_listings=True)
    plan = full_plan({"A": 5, "OUT": 4, "OLD": 3}, {"A": 5, "OUT": 9}, cart={"exclude": {"OUT"}})

    again = refresh(plan, listings({"A": 6, "OUT": 2, "OLD": 1}), can)

    assert actions(again) == {"A": ("skip", "moved_since_plan")}
    assert rows_of(again) == {"A": (6, True), "OUT": (2, True), "OLD": (1, True)}
    assert rows_of(refresh(plan, listings({"A": 5}), can)) == {"A": (5, True)}


def test_a_line_that_was_told_and_is_not_any_more_has_moved_and_is_not_repeated() -> None:
    can = capabilities(contents="full", lists_all=True, creates_listings=True)
    plan = full_plan({"A": 5}, {"A": 5, "NEW": 1})

    again = refresh(plan, [], can)

    assert actions(again) == {"A": ("skip", "moved_since_plan"), "NEW": ("change", "stock")}
    assert rows_of(again) == {"NEW": (1, False)}


def test_a_skipped_line_is_looked_at_again_only_for_what_is_repeated() -> None:
    can = capabilities(contents="full", lists_all=True)
    plan = plan_of(line_of("A", 5, 4, action="skip", reason="location_named_twice"))

    assert rows_of(refresh(plan, listings({"A": 3}), can)) == {"A": (3, True)}
    assert rows_of(refresh(plan, [], can)) == {}


def test_a_plan_with_known_rows_survives_being_saved() -> None:
    plan = full_plan({"A": 5, "OLD": 2}, {"A": 7})

    assert load_plan(plan.to_json()).known == plan.known
