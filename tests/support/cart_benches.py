"""Every cart that omsync knows, set up alike: a sink, and a look at what shoppers may buy."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import field, frozen
from edi846_partner import answer, quantities, segments

from omsync.http.retrying import RetryPolicy
from omsync.ports import CartSink
from omsync.sinks.adobe_commerce import AdobeCommerce, Integration
from omsync.sinks.amazon import Amazon
from omsync.sinks.bigcommerce import BigCommerce
from omsync.sinks.ebay import Ebay
from omsync.sinks.edi846 import Edi846, PartnerProfile, Party
from omsync.sinks.files import CsvCart, JsonlCart
from omsync.sinks.medusa import Medusa
from omsync.sinks.saleor import Saleor
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.sinks.vendure import Vendure
from omsync.sinks.walmart import Walmart
from omsync.sinks.woocommerce import WooCommerce
from omsync.testing.carts.adobe_commerce import AdobeShop
from omsync.testing.carts.amazon import AmazonMarketplace
from omsync.testing.carts.bigcommerce import BigCommerceStore
from omsync.testing.carts.ebay import EbaySeller
from omsync.testing.carts.medusa import MedusaShop
from omsync.testing.carts.saleor import SaleorShop
from omsync.testing.carts.shopify import ShopifyShop
from omsync.testing.carts.vendure import VendureShop
from omsync.testing.carts.walmart import WalmartMarketplace
from omsync.testing.carts.woocommerce import WooCommerceShop

__all__ = ["BENCHES", "Bench", "Shown"]

Shown = Mapping[tuple[str, str | None], int | None]
"""What shoppers may buy, by listing and by the cart's location; None as location for the default one."""

ONCE = RetryPolicy(attempts=1)
FAST = 1_000_000


def nothing() -> None:
    """Do nothing: this cart applies at once."""


@frozen(kw_only=True)
class Bench:
    """One cart.

    Args:
        sink: The sink.
        shown: Looks into the cart itself.
        places: Two of its locations, by name; empty when it has none. The first is the default one.
        order: Places an open order of one unit of a listing, where the cart knows open orders.
        combines: Whether the cart takes quantities that name no location.
        settle: Lets the cart finish what it has taken.
    """

    sink: CartSink
    shown: Callable[[Iterable[tuple[str, str | None]]], Shown]
    places: tuple[str, ...] = ()
    order: Callable[[str], None] = field(default=lambda _: None)
    combines: bool = True
    settle: Callable[[], None] = nothing


def shopify(skus: Iterable[str], _: Path, **options: Any) -> Bench:
    there = ShopifyShop(locations=["Main street", "East"])
    name = options.get("quantity_name", "available")
    for sku in skus:
        there.stock(there.add(sku, 1), 1, at="East")
    sink = Shopify(
        "acme",
        access=StaticToken("shpat_test"),
        location="Main street",
        retry=ONCE,
        handler=there.handle,
        **options,
    )
    return Bench(
        sink=sink,
        shown=lambda keys: {(sku, place): there.quantity(sku, place) for sku, place in keys},
        places=("Main street", "East"),
        # Shopify takes units of open orders off what is for sale by itself; only on hand still counts them.
        order=lambda sku: there.sell(sku, 1) if name == "on_hand" else None,
    )


def adobe_commerce(skus: Iterable[str], _: Path, **options: Any) -> Bench:
    there = AdobeShop()
    there.add_source("east", "East")
    ordered: Counter[str] = Counter()
    for sku in skus:
        there.add(sku, 1)
    access = Integration(
        consumer_key="adobe-test-consumer-key",
        consumer_secret="adobe-test-consumer-secret",
        access_token="adobe-test-access-token",
        access_token_secret="adobe-test-access-token-secret",
    )

    def order(sku: str) -> None:
        there.order(sku, 1)
        ordered[sku] += 1

    def units(sku: str, place: str | None) -> int | None:
        """Give what a source holds; the stock's reservations weigh on the default one."""
        held = there.quantity(sku, "east" if place == "East" else "default")
        return None if held is None else int(held) - (0 if place == "East" else ordered[sku])

    return Bench(
        sink=AdobeCommerce(
            "https://shop.example",
            access=access,
            location="default",
            calls_per_second=FAST,
            retry=ONCE,
            handler=there.handle,
            **options,
        ),
        shown=lambda keys: {(sku, place): units(sku, place) for sku, place in keys},
        places=("default", "East"),
        order=order,
        settle=there.reindex,
    )


