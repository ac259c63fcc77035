"""Whether the process behind an unfinished run still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from attrs import evolve

from omsync.exchange import RunRecord

__all__ = ["as_it_stands", "process_is_gone", "this_host"]

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


def as_it_stands(run: RunRecord, *, pid: int, host: str, is_silent: bool) -> RunRecord:
    """Give a run with the status that it has now: one under way may have died.

    Args:
        run: The run as it was noted.
        pid: Its process.
        host: What ``this_host`` gave there.
        is_silent: Whether it gave no sign of life for too long.
    """
    if run.status != "in_progress" or run.last_seen_at is None:
        return run
    if host == this_host() and process_is_gone(pid):
        return evolve(run, status="died", message=f"its process {pid} is gone")
    if is_silent:
        return evolve(
            run, status="died", message=f"no sign of life since {run.last_seen_at:%Y-%m-%d %H:%M:%S}Z"
        )
    return run
