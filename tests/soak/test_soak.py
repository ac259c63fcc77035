"""A year of runs in a row: a merchant that changes, calls that go wrong, and nothing that grows.

``nox -s soak`` lets 1,000 runs pass over 2,000 products; by default there are a few, over fewer.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import random
import sqlite3
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from fake_memory import Crash, FakeClock
from fault_matrix import SOURCE_FAULTS, FaultyLedger, check_outcomes

from omsync import CartSettings, MerchantSettings, PerWarehouse, allocate, read_inventory, sync_cart
from omsync.errors import LedgerError, OmsyncError
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.ledgers.sqlite import SqliteLedger
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import CART_FAULTS, CartFault, Fault, FaultyCart, OrderManagerSandbox, generated_merchant
from omsync.testing.faulty_cart_faults import ONLY_WRITES

RUNS = int(os.environ.get("OMSYNC_SOAK", "30"))
PRODUCTS = min(2000, 10 * RUNS)
WARM_UP = RUNS // 5
SPAN = RUNS // 10
"""Runs at the end of the warm-up, and at the end of all, whose sizes are compared."""
KEEP = timedelta(hours=max(4, RUNS // 20))
"""How long the ledger keeps its runs and its history; there is a run an hour."""
FAULTS = 0.01
"""The share of calls that go wrong: to the order manager, to the cart, to the ledger. None is tried again."""
CHANGING = 0.01
"""The share of all stock records that change between two runs. In the warm-up each changes once, since a
ledger keeps something of each listing that was ever changed or sold, which is no growth without end."""
MOST_RUNS = 3
"""Healthy runs after which everything has to be right."""

LONGEST_LOG = 16_000_000
"""Bytes of the log beside the ledger; SQLite carries it over from 4 MB on, and one commit may add to it."""
STATM = Path("/proc/self/statm")
MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
READ_FAULTS = [kind for kind in CART_FAULTS if kind not in ONLY_WRITES]
Shown = dict[tuple[str, str | None], int]


@define
class Size:
    """What must not grow, at one moment: bytes of the process and of the ledger, live objects."""

    resident: int
    ledger: int
    objects: int


@define
class Soak:
    """An order manager, a cart and a ledger that go wrong now and then.

    Args:
        path: The ledger's file.
    """

    path: Path
    chance: float = FAULTS
    draw: random.Random = field(factory=lambda: random.Random(20_261_128))
    clock: FakeClock = field(factory=FakeClock)
    met: Counter[str] = field(factory=Counter)
    ended: Counter[str] = field(factory=Counter)
    pushed: int = 0
    longest_log: int = 0
    sandbox: OrderManagerSandbox = field(init=False)
    cart: FaultyCart = field(init=False)
    source: ExtensivOrderManager = field(init=False)
    ledger: SqliteLedger = field(init=False)
    _records: dict[tuple[str, int], int] = field(init=False)
    _turn: deque[tuple[str, int]] = field(init=False)
    _keys: frozenset[str] = frozenset()

    def __attrs_post_init__(self) -> None:
        catalog = generated_merchant(products=PRODUCTS, warehouses=2, channels=0, bundle_share=0.1, seed=7)
        self._records = {(one.master_sku, one.warehouse_id): one.on_hand for one in catalog.stock}
        self._turn = deque(self.draw.sample(sorted(self._records), len(self._records)))
        self.sandbox = OrderManagerSandbox(catalog, clock=self.clock.now)
        once = RetryPolicy(attempts=1)
        self.source = ExtensivOrderManager(
            self.sandbox.token,
            handler=self._order_manager,
            pace=Pace(),
            retry=once,
            ask_limits=False,
            resume_within=timedelta(minutes=30),
        )
        shelves = {sku: units for (sku, _), units in self.wanted().items()}
        self.cart = FaultyCart(shelves, max_rows=10, retry=once, handler=self._shop, clock=self.clock.now)
        self._open()

    def wanted(self) -> Shown:
        """Give what the cart should show: a reading without faults, and without a ledger."""
        source = evolve(self.source, handler=self.sandbox.handle)
        snapshot = read_inventory(source, MERCHANT, clock=self.clock)
        quantities = allocate(snapshot, MERCHANT, SHOP).quantities
        return {(row.listing_sku, row.location_id): row.quantity for row in quantities}

    def run(self, *, looks: bool = False) -> None:
        """Let an hour pass, and sync; ``looks`` holds each write against what there is."""
        self.clock.sleep(3600)
        wanted = self.wanted() if looks else {}
        nth = self._next_fault()
        error = self.draw.choice((Crash(), LedgerError("the disk is full (by script)")))
        ledger: Any = FaultyLedger(self.ledger, error, nth, after=self.draw.random() < 0.5)
        try:
            report = sync_cart(
                self.source, self.cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=self.clock
            )
        except (Crash, OmsyncError) as caught:
            report = getattr(caught, "omsync_report", None)  # type: ignore[assignment]  # not of a killed run
            self.ended[type(caught).__name__] += 1
        else:
            self.ended[report.status] += 1
        if len(ledger.calls) >= nth:
            self.met[f"ledger: {type(error).__name__}"] += 1
            self.ledger.close()
            self._open()
        if report is not None:
            check_outcomes(report)
        for effect in self.cart.effects if looks else ():
            # What something between repeats late is no push of ours.
            if effect.key not in self._keys:
                most = max(wanted[effect.listing_sku, effect.location_id], effect.before)
                assert effect.after <= most, f"{effect}: there are {most}"
        self._forget()

    def changes(self, share: float) -> None:
        """Let the merchant count and restock a share of its stock, in turn, and the shop sell of it."""
        shown = self.cart.shown()
        for _ in range(math.ceil(share * len(self._turn))):
            sku, place = self._turn[0]
            self._turn.rotate(-1)
            self._count(sku, place, self.draw.randrange(200))
            sku, place = self._turn[len(self._turn) // 2]
            if shown.get((sku, None), 0) > 0 and self._records[sku, place] > 0:
                self.cart.put(sku, shown[sku, None] - 1)
                shown[sku, None] -= 1
                self._count(sku, place, self._records[sku, place] - 1)

    def size(self) -> Size:
        """Measure."""
        gc.collect()
        # Only Linux tells; elsewhere the objects have to do.
        pages = int(STATM.read_text().split()[1]) if STATM.exists() else 1
        with closing(sqlite3.connect(self.path)) as connection:
            (count,) = connection.execute("PRAGMA page_count").fetchone()
            (page,) = connection.execute("PRAGMA page_size").fetchone()
        log = self.path.with_name(f"{self.path.name}-wal")
        self.longest_log = max(self.longest_log, log.stat().st_size if log.exists() else 0)
        return Size(
            resident=pages * os.sysconf("SC_PAGE_SIZE"),
            ledger=count * page,
            objects=len(gc.get_objects()),
        )

    def _open(self) -> None:
        self.ledger = SqliteLedger(self.path, keep=KEEP, now=self.clock.now)

    def _count(self, sku: str, place: int, units: int) -> None:
        self.sandbox.set_stock(sku, place, on_hand=units)
        self._records[sku, place] = units

    def _next_fault(self) -> int:
        """Draw which of the next calls goes wrong, when each does so with the same chance."""
        if not self.chance:
            return 10**9
        return 1 + int(math.log(1 - self.draw.random()) / math.log(1 - self.chance))

    def _order_manager(self, request: Request) -> Response:
        if self.draw.random() < self.chance:
            kind = self.draw.choice(sorted(SOURCE_FAULTS))
            self.met[f"order manager: {kind}"] += 1
            lane = f"{request.method} {request.url.split('.com', 1)[1]}"
            self.sandbox.add_faults(Fault(on=lane, **SOURCE_FAULTS[kind]))
        try:
            return self.sandbox.handle(request)
        finally:
            self.sandbox.clear_faults()

    def _shop(self, request: Request) -> Response:
        if self.draw.random() < self.chance:
            on = "write" if request.method == "PUT" else "read"
            kind = self.draw.choice(CART_FAULTS if on == "write" else READ_FAULTS)
            self.met[f"cart: {kind}"] += 1
            self.cart.add_faults(CartFault(kind=kind, on=on))
        try:
            return self.cart.platform.handle(request)
        finally:
            self.cart.clear_faults()

    def _forget(self) -> None:
        """Empty what order manager and cart note for tests."""
        self.pushed += len(self.cart.effects)
        self._keys = frozenset(effect.key for effect in self.cart.effects)
        self.cart.platform.effects.clear()
        self.cart.platform.requests.clear()
        self.sandbox.forget_requests()


def middle(sizes: Iterable[Size]) -> Size:
    """Give the median of each figure."""
    sizes = list(sizes)
    return Size(
        resident=int(statistics.median(size.resident for size in sizes)),
        ledger=int(statistics.median(size.ledger for size in sizes)),
        objects=int(statistics.median(size.objects for size in sizes)),
    )


def growth(before: Size, after: Size) -> Mapping[str, float]:
    """Give by which share each figure has grown."""
    return {
        "resident": after.resident / before.resident - 1,
        "ledger": after.ledger / before.ledger - 1,
        "objects": after.objects / before.objects - 1,
    }


def words_of(soak: Soak, minutes: float, healthy: int, before: Size, after: Size) -> Iterator[str]:
    """Give the figures."""
    yield f"soak: {RUNS} runs over {PRODUCTS} products, {RUNS / minutes:.0f} a minute"
    yield f"{soak.pushed} changes of the cart; ended: {dict(soak.ended)}; exact after {healthy} healthy runs"
    yield f"memory {before.resident / 1e6:.1f} to {after.resident / 1e6:.1f} MB"
    yield f"objects {before.objects} to {after.objects}"
    yield f"ledger {before.ledger / 1e6:.2f} to {after.ledger / 1e6:.2f} MB"
    yield f"the log beside it at most {soak.longest_log / 1e6:.1f} MB"
    yield f"{soak.met.total()} faults: {dict(sorted(soak.met.items()))}"


@pytest.fixture(autouse=True)
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytest keeps what is logged until the test's end, and that would grow."""
    monkeypatch.setattr(logging.getLogger("omsync"), "disabled", True)


