"""What listings promise of every part against what is held: more than there is, and by how much."""

from __future__ import annotations

import attrs
import pytest
from fake_ports import DictLedger, FakeCart, FakeClock
from small_merchant import BY_CHANNEL, BY_WAREHOUSE, alias, cart, per_warehouse, reading

from omsync import Allocation, QuantityRules, allocate, component_view, load_plan, plan_cart
from omsync.errors import InvalidValueError, NoExplanationError, WrongTypeError
from omsync.views import ComponentView
from omsync.views.page import Chart, Table

STOCK = {"SET": {"1": 2}, "DUO": {"1": 0}, "LID": {"1": 10}, "POT": {"1": 4, "2": 50}}
BUNDLES = {"SET": {"LID": 2, "POT": 1}, "DUO": {"LID": 1}}
NO_FBA = per_warehouse(disabled={"2"})


def worked(name: str = "shop", **settings: object) -> Allocation:
    return allocate(reading(STOCK, BUNDLES), NO_FBA, cart(name=name, **settings))


def promised(view: ComponentView) -> dict[str, tuple[int | None, int]]:
    return {row.master_sku: (row.held, row.promised) for row in view}


def test_a_part_is_promised_by_its_own_listing_and_by_every_bundle_that_needs_it() -> None:
    # SET shows 2 + 4 = 6, of which 2 are on the shelf; DUO shows 10.
    assert promised(component_view(worked())) == {
        "LID": (10, 10 + 10 + 4 * 2),
        "POT": (4, 4 + 4),
        "SET": (2, 2),
        "DUO": (0, 0),
    }


def test_the_most_promised_comes_first_and_what_nothing_is_held_of_before_all() -> None:
    assert [(row.master_sku, row.ratio) for row in component_view(worked())] == [
        ("LID", 2.8),
        ("POT", 2.0),
        ("SET", 1.0),
        ("DUO", None),
    ]
    empty = allocate(reading({"MUG": {"1": 0}}), BY_WAREHOUSE, cart(rules=QuantityRules(backorder_room=3)))
    (mug,) = component_view(empty)
    assert (mug.held, mug.promised, mug.ratio, mug.is_over) == (0, 3, None, True)


def test_what_does_not_count_is_not_held() -> None:
    elsewhere = allocate(reading({"MUG": {"2": 5}, "CUP": {"1": 1}}), NO_FBA, cart())
    assert promised(component_view(elsewhere)) == {"CUP": (1, 1)}
    assert component_view(worked()).rows[1].held == 4  # and not the 50 at the warehouse that is disabled


def test_what_orders_in_flight_take_is_not_held_any_more() -> None:
    # Of three orders of SET, two take its shelf units, and one takes two lids and a pot.
    orders = {"SET": 3, "LID": 1, "GONE": 2}
    told = allocate(reading(STOCK, BUNDLES), NO_FBA, cart(), orders_in_flight=orders)
    view = component_view(told, worked("other"))

    assert {row.master_sku: row.held for row in view} == {
        "LID": 10 - 2 - 1,
        "POT": 4 - 1,
        "SET": 0,
        "DUO": 0,
    }


def test_kits_in_kits_are_taken_apart() -> None:
    stock = {"BOX": {"1": 0}, "SET": {"1": 1}, "LID": {"1": 9}}
    bundles = {"BOX": {"SET": 2}, "SET": {"LID": 3}}
    view = component_view(allocate(reading(stock, bundles), BY_WAREHOUSE, cart(only={"BOX"})))

    # BOX shows 2, that is 4 sets, of which 1 is on the shelf.
    assert promised(view) == {"LID": (9, 9), "SET": (1, 1), "BOX": (0, 0)}
    lid = view.of("LID")
    assert lid is not None
    assert [(one.listing_sku, one.each, one.units) for one in lid.uses] == [("BOX", 6, 12)]
    assert view.of("NIL") is None


def test_a_six_pack_takes_six_units() -> None:
    listings = [alias("mug", "MUG"), alias("mug-6", "MUG", units=6)]
    snapshot = reading({"MUG": {"1": 13}}, aliases=listings)
    view = component_view(allocate(snapshot, BY_WAREHOUSE, cart(alias="Shopify US")))

    assert promised(view) == {"MUG": (13, 13 + 12)}
    assert [(one.listing_sku, one.units) for one in view.rows[0].uses] == [("mug", 13), ("mug-6", 12)]


