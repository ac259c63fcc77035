"""Which listings a cart has, which cannot be told apart, and what is only noticed."""

from __future__ import annotations

import pytest
from small_merchant import (
    BY_WAREHOUSE,
    alias,
    cart,
    reading,
    told,
)

from omsync.allocation import allocate
from omsync.errors import SettingsError
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, SkuOverride

CUPS = reading({"CUP": {"1": 5, "2": 3, "3": 2}})


# Aliases


def test_an_alias_is_found_by_its_name_and_by_its_channel() -> None:
    snapshot = reading(
        {"CUP": {"1": 5}},
        aliases=[alias("cup-1", "CUP"), alias("0012", "CUP", name="UPC", channel_id=None)],
    )
    assert told(snapshot, settings=cart(alias="Shopify US")) == {"cup-1": 5}
    assert told(snapshot, settings=cart(alias="91")) == {"cup-1": 5}
    assert told(snapshot, settings=cart(alias="UPC")) == {"0012": 5}


def test_several_listings_of_one_product_each_show_the_whole_quantity() -> None:
    snapshot = reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP"), alias("b", "CUP")])
    assert told(snapshot, settings=cart(alias="91")) == {"a": 5, "b": 5}


def test_an_alias_that_nothing_carries_is_an_error_that_lists_the_names() -> None:
    snapshot = reading(
        {"CUP": {"1": 5}}, aliases=[alias("a", "CUP"), alias("b", "CUP", name="UPC", channel_id=None)]
    )
    with pytest.raises(SettingsError, match="No alias carries the name 'Shopify'") as caught:
        allocate(snapshot, BY_WAREHOUSE, cart(alias="Shopify"))
    assert caught.value.code == "unknown_alias"
    assert caught.value.remedy == "Choose from: 'Shopify US' (91), 'UPC'."


def test_an_alias_of_a_snapshot_without_aliases_says_so() -> None:
    with pytest.raises(SettingsError, match="nothing; the snapshot has no aliases"):
        allocate(CUPS, BY_WAREHOUSE, cart(alias="Shopify US"))


def test_an_alias_name_that_two_channels_share_is_ambiguous() -> None:
    snapshot = reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP"), alias("b", "CUP", channel_id="92")])
    with pytest.raises(SettingsError) as caught:
        allocate(snapshot, BY_WAREHOUSE, cart(alias="Shopify US"))
    assert caught.value.code == "ambiguous_alias"
    assert caught.value.message.endswith("may mean any of 'Shopify US' (91), 'Shopify US' (92)")
    assert told(snapshot, settings=cart(alias="92")) == {"b": 5}


def test_a_listing_that_is_read_twice_is_told_once_and_reported() -> None:
    snapshot = reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP"), alias("a", "CUP"), alias("a", "CUP")])
    allocation = allocate(snapshot, BY_WAREHOUSE, cart(alias="91"))
    assert [(row.listing_sku, row.quantity) for row in allocation.quantities] == [("a", 5)]
    assert [one.reason for one in allocation.skipped] == ["duplicate_listing_sku"] * 2


def test_a_listing_that_two_products_claim_goes_to_neither() -> None:
    snapshot = reading({"CUP": {"1": 5}, "TIN": {"1": 6}}, aliases=[alias("a", "TIN"), alias("a", "CUP")])
    allocation = allocate(snapshot, BY_WAREHOUSE, cart(alias="91"))
    assert allocation.quantities == ()
    assert [(one.master_sku, one.listing_sku, one.reason) for one in allocation.skipped] == [
        ("CUP", "a", "listing_of_two_products"),
        ("TIN", "a", "listing_of_two_products"),
    ]
    assert allocation.skipped[0].hint.startswith("'a' is claimed by 'CUP' and 'TIN';")


def test_a_claim_of_an_excluded_product_takes_no_listing_away() -> None:
    snapshot = reading({"CUP": {"1": 5}, "TIN": {"1": 6}}, aliases=[alias("a", "TIN"), alias("a", "CUP")])
    assert told(snapshot, settings=cart(alias="91", exclude=["TIN"])) == {"a": 5}


# Notices


def _notices(
    snapshot: InventorySnapshot, settings: CartSettings, **orders: int
) -> dict[str, tuple[str, ...]]:
    return {one.reason: one.entries for one in allocate(snapshot, BY_WAREHOUSE, settings, orders).notices}


