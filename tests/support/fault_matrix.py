"""Each fault at each stage of a sync, blocking and awaiting: what is left after the next healthy runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from attrs import evolve, field, frozen
from fake_memory import Crash, FakeClock

from omsync import (
    Bundle,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    Sku,
    StockLevel,
    SyncReport,
    Warehouse,
    aio,
    allocate,
    approve,
    sync_cart,
)
from omsync.errors import LedgerError
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import Ledger, SourceMemory
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import (
    CART_FAULTS,
    CartFault,
    Catalog,
    CatalogProduct,
    CatalogWarehouse,
    Fault,
    FaultyCart,
    OrderManagerSandbox,
    StockRecord,
)

__all__ = ["FAULTS", "STAGES", "WAYS", "FaultyLedger", "World", "cell", "survived"]

STAGES = ("read source", "read cart", "push", "ledger")
WAYS = ("blocking", "awaiting")
FAULTS = (*CART_FAULTS, "killed")
MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
RENO = 701
FIGURES: Mapping[str, int] = {"MUG": 8, "CUP": 30, "JUG": 5, "TRAY": 12, "KIT": 0}
KIT = (Component(master_sku="CUP", quantity=2), Component(master_sku="TRAY"))
TOTALS = "GET /v1/productstocks/total"
MOST_RUNS = 3
"""Healthy runs after which everything has to be right again."""

SOURCE_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "throttled": {"kind": "status", "status": 429},
    "throttled_with_hint": {
        "kind": "status",
        "status": 429,
        "headers": {"x-skubana-quota-retryAfter": "7000"},
    },
    "error_before": {"kind": "status", "status": 503},
    "error_after": {"kind": "status_after_processing", "status": 503},
    "timeout_before": {"kind": "hang_before_processing"},
    "timeout_after": {"kind": "hang_after_processing"},
    "reset": {"kind": "reset_connection"},
    "truncated": {"kind": "truncated_json"},
    "html": {"kind": "html"},
    "reordered": {"kind": "reordered"},
    "slow_drip": {"kind": "slow_drip"},
}


WAITED_OUT = ("timeout_before", "timeout_after")
"""Over HTTP these are waited for briefly, and a busy machine that is slow to answer is then a second fault.
So their runs are counted in the process, where no time passes."""


def catalog() -> Catalog:
    """Give a small merchant: four products, and a kit of two of them that stands on no shelf."""
    products = [CatalogProduct(master_sku=sku) for sku in ("MUG", "CUP", "JUG", "TRAY")]
    kit = CatalogProduct(master_sku="KIT", kind="bundle", components=KIT)
    return Catalog(
        products=(*products, kit),
        warehouses=(CatalogWarehouse(warehouse_id=RENO, name="Reno DC"),),
        stock=tuple(
            StockRecord(master_sku=sku, warehouse_id=RENO, location="A-01", on_hand=units)
            for sku, units in FIGURES.items()
        ),
    )


class FaultyLedger:
    """A ledger whose calls go wrong by script: each call of each method is counted, those of its memory too.

    Args:
        inner: Does the work.
        error: What the call raises.
        nth: Which call, from 1.
        after: Whether the call is carried out first.
    """

    def __init__(self, inner: object, error: BaseException, nth: int, *, after: bool) -> None:
        self._inner = inner
        self._error, self._nth, self._after = error, nth, after
        self.calls: list[str] = []
        # Attributes of its own, since a protocol is not looked for behind __getattr__.
        for name in dir(inner):
            if not name.startswith("_") and name != "memory" and callable(getattr(inner, name)):
                setattr(self, name, self.counted(getattr(inner, name), name))

    def memory(self, merchant: str) -> SourceMemory:
        """Give the memory, whose calls are counted here."""
        return cast("SourceMemory", _Counted(self, cast("Ledger", self._inner).memory(merchant)))

    def counted(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Give a method that counts, and goes wrong in its turn."""

        def call(*args: Any, **options: Any) -> Any:
            self.calls.append(name)
            fails = len(self.calls) == self._nth
            if fails and not self._after:
                raise self._error
            result = method(*args, **options)
            if fails:
                raise self._error
            return result

        return call


