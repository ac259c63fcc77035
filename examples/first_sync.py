"""The main job from end to end, without an account: an order manager to try things on, and three carts.

Run it with ``python examples/first_sync.py``. It starts omsync's sandbox, an HTTP server on this machine that
behaves like Extensiv Order Manager, with a small merchant in it. Everything after that is what your own
script would do: put in your token, your carts, and leave the sandbox out.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from omsync import (
    CartSettings,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SyncPlan,
    explanation_view,
    plan_cart,
    plan_view,
    product_view,
    push_plan,
    read_inventory,
    sync_cart,
)
from omsync.ledgers.sqlite import SqliteLedger
from omsync.sinks.files import CsvCart, JsonlCart
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

# One account under two profiles: by warehouse for the shop and the EDI partner, by channel for the rest.
BY_WAREHOUSE = MerchantSettings(name="juniper", mode=PerWarehouse(disabled={"Amazon FBA US"}))
BY_CHANNEL = MerchantSettings(name="juniper-channels", mode=PerSalesChannel())

SHOP = CartSettings(
    name="own-shop",  # its codes are the master SKUs; all counted warehouses are combined
    rules=QuantityRules(percent=90, zero_below=3),
)
WOO = CartSettings(
    name="woo",
    alias="Woo store",  # its codes are the listing SKUs of this channel
    location="Woo store",  # and its figures are the channel's share
)
EDI = CartSettings(
    name="edi-partner",
    alias="Wholesale portal",
    breakdown=True,  # one row for each warehouse
    location_map={"Reno DC": "WH-WEST", "Ohio DC": "WH-EAST", "Texas 3PL": "WH-EAST"},
    units={"810012340067-6PK": 6},  # a pack of six
)


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def main(folder: Path) -> None:
    """Read, look, plan, push; then run again."""
    sandbox = OrderManagerSandbox(clock=lambda: datetime.now(UTC))
    with sandbox.serve() as server, SqliteLedger(folder / "omsync.db") as ledger:
        source = ExtensivOrderManager(
            token=sandbox.token, base_url=server.base_url, acknowledge="exclusive", channels={"Woo store"}
        )
        shop, woo, edi = (
            CsvCart(folder / "own-shop.csv"),
            JsonlCart(folder / "woo.jsonl"),
            CsvCart(folder / "edi-partner.csv"),
        )

        title("1. Read the order manager by warehouse, and look at every product")
        snapshot = read_inventory(source, BY_WAREHOUSE, ledger=ledger)
        print(product_view(ledger, BY_WAREHOUSE))

        title("2. The own shop: master SKUs, all counted warehouses combined. First the plan, then the push")
        plan = plan_cart(snapshot, shop, SHOP, merchant=BY_WAREHOUSE, ledger=ledger)
        print(plan)
        print(push_plan(plan, shop, ledger=ledger))

        title("3. Why does the shop show that many gift sets?")
        print(plan.explain("GIFT-SET"))
        explanation_view(plan.explain("GIFT-SET")).to_html(folder / "why-gift-set.html")
        plan_view(plan).to_html(folder / "plan.html")
        product_view(ledger, BY_WAREHOUSE).to_html(folder / "products.html")

        title("4. The Woo store: listing SKUs, sales-channel mode")
        print(sync_cart(source, woo, WOO, merchant=BY_CHANNEL, ledger=ledger))

        title("5. An EDI partner: one row for each of its own locations")
        report = sync_cart(snapshot, edi, EDI, merchant=BY_WAREHOUSE, ledger=ledger)
        print(report)
        print(report.explain("BREW-KIT", "WH-EAST"))

        title("6. The same again: nothing is left to do")
        for sink, cart, merchant in (
            (shop, SHOP, BY_WAREHOUSE),
            (woo, WOO, BY_CHANNEL),
            (edi, EDI, BY_WAREHOUSE),
        ):
            print(f"{cart.name}: {sync_cart(source, sink, cart, merchant=merchant, ledger=ledger)}")

        title("7. Somebody buys four mugs; only what changed is pushed")
        sandbox.set_stock("MUG-01", 701, committed=8, location="A-01")
        after: SyncPlan = plan_cart(source, shop, SHOP, merchant=BY_WAREHOUSE, ledger=ledger)
        print(after)
        print(push_plan(after, shop, ledger=ledger))

        title("8. The runs, as the ledger has them")
        for merchant in (BY_WAREHOUSE, BY_CHANNEL):
            for run in ledger.statuses(merchant.name):
                print(run)
    print(f"\nThe carts' files and the ledger are in {folder}")
    print(f"Open this in a browser to see why the shop shows 8 gift sets: {folder / 'why-gift-set.html'}")
    print("plan.html and products.html beside it show every row; each opens why.")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp(prefix="omsync-")))
