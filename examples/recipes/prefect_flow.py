"""Prefect: a flow with retries. ``python prefect_flow.py`` serves it every hour.

``OMSYNC_SETTINGS`` names the settings file.
"""

from __future__ import annotations

import os

import stock_job
from prefect import flow, task


@task(retries=2, retry_delay_seconds=300)
def sync(settings_file: str) -> dict[str, str]:
    """Sync all carts."""
    return {report.cart: report.status for report in stock_job.run(settings_file)}


@flow(log_prints=True)
def stock_sync(settings_file: str) -> dict[str, str]:
    """Sync all carts and print how each ended."""
    ended = sync(settings_file)
    print(ended)
    return ended


if __name__ == "__main__":
    stock_sync.serve(
        name="hourly", interval=3600, parameters={"settings_file": os.environ["OMSYNC_SETTINGS"]}
    )
