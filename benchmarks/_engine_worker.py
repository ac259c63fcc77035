"""One process of ``engine.py``: does the job once and prints as JSON what it took."""

from __future__ import annotations

import importlib
import json
import random
import statistics
import sys
import time
import zlib
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from _engine_job import (  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    CARTS,
    Job,
    Quantities,
    draw_job,
    last_run,
    rows_of,
)
from _engine_memory import needed  # type: ignore[import-not-found]  # likewise
from _engine_ours import (  # type: ignore[import-not-found]  # likewise
    Default,
    cart_settings,
    code,
    snapshot_of,
)
from _engine_peak import Peak  # type: ignore[import-not-found]  # likewise

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, StockLevel
from omsync.allocation import Desk, allocate_by_reference, reallocate
from omsync.allocation import again as deciding
from omsync.allocation.columnar import StockColumns

PAGE = 500
SLOW = 10_000
SHARES = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
MERCHANT = MerchantSettings(mode=PerWarehouse())


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, list[float]]:
    """Call once; give what it gives, and the wall seconds and this process' seconds of all processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return result, [time.perf_counter() - wall, time.process_time() - cpu]


def variant(name: str) -> Any:
    """Import a variant; the others' libraries stay out of its process."""
    module = "_engine_ours" if name in {"default", "fast", "reference"} else "_engine_rivals"
    return getattr(importlib.import_module(module), name.title())


def run(folder: Path, name: str) -> dict[str, Any]:
    """Do the job once."""
    job = Job.load(folder)
    doing = variant(name)(job)
    peak = Peak()
    state, columns = timed(doing.ingest, None)
    quantities, allocate = timed(doing.allocate, state)
    changed, diff = timed(doing.diff, quantities)
    most = peak.bytes()
    checksum = checksum_of(quantities)
    del quantities
    told = {"from columns": columns, "allocate": allocate, "diff": diff}
    if name == "default":
        told["anchor"] = timed(one_pass, state[0])[1]
    if name == "fast":
        told["anchor"] = timed(floor, job, state[0])[1]
    del state, doing
    records = list(zip(*job.records, strict=True))
    pages = [records[begin : begin + PAGE] for begin in range(0, len(records), PAGE)]
    told["from pages"] = timed(variant(name)(job).ingest, pages)[1]
    return {"seconds": told, "peak": most, "checksum": checksum, "changed": changed}


def checksum_of(quantities: Quantities) -> int:
    """Sum up all output quantities, wherever they are kept."""
    summed = 0
    for rows in quantities:
        for row in rows:
            summed = zlib.crc32(array("i", list(row)).tobytes(), summed)
    return summed


def one_pass(stock: StockColumns) -> list[int]:
    """Do the cheapest thing that plain Python can do with the columns: add them up once."""
    return list(map(sum, zip(*stock.available, strict=True)))


def floor(job: Job, stock: StockColumns) -> None:
    """Do what no program can leave out, and nothing else: read the columns, gather, write the quantities."""
    import numpy as np

    columns = [np.frombuffer(column, dtype=np.int32) for column in stock.available]
    parts = np.frombuffer(job.bundles[1], dtype=np.int32)
    for column in columns:
        column[parts]
    for cart, listings in zip(CARTS, job.listings, strict=True):
        chosen = np.frombuffer(listings, dtype=np.int32)
        for row in rows_of(cart):
            total = columns[row[0]].copy()
            for location in row[1:]:
                total += columns[location]
            total[chosen]


def again(products: int, share: float, rounds: int) -> dict[str, Any]:
    """Allocate with values and text: ten carts, then one of them again after a few changes."""
    job = draw_job(products, share=share, popular=False)
    snapshot = snapshot_of(job)
    carts = [cart_settings(cart, listings) for cart, listings in zip(CARTS, job.listings, strict=True)]
    desk = statistics.median(timed(ten_carts, Desk().allocate, snapshot, carts)[1][1] for _ in range(rounds))
    told = ten_carts(Desk().allocate, snapshot, carts)
    reference = None
    if products <= SLOW:
        others, seconds = timed(ten_carts, allocate_by_reference, snapshot, carts)
        assert others == told
        reference = seconds[1] / desk
    quantities = sum(len(allocation.quantities) for allocation in told)
    return {
        "desk": desk,
        "each": desk / quantities,
        "reference": reference,
        "again": [changed(job, told[0], share, rounds) for share in SHARES],
    }


def ten_carts(
    allocate: Callable[..., Any], snapshot: InventorySnapshot, carts: Sequence[CartSettings]
) -> list[Any]:
    """Allocate for all carts of one reading."""
    return [allocate(snapshot, MERCHANT, cart) for cart in carts]


def changed(job: Job, allocation: Any, share: float, rounds: int) -> dict[str, float]:
    """Compare allocating again with allocating anew, after a share of the records changed."""
    draw = random.Random(11)
    records = list(zip(*job.records, strict=True))
    chosen = draw.sample(records, max(1, int(len(records) * share)))
    levels = [
        StockLevel(
            master_sku=code(product), location_id=str(location), on_hand=on_hand + 1, committed=committed
        )
        for product, location, on_hand, committed in chosen
    ]
    touched = {product for product, *_ in chosen}
    touched |= {bundle for bundle, part, _ in zip(*job.bundles, strict=True) if part in touched}
    reached = len(touched.intersection(job.listings[0]))
    # What is looked up once for all later changes is not counted.
    reallocate(allocation, levels[:1])
    ways = [reallocate, reallocate_only, allocate_anew]
    rows = []
    for number in range(rounds):
        # Each way is the first in turn, since what went before leaves memory in another state.
        first = number % len(ways)
        done = {way: timed(way, allocation, levels) for way in ways[first:] + ways[:first]}
        (once_more, few), (reached_only, narrow), (anew, everything) = (done[way] for way in ways)
        assert once_more == reached_only == anew
        rows.append((few[1] / everything[1], few[1] / min(narrow[1], everything[1])))
    ratio, to_better = (statistics.median(column) for column in zip(*rows, strict=True))
    return {
        "share": share,
        "reached": reached,
        "ratio": ratio,
        "each": ratio * len(allocation.quantities) / reached,
        "to better": to_better,
    }


def reallocate_only(allocation: Any, levels: Sequence[StockLevel]) -> Any:
    """Reallocate what is reached, however much that is."""
    usual = deciding._WORTH_IT  # noqa: SLF001  the choice itself is measured
    deciding._WORTH_IT = 0  # noqa: SLF001  likewise
    try:
        return reallocate(allocation, levels)
    finally:
        deciding._WORTH_IT = usual  # noqa: SLF001  likewise


def allocate_anew(allocation: Any, levels: Sequence[StockLevel]) -> Any:
    """Allocate everything of the changed reading."""
    bench = allocation.workbench
    return Desk().allocate(bench.snapshot.with_levels(levels), MERCHANT, bench.cart)


def main(what: str, *arguments: str) -> None:
    """Do what ``engine.py`` asks for."""
    told: Any = None
    if what == "draw":
        folder, products, share, popular = arguments
        job = draw_job(int(products), share=float(share), popular=popular == "1")
        doing = Default(job)
        job.previous = last_run(doing.allocate(doing.ingest(None)))
        job.save(Path(folder))
    elif what == "run":
        told = run(Path(arguments[0]), arguments[1])
    elif what == "memory":
        *shape, with_numpy = map(int, arguments)
        told = needed(*shape, with_numpy=bool(with_numpy))
    else:
        told = again(int(arguments[0]), float(arguments[1]), int(arguments[2]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
