"""What gets no quantity and why: every reason with its hint, and explanations that there are not."""

from __future__ import annotations

from collections.abc import Mapping
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
from omsync.allocation.reasons import REASONS, words
from omsync.errors import NoExplanationError
from omsync.model import InventorySnapshot, Sku, StockLevel
from omsync.settings import CartSettings

CUPS = reading({"CUP": {"1": 5, "2": 3, "3": 2}})


# Every reason, with its hint

_BOX = {"BOX": {"1": 1}, "CUP": {"1": 5}}


def _products(*products: Sku, **others: Any) -> InventorySnapshot:
    stock = {sku.master_sku: {"1": 5} for sku in products}
    return reading({**stock, **others.pop("stock", {})}, **{"skus": products, **others})


_SKIPS: Mapping[str, tuple[InventorySnapshot, CartSettings, str, str]] = {
    "unknown_product": (
        _products(aliases=[alias("a", "GONE")]),
        cart(alias="91"),
        "GONE",
        "'GONE' has a stock record, an alias or parts, but the order manager lists no such product;",
    ),
    "virtual_product": (
        _products(Sku(master_sku="T", kind="virtual")),
        ALL,
        "T",
        "'T' only groups variations",
    ),
    "digital_product": (_products(Sku(master_sku="T", digital=True)), ALL, "T", "'T' is digital"),
    "untracked_product": (
        _products(Sku(master_sku="T", tracked=False)),
        ALL,
        "T",
        "'T' is not counted by the order manager; switch its tracking on",
    ),
    "inactive_product": (
        _products(Sku(master_sku="T", active=False)),
        ALL,
        "T",
        "'T' is switched off in the order manager; switch it on there, or set ignore_inactive=False.",
    ),
    "excluded": (CUPS, cart(exclude=["CUP"]), "CUP", "'CUP' is in the cart's exclude"),
    "not_in_only": (CUPS, cart(only=[]), "CUP", "'CUP' is not in the cart's only; add it"),
    "no_alias": (
        reading({"CUP": {}, "TIN": {}}, aliases=[alias("a", "TIN")]),
        cart(alias="91"),
        "CUP",
        "'CUP' has no listing under the alias '91'; add the listing",
    ),
    "inactive_listing": (
        reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP", active=False)]),
        cart(alias="91"),
        "CUP",
        "The listing 'a' of 'CUP' is switched off",
    ),
    "push_inventory_off": (
        reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP", push_inventory=False)]),
        cart(alias="91", respect_push_inventory=True),
        "CUP",
        "The order manager itself would not push 'a'; switch that on there, or set respect_push_inventory",
    ),
    "listing_of_two_products": (
        reading({"CUP": {}, "TIN": {}}, aliases=[alias("a", "CUP"), alias("a", "TIN")]),
        cart(alias="91"),
        "CUP",
        "'a' is claimed by 'CUP' and 'TIN'; leave one",
    ),
    "listing_units_differ": (
        reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP"), alias("a", "CUP", units=6)]),
        cart(alias="91"),
        "CUP",
        "'a' is listed with 1 and 6 units; leave one, or set units for it",
    ),
    "duplicate_listing_sku": (
        reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP"), alias("a", "CUP")]),
        cart(alias="91"),
        "CUP",
        "'a' is listed twice for 'CUP'; it is synced once.",
    ),
    "no_stock_record": (
        reading({"CUP": {}}),
        ALL,
        "CUP",
        "'CUP' has no stock record in any warehouse; absent is not zero.",
    ),
    "bundle_without_stock_record": (
        reading({"CUP": {"1": 5}}, {"BOX": {"CUP": 1}}),
        ALL,
        "BOX",
        "Create a stock record for 'BOX' in the order manager: Inventory tab, click the bundle,",
    ),
    "bundle_without_components": (
        _products(Sku(master_sku="BOX", kind="bundle")),
        ALL,
        "BOX",
        "'BOX' is a bundle without components; add them",
    ),
    "component_need_below_one": (
        reading(_BOX, {"BOX": {"CUP": -2}}),
        ALL,
        "BOX",
        "'BOX' needs -2 of 'CUP', which is less than one; correct",
    ),
    "component_missing": (
        reading(_BOX, {"BOX": {"GHOST": 1}}, skus=[Sku(master_sku="BOX"), Sku(master_sku="CUP")]),
        ALL,
        "BOX",
        "'BOX' is made of 'GHOST', which the order manager does not list; correct the bundle",
    ),
    "component_inactive": (
        reading(_BOX, {"BOX": {"CUP": 1}}, skus=[Sku(master_sku="BOX"), Sku(master_sku="CUP", active=False)]),
        ALL,
        "BOX",
        "'BOX' is made of 'CUP', which is switched off; switch it on",
    ),
    "component_not_stocked": (
        reading(_BOX, {"BOX": {"CUP": 1}}, skus=[Sku(master_sku="BOX"), Sku(master_sku="CUP", digital=True)]),
        ALL,
        "BOX",
        "'BOX' is made of 'CUP', which is virtual, digital or untracked; correct",
    ),
    "component_in_cycle": (
        reading({"BOX": {"1": 1}}, {"BOX": {"CRATE": 1}, "CRATE": {"LID": 1}, "LID": {"CRATE": 1}}),
        ALL,
        "BOX",
        "'BOX' is made of itself: CRATE -> LID -> CRATE; correct the bundles",
    ),
    "bundle_nested_too_deeply": (
        reading(
            {"K0": {"1": 1}, "CUP": {"1": 1}},
            {f"K{depth}": {f"K{depth + 1}" if depth < 120 else "CUP": 1} for depth in range(121)},
        ),
        ALL,
        "K0",
        "'K0' holds kits within kits to a depth of 100, down to 'K101'; correct the bundles.",
    ),
    "component_without_stock_record": (
        reading({"BOX": {"1": 1}}, {"BOX": {"CUP": 1}}),
        ALL,
        "BOX",
        "'BOX' is made of 'CUP', which has no stock record; create one in the order manager, 0 will do.",
    ),
    "quantity_not_reported": (
        reading({"CUP": {"1": {"committed": 3}, "2": 5}}),
        ALL,
        "CUP",
        "The order manager reports neither an available nor an on-hand figure for 'CUP' at '1'; without",
    ),
    "not_at_counted_location": (
        reading({"CUP": {"2": 5}, "TIN": {"1": 1}}),
        cart(location="1", breakdown=True),
        "CUP",
        "'CUP' has stock records only at warehouses that this cart's breakdown does not count.",
    ),
    "warehouse_not_mapped": (
        reading({"CUP": {"1": 5}}),
        cart(breakdown=True, location_map={"2": "fba"}),
        "CUP",
        "The warehouse '1' has no entry in the cart's location_map; add one.",
    ),
}


