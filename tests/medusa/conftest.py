"""One running Medusa shop, with a PostgreSQL of its own, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres import Postgres, running_postgres
from started import started

START = Path(__file__).parent / "shop" / "start.py"


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Start a PostgreSQL; end it and forget its data."""
    with running_postgres(tmp_path_factory.mktemp("database")) as server:
        yield server


@pytest.fixture(scope="session")
def shop(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Give the shop's address, ids and keys."""
    folder = tmp_path_factory.mktemp("shop")
    with started("The Medusa shop", START, folder, "--database", database.url) as facts:
        yield facts
