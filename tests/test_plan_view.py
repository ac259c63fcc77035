"""A plan as a person looks at it: danger first, why each quantity is what it is, the guardrails' figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from fake_ports import START, DictLedger, FakeCart, FakeClock, Shelf, stock

from omsync import (
    CartSettings,
    Guardrails,
    MerchantSettings,
    PerWarehouse,
    SyncPlan,
    load_plan,
    plan_cart,
    plan_view,
)
from omsync.errors import InvalidValueError
from omsync.planning.plan import Key
from omsync.views import PlanView
from omsync.views.page import Chart, Page, Table

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop", order_lag=0)


def planned(shows: Mapping[str, int | None], shall: Mapping[str, int], **settings: Any) -> SyncPlan:
    shelves: dict[str | Key, int | Shelf] = {sku: Shelf(quantity=figure) for sku, figure in shows.items()}
    cart = attrs.evolve(SHOP, **settings)
    reading = attrs.evolve(stock(shall), taken_at=START)
    return plan_cart(
        reading, FakeCart(shelves), cart, merchant=MERCHANT, ledger=DictLedger(), clock=FakeClock()
    )


def lines(view: PlanView) -> list[tuple[str, str, int | None]]:
    return [(row.line.listing_sku, row.danger, row.change) for row in view.changes]


def table(page: Page, title: str) -> Table:
    (found,) = [part for part in page.parts if isinstance(part, Table) and part.title.startswith(title)]
    return found


def rails(plan: SyncPlan, now: datetime | None = None) -> dict[str, tuple[str, str, str]]:
    return {one.name: (one.limit, one.figure, one.verdict) for one in plan_view(plan, now=now).rails}


def test_danger_comes_first_zeros_then_falls_of_half_then_others_then_the_unknown_then_rises() -> None:
    shows = {"RISE": 3, "FALL": 9, "BIG": 10, "ZERO": 7, "ZERO2": 90, "DARK": None, "SAME": 4}
    shall = {"RISE": 8, "FALL": 7, "BIG": 5, "ZERO": 0, "ZERO2": 0, "DARK": 2, "SAME": 4}

    assert lines(plan_view(planned(shows, shall))) == [
        ("ZERO2", "zero", -90),
        ("ZERO", "zero", -7),
        ("BIG", "big fall", -5),
        ("FALL", "fall", -2),
        ("DARK", "unknown", None),
        ("RISE", "rise", 5),
    ]


def test_each_line_opens_why_it_shall_show_its_quantity() -> None:
    page = plan_view(planned({"MUG": 9}, {"MUG": 4})).page()
    changes = table(page, "What would change")

    assert changes.rows[0][:7] == ("MUG", "", "MUG", 9, 4, -5, "big fall")
    assert changes.details[0] is not None
    assert changes.details[0].title == "Why MUG shall show 4"


def test_so_many_lines_are_explained_and_the_rest_is_counted() -> None:
    view = plan_view(planned({"A": 9, "B": 9, "C": 9}, {"A": 4, "B": 1, "C": 10}), explained=1)

    assert [row.explanation is not None for row in view] == [True, False, False]
    assert view.page().notes[-1] == "2 of the less dangerous lines are not explained here"
    assert [tree is None for tree in table(view.page(), "What would change").details] == [False, True, True]


def test_a_saved_plan_has_the_explanations_that_it_carried_along() -> None:
    plan = load_plan(planned({"MUG": 9}, {"MUG": 4}).to_json())
    assert plan_view(plan).changes[0].explanation is not None

    bare = attrs.evolve(plan, explanations=())
    assert plan_view(bare).changes[0].explanation is None


def test_what_is_held_names_its_guardrail_and_what_to_do() -> None:
    shows = {f"SKU-{number}": 5 for number in range(30)}
    page = plan_view(planned(shows, dict.fromkeys(shows, 0))).page()
    held = table(page, "Held for a person")

    assert len(held.rows) == 30
    assert held.rows[0][7] == "too many zeros"
    assert "approve it by the plan's digest" in str(held.rows[0][8])
    assert held.details[0] is not None
    assert page.summary == "0 listings would change, 30 held for a person."
    assert table(page, "What would change").rows == ()


def test_each_guardrail_tells_its_limit_what_the_plan_does_and_whether_that_is_kept() -> None:
    shows = {f"SKU-{number}": 10 for number in range(40)}
    shall = {**shows, "SKU-1": 0, "SKU-2": 0, "SKU-3": 4, "SKU-4": 30}
    found = rails(planned(shows, shall))

    assert found["too_many_zeros"] == (
        "at most 10 % of 40 listings on sale go to 0",
        "2 of 40 (5.0 %)",
        "kept",
    )
    assert found["too_many_falls"][1:] == ("3 of 40 (7.5 %)", "kept")
    assert found["too_many_changes"][1:] == ("4 of 40 (10.0 %)", "kept")
    assert found["sharp_rise"] == (
        "a listing rises to at most 10 times what it shows, or to 1,000",
        "the sharpest: 10 -> 30 (3.0 times)",
        "kept",
    )
    everything = rails(planned(shows, dict.fromkeys(shows, 0)))
    assert everything["too_many_zeros"][1:] == ("40 of 40 (100.0 %)", "holds 40 lines")


def test_a_first_push_may_change_everything_and_is_not_called_kept() -> None:
    shows = {f"SKU-{number}": 10 for number in range(40)}
    found = rails(planned(shows, dict.fromkeys(shows, 11)))

    assert found["too_many_changes"][1:] == (
        "40 of 40 (100.0 %)",
        "over, and holds nothing: a first push, or held by another",
    )


def test_what_a_person_let_through_counts_for_no_guardrail() -> None:
    shows = {f"SKU-{number}": 10 for number in range(40)}
    plan = planned(shows, {**shows, "SKU-1": 0, "SKU-2": 0})
    approved = [
        attrs.evolve(line, approved_by="Ann" if line.listing_sku == "SKU-1" else "") for line in plan.lines
    ]

    assert rails(attrs.evolve(plan, lines=approved))["too_many_zeros"][1] == "1 of 40 (2.5 %)"


def test_absolute_limits_small_shops_and_what_is_switched_off_are_said() -> None:
    limits = Guardrails(max_zeros=1, off=("sharp_rise",))
    found = rails(planned({"A": 5, "B": 5}, {"A": 0, "B": 5}, guardrails=limits))

    assert found["too_many_zeros"][0] == "shares count from 20 listings on sale; at most 1"
    assert found["sharp_rise"] == (
        "a listing rises to at most 10 times what it shows, or to 1,000",
        "nothing rises",
        "switched off",
    )
    assert rails(planned({"A": 0}, {"A": 0}))["too_many_zeros"][1] == "0"


def test_the_age_of_the_reading_is_told_where_it_is_known_when_it_is() -> None:
    plan = planned({"MUG": 9}, {"MUG": 4})
    assert rails(plan)["stale_snapshot"][1] == ""
    assert rails(plan, START + timedelta(hours=3))["stale_snapshot"][1] == "read 3 hours ago"
    assert rails(attrs.evolve(plan, fresh_until=""), START)["stale_snapshot"][1] == ""

    facts = {fact.name: fact.value for fact in plan_view(plan, now=START + timedelta(hours=3)).page().facts}
    assert facts["Read"] == "2026-03-02 08:00Z, 3 h ago"


def test_a_plan_that_has_lain_too_long_is_not_called_kept() -> None:
    def verdict(shall: int, hours: int) -> str:
        return rails(planned({"MUG": 9}, {"MUG": shall}), START + timedelta(hours=hours))["stale_snapshot"][2]

    limits = Guardrails()
    over = "over by now: pushing it holds what moves"
    assert (verdict(10, 3), verdict(10, limits.rise_stale_hours + 1)) == ("kept", over)
    assert (verdict(4, limits.rise_stale_hours + 1), verdict(4, limits.stale_hours + 1)) == ("kept", over)
    assert verdict(9, limits.stale_hours + 1) == "kept"  # nothing moves


def test_what_is_held_for_another_reason_is_over_no_guardrail() -> None:
    shows = {f"SKU-{number}": 10 for number in range(20)}
    plan = planned(shows, {**shows, "SKU-1": 0})
    refused = [
        attrs.evolve(line, quantity=0, action="hold", reason="quarantined")
        if line.listing_sku in {"SKU-2", "SKU-3"}
        else line
        for line in plan.lines
    ]

    assert rails(attrs.evolve(plan, lines=refused))["too_many_zeros"][1:] == ("1 of 20 (5.0 %)", "kept")


def test_a_plan_that_was_held_to_no_guardrails_shows_none() -> None:
    plan = attrs.evolve(planned({"MUG": 9}, {"MUG": 4}), guardrails=None)
    page = plan_view(plan).page()

    assert plan_view(plan).rails == ()
    assert [part.title for part in page.parts if part.title == "Guardrails"] == []


def test_what_is_skipped_is_counted_by_reason_with_the_first_hint() -> None:
    page = plan_view(planned({"MUG": 9}, {"MUG": 9, "NEW": 4, "NEWER": 4})).page()
    skipped = table(page, "Skipped")

    assert skipped.rows[0][:2] == ("not in cart", 2)
    assert str(skipped.rows[0][2]).startswith("The cart has no listing")


def test_the_largest_changes_are_drawn_before_and_after() -> None:
    shows = {f"SKU-{number:02d}": 100 for number in range(30)}
    shall = {sku: 100 + number for number, sku in enumerate(shows)}
    (drawn,) = [part for part in plan_view(planned(shows, shall)).page().parts if isinstance(part, Chart)]

    assert (len(drawn.labels), drawn.labels[0]) == (20, "SKU-29")
    assert [(one.name, one.figures[0]) for one in drawn.series] == [("shows", 100), ("shall show", 129)]
    still = plan_view(planned({"MUG": 9}, {"MUG": 9})).page()
    assert [part for part in still.parts if isinstance(part, Chart)] == []


def test_the_facts_count_by_danger_and_add_up_the_units() -> None:
    plan = planned({"A": 9, "B": 5, "C": 5}, {"A": 0, "B": 6, "C": 5})
    facts = {fact.name: fact.value for fact in plan_view(plan).page().facts}

    assert (facts["To 0"], facts["Rises"], facts["Units up"], facts["Units down"]) == ("1", "1", "+1", "-9")
    assert (facts["Digest"], facts["Cart"], facts["Unchanged"]) == (plan.digest, "fake cart", "1")
    crowded = attrs.evolve(plan, cart_only=("X", "Y"), withheld=3, taken_at="")
    more = {fact.name: fact.value for fact in plan_view(crowded).page().facts}
    assert (more["Only in the cart"], more["Kept back by rules and rounding"]) == ("2", "3 units")
    assert "Read" not in more


def test_a_cart_that_is_switched_off_plans_nothing() -> None:
    page = plan_view(SyncPlan(merchant="acme", cart="shop", enabled=False)).page()

    assert page.summary == "The cart is switched off; nothing is planned."


def test_what_is_sent_again_at_the_same_quantity_is_no_danger() -> None:
    line = attrs.evolve(planned({"MUG": 9}, {"MUG": 4}).lines[0], quantity=9)
    view = plan_view(SyncPlan(merchant="acme", cart="shop", lines=[line]))

    assert (view.changes[0].danger, view.changes[0].change) == ("none", 0)


def test_a_plan_view_counts_and_names_itself() -> None:
    view = plan_view(planned({"MUG": 9, "CUP": 1}, {"MUG": 4, "CUP": 1}))

    assert (len(view), repr(view)) == (1, "<PlanView of default / shop: 1 change, 0 held>")
    assert "MUG" in view.to_csv()
    with pytest.raises(InvalidValueError, match=r"plan_view\(now=\) must know its zone"):
        plan_view(view.plan, now=START.replace(tzinfo=None))