def test_entries_that_match_nothing_are_named() -> None:
    settings = cart(
        only=["CUP", "cup"],
        exclude=["Cup", "TIN"],
        overrides={"JAM": SkuOverride()},
        units={"MUG": 2},
    )
    assert _notices(CUPS, settings, CUP=1, POT=2) == {
        "unmatched_only": ("cup",),
        "unmatched_exclude": ("Cup", "TIN"),
        "unmatched_overrides": ("JAM",),
        "unmatched_units": ("MUG",),
        "unmatched_orders_in_flight": ("POT",),
    }


def test_units_are_matched_with_the_listings_of_the_cart() -> None:
    snapshot = reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP")])
    assert _notices(snapshot, cart(alias="91", units={"a": 2, "CUP": 2})) == {"unmatched_units": ("CUP",)}


def test_a_notice_names_what_matches_nothing_and_says_that_case_matters() -> None:
    (notice,) = allocate(CUPS, BY_WAREHOUSE, cart(exclude=["a", "b"])).notices
    assert notice.message == "exclude names what matches nothing (case matters): 'a', 'b'"


def test_a_notice_names_only_the_first_few_and_counts_the_rest() -> None:
    (notice,) = allocate(CUPS, BY_WAREHOUSE, cart(exclude=list("gfedcba"))).notices
    assert notice.message.endswith(": 'a', 'b', 'c', 'd', 'e' and 2 more")
    assert notice.entries == tuple("abcdefg")


def test_listings_that_the_order_manager_itself_would_not_push_are_synced_and_counted() -> None:
    snapshot = reading(
        {"CUP": {"1": 5}},
        aliases=[
            alias("a", "CUP", push_inventory=False),
            alias("b", "CUP", push_inventory=False),
            alias("c", "CUP", push_inventory=False, active=False),
            alias("d", "CUP"),
        ],
    )
    allocation = allocate(snapshot, BY_WAREHOUSE, cart(alias="91"))
    assert [row.listing_sku for row in allocation.quantities] == ["a", "b", "d"]
    (notice,) = allocation.notices
    assert (notice.reason, notice.entries) == ("push_inventory_off", ("a", "b"))
    assert notice.message.startswith("2 listings synced that")
    respecting = allocate(snapshot, BY_WAREHOUSE, cart(alias="91", respect_push_inventory=True))
    assert [row.listing_sku for row in respecting.quantities] == ["d"]
    assert respecting.notices == ()


def test_listings_that_it_would_push_are_no_notice() -> None:
    assert _notices(reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP")]), cart(alias="91")) == {}


def test_one_listing_is_counted_as_one() -> None:
    snapshot = reading({"CUP": {"1": 5}}, aliases=[alias("a", "CUP", push_inventory=False)])
    (notice,) = allocate(snapshot, BY_WAREHOUSE, cart(alias="91")).notices
    assert notice.message == "1 listing synced that the order manager itself would not push"


def test_only_bundles_that_have_a_quantity_are_counted_and_once_whatever_their_listings() -> None:
    snapshot = reading(
        {"BOX": {"1": 1}, "BAG": {"1": 1}, "JAR": {}, "OUT": {"1": 1}, "CUP": {"1": 9}},
        {"BOX": {"CUP": 1}, "BAG": {"CUP": 2}, "JAR": {"CUP": 1}, "OUT": {"CUP": 1}},
        aliases=[alias("a", "BOX"), alias("b", "BOX"), alias("c", "BAG"), alias("d", "OUT")],
    )
    (notice,) = allocate(snapshot, BY_WAREHOUSE, cart(alias="91", exclude=["OUT"])).notices
    assert notice.message == "2 bundles: shelf units plus what the components make"
    assert _notices(snapshot, cart(only=["CUP", "JAR"])) == {}


def test_listings_on_figures_that_were_lost_on_their_way_are_listed() -> None:
    snapshot = reading(
        {"CUP": {"1": 5}, "TIN": {"1": 5}, "POT": {"1": 5}},
        aliases=[alias(*names) for names in (("b", "CUP"), ("a", "CUP"), ("t", "TIN"), ("p", "POT"))],
        doubtful={("CUP", "1"), ("POT", "1")},
    )
    (notice,) = allocate(snapshot, BY_WAREHOUSE, cart(alias="91", exclude=["POT"])).notices
    assert (notice.reason, notice.entries) == ("source_answer_lost", ("a", "b"))
    assert notice.message == (
        "2 listings on figures whose newest answer was lost, not raised and perhaps too high: 'a', 'b'"
    )
