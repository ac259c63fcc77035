"""What scripts that install and start real servers share: the cache folder, steps, ports, and waiting."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NoReturn

__all__ = [
    "answers",
    "cache",
    "fail",
    "free_port",
    "node_packages",
    "note",
    "run",
    "start",
    "tool",
]

MINUTES_TO_INSTALL = 10
QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
"""No package may run scripts of its own."""


def note(words: str) -> None:
    """Tell a person how far it is."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201  progress of a script


def fail(words: str) -> NoReturn:
    """End with a reason."""
    note(words)
    raise SystemExit(1)


def cache() -> Path:
    """Give the folder where installations are kept."""
    chosen = os.environ.get("OMSYNC_SHOPS")
    if chosen:
        return Path(chosen).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "omsync-shops"


def tool(name: str) -> str:
    """Give the path of a program that has to be there."""
    found = shutil.which(name)
    if found is None:
        fail(f"This needs {name!r}, which is not on the PATH. Install Node.js 20 with npm.")
    return found


def run(
    command: Iterable[str],
    folder: Path,
    more: Mapping[str, str] | None = None,
    *,
    seconds: float = MINUTES_TO_INSTALL * 60,
    needs: Iterable[str] = (),
) -> str:
    """Run a step and give its output; show the end of what it says if it fails.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        more: Environment variables besides those of this process.
        seconds: How long it may take.
        needs: Programs whose absence would explain a failure.
    """
    command = list(command)
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        missing = [name for name in needs if shutil.which(name) is None]
        hint = f"\nThese are missing: {', '.join(missing)}." if missing else ""
        fail(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}{hint}")
    return done.stdout


def node_packages(
    name: str, package: Path, finish: Callable[[Path, str, str], None] = lambda *_: None
) -> Path:
    """Give the folder with the node_modules of a package.json; install it once for each Node version.

    Args:
        name: Begins the folder's name.
        package: The package.json.
        finish: What is left to do after npm, given the folder and the paths of node and npm.
    """
    node, npm = tool("node"), tool("npm")
    version = run([node, "--version"], package.parent).strip()
    key = hashlib.sha256(package.read_bytes() + version.encode()).hexdigest()[:12]
    home = cache() / f"{name}-{key}"
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="building-", dir=home.parent))
    try:
        shutil.copy(package, building)
        run([npm, "install", *QUIET], building)
        finish(building, node, npm)
        try:
            building.rename(home)
        except OSError:  # another run was faster
            note(f"{home} is there already")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return home


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    what: str,
    command: Iterable[str],
    folder: Path,
    log: Path,
    ready: Callable[[], bool],
    *,
    seconds: float,
    more: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server and wait until it is ready; show the end of its log if it is not in time."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            list(command),
            cwd=folder,
            env={**os.environ, **(more or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    last = time.monotonic() + seconds
    while not ready():
        if server.poll() is not None or time.monotonic() > last:
            server.kill()
            server.wait()
            fail(f"{what} did not start:\n{log.read_text(errors='replace')[-3000:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.2)  # until it ends too early, or it is time to look again
    return server


def answers(request: str | urllib.request.Request, *, any_status: bool = False) -> bool:
    """Tell whether a server answers 200 by now, or anything at all."""
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return any_status
    except OSError:
        return False
