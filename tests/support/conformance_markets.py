"""Marketplaces on the bench of the sink kit, before their fakes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance_bench import (
    FAST,
    ONCE,
    WRONG,
    bench_of,
    figures,
    posts,
    puts,
    stocked,
)

from omsync.sinks.amazon import Amazon
from omsync.sinks.ebay import Ebay
from omsync.sinks.walmart import Walmart
from omsync.testing.carts.amazon import AmazonMarketplace
from omsync.testing.carts.ebay import EbaySeller
from omsync.testing.carts.walmart import WalmartMarketplace
from omsync.testing.sink_kit import Key, SinkBench


def ebay(_: Path, more: int, *, places: Sequence[str | None] = (None,), **options: Any) -> SinkBench:
    there = EbaySeller(out_of_stock_control=True, revisions_per_day=FAST)
    skus = stocked(more)
    for sku in skus:
        there.add(sku, 3 * len(places), places={place: 3 for place in places if place is not None})

    def rename(sku: str, new: str) -> None:
        """Make an item and its offers anew: on eBay a SKU never changes."""
        total = there.quantity(sku)
        units = {place: there.quantity(sku, place) or 0 for place in places if place is not None}
        there.remove(sku)
        there.add(new, total, places=units)

    def sink(**given: Any) -> Ebay:
        usual = {
            "client_id": "ebay-test-app",
            "client_secret": "ebay-test-secret",
            "refresh_token": "ebay-test-refresh",
            "out_of_stock_control": True,
            "revisions_per_day": FAST,
            "calls_per_second": FAST,
            "retry": ONCE,
        }
        return Ebay(**{**usual, **options, **given})

    return bench_of(
        sink,
        there.handle,
        writes=lambda request: request.url.endswith("bulk_update_price_quantity"),
        wrong={"refresh_token": WRONG},
        more=more,
        shown=lambda: figures(skus, {place: place for place in places}, there.quantity),
        locations=places,
        rename=rename,
        secrets=("ebay-test-secret", "ebay-test-refresh", WRONG),
    )


def amazon(_: Path, more: int, **options: Any) -> SinkBench:
    sources = options.get("supply_sources", {})
    there = AmazonMarketplace(enrolled=bool(sources), feed_looks=0)
    skus = stocked(more)
    places: dict[str | None, str] = {None: "src-1", "Ohio": "src-2"} if sources else {None: "DEFAULT"}
    for sku in skus:
        for channel in places.values():
            there.add(sku, 3, channel=channel)
    there.add("POSTER", channel=None)
    there.add("FBA", None, channel="AMAZON_NA")

    def sink(**given: Any) -> Amazon:
        usual = {
            "marketplace_id": there.marketplace_id,
            "client_id": "client-1",
            "client_secret": "secret-1",
            "refresh_token": "refresh-1",
            "calls_per_second": FAST,
            "retry": ONCE,
        }
        return Amazon(there.seller_id, **{**usual, **options, **given})

    def shown() -> dict[Key, int]:
        there.feeds.finish()
        channels: dict[Key, int] = {("FBA", code): 1 for code in there.offers.by_sku["FBA"].channels}
        return {**figures([*skus, "POSTER"], places, there.quantity), **channels}

    def rename(sku: str, new: str) -> None:
        offer = there.offers.by_sku.pop(sku)
        offer.sku = new
        there.offers.by_sku[new] = offer

    return bench_of(
        sink,
        there.handle,
        writes=lambda request: request.method == "PATCH" or request.url.endswith("/feeds"),
        wrong={"refresh_token": WRONG},
        more=more,
        shown=shown,
        locations=tuple(places),
        absent_location="moon",
        untracked="POSTER",
        unmanaged="FBA",
        rename=rename,
        secrets=("secret-1", "refresh-1", WRONG),
    )


def walmart(_: Path, more: int, **options: Any) -> SinkBench:
    there = WalmartMarketplace(feed_looks=0)
    skus = stocked(more)
    places: dict[str | None, str] = (
        {None: "10000", "Ohio": "20000"} if "ship_nodes" in options else {None: "10000"}
    )
    for sku in skus:
        for node in places.values():
            there.add(sku, 3, node=node)
    there.sell("CUP", 2)
    there.add("WFS", 9, wfs=True)

    def sink(**given: Any) -> Walmart:
        usual = {
            "client_id": "client-1",
            "client_secret": "secret-1",
            "calls_per_second": FAST,
            "retry": ONCE,
        }
        return Walmart("seller-1", **{**usual, **options, **given})

    def shown() -> dict[Key, int]:
        there.feeds.finish()
        return figures([*skus, "WFS"], places, there.quantity)

    def rename(sku: str, new: str) -> None:
        units = {node: there.quantity(sku, node) or 0 for node in places.values()}
        there.remove(sku)
        for node, put_in in units.items():
            there.add(new, put_in, node=node)

    return bench_of(
        sink,
        there.handle,
        writes=lambda request: puts(request) or (posts(request) and "/feeds" in request.url),
        wrong={"client_secret": WRONG},
        more=more,
        shown=shown,
        locations=tuple(places),
        absent_location="moon",
        unmanaged="WFS",
        rename=rename,
        secrets=("secret-1", WRONG),
    )
