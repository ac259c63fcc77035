"""Real servers for tests: a script starts one and tells its facts, and is ended with all it started."""

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

__all__ = ["started"]


@contextlib.contextmanager
def started(what: str, script: Path, folder: Path, *arguments: str) -> Iterator[dict[str, Any]]:
    """Run a script that installs (once), starts and fills a server; give what it prints as JSON.

    Args:
        what: The server's name, for a person.
        script: The script; it takes ``--folder``.
        folder: Where data and logs go.
        arguments: More for the script.
    """
    notes = folder / "start.log"
    with notes.open("wb") as log:
        starter = subprocess.Popen(
            [sys.executable, str(script), "--folder", str(folder), *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert starter.stdout is not None
        line = starter.stdout.readline()
        if not line:
            starter.wait()
            pytest.fail(f"{what} could not be started:\n{notes.read_text(errors='replace')}")
        facts: dict[str, Any] = json.loads(line)
        yield facts
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(starter.pid, signal.SIGKILL)
        starter.communicate()
