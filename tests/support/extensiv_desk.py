"""What the order manager's tests share: a source that talks to a sandbox, and one read of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fake_memory import START, DictMemory, FakeClock

from omsync.http.awaiting import AsyncRunner
from omsync.http.blocking import Runner
from omsync.http.messages import Handler, Request, Response
from omsync.http.pacing import Pace
from omsync.model import InventorySnapshot
from omsync.ports import ReadRequest
from omsync.settings import MerchantSettings, Mode, PerSalesChannel, PerWarehouse
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

SMALL_PAGES = {"products": 7, "listings": 9, "totals": 5, "inventory": 6, "acknowledge": 8}
"""So small that the demo merchant fills several of each."""

TOTALS, ROWS = "GET /v1/productstocks/total", "GET /v1/inventory"
PRODUCTS, LISTINGS = "GET /v1.1/products", "GET /v1/listings"
ACKNOWLEDGE = "POST /v1.2/inventory/acknowledge"
RENO, OHIO, FBA, TEXAS = "701", "702", "703", "704"
AMAZON, WOO, WHOLESALE = "31", "44", "45"


def order_manager(sandbox: OrderManagerSandbox | Handler, **settings: Any) -> ExtensivOrderManager:
    """Make a source of small pages and no waiting."""
    handler = sandbox.handle if isinstance(sandbox, OrderManagerSandbox) else sandbox
    usual: dict[str, Any] = {
        "page_sizes": SMALL_PAGES,
        "handler": handler,
        "acknowledge": "exclusive",
        "pace": Pace(),
    }
    return ExtensivOrderManager("sandbox-token", **{**usual, **settings})


def wanted(
    mode: Mode | None = None,
    *,
    now: datetime = START,
    memory: DictMemory | None = None,
    previous: InventorySnapshot | None = None,
    bundle_quantities: str = "auto",
    on_progress: Callable[[str, int, int | None], None] | None = None,
) -> ReadRequest:
    """Make the request of a read, by warehouse unless told otherwise."""
    return ReadRequest(
        merchant=MerchantSettings(mode=mode or PerWarehouse(), bundle_quantities=bundle_quantities),
        now=now,
        memory=memory,
        previous=previous,
        on_progress=on_progress,
    )


def by_channel(memory: DictMemory | None, **more: Any) -> ReadRequest:
    """Make the request of a read by sales channel."""
    return wanted(PerSalesChannel(), memory=memory, **more)


def read(
    source: ExtensivOrderManager,
    request: ReadRequest | None = None,
    *,
    clock: FakeClock | None = None,
    deadline: datetime | None = None,
) -> InventorySnapshot:
    """Read once, waiting for nothing."""
    with Runner(clock=clock or FakeClock(), deadline=deadline) as runner:
        return runner.run(source.read_steps(request or wanted()))


def read_awaiting(source: ExtensivOrderManager, request: ReadRequest) -> InventorySnapshot:
    """Read once on an event loop."""

    async def run() -> InventorySnapshot:
        async with AsyncRunner(clock=FakeClock()) as runner:
            return await runner.run(source.read_steps(request))

    return asyncio.run(run())


def parts(snapshot: InventorySnapshot) -> tuple[Any, ...]:
    """Give what two snapshots must share to be equal, whatever the order in which they were read."""
    return (
        snapshot.taken_at,
        snapshot.scope,
        snapshot.bundles_include_buildable,
        snapshot.doubtful,
        frozenset(snapshot.skus),
        frozenset(snapshot.aliases),
        frozenset(snapshot.bundles),
        snapshot.warehouses,
        snapshot.sales_channels,
        snapshot.levels,
    )


def calls(sandbox: OrderManagerSandbox, lane: str) -> list[dict[str, str]]:
    """Give the queries of the calls of one kind."""
    return [dict(one.query) for one in sandbox.requests if f"{one.method} {one.path}" == lane]


def available(snapshot: InventorySnapshot, location_id: str) -> Mapping[str, int | None]:
    """Give what a location reports as available, by product."""
    return {
        level.master_sku: level.available for level in snapshot.levels if level.location_id == location_id
    }


def when(sandbox: OrderManagerSandbox, lane: str, change: Callable[[], object], *, nth: int = 1) -> Handler:
    """Give a handler that changes the sandbox right before the nth call of a kind."""
    count = 0

    def handle(request: Request) -> Response:
        nonlocal count
        if request.lane == lane:
            count += 1
            if count == nth:
                change()
        return sandbox.handle(request)

    return handle
