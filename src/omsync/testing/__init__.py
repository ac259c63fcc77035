"""What omsync ships for your tests: an order manager that behaves like the real one, and can be broken."""

from __future__ import annotations

from omsync.testing.catalog import (
    Catalog,
    CatalogChannel,
    CatalogListing,
    CatalogProduct,
    CatalogWarehouse,
    ChannelRule,
    StockRecord,
)
from omsync.testing.demo_catalog import demo_merchant
from omsync.testing.faults import Fault
from omsync.testing.generated_catalog import generated_merchant
from omsync.testing.sandbox import Answer, LoggedRequest, OrderManagerSandbox
from omsync.testing.sandbox_server import SandboxServer
from omsync.testing.sandbox_throttle import Throttle

__all__ = [
    "Answer",
    "Catalog",
    "CatalogChannel",
    "CatalogListing",
    "CatalogProduct",
    "CatalogWarehouse",
    "ChannelRule",
    "Fault",
    "LoggedRequest",
    "OrderManagerSandbox",
    "SandboxServer",
    "StockRecord",
    "Throttle",
    "demo_merchant",
    "generated_merchant",
]
