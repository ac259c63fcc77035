"""Syncs into a real shop that are killed at random moments, and what has to be true after each."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import killed_sync
from attrs import define, field, frozen
from killed_sync import CART, MERCHANT, READY, REPORT, Job

from omsync import InventorySnapshot, Sku, StockLevel, Warehouse, allocate
from omsync.ledgers.sqlite import SqliteLedger
from omsync.testing import Catalog, CatalogProduct, CatalogWarehouse, OrderManagerSandbox, StockRecord

__all__ = ["SKUS", "Figures", "Kills"]

Figures = Mapping[str, int]

SKUS = tuple(f"PART-{number:03d}" for number in range(1, 61))
PLACES = (701, 702)
CHANGED = 16
"""Products that change before a run: so few that no guard against large changes has a say."""
ZEROS = 2
MOST_IN_A_ROW = 3
PATIENCE = 120
"""Seconds that a child may take, in its worst hour."""
SECONDS_BETWEEN_LOOKS = 0.2
LONG_AFTER = timedelta(hours=7)
"""So much later, pages of a read that was killed are too old to go on with."""


@frozen
class Left:
    """What a child left behind.

    Args:
        lines: What it said.
        seconds: How long it worked.
        killed: Whether it was killed, or had ended before.
    """

    lines: tuple[str, ...]
    seconds: float
    killed: bool

    @property
    def stage(self) -> str:
        """What it was doing."""
        last = self.lines[-1]
        return {READY: "opening the ledger"}.get(last, "at its end" if last.startswith(REPORT) else last)

    @property
    def report(self) -> Mapping[str, Any]:
        """What a child that came to its end says of its run."""
        told: Mapping[str, Any] = json.loads(self.lines[-1].removeprefix(REPORT))
        return told


@define
class Kills:
    """An order manager, a shop, a ledger, and the processes that sync between them.

    Args:
        sink: ``"vendure"`` or ``"medusa"``.
        options: The sink's arguments.
        look: Reads past the sink what the shop shows of ``SKUS``.
        folder: Where the ledger's file is.
        draw: Draws the moments, and what changes.
    """

    sink: str
    options: Mapping[str, Any]
    look: Callable[[], Figures]
    folder: Path
    draw: random.Random
    stages: Counter[str] = field(factory=Counter)
    looks: int = 0
    runs: int = 0
    whole: float = 0.0
    _stock: dict[tuple[str, int], int] = field(factory=dict)
    _ceiling: dict[str, int] = field(factory=dict)
    _settled: Figures = field(factory=dict)
    _settled_at: datetime = field(init=False)
    _ahead: timedelta = timedelta()
    _sandbox: OrderManagerSandbox = field(init=False)
    _address: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        self._stock = {(sku, place): self.draw.randrange(1, 40) for sku in SKUS for place in PLACES}
        self._sandbox = OrderManagerSandbox(
            Catalog(
                products=tuple(CatalogProduct(master_sku=sku) for sku in SKUS),
                warehouses=tuple(
                    CatalogWarehouse(warehouse_id=place, name=f"Warehouse {place}") for place in PLACES
                ),
                stock=tuple(
                    StockRecord(master_sku=sku, warehouse_id=place, on_hand=units)
                    for (sku, place), units in self._stock.items()
                ),
            ),
            clock=self._now,
        )

    def kill(self, times: int) -> None:
        """Kill so many runs; after one, two or three of them a whole one puts everything right.

        Raises:
            AssertionError: It does not; or the ledger cannot be opened, a listing showed more than there was,
                or the shop shows what the ledger knows nothing of.
        """
        with self._sandbox.serve() as server:
            self._address = server.base_url
            self._check_settled(self._run(None))
            moments = _spread(times, self.draw)
            while moments:
                self._something_changes()
                for number in range(min(len(moments), self.draw.randint(1, MOST_IN_A_ROW))):
                    if number == 1 and self.draw.random() < 0.5:
                        self._ahead += LONG_AFTER
                        self._something_changes()
                    self._kill_one(moments.pop())
                self._check_settled(self._run(None))

    def table(self) -> str:
        """Give the figures."""
        killed = sum(self.stages.values())
        found = ", ".join(f"{stage} {count}" for stage, count in sorted(self.stages.items()))
        return (
            f"{self.sink}: {killed} kills in {self.runs} runs of {len(SKUS)} listings (a whole one takes "
            f"{self.whole:.2f} s), {self.looks} looks at the shop meanwhile; killed when: {found}"
        )

    def _kill_one(self, share: float) -> None:
        left = self._run(share * self.whole)
        while not left.killed:  # It was quicker than the one before: a whole run, then, and another moment.
            self._check_settled(left)
            self._something_changes()
            left = self._run(self.draw.random() * share * self.whole)
        self.stages[left.stage] += 1
        self._check_ledger()
        self._check_nothing_is_unknown(self.look())

    def _check_settled(self, left: Left) -> None:
        """Want everything as it should be after a run that came to its end."""
        assert left.lines[-1].startswith(REPORT), left.lines
        report, wanted, shown = left.report, self._wanted(), self.look()
        listings = Counter(listing for listing, *_ in report["outcomes"])
        assert {sku: listings[sku] for sku in SKUS} == dict.fromkeys(SKUS, 1), "not one outcome for each"
        assert shown == wanted, f"one run after the kill the shop shows something else: {report}"
        assert report["status"] == "success", report
        self._check_ledger()
        if self._settled:
            self._check_nothing_is_unknown(shown)
        self.whole = left.seconds
        self._settled, self._settled_at, self._ceiling = shown, self._now(), dict(shown)

    def _run(self, seconds: float | None) -> Left:
        """Start a child, kill it so many seconds after it began its work, and look at the shop meanwhile."""
        for sku, units in self._wanted().items():
            self._ceiling[sku] = max(units, self._ceiling.get(sku, units))
        self._ahead += timedelta(minutes=2)
        self.runs += 1
        job = Job(
            order_manager=self._address,
            token=self._sandbox.token,
            ledger=str(self.folder / "ledger.db"),
            sink=self.sink,
            options=self.options,
            way=self.draw.choice(("blocking", "awaiting")),
            ahead=int(self._ahead.total_seconds()),
        )
        errors = (self.folder / "child.log").open("w+")
        with (
            errors,
            subprocess.Popen(
                [sys.executable, killed_sync.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as child,
        ):
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(job.to_json())
            child.stdin.close()
            ready = child.stdout.readline()
            began = time.monotonic()
            with self._watched():
                try:
                    child.wait(PATIENCE if seconds is None else seconds)
                except subprocess.TimeoutExpired:
                    child.kill()
                status = child.wait()
                took = time.monotonic() - began
            lines = (ready + child.stdout.read()).splitlines()
            errors.seek(0)
            assert status in {0, -9}, errors.read()
        return Left(tuple(lines), took, killed=status == -9)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Look at the shop again and again: nothing is ever above what there is."""
        over = threading.Event()
        above: list[str] = []

        def watch() -> None:
            # Now and then, so that it is not us who keep the shop busy.
            while not over.wait(SECONDS_BETWEEN_LOOKS):
                self.looks += 1
                shown = self.look()
                above.extend(
                    f"{sku} showed {units}, and {self._ceiling[sku]} was the most"
                    for sku, units in shown.items()
                    if self._settled and units > self._ceiling[sku]
                )

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        assert not above, above

    def _check_ledger(self) -> None:
        path = self.folder / "ledger.db"
        with SqliteLedger(path, now=self._now) as ledger:
            status = ledger.status(MERCHANT, CART.name).status
            assert status in {"never", "died", "success"}, status
            for run in ledger.runs(MERCHANT, CART.name):
                assert run.status != "in_progress", run
        connection = sqlite3.connect(path)
        try:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        finally:
            connection.close()

    def _check_nothing_is_unknown(self, shown: Figures) -> None:
        """Want each quantity that the shop shows anew to be one that the ledger says was sent."""
        with SqliteLedger(self.folder / "ledger.db", now=self._now) as ledger:
            entries = ledger.history(MERCHANT.name, CART.name, None, self._settled_at)
        sent = {(entry.listing_sku, entry.quantity) for entry in entries}
        changed = {(sku, units) for sku, units in shown.items() if units != self._settled[sku]}
        assert changed <= sent, f"the ledger knows nothing of {sorted(changed - sent)}"

    def _something_changes(self) -> None:
        chosen = self.draw.sample(sorted(self._stock), CHANGED)
        for index, (sku, place) in enumerate(chosen):
            before = self._stock[sku, place]
            units = self.draw.randrange(40, 80) if index % 2 else max(1, self.draw.randrange(before + 1))
            self._sandbox.set_stock(sku, place, on_hand=units)
            self._stock[sku, place] = units
        for sku in {sku for sku, _ in chosen[:ZEROS]}:
            for place in PLACES:
                self._sandbox.set_stock(sku, place, on_hand=0)
                self._stock[sku, place] = 0

    def _wanted(self) -> dict[str, int]:
        snapshot = InventorySnapshot(
            taken_at=self._now(),
            skus=[Sku(master_sku=sku) for sku in SKUS],
            warehouses=[Warehouse(id=str(place)) for place in PLACES],
            levels=[
                StockLevel(master_sku=sku, location_id=str(place), available=units)
                for (sku, place), units in self._stock.items()
            ],
        )
        return {row.listing_sku: row.quantity for row in allocate(snapshot, MERCHANT, CART).quantities}

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


def _spread(times: int, draw: random.Random) -> list[float]:
    """Draw moments as shares of a whole run: each slice of it has one, in no order."""
    moments = [(slot + draw.random()) / times for slot in range(times)]
    draw.shuffle(moments)
    return moments
