"""How the order manager writes what it holds: a function for each shape of its published description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from omsync.testing.catalog import CatalogChannel, CatalogWarehouse
from omsync.testing.sandbox_state import ListingState, OrderState, ProductState, Shelf, Totals

__all__ = [
    "Json",
    "channel_row",
    "fba_row",
    "listing_row",
    "order_row",
    "product_info",
    "product_row",
    "quantity_row",
    "stock_row",
    "totals_row",
    "warehouse_row",
]

Json = dict[str, Any]
_KINDS = {"core": "CORE_PRODUCT", "virtual": "VIRTUAL_PRODUCT", "bundle": "BUNDLE_KIT"}


def moment_text(moment: datetime) -> str:
    """Write a moment as the API does: UTC, whole seconds, Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def warehouse_row(warehouse: CatalogWarehouse) -> Json:
    """Write a ``warehouse``."""
    row: Json = {
        "warehouseId": warehouse.warehouse_id,
        "name": warehouse.name,
        "active": warehouse.active,
        "type": warehouse.type,
        "timeZone": "America/Los_Angeles",
        "domesticBackups": [],
        "stateAllocations": [],
    }
    if warehouse.channel_id is not None:
        row["salesChannelId"] = warehouse.channel_id
    return row


def channel_row(channel: CatalogChannel) -> Json:
    """Write a ``salesChannel``."""
    return {
        "salesChannelId": channel.channel_id,
        "salesChannelName": channel.name,
        "salesChannelType": channel.type,
        "active": channel.active,
        "channelProperties": [],
    }


def product_info(product: ProductState) -> Json:
    """Write a ``productInfo``, the short form inside stock rows; it does not say whether it is active."""
    value = product.value
    return {
        "productId": product.product_id,
        "masterSku": value.master_sku,
        "name": value.name,
        "description": value.description,
        "productType": _KINDS[value.kind],
        "productWeight": value.weight_oz,
        "upc": value.upc,
        "mpn": value.mpn,
        "fnSku": None,
        "hazmat": False,
    }


def product_row(product: ProductState, products: Mapping[str, ProductState]) -> Json:
    """Write a ``product`` with its bundled items."""
    value = product.value
    weight = value.weight_oz or 0.0
    parent = products[value.parent_sku].product_id if value.parent_sku else 0
    return {
        "productId": product.product_id,
        "masterSku": value.master_sku,
        "name": value.name,
        "description": value.description,
        "brand": value.brand,
        "type": _KINDS[value.kind],
        "active": value.active,
        "bundle": value.kind == "bundle",
        "parentId": parent,
        "allowBackorders": False,
        "hazmat": False,
        "digital": value.digital,
        "giftCard": False,
        "shipsInOwnBox": False,
        "upc": value.upc,
        "mpn": value.mpn,
        "weight": value.weight_oz,
        "pounds": int(weight // 16),
        "ounces": weight % 16,
        "length": value.length_in,
        "width": value.width_in,
        "height": value.height_in,
        "imageUrls": [],
        "bundledItems": [
            {
                "bundleItemId": product.product_id * 100 + number,
                "bundledProductQuantity": part.quantity,
                "product": product_info(product),
                "bundledProduct": product_info(products[part.master_sku]),
            }
            for number, part in enumerate(value.components, start=1)
        ],
        "createdDate": moment_text(product.created),
        "modifiedDate": moment_text(product.modified),
    }


def listing_row(listing: ListingState, product: ProductState) -> Json:
    """Write a ``productListing``."""
    value = listing.value
    return {
        "listingId": listing.listing_id,
        "listingSku": value.listing_sku,
        "masterSku": value.master_sku,
        "productId": product.product_id,
        "salesChannelId": value.channel_id,
        "active": value.active,
        "pushInventory": value.push_inventory,
        "fnSku": value.fn_sku,
        "created": moment_text(listing.created),
        "lastModified": moment_text(listing.modified),
    }


def order_row(order: OrderState, channel: CatalogChannel, products: Mapping[str, ProductState]) -> Json:
    """Write an ``order``, without what concerns money, shipping and the customer."""
    return {
        "orderId": order.order_id,
        "orderNumber": order.number,
        "orderType": "SALES_ORDER",
        "orderStatus": order.status,
        "external": False,
        "orderDate": moment_text(order.placed),
        "createdDate": moment_text(order.created),
        "modifiedDate": moment_text(order.modified),
        "salesChannel": {
            "salesChannelId": channel.channel_id,
            "name": channel.name,
            "type": channel.type,
            "active": channel.active,
        },
        "orderItems": [
            {
                "orderItemId": order.order_id * 100 + number,
                "listingSku": listing_sku,
                "quantityOrdered": pieces,
                "product": product_info(products[order.products[listing_sku]]),
            }
            for number, (listing_sku, pieces) in enumerate(order.pieces.items(), start=1)
        ],
    }


def stock_row(product: ProductState, shelf: Shelf) -> Json:
    """Write a ``productStock``; the totals of its warehouse are repeated on every row."""
    record = shelf.record
    totals = Totals.of(product.shelves_in(record.warehouse_id))
    return {
        "productStockId": shelf.stock_id,
        "active": True,
        "quantity": record.on_hand,
        "quantityLocked": record.locked,
        "allocatedQuantity": record.committed,
        "availableQuantity": record.available,
        "minStock": record.min_stock,
        "drawRank": product.shelves.index(shelf) + 1,
        "pickable": True,
        "receivable": True,
        "product": product_info(product),
        "stockLocation": {
            "stockLocationId": shelf.location_id,
            "location": record.location,
            "warehouseId": record.warehouse_id,
        },
        "warehouseStockTotals": {
            "onHandQuantity": totals.on_hand,
            "availableQuantity": totals.available,
            "allocatedQuantity": totals.committed,
            "lockedQuantity": totals.locked,
            "inTransitQuantity": totals.in_transit,
            "minInventoryLevel": totals.min_stock,
        },
    }


def totals_row(product: ProductState, totals: Totals, buildable: int) -> Json:
    """Write a ``ProductStockTotalsDto``; buildable units are 0 unless they were asked for."""
    return {
        "product": product_info(product),
        "onHandQuantity": totals.on_hand + buildable,
        "lockedQuantity": totals.locked,
        "allocatedQuantity": totals.committed,
        "availableQuantity": totals.available + buildable,
        "inTransitQuantity": totals.in_transit,
    }


def quantity_row(product: ProductState, quantity: int, parts: Iterable[tuple[int, int]]) -> Json:
    """Write a channel's quantity of a product, as inside an ``InventoryAcknowledgeDto``."""
    return {
        "product": product_info(product),
        "availableQuantity": quantity,
        "warehouseInventoryBreakdown": [
            {"warehouseId": warehouse_id, "availableQuantity": units} for warehouse_id, units in parts
        ],
    }


def fba_row(product: ProductState, listing: ListingState, warehouse: CatalogWarehouse) -> Json:
    """Write an ``FbaInventoryDto``."""
    totals = Totals.of(product.shelves_in(warehouse.warehouse_id))
    return {
        "asin": None,
        "fnSku": listing.value.fn_sku,
        "listingSku": listing.value.listing_sku,
        "inStockSupplyQuantity": totals.available,
        "totalSupplyQuantity": totals.on_hand + totals.in_transit,
        "reservedFcProcessing": 0,
        "reservedFcTransfer": 0,
        "productCondition": "New",
        "product": product_info(product),
        "warehouse": warehouse_row(warehouse),
    }