@frozen
class _Counted:
    ledger: FaultyLedger
    inner: SourceMemory

    def __getattr__(self, name: str) -> Any:
        return self.ledger.counted(getattr(self.inner, name), name)


class World:
    """An order manager, a cart that goes wrong, and a ledger file.

    Args:
        folder: Where the ledger's file is; None for a ledger in memory, which nothing can kill.
        way: ``"blocking"`` or ``"awaiting"``.
        compare_and_set: How the cart compares.
        served: Whether ``over_http`` means HTTP. Runs without a fault stay in the process, to be quick.
        patience: Seconds to wait for an answer.
    """

    def __init__(
        self,
        folder: Path | None,
        way: str,
        *,
        compare_and_set: str = "blind",
        served: bool = False,
        patience: float = 0.3,
    ) -> None:
        self.clock = FakeClock()
        self.skew = timedelta()
        self.figures = dict(FIGURES)
        self.way = way
        self.sandbox = OrderManagerSandbox(catalog(), clock=lambda: self.clock.now() + self.skew)
        retry = RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0)
        self.cart = FaultyCart(
            dict.fromkeys(("MUG", "CUP", "JUG", "TRAY", "KIT"), 1),
            compare_and_set=compare_and_set,
            max_rows=2,
            retry=retry,
            timeout=patience,
        )
        self._server = self.sandbox.serve() if served else None
        self.source = ExtensivOrderManager(
            self.sandbox.token,
            base_url="http://127.0.0.1:9" if self._server is None else self._server.base_url,
            handler=self.sandbox.handle,
            pace=Pace(),
            retry=retry,
            ask_limits=False,
            timeout=patience,
            # Runs are an hour apart: pages of a reading that broke off are too old to go on with, so that
            # each figure that is pushed was read in that run.
            resume_within=timedelta(minutes=30),
        )
        self._folder = folder
        self._ledger = SqliteLedger(":memory:", now=self.clock.now)
        self.reports: list[SyncReport] = []

    @contextmanager
    def over_http(self) -> Iterator[None]:
        """Let order manager and cart answer over HTTP on loopback for a while, where the world is served."""
        if self._server is None:
            yield
            return
        within, self.source = self.source, evolve(self.source, handler=None)
        with self.cart.serve():
            yield
        self.source = within

    def stock(self, **figures: int) -> None:
        """Let the order manager count anew."""
        for sku, units in figures.items():
            self.sandbox.set_stock(sku, RENO, on_hand=units)
        self.figures.update(figures)

    def wanted(self) -> dict[tuple[str, str | None], int]:
        """Give what the cart should show, by what the order manager was told, not by what it answers."""
        snapshot = InventorySnapshot(
            taken_at=self.clock.now(),
            skus=[Sku(master_sku=sku) for sku in self.figures],
            bundles=[Bundle(master_sku="KIT", components=KIT)],
            warehouses=[Warehouse(id=str(RENO))],
            levels=[
                StockLevel(master_sku=sku, location_id=str(RENO), available=units)
                for sku, units in self.figures.items()
            ],
        )
        quantities = allocate(snapshot, MERCHANT, SHOP).quantities
        return {(row.listing_sku, row.location_id): row.quantity for row in quantities}

    def run(
        self,
        breaking: Callable[[SqliteLedger], Any] = lambda ledger: ledger,
        on_progress: Callable[[str, int, int | None], None] | None = None,
    ) -> SyncReport | None:
        """Sync once, an hour after the last time; give the report, also of a run that failed."""
        self.clock.sleep(3600)
        error: BaseException | None = None
        report: SyncReport | None = None
        options: Any = {"merchant": MERCHANT, "clock": self.clock, "on_progress": on_progress}
        with self._opened() as opened:
            ledger = breaking(opened)
            try:
                if self.way == "blocking":
                    report = sync_cart(self.source, self.cart, SHOP, ledger=ledger, **options)
                else:
                    report = asyncio.run(
                        aio.sync_cart(self.source, self.cart, SHOP, ledger=ledger, **options)
                    )
            except (Crash, Exception) as caught:  # noqa: BLE001  a run may end with anything, and is looked at
                error = caught
                report = getattr(caught, "omsync_report", None)
        if report is not None:
            self.reports.append(report)
            check_outcomes(report)
        assert not isinstance(error, AssertionError), error
        return report

    def approve_rises(self) -> None:
        """Let rises through that wait since the cart twice did not show what it had said it showed."""
        if not any(one.reason == "another_writer" for one in self.reports[-1].outcomes):
            return
        given: Any = {"by": "Ann", "reason": "nobody else writes it", "until": timedelta(days=1)}
        with self._opened() as ledger:
            approve(ledger, SHOP, self.reports[-1].digest, merchant=MERCHANT, clock=self.clock, **given)

    @contextmanager
    def _opened(self) -> Iterator[SqliteLedger]:
        """Open the ledger anew, as the next process does."""
        if self._folder is None:
            yield self._ledger
            return
        with SqliteLedger(self._folder / "ledger.db", now=self.clock.now) as ledger:
            yield ledger

    def close(self) -> None:
        """Close the ledger and the server."""
        self._ledger.close()
        if self._server is not None:
            self._server.stop()


