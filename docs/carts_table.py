"""Writes the table that compares the carts into ``docs/carts/index.md``, from the capabilities in the code.

python docs/carts_table.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from omsync.ports import SinkCapabilities
from omsync.sinks.adobe_commerce import AdobeCommerce, BearerToken
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

PAGE = Path(__file__).parent / "carts" / "index.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

EDI = PartnerProfile(sender=Party(id="ACME"), receiver=Party(id="BIGBOX"), usage="test", warehouses="total")
CARTS: Mapping[tuple[str, str], SinkCapabilities] = {
    ("Adobe Commerce", "adobe_commerce"): AdobeCommerce(
        "https://shop.example", access=BearerToken("t")
    ).capabilities,
    ("Amazon", "amazon"): Amazon(
        "seller", marketplace_id="m", client_id="c", client_secret="s", refresh_token="r"
    ).capabilities,
    ("BigCommerce", "bigcommerce"): BigCommerce("store", token="t").capabilities,
    ("eBay", "ebay"): Ebay(client_id="c", client_secret="s", refresh_token="r").capabilities,
    ("Medusa", "medusa"): Medusa("https://shop.example", api_key="sk_k").capabilities,
    ("Saleor", "saleor"): Saleor("https://shop.example/graphql/", token="t").capabilities,
    ("Shopify", "shopify"): Shopify("shop", access=StaticToken("t")).capabilities,
    ("Vendure", "vendure"): Vendure("https://shop.example", api_key="k").capabilities,
    ("Walmart", "walmart"): Walmart("seller", client_id="c", client_secret="s").capabilities,
    ("WooCommerce", "woocommerce"): WooCommerce(
        "https://shop.example", key="ck_k", secret="cs_s"
    ).capabilities,
    ("EDI (X12 846)", "edi846"): Edi846(profile=EDI, folder="edi").capabilities,
    ("CSV file", "files"): CsvCart("stock.csv").capabilities,
    ("JSONL file", "files"): JsonlCart("stock.jsonl").capabilities,
}


def _rows(can: SinkCapabilities) -> str:
    if can.rows_per_push is None:
        return "no limit"
    a_call = f", {can.rows_per_call:,} a call" if can.rows_per_call else ""
    a_push = f"{can.rows_per_push:,} a push{a_call}"
    kilobytes = f", {can.max_bytes / 1000:,.0f} kB" if can.max_bytes else ""
    return a_push + kilobytes + ("" if can.grouping == "none" else f", {can.grouping.replace('_', ' ')}")


def _pace(can: SinkCapabilities) -> str:
    pace = f"{can.calls_per_second:g} calls/s, " if can.calls_per_second else ""
    return f"{pace}{can.max_in_flight} at once"


COLUMNS: Mapping[str, Callable[[SinkCapabilities], str]] = {
    "Quantity": lambda can: can.quantity_meaning.replace("_", " "),
    "Locations": lambda can: can.locations,
    "Rows": _rows,
    "One bad row": lambda can: {"row": "costs itself", "call": "costs its call"}.get(
        can.atomicity, "unknown"
    ),
    "Compare-and-set": lambda can: {"cas": "yes", "version": "by version"}.get(can.compare_and_set, "no"),
    "Retry key": lambda can: "yes" if can.idempotency_keys else "no",
    "Shows it": lambda can: {"immediate": "at once", "eventual": "later", "job": "after a job"}[
        can.completion
    ],
    "Can be read": lambda can: ("all" if can.lists_all else "what is asked") if can.readable else "no",
    "Most": lambda can: "no limit" if can.max_quantity is None else f"{can.max_quantity:,}",
    "Pace": _pace,
}


def table() -> str:
    """Give the Markdown table."""
    lines = [
        "| Cart | " + " | ".join(COLUMNS) + " |",
        "|---|" + "---|" * len(COLUMNS),
    ]
    for (name, page), can in CARTS.items():
        cells = [f"[{name}]({page}.md)", *(cell(can) for cell in COLUMNS.values())]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page_with_table(text: str) -> str:
    """Give the page's text with the table of today."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
