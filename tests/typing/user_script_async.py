"""The same with async twins, and with blocking ones given to the awaiting functions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from omsync import (
    AsyncCartSink,
    AsyncOrderManagerSource,
    CartListing,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    ReadRequest,
    SinkCapabilities,
    Sku,
    StockLevel,
    SyncReport,
    Warehouse,
    aio,
)


class BackOffice:
    """An order manager of our own that is awaited."""

    async def read(self, request: ReadRequest) -> InventorySnapshot:
        """Read everything."""
        await asyncio.sleep(0)
        return InventorySnapshot(
            taken_at=request.now,
            skus=[Sku(master_sku="MUG")],
            warehouses=[Warehouse(id="1", name="Cellar")],
            levels=[StockLevel(master_sku="MUG", location_id="1", available=12)],
        )


class MarketStall:
    """A cart of our own that is awaited."""

    def __init__(self) -> None:
        self.shown = {"MUG": 1}
        self.capabilities = SinkCapabilities(destination="market stall")

    async def read(self, listing_skus: Sequence[str]) -> list[CartListing]:
        """Give what it shows."""
        await asyncio.sleep(0)
        return [CartListing(listing_sku=sku, quantity=self.shown[sku]) for sku in listing_skus]

    async def push(self, changes: Sequence[QuantityChange]) -> tuple[PushResult, ...]:
        """Write one batch."""
        await asyncio.sleep(0)
        self.shown.update({change.listing_sku: change.quantity for change in changes})
        return tuple(
            PushResult(listing_sku=change.listing_sku, status="accepted", echo=change.quantity)
            for change in changes
        )


class BlockingStall:
    """A blocking cart; the awaiting functions run it in a thread."""

    capabilities = SinkCapabilities(destination="blocking stall", readable=False)

    def read(self, _: Sequence[str]) -> list[CartListing]:
        """Give nothing: it cannot be read."""
        return []

    def push(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        """Write one batch."""
        return [PushResult(listing_sku=change.listing_sku, status="accepted") for change in changes]


async def main() -> tuple[str, ...]:
    """Sync, plan, push; give what was said."""
    source: AsyncOrderManagerSource = BackOffice()
    sink: AsyncCartSink = MarketStall()
    merchant = MerchantSettings(mode=PerWarehouse())
    cart = CartSettings(name="stall")

    plan = await aio.plan_cart(source, sink, cart, merchant=merchant)
    first: SyncReport = await aio.push_plan(plan, sink)
    snapshot = await aio.read_inventory(source, merchant)
    second = await aio.sync_cart(snapshot, BlockingStall(), cart, merchant=merchant)
    reports = await aio.sync_carts(source, [(sink, cart)], merchant=merchant)
    return (str(first), str(second), *(str(report) for report in reports))


if __name__ == "__main__":
    print(*asyncio.run(main()), sep="\n")  # noqa: T201  a script
