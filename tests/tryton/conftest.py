"""One running Tryton for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from started import started

START = Path(__file__).parent / "server" / "start.py"


@pytest.fixture(scope="session")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Give the server's address, ids and keys."""
    with started("Tryton", START, tmp_path_factory.mktemp("tryton")) as facts:
        yield facts
