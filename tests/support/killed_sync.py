"""The process that is killed: it syncs once into a real shop, and says on its output what it is about to do.

It is told on its input, as JSON, what ``Job`` says; ``kills.Kills`` starts it, and ends it at any moment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

from attrs import asdict, evolve, frozen

from omsync import CartSettings, MerchantSettings, PerWarehouse, SyncReport, aio, sync_cart
from omsync.http.clock import SystemClock
from omsync.http.pacing import Pace
from omsync.http.steps import Steps
from omsync.ledgers import _file
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.sinks._http import SteppedSink
from omsync.sinks.medusa import Medusa
from omsync.sinks.vendure import Vendure
from omsync.sources.extensiv import ExtensivOrderManager

__all__ = ["CART", "MERCHANT", "READY", "REPORT", "Job"]

MERCHANT = MerchantSettings(mode=PerWarehouse())
CART = CartSettings(name="shop")
SINKS: Mapping[str, Callable[..., SteppedSink]] = {"vendure": Vendure, "medusa": Medusa}
READY, REPORT = "ready", "report "
ROWS = 8
"""Rows in a batch: few, so that a run has several."""
PAGES = {"products": 20, "totals": 15}


@frozen(kw_only=True)
class Job:
    """One sync.

    Args:
        order_manager: Its address.
        token: Its token.
        ledger: The ledger's file.
        sink: ``"vendure"`` or ``"medusa"``.
        options: The sink's arguments.
        way: ``"blocking"`` or ``"awaiting"``.
        ahead: Seconds that the process's clock is ahead, so that tests need not wait for hours.
    """

    order_manager: str
    token: str
    ledger: str
    sink: str
    options: Mapping[str, Any]
    way: str
    ahead: int

    def to_json(self) -> str:
        """Write it down for the child."""
        return json.dumps(asdict(self))


@frozen
class Ahead(SystemClock):
    """The machine's clock, some time ahead."""

    by: timedelta

    def now(self) -> datetime:
        return super().now() + self.by


@frozen
class Telling(SteppedSink):
    """A sink that says when it begins to read and to push, in small batches."""

    sink: Any

    @property
    def capabilities(self) -> SinkCapabilities:
        capabilities: SinkCapabilities = self.sink.capabilities
        return evolve(capabilities, max_rows=ROWS)

    def remembering(self, memory: SourceMemory | None, /) -> Telling:
        inner = self.sink
        return Telling(inner.remembering(memory) if hasattr(inner, "remembering") else inner)

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        tell("reading the cart")
        shown: list[CartListing] = yield from self.sink.read_steps(listing_skus)
        tell("planning")
        return shown

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        tell("pushing")
        results: list[PushResult] = yield from self.sink.push_steps(changes)
        tell("between pushes")
        return results


def tell(what: str) -> None:
    """Say it at once and whole, so that it is heard even if the process ends right after."""
    os.write(sys.stdout.fileno(), f"{what}\n".encode())


def commits_told() -> None:
    """Say before and after each commit of the ledger that one is under way."""
    writing: Callable[[_file.LedgerFile], AbstractContextManager[Any]] = _file.LedgerFile.writing

    @contextmanager
    def told(self: _file.LedgerFile) -> Iterator[Any]:
        tell("in a commit")
        with writing(self) as connection:
            yield connection
        tell("after a commit")

    _file.LedgerFile.writing = told  # type: ignore[method-assign]  # a spy, in a process of its own


def main() -> None:
    """Sync once."""
    job = Job(**json.loads(sys.stdin.read()))
    commits_told()
    tell(READY)
    clock = Ahead(timedelta(seconds=job.ahead))
    source = ExtensivOrderManager(
        job.token, base_url=job.order_manager, pace=Pace(), ask_limits=False, page_sizes=PAGES
    )
    sink = Telling(SINKS[job.sink](**job.options))
    with SqliteLedger(job.ledger, now=clock.now) as ledger:
        options: Any = {"merchant": MERCHANT, "ledger": ledger, "clock": clock, "on_progress": on_progress}
        if job.way == "awaiting":
            report = asyncio.run(aio.sync_cart(source, sink, CART, **options))
        else:
            report = sync_cart(source, sink, CART, **options)
    tell(REPORT + json.dumps(told_of(report)))


def on_progress(stage: str, _: int, __: int | None) -> None:
    """Say what is under way; reading and pushing the cart are told of by the sink."""
    if stage == "allocate":
        tell("planning")
    elif stage not in {"read cart", "push"}:
        tell("reading the order manager")


def told_of(report: SyncReport) -> Mapping[str, Any]:
    """Give what the parent checks of a report."""
    return {
        "status": report.status,
        "outcomes": [[one.listing_sku, one.outcome, one.reason] for one in report.outcomes],
        "notices": [str(notice) for notice in report.notices],
    }


if __name__ == "__main__":
    main()
