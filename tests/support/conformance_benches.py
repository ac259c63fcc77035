"""Every cart that omsync ships on the bench of the sink kit, with as much as the platform offers.

``cart_benches.py`` sets the same carts up for the sync of one merchant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from conformance_files import csv_file, edi, jsonl_file
from conformance_markets import amazon, ebay, walmart
from conformance_shops import adobe, adobe_signed, bigcommerce, medusa, saleor, shopify, vendure, woocommerce

from omsync.testing.sink_kit import SinkBench

__all__ = ["BENCHES", "Bench"]

Bench = Callable[[Path, int], SinkBench]
"""Sets a cart up in a folder, with so many more listings than usual."""

BENCHES: Mapping[str, Bench] = {
    "saleor": saleor,
    "saleor, rejecting everything": partial(saleor, error_policy="REJECT_EVERYTHING"),
    "saleor, asked only": partial(saleor, lists_all=False),
    "bigcommerce, all items": bigcommerce,
    "bigcommerce, asked only": partial(bigcommerce, lists_all=False),
    "bigcommerce, safety stock added": partial(bigcommerce, safety_stock="add"),
    "vendure": vendure,
    "medusa": medusa,
    "shopify, available": shopify,
    "shopify, on hand": partial(shopify, quantity_name="on_hand"),
    "woocommerce": woocommerce,
    "adobe commerce": adobe,
    "adobe commerce, signed": adobe_signed,
    "adobe commerce, bulk": partial(adobe, mode="async"),
    "ebay, asked only": ebay,
    "ebay, all items": partial(ebay, lists_all=True),
    "ebay, locations": partial(ebay, places=("RENO", "OHIO")),
    "amazon, one by one": amazon,
    "amazon, by feed": partial(amazon, feed_from_rows=1),
    "amazon, supply sources": partial(
        amazon, supply_sources={"Reno": "src-1", "Ohio": "src-2"}, location="Reno"
    ),
    "walmart, one by one": walmart,
    "walmart, by feed": partial(walmart, feed_from_rows=1),
    "walmart, ship nodes": partial(walmart, ship_nodes={"Reno": "10000", "Ohio": "20000"}, location="Reno"),
    "edi, total": partial(edi, warehouses="total"),
    "edi, SDQ": partial(edi, warehouses="sdq"),
    "csv file, total": csv_file,
    "csv file, locations": partial(csv_file, places=("here", "there")),
    "jsonl file": jsonl_file,
}
