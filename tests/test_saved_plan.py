"""A plan that leaves its process: it comes back equal, explains what it changes, and cannot be edited."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_ports import FakeCart, capabilities, stock
from hypothesis import given, settings

from omsync import (
    Allocation,
    CartListing,
    CartSettings,
    MerchantSettings,
    PerWarehouse,
    SyncPlan,
    allocate,
    load_plan,
    plan_cart,
    push_plan,
)
from omsync.errors import DecodeError, NoExplanationError, SettingsError
from omsync.planning import make_plan
from omsync.planning.plan import seal_of
from omsync.testing.case import Case
from omsync.testing.strategies import cases

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")


def saved() -> str:
    cart = FakeCart({"A": 3, "B": 7, "ODD": 1}, lists_all=True)
    return plan_cart(stock({"A": 5, "B": 7, "C": 1}), cart, SHOP, merchant=MERCHANT).to_json(indent=2)


def edited(text: str, **more: Any) -> str:
    return json.dumps({**json.loads(text), **more})


def resealed(text: str, **more: Any) -> str:
    data = {**json.loads(text), **more}
    digest, _ = data.pop("digest"), data.pop("seal")
    return json.dumps({"digest": digest, "seal": seal_of(data), **data})


@given(cases())
@settings(max_examples=60)
def test_any_plan_comes_back_equal_with_the_explanations_of_what_it_changes(case: Case) -> None:
    allocation: Allocation = case.allocated_by(allocate)
    shown = [
        CartListing(listing_sku=one.listing_sku, location_id=one.location_id, quantity=2)
        for one in allocation.quantities[::2]
    ]
    plan = make_plan(allocation, shown, capabilities(locations="optional", lists_all=True))

    back = load_plan(plan.to_json())

    assert back == plan == plan.portable()
    assert back.digest == plan.digest
    assert str(back) == str(plan)
    for line in back.changes:
        assert back.explain(*line.key) == plan.explain(*line.key)
    assert load_plan(back.to_json()) == back


def test_a_plan_that_was_saved_is_pushed_in_another_process_as_if_it_were_this_one() -> None:
    cart = FakeCart({"A": 3, "B": 7})

    report = push_plan(load_plan(saved()), cart)

    assert cart.sent == [("A", 5)]
    assert report.status == "success"
    assert report.explain("A").evaluate() == 5
    with pytest.raises(NoExplanationError) as caught:
        report.explain("B")
    assert caught.value.code == "not_carried"


def test_held_lines_are_approved_by_the_digest_that_was_saved() -> None:
    cart = FakeCart({"A": 1})
    snapshot = stock({"A": 5}, doubtful={("A", "W1")})
    plan = load_plan(plan_cart(snapshot, cart, SHOP, merchant=MERCHANT).to_json())

    with pytest.raises(SettingsError):
        push_plan(plan, cart, approve="x")
    push_plan(plan, cart, approve=plan.digest)

    assert cart.sent == [("A", 5)]
    assert plan.explain("A").evaluate() == 5


def test_a_plan_of_a_cart_that_is_switched_off_comes_back_switched_off() -> None:
    plan = SyncPlan(merchant="m", cart="c", enabled=False)

    assert load_plan(plan.to_json().encode()) == plan


def test_a_saved_plan_cannot_be_edited() -> None:
    text = saved()

    with pytest.raises(DecodeError) as quantity:
        load_plan(text.replace('"quantity": 5,', '"quantity": 50,', 1))
    with pytest.raises(DecodeError) as cart:
        load_plan(edited(text, cart="another"))

    assert quantity.value.code == cart.value.code == "plan_edited"
    assert "plan again" in str(quantity.value)


@pytest.mark.parametrize(
    "edit",
    [
        {"seal": "0" * 16},
        {"seal": None},
        {"withheld": 3},
        {"taken_at": ""},
        {"cart_only": []},
        {"notices": []},
    ],
)
def test_the_seal_covers_everything_that_the_digest_leaves_out(edit: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        load_plan(edited(saved(), **edit))

    assert caught.value.code == "plan_edited"


def test_a_plan_without_its_seal_is_refused_and_one_that_was_resealed_is_not_told_apart() -> None:
    data = json.loads(saved())
    del data["seal"]

    with pytest.raises(DecodeError) as caught:
        load_plan(json.dumps(data))

    assert caught.value.code == "plan_edited"
    assert load_plan(resealed(saved(), withheld=3)).withheld == 3


def test_a_plan_is_not_pushed_to_another_cart_than_it_was_made_for() -> None:
    elsewhere = FakeCart({"A": 3, "B": 7}, destination="the other shop")

    with pytest.raises(SettingsError) as caught:
        push_plan(load_plan(saved()), elsewhere)

    assert caught.value.code == "other_destination"
    assert "'fake cart'" in str(caught.value)
    assert "'the other shop'" in str(caught.value)
    assert (elsewhere.reads, elsewhere.pushes) == ([], [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("<html>", "not_json"),
        (saved()[:-40], "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "no_digest"),
        ("{}", "no_digest"),
        ('{"digest": "x"}', "decode"),
        (edited(saved(), surprise=1), "decode"),
        (edited(saved(), cart=5), "decode"),
    ],
)
def test_what_is_no_saved_plan_is_one_clear_error(text: str, code: str) -> None:
    with pytest.raises(DecodeError) as caught:
        load_plan(text)

    assert caught.value.code == code


def test_a_quantity_as_text_in_a_saved_plan_names_its_place() -> None:
    data = json.loads(saved())
    data["lines"][0]["quantity"] = "5"

    with pytest.raises(DecodeError) as caught:
        load_plan(json.dumps(data))

    assert "lines[0].quantity" in str(caught.value)
    assert "'5' (str)" in str(caught.value)
