"""What omsync ships for your tests: an order manager, a cart that goes wrong, kits for your adapters."""

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
from omsync.testing.conformance import LedgerConformance, SinkConformance, SourceConformance
from omsync.testing.conformance_ledger import LEDGER_CHECKS, LedgerBench, check_ledger
from omsync.testing.conformance_report import ConformanceReport
from omsync.testing.conformance_source import SOURCE_CHECKS, SourceBench, check_source
from omsync.testing.demo_catalog import demo_merchant
from omsync.testing.faults import Fault
from omsync.testing.faulty_cart import AsyncFaultyCart, FaultyCart
from omsync.testing.faulty_cart_faults import CART_FAULTS, CartFault
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
    "CART_FAULTS",
    "LEDGER_CHECKS",
    "SINK_CHECKS",
    "SOURCE_CHECKS",
    "STRANGE_SKUS",
    "Answer",
    "AsyncFaultyCart",
    "CartFault",
    "Catalog",
    "CatalogChannel",
    "CatalogListing",
    "CatalogProduct",
    "CatalogWarehouse",
    "ChannelRule",
    "CheckResult",
    "ConformanceReport",
    "Fault",
    "FaultyCart",
    "LedgerBench",
    "LedgerConformance",
    "LoggedRequest",
    "OrderManagerSandbox",
    "SandboxServer",
    "SinkBench",
    "SinkConformance",
    "SinkReport",
    "SourceBench",
    "SourceConformance",
    "StockRecord",
    "Throttle",
    "assert_conforms",
    "check_ledger",
    "check_sink",
    "check_source",
    "demo_merchant",
    "generated_merchant",
    "losing_answers",
]
