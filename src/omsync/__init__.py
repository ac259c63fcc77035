"""omsync: inventory sync from Extensiv Order Manager to e-commerce carts, as a library.

Read the order manager, work out what every cart should show, show why, push only what differs, and prove
what happened. The functions here block; ``omsync.aio`` has the same names, awaiting. Order managers are in
``omsync.sources``, carts in ``omsync.sinks``, ledgers in ``omsync.ledgers``, what tests need in
``omsync.testing``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omsync.allocation import Allocation, Explanation, ListingQuantity, Notice, Skip, allocate
    from omsync.comparison import Comparison, Difference
    from omsync.config import load_settings
    from omsync.convergence import Drift, DriftLine, History
    from omsync.diagnosis import Audit, Diagnosis, ModesCompared, audit, compare_modes
    from omsync.errors import (
        LeaseHeldError,
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
        HistoryEntry,
        Lease,
        ListingState,
        PushResult,
        QuantityChange,
        RunRecord,
        SinkCapabilities,
    )
    from omsync.frequency import Frequency
    from omsync.inflight import InFlightOrder, OrderLine, OrdersNetted, OrderWindow, net_orders
    from omsync.levels import StockLevel
    from omsync.model import Alias, Bundle, Component, InventorySnapshot, SalesChannel, Sku, Warehouse
    from omsync.planning import Approval, PlanLine, SyncPlan
    from omsync.planning.bindings import Binding
    from omsync.planning.originals import Original, Originals
    from omsync.planning.quarantine import QuarantinedRow
    from omsync.planning.quarantine_view import Quarantine
    from omsync.ports import (
        AsyncCartSink,
        AsyncOrderManagerSource,
        AsyncOrdersInFlight,
        CartSink,
        HistoryLedger,
        LeasingLedger,
        Ledger,
        OrderManagerSource,
        OrdersInFlight,
        OrdersRequest,
        OverviewLedger,
        ReadRequest,
        SourceMemory,
    )
    from omsync.report import Outcome, SyncReport
    from omsync.serial import load_plan, read_approvals
    from omsync.settings import (
        CartSettings,
        Guardrails,
        MerchantSettings,
        PerSalesChannel,
        PerWarehouse,
        QuantityRules,
        SkuOverride,
    )
    from omsync.sync import (
        approve,
        compare,
        confirm_cart,
        confirm_source,
        diagnose,
        drift,
        history,
        originals,
        plan_cart,
        plan_put_back,
        push_plan,
        quarantined,
        read_inventory,
        release,
        sync_cart,
        sync_carts,
    )
    from omsync.views import (
        Alert,
        Alerts,
        ComponentView,
        ExplanationView,
        Overview,
        OverviewRow,
        Patience,
        PlanView,
        ProductView,
        RunView,
        WhatIf,
        alerts,
        component_view,
        explanation_view,
        note_alerts,
        overview,
        page_of,
        plan_view,
        product_view,
        run_view,
        what_if,
    )

__all__ = [
    "Alert",
    "Alerts",
    "Alias",
    "Allocation",
    "Approval",
    "AsyncCartSink",
    "AsyncOrderManagerSource",
    "AsyncOrdersInFlight",
    "Audit",
    "Binding",
    "Bundle",
    "CartListing",
    "CartSettings",
    "CartSink",
    "Comparison",
    "Component",
    "ComponentView",
    "Diagnosis",
    "Difference",
    "Drift",
    "DriftLine",
    "Explanation",
    "ExplanationView",
    "Frequency",
    "Guardrails",
    "History",
    "HistoryEntry",
    "HistoryLedger",
    "InFlightOrder",
    "InventorySnapshot",
    "Lease",
    "LeaseHeldError",
    "LeasingLedger",
    "Ledger",
    "ListingQuantity",
    "ListingState",
    "LostAnswerError",
    "MerchantSettings",
    "ModesCompared",
    "Notice",
    "OmsyncError",
    "OrderLine",
    "OrderManagerSource",
    "OrderWindow",
    "OrdersInFlight",
    "OrdersNetted",
    "OrdersRequest",
    "Original",
    "Originals",
    "Outcome",
    "Overview",
    "OverviewLedger",
    "OverviewRow",
    "Patience",
    "PerSalesChannel",
    "PerWarehouse",
    "PlanLine",
    "PlanView",
    "ProductView",
    "PushResult",
    "QuantityChange",
    "QuantityRules",
    "Quarantine",
    "QuarantinedRow",
    "ReadRequest",
    "RefusedError",
    "RunRecord",
    "RunView",
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
    "WhatIf",
    "alerts",
    "allocate",
    "approve",
    "audit",
    "compare",
    "compare_modes",
    "component_view",
    "confirm_cart",
    "confirm_source",
    "diagnose",
    "drift",
    "explanation_view",
    "history",
    "load_plan",
    "load_settings",
    "net_orders",
    "note_alerts",
    "originals",
    "overview",
    "page_of",
    "plan_cart",
    "plan_put_back",
    "plan_view",
    "product_view",
    "push_plan",
    "quarantined",
    "read_approvals",
    "read_inventory",
    "release",
    "run_view",
    "sync_cart",
    "sync_carts",
    "what_if",
]

_ROOMS = {
    "omsync.allocation": (
        "Allocation",
        "Explanation",
        "ListingQuantity",
        "Notice",
        "Skip",
        "allocate",
    ),
    "omsync.comparison": (
        "Comparison",
        "Difference",
    ),
    "omsync.config": ("load_settings",),
    "omsync.convergence": (
        "Drift",
        "DriftLine",
        "History",
    ),
    "omsync.diagnosis": (
        "Audit",
        "Diagnosis",
        "ModesCompared",
        "audit",
        "compare_modes",
    ),
    "omsync.errors": (
        "LeaseHeldError",
        "LostAnswerError",
        "OmsyncError",
        "RefusedError",
        "ServerFaultError",
        "SettingsError",
        "ThrottledError",
        "TransientError",
        "UnauthorizedError",
        "UnreachableError",
    ),
    "omsync.exchange": (
        "CartListing",
        "HistoryEntry",
        "Lease",
        "ListingState",
        "PushResult",
        "QuantityChange",
        "RunRecord",
        "SinkCapabilities",
    ),
    "omsync.frequency": ("Frequency",),
    "omsync.inflight": (
        "InFlightOrder",
        "OrderLine",
        "OrdersNetted",
        "OrderWindow",
        "net_orders",
    ),
    "omsync.levels": ("StockLevel",),
    "omsync.model": (
        "Alias",
        "Bundle",
        "Component",
        "InventorySnapshot",
        "SalesChannel",
        "Sku",
        "Warehouse",
    ),
    "omsync.planning": (
        "Approval",
        "PlanLine",
        "SyncPlan",
    ),
    "omsync.planning.bindings": ("Binding",),
    "omsync.planning.originals": (
        "Original",
        "Originals",
    ),
    "omsync.planning.quarantine": ("QuarantinedRow",),
    "omsync.planning.quarantine_view": ("Quarantine",),
    "omsync.ports": (
        "AsyncCartSink",
        "AsyncOrderManagerSource",
        "AsyncOrdersInFlight",
        "CartSink",
        "HistoryLedger",
        "LeasingLedger",
        "Ledger",
        "OrderManagerSource",
        "OrdersInFlight",
        "OrdersRequest",
        "OverviewLedger",
        "ReadRequest",
        "SourceMemory",
    ),
    "omsync.report": (
        "Outcome",
        "SyncReport",
    ),
    "omsync.serial": (
        "load_plan",
        "read_approvals",
    ),
    "omsync.settings": (
        "CartSettings",
        "Guardrails",
        "MerchantSettings",
        "PerSalesChannel",
        "PerWarehouse",
        "QuantityRules",
        "SkuOverride",
    ),
    "omsync.sync": (
        "approve",
        "compare",
        "confirm_cart",
        "confirm_source",
        "diagnose",
        "drift",
        "history",
        "originals",
        "plan_cart",
        "plan_put_back",
        "push_plan",
        "quarantined",
        "read_inventory",
        "release",
        "sync_cart",
        "sync_carts",
    ),
    "omsync.views": (
        "Alert",
        "Alerts",
        "ComponentView",
        "ExplanationView",
        "Overview",
        "OverviewRow",
        "Patience",
        "PlanView",
        "ProductView",
        "RunView",
        "WhatIf",
        "alerts",
        "component_view",
        "explanation_view",
        "note_alerts",
        "overview",
        "page_of",
        "plan_view",
        "product_view",
        "run_view",
        "what_if",
    ),
}
"""Where each name comes from. A room is entered when one of its names is asked for, since importing all of
them takes longer than many a script runs."""

_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any name for one of ours.
    def __getattr__(name: str) -> Any:
        """Enter the room that a name comes from."""
        if name not in _ROOM_OF:
            raise AttributeError(f"module 'omsync' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_ROOM_OF[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
