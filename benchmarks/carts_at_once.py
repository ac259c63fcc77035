"""Pushes to many carts of one account at once; sets the time beside what the account's limit alone imposes.

    python benchmarks/carts_at_once.py [--carts 30] [--rows 20]

Time is virtual, as in ``pushing.py``: the carts' platform takes five calls a second and ten at once for the
whole account, answers what comes too early with HTTP 429, and is otherwise infinitely fast. Prints a Markdown
table.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from _pushing_time import (  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    BEGIN,
    VirtualClock,
    VirtualLoop,
)

from omsync import (
    CartListing,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    SinkCapabilities,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.aio import sync_carts
from omsync.http.messages import Conversation, Request, Response
from omsync.http.pacing import Pace
from omsync.http.steps import Line, Steps, talk_all
from omsync.sinks._http import SteppedSink
from omsync.testing.carts._limits import CallLimits

PER_SECOND, BUCKET = 5, 10


class Account:
    """The platform: it counts the calls of all the carts together."""

    def __init__(self, clock: VirtualClock) -> None:
        self._limits = CallLimits({"write": (PER_SECOND, BUCKET)}, clock.monotonic)
        self.calls = self.refused = 0

    def handle(self, _: Request) -> Response:
        """Answer a call."""
        self.calls += 1
        early = bool(self._limits.take("write"))
        self.refused += early
        return Response(status=429, headers={"retry-after": "1"}) if early else Response(status=200)


class Cart(SteppedSink):
    """One cart of the account; each row is a call."""

    def __init__(self, account: Account) -> None:
        pace = Pace.within(bucket=BUCKET, per_second=PER_SECOND)
        self._line = Line(account="acme", pace=pace, handler=account.handle)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What the cart can do."""
        return SinkCapabilities(destination="acme", readable=False, atomicity="row")

    def read_steps(self, _: Sequence[str], /) -> Steps[list[CartListing]]:
        """Refuse: it cannot be read."""
        raise NotImplementedError

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Write each row by a call."""
        answers = yield from talk_all(self._line, [self._write(change) for change in changes])
        return [answer for answer in answers if isinstance(answer, PushResult)]

    def _write(self, change: QuantityChange) -> Conversation[PushResult]:
        yield Request(method="PUT", url="https://acme.example/stock", body=change.quantity)
        return PushResult(listing_sku=change.listing_sku, status="accepted", echo=change.quantity)


async def sync(carts: int, rows: int, at_once: int, clock: VirtualClock) -> Account:
    """Sync all carts, and check that each took every row."""
    account = Account(clock)
    skus = [f"SKU-{number}" for number in range(rows)]
    snapshot = InventorySnapshot(
        taken_at=BEGIN,
        skus=[Sku(master_sku=sku) for sku in skus],
        warehouses=[Warehouse(id="1")],
        levels=[StockLevel(master_sku=sku, location_id="1", available=7) for sku in skus],
    )
    pairs = [(Cart(account), CartSettings(name=f"cart {number}")) for number in range(carts)]
    merchant = MerchantSettings(mode=PerWarehouse())
    for report in await sync_carts(snapshot, pairs, merchant=merchant, clock=clock, at_once=at_once):
        assert report.counts["applied"] == rows, report
    return account


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--carts", type=int, default=30)
    asked.add_argument("--rows", type=int, default=20)
    given = asked.parse_args()
    calls = given.carts * given.rows
    bound = max(0.0, (calls - BUCKET) / PER_SECOND)
    print(f"{given.carts} carts of one account, {given.rows} calls each")
    print()
    print("| carts at once | limit's bound (s) | took (s) | ratio | refused |")
    print("|---|---|---|---|---|")
    for at_once in (1, 8, 30):
        loop = VirtualLoop()
        with asyncio.Runner(loop_factory=lambda loop=loop: loop) as runner:  # type: ignore[misc]  # a default binds it
            account = runner.run(sync(given.carts, given.rows, at_once, VirtualClock(loop)))
        took = loop.time()
        print(f"| {at_once} | {bound:,.1f} | {took:,.1f} | {took / bound:.3f} | {account.refused} |")


if __name__ == "__main__":
    main()