def woocommerce(skus: Iterable[str], _: Path, *, by_parent: bool = False) -> Bench:
    there = WooCommerceShop()
    if by_parent:
        there.add_variable("PARENT", dict.fromkeys(skus, 1))
    else:
        for sku in skus:
            there.add(sku, 1)
    sink = WooCommerce(
        "https://shop.example",
        key=there.key,
        secret=there.secret,
        calls_per_second=FAST,
        retry=ONCE,
        handler=there.handle,
    )
    return Bench(sink=sink, shown=lambda keys: {(sku, None): there.quantity(sku) for sku, _ in keys})


def medusa(skus: Iterable[str], _: Path) -> Bench:
    there = MedusaShop(locations=["Main", "Outlet"])
    for sku in skus:
        there.add(sku, 1)
    sink = Medusa(
        "https://shop.example", api_key=there.api_key, location="Main", retry=ONCE, handler=there.handle
    )

    def buyable(sku: str, place: str | None) -> int | None:
        units = there.quantity(sku, place)
        return None if units is None else int(units - there.reserved(sku, place))

    return Bench(
        sink=sink,
        shown=lambda keys: {(sku, place): buyable(sku, place) for sku, place in keys},
        places=("Main", "Outlet"),
        order=lambda sku: there.sell(sku, 1),
    )


def vendure(skus: Iterable[str], _: Path) -> Bench:
    there = VendureShop(locations=["Main", "Outlet"])
    for sku in skus:
        there.add(sku, 1)
    sink = Vendure(
        "https://shop.example", api_key=there.api_key, location="Main", retry=ONCE, handler=there.handle
    )
    return Bench(
        sink=sink,
        shown=lambda keys: {
            (sku, place): (there.quantity(sku, place) or 0) - there.allocated(sku, place)
            for sku, place in keys
        },
        places=("Main", "Outlet"),
        order=lambda sku: there.sell(sku, 1),
    )


def saleor(skus: Iterable[str], _: Path) -> Bench:
    there = SaleorShop()
    for sku in skus:
        there.add(sku, 1)
    sink = Saleor(
        "https://shop.example/graphql/",
        token=there.token,
        warehouse="main",
        calls_per_second=FAST,
        retry=ONCE,
        handler=there.handle,
    )
    return Bench(
        sink=sink,
        shown=lambda keys: {(sku, place): there.available(sku, place or "main") for sku, place in keys},
        places=("main", "east"),
        order=lambda sku: there.order(sku, 1),
    )


def bigcommerce(skus: Iterable[str], _: Path) -> Bench:
    there = BigCommerceStore(eventual=True)
    for sku in skus:
        there.add(sku, 1)
    sink = BigCommerce(
        "abc123",
        token=there.token,
        location="MAIN",
        quota_per_window=FAST,
        retry=ONCE,
        handler=there.handle,
    )
    ids = {None: 1, "MAIN": 1, "EAST": 2}
    return Bench(
        sink=sink,
        shown=lambda keys: {(sku, place): there.available(sku, ids[place]) for sku, place in keys},
        places=("MAIN", "EAST"),
        settle=there.settle,
    )


def ebay(skus: Iterable[str], _: Path) -> Bench:
    there = EbaySeller()
    for sku in skus:
        there.add(sku, 1)
    sink = Ebay(
        client_id="ebay-test-app",
        client_secret="ebay-test-secret",
        refresh_token="ebay-test-refresh",
        calls_per_second=FAST,
        retry=ONCE,
        handler=there.handle,
    )
    return Bench(
        sink=sink,
        shown=lambda keys: {(sku, place): there.quantity(sku, place) for sku, place in keys},
        places=("RENO", "OHIO"),
    )


def csv_file(_: Iterable[str], folder: Path) -> Bench:
    path = folder / "stock.csv"

    def shown(keys: Iterable[tuple[str, str | None]]) -> Shown:
        with path.open(newline="") as stream:
            rows = {
                (row["listing_sku"], row["location"] or None): int(row["quantity"])
                for row in csv.DictReader(stream)
            }
        return {key: rows.get(key) for key in keys}

    return Bench(sink=CsvCart(path), shown=shown, places=("here", "there"))


def jsonl_file(_: Iterable[str], folder: Path) -> Bench:
    path = folder / "stock.jsonl"

    def shown(keys: Iterable[tuple[str, str | None]]) -> Shown:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        rows = {(row["listing_sku"], row["location"]): row["quantity"] for row in lines}
        return {key: rows.get(key) for key in keys}

    return Bench(sink=JsonlCart(path), shown=shown, places=("here", "there"))


def amazon(skus: Iterable[str], _: Path, **options: Any) -> Bench:
    there = AmazonMarketplace()
    for sku in skus:
        there.add(sku, 1)
    return Bench(
        sink=_amazon(there, **options),
        shown=lambda keys: {(sku, None): there.quantity(sku) for sku, _ in keys},
    )


