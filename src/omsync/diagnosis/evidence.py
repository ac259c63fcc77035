"""What a diagnosis is made from: everything that was looked at, and the errors met on the way."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Allocation
from omsync.errors import OmsyncError
from omsync.exchange import RunRecord, SinkCapabilities
from omsync.model import InventorySnapshot
from omsync.planning import SyncPlan
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Evidence"]


@frozen(kw_only=True)
class Evidence:
    """What was found out before it is judged.

    Args:
        merchant: The merchant's settings.
        cart: The cart's settings.
        capabilities: What the cart can do.
        now: The present moment.
        snapshot: The reading; None where there is none.
        read_anew: Whether it was read for this diagnosis.
        reading_error: Why the order manager could not be read.
        plan: What the cart would be told; None where that could not be worked out.
        plan_error: Why not.
        without_rules: What it would be told without the rules of quantities.
        reads: The merchant's reads, newest first.
        runs: The cart's runs, newest first.
        has_ledger: Whether there is a ledger that can be looked into.
        ledger_error: Why it cannot.
        quarantined: Rows that the cart refuses and that are left out.
        listing_sku: The listing that was asked about.
    """

    merchant: MerchantSettings
    cart: CartSettings
    capabilities: SinkCapabilities
    now: datetime
    snapshot: InventorySnapshot | None = None
    read_anew: bool = False
    reading_error: OmsyncError | None = None
    plan: SyncPlan | None = None
    plan_error: OmsyncError | None = None
    without_rules: Allocation | None = None
    reads: tuple[RunRecord, ...] = field(default=(), converter=checks.as_tuple)
    runs: tuple[RunRecord, ...] = field(default=(), converter=checks.as_tuple)
    has_ledger: bool = False
    ledger_error: OmsyncError | None = None
    quarantined: int = 0
    listing_sku: str | None = None