def test_every_reason_has_its_example_here() -> None:
    assert set(_SKIPS) == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_a_skip_says_why_and_what_to_do(reason: str) -> None:
    snapshot, settings, master_sku, hint = _SKIPS[reason]
    skipped = only_skip(allocate(snapshot, BY_WAREHOUSE, settings), master_sku)
    assert skipped.reason == reason
    assert skipped.hint.startswith(hint)
    assert "{" not in skipped.hint


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_reason_has_words_for_a_report(reason: str) -> None:
    assert words(reason)
    assert "_" not in words(reason)


def test_a_reason_that_others_add_is_its_own_words() -> None:
    assert words("over_the_limit") == "over the limit"


@pytest.mark.parametrize("alias_name", [None, "91"])
def test_one_bad_product_never_stops_the_others(alias_name: str | None) -> None:
    snapshot = reading(
        {"CUP": {"1": 5}, "BOX": {"1": 1}, "TIN": {"1": {}}},
        {"BOX": {"BOX": 1}},
        aliases=[alias(sku, sku) for sku in ("CUP", "BOX", "TIN", "GHOST")],
    )
    assert told(snapshot, settings=cart(alias=alias_name)) == {"CUP": 5}


def test_a_mistake_in_a_kit_stops_the_kit_and_all_that_is_made_of_it() -> None:
    snapshot = reading(
        {"A": {"1": 1}, "B": {"1": 1}, "C": {"1": 1}, "CUP": {"1": 9}},
        {"A": {"B": 1}, "B": {"CUP": 0}, "C": {"B": 1}},
    )
    allocation = allocate(snapshot, BY_WAREHOUSE, ALL)
    assert [(one.master_sku, one.reason) for one in allocation.skipped] == [
        ("A", "component_need_below_one"),
        ("B", "component_need_below_one"),
        ("C", "component_need_below_one"),
    ]