def check_outcomes(report: SyncReport) -> None:
    """Want one outcome for each listing that the plan knew."""
    keys = [(one.listing_sku, one.location_id) for one in report.outcomes]
    assert len(keys) == len(set(keys)), keys
    if report.plan is not None:
        assert {line.key for line in report.plan.lines} <= set(keys)


@frozen(kw_only=True)
class Trouble:
    """A fault at a stage, ready to happen.

    Args:
        lasts: Whether it goes on until the run is over, or happens once.
        nth: For a ledger: which of its calls.
    """

    fault: str
    stage: str
    lasts: bool = True
    nth: int = field(default=1)

    def happen(self, world: World) -> SyncReport | None:
        """Run once with the fault, and take it away again."""
        times = None if self.lasts else 1
        progress: list[str] = []

        def killed(stage: str, _: int, __: int | None) -> None:
            progress.append(stage)
            if stage == self.stage or (self.stage == "read source" and stage not in {"allocate", "push"}):
                raise Crash

        match self.stage:
            case _ if self.fault == "killed" and self.stage != "ledger":
                return world.run(on_progress=killed)
            case "read source" if self.fault == "clock_skew":
                world.skew = timedelta(hours=-5)
                report = world.run()
                world.skew = timedelta()
                return report
            case "read source":
                world.sandbox.add_faults(Fault(on=TOTALS, times=times, **SOURCE_FAULTS[self.fault]))
            case "read cart" | "push":
                seconds = 18_000 if self.fault == "clock_skew" else 7
                on = "read" if self.stage == "read cart" else "write"
                world.cart.add_faults(CartFault(kind=self.fault, on=on, times=times, seconds=seconds, most=3))
            case "ledger" if self.fault == "clock_skew":
                world.clock.sleep(-18_000)
                report = world.run()
                world.clock.sleep(18_000)
                return report
            case _:
                error = Crash() if self.fault == "killed" else LedgerError("the disk is full (by script)")
                after = self.fault == "error_after"
                return world.run(lambda ledger: FaultyLedger(ledger, error, self.nth, after=after))
        report = world.run()
        world.sandbox.clear_faults()
        world.cart.clear_faults()
        return report


def happens(fault: str, stage: str) -> bool:
    """Tell whether a fault can happen at a stage."""
    if stage == "ledger":
        return fault in {"error_before", "error_after", "clock_skew", "killed"}
    if stage == "push":
        return True
    return fault not in {"not_applied", "applied_twice", "clamped", "refuses_zero"}


