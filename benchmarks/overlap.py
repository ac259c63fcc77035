"""Whole syncs: sets the time beside the longer of the two readings, by their limits alone, and the push.

    python benchmarks/overlap.py [--listings 8000] [--source-calls 600]

Time is virtual, as in ``pushing.py``: the order manager answers one call a second, the carts' fakes keep the
vendors' documented limits and refuse what comes too early, and all are otherwise infinitely fast. Each cart
was synced once before, so that the ledger knows it; the calls of that reading are what reading a cart once
takes. What is read beyond that is a second look. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from _pushing_carts import (  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    BEFORE,
    TRIALS,
    Here,
    bucket,
)
from _pushing_time import (  # type: ignore[import-not-found]  # likewise
    BEGIN,
    VirtualClock,
    VirtualLoop,
)
from attrs import define, frozen

from omsync import (
    CartSettings,
    CartSink,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    ReadRequest,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.aio import sync_carts
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.pacing import Pace
from omsync.http.steps import Line, Steps, talk_all
from omsync.ledgers.sqlite import SqliteLedger
from omsync.settings import GUARDS, Guardrails
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.sources._http import HttpSource
from omsync.testing.carts.shopify import ShopifyShop

MERCHANT = MerchantSettings(mode=PerWarehouse())
REST = 3600
"""Seconds after which every limit is rested."""

COLUMNS = (
    "carts",
    "order manager's bound (s)",
    "cart read's bound (s)",
    "read again (%)",
    "push's bound (s)",
    "took (s)",
    "ratio",
    "one after the other (s)",
    "throttled",
)


class OrderManager(HttpSource):
    """An order manager that takes so many calls, one a second."""

    def __init__(self, calls: int, snapshot: InventorySnapshot) -> None:
        self._calls = calls
        self._snapshot = snapshot
        pace = Pace(per_second=1.0, burst=1)
        self._line = Line(account="order manager", pace=pace, handler=lambda _: Response(status=200))

    def read_steps(self, _: ReadRequest) -> Steps[InventorySnapshot]:
        """Read all pages."""
        yield from talk_all(self._line, [self._page() for _ in range(self._calls)])
        return self._snapshot

    def _page(self) -> Conversation[Response]:
        return (yield Request(method="GET", url="https://oms.example/stock"))


@define
class Watch:
    """Adds up what a cart's calls cost, by what they are for.

    Args:
        writes: Tells the calls of a push from those of a reading.
        cost: Tells what a call costs by the platform's answer.
    """

    writes: Callable[[Request], bool]
    cost: Callable[[Response], float]
    once: float = 0.0
    read: float = 0.0
    push: float = 0.0
    throttled: int = 0

    def over(self, handler: Handler) -> Handler:
        """Give a handler that does the same and is watched."""

        def watched(request: Request) -> Response:
            response = handler(request)
            self.throttled += response.status == 429 or b'"THROTTLED"' in response.content
            if self.writes(request):
                self.push += self.cost(response)
            else:
                self.read += self.cost(response)
            return response

        return watched

    def begin(self) -> None:
        """Count from now on; what was read until now is what one reading of everything costs."""
        self.once = self.read
        self.read = self.push = 0.0
        self.throttled = 0


@frozen(kw_only=True)
class Kind:
    """One kind of cart.

    Args:
        set_up: Makes a cart of this name, every listing showing ``BEFORE``.
        watch: Watches its calls.
        seconds: What the documented limit imposes on calls of this cost, from a rested start.
    """

    set_up: Callable[
        [str, Sequence[str], VirtualClock, Callable[[Handler], Handler]], tuple[CartSink, Mapping[str, str]]
    ]
    watch: Callable[[], Watch]
    seconds: Callable[[float], float]


def shopify(
    name: str, skus: Sequence[str], clock: VirtualClock, watch: Callable[[Handler], Handler]
) -> tuple[CartSink, Mapping[str, str]]:
    """Make a Shopify shop on the standard plan; give its items' ids too, as a ledger has them."""
    there = ShopifyShop(now=clock.monotonic)
    ids = {sku: there.add(sku, BEFORE) for sku in skus}
    return Shopify(name, access=StaticToken(next(iter(there.tokens))), handler=watch(there.handle)), ids


def points(response: Response) -> float:
    """Tell what a call to Shopify cost."""
    said = json.loads(response.content)
    return float(said.get("extensions", {}).get("cost", {}).get("actualQueryCost") or 0.0)


def of_a_push(request: Request) -> bool:
    """Tell Shopify's writes, and the look at SKUs right before them."""
    text = request.body.get("query", "") if isinstance(request.body, dict) else ""
    return "omsyncClaims" in text or text.lstrip().startswith("mutation")


