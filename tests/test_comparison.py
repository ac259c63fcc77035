"""Two readings side by side, or a reading and a cart: every difference is named, and nothing is touched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_ports import AsyncFakeCart, AsyncFakeSource, FakeCart, FakeClock, FakeSource, Shelf
from small_merchant import BY_CHANNEL, BY_WAREHOUSE, alias, cart, per_warehouse, reading

from omsync import (
    CartListing,
    CartSettings,
    Comparison,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    SalesChannel,
    SettingsError,
    Sku,
    Warehouse,
    aio,
    compare,
)
from omsync.comparison import KINDS, Difference
from omsync.errors import InvalidValueError, UnreachableError, WrongTypeError

SHOP = cart(alias="Shopify US")
MUGS = reading({"MUG": {"1": 5, "2": 3}}, aliases=[alias("shop-mug", "MUG")])


def told(result: Comparison) -> list[tuple[Any, ...]]:
    """Give the differences in short."""
    return [(one.kind, one.sku, one.place, one.a, one.b, one.gap) for one in result.differences]


def with_cart(shows: list[CartListing], snapshot: InventorySnapshot = MUGS, **more: Any) -> Comparison:
    """Compare with what a cart shows."""
    given: dict[str, Any] = {"cart": SHOP, "merchant": BY_WAREHOUSE, **more}
    return compare(snapshot, shows, **given)


def listing(sku: str, quantity: int | None, **more: Any) -> CartListing:
    return CartListing(listing_sku=sku, quantity=quantity, **more)


# Two readings


def test_a_reading_does_not_differ_from_itself() -> None:
    result = compare(MUGS, MUGS)
    assert result.clean
    assert result.units == 0
    assert result.same == 8, "two figures, the total, activity, the alias, three names of places"
    assert str(result) == (
        "a (read 2026-01-05 06:00:00Z) and b (read 2026-01-05 06:00:00Z): no difference, 8 alike"
    )


def test_a_figure_that_moved_is_named_at_its_place_and_in_all() -> None:
    now = reading({"MUG": {"1": 9, "2": 3}}, aliases=MUGS.aliases)
    result = compare(MUGS, now)
    assert told(result) == [
        ("total", "MUG", None, 8, 12, 4),
        ("available", "MUG", "Reno DC (1)", 5, 9, 4),
    ]
    assert result.units == 4
    assert result.differences[1].sentence == "MUG at Reno DC (1), available: 5 in a, 9 in b"
    assert str(result.differences[0]) == "MUG, in all: 8 in a, 12 in b"
    assert repr(result) == "<Comparison of a and b: 2 differences (4 units), 6 alike>"


def test_stock_that_moved_between_warehouses_is_named_and_costs_no_units() -> None:
    result = compare(MUGS, reading({"MUG": {"1": 3, "2": 5}}, aliases=MUGS.aliases))
    assert [one.kind for one in result.differences] == ["available", "available"]
    assert result.units == 0


def test_a_product_at_one_place_is_told_once() -> None:
    result = compare(reading({"MUG": {"1": 5}}), reading({"MUG": {"1": 7}}))
    assert told(result) == [("available", "MUG", "Reno DC (1)", 5, 7, 2)]
    assert result.units == 2


def test_sales_in_between_are_tolerated_up_to_the_tolerance_and_counted() -> None:
    now = reading({"MUG": {"1": 4, "2": 3}}, aliases=MUGS.aliases)
    result = compare(MUGS, now, tolerance=1)
    assert result.clean
    assert (result.tolerated, result.units) == (2, 0)
    assert str(result).endswith("no difference, 6 alike, 2 within 1 unit")
    beyond = reading({"MUG": {"1": 3, "2": 3}}, aliases=MUGS.aliases)
    assert compare(MUGS, beyond, tolerance=1).units == 2


def test_absent_is_not_zero() -> None:
    result = compare(reading({"MUG": {"1": 0, "2": 4}}), reading({"MUG": {"2": 4, "3": 6}}))
    assert told(result) == [
        ("total", "MUG", None, 4, 10, 6),
        ("record_only_in_b", "MUG", "Harbor 3PL (3)", None, 6, 6),
        ("record_only_in_a", "MUG", "Reno DC (1)", 0, None, 0),
    ]
    assert str(result.differences[2]) == "Only a has MUG at Reno DC (1), with 0 available"


def test_a_figure_that_one_does_not_report_is_a_difference_without_a_gap() -> None:
    silent = reading({"MUG": {"1": {"in_transit": 1}}})
    result = compare(reading({"MUG": {"1": 5}}), silent)
    assert told(result) == [("available", "MUG", "Reno DC (1)", 5, None, None)]
    assert str(result.differences[0]).endswith("5 in a, not reported in b")
    only = compare(reading({}), silent)
    assert told(only) == [("product_only_in_b", "MUG", None, None, None, None)]
    assert str(only.differences[0]) == "Only b has MUG"
    there = compare(reading({"MUG": {"2": 1}}), reading({"MUG": {"2": 1, "1": {"in_transit": 1}}}))
    assert str(there.differences[0]) == "Only b has MUG at Reno DC (1)"


def test_what_is_available_is_worked_out_where_a_source_reports_none() -> None:
    counted = reading({"MUG": {"1": {"on_hand": 10, "committed": 2, "locked": 3}}})
    reported = reading({"MUG": {"1": {"on_hand": 10, "available": 5}}})
    assert compare(counted, reported).clean
    unlocked = MerchantSettings(mode=PerWarehouse(), subtract_locked=False)
    assert told(compare(counted, reported, merchant=unlocked)) == [
        ("available", "MUG", "Reno DC (1)", 8, 5, -3)
    ]


def test_units_on_hand_are_compared_where_both_say_them() -> None:
    one = reading({"MUG": {"1": {"on_hand": 10, "available": 5}}})
    assert told(compare(one, reading({"MUG": {"1": {"on_hand": 8, "available": 5}}}))) == [
        ("on_hand", "MUG", "Reno DC (1)", 10, 8, -2)
    ]
    assert compare(one, reading({"MUG": {"1": 5}})).clean


def test_products_that_only_one_has_are_named_with_their_units() -> None:
    result = compare(reading({"MUG": {"1": 5, "2": -1}}), reading({"TEA": {"1": 2}}))
    assert told(result) == [
        ("product_only_in_a", "MUG", None, 4, None, -4),
        ("product_only_in_b", "TEA", None, None, 2, 2),
    ]
    assert result.units == 6
    assert str(result.differences[0]) == "Only a has MUG, with 4 available"


def test_products_that_nobody_sells_are_noted_and_no_difference() -> None:
    everything = reading(
        {"OFF": {"1": 5}, "GROUP": {}, "FILE": {}, "FREE": {}, "BARE": {}},
        skus=[
            Sku(master_sku="OFF", active=False),
            Sku(master_sku="GROUP", kind="virtual"),
            Sku(master_sku="FILE", digital=True),
            Sku(master_sku="FREE", tracked=False),
            Sku(master_sku="BARE"),
        ],
        aliases=[alias("shop-off", "OFF")],
    )
    result = compare(everything, reading({}))
    assert result.clean
    assert [(notice.reason, notice.entries) for notice in result.notices] == [
        ("not_sold_only_in_a", ("FILE", "FREE", "GROUP", "OFF")),
        ("unrecorded_only_in_a", ("BARE",)),
    ]
    assert "note: only a has these, without a stock record: BARE" in str(result)


def test_a_long_note_names_the_first_five() -> None:
    result = compare(reading({f"P{n}": {} for n in range(7)}), reading({}))
    assert result.notices[0].message.endswith("P0, P1, P2, P3, P4, ...")
    assert len(result.notices[0].entries) == 7


def test_a_product_that_is_switched_off_in_one_is_named() -> None:
    off = reading({"MUG": {"1": 5}}, skus=[Sku(master_sku="MUG", active=False)])
    result = compare(reading({"MUG": {"1": 5}}), off)
    assert [str(one) for one in result.differences] == ["MUG is active in a and inactive in b"]
    assert compare(reading({"MUG": {"1": 5}}), reading({"MUG": {"1": 5}}, skus=[])).clean


# Places


def places(*pairs: tuple[str, str]) -> list[Warehouse]:
    return [Warehouse(id=one, name=name) for one, name in pairs]


def test_warehouses_are_one_by_name_although_two_systems_have_ids_of_their_own() -> None:
    ours = reading({"MUG": {"1": 5, "2": 3}})
    theirs = reading(
        {"MUG": {"9101": 5, "1": 3}}, warehouses=places(("9101", "Reno DC"), ("1", "Amazon FBA US"))
    )
    assert compare(ours, theirs).clean, "the id 1 is Reno here and Amazon there"


def test_a_renamed_warehouse_is_found_by_its_id_and_told() -> None:
    theirs = reading({"MUG": {"1": 5}}, warehouses=places(("1", "Reno")))
    result = compare(reading({"MUG": {"1": 5}}), theirs)
    assert told(result) == [("place_renamed", "", "Reno DC (1)", "Reno DC", "Reno", None)]


def test_a_name_that_two_warehouses_share_matches_nothing() -> None:
    theirs = reading({"MUG": {"8": 5}}, warehouses=places(("8", "Reno DC"), ("9", "Reno DC")))
    result = compare(reading({"MUG": {"1": 5}}), theirs)
    assert told(result)[:2] == [
        ("place_only_in_a", "", "Reno DC (1)", 5, None, -5),
        ("place_only_in_b", "", "Reno DC (8)", None, 5, 5),
    ]
    assert len(result.differences) == 2, "in all it is the same"
    assert str(result.differences[0]) == "Only a has the place Reno DC (1), with 5 units available"


def test_places_without_names_or_stock_do_no_harm() -> None:
    ours = reading({"MUG": {"1": 5}}, warehouses=places(("1", ""), ("7", "")))
    theirs = reading({"MUG": {"1": 5}}, warehouses=places(("1", ""), ("8", "")))
    assert compare(ours, theirs).clean
    assert told(compare(ours, reading({"MUG": {"1": 6}}, warehouses=theirs.warehouses)))[0][2] == "1"


def test_same_places_pairs_what_has_neither_id_nor_name_in_common() -> None:
    theirs = reading({"MUG": {"9101": 6}}, warehouses=places(("9101", "East")))
    result = compare(reading({"MUG": {"1": 5}}), theirs, same_places={"Reno DC": "9101"})
    assert told(result) == [("available", "MUG", "Reno DC (1)", 5, 6, 1)]


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ({"Nowhere": "East"}, "'Nowhere' in same_places is unknown"),
        ({"1": "West"}, "'West' in same_places is unknown"),
        ({"1": "East", "Reno DC": "South"}, "names Reno DC .1. twice"),
        ({"1": "East", "2": "9101"}, "names East .9101. twice"),
    ],
)
def test_same_places_that_do_not_fit_are_errors(pairs: dict[str, str], words: str) -> None:
    theirs = reading({}, warehouses=places(("9101", "East"), ("9102", "South")))
    with pytest.raises(SettingsError, match=words):
        compare(MUGS, theirs, same_places=pairs)


# Aliases and bundles


def test_listings_are_compared_by_alias_name() -> None:
    stock: Any = {"MUG": {"1": 5}, "TEA": {"1": 2}}
    ours = reading(
        stock,
        aliases=[alias("m", "MUG"), alias("t", "TEA"), alias("old", "TEA", active=False), alias("m6", "MUG")],
    )
    theirs = reading(
        stock,
        aliases=[alias("m", "TEA"), alias("new", "TEA"), alias("m6", "MUG", units=6), alias("m6", "TEA")],
    )
    result = compare(ours, theirs)
    assert [(one.kind, one.listing_sku, one.sku, one.a, one.b) for one in result.differences] == [
        ("alias_differs", "m", "MUG", "MUG", "TEA"),
        ("alias_differs", "m6", "MUG", "MUG", "6 MUG and TEA"),
        ("alias_only_in_b", "new", "TEA", None, "TEA"),
        ("alias_only_in_a", "t", "TEA", "TEA", None),
    ]
    assert str(result.differences[0]) == "m of 'Shopify US' is MUG in a and TEA in b"
    assert str(result.differences[3]) == "t of 'Shopify US' is an alias of TEA in a only"


SET: Any = {"MUG": {"1": 5, "2": -2}, "SPOON": {"1": 12, "2": 8}, "SET": {"1": 2, "2": -1}}
PARTS = {"SET": {"MUG": 1, "SPOON": 2}}
SHELF = reading(SET, PARTS)


def test_shelf_units_and_figures_that_count_parts_are_brought_to_one_meaning() -> None:
    copy = reading({**SET, "SET": {"1": 7, "2": -1}}, bundles_include_buildable="yes")
    for result in (compare(SHELF, copy), compare(copy, SHELF)):
        assert result.clean, str(result)
        assert [notice.reason for notice in result.notices] == ["bundles_not_compared", "bundles_worked_out"]
    wrong = reading({**SET, "SET": {"1": 2, "2": -1}}, bundles_include_buildable="yes")
    assert told(compare(SHELF, wrong)) == [
        ("total", "SET", None, 6, 1, -5),
        ("available", "SET", "Reno DC (1)", 7, 2, -5),
    ]
    assert compare(SHELF, wrong, merchant=per_warehouse(preassembled_only={"1"})).clean
    for uncounted in (per_warehouse(disabled={"1"}), per_warehouse(counted={"2"}), BY_CHANNEL):
        assert len(compare(SHELF, wrong, merchant=uncounted).differences) == 2, "a copy has every warehouse"


def test_two_readings_of_shelf_units_are_compared_as_they_are() -> None:
    assert told(compare(SHELF, reading({**SET, "SET": {"1": 2, "2": 0}}, PARTS))) == [
        ("total", "SET", None, 1, 2, 1),
        ("available", "SET", "Amazon FBA US (2)", -1, 0, 1),
    ]


def test_a_bundle_that_cannot_be_worked_out_is_left_out_and_said() -> None:
    ours = reading({"SET": {"1": {"on_hand": 2, "available": 2}}, "MUG": {}}, {"SET": {"MUG": 1}})
    theirs = reading({"SET": {"1": {"on_hand": 9, "available": 9}}}, bundles_include_buildable="unknown")
    result = compare(ours, theirs)
    assert result.clean
    assert ("bundles_left_out", ("SET",)) in [(one.reason, one.entries) for one in result.notices]


def test_what_bundles_are_made_of_is_compared_where_both_know_bundles() -> None:
    stock: Any = {name: {"1": 1} for name in ("A", "B", "C", "MUG")}
    ours = reading(stock, {"A": {"MUG": 1}, "B": {"MUG": 2}})
    theirs = reading(stock, {"A": {"MUG": 3}, "C": {}})
    result = compare(ours, theirs)
    assert [(one.kind, one.sku, one.a, one.b) for one in result.differences] == [
        ("bundle_differs", "A", "1 MUG", "3 MUG"),
        ("bundle_only_in_a", "B", "2 MUG", None),
        ("bundle_only_in_b", "C", None, "nothing"),
    ]
    assert str(result.differences[1]) == "B is a bundle, of 2 MUG, in a only"


# Channels, doubts, ages


def test_channels_are_compared_one_by_one_and_never_added_up() -> None:
    ours = reading({"MUG": {"91": 5, "92": 2}, "TEA": {"91": 1}}, scope="channel")
    theirs = reading(
        {"MUG": {"7": 6, "92": 9}, "POT": {"7": 4}},
        scope="channel",
        sales_channels=[SalesChannel(id="7", name="Shopify US"), SalesChannel(id="92", name="Wholesale")],
    )
    result = compare(ours, theirs)
    assert sorted(told(result), key=str) == [
        ("available", "MUG", "Shopify US (91)", 5, 6, 1),
        ("available", "MUG", "Wholesale (92)", 2, 9, 7),
        ("product_only_in_a", "TEA", None, None, None, None),
        ("product_only_in_b", "POT", None, None, None, None),
    ]
    assert result.units == 8
    gone = reading({"MUG": {"91": 5}}, scope="channel")
    lost = compare(ours, gone)
    assert ("record_only_in_a", "MUG", "Wholesale (92)", 2, None, -2) in told(lost)
    assert lost.units == 2
    silent = reading({"MUG": {"91": {"in_transit": 1}, "92": 2}}, scope="channel")
    assert compare(gone, silent).units == 2


def test_a_reading_by_warehouse_is_not_compared_with_one_by_channel() -> None:
    with pytest.raises(SettingsError, match="a was read by warehouse and b by channel") as caught:
        compare(MUGS, reading({}, scope="channel"))
    assert caught.value.code == "scopes_differ"


def test_figures_in_doubt_are_noted() -> None:
    doubtful = reading({"MUG": {"1": 5}, "TEA": {"1": 5}}, doubtful=[("MUG", "1")])
    result = compare(doubtful, reading({"MUG": {"1": 5}, "TEA": {"1": 5}}))
    assert [(one.reason, one.entries) for one in result.notices] == [("doubtful", ("MUG",))]


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(minutes=1), "1 minute later"),
        (timedelta(minutes=-48), "48 minutes earlier"),
        (timedelta(hours=5), "5 hours later"),
        (timedelta(days=-400), "400 days earlier"),
    ],
)
def test_the_ages_of_both_are_told(later: timedelta, words: str) -> None:
    one = reading({}, taken_at=datetime(2026, 1, 5, 6, tzinfo=UTC))
    other = reading({}, taken_at=one.taken_at + later)
    assert f"Z), {words}: no difference" in str(compare(one, other))


# The result


def test_the_worst_comes_first() -> None:
    ours = reading({"A": {"1": 1}, "B": {"1": 1}, "C": {"1": 50}}, aliases=[alias("a", "A"), alias("x", "B")])
    theirs = reading({"A": {"1": 3}, "B": {"1": 9}}, aliases=[alias("a", "B")])
    assert [one.kind for one in compare(ours, theirs).differences] == [
        "alias_differs",
        "product_only_in_a",
        "available",
        "available",
        "alias_only_in_a",
    ]
    assert [one.sku for one in compare(ours, theirs).of("available")] == ["B", "A"]


def test_a_comparison_is_a_table_rows_and_json() -> None:
    result = compare(MUGS, reading({"MUG": {"1": 1009, "2": 3}}, aliases=MUGS.aliases))
    assert result.table() == (
        "                   product  listing  place        a  b     gap\n"
        "  total available  MUG      -        -            8  1012  +1,004\n"
        "  available        MUG      -        Reno DC (1)  5  1009  +1,004"
    )
    assert result.table(1).splitlines()[-1] == "  ... and 1 more"
    assert result.counts == {"total": 1, "available": 1}
    assert result.rows()[1]["place"] == "Reno DC (1)"
    assert json.loads(result.to_json())["taken_at"][0] == "2026-01-05T06:00:00+00:00"
    assert compare(MUGS, MUGS).table() == ""


def test_every_kind_has_words_and_an_unknown_one_does_no_harm() -> None:
    assert all(words for _, words in KINDS.values())
    strange = Difference(kind="brand_new", a="x")
    result = Comparison(names=("a", "b"), taken_at=(None, None), differences=(strange,))
    assert result.counts == {"brand_new": 1}
    assert "brand new" in result.table()
    assert str(result).startswith("a and b: 1 difference, 0 alike")


# A cart


def test_what_omsync_would_show_stands_beside_what_the_cart_shows() -> None:
    result = with_cart([listing("shop-mug", 11)])
    assert told(result) == [("quantity", "MUG", None, 8, 11, 3)]
    assert result.units == 3
    assert str(result.differences[0]) == "shop-mug: 8 in omsync, 11 in the cart"
    assert with_cart([listing("shop-mug", 8)]).clean
    assert with_cart([listing("shop-mug", 9)], tolerance=1).tolerated == 1
    assert told(with_cart([listing("shop-mug", 3)], orders_in_flight={"MUG": 5})) == []


def test_what_the_cart_lacks_does_not_say_or_has_besides_is_named() -> None:
    snapshot = reading(
        {"MUG": {"1": 5}, "TEA": {"1": 2}, "POT": {}, "CUP": {"1": 1}},
        aliases=[
            alias("mug", "MUG"),
            alias("tea", "TEA"),
            alias("pot", "POT"),
            alias("pot", "MUG", active=False),
            alias("cup", "CUP"),
        ],
    )
    shows = [listing("mug", None), listing("pot", 4), listing("old", 2), listing("cup", 1, state="duplicate")]
    result = with_cart(shows, snapshot)
    assert [(one.kind, one.listing_sku, one.a, one.b) for one in result.differences] == [
        ("no_quantity", "pot", None, 4),
        ("only_in_cart", "old", None, 2),
        ("duplicate_in_cart", "cup", 1, None),
        ("not_said", "mug", 5, None),
        ("not_in_cart", "tea", 2, None),
    ]
    assert result.counts == {
        "no_quantity": 1,
        "only_in_cart": 1,
        "not_in_cart": 1,
        "not_said": 1,
        "duplicate_in_cart": 1,
    }
    assert str(result.of("only_in_cart")[0]) == (
        "old shows 2 in the cart, and omsync would leave it so: omsync knows no such listing."
    )
    assert str(with_cart([listing("old", None)]).of("only_in_cart")[0]).startswith("old is in the cart, and")


def test_a_listing_that_two_products_claim_is_told_once() -> None:
    claimed = reading(
        {"MUG": {"1": 5}, "TEA": {"1": 2}}, aliases=[alias("both", "TEA"), alias("both", "MUG")]
    )
    result = with_cart([listing("both", 4)], claimed)
    assert told(result) == [("no_quantity", "MUG", None, None, 4, 4)]
    assert "claimed by 'MUG' and 'TEA'" in str(result.differences[0])
    twice = reading({"MUG": {"1": 5}}, aliases=[alias("mug", "MUG"), alias("mug", "MUG")])
    assert with_cart([listing("mug", 5)], twice).clean


def test_a_cart_is_also_asked_about_listings_that_get_no_quantity() -> None:
    shop = FakeCart({"shop-mug": 8, "pot": 1})
    snapshot = reading(
        {"MUG": {"1": 8}, "POT": {}, "CUP": {"1": 1}}, aliases=[alias("shop-mug", "MUG"), alias("pot", "POT")]
    )
    result = compare(snapshot, shop, cart=SHOP, merchant=BY_WAREHOUSE)
    assert told(result) == [("no_quantity", "POT", None, None, 1, 1)]
    assert shop.reads == [("pot", "shop-mug")]


def test_a_breakdown_is_compared_place_by_place() -> None:
    edi = cart(alias="Shopify US", breakdown=True, location_map={"Reno DC": "EAST", "2": "WEST"})
    shows = [listing("shop-mug", 5, location_id="EAST"), listing("shop-mug", 4, location_id="WEST")]
    result = with_cart(shows, cart=edi)
    assert told(result) == [("quantity", "MUG", "WEST", 3, 4, 1)]
    assert str(result.differences[0]).startswith("shop-mug at WEST: 3 in omsync")
    beside = with_cart([*shows, listing("gone", 1, location_id="EAST")], cart=edi)
    assert str(beside.of("only_in_cart")[0]).startswith("gone at EAST shows 1")


def test_a_cart_that_keeps_units_on_hand_is_compared_by_what_it_sells() -> None:
    shop = FakeCart(
        {
            "shop-mug": Shelf(quantity=10, allocated=2),
            "other": Shelf(quantity=5, allocated=1),
            "silent": Shelf(quantity=5),
        },
        quantity_meaning="on_hand",
        lists_all=True,
    )
    result = compare(MUGS, shop, cart=SHOP, merchant=BY_WAREHOUSE)
    assert [(one.listing_sku, one.b) for one in result.differences] == [("other", 4), ("silent", None)]
    assert shop.pushes == []


def test_a_switched_off_cart_is_compared_all_the_same_since_that_is_the_shadow() -> None:
    assert not with_cart([listing("shop-mug", 1)], cart=cart(alias="Shopify US", enabled=False)).clean


def test_a_cart_that_cannot_say_what_it_shows_is_an_error() -> None:
    mute = FakeCart(readable=False)
    with pytest.raises(SettingsError, match="cannot say what it shows") as caught:
        compare(MUGS, mute, cart=SHOP, merchant=BY_WAREHOUSE)
    assert caught.value.code == "cart_not_readable"
    assert mute.reads == []


def test_notices_about_pushing_are_left_out_and_others_kept() -> None:
    shows = [listing("shop-mug", 1), listing("shop-mug", 7, location_id="ELSEWHERE")]
    assert [one.reason for one in with_cart(shows).notices] == ["rows_only_in_cart"]


# The shells


def blocking(*args: Any, **settings: Any) -> Comparison:
    return compare(*args, **settings)


def awaiting(*args: Any, **settings: Any) -> Comparison:
    return asyncio.run(aio.compare(*args, **settings))


@pytest.mark.parametrize("run", [blocking, awaiting])
def test_sources_and_carts_are_read_and_never_pushed(run: Callable[..., Comparison]) -> None:
    is_async = run is awaiting
    shop, reads = FakeCart({"shop-mug": 11}), FakeSource(MUGS)
    source: Any = AsyncFakeSource(reads) if is_async else reads
    sink: Any = AsyncFakeCart(shop) if is_async else shop
    result = run(source, sink, cart=SHOP, merchant=BY_WAREHOUSE, clock=FakeClock())
    assert told(result) == [("quantity", "MUG", None, 8, 11, 3)]
    assert shop.pushes == []
    assert shop.reads == [("shop-mug",)]
    assert reads.requests[0].memory is None
    both = run(source, MUGS, merchant=BY_WAREHOUSE)
    assert both.clean
    assert both.names == ("a", "b")
    named = run(MUGS, MUGS, names=("today", "tomorrow"))
    assert str(named).startswith("today (read")
    with pytest.raises(UnreachableError):
        run(FakeSource(UnreachableError("no")), MUGS, merchant=BY_WAREHOUSE)


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        ((MUGS, 5), {}, "The second to compare is neither"),
        (("text", MUGS), {}, "The first to compare is neither"),
        ((FakeCart(), MUGS), {}, "The first to compare is a cart"),
        ((MUGS, ["shop-mug"]), {"cart": SHOP, "merchant": BY_WAREHOUSE}, "as CartListing values, not"),
        ((MUGS, MUGS), {"tolerance": -1}, "tolerance must be a whole number from 0"),
        ((MUGS, MUGS), {"tolerance": True}, "tolerance must be a whole number from 0"),
    ],
)
def test_mixed_up_arguments_are_named(
    arguments: tuple[Any, Any], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises((WrongTypeError, InvalidValueError), match=words):
        compare(*arguments, **settings)


@pytest.mark.parametrize(
    ("other", "settings", "code"),
    [
        ([], {}, "cart_settings_wanted"),
        ([], {"cart": SHOP}, "cart_settings_wanted"),
        ([], {"cart": SHOP, "merchant": BY_CHANNEL}, "choose_one_channel"),
        ([], {"cart": SHOP, "merchant": BY_WAREHOUSE, "same_places": {"1": "2"}}, "idle_argument"),
        ([], {"cart": SHOP, "merchant": BY_WAREHOUSE, "names": ("x", "y")}, "idle_argument"),
        (MUGS, {"cart": CartSettings(name="x")}, "idle_argument"),
        (MUGS, {"orders_in_flight": {"MUG": 1}}, "idle_argument"),
        (FakeSource(MUGS), {}, "merchant_wanted"),
    ],
)
def test_settings_that_are_missing_or_idle_are_named(other: Any, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        compare(MUGS, other, **settings)
    assert caught.value.code == code
