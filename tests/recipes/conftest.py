"""The recipes for schedulers, beside the sandbox: each finds its settings as a user's would."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omsync.testing import OrderManagerSandbox

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
sys.path.insert(0, str(RECIPES))


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve the sandbox and give the recipes' own settings file, with the sandbox's address in it."""
    sandbox = OrderManagerSandbox(clock=lambda: datetime.now(UTC))
    with sandbox.serve() as server:
        text = (RECIPES / "omsync.toml").read_text()
        place = tmp_path / "omsync.toml"
        place.write_text(
            text.replace("[merchant.source]", f'[merchant.source]\nbase_url = "{server.base_url}"')
        )
        monkeypatch.setenv("OMSYNC_SETTINGS", str(place))
        monkeypatch.setenv("ORDER_MANAGER_TOKEN", sandbox.token)
        yield place
