"""Shop systems on the bench of the sink kit, before their fakes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve
from conformance_bench import (
    FAST,
    ONCE,
    WRONG,
    bench_of,
    figures,
    mutates,
    posts,
    puts,
    stocked,
    whole,
)

from omsync.sinks.adobe_commerce import AdobeCommerce, BearerToken, Integration
from omsync.sinks.bigcommerce import BigCommerce
from omsync.sinks.medusa import Medusa
from omsync.sinks.saleor import Saleor
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.sinks.vendure import Vendure
from omsync.sinks.woocommerce import WooCommerce
from omsync.testing.carts._adobe_bulk import OPEN
from omsync.testing.carts.adobe_commerce import AdobeShop
from omsync.testing.carts.bigcommerce import BigCommerceStore
from omsync.testing.carts.medusa import MedusaShop
from omsync.testing.carts.saleor import SaleorShop
from omsync.testing.carts.shopify import ShopifyShop
from omsync.testing.carts.vendure import VendureShop
from omsync.testing.carts.woocommerce import WooCommerceShop
from omsync.testing.sink_kit import STRANGE_SKUS, Key, SinkBench


def saleor(_: Path, more: int, **options: Any) -> SinkBench:
    there = SaleorShop()
    skus = [*stocked(more), "POSTER"]
    for sku in skus:
        there.add(sku, 3, tracked=sku != "POSTER")
        there.add(sku, 4, warehouse="east")

    def sink(**given: Any) -> Saleor:
        usual = {"token": there.token, "warehouse": "main", "calls_per_second": FAST, "retry": ONCE}
        return Saleor("https://shop.example/graphql/", **{**usual, **options, **given})

    def shown() -> dict[Key, int]:
        places = {None: "main", "east": "east"}
        return figures(skus, places, there.quantity)

    return bench_of(
        sink,
        there.handle,
        writes=mutates,
        wrong={"token": WRONG},
        more=more,
        shown=shown,
        locations=(None, "east"),
        absent_location="moon",
        untracked="POSTER",
        rename=there.rename,
        secrets=(there.token, WRONG),
    )


def bigcommerce(_: Path, more: int, **options: Any) -> SinkBench:
    there = BigCommerceStore(eventual=False)
    skus = stocked(more)
    for sku in skus:
        there.add(sku, 3, safety_stock=2)
        there.add(sku, 4, location=2)

    def sink(**given: Any) -> BigCommerce:
        usual = {"token": there.token, "location": "MAIN", "quota_per_window": FAST, "retry": ONCE}
        return BigCommerce("abc123", **{**usual, **options, **given})

    return bench_of(
        sink,
        there.handle,
        writes=puts,
        wrong={"token": WRONG},
        more=more,
        shown=lambda: figures(skus, {None: 1, "EAST": 2}, there.quantity),
        locations=(None, "EAST"),
        absent_location="moon",
        rename=there.rename,
        secrets=(there.token, WRONG),
    )


def vendure(_: Path, more: int) -> SinkBench:
    there = VendureShop(locations=["Main", "East"])
    skus = [*stocked(more), "POSTER"]
    for sku in skus:
        there.add(sku, {"Main": 3, "East": 4}, tracking="FALSE" if sku == "POSTER" else "TRUE")
    twins = [there.add("TWIN", 5), there.add("TWIN", 6)]

    def sink(**given: Any) -> Vendure:
        usual = {"api_key": there.api_key, "location": "Main", "retry": ONCE}
        return Vendure("https://shop.example", **{**usual, **given})

    def shown() -> dict[Key, int]:
        by_name = figures(skus, {None: "Main", "East": "East"}, there.quantity)
        return by_name | {("TWIN", None): sum(there.quantity(one) or 0 for one in twins)}

    def rename(sku: str, new: str) -> None:
        key = there.variant_id(sku)
        there._state.variants[key].sku = new  # noqa: SLF001  the fake has no such call

    return bench_of(
        sink,
        there.handle,
        writes=mutates,
        wrong={"api_key": WRONG},
        more=more,
        shown=shown,
        locations=(None, "East"),
        absent_location="moon",
        duplicate="TWIN",
        untracked="POSTER",
        rename=rename,
        secrets=(there.api_key, WRONG),
    )


def medusa(_: Path, more: int) -> SinkBench:
    there = MedusaShop(locations=["West", "East"])
    skus = stocked(more)
    for sku in skus:
        there.add(sku, {"West": 3, "East": 4})
    there.add_untracked("POSTER")
    there.add_kit("KIT", {"MUG": 1, "CUP": 2})

    def sink(**given: Any) -> Medusa:
        usual = {"api_key": there.api_key, "location": "West", "max_rows": 200, "retry": ONCE}
        return Medusa("https://shop.example", **{**usual, **given})

    def rename(sku: str, new: str) -> None:
        there.state.item_of(sku).sku = new
        there.rename(sku, new)

    return bench_of(
        sink,
        there.handle,
        writes=posts,
        wrong={"api_key": WRONG},
        more=more,
        shown=lambda: figures(
            skus, {None: "West", "East": "East"}, lambda sku, place: whole(there.quantity(sku, place))
        ),
        locations=(None, "East"),
        absent_location="moon",
        untracked="POSTER",
        unmanaged="KIT",
        rename=rename,
        secrets=(there.api_key, WRONG),
    )


def shopify(_: Path, more: int, *, quantity_name: str = "available") -> SinkBench:
    there = ShopifyShop(locations=["Main", "East"])
    skus = [*stocked(more), "POSTER"]
    for sku in skus:
        key = there.add(sku, 3, tracked=sku != "POSTER")
        there.stock(key, 4, at="East", committed=2)
    twins = [there.add("TWIN", units) for units in (5, 6)]

    def sink(**given: Any) -> Shopify:
        usual = {"access": StaticToken("shpat_test"), "location": "Main", "max_in_flight": 1, "retry": ONCE}
        return Shopify("acme", **{**usual, "quantity_name": quantity_name, **given})

    def shown() -> dict[Key, int]:
        units = partial(there.quantity, name=quantity_name)
        by_name = figures(skus, {None: "Main", "East": "East"}, units)
        levels = [level for one in twins for level in there.items[one].levels.values()]
        return by_name | {("TWIN", None): sum(level.units(quantity_name) for level in levels)}

    def rename(sku: str, new: str) -> None:
        (item,) = (one for one in there.items.values() if one.sku == sku)
        item.sku = new

    return bench_of(
        sink,
        there.handle,
        writes=mutates,
        wrong={"access": StaticToken(WRONG)},
        more=more,
        shown=shown,
        locations=(None, "East"),
        absent_location="moon",
        duplicate="TWIN",
        untracked="POSTER",
        rename=rename,
        secrets=("shpat_test", WRONG),
    )


def woocommerce(_: Path, more: int) -> SinkBench:
    there = WooCommerceShop()
    there.add_variable("TEE", {"MUG": 3, "CUP": 4})
    there.add_variable("CAP", {"CAP-RED": None, "CAP-BLUE": None}, quantity=20)
    for sku in stocked(more)[2:]:
        there.add(sku, 3)
    there.add("POSTER", tracked=False)
    twins = [there.add("TWIN", units) for units in (5, 6)]

    def sink(**given: Any) -> WooCommerce:
        usual = {"key": there.key, "secret": there.secret, "retry": ONCE, "calls_per_second": FAST}
        return WooCommerce("https://shop.example", **{**usual, **given})

    def shown() -> dict[Key, int]:
        products = there.products.by_id
        by_name: dict[Key, int] = {
            (one.sku, None): there.products.shown(one) or 0 for one in products.values()
        }
        return by_name | {("TWIN", None): sum(products[one].quantity or 0 for one in twins)}

    def rename(sku: str, new: str) -> None:
        there.products.by_sku(sku).sku = new

    return bench_of(
        sink,
        there.handle,
        writes=posts,
        wrong={"secret": WRONG},
        more=more,
        # WordPress takes tags out of what it is given, so no product has a SKU with one.
        strange=[sku for sku in STRANGE_SKUS if "<" not in sku],
        shown=shown,
        absent_location="moon",
        duplicate="TWIN",
        untracked="POSTER",
        unmanaged="CAP-RED",
        rename=rename,
        secrets=(there.key, there.secret, WRONG),
    )


def adobe(_: Path, more: int, **options: Any) -> SinkBench:
    there = AdobeShop(bulk_looks=1)
    there.add_source("east", "East", stock=1)
    skus = stocked(more)
    for sku in skus:
        there.add(sku, 3)
        there.add(sku, 4, source="east")
    there.add("KIT", None, type_id="bundle")
    there.add("POSTER", 7, manage_stock=False)
    words = {word: f"adobe-test-{word.replace('_', '-')}" for word in _ADOBE_WORDS}

    def sink(**given: Any) -> AdobeCommerce:
        usual = {
            "access": BearerToken(words["access_token"]),
            "location": "default",
            "calls_per_second": FAST,
            "retry": ONCE,
            "check_tracking": True,
            "rows_per_push": 100,
        }
        return AdobeCommerce("https://shop.example", **{**usual, **options, **given})

    def shown() -> dict[Key, int]:
        bulks = there._bulks  # noqa: SLF001  the fake has no call that lets its consumers work unasked
        for bulk in bulks._bulks.values():  # noqa: SLF001
            if any(operation.status == OPEN for operation in bulk.operations):
                bulks._work_through(bulk)  # noqa: SLF001
        places = {None: "default", "east": "east"}
        return figures([*skus, "KIT", "POSTER"], places, lambda sku, place: whole(there.quantity(sku, place)))

    def rename(sku: str, new: str) -> None:
        stock = there.stock
        stock.products[new] = evolve(stock.products.pop(sku), sku=new)
        for source in ("default", "east"):
            stock.items[new, source] = stock.items.pop((sku, source))
        there.reindex()

    return bench_of(
        sink,
        there.handle,
        writes=posts,
        wrong={"access": BearerToken(WRONG)},
        more=more,
        shown=shown,
        locations=(None, "east"),
        absent_location="moon",
        untracked="POSTER",
        unmanaged="KIT",
        rename=rename,
        secrets=(*words.values(), WRONG),
    )


_ADOBE_WORDS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


def adobe_signed(folder: Path, more: int) -> SinkBench:
    words = {word: f"adobe-test-{word.replace('_', '-')}" for word in _ADOBE_WORDS}
    return adobe(folder, more, access=Integration(**words))
