"""One running django-oscar shop for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from started import started

START = Path(__file__).parent / "shop" / "start.py"


@pytest.fixture(scope="session")
def oscar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Give the shop's address, passwords and ids."""
    with started("The django-oscar shop", START, tmp_path_factory.mktemp("oscar")) as facts:
        yield facts
