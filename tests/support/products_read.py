"""A reading of a few products, by warehouse and by sales channel, for tests of what a person looks at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from omsync import (
    Alias,
    Bundle,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    SalesChannel,
    Sku,
    StockLevel,
    Warehouse,
)

__all__ = ["DISABLED_FBA", "TAKEN_AT", "channels", "level", "warehouses"]

TAKEN_AT = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def level(sku: str, place: str, on_hand: int | None, available: int | None = None, **more: int) -> StockLevel:
    """Make a stock record."""
    return StockLevel(master_sku=sku, location_id=place, on_hand=on_hand, available=available, **more)


def warehouses(**more: Any) -> InventorySnapshot:
    """Give a reading by warehouse, one of them switched off."""
    given: dict[str, Any] = {
        "taken_at": TAKEN_AT,
        "skus": [
            Sku(
                master_sku="MUG",
                name="Mug, fern",
                weight_oz=12.5,
                upc="0081001",
                mpn="=M1",
                description="Holds tea",
            ),
            Sku(master_sku="SET", name="Gift set", kind="bundle"),
            Sku(master_sku="OLD", name="Old mug", active=False),
            Sku(master_sku="NIL", name="Nowhere"),
        ],
        "aliases": [
            Alias(name="Woo", listing_sku="woo-mug", master_sku="MUG"),
            Alias(name="Amazon", listing_sku="amz-mug", master_sku="MUG"),
        ],
        "warehouses": [
            Warehouse(id="1", name="Reno"),
            Warehouse(id="2", name="FBA"),
            Warehouse(id="3", name="", active=False),
        ],
        "bundles": [Bundle(master_sku="SET", components=[Component(master_sku="MUG")])],
        "levels": [
            level("MUG", "1", 10, 8),
            level("MUG", "2", 5, committed=1, locked=2),
            level("SET", "1", 0, 0),
            level("OLD", "1", None, 3),
            level("OLD", "3", 4, 4),
            level("STRAY", "1", 1, None),
        ],
    }
    return InventorySnapshot(**{**given, **more})


def channels() -> InventorySnapshot:
    """Give a reading by sales channel, one of them switched off."""
    return warehouses(
        scope="channel",
        warehouses=(),
        sales_channels=[
            SalesChannel(id="31", name="Amazon"),
            SalesChannel(id="44", name="Woo", active=False),
        ],
        levels=[level("MUG", "31", None, 8), level("MUG", "44", None, 8)],
    )


DISABLED_FBA = MerchantSettings(mode=PerWarehouse(disabled={"FBA"}))
