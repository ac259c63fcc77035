"""Times the reference engine against bare ``json.loads`` of the same stock records, in one run.

    python benchmarks/reference_engine.py [products ...]

A ratio compares two things measured on the same machine at the same time, so it means the same elsewhere.
Rounds are interleaved, medians are shown, each size runs in a fresh process. Prints a Markdown table.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from omsync import (
    Bundle,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    QuantityRules,
    Sku,
    StockLevel,
    Warehouse,
    allocate,
)

WAREHOUSES = 10
BUNDLE_SHARE = 0.15
RECORDED = 0.5
ROUNDS = {1_000: 7, 10_000: 3, 100_000: 3}


def records(products: int) -> list[dict[str, object]]:
    """Draw stock records of a merchant: half of all (product, warehouse) pairs, seeded."""
    draw = random.Random(20261125)
    return [
        {
            "masterSku": f"SKU-{number:07d}",
            "warehouseId": f"{warehouse}",
            "onHandQuantity": draw.randrange(-2, 200),
            "allocatedQuantity": draw.randrange(0, 5),
            "lockedQuantity": 0,
            "availableQuantity": draw.randrange(-5, 200),
        }
        for number in range(products)
        for warehouse in range(WAREHOUSES)
        if draw.random() < RECORDED
    ]


def snapshot_of(rows: list[dict[str, object]], products: int) -> InventorySnapshot:
    """Make the snapshot: 15 % of the products are bundles of two to five parts."""
    draw = random.Random(7)
    plain = int(products * (1 - BUNDLE_SHARE))
    skus = [f"SKU-{number:07d}" for number in range(products)]
    return InventorySnapshot(
        taken_at=datetime(2026, 11, 25, tzinfo=UTC),
        skus=[Sku(master_sku=sku) for sku in skus],
        warehouses=[Warehouse(id=str(number)) for number in range(WAREHOUSES)],
        bundles=[
            Bundle(
                master_sku=sku,
                components=[
                    Component(master_sku=skus[part], quantity=draw.randrange(1, 4))
                    for part in draw.sample(range(plain), draw.randrange(2, 6))
                ],
            )
            for sku in skus[plain:]
        ],
        levels=(
            StockLevel(
                master_sku=str(row["masterSku"]),
                location_id=str(row["warehouseId"]),
                available=int(str(row["availableQuantity"])),
            )
            for row in rows
        ),
    )


def seconds(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(products: int) -> dict[str, float]:
    """Measure one size in this process."""
    rows = records(products)
    text = json.dumps(rows)
    merchant = MerchantSettings(mode=PerWarehouse(disabled={"9"}))
    carts = {
        "combined": CartSettings(name="combined", rules=QuantityRules(percent=90, zero_below=2)),
        "breakdown": CartSettings(name="breakdown", breakdown=True),
    }
    snapshot = snapshot_of(rows, products)
    timings: dict[str, list[float]] = {"json.loads": [], "snapshot": [], "combined": [], "breakdown": []}
    for _ in range(ROUNDS.get(products, 3)):
        timings["json.loads"].append(seconds(lambda: json.loads(text)))
        timings["snapshot"].append(seconds(lambda: snapshot_of(rows, products)))
        for name, cart in carts.items():
            timings[name].append(seconds(partial(allocate, snapshot, merchant, cart)))
    bare = timings.pop("json.loads")
    ratios = {
        name: statistics.median(one / base for one, base in zip(values, bare, strict=True))
        for name, values in timings.items()
    }
    return {"records": len(rows), "json.loads": statistics.median(bare), **ratios}


def main(sizes: list[int]) -> None:
    """Measure every size in a process of its own and print the table."""
    print(f"{WAREHOUSES} warehouses, {BUNDLE_SHARE:.0%} bundles, Python {sys.version.split()[0]}")
    print()
    print("| products | records | bare json | snapshot / json | combined / json | breakdown / json |")
    print("|---|---|---|---|---|---|")
    for size in sizes:
        command = [sys.executable, __file__, "--one", str(size)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        ratios = " | ".join(f"{result[name]:.1f}" for name in ("snapshot", "combined", "breakdown"))
        print(
            f"| {size:,} | {result['records']:,.0f} | {result['json.loads']:.4f} s | {ratios} |", flush=True
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main([int(text) for text in sys.argv[1:]] or list(ROUNDS))