def test_which_of_several_mistakes_is_named_does_not_depend_on_the_order_of_the_reading() -> None:
    snapshot = reading({"BOX": {"1": 1}}, {"BOX": {"NIL": 0, "JAM": -1}, "BAG": {"BOX": 1, "BAG": 1}})
    back = evolve(
        snapshot,
        bundles=[evolve(one, components=reversed(one.components)) for one in reversed(snapshot.bundles)],
    )
    assert allocate(snapshot, BY_WAREHOUSE, ALL).skipped == allocate(back, BY_WAREHOUSE, ALL).skipped


def test_a_product_that_is_out_for_itself_is_reported_once_whatever_its_listings() -> None:
    snapshot = _products(
        Sku(master_sku="T", active=False),
        Sku(master_sku="CUP"),
        aliases=[alias("a", "T"), alias("b", "T"), alias("c", "CUP")],
    )
    allocation = allocate(snapshot, BY_WAREHOUSE, cart(alias="91"))
    assert [(one.listing_sku, one.reason) for one in allocation.skipped] == [
        ("a", "inactive_product"),
        ("b", "inactive_product"),
    ]


def test_a_product_that_is_out_and_has_no_listing_is_reported_by_its_own_reason() -> None:
    snapshot = _products(
        Sku(master_sku="T", active=False), Sku(master_sku="CUP"), aliases=[alias("c", "CUP")]
    )
    skipped = only_skip(allocate(snapshot, BY_WAREHOUSE, cart(alias="91")), "T")
    assert (skipped.listing_sku, skipped.reason) == (None, "inactive_product")


@pytest.mark.parametrize("name", ["T", "BOX"])
def test_inactive_products_are_synced_when_the_merchant_says_so(name: str) -> None:
    snapshot = reading(
        {"T": {"1": 5}, "BOX": {"1": 0}},
        {"BOX": {"T": 1}},
        skus=[Sku(master_sku="T", active=False), Sku(master_sku="BOX", active=False)],
    )
    assert told(snapshot, evolve(BY_WAREHOUSE, ignore_inactive=False))[name] == 5
    assert told(snapshot) == {}


def test_a_breakdown_says_when_nothing_is_recorded_where_the_cart_counts() -> None:
    skipped = only_skip(allocate(CUPS, per_warehouse(disabled=["1", "2", "3"]), cart(breakdown=True)), "CUP")
    assert skipped.reason == "not_at_counted_location"
    assert "no stock record" not in skipped.hint


@pytest.mark.parametrize("breakdown", [False, True])
def test_a_missing_figure_matters_only_where_it_counts(breakdown: bool) -> None:
    snapshot = reading({"CUP": {"1": 5, "2": {"committed": 1}}})
    settings = cart(breakdown=breakdown)
    assert list(told(snapshot, per_warehouse(disabled=["2"]), settings).values()) == [5]
    assert told(snapshot, settings=settings) == {}


def test_a_long_chain_of_kits_below_the_limit_is_built() -> None:
    chain = {f"K{depth}": {f"K{depth + 1}" if depth < 98 else "CUP": 1} for depth in range(99)}
    snapshot = reading({"K0": {"1": 0}, "CUP": {"1": 7}}, chain)
    assert told(snapshot)["K0"] == 7


# What cannot be explained


