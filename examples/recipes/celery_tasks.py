"""Celery: a task that beat calls every hour. Start it with ``celery -A celery_tasks worker --beat``.

``CELERY_BROKER`` is the broker's address, ``OMSYNC_SETTINGS`` names the settings file. A task that is queued
twice does no harm: leases let one run at a time work on a cart.
"""

from __future__ import annotations

import os

import stock_job
from celery import Celery

from omsync.errors import TransientError

app = Celery("stock", broker=os.environ.get("CELERY_BROKER", "memory://"))
app.conf.beat_schedule = {"stock every hour": {"task": "stock.sync", "schedule": 3600.0}}


@app.task(name="stock.sync", autoretry_for=(TransientError,), retry_backoff=60, max_retries=5)
def sync(settings_file: str | None = None) -> dict[str, str]:
    """Sync all carts; what may work later is tried again."""
    reports = stock_job.run(settings_file or os.environ["OMSYNC_SETTINGS"])
    return {report.cart: report.status for report in reports}
