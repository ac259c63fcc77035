"""What a developer writes who has an order manager and a cart of their own: no base class is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from omsync import (
    Alias,
    CartListing,
    CartSettings,
    CartSink,
    InventorySnapshot,
    MerchantSettings,
    OmsyncError,
    OrderManagerSource,
    PerWarehouse,
    PushResult,
    QuantityChange,
    QuantityRules,
    ReadRequest,
    SinkCapabilities,
    Sku,
    StockLevel,
    SyncPlan,
    SyncReport,
    Warehouse,
    load_plan,
    plan_cart,
    product_view,
    push_plan,
    read_inventory,
    sync_cart,
    sync_carts,
)


class BackOffice:
    """An order manager of our own."""

    def __init__(self, stock: dict[str, int]) -> None:
        self._stock = stock

    def read(self, request: ReadRequest) -> InventorySnapshot:
        """Read everything."""
        if request.on_progress is not None:
            request.on_progress("stock", len(self._stock), len(self._stock))
        return InventorySnapshot(
            taken_at=request.now,
            skus=[Sku(master_sku=sku) for sku in self._stock],
            aliases=[Alias(name="Shop", listing_sku=sku.lower(), master_sku=sku) for sku in self._stock],
            warehouses=[Warehouse(id="1", name="Cellar")],
            levels=(
                StockLevel(master_sku=sku, location_id="1", on_hand=units, available=units)
                for sku, units in self._stock.items()
            ),
        )


class MarketStall:
    """A cart of our own."""

    def __init__(self) -> None:
        self.shown: dict[str, int] = {"mug": 1}

    @property
    def capabilities(self) -> SinkCapabilities:
        """What it can do."""
        return SinkCapabilities(destination="market stall", max_rows=10, creates_listings=True)

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        """Give what it shows."""
        for sku in listing_skus:
            if sku in self.shown:
                yield CartListing(listing_sku=sku, quantity=self.shown[sku])

    def push(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        """Write one batch."""
        self.shown.update({change.listing_sku: change.quantity for change in changes})
        return [
            PushResult(listing_sku=change.listing_sku, status="accepted", echo=change.quantity)
            for change in changes
        ]


def main() -> tuple[str, ...]:
    """Sync, plan, push, look; give what was said."""
    source: OrderManagerSource = BackOffice({"MUG": 12, "SPOON": 40})
    stall = MarketStall()
    sink: CartSink = stall
    merchant = MerchantSettings(mode=PerWarehouse())
    cart = CartSettings(name="stall", alias="Shop", rules=QuantityRules(percent=50))

    plan: SyncPlan = plan_cart(source, sink, cart, merchant=merchant)
    first: SyncReport = push_plan(load_plan(plan.to_json()), sink, approve=plan.digest)
    snapshot = read_inventory(source, merchant, deadline=timedelta(minutes=5))
    second = sync_cart(snapshot, sink, cart, merchant=merchant, orders_in_flight={"MUG": 2})
    (third,) = sync_carts(source, [(sink, cart)], merchant=merchant)
    try:
        sync_cart(source, sink, CartSettings(name="stall", alias="Shpo"), merchant=merchant)
    except OmsyncError as error:
        code: str = error.code
    return (
        *(f"{row.master_sku} {row.total_available}" for row in product_view(snapshot)),
        str(first),
        second.explain("mug").summary,
        str(third.counts),
        code,
    )


if __name__ == "__main__":
    print(*main(), sep="\n")  # noqa: T201  a script
