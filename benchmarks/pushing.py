"""Pushes changes through each sink to its fake; sets the wait beside what the vendor's limits impose.

    python benchmarks/pushing.py [--rows 10000] [--cart NAME ...]

Waiting is virtual: the sink and the fake share a clock that leaps, so network and platform take no time and
hours pass in seconds. The fakes keep the documented limits and refuse what comes too early. Nothing is
asserted about time; what the carts show afterwards is checked. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from math import ceil
from pathlib import Path

from _pushing_carts import (  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    BEFORE,
    TRIALS,
    Cart,
    Here,
    Trial,
)
from _pushing_time import (  # type: ignore[import-not-found]  # likewise
    BEGIN,
    VirtualClock,
    VirtualLoop,
)
from attrs import define, field, frozen

from omsync import (
    CartSettings,
    Guardrails,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    Sku,
    StockLevel,
    SyncReport,
    Warehouse,
)
from omsync.aio import plan_cart, push_plan
from omsync.http.clock import Clock
from omsync.http.messages import Handler, Request, Response
from omsync.ledgers.sqlite import SqliteLedger
from omsync.settings import GUARDS

_LOOKS = 500
"""Listings that are looked at in the cart afterwards; some fakes take long to find one."""

COLUMNS = (
    "cart",
    "rows a call",
    "calls / least",
    "limit's bound (s)",
    "waited (s)",
    "ratio",
    "throttled",
    "other calls",
    "waited for them (s)",
    "our pace (calls/s)",
    "own CPU (s)",
)


@define
class Watch:
    """Counts calls, and tells by whom the time since the call before was waited for."""

    writes: Callable[[Request], bool]
    clock: Clock
    calls: Counter[str] = field(factory=Counter)
    waited: Counter[str] = field(factory=Counter)
    most: float = 0.0
    throttled: int = 0
    fake_seconds: float = 0.0
    last: float = 0.0

    def over(self, handler: Handler) -> Handler:
        """Give a handler that does the same and is watched."""

        def watched(request: Request) -> Response:
            kind = self._kind(request)
            now = self.clock.monotonic()
            self.calls[kind] += 1
            self.waited[kind] += now - self.last  # type: ignore[assignment]  # a Counter of seconds
            self.last = now
            start = time.process_time()
            response = handler(request)
            self.fake_seconds += time.process_time() - start
            self.throttled += response.status == 429 or b'"THROTTLED"' in response.content
            return response

        return watched

    def begin(self) -> None:
        """Count from now on; what was throttled before stays counted."""
        self.calls.clear()
        self.waited.clear()
        self.fake_seconds, self.last = 0.0, self.clock.monotonic()

    def _kind(self, request: Request) -> str:
        if request.lane.startswith("wait for"):
            return "processing"
        return "write" if self.writes(request) else "other"


@frozen(kw_only=True)
class Result:
    """What one push took."""

    cart: Cart
    report: SyncReport
    watch: Watch
    pushes: int
    cpu: float


def quantities(rows: int) -> dict[str, int]:
    """Give the quantity that each listing is to show: falls, rises and zeros, never what it shows already."""
    most = 2 * BEFORE
    return {f"SKU-{n:06d}": (BEFORE + 1 + n * 7 % (most - 1)) % most for n in range(rows)}


def snapshot_of(wanted: dict[str, int]) -> InventorySnapshot:
    """Make the order manager's figures."""
    return InventorySnapshot(
        taken_at=BEGIN,
        skus=[Sku(master_sku=sku) for sku in wanted],
        warehouses=[Warehouse(id="1")],
        levels=[
            StockLevel(master_sku=sku, location_id="1", available=units) for sku, units in wanted.items()
        ],
    )


