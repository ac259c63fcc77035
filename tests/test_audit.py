"""The catalogue looked over before the first push, and both modes side by side."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from fake_ports import TAKEN_AT, stock
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    Alias,
    Bundle,
    CartListing,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SalesChannel,
    SettingsError,
    Sku,
    SkuOverride,
    StockLevel,
    Warehouse,
    audit,
    compare_modes,
)
from omsync.diagnosis.likeness import alike, how_they_differ, oddities, plain_form
from omsync.views.doctor import page_of_audit, page_of_modes

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")


def with_products(*skus: Sku | str, levels: dict[str, int] | None = None, **more: Any) -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=[sku if isinstance(sku, Sku) else Sku(master_sku=sku) for sku in skus],
        warehouses=[Warehouse(id="W1")],
        levels=[
            StockLevel(master_sku=sku, location_id="W1", on_hand=units)
            for sku, units in (levels or {}).items()
        ],
        **more,
    )


def test_a_catalogue_is_well_unless_something_is_wrong() -> None:
    odd = audit(with_products("MUG", "mug", levels={"MUG": 1, "mug": 1}))
    assert ({one.severity for one in odd}, odd.is_well) == ({"warning"}, True)
    assert audit(with_products("MUG", levels={"MUG": 1})).is_well

    twice = [Alias(name="Woo", master_sku=sku, listing_sku="CUP") for sku in ("MUG", "POT")]
    claimed = audit(with_products("MUG", "POT", aliases=twice))
    assert (claimed.findings[0].severity, claimed.is_well) == ("wrong", False)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("AB-1", "ab-1", "letter case"),
        ("AB-1", "AB-1 ", "blanks or invisible signs"),
        ("AB-1", "AB\u200b-1", "blanks or invisible signs"),
        ("AB-1", "\uff21\uff22-1", "width or look-alike signs"),
        ("AB-1", "AB\u20131", "dashes"),
        ("AB-1", "AB_1", "dashes"),
        ("0012", "12", "leading zeros"),
        ("0ab-1", "AB-1 ", "letter case and blanks or invisible signs and leading zeros"),
    ],
)
def test_codes_that_a_person_takes_for_one_are_found(first: str, second: str, words: str) -> None:
    assert alike([first, "OTHER", second]) == [tuple(sorted((first, second)))]
    assert how_they_differ(first, second) == words


def test_codes_that_are_alike_in_several_ways_are_told_with_all_of_them() -> None:
    assert how_they_differ(" X1", "X1", "x1") == "letter case and blanks or invisible signs"
    assert how_they_differ("K-1", "\N{KELVIN SIGN}-1") == "width or look-alike signs"
    (found,) = audit(with_products("X 1", "X1", "x1")).of("sku_alike")
    assert "differ only in letter case and blanks or invisible signs: 'X 1', 'X1', 'x1'" in found.message


def test_a_code_of_zeros_only_keeps_one() -> None:
    assert (plain_form("000"), plain_form("0")) == ("0", "0")


@given(st.text())
def test_a_plain_form_is_its_own_plain_form_unless_zeros_hid_behind_something(code: str) -> None:
    assert plain_form(plain_form(plain_form(code))) == plain_form(plain_form(code))
    assert alike([code]) == []


def test_what_is_odd_about_a_code_is_said() -> None:
    assert oddities("AB-1") == []
    assert oddities(" AB\u200b\uff11") == [
        *("a blank at its beginning or end", "a sign that nobody sees", "signs of another width or look")
    ]


def test_a_clean_catalogue_has_nothing_to_look_at() -> None:
    found = audit(stock({"A": 1, "B": 2}))
    assert (len(found), str(found)) == (0, "2 products and 0 aliases: nothing to look at")


def test_master_skus_that_look_alike_or_odd_are_warnings() -> None:
    found = audit(with_products("AB", "ab", "C "))
    (twins,) = found.of("sku_alike")
    assert (twins.severity, twins.codes) == ("warning", ("AB", "ab"))
    assert twins.message == "Master SKUs that differ only in letter case: 'AB', 'ab'"
    (odd,) = found.of("sku_odd")
    assert odd.message == "The master SKU 'C ' has a blank at its beginning or end"


def test_products_that_are_not_counted_or_switched_off_with_stock_are_named() -> None:
    snapshot = with_products(
        Sku(master_sku="LOOSE", tracked=False),
        Sku(master_sku="OFF", active=False),
        Sku(master_sku="EMPTY", active=False),
        Sku(master_sku="FILE", digital=True, tracked=False),
        Sku(master_sku="GROUP", kind="virtual", active=False),
        levels={"LOOSE": 1, "OFF": 2, "EMPTY": 0, "FILE": 1, "GROUP": 1},
    )
    assert [(one.kind, one.severity, one.codes) for one in audit(snapshot)] == [
        ("untracked_product", "wrong", ("LOOSE",)),
        ("inactive_with_stock", "warning", ("OFF",)),
    ]


def test_listings_are_looked_at_by_alias_name() -> None:
    snapshot = with_products(
        "A",
        "B",
        aliases=[
            Alias(name="Woo", listing_sku="a", master_sku="A"),
            Alias(name="Woo", listing_sku="a", master_sku="B"),
            Alias(name="Woo", listing_sku="A ", master_sku="B"),
            Alias(name="Woo", listing_sku="x", master_sku="b"),
            Alias(name="Woo", listing_sku="y", master_sku="GONE"),
            Alias(name="Woo", listing_sku="z", master_sku="B", active=False),
            Alias(name="Amazon", listing_sku="a", master_sku="A"),
        ],
    )
    found = audit(snapshot)
    assert [(one.kind, one.message) for one in found] == [
        ("listing_of_two_products", "Woo's listing a is claimed by A and B"),
        ("listing_of_unknown_product", "Woo's listing x stands for b, which is no product; there is 'B'"),
        ("listing_of_unknown_product", "Woo's listing y stands for GONE, which is no product"),
        (
            "listing_alike",
            "Listings of Woo that differ only in letter case and blanks or invisible signs: 'A ', 'a'",
        ),
        ("listing_odd", "Woo's listing 'A ' has a blank at its beginning or end"),
    ]


def test_a_product_that_is_switched_off_claims_no_listing() -> None:
    claims = [Alias(name="Woo", listing_sku="L", master_sku=sku) for sku in ("A", "OLD")]
    snapshot = with_products("A", Sku(master_sku="OLD", active=False), levels={"A": 1}, aliases=claims)

    assert audit(snapshot).of("listing_of_two_products") == ()


def test_bundles_that_cannot_be_made_are_wrong() -> None:
    snapshot = with_products(
        Sku(master_sku="RING-1", kind="bundle"),
        Sku(master_sku="RING-2", kind="bundle"),
        Sku(master_sku="LACKS", kind="bundle"),
        Sku(master_sku="BARE", kind="bundle"),
        Sku(master_sku="ASLEEP", kind="bundle", active=False),
        Sku(master_sku="GOOD", kind="bundle"),
        "PART",
        bundles=[
            Bundle(master_sku="RING-1", components=[Component(master_sku="RING-2")]),
            Bundle(master_sku="RING-2", components=[Component(master_sku="RING-1")]),
            Bundle(master_sku="LACKS", components=[Component(master_sku="NOWHERE")]),
            Bundle(master_sku="GOOD", components=[Component(master_sku="PART")]),
        ],
        levels={"PART": 3, "RING-1": 0, "RING-2": 0, "LACKS": 0, "BARE": 0},
    )
    assert [(one.kind, one.codes) for one in audit(snapshot)] == [
        ("bundle_without_components", ("BARE",)),
        ("bundle_without_stock_record", ("GOOD",)),
        ("component_in_cycle", ("RING-1",)),
        ("component_in_cycle", ("RING-2",)),
        ("component_missing", ("LACKS",)),
    ]


def test_the_cart_is_held_against_what_it_would_be_told() -> None:
    shown = [
        CartListing(listing_sku="A", quantity=1),
        CartListing(listing_sku="b", quantity=1),
        CartListing(listing_sku="D", quantity=1, state="untracked"),
        CartListing(listing_sku="ONLY-HERE", quantity=1),
    ]
    found = audit(stock(dict.fromkeys("ABCD", 1)), cart=SHOP, merchant=MERCHANT, shown=shown)
    assert [(one.kind, one.codes) for one in found] == [
        ("cart_alike", ("B", "b")),
        ("untracked_in_cart", ("D",)),
        ("only_in_cart", ("ONLY-HERE", "b")),
        ("only_in_order_manager", ("B", "C")),
    ]
    assert "they differ in letter case" in found.of("cart_alike")[0].message


def test_a_cart_that_has_exactly_the_listings_gives_no_finding() -> None:
    shown = [CartListing(listing_sku="A", quantity=1)]
    assert len(audit(stock({"A": 1}), cart=SHOP, shown=shown)) == 0


def test_a_cart_without_what_it_shows_or_the_reverse_is_refused() -> None:
    with pytest.raises(SettingsError, match="its settings and what it shows"):
        audit(stock({"A": 1}), cart=SHOP)
    with pytest.raises(SettingsError, match="its settings and what it shows"):
        audit(stock({"A": 1}), shown=[])


def test_an_audit_prints_and_is_plain_data_and_a_page() -> None:
    found = audit(with_products(Sku(master_sku="LOOSE", tracked=False), "A", "a", levels={"LOOSE": 1}))
    assert str(found).splitlines()[0] == "3 products and 0 aliases: 1 wrong, 1 warning"
    assert repr(found) == "<Audit of 3 products: 2 findings>"
    assert '"kind": "sku_alike"' in found.to_json()
    page = page_of_audit(found)
    assert [fact.value for fact in page.facts] == ["1", "1"]


def test_a_reading_per_channel_is_audited_under_its_own_mode() -> None:
    assert len(audit(per_channel({"A": 1}))) == 0


def per_channel(figures: dict[str, int]) -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=[Sku(master_sku=sku) for sku in figures],
        sales_channels=[SalesChannel(id="9", name="Woo")],
        levels=[
            StockLevel(master_sku=sku, location_id="9", available=units) for sku, units in figures.items()
        ],
        scope="channel",
    )


def test_both_modes_are_put_side_by_side_with_the_largest_gap_first() -> None:
    override = SkuOverride(rules=QuantityRules(safety_stock=1), leave_out={"W2"})
    cart = CartSettings(name="shop", overrides={"A": override}, exclude={"E"})
    by_warehouse = stock({"A": 3, "B": 3, "C": 3, "D": 3, "E": 1}, places=("W1", "W2"))
    by_channel = per_channel({"A": 9, "B": 6, "C": 1, "E": 7})
    found = compare_modes(by_warehouse, by_channel, cart=cart, channel="Woo", merchant=MERCHANT)
    assert found.agreed == 1
    assert [(line.listing_sku, line.per_warehouse, line.per_channel, line.gap) for line in found] == [
        ("A", 2, 8, 6),
        ("D", 6, None, -6),
        ("C", 6, 1, -5),
    ]
    assert str(found).splitlines()[0] == (
        "shop, per warehouse against per sales channel (Woo): "
        "the same for 1 listing, different for 3, by -5 in all"
    )
    assert found.to_data()["lines"][0]["gap"] == 6
    assert '"channel": "Woo"' in found.to_json()
    assert repr(found) == "<ModesCompared for shop: 1 agree, 3 differ>"
    assert len(page_of_modes(found).parts) == 2


def test_why_a_mode_tells_nothing_is_said() -> None:
    by_warehouse = with_products("A", Sku(master_sku="K", kind="bundle"), levels={"A": 3})
    by_channel = per_channel({"A": 3, "K": 2})
    found = compare_modes(by_warehouse, by_channel, cart=SHOP, channel="9", merchant=MERCHANT)
    (line,) = found
    assert (line.listing_sku, line.per_warehouse, line.per_channel) == ("K", None, 2)
    assert line.reason.startswith("bundle_")


def test_why_a_mode_tells_nothing_is_what_that_mode_says() -> None:
    twice = [Alias(name="Woo", listing_sku="L", master_sku="A")] * 2
    by_warehouse = with_products("A", levels={"A": 3}, aliases=twice)
    by_channel = attrs.evolve(per_channel({"A": 3, "B": 3}), aliases=twice)
    by_channel = attrs.evolve(by_channel, levels=[one for one in by_channel.levels if one.master_sku == "B"])
    woo = attrs.evolve(SHOP, alias="Woo")
    (line,) = compare_modes(by_warehouse, by_channel, cart=woo, channel="9", merchant=MERCHANT)

    assert (line.listing_sku, line.per_channel, line.reason) == ("L", None, "no_stock_record")


def test_modes_that_agree_say_so_in_one_line() -> None:
    found = compare_modes(stock({"A": 3}), per_channel({"A": 3}), cart=SHOP, channel="Woo", merchant=MERCHANT)
    assert (len(found), len(str(found).splitlines())) == (0, 1)
    assert len(page_of_modes(found).parts) == 1


def test_many_lines_are_cut_short_when_printed() -> None:
    figures = {f"S{number:02}": 1 for number in range(50)}
    doubled = dict.fromkeys(figures, 2)
    found = compare_modes(stock(figures), per_channel(doubled), cart=SHOP, channel="Woo", merchant=MERCHANT)
    assert str(found).splitlines()[-1] == "  ... and 10 more lines"


def test_two_readings_of_one_mode_are_refused() -> None:
    with pytest.raises(SettingsError, match="per warehouse and per warehouse"):
        compare_modes(stock({}), stock({}), cart=SHOP, channel="Woo", merchant=MERCHANT)
    merchant = MerchantSettings(mode=PerSalesChannel())
    with pytest.raises(SettingsError, match="sales-channel mode"):
        compare_modes(stock({}), per_channel({}), cart=SHOP, channel="Woo", merchant=merchant)
