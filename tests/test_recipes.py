"""The recipes that need no scheduler: the job itself, and the handler of a function without a disk."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from omsync.testing import OrderManagerSandbox

RECIPES = Path(__file__).parents[1] / "examples" / "recipes"


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a way to import a recipe, which is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(RECIPES))
    yield import_module
    for name in ("stock_job", "lambda_function"):
        sys.modules.pop(name, None)


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    sandbox = OrderManagerSandbox(clock=lambda: datetime.now(UTC))
    with sandbox.serve() as server:
        place = tmp_path / "omsync.toml"
        text = (RECIPES / "omsync.toml").read_text()
        place.write_text(
            text.replace("[merchant.source]", f'[merchant.source]\nbase_url = "{server.base_url}"')
        )
        monkeypatch.setenv("OMSYNC_SETTINGS", str(place))
        monkeypatch.setenv("ORDER_MANAGER_TOKEN", sandbox.token)
        yield place


def test_the_job_syncs_all_carts_and_ends_well(
    recipe: Any, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = recipe("stock_job")
    assert job.main([str(settings_file)]) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("own-shop: ")
    assert (settings_file.parent / "omsync.db").exists(), second


def test_the_job_ends_with_1_when_the_order_manager_refuses(
    recipe: Any, settings_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDER_MANAGER_TOKEN", "expired")
    assert recipe("stock_job").main([str(settings_file)]) == 1
    assert "does not accept the token" in capsys.readouterr().err


def test_a_function_without_a_disk_keeps_its_ledger_in_a_database(
    recipe: Any, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 300_000

    monkeypatch.setenv("OMSYNC_LEDGER", f"sqlite:///{settings_file.parent / 'ledger.db'}")
    ended = recipe("lambda_function").handler({"folder": str(settings_file.parent)}, Context())
    assert ended == {"own-shop": "success", "woo": "success"}