async def push(trial: Trial, wanted: dict[str, int], folder: Path, clock: Clock) -> Result:
    """Plan, then push with a ledger, as a scheduled run does: the push reads the cart once more."""
    watch = Watch(trial.writes, clock)
    cart = trial.set_up(Here(skus=list(wanted), clock=clock, folder=folder, watch=watch.over))
    merchant = MerchantSettings(mode=PerWarehouse())
    pushes = 0

    def on_progress(stage: str, *_: object) -> None:
        nonlocal pushes
        pushes += stage == "push"

    with SqliteLedger(folder / "ledger.db", now=clock.now) as ledger:
        ledger.memory(merchant.name).remember(f"ids of {cart.sink.capabilities.destination}", cart.ids)
        plan = await plan_cart(
            snapshot_of(wanted),
            cart.sink,
            CartSettings(name="cart", guardrails=Guardrails(off=GUARDS)),  # all listings change at once
            merchant=merchant,
            ledger=ledger,
            clock=clock,
        )
        watch.begin()
        start = time.process_time()
        report = await push_plan(plan, cart.sink, ledger=ledger, clock=clock, on_progress=on_progress)
        cpu = time.process_time() - start - watch.fake_seconds
    return Result(cart=cart, report=report, watch=watch, pushes=pushes, cpu=cpu)


def check(result: Result, wanted: dict[str, int]) -> None:
    """Stop unless every row was taken and the cart shows what was planned."""
    assert len(result.report.outcomes) == len(wanted), result.report
    taken = {("applied", ""), ("pending", "accepted")}
    for one in result.report.outcomes:
        assert (one.outcome, one.reason) in taken, one
        assert one.quantity == wanted[one.listing_sku or ""], one
    result.cart.settle()
    looked_at = list(wanted)[:: ceil(len(wanted) / _LOOKS)]
    for sku, shown in zip(looked_at, result.cart.shown(looked_at), strict=True):
        assert shown == wanted[sku], (sku, shown, wanted[sku])


def row_of(name: str, trial: Trial, result: Result) -> list[str]:
    """Give a row of the table."""
    watch, rows = result.watch, len(result.report.outcomes)
    calls = watch.calls["write"] or result.pushes
    able = result.cart.sink.capabilities
    a_call = trial.rows or able.rows_per_call or able.rows_per_push or rows
    least = ceil(rows / a_call)
    bound = trial.seconds(least) if trial.seconds else None
    waited = watch.waited["write"]
    return [
        name,
        "all" if a_call >= 10**9 else f"{a_call:,}" + ("" if trial.rows else " (ours)"),
        f"{calls:,} / {least:,}",
        "none" if bound is None else f"{bound:,.0f}",
        f"{waited:,.1f}",
        f"{waited / bound:.3f}" if bound else "",
        f"{watch.throttled}",
        f"{watch.calls['other']:,}",
        f"{watch.waited['other']:,.1f}",
        f"{able.calls_per_second:.3g}" if able.calls_per_second else "none",
        f"{result.cpu:.1f}",
    ]


def measure(name: str, rows: int) -> list[str]:
    """Push to one cart, in a loop and a folder of its own."""
    trial, wanted = TRIALS[name], quantities(rows)
    loop = VirtualLoop()
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(push(trial, wanted, Path(folder), VirtualClock(loop)))
        check(result, wanted)
    return row_of(name, trial, result)


def main() -> None:
    """Print the table; carts are measured side by side, one to a core."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--rows", type=int, default=10_000, help="changed listings (10,000)")
    asked.add_argument("--cart", action="append", choices=list(TRIALS), metavar="NAME", help="only this one")
    given = asked.parse_args()
    print(f"{given.rows:,} changed listings, Python {sys.version.split()[0]}")
    print()
    print(f"| {' | '.join(COLUMNS)} |")
    print(f"|{'---|' * len(COLUMNS)}")
    names = given.cart or list(TRIALS)
    with ProcessPoolExecutor() as pool:
        # Fakes of carts without a limit on rows take longest; they go first, so that no core idles at last.
        longest_first = sorted(names, key=lambda name: TRIALS[name].rows is not None)
        results = {name: pool.submit(measure, name, given.rows) for name in longest_first}
        for name in names:
            print(f"| {' | '.join(results[name].result())} |", flush=True)


if __name__ == "__main__":
    main()
