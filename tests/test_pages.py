"""Products, the overview, and what runs and looks give, each as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
from fake_ports import START, FakeCart, FakeClock, stock
from products_read import DISABLED_FBA, TAKEN_AT, channels, warehouses
from watched_shop import MERCHANT, SHOP, ChangingCart, WatchedShop

from omsync import (
    CartSettings,
    Comparison,
    MerchantSettings,
    PerWarehouse,
    audit,
    diagnose,
    drift,
    history,
    overview,
    page_of,
    product_view,
    quarantined,
)
from omsync.comparison import compare_snapshots
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.views.page import Chart, Page, Table


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WatchedShop]:
    shop = WatchedShop(folder=tmp_path, cart=ChangingCart({"MUG": 5, "CUP": 5}))
    with shop.ledger:
        yield shop


def table(page: Page) -> Table:
    return next(part for part in page.parts if isinstance(part, Table))


def cells(page: Page, name: str) -> list[object]:
    found = table(page)
    place = [column.title for column in found.columns].index(name)
    return [row[place] for row in found.rows]


# Products.


def test_every_product_has_its_figures_at_each_location_and_in_all() -> None:
    page = product_view(warehouses(), DISABLED_FBA).page()

    assert [column.title for column in table(page).columns] == [
        *("master SKU", "name", "active", "bundle"),
        *("total on hand", "total available", "counted on hand", "counted available"),
        *("Reno on hand", "Reno available", "FBA [disabled] on hand", "FBA [disabled] available"),
        *("3 [inactive] on hand", "3 [inactive] available", "listings"),
    ]
    mug = table(page).rows[0]
    assert mug == (
        *("MUG", "Mug, fern", True, False, 15, 10, 10, 8, 10, 8, 5, 2, None, None),
        "Amazon: amz-mug, Woo: woo-mug",
    )
    assert table(page).tone_words[table(page).tones[2]] == "inactive"  # OLD
    assert page.notes == (
        "FBA (2) is not counted when combining: disabled for combining.",
        "3 is not counted when combining: inactive in the order manager.",
    )


def test_a_product_opens_its_description_weight_codes_figures_and_listings() -> None:
    tree = table(product_view(warehouses(), DISABLED_FBA).page()).details[0]

    assert tree is not None
    assert [(one.label, one.figure, one.detail, one.tone) for one in tree.root.branches] == [
        ("description", None, "Holds tea", ""),
        ("weight", None, "12.5 oz", ""),
        ("UPC", None, "0081001", ""),
        ("MPN", None, "=M1", ""),
        ("Reno", 8, "10 on hand", ""),
        ("FBA", 2, "5 on hand; not counted: disabled for combining", "quiet"),
        ("listings", None, "", ""),
    ]
    assert [(one.label, one.detail) for one in tree.root.branches[-1].branches] == [
        ("amz-mug", "Amazon"),
        ("woo-mug", "Woo"),
    ]


def test_sizes_packs_and_figures_that_are_not_reported_are_said() -> None:
    given = warehouses()
    mug = attrs.evolve(given.skus[0], length_in=3.5, width_in=4, height_in=5, brand="Fern")
    pack = attrs.evolve(given.aliases[0], units=6, active=False)
    snapshot = attrs.evolve(given, skus=[mug, *given.skus[1:]], aliases=[pack])
    details = {
        str(row[0]): tree
        for page in [product_view(snapshot).page()]
        for row, tree in zip(table(page).rows, table(page).details, strict=True)
    }
    opened = details["MUG"]
    assert opened is not None
    labels = {one.label: one.detail for one in opened.root.branches}
    assert (labels["size"], labels["brand"]) == ("3.5 x 4 x 5", "Fern")
    assert [(one.detail, one.tone) for one in opened.root.branches[-1].branches] == [
        ("Woo, 6 units in one piece", "quiet")
    ]
    stray = details["STRAY"]
    assert stray is not None
    assert stray.title == "STRAY"
    nothing = attrs.evolve(snapshot, levels=[attrs.evolve(snapshot.levels.of("OLD")[0], available=None)])
    old = {row.master_sku: row for row in product_view(nothing)}["OLD"]
    assert (old.figures[0].on_hand, old.figures[0].available) == (None, None)
    tree = next(
        one
        for one in table(product_view(nothing).page()).details
        if one is not None and one.title.startswith("OLD")
    )
    assert tree.root.branches[0].detail == "on hand not reported, available not reported"


def test_stock_by_location_is_drawn_and_never_added_up_over_channels() -> None:
    (drawn,) = [part for part in product_view(warehouses()).page().parts if isinstance(part, Chart)]
    assert drawn.labels == ("Reno (1)", "FBA (2)", "3")
    assert [one.figures for one in drawn.series] == [(11, 5, 4), (12, 2, 4)]

    page = product_view(channels()).page()
    assert "No total over sales channels" in page.notes[0]
    assert "total on hand" not in [column.title for column in table(page).columns]
    (by_channel,) = [part for part in page.parts if isinstance(part, Chart)]
    assert [one.figures for one in by_channel.series] == [(None, None), (8, 8)]
    bare = product_view(warehouses(warehouses=(), levels=[]))
    assert [part for part in bare.page().parts if isinstance(part, Chart)] == []


def test_the_age_of_the_figures_is_told_where_it_is_known_when_it_is() -> None:
    view = product_view(warehouses(), now=TAKEN_AT + timedelta(hours=5))

    assert view.age == timedelta(hours=5)
    assert view.page().facts[0].value == "2026-03-02 07:30Z (5 h ago)"
    assert product_view(warehouses()).age is None
    assert product_view(warehouses()).page().facts[0].value == "2026-03-02 07:30Z"
    with pytest.raises(InvalidValueError, match=r"product_view\(now=\) must know its zone"):
        product_view(warehouses(), now=TAKEN_AT.replace(tzinfo=None))


def test_products_are_sorted_by_code_name_and_figures_the_unknown_last() -> None:
    view = product_view(warehouses())

    def skus(what: str, *, descending: bool = False) -> list[str]:
        return [row.master_sku for row in view.sorted_by(what, descending=descending)]

    assert skus("master_sku", descending=True) == ["STRAY", "SET", "OLD", "NIL", "MUG"]
    assert skus("name") == ["STRAY", "SET", "MUG", "NIL", "OLD"]
    assert skus("available") == ["SET", "STRAY", "OLD", "MUG", "NIL"]
    assert skus("available", descending=True) == ["MUG", "OLD", "STRAY", "SET", "NIL"]
    assert skus("on_hand", descending=True)[0] == "MUG"
    assert product_view(channels()).sorted_by("available").rows[0].master_sku == "MUG"
    with pytest.raises(InvalidValueError, match="not by 'colour'"):
        view.sorted_by("colour")


def test_a_search_gives_a_view_that_is_rendered_like_the_whole() -> None:
    found = product_view(warehouses()).matching("WOO-")

    assert [row.master_sku for row in found] == ["MUG"]
    assert cells(found.page(), "master SKU") == ["MUG"]


def test_a_product_view_keeps_its_own_text_csv_and_json() -> None:
    view = product_view(warehouses())

    assert str(view).splitlines()[0].startswith("5 products, read")
    assert view.to_csv().startswith('"master_sku"')
    assert json.loads(view.to_json())["scope"] == "warehouse"


# The overview.


def test_the_overview_is_a_page_and_keeps_its_text(shop: WatchedShop) -> None:
    shop.sync({"MUG": 4, "CUP": 5})
    found = overview(shop.ledger, now=shop.wait(hours=1))
    page = found.page()

    assert str(found).splitlines()[0] == "2026-03-02 09:00:00Z: 1 merchant, 2 rows, 1 to look at"
    assert page.summary == "1 merchant, 2 rows, 1 to look at."
    assert table(page).rows[1] == ("success", "acme", "shop", "60 min", 0, 0, 0, "")
    assert table(page).tones == ("warning", "good")
    assert found.to_csv().splitlines()[0] == "status,merchant,cart,age,held,pending,quarantined,why"
    assert json.loads(found.to_json())["title"] == "Merchants and carts"


# What runs and looks give.


def test_a_report_is_a_page(shop: WatchedShop) -> None:
    shop.cart.says("MUG", "rejected")
    page = page_of(shop.sync({"MUG": 4, "CUP": 5, "NEW": 3}))

    assert page.facts[0].value == "failed"
    assert table(page).rows[1][:4] == ("MUG", "", "MUG", "rejected")
    assert table(page).tones == ("", "warning", "")
    (drawn,) = [part for part in page.parts if isinstance(part, Chart)]
    assert dict(zip(drawn.labels, drawn.series[0].figures, strict=True))["unchanged"] == 1


def test_drift_history_and_quarantine_are_pages(shop: WatchedShop) -> None:
    shop.sync({"MUG": 4, "CUP": 5})
    shop.cart.put("MUG", 9)
    found = page_of(drift(shop.ledger, shop.cart, SHOP, merchant=MERCHANT, clock=shop.clock))
    assert found.summary == "fake cart shows something else than it should for 1 of 2 listings."
    assert table(found).rows[0][:4] == ("MUG", "", 9, 4)

    sent = page_of(history(shop.ledger, SHOP, merchant=MERCHANT))
    assert cells(sent, "reply") == ["accepted"]
    assert cells(sent, "why this quantity") == ["4 = 4 available in Warehouse W1 (W1)"]

    shop.cart.says("MUG", "rejected")
    for number in range(3):
        shop.sync({"MUG": 1, "CUP": 6 + number})
        shop.wait(minutes=15)
    inside = page_of(quarantined(shop.ledger, SHOP, merchant=MERCHANT))
    assert inside.summary == "1 row, 8 units on sale that are not there."
    assert table(inside).rows[0][:5] == ("MUG", "", 9, 1, 3)
    shop.cart.says("CUP", "no_answer")
    shop.sync({"MUG": 1, "CUP": 20})
    assert cells(page_of(history(shop.ledger, SHOP, "CUP", merchant=MERCHANT)), "reply")[-1] == (
        "no answer is known"
    )


def test_a_cart_that_cannot_be_read_drifts_by_what_it_accepted(shop: WatchedShop) -> None:
    blind = ChangingCart({"MUG": 5}, readable=False)
    shop.sync({"MUG": 4}, blind)
    page = page_of(drift(shop.ledger, blind, SHOP, merchant=MERCHANT, clock=shop.clock))

    assert page.summary.startswith("fake cart cannot be read, and last accepted something else")
    assert table(page).rows == ()


def test_a_comparison_is_a_page() -> None:
    first, second = stock({"MUG": 4, "CUP": 5}), stock({"MUG": 7, "CUP": 5})
    found = compare_snapshots(first, second)
    page = page_of(found)

    assert page.title == f"{found.names[0]} and {found.names[1]} compared"
    assert page.summary.startswith(f"{len(found.differences)} difference")
    assert cells(page, "gap")[0] == 3
    assert page_of(Comparison(names=("a", "b"), taken_at=(None, None))).facts == ()


def test_plans_and_explanations_are_pages_and_pages_are_themselves(shop: WatchedShop) -> None:
    report = shop.sync({"MUG": 4, "CUP": 5})
    assert report.plan is not None
    page = page_of(report.plan)

    assert page.title == "Plan for acme / shop"
    assert page_of(report.explain("MUG")).title == "Why MUG shall show 4"
    assert page_of(page) is page
    assert page_of(overview(shop.ledger, now=START)).title == "Merchants and carts"
    with pytest.raises(WrongTypeError, match="There is no page for 7"):
        page_of(7)
    assert FakeClock().now() == START


def test_a_page_is_rendered_as_a_view_is(tmp_path: Path) -> None:
    page = page_of(audit(stock({"A": 1, "a": 1})))
    assert page_of(page) is page
    assert "differ only in letter case" in str(page)
    assert page.to_html(tmp_path / "audit.html") == (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert page.to_csv().splitlines()[0] == "severity,kind,codes,what was found,what to do"


def test_what_the_doctor_found_has_a_page() -> None:
    merchant = MerchantSettings(mode=PerWarehouse())
    shop = CartSettings(name="shop")
    found = diagnose(stock({"A": 3}), FakeCart({"A": 3}), shop, merchant=merchant, clock=FakeClock())
    page = page_of(found)
    assert [fact.name for fact in page.facts] == ["warning", "unknown", "ok"]
    listed = table(page)
    assert {listed.tone_words[tone] for tone in listed.tones} == {row[0] for row in listed.rows}
    assert "Is there a ledger?" in str(page)