def amazon(
    _: str, skus: Sequence[str], clock: VirtualClock, watch: Callable[[Handler], Handler]
) -> tuple[CartSink, Mapping[str, str]]:
    """Make an Amazon seller whose quantities go out one by one; it has no ids but the SKUs."""
    here = Here(skus=skus, clock=clock, folder=Path(), watch=watch)
    return TRIALS["Amazon, one by one"].set_up(here).sink, {}


COMPARING = Kind(
    set_up=shopify,
    watch=lambda: Watch(of_a_push, points),
    seconds=lambda cost: bucket(1, size=2000, per_second=100, cost=cost),
)
BLIND = Kind(
    set_up=amazon,
    watch=lambda: Watch(lambda request: request.method == "PATCH", lambda _: 1.0),
    seconds=lambda calls: bucket(int(calls), size=5, per_second=5),
)


def snapshot_of(figures: Mapping[str, int]) -> InventorySnapshot:
    """Make the order manager's figures."""
    return InventorySnapshot(
        taken_at=BEGIN,
        skus=[Sku(master_sku=sku) for sku in figures],
        warehouses=[Warehouse(id="1")],
        levels=[StockLevel(master_sku=sku, location_id="1", available=n) for sku, n in figures.items()],
    )


async def sync(
    kind: Kind, carts: int, every: int, listings: int, calls: int, clock: VirtualClock, folder: Path
) -> tuple[list[Watch], float]:
    """Sync once for the ledger to know the carts, and once more to be measured; check that all was taken.

    Every so-manieth listing changes in between.
    """
    skus = [f"SKU-{number:06d}" for number in range(listings)]
    watches = [kind.watch() for _ in range(carts)]
    settings = Guardrails(off=set(GUARDS))
    made = [kind.set_up(f"shop-{n}", skus, clock, watch.over) for n, watch in enumerate(watches)]
    pairs = [(sink, CartSettings(name=f"shop {n}", guardrails=settings)) for n, (sink, _) in enumerate(made)]
    before = dict.fromkeys(skus, BEFORE)
    after = before | {sku: BEFORE + n % 2 * 2 - 1 for n, sku in enumerate(skus[::every])}
    with SqliteLedger(folder / "ledger.db", now=clock.now) as ledger:
        for sink, ids in made:
            ledger.memory(MERCHANT.name).remember(f"ids of {sink.capabilities.destination}", ids)
        await sync_carts(snapshot_of(before), pairs, merchant=MERCHANT, ledger=ledger, clock=clock)
        await asyncio.sleep(REST)
        for watch in watches:
            watch.begin()
        began = clock.monotonic()
        source = OrderManager(calls, snapshot_of(after))
        reports = await sync_carts(source, pairs, merchant=MERCHANT, ledger=ledger, clock=clock)
        took = clock.monotonic() - began
    for report in reports:
        assert report.status == "success", report
        assert report.counts.get("unchanged", 0) == listings - len(skus[::every])
    return watches, took


def row(name: str, kind: Kind, carts: int, every: int, listings: int, calls: int) -> list[str]:
    """Measure a row of the table."""
    loop = VirtualLoop()
    with (
        asyncio.Runner(loop_factory=lambda: loop) as runner,
        tempfile.TemporaryDirectory() as folder,
    ):
        watches, took = runner.run(
            sync(kind, carts, every, listings, calls, VirtualClock(loop), Path(folder))
        )
    source = calls - 1.0
    read = max(kind.seconds(watch.once) for watch in watches)
    again = max(watch.read / watch.once - 1 for watch in watches)
    push = max(kind.seconds(watch.push) for watch in watches)
    bound = max(source, read) + push
    return [
        name,
        f"{source:,.1f}",
        f"{read:,.1f}",
        f"{100 * again:.1f}",
        f"{push:,.1f}",
        f"{took:,.1f}",
        f"{took / bound:.3f}" if bound else "",
        f"{source + read + push:,.1f}",
        str(sum(watch.throttled for watch in watches)),
    ]


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--listings", type=int, default=8_000)
    asked.add_argument("--source-calls", type=int, default=600)
    given = asked.parse_args()
    print(f"{given.listings:,} listings in each cart, {given.source_calls:,} calls to the order manager")
    print()
    print(f"| {' | '.join(COLUMNS)} |")
    print("|" + "---|" * len(COLUMNS))
    for name, kind, carts, every in (
        ("Shopify, which compares: 5 % change", COMPARING, 1, 20),
        ("Shopify: all change", COMPARING, 1, 1),
        ("four Shopify, each its own account: 5 %", COMPARING, 4, 20),
        ("Amazon, which is blind: 5 %", BLIND, 1, 20),
    ):
        print(
            f"| {' | '.join(row(name, kind, carts, every, given.listings, given.source_calls))} |", flush=True
        )


if __name__ == "__main__":
    main()