def healthy_runs(trouble: Trouble, way: str, *, compare_and_set: str = "blind", served: bool = True) -> int:
    """Let a fault happen in a sync, and count the healthy runs until the cart shows exactly what it should.

    Raises:
        AssertionError: It does not, or a listing showed more than there is, or was changed twice.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack:
        in_file = trouble.fault == "killed" and trouble.stage != "ledger"
        patience = 0.3 if trouble.fault in WAITED_OUT else 30.0
        world = World(
            Path(folder) if in_file else None,
            way,
            compare_and_set=compare_and_set,
            served=served,
            patience=patience,
        )
        stack.callback(world.close)
        world.run()
        assert world.cart.shown() == world.wanted()
        settled = len(world.cart.effects)
        world.stock(MUG=0, CUP=21, JUG=9, TRAY=7)
        wanted, before = world.wanted(), world.cart.shown()
        with world.over_http():
            trouble.happen(world)
        healthy = 0
        while True:
            shown = world.cart.shown()
            for key, units in wanted.items():
                assert shown[key] <= max(before[key], units), f"{key} shows {shown[key]}, there are {units}"
            if shown == wanted:
                break
            assert healthy < MOST_RUNS, f"after {MOST_RUNS} healthy runs the cart shows {shown}"
            world.run()
            healthy += 1
        world.run()
        check_effects(world, settled, wanted, before, clamped=trouble.fault == "clamped")
        assert world.cart.shown() == wanted
        return healthy


def check_effects(
    world: World, settled: int, wanted: Mapping[Any, int], before: Mapping[Any, int], *, clamped: bool
) -> None:
    """Want each listing that differs to have been changed once, and by no row twice."""
    effects = world.cart.effects
    keys = [effect.key for effect in effects]
    assert len(keys) == len(set(keys)), "a row had an effect twice"
    moved = sorted(effect.listing_sku for effect in effects[settled:])
    differing = sorted(key[0] for key, units in wanted.items() if before[key] != units)
    assert (sorted(set(moved)) if clamped else moved) == differing


@cache
def survived(fault: str, stage: str, way: str) -> frozenset[int]:
    """Let a fault happen, and tell how many healthy runs it took: 0 where the run with the fault was enough.

    There are several numbers where it depends on how long the fault lasts, or on which call of the ledger it
    hits.
    """
    if stage == "ledger":
        return frozenset(healthy_runs(one, way, served=False) for one in _ledger_troubles(fault, way))
    served = fault not in WAITED_OUT
    return frozenset(
        (
            healthy_runs(Trouble(fault=fault, stage=stage, lasts=False), way, served=served),
            healthy_runs(Trouble(fault=fault, stage=stage), way, served=served),
            healthy_runs(Trouble(fault=fault, stage=stage), way, compare_and_set="version", served=False),
        )
    )


def _ledger_troubles(fault: str, way: str) -> Sequence[Trouble]:
    """Hit each method of the ledger at its first call of a run, and blocking at its last one too."""
    if fault == "clock_skew":
        return [Trouble(fault=fault, stage="ledger")]
    calls = _calls_of_a_run()
    hit = {calls.index(name) for name in calls}
    if way == "blocking":
        hit |= {len(calls) - 1 - calls[::-1].index(name) for name in calls}
    return [Trouble(fault=fault, stage="ledger", nth=place + 1) for place in sorted(hit)]


@cache
def _calls_of_a_run() -> tuple[str, ...]:
    counting: list[FaultyLedger] = []

    def count(ledger: SqliteLedger) -> FaultyLedger:
        counting.append(FaultyLedger(ledger, Crash(), 0, after=False))
        return counting[0]

    with closing(World(None, "blocking")) as world:
        world.run()
        world.stock(MUG=0, CUP=21, JUG=9, TRAY=7)
        world.run(count)
    return tuple(counting[0].calls)


def cell(fault: str, stage: str) -> str:
    """Give the table's cell: which run put right what a fault at a stage had left, blocking or awaiting."""
    if not happens(fault, stage):
        return "-"
    words = ("same", "next", "second", "third")
    needed = frozenset[int]().union(*(survived(fault, stage, way) for way in WAYS))
    return " or ".join(words[number] for number in sorted(needed)) + " run"
