"""Airflow, Celery and Prefect themselves run the recipes of the docs against the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.recipes,
    # The schedulers' own warnings are theirs.
    pytest.mark.filterwarnings("default"),
]
RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
BOTH = {"own-shop": "success", "woo": "success"}


def test_celery_runs_the_task_in_a_worker_and_gives_how_each_cart_ended(settings_file: Path) -> None:
    import celery_tasks
    from celery.contrib.testing.worker import start_worker

    celery_tasks.app.conf.update(broker_url="memory://", result_backend="cache+memory://")
    with start_worker(celery_tasks.app, perform_ping_check=False, pool="solo"):
        ended = celery_tasks.sync.delay(str(settings_file)).get(timeout=60)
    assert ended == BOTH
    assert (settings_file.parent / "woo.csv").exists()


def test_airflow_runs_the_dag_to_success(settings_file: Path, tmp_path: Path) -> None:
    home = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(RECIPES),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }

    def airflow(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words],
            env={**os.environ, **home},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    airflow("db", "migrate")
    airflow("dags", "reserialize")
    told = airflow("dags", "test", "stock_sync")
    assert "state=success" in told, told
    assert (settings_file.parent / "own-shop.csv").exists()


def test_prefect_runs_the_flow(settings_file: Path) -> None:
    import prefect_flow
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        assert prefect_flow.stock_sync(str(settings_file)) == BOTH
