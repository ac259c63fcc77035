"""What the sandbox's tests share: asking it in the process, and a catalogue that fits in the head."""

from __future__ import annotations

from typing import Any

from omsync.http.messages import Request, Response
from omsync.model import Component
from omsync.testing import (
    Catalog,
    CatalogChannel,
    CatalogProduct,
    CatalogWarehouse,
    OrderManagerSandbox,
    StockRecord,
)

ACKNOWLEDGE = "/v1.2/inventory/acknowledge"
TOTALS = "/v1/productstocks/total"
TOTALS_WITH_OPTIONS = "/v1.1/productstocks/total"
RENO, OHIO, FBA, TEXAS = 701, 702, 703, 704


def ask(
    sandbox: OrderManagerSandbox,
    path: str,
    *query: tuple[str, object],
    method: str = "GET",
    token: str = "sandbox-token",
) -> Response:
    """Ask the sandbox in the process."""
    return sandbox.handle(
        Request(
            method=method,
            url=f"https://order-manager.invalid{path}",
            query=tuple((name, str(value)) for name, value in query),
            headers={"Authorization": f"Bearer {token}"},
        )
    )


def get(sandbox: OrderManagerSandbox, path: str, *query: tuple[str, object]) -> Any:
    """Ask for something that is there."""
    answer = ask(sandbox, path, *query)
    assert answer.status == 200, answer.excerpt
    return answer.json()


def all_pages(sandbox: OrderManagerSandbox, path: str, *query: tuple[str, object]) -> list[list[Any]]:
    """Ask for pages until one is empty."""
    pages: list[list[Any]] = []
    while not pages or pages[-1]:
        pages.append(get(sandbox, path, *query, ("page", len(pages) + 1)))
    return pages[:-1]


def acknowledge(sandbox: OrderManagerSandbox, channel_id: int, *query: tuple[str, object]) -> Any:
    """Ask what changed for a channel."""
    answer = ask(sandbox, ACKNOWLEDGE, ("salesChannelId", channel_id), *query, method="POST")
    assert answer.status == 200, answer.excerpt
    (page,) = answer.json()
    return page


def told(page: Any) -> dict[str, int]:
    """Give the quantities of an acknowledge page by master SKU."""
    return {
        row["product"]["masterSku"]: row["availableQuantity"] for row in page["productAggregatedQuantities"]
    }


def skus(rows: list[Any]) -> list[str]:
    """Give the rows' master SKUs, in order."""
    return [row["masterSku"] if "masterSku" in row else row["product"]["masterSku"] for row in rows]


def small(**more: Any) -> Catalog:
    """Give five products, two warehouses, one channel; A and B are parts of AB, and AB of ABC."""
    parts = (Component(master_sku="A", quantity=1), Component(master_sku="B", quantity=2))
    nested = (Component(master_sku="AB", quantity=1), Component(master_sku="C", quantity=1))
    fields: dict[str, Any] = {
        "products": (
            CatalogProduct(master_sku="A", mpn="m-A", upc="100"),
            CatalogProduct(master_sku="B", active=False),
            CatalogProduct(master_sku="C"),
            CatalogProduct(master_sku="AB", kind="bundle", components=parts),
            CatalogProduct(master_sku="ABC", kind="bundle", components=nested),
        ),
        "warehouses": (
            CatalogWarehouse(warehouse_id=1, name="One"),
            CatalogWarehouse(warehouse_id=2, name="Two"),
        ),
        "channels": (CatalogChannel(channel_id=7, name="Shop"),),
        "stock": (
            StockRecord(master_sku="A", warehouse_id=1, on_hand=10),
            StockRecord(master_sku="A", warehouse_id=2, on_hand=1),
            StockRecord(master_sku="B", warehouse_id=1, on_hand=6, committed=1, locked=1),
            StockRecord(master_sku="B", warehouse_id=2, on_hand=9),
            StockRecord(master_sku="AB", warehouse_id=1, on_hand=1),
        ),
    }
    return Catalog(**{**fields, **more})
