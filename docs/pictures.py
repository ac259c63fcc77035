"""Draws what the front page shows, with the code of this build and the sandbox's merchant."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from omsync import (
    CartSettings,
    MerchantSettings,
    PerWarehouse,
    QuantityRules,
    explanation_view,
    plan_cart,
    plan_view,
)
from omsync.sinks.files import CsvCart
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

__all__ = ["draw"]


def draw(folder: Path) -> None:
    """Write the front page's pictures into a folder."""
    folder.mkdir(exist_ok=True)
    sandbox = OrderManagerSandbox(clock=lambda: datetime.now(UTC))
    source = ExtensivOrderManager(token=sandbox.token, handler=sandbox.handle)
    merchant = MerchantSettings(mode=PerWarehouse(disabled={"Amazon FBA US"}))
    cart = CartSettings(name="shop", rules=QuantityRules(percent=90, zero_below=3))
    with tempfile.TemporaryDirectory() as place:
        plan = plan_cart(source, CsvCart(f"{place}/shop.csv"), cart, merchant=merchant)
    pages = {"explanation": explanation_view(plan.explain("GIFT-SET")), "plan": plan_view(plan)}
    for name, view in pages.items():
        # The fragment is what a notebook shows: its style is its own, and it needs no script.
        (folder / f"{name}.html").write_text(view._repr_html_(), encoding="utf-8")
