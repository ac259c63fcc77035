"""One running Vendure shop for all tests of this folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres import running_postgres

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
    """Install (once), start and seed the shop; give its address, ids and keys; end it with all it started."""
    folder = tmp_path_factory.mktemp("shop")
    notes = folder / "start.log"
    with notes.open("wb") as log:
        starter = subprocess.Popen(
            [sys.executable, str(START), "--folder", str(folder), *database],
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert starter.stdout is not None
        line = starter.stdout.readline()
        if not line:
            starter.wait()
            pytest.fail(f"The Vendure shop could not be started:\n{notes.read_text(errors='replace')}")
        facts: dict[str, Any] = json.loads(line)
        yield facts
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(starter.pid, signal.SIGKILL)
        starter.communicate()
