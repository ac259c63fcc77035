"""Airflow: one DAG that syncs every hour. Put this file and ``stock_job.py`` into the DAGs folder.

``OMSYNC_SETTINGS`` names the settings file. A run that fails is retried; a listing that is held is no failure
of the task, and stands in its log and in the ledger.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import stock_job
from airflow.sdk import dag, task


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  Airflow takes it as UTC
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
)
def stock_sync() -> None:
    """Read the order manager and sync all carts."""

    @task
    def sync() -> dict[str, str]:
        reports = stock_job.run(os.environ["OMSYNC_SETTINGS"])
        for report in reports:
            print(f"{report.cart}: {report}")
        failed = [report.cart for report in reports if report.status == "failed"]
        if failed:
            raise RuntimeError(f"Nothing was pushed to {', '.join(failed)}; the ledger says why")
        return {report.cart: report.status for report in reports}

    sync()


the_dag = stock_sync()
