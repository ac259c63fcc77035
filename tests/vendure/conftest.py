"""One running Vendure shop for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres import running_postgres
from started import started

START = Path(__file__).parent / "shop" / "start.py"


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Say where the shop is kept: in an SQLite file, or with VENDURE_DRIVER=postgres in a PostgreSQL."""
    if os.environ.get("VENDURE_DRIVER") != "postgres":
        yield []
        return
    with running_postgres(tmp_path_factory.mktemp("database")) as server:
        yield ["--database", server.url]


@pytest.fixture(scope="session")
def shop(database: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Give the shop's address, ids and keys."""
    with started("The Vendure shop", START, tmp_path_factory.mktemp("shop"), *database) as facts:
        yield facts