def test_nothing_grows_and_the_end_is_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soak = Soak(tmp_path / "omsync.db")
    # No more than these are kept, since they would be what grows.
    first, last = deque[Size](), deque[Size](maxlen=SPAN)
    began = time.monotonic()
    for number in range(RUNS):
        soak.changes(CHANGING if number >= WARM_UP else 1.2 / WARM_UP)
        soak.run(looks=number % 10 == 0)
        if number >= WARM_UP:
            (first if len(first) < SPAN else last).append(soak.size())
    minutes = (time.monotonic() - began) / 60
    before, after = middle(first), middle(last)
    grown = growth(before, after)
    soak.chance = 0
    healthy = 0
    while soak.cart.shown() != soak.wanted():
        healthy += 1
        assert healthy <= MOST_RUNS
        soak.run(looks=True)
    with capsys.disabled():
        print("\n" + "\n".join(words_of(soak, minutes, healthy, before, after)))  # noqa: T201  what it is run for
    assert grown["objects"] < 0.01
    assert grown["resident"] < 0.1
    assert grown["ledger"] < 0.25
    assert soak.longest_log < LONGEST_LOG
    runs = soak.ledger.runs(MERCHANT, SHOP.name)
    assert len(runs) <= KEEP / timedelta(hours=1) + 2
    soak.ledger.close()
