"""One running django-oscar shop for all tests of this folder."""

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

START = Path(__file__).parent / "shop" / "start.py"


@pytest.fixture(scope="session")
def oscar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Install (once), start and seed the shop; give its address, passwords and ids; end all it started."""
    folder = tmp_path_factory.mktemp("oscar")
    notes = folder / "start.log"
    with notes.open("wb") as log:
        starter = subprocess.Popen(
            [sys.executable, str(START), "--folder", str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert starter.stdout is not None
        line = starter.stdout.readline()
        if not line:
            starter.wait()
            pytest.fail(f"The django-oscar shop could not be started:\n{notes.read_text(errors='replace')}")
        facts: dict[str, Any] = json.loads(line)
        yield facts
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(starter.pid, signal.SIGKILL)
        starter.communicate()