def test_several_carts_promise_the_same_stock() -> None:
    view = component_view(worked("shop"), worked("woo"))

    assert view.carts == ("shop", "woo")
    lid = view.of("LID")
    assert lid is not None
    # The sets on the shelf are promised twice as well, so the second cart's are built from parts.
    assert (lid.held, lid.promised) == (10, 2 * 20 + (2 * 6 - 2) * 2)
    page = view.page()
    (table,) = [part for part in page.parts if isinstance(part, Table)]
    assert table.details[0] is not None
    assert table.details[0].root.branches[0].label == "SET in shop"


def test_a_figure_that_is_not_reported_makes_what_is_held_unknown() -> None:
    snapshot = reading({"MUG": {"1": {"committed": 2}, "3": 5}, "CUP": {"1": 5}})
    view = component_view(allocate(snapshot, BY_WAREHOUSE, cart()))

    assert promised(view) == {"CUP": (5, 5), "MUG": (None, 0)}
    assert "Who promises" not in str(view)


def test_a_plan_of_this_process_will_do_and_a_loaded_one_says_why_not() -> None:
    plan = plan_cart(
        reading(STOCK, BUNDLES),
        FakeCart({row.listing_sku: 1 for row in worked().quantities}),
        cart(),
        merchant=NO_FBA,
        ledger=DictLedger(),
        clock=FakeClock(),
    )
    assert promised(component_view(plan)) == promised(component_view(worked()))
    with pytest.raises(NoExplanationError) as caught:
        component_view(load_plan(plan.to_json()))
    assert caught.value.code == "not_carried"
    with pytest.raises(WrongTypeError, match="wants allocations or plans"):
        component_view("shop")  # type: ignore[arg-type]  # that is what is tried


def test_a_listing_that_the_cart_does_not_have_promises_nothing() -> None:
    plan = plan_cart(
        reading(STOCK, BUNDLES),
        FakeCart({"LID": 1, "POT": 1}),
        cart(),
        merchant=NO_FBA,
        ledger=DictLedger(),
        clock=FakeClock(),
    )
    assert promised(component_view(plan)) == {"LID": (10, 10), "POT": (4, 4), "SET": (2, 0), "DUO": (0, 0)}


def test_carts_of_other_readings_and_of_several_channels_are_not_added_up() -> None:
    later = attrs.evolve(worked(), taken_at="2026-02-01T00:00:00+00:00")
    with pytest.raises(InvalidValueError, match="of one merchant and one reading"):
        component_view(worked(), later)
    snapshot = reading({"MUG": {"91": 5, "92": 5}}, scope="channel")
    shops = [allocate(snapshot, BY_CHANNEL, cart(location=place)) for place in ("91", "92")]
    with pytest.raises(InvalidValueError, match="cannot be added up"):
        component_view(*shops)
    assert promised(component_view(shops[0])) == {"MUG": (5, 5)}


def test_the_page_says_that_this_is_normal_and_draws_the_most_promised() -> None:
    view = component_view(worked())
    page = view.page()

    assert page.summary == "2 products of 4 promised more often than held."
    assert "more than is held is normal" in page.notes[0]
    (table,) = [part for part in page.parts if isinstance(part, Table)]
    assert table.rows[0] == ("LID", "", 10, 28, 2.8, 3)
    assert table.tones == ("warning", "warning", "", "")
    assert table.details[0] is not None
    assert [(one.label, one.figure, one.detail) for one in table.details[0].root.branches] == [
        ("SET", 12, "6 pieces of 2"),
        ("DUO", 10, "10 pieces of 1"),
        ("LID", 10, "10 pieces of 1"),
    ]
    (drawn,) = [part for part in page.parts if isinstance(part, Chart)]
    assert (drawn.labels, [one.figures for one in drawn.series]) == (("LID", "POT"), [(10, 4), (28, 8)])
    assert (len(view), repr(view)) == (4, "<ComponentView of 4 products, 2 promised more than once>")


def test_more_listings_than_a_row_opens_are_counted() -> None:
    listings = [alias(f"mug-{number:02d}", "MUG") for number in range(60)]
    snapshot = reading({"MUG": {"1": 5}}, aliases=listings)
    view = component_view(allocate(snapshot, BY_WAREHOUSE, cart(alias="Shopify US")))
    (table,) = [part for part in view.page().parts if isinstance(part, Table)]

    assert table.details[0] is not None
    assert table.details[0].root.branches[-1].label == "and 10 more"
    assert table.tones == ("warning",)


def test_what_is_promised_although_nothing_is_there_is_bad() -> None:
    rules = QuantityRules(show_at_least=1)
    view = component_view(allocate(reading({"MUG": {"1": 0}}), BY_WAREHOUSE, cart(rules=rules)))
    (table,) = [part for part in view.page().parts if isinstance(part, Table)]

    assert (table.rows[0], table.tones) == (("MUG", "", 0, 1, None, 1), ("bad",))