def test_a_skipped_listing_has_no_explanation_but_a_reason() -> None:
    with pytest.raises(NoExplanationError, match="'CUP' has no quantity: no_stock_record") as caught:
        allocate(reading({"CUP": {}}), BY_WAREHOUSE, ALL).explain("CUP")
    assert caught.value.code == "skipped"
    assert "absent is not zero" in caught.value.remedy


def test_a_product_that_was_asked_about_instead_of_its_listing_is_told_apart() -> None:
    listed = reading({"CUP": {"1": 3}}, aliases=[alias("woo-cup", "CUP")])
    with pytest.raises(NoExplanationError) as caught:
        allocate(listed, BY_WAREHOUSE, CartSettings(name="woo", alias="Shopify US")).explain("CUP")
    assert caught.value.remedy == "'CUP' is a product; its listing here is 'woo-cup'."
    none = reading({"CUP": {}}, aliases=[alias("woo-cup", "CUP")])
    with pytest.raises(NoExplanationError) as caught:
        allocate(none, BY_WAREHOUSE, CartSettings(name="woo", alias="Shopify US")).explain("CUP")
    assert caught.value.remedy.startswith("'CUP' is a product that is skipped: 'CUP' has no stock record")


def test_an_unknown_listing_has_no_explanation() -> None:
    with pytest.raises(NoExplanationError, match="has no quantity for 'cup'\n") as caught:
        allocate(CUPS, BY_WAREHOUSE, ALL).explain("cup")
    assert caught.value.code == "no_such_listing"
    assert caught.value.remedy == "Check the listing SKU; case matters."


@pytest.mark.parametrize(
    ("settings", "location_id", "remedy"),
    [
        (ALL, "1", "Its quantity has no location: leave location_id out."),
        (cart(breakdown=True), None, "It has one at: '1', '2', '3'."),
    ],
)
def test_a_location_without_a_quantity_says_where_there_is_one(
    settings: CartSettings, location_id: str | None, remedy: str
) -> None:
    with pytest.raises(NoExplanationError, match="has no quantity for 'CUP' at location") as caught:
        allocate(CUPS, BY_WAREHOUSE, settings).explain("CUP", location_id)
    assert caught.value.remedy == remedy


def test_a_row_is_explained_by_its_location_s_id_or_exact_name() -> None:
    allocation = allocate(CUPS, BY_WAREHOUSE, cart(breakdown=True))
    by_name = allocation.explain("CUP", "Amazon FBA US")
    assert by_name == allocation.explain("CUP", "2")
    assert (by_name.location_id, by_name.quantity) == ("2", 3)
    with pytest.raises(NoExplanationError, match="at location 'amazon fba us'"):
        allocation.explain("CUP", "amazon fba us")
    with pytest.raises(NoExplanationError, match="at location 'Amazon FBA US'"):
        allocate(CUPS, BY_WAREHOUSE, ALL).explain("CUP", "Amazon FBA US")


def test_a_name_that_two_locations_share_names_none() -> None:
    twins = evolve(CUPS, warehouses=[evolve(place, name="Depot") for place in CUPS.warehouses])
    with pytest.raises(NoExplanationError, match="at location 'Depot'"):
        allocate(twins, BY_WAREHOUSE, cart(breakdown=True)).explain("CUP", "Depot")


def test_an_allocation_with_other_quantities_explains_those() -> None:
    allocation = allocate(CUPS, BY_WAREHOUSE, ALL)
    assert allocation.explain("CUP").quantity == 10
    (row,) = allocation.quantities
    other = evolve(allocation, quantities=(evolve(row, quantity=3),))
    assert other.explain("CUP").quantity == 3
    with pytest.raises(NoExplanationError):
        evolve(allocation, quantities=()).explain("CUP")


def test_a_level_of_a_product_that_is_not_listed_is_reported() -> None:
    stray = reading({}, levels=[StockLevel(master_sku="STRAY", location_id="1", available=4)])
    assert only_skip(allocate(stray, BY_WAREHOUSE, ALL), "STRAY").reason == "unknown_product"
