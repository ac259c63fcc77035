"""The carts of ``pushing.py``: each sink with its fake, and what the vendor's documents say of limits.

The limits stand here once more, on purpose: they are the yardstick, so they are not taken from the sinks.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from attrs import field, frozen

from omsync import CartSink, QuantityChange
from omsync.http.clock import Clock
from omsync.http.messages import Handler, Request
from omsync.http.tokens import TokenKeeper
from omsync.sinks._ebay import Offer, kept
from omsync.sinks.adobe_commerce import AdobeCommerce, BearerToken
from omsync.sinks.amazon import Amazon
from omsync.sinks.bigcommerce import BigCommerce
from omsync.sinks.ebay import Ebay
from omsync.sinks.edi846 import LISTING_SKU, Edi846, PartnerProfile, Party
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

__all__ = ["BEFORE", "TRIALS", "Cart", "Here", "Trial"]

BEFORE = 50
"""What every listing shows before the push."""

SHOP = "https://shop.example"
Shown = Callable[[Sequence[str]], Sequence[object]]
"""Looks into the cart itself: what each listing shows."""


@frozen(kw_only=True)
class Here:
    """What a cart is set up with: its listings, a clock, a folder, and who watches its calls."""

    skus: Sequence[str]
    clock: Clock
    folder: Path
    watch: Callable[[Handler], Handler]


@frozen(kw_only=True)
class Cart:
    """A sink and its cart.

    Args:
        sink: The sink.
        shown: A look into the cart.
        settle: Lets the cart finish what it has taken.
        ids: The cart's ids by listing, as the ledger has them from an earlier run.
    """

    sink: CartSink
    shown: Shown
    settle: Callable[[], None] = lambda: None
    ids: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Trial:
    """One row of the table.

    Args:
        set_up: Makes the cart, every listing showing ``BEFORE``.
        writes: Tells the calls that write from all others; a file cart makes none.
        rows: Rows in one call at most, by the vendor's documents; None where they name no number.
        seconds: What the documented limits alone impose on so many writing calls, from a rested start; None
            where the vendor limits no rate.
    """

    set_up: Callable[[Here], Cart]
    writes: Callable[[Request], bool] = lambda _: False
    rows: int | None
    seconds: Callable[[int], float] | None = None


def bucket(calls: int, *, size: float, per_second: float, cost: float = 1.0) -> float:
    """Give the seconds that a full bucket of tokens or points imposes."""
    return max(0.0, (calls * cost - size) / per_second)


def window(calls: int, *, most: int, seconds: float) -> float:
    """Give the seconds that a limit of so many calls in each window imposes."""
    return (ceil(calls / most) - 1) * seconds


def each(look: Callable[[str], object]) -> Shown:
    """Look at one listing after the other."""
    return lambda skus: [look(sku) for sku in skus]


def to(method: str, *parts: str) -> Callable[[Request], bool]:
    """Match calls by verb and by parts of the address."""
    return lambda request: request.method == method and all(part in request.url for part in parts)


def mutation(name: str) -> Callable[[Request], bool]:
    """Match GraphQL calls that make a change of this name."""

    def matches(request: Request) -> bool:
        text = request.body.get("query", "") if isinstance(request.body, dict) else ""
        return text.lstrip().startswith("mutation") and name in text

    return matches


# Carts behind HTTP


def amazon(here: Here, *, feed: bool) -> Cart:
    there = AmazonMarketplace(now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE)
    sink = Amazon(
        there.seller_id,
        marketplace_id=there.marketplace_id,
        client_id="client-1",
        client_secret="secret-1",  # noqa: S106  the fake's own
        refresh_token="refresh-1",  # noqa: S106  likewise
        feed_from_rows=1 if feed else len(here.skus) + 1,
        keeper=TokenKeeper(here.clock),
        handler=here.watch(there.handle),
    )
    return Cart(sink=sink, shown=each(there.quantity))


def walmart(here: Here, *, feed: bool) -> Cart:
    there = WalmartMarketplace(now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE)
    sink = Walmart(
        "seller-1",
        client_id="client-1",
        client_secret="secret-1",  # noqa: S106  the fake's own
        feed_from_rows=1 if feed else len(here.skus) + 1,
        keeper=TokenKeeper(here.clock),
        handler=here.watch(there.handle),
    )
    return Cart(sink=sink, shown=each(there.for_sale))


def bigcommerce(here: Here) -> Cart:
    there = BigCommerceStore(quota=150, eventual=True, now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE)
    sink = BigCommerce("abc123", token=there.token, location="MAIN", handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.available), settle=there.settle)


def shopify(here: Here) -> Cart:
    there = ShopifyShop(now=here.clock.monotonic)
    ids = {sku: there.add(sku, BEFORE) for sku in here.skus}
    token = StaticToken(next(iter(there.tokens)))
    sink = Shopify("acme", access=token, handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.quantity), ids=ids)


def woocommerce(here: Here) -> Cart:
    there = WooCommerceShop(now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE)
    sink = WooCommerce(SHOP, key=there.key, secret=there.secret, handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.quantity))


def adobe_commerce(here: Here) -> Cart:
    there = AdobeShop(now=here.clock.monotonic)
    # A new product has all stocks indexed anew; while there are none that takes no time.
    links = dict(there.stock.links)
    there.stock.links.clear()
    for sku in here.skus:
        there.add(sku, BEFORE)
    there.stock.links.update(links)
    there.reindex()
    token = BearerToken(there.doorkeeper.integration["access_token"])
    sink = AdobeCommerce(SHOP, access=token, handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.quantity))


def ebay(here: Here) -> Cart:
    there = EbaySeller(now=here.clock.monotonic)
    today = here.clock.now().date()
    ids = {}
    for number, sku in enumerate(here.skus, start=1):
        there.add(sku, BEFORE, listing=f"L{number}")
        offer = Offer(id=f"{number:010}", marketplace="EBAY_US", listing=f"L{number}")
        ids[sku] = kept([offer], today)
    sink = Ebay(
        client_id="ebay-test-app",
        client_secret="ebay-test-secret",  # noqa: S106  the fake's own
        refresh_token="ebay-test-refresh",  # noqa: S106  likewise
        out_of_stock_control=True,
        clock=here.clock,
        keeper=TokenKeeper(here.clock),
        handler=here.watch(there.handle),
    )
    return Cart(sink=sink, shown=each(there.quantity), ids=ids)


def medusa(here: Here) -> Cart:
    there = MedusaShop(now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE, sold=False)
    sink = Medusa(SHOP, api_key=there.api_key, handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.quantity))


def saleor(here: Here) -> Cart:
    there = SaleorShop(now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE)
    sink = Saleor(f"{SHOP}/graphql/", token=there.token, warehouse="main", handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.available))


def vendure(here: Here) -> Cart:
    there = VendureShop(now=here.clock.monotonic)
    for sku in here.skus:
        there.add(sku, BEFORE)
    sink = Vendure(SHOP, api_key=there.api_key, handler=here.watch(there.handle))
    return Cart(sink=sink, shown=each(there.quantity))


# Carts that are files; they were told BEFORE by an earlier push


def told_before(sink: CartSink, here: Here) -> None:
    list(sink.push([QuantityChange(listing_sku=sku, quantity=BEFORE, available=BEFORE) for sku in here.skus]))


def file_cart(here: Here, *, kind: Callable[[Path], CartSink], rows: Callable[[Path], Iterator[Any]]) -> Cart:
    path = here.folder / "stock"
    sink = kind(path)
    told_before(sink, here)

    def shown(skus: Sequence[str]) -> list[object]:
        found = {row["listing_sku"]: int(row["quantity"]) for row in rows(path)}
        return [found.get(sku) for sku in skus]

    return Cart(sink=sink, shown=shown)


def csv_rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(newline="") as stream:
        yield from csv.DictReader(stream)


def json_rows(path: Path) -> Iterator[Any]:
    yield from map(json.loads, path.read_text().splitlines())


def edi846(here: Here) -> Cart:
    profile = PartnerProfile(
        sender=Party(id="ACME"),
        receiver=Party(id="BIGBOX"),
        usage="test",
        contents="changes",
        item_codes=[("SK", LISTING_SKU)],
        acknowledged_within=None,
    )
    sink = Edi846(profile=profile, folder=here.folder / "bigbox", clock=here.clock)
    told_before(sink, here)

    def shown(skus: Sequence[str]) -> list[object]:
        newest = max((here.folder / "bigbox" / "outbox").iterdir())
        segments = [segment.strip().split("*") for segment in newest.read_text().split("~")]
        found = {
            line[3]: int(quantity[2])
            for line, quantity in itertools.pairwise(segments)
            if line[0] == "LIN" and quantity[0] == "QTY"
        }
        return [found.get(sku) for sku in skus]

    return Cart(sink=sink, shown=shown)


_ANY = 10**9
"""A file takes all rows there are."""

TRIALS: Mapping[str, Trial] = {
    "Amazon, one by one": Trial(
        set_up=partial(amazon, feed=False),
        writes=to("PATCH"),
        rows=1,
        seconds=partial(bucket, size=5, per_second=5),
    ),
    "Amazon, feed": Trial(
        set_up=partial(amazon, feed=True),
        writes=to("POST", "/feeds/2021-06-30/feeds"),
        rows=25_000,
        seconds=partial(window, most=5, seconds=300),
    ),
    # Walmart publishes no number for single writes; a row of its feeds has about 63 bytes, a file 5 MB.
    "Walmart, one by one": Trial(set_up=partial(walmart, feed=False), writes=to("PUT"), rows=1),
    "Walmart, feed": Trial(
        set_up=partial(walmart, feed=True),
        writes=to("POST", "/v3/feeds"),
        rows=5_000_000 // 63,
        seconds=partial(window, most=10, seconds=3600),
    ),
    "Shopify, standard plan": Trial(
        set_up=shopify,
        writes=mutation("inventorySetQuantities"),
        rows=250,
        seconds=partial(bucket, size=2000, per_second=100, cost=10),
    ),
    "BigCommerce": Trial(
        set_up=bigcommerce, writes=to("PUT"), rows=2000, seconds=partial(window, most=150, seconds=30)
    ),
    "WooCommerce": Trial(set_up=woocommerce, writes=to("POST", "/batch"), rows=100),
    "Adobe Commerce": Trial(set_up=adobe_commerce, writes=to("POST", "/inventory/source-items"), rows=None),
    "eBay": Trial(set_up=ebay, writes=to("POST", "/bulk_update_price_quantity"), rows=25),
    # A body of 2 MB, and about 128 bytes a row.
    "Medusa": Trial(set_up=medusa, writes=to("POST", "/location-levels"), rows=2_000_000 // 128),
    "Saleor": Trial(set_up=saleor, writes=mutation("stockBulkUpdate"), rows=None),
    "Vendure": Trial(set_up=vendure, writes=mutation("updateProductVariants"), rows=None),
    "EDI 846": Trial(set_up=edi846, rows=_ANY),
    "CSV file": Trial(set_up=partial(file_cart, kind=CsvCart, rows=csv_rows), rows=_ANY),
    "JSONL file": Trial(set_up=partial(file_cart, kind=JsonlCart, rows=json_rows), rows=_ANY),
}
