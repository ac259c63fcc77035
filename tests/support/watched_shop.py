"""A shop that is synced from readings of the moment, with a ledger file that persons look into."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
from fake_ports import FakeCart, FakeClock, FakeSource, stock

from omsync import CartSettings, MerchantSettings, PerWarehouse, SyncReport, read_inventory, sync_cart
from omsync.ledgers.sqlite import SqliteLedger

__all__ = ["MERCHANT", "SHOP", "ChangingCart", "WatchedShop"]

MERCHANT = MerchantSettings(name="acme", mode=PerWarehouse())
SHOP = CartSettings(name="shop", order_lag=0)


class ChangingCart(FakeCart):
    """A cart whose script may change between runs."""

    def __init__(self, figures: Mapping[str, int] | None = None, **given: Any) -> None:
        super().__init__(None, **given)
        for sku, figure in (figures or {}).items():
            self.put(sku, figure)

    def says(self, sku: str, how: str) -> None:
        """Let this become of a listing's rows from now on."""
        self._rows[sku] = how

    def breaks(self, error: BaseException | None) -> None:
        """Let every read raise from now on; None mends it."""
        self.read_errors = [] if error is None else [error] * 1000


@attrs.define(kw_only=True)
class WatchedShop:
    """One cart of the merchant acme, synced whenever a test says so."""

    folder: Path
    cart: ChangingCart = attrs.field(factory=ChangingCart)
    settings: CartSettings = SHOP
    merchant: MerchantSettings = MERCHANT
    clock: FakeClock = attrs.field(factory=FakeClock)
    ledger: SqliteLedger = attrs.field()

    @ledger.default
    def _new_ledger(self) -> SqliteLedger:
        return SqliteLedger(self.folder / "ledger.db", now=self.clock.now)

    @property
    def now(self) -> datetime:
        """What the clock says."""
        return self.clock.now()

    def wait(self, **span: float) -> datetime:
        """Let time go by."""
        self.clock.pass_by(timedelta(**span).total_seconds())
        return self.now

    def sync(self, figures: Mapping[str, int], sink: Any = None) -> SyncReport:
        """Sync from a reading of now."""
        reading = attrs.evolve(stock(figures), taken_at=self.now)
        return sync_cart(
            reading,
            sink or self.cart,
            self.settings,
            merchant=self.merchant,
            ledger=self.ledger,
            clock=self.clock,
        )

    def read(self, answer: BaseException | None = None) -> None:
        """Read the order manager, which may raise."""
        source = FakeSource(answer or attrs.evolve(stock({"MUG": 5}), taken_at=self.now))
        read_inventory(source, self.merchant, ledger=self.ledger, clock=self.clock)
