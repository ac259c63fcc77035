"""Whether the process behind an unfinished run still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

__all__ = ["process_is_gone", "this_host"]

CONTAINER = Path("/proc/self/ns/pid")
ASKING_IS_HARMLESS = os.name == "posix"
"""Elsewhere the signal that asks about a process would end it."""


def this_host() -> str:
    """Name the place where process ids mean something to this process.

    That is the host and, on Linux, the container: containers may share the host's name but not its ids.
    """
    try:
        return f"{socket.gethostname()} {CONTAINER.readlink().name}"
    except OSError:
        return socket.gethostname()


def process_is_gone(pid: int) -> bool:
    """Say whether no process here has the id; in doubt, False."""
    if not ASKING_IS_HARMLESS:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # Another user's process may not be asked about, so it lives.
    return False
