"""Times what a listing costs on its way from quantity to report: cart's listings given, plan, push, report.

    python benchmarks/listings.py [--products 100000] [--rounds 3]

A merchant with ten warehouses, half of the (product, warehouse) pairs recorded, 15 % bundles, and one cart
that combines them and lists every product. The cart keeps its figures in memory and gives them when asked,
so only omsync is measured. It shows every quantity already, or 1 % of them differ; with a ledger, a run
before has left a state of each listing there. Every case runs in a fresh process each round. CPU time counts,
and the median of the rounds is shown. Memory is what Python allocates beside the engine's quantities, counted
by tracemalloc in a process of its own: at the peak, and what the report keeps. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from omsync import (
    Bundle,
    CartListing,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    SinkCapabilities,
    Sku,
    StockLevel,
    Warehouse,
    allocate,
    plan_cart,
    push_plan,
    sync_cart,
)
from omsync.ledgers.sqlite import SqliteLedger

WAREHOUSES = 10
RECORDED = 0.5
BUNDLES = 0.15
SHOP, ACME = CartSettings(name="shop"), MerchantSettings(name="acme", mode=PerWarehouse())
CASES = ("nothing to change", "1 % to change")
LEDGERS = ("no ledger", "SQLite")
PARTS = ("quantities", "cart read", "plan", "push and report")


class Cart:
    """A cart in memory.

    Args:
        shown: Its figures.
    """

    capabilities = SinkCapabilities(
        destination="memory", max_rows=1000, atomicity="row", compare_and_set="cas"
    )

    def __init__(self, shown: dict[str, int]) -> None:
        self.shown = shown

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        """Give what it shows."""
        return [CartListing(listing_sku=sku, quantity=self.shown[sku]) for sku in listing_skus]

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        """Take everything."""
        self.shown |= {one.listing_sku: one.quantity for one in changes}
        return [
            PushResult(listing_sku=one.listing_sku, status="accepted", echo=one.quantity) for one in changes
        ]


def merchant(products: int) -> InventorySnapshot:
    """Draw the order manager's figures."""
    draw = random.Random(20261128)
    codes = [f"SKU-{number:07d}" for number in range(products)]
    plain = codes[: products - int(products * BUNDLES)]

    def parts() -> list[Component]:
        several = draw.sample(plain, draw.randint(2, 5))
        return [Component(master_sku=part, quantity=draw.randint(1, 3)) for part in several]

    return InventorySnapshot(
        taken_at=datetime.now(UTC),
        skus=[Sku(master_sku=code) for code in codes],
        bundles=[Bundle(master_sku=code, components=parts()) for code in codes[len(plain) :]],
        warehouses=[Warehouse(id=str(place)) for place in range(WAREHOUSES)],
        levels=(
            StockLevel(master_sku=code, location_id=str(place), available=draw.randrange(200))
            for code in codes
            for place in range(WAREHOUSES)
            if draw.random() < RECORDED
        ),
    )


def measure(case: str, products: int, ledger_file: str, *, memory: bool) -> dict[str, float]:
    """Sync the cart in this process; give CPU seconds by part, or bytes, each for one listing."""
    snapshot = merchant(products)
    wanted = {one.listing_sku: one.quantity for one in allocate(snapshot, ACME, SHOP).quantities}
    ledger = SqliteLedger(ledger_file) if ledger_file else None
    cart = Cart(dict(wanted))
    if ledger is not None:
        sync_cart(snapshot, cart, SHOP, merchant=ACME, ledger=ledger)
    if case == CASES[1]:
        cart.shown = {sku: units + (number % 100 == 0) for number, (sku, units) in enumerate(wanted.items())}
    gc.collect()
    told = (in_bytes if memory else in_seconds)(snapshot, cart, ledger)
    assert cart.shown == wanted, "the cart does not show what was planned"
    return {part: figure / len(wanted) for part, figure in told.items()}


def in_seconds(snapshot: InventorySnapshot, cart: Cart, ledger: SqliteLedger | None) -> dict[str, float]:
    """Give the CPU seconds of each part: planned, then pushed."""
    marks: list[float] = []

    def mark(stage: str, *_: object) -> None:
        if stage == "read cart":
            marks.append(time.process_time())

    # The first one loads modules, too.
    plan_cart(snapshot, cart, SHOP, merchant=ACME, ledger=ledger)
    start = time.process_time()
    plan = plan_cart(snapshot, cart, SHOP, merchant=ACME, ledger=ledger, on_progress=mark)
    planned = time.process_time()
    push_plan(plan, cart, ledger=ledger)
    pushed = time.process_time()
    asked, answered = marks
    return {
        "quantities": asked - start,
        "cart read": answered - asked,
        "plan": planned - answered,
        "push and report": pushed - planned,
    }


def in_bytes(snapshot: InventorySnapshot, cart: Cart, ledger: SqliteLedger | None) -> dict[str, float]:
    """Give the bytes that a sync allocates beside the quantities: at its peak, and with its report left."""
    tracemalloc.start()
    allocation = allocate(snapshot, ACME, SHOP)
    quantities = tracemalloc.get_traced_memory()[0]
    del allocation
    gc.collect()
    report = sync_cart(snapshot, cart, SHOP, merchant=ACME, ledger=ledger)
    peak = tracemalloc.get_traced_memory()[1]
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert report.status == "success", report
    return {"peak": peak - quantities, "kept": kept - quantities}


def in_a_fresh_process(case: str, ledger: str, products: int, *, memory: bool) -> dict[str, float]:
    """Measure one case."""
    with tempfile.TemporaryDirectory() as folder:
        file = "" if ledger == LEDGERS[0] else str(Path(folder) / "ledger.db")
        what = "bytes" if memory else "seconds"
        command = [sys.executable, __file__, "--products", str(products), "--one", what, case, file]
        result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(result.stdout))


def lines(products: int, rounds: int) -> Iterator[str]:
    """Measure every case and give the table's lines."""
    named = " | ".join(f"{part} (us)" for part in PARTS)
    yield f"| cart | ledger | {named} | all (us) | peak (bytes) | kept by the report (bytes) |"
    yield "|---" * (len(PARTS) + 5) + "|"
    cases = [(case, ledger) for ledger in LEDGERS for case in CASES]
    taken = [[in_a_fresh_process(*one, products, memory=False) for one in cases] for _ in range(rounds)]
    for number, (case, ledger) in enumerate(cases):
        parts = [statistics.median(each[number][part] for each in taken) * 1e6 for part in PARTS]
        spent = " | ".join(f"{one:.1f}" for one in (*parts, sum(parts)))
        held = in_a_fresh_process(case, ledger, products, memory=True)
        yield f"| {case} | {ledger} | {spent} | {held['peak']:,.0f} | {held['kept']:,.0f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "CASE", "LEDGER"))
    given = parser.parse_args()
    if given.one:
        what, case, file = given.one
        print(json.dumps(measure(case, given.products, file, memory=what == "bytes")))
        return
    python = sys.version.split()[0]
    print(
        f"One cart of {given.products:,} products, {WAREHOUSES} warehouses, Python {python}; for one listing:"
    )
    print()
    for line in lines(given.products, given.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
