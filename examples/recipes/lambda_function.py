"""AWS Lambda: a handler for an EventBridge rule of every hour.

A function has no disk that lasts, so the ledger is a PostgreSQL: ``OMSYNC_LEDGER`` is its address. The
function's time is limited; what does not fit is sent by the next run.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from omsync import load_settings, sync_carts
from omsync.ledgers.sql import SqlLedger
from omsync.sinks.files import JsonlCart
from omsync.sources.extensiv import ExtensivOrderManager


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Sync all carts before the function's time is over."""
    settings = load_settings(os.environ["OMSYNC_SETTINGS"])
    source = ExtensivOrderManager(**settings.resolve(settings.source, os.environ))
    # Yours: Shopify(...), WooCommerce(...); /tmp is all that a function may write to.
    folder = event.get("folder", "/tmp")  # noqa: S108  a function's own, of one user
    carts = [(JsonlCart(f"{folder}/{one.settings.name}.jsonl"), one.settings) for one in settings.carts]
    left = timedelta(milliseconds=context.get_remaining_time_in_millis()) - timedelta(seconds=20)
    with SqlLedger(os.environ["OMSYNC_LEDGER"]) as ledger:
        reports = sync_carts(source, carts, merchant=settings.merchant, ledger=ledger, deadline=left)
    return {report.cart: report.status for report in reports}
