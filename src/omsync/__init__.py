"""omsync: inventory sync from Extensiv Order Manager to e-commerce carts, as a library.

Read the order manager, work out what every cart should show, show why, push only what differs, and prove
what happened. The functions here block; ``omsync.aio`` has the same names, awaiting. Order managers are in
``omsync.sources``, carts in ``omsync.sinks``, ledgers in ``omsync.ledgers``, what tests need in
``omsync.testing``.
"""

from omsync.allocation import Allocation, Explanation, ListingQuantity, Notice, Skip, allocate
from omsync.comparison import Comparison, Difference
from omsync.config import load_settings
from omsync.errors import (
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.exchange import (
    CartListing,
    ListingState,
    PushResult,
    QuantityChange,
    RunRecord,
    SinkCapabilities,
)
from omsync.frequency import Frequency
from omsync.levels import StockLevel
from omsync.model import Alias, Bundle, Component, InventorySnapshot, SalesChannel, Sku, Warehouse
from omsync.planning import PlanLine, SyncPlan
from omsync.ports import (
    AsyncCartSink,
    AsyncOrderManagerSource,
    CartSink,
    Ledger,
    OrderManagerSource,
    ReadRequest,
    SourceMemory,
)
from omsync.report import Outcome, SyncReport
from omsync.serial import load_plan
from omsync.settings import (
    CartSettings,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
)
from omsync.sync import compare, plan_cart, push_plan, read_inventory, sync_cart, sync_carts
from omsync.views import product_view

__all__ = [
    "Alias",
    "Allocation",
    "AsyncCartSink",
    "AsyncOrderManagerSource",
    "Bundle",
    "CartListing",
    "CartSettings",
    "CartSink",
    "Comparison",
    "Component",
    "Difference",
    "Explanation",
    "Frequency",
    "InventorySnapshot",
    "Ledger",
    "ListingQuantity",
    "ListingState",
    "LostAnswerError",
    "MerchantSettings",
    "Notice",
    "OmsyncError",
    "OrderManagerSource",
    "Outcome",
    "PerSalesChannel",
    "PerWarehouse",
    "PlanLine",
    "PushResult",
    "QuantityChange",
    "QuantityRules",
    "ReadRequest",
    "RefusedError",
    "RunRecord",
    "SalesChannel",
    "ServerFaultError",
    "SettingsError",
    "SinkCapabilities",
    "Skip",
    "Sku",
    "SkuOverride",
    "SourceMemory",
    "StockLevel",
    "SyncPlan",
    "SyncReport",
    "ThrottledError",
    "TransientError",
    "UnauthorizedError",
    "UnreachableError",
    "Warehouse",
    "allocate",
    "compare",
    "load_plan",
    "load_settings",
    "plan_cart",
    "product_view",
    "push_plan",
    "read_inventory",
    "sync_cart",
    "sync_carts",
]