def amazon_with_supply_sources(skus: Iterable[str], _: Path) -> Bench:
    there = AmazonMarketplace(enrolled=True)
    for sku in skus:
        for source in ("src-1", "src-2"):
            there.add(sku, 1, channel=source)
    return Bench(
        sink=_amazon(there, supply_sources={"Reno": "src-1", "Ohio": "src-2"}, location="Reno"),
        shown=lambda keys: {
            (sku, place): there.quantity(sku, "src-2" if place == "Ohio" else "src-1") for sku, place in keys
        },
        places=("Reno", "Ohio"),
    )


def _amazon(there: AmazonMarketplace, **options: Any) -> Amazon:
    return Amazon(
        there.seller_id,
        marketplace_id=there.marketplace_id,
        client_id="client-1",
        client_secret="secret-1",
        refresh_token="refresh-1",
        retry=ONCE,
        handler=there.handle,
        **options,
    )


def walmart(skus: Iterable[str], _: Path, **options: Any) -> Bench:
    there = WalmartMarketplace()
    for sku in skus:
        there.add(sku, 1)
    return Bench(
        sink=_walmart(there, **options),
        shown=lambda keys: {(sku, None): there.for_sale(sku) for sku, _ in keys},
        order=lambda sku: there.sell(sku, 1),
    )


def walmart_with_ship_nodes(skus: Iterable[str], _: Path) -> Bench:
    there = WalmartMarketplace()
    for sku in skus:
        for node in ("10000", "20000"):
            there.add(sku, 1, node=node)
    return Bench(
        sink=_walmart(there, ship_nodes={"Reno": "10000", "Ohio": "20000"}, location="Reno"),
        shown=lambda keys: {
            (sku, place): there.for_sale(sku, "20000" if place == "Ohio" else "10000") for sku, place in keys
        },
        places=("Reno", "Ohio"),
        order=lambda sku: there.sell(sku, 1),
    )


def _walmart(there: WalmartMarketplace, **options: Any) -> Walmart:
    return Walmart(
        "seller-1",
        client_id="client-1",
        client_secret="secret-1",
        retry=ONCE,
        handler=there.handle,
        **options,
    )


def edi(_: Iterable[str], folder: Path, *, warehouses: str, version: str = "004010") -> Bench:
    profile = PartnerProfile(
        sender=Party(id="ACME"),
        receiver=Party(id="BIGBOX"),
        usage="test",
        warehouses=warehouses,
        version=version,
        facilities={} if warehouses == "total" else {"RENO": "0001", "OHIO": "0002"},
    )
    archive = folder / "edi"
    names = {"0001": "RENO", "0002": "OHIO"}
    told: dict[tuple[str, str | None], int] = {}

    def deliver() -> None:
        """Take the documents that lie there to the partner, whose acknowledgements come back."""
        for document in sorted((archive / "outbox").iterdir()):
            text = document.read_text()
            for (sku, place), units in quantities(segments(text)).items():
                told[sku, names.get(place or "", place)] = units
            answer(archive, int(document.stem), {}, "A", name=f"{document.stem}.997")
            document.unlink()

    return Bench(
        sink=Edi846(profile=profile, folder=archive),
        shown=lambda keys: {key: told.get(key) for key in keys},
        places=() if warehouses == "total" else ("RENO", "OHIO"),
        combines=warehouses == "total",
        settle=deliver,
    )


BENCHES: Mapping[str, Callable[[Iterable[str], Path], Bench]] = {
    "shopify": shopify,
    "shopify, on hand": partial(shopify, quantity_name="on_hand"),
    "adobe commerce": adobe_commerce,
    "adobe commerce, in bulk": partial(adobe_commerce, mode="async"),
    "woocommerce": woocommerce,
    "woocommerce, variations": partial(woocommerce, by_parent=True),
    "medusa": medusa,
    "vendure": vendure,
    "saleor": saleor,
    "bigcommerce": bigcommerce,
    "ebay": ebay,
    "amazon, one by one": amazon,
    "amazon, by feed": partial(amazon, feed_from_rows=1),
    "amazon, supply sources": amazon_with_supply_sources,
    "walmart, one by one": walmart,
    "walmart, by feed": partial(walmart, feed_from_rows=1),
    "walmart, ship nodes": walmart_with_ship_nodes,
    "edi, total": partial(edi, warehouses="total"),
    "edi, SDQ": partial(edi, warehouses="sdq"),
    "edi, LS/LE loops": partial(edi, warehouses="loops", version="005010"),
    "edi, N1 in LIN": partial(edi, warehouses="n1_lin"),
    "edi, a set a warehouse": partial(edi, warehouses="set_per_warehouse", version="005010"),
    "csv file": csv_file,
    "jsonl file": jsonl_file,
}
