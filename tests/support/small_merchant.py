"""Small merchants in a few words, for tests that read as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from omsync.allocation import Allocation, Skip, allocate
from omsync.model import (
    Alias,
    Bundle,
    Component,
    InventorySnapshot,
    SalesChannel,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse

__all__ = [
    "ALL",
    "BY_CHANNEL",
    "BY_WAREHOUSE",
    "Stock",
    "alias",
    "cart",
    "only_skip",
    "per_warehouse",
    "reading",
    "told",
]

RENO = Warehouse(id="1", name="Reno DC")
FBA = Warehouse(id="2", name="Amazon FBA US")
HARBOR = Warehouse(id="3", name="Harbor 3PL")
CHANNELS = (SalesChannel(id="91", name="Shopify US"), SalesChannel(id="92", name="Wholesale"))

BY_WAREHOUSE = MerchantSettings(mode=PerWarehouse())
BY_CHANNEL = MerchantSettings(mode=PerSalesChannel())

Figures = int | Mapping[str, int]
Stock = Mapping[str, Mapping[str, Figures]]


def reading(
    stock: Stock,
    bundles: Mapping[str, Mapping[str, int]] | None = None,
    **others: Any,
) -> InventorySnapshot:
    """Make a snapshot: by product and location an available figure or all figures; by bundle its parts."""
    made_of = bundles or {}
    parts = [part for needs in made_of.values() for part in needs]
    products = dict.fromkeys([*stock, *made_of, *parts])
    given: dict[str, Any] = {
        "taken_at": datetime(2026, 1, 5, 6, tzinfo=UTC),
        "skus": [Sku(master_sku=master_sku) for master_sku in products],
        "warehouses": (RENO, FBA, HARBOR),
        "sales_channels": CHANNELS,
        "bundles": [
            Bundle(
                master_sku=bundle,
                components=[Component(master_sku=part, quantity=need) for part, need in needs.items()],
            )
            for bundle, needs in made_of.items()
        ],
        "levels": [
            StockLevel(
                master_sku=master_sku,
                location_id=location_id,
                **({"available": figures} if isinstance(figures, int) else figures),
            )
            for master_sku, places in stock.items()
            for location_id, figures in places.items()
        ],
    }
    return InventorySnapshot(**{**given, **others})


def per_warehouse(**mode: Any) -> MerchantSettings:
    """Make a merchant in warehouse mode."""
    return MerchantSettings(mode=PerWarehouse(**mode))


def cart(**settings: Any) -> CartSettings:
    """Make a cart."""
    return CartSettings(**{"name": "acme-us", **settings})


ALL = cart()


def alias(listing_sku: str, master_sku: str, **others: Any) -> Alias:
    """Make a listing of the channel Shopify US."""
    return Alias(
        **{
            "name": "Shopify US",
            "channel_id": "91",
            "listing_sku": listing_sku,
            "master_sku": master_sku,
            **others,
        }
    )


def told(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings = BY_WAREHOUSE,
    settings: CartSettings = ALL,
    orders: Mapping[str, int] | None = None,
) -> dict[Any, int]:
    """Allocate, and give the quantities: by listing, and in a breakdown by listing and location."""
    allocation = allocate(snapshot, merchant, settings, orders)
    return {
        row.listing_sku if row.location_id is None else (row.listing_sku, row.location_id): row.quantity
        for row in allocation.quantities
    }


def only_skip(allocation: Allocation, master_sku: str) -> Skip:
    """Give the one skip of a product."""
    (skipped,) = [one for one in allocation.skipped if one.master_sku == master_sku]
    return skipped
