"""Measures the memory of a reading of Extensiv Order Manager, from its answers to the snapshot.

    python benchmarks/reading.py [--products 20000] [--warehouses 5 50]

The source is the real one; its answers are made in this process, page by page, as they are asked for. Every
product has a record in every warehouse, and the catalogue stays the same, so that the difference between two
numbers of warehouses is what stock records need. Every way runs in a fresh process. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _engine_peak import Peak  # type: ignore[import-not-found]  # beside this file, where mypy does not look

if TYPE_CHECKING:
    from omsync.http.messages import Request, Response
    from omsync.ledgers.sqlite import SqliteLedger

PAGE = 200
BROKEN_OFF = "broken off"
BEFORE = {"no ledger": None, "ledger": None, "ledger, read again": "ledger", "ledger, gone on": BROKEN_OFF}
"""The ways, and what came before with the same ledger, in a process of its own."""
PRODUCTS, TOTALS = "/v1.1/products", "/v1/productstocks/total"


class Answers:
    """An order manager that makes each page when it is asked for it.

    Args:
        products: How many there are.
        warehouses: How many there are.
        breaks_at: The page of totals that cannot be had, as when the network is gone; None: all can.
    """

    def __init__(self, products: int, warehouses: int, *, breaks_at: int | None = None) -> None:
        self._products, self._warehouses, self._breaks_at = products, warehouses, breaks_at

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        from omsync.http.messages import Response

        asked, path = dict(request.query), request.url.partition(".test")[2]
        page, limit = int(asked.get("page", 1)), int(asked.get("limit", 1))
        rows: list[Any] = []
        numbers = range(self._products)[(page - 1) * limit : page * limit]
        if path == "/v1/warehouses":
            rows = [{"warehouseId": one, "name": f"W{one}"} for one in range(self._warehouses)]
        elif path == PRODUCTS:
            rows = [product(number) for number in numbers]
        elif path == TOTALS:
            if page == self._breaks_at:
                return Response(status=400, content=b"no", place=request.place)
            rows = [totals(number, int(asked["warehouseId"])) for number in numbers]
        return Response(status=200, content=json.dumps(rows).encode(), place=request.place)


def product(number: int) -> dict[str, Any]:
    """Give a row of products."""
    return {"productId": 1_000_000 + number, "masterSku": f"SKU-{number:07d}", "name": f"Mug {number % 97}"}


def totals(number: int, warehouse: int) -> dict[str, Any]:
    """Give a row of totals; figures of three digits, as a shop of some size has them."""
    figure = (number * 7919 + warehouse * 104_729) % 1_000
    return {
        "product": {**product(number), "productType": "CORE_PRODUCT", "upc": f"{number:012d}", "mpn": None},
        "onHandQuantity": figure + 3,
        "lockedQuantity": 0,
        "allocatedQuantity": 3,
        "availableQuantity": figure,
        "inTransitQuantity": figure * 3 % 500,
    }


def measure(way: str, products: int, warehouses: int, folder: Path) -> dict[str, float]:
    """Read once in this process; give bytes at the most, which Linux alone tells, and CPU seconds."""
    from omsync.ledgers.sqlite import SqliteLedger

    ledger = None if way == "no ledger" else SqliteLedger(folder / "ledger.db")
    if way == BROKEN_OFF:
        broken_off(Answers(products, warehouses, breaks_at=products // PAGE), ledger)
        return {}
    peak, start = Peak(), time.process_time()
    snapshot = read(Answers(products, warehouses), ledger)
    spent = time.process_time() - start
    assert len(snapshot.levels) == products * warehouses
    return {"peak": peak.bytes() or 0, "cpu": spent}


def read(answers: Answers, ledger: SqliteLedger | None) -> Any:
    """Read the order manager."""
    from omsync import MerchantSettings, PerWarehouse, read_inventory
    from omsync.http.pacing import Pace
    from omsync.sources.extensiv import ExtensivOrderManager

    source = ExtensivOrderManager(
        "token",
        base_url="https://oms.test",
        page_sizes={"totals": PAGE},
        pace=Pace(per_second=1e6, burst=1_000),
        ask_limits=False,
        resume_within=timedelta(days=1),
        handler=answers.handle,
    )
    return read_inventory(source, MerchantSettings(name="acme", mode=PerWarehouse()), ledger=ledger)


def broken_off(answers: Answers, ledger: SqliteLedger | None) -> None:
    """Read until the network is gone."""
    from omsync.errors import OmsyncError

    try:
        read(answers, ledger)
    except OmsyncError:
        return
    raise AssertionError("the reading came to its end")


def in_a_fresh_process(way: str, products: int, warehouses: int) -> dict[str, float]:
    """Measure one way."""
    told = "{}"
    with tempfile.TemporaryDirectory() as folder:
        for one in filter(None, (BEFORE[way], way)):
            command = [sys.executable, __file__, "--one", one, str(products), str(warehouses), folder]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(told))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--warehouses", type=int, nargs=2, default=(5, 50))
    parser.add_argument("--one", nargs=4, metavar=("WAY", "PRODUCTS", "WAREHOUSES", "FOLDER"))
    given = parser.parse_args()
    if given.one:
        way, products, warehouses, folder = given.one
        print(json.dumps(measure(way, int(products), int(warehouses), Path(folder))))
        return
    few, many = (number * given.products for number in given.warehouses)
    print(f"| reading | peak, {few:,} records (MB) | peak, {many:,} records (MB) | bytes a further record |")
    print("|---|---|---|---|")
    for way in BEFORE:
        less, more = (in_a_fresh_process(way, given.products, one)["peak"] for one in given.warehouses)
        shown = f"{less / 1e6:.0f} | {more / 1e6:.0f} | {(more - less) / (many - few):.0f}"
        print(f"| {way} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
