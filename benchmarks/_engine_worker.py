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
from _engine_ours import (  # type: ignore[import-not-found]  # likewise
    Default,
    cart_settings,
    code,
    snapshot_of,
)

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, StockLevel
from omsync.allocation import Desk, allocate_by_reference, reallocate
from omsync.allocation.columnar import StockColumns

PAGE = 500
SLOW = 10_000
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


class Peak:
    """The largest memory of this process from now on, above what it has; Linux tells it, others do not."""

    def __init__(self) -> None:
        self._status = Path("/proc/self/status")
        reset = Path("/proc/self/clear_refs")
        self._known = reset.exists()
        if self._known:
            reset.write_text("5")
            self._before = self._told("VmRSS")

    def bytes(self) -> int | None:
        """Give it."""
        return self._told("VmHWM") - self._before if self._known else None

    def _told(self, name: str) -> int:
        line = next(line for line in self._status.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024


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
        "again": [changed(job, told[0], share, rounds) for share in (0.0001, 0.001, 0.01, 0.1)],
    }


def ten_carts(
    allocate: Callable[..., Any], snapshot: InventorySnapshot, carts: Sequence[CartSettings]
) -> list[Any]:
    """Allocate for all carts of one reading."""
    return [allocate(snapshot, MERCHANT, cart) for cart in carts]


def changed(job: Job, allocation: Any, share: float, rounds: int) -> tuple[float, int, float, float]:
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
    ratios = []
    for _ in range(rounds):
        once_more, few = timed(reallocate, allocation, levels)
        anew, everything = timed(allocate_anew, allocation, levels)
        assert once_more == anew
        ratios.append(few[1] / everything[1])
    ratio = statistics.median(ratios)
    return share, reached, ratio, ratio * len(allocation.quantities) / reached


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
    else:
        told = again(int(arguments[0]), float(arguments[1]), int(arguments[2]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
