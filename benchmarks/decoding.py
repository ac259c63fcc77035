"""Times the decoding of stock pages to checked columns against bare ``json.loads`` of the same bytes.

    python benchmarks/decoding.py [--records 60000] [--rounds 3]

Every product has a record in five warehouses. Pages are dropped after use. Every way runs in a fresh process
each round, and decodes each page with bare ``json.loads`` just before, so that both meet the same machine.
CPU time counts; the median of the rounds' ratios is shown. All ways must find the same units. Prints a
Markdown table.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = 200
WAREHOUSES = range(701, 706)
SHAPES = ("totals", "stock rows", "totals, only what is read")
Way = tuple[Callable[[str, bytes], None], Callable[[], None]]
WAYS = ("msgspec", "rows", "columns", "columns with msgspec")


def row_of(shape: str, warehouse: int, number: int, draw: random.Random) -> dict[str, Any]:
    """Draw a row of one of the shapes that the order manager documents, or of the fields that are read."""
    product: dict[str, Any] = {"productId": 1_000_000 + number, "masterSku": f"SKU-{number:07d}"}
    figures = {
        "onHandQuantity": draw.randrange(-2, 200),
        "lockedQuantity": 0,
        "allocatedQuantity": draw.randrange(5),
        "availableQuantity": draw.randrange(-5, 200),
        "inTransitQuantity": 0,
    }
    if shape == "totals, only what is read":
        return {"product": product, **figures}
    product |= {
        "name": f"Mug, stoneware, colour {number % 97}",
        "description": "",
        "productType": "CORE_PRODUCT",
        "productWeight": 12.0,
        "upc": f"{number:012d}",
        "mpn": None,
        "fnSku": None,
        "hazmat": False,
    }
    if shape == "totals":
        return {"product": product, **figures}
    place = {"stockLocationId": number, "location": f"A-{number % 50}", "warehouseId": warehouse}
    return {
        "productStockId": number,
        "active": True,
        "quantity": figures["onHandQuantity"],
        "quantityLocked": 0,
        "allocatedQuantity": figures["allocatedQuantity"],
        "availableQuantity": figures["availableQuantity"],
        "minStock": 0,
        "drawRank": 1,
        "pickable": True,
        "receivable": True,
        "product": product,
        "stockLocation": place,
        "warehouseStockTotals": {**figures, "minInventoryLevel": 0},
    }


def measure(way: str, shape: str, pages: list[tuple[str, bytes]]) -> dict[str, float]:
    """Run one way in this process; give CPU seconds by part, and the units found."""
    if way in {"rows", "columns"}:
        # As if it were not installed.
        sys.modules["msgspec"] = None  # type: ignore[assignment]
    spent: dict[str, float] = dict.fromkeys(("json", "decode", "levels", "pack", "units"), 0.0)
    take, finish = {"msgspec": alone, "rows": by_rows}.get(way, by_columns)(shape, spent)
    for warehouse, content in pages:
        with clock(spent, "json"):
            json.loads(content)
        take(warehouse, content)
    finish()
    return spent


@contextmanager
def clock(spent: dict[str, float], part: str) -> Iterator[None]:
    """Count the CPU seconds of a block, in which what it makes is dropped too."""
    start = time.process_time()
    yield
    spent[part] += time.process_time() - start


def alone(_: str, spent: dict[str, float]) -> Way:
    """Only decode, with msgspec."""
    decode = import_module("msgspec").json.decode

    def take(_: str, content: bytes) -> None:
        with clock(spent, "decode"):
            decode(content)

    return take, lambda: None


def by_rows(shape: str, spent: dict[str, float]) -> Way:
    """Make a checked value of every row."""
    from omsync.sources.extensiv import wire

    def take(warehouse: str, content: bytes) -> None:
        with clock(spent, "decode"):
            value = json.loads(content)
            if shape == "stock rows":
                rows = wire.inventory_rows(value, "", missing_available="refuse")
            else:
                rows = wire.totals(value, "", warehouse_id=warehouse, missing_available="refuse")
            del value
        spent["units"] += sum(row.available or 0 for row in rows)

    return take, lambda: None


def by_columns(shape: str, spent: dict[str, float]) -> Way:
    """Make checked columns, as a reading does, and the levels at the end."""
    from omsync.http.messages import Response
    from omsync.sources.extensiv.stock import Stock, inventory_page, totals_page

    stock = Stock()

    def take(warehouse: str, content: bytes) -> None:
        with clock(spent, "decode"):
            response = Response(status=200, content=content)
            if shape == "stock rows":
                page = inventory_page(response, missing_available="refuse")
            else:
                page = totals_page(response, warehouse_id=warehouse, missing_available="refuse")
            stock.add(page)
        with clock(spent, "pack"):
            page.pack()

    def finish() -> None:
        everywhere = set(map(str, WAREHOUSES))
        with clock(spent, "levels"):
            levels = stock.levels(lambda _, master_sku: master_sku, everywhere)
        spent["units"] = sum(level.available or 0 for level in levels)

    return take, finish


def in_a_fresh_process(way: str, shape: str, folder: Path) -> dict[str, float]:
    """Measure one way."""
    command = [sys.executable, __file__, "--one", way, shape, str(folder)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(result.stdout))


def lines(records: int, rounds: int) -> Iterator[str]:
    """Measure every shape and give the table's lines."""
    yield (
        "| pages of | bytes a record | bare json (us a record) | bare msgspec / json | row by row / json "
        "| columns / json | columns with msgspec / json | levels at the end / json "
        "| pages as kept / json |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for shape in SHAPES:
        draw = random.Random(20261125)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            size = 0
            for warehouse in WAREHOUSES:
                for first in range(0, records // len(WAREHOUSES), PAGE):
                    page = [row_of(shape, warehouse, first + number, draw) for number in range(PAGE)]
                    content = json.dumps(page, separators=(",", ":")).encode()
                    (folder / f"{warehouse}-{first:09d}.json").write_bytes(content)
                    size += len(content)
            taken = [{way: in_a_fresh_process(way, shape, folder) for way in WAYS} for _ in range(rounds)]
        found = {one["units"] for each in taken for way, one in each.items() if way != "msgspec"}
        assert len(found) == 1, found
        ratios = [
            statistics.median(each[way][part] / each[way]["json"] for each in taken)
            for way, part in (
                *((way, "decode") for way in WAYS),
                ("columns", "levels"),
                ("columns", "pack"),
            )
        ]
        bare = statistics.median(one["json"] for each in taken for one in each.values()) / records * 1e6
        shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        yield f"| {shape} | {size / records:.0f} | {bare:.1f} | {shown} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "SHAPE", "FOLDER"))
    given = parser.parse_args()
    if given.one:
        way, shape, folder = given.one
        pages = [(path.name[:3], path.read_bytes()) for path in sorted(Path(folder).iterdir())]
        print(json.dumps(measure(way, shape, pages)))
        return
    python = sys.version.split()[0]
    print(f"{given.records:,} records of {len(WAREHOUSES)} warehouses in pages of {PAGE}, Python {python}")
    print()
    for line in lines(given.records, given.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
