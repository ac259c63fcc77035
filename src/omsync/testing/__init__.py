"""What omsync ships for your tests: an order manager that behaves like the real one, and a kit for sinks."""

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
from omsync.testing.sink_kit import (
    SINK_CHECKS,
    STRANGE_SKUS,
    CheckResult,
    SinkBench,
    SinkReport,
    assert_conforms,
    check_sink,
    losing_answers,
)

__all__ = [
    "SINK_CHECKS",
    "STRANGE_SKUS",
    "Answer",
    "Catalog",
    "CatalogChannel",
    "CatalogListing",
    "CatalogProduct",
    "CatalogWarehouse",
    "ChannelRule",
    "CheckResult",
    "Fault",
    "LoggedRequest",
    "OrderManagerSandbox",
    "SandboxServer",
    "SinkBench",
    "SinkReport",
    "StockRecord",
    "Throttle",
    "assert_conforms",
    "check_sink",
    "demo_merchant",
    "generated_merchant",
    "losing_answers",
]
