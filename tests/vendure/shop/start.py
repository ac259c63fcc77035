"""Install, start and seed a Vendure shop on loopback; print what is needed to use it as one line of JSON.

    python tests/vendure/shop/start.py          (Ctrl-C ends it)

Needs node and npm, and where no ready-made better-sqlite3 can be downloaded also make and a C++ compiler.
With VENDURE_DRIVER=postgres the shop is kept in a PostgreSQL: that of ``--database``, or one started for it.
The installation is kept under $OMSYNC_SHOPS, or the user's cache folder; the database is new each time.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

import seed

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))  # where it is when this runs as a script of its own

from postgres import cache, running_postgres  # noqa: E402  only found by the line above

PACKAGE = HERE / "package.json"
MINUTES_TO_INSTALL = 10
SECONDS_TO_START = 90


def main() -> None:
    """Run the shop until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the database and the log go; new if not given")
    parser.add_argument("--database", help="the address of an empty PostgreSQL database")
    given = parser.parse_args()
    folder: Path = given.folder or Path(tempfile.mkdtemp(prefix="omsync-shop-"))
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        database: str | None = given.database
        if database is None and os.environ.get("VENDURE_DRIVER") == "postgres":
            database = stack.enter_context(running_postgres(folder)).url
        run_shop(folder, database or str(folder / "shop.sqlite"))


def run_shop(folder: Path, database: str) -> None:
    """Bring the shop up, print its facts, and wait for its end."""
    began = time.monotonic()
    installed = install()
    note(f"installed after {time.monotonic() - began:.0f} s")
    port = free_port()
    server = start(installed, folder, port, database)
    try:
        note(f"started after {time.monotonic() - began:.0f} s")
        facts = seed.seed(f"http://127.0.0.1:{port}")
        note(f"seeded after {time.monotonic() - began:.0f} s")
        print(json.dumps(facts), flush=True)  # noqa: T201  the one line that the caller waits for
        server.wait()
    except KeyboardInterrupt:
        note("ended")
    finally:
        server.kill()
        server.wait()


def note(words: str) -> None:
    """Tell a person how far it is."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201  progress of a script


def fail(words: str) -> NoReturn:
    """End with a reason."""
    note(words)
    raise SystemExit(1)


def tool(name: str) -> str:
    """Give the path of a program that has to be there."""
    found = shutil.which(name)
    if found is None:
        fail(f"The Vendure shop needs {name!r}, which is not on the PATH. Install Node.js 20 with npm.")
    return found


def install() -> Path:
    """Give the folder with the shop's node_modules; install it once for each Node version."""
    node, npm = tool("node"), tool("npm")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    key = hashlib.sha256(PACKAGE.read_bytes() + version.encode()).hexdigest()[:12]
    home = cache() / f"vendure-{key}"
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="building-", dir=home.parent))
    try:
        shutil.copy(PACKAGE, building)
        # No package may run scripts of its own, but for the one that has to be compiled.
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        run([npm, "install", *quiet], building, {})
        run([npm, "rebuild", "better-sqlite3"], building, headers_beside(node))
        if not list(building.glob("node_modules/better-sqlite3/build/Release/better_sqlite3.node")):
            fail("npm rebuilt better-sqlite3 without an error, but made no better_sqlite3.node")
        try:
            building.rename(home)
        except OSError:  # another run was faster
            note(f"{home} is there already")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return home


def headers_beside(node: str) -> dict[str, str]:
    """Compile against the headers that came with this Node, if they did, so that nothing is fetched."""
    root = Path(node).resolve().parent.parent
    return {"npm_config_nodedir": str(root)} if (root / "include/node/node.h").is_file() else {}


def run(command: list[str], folder: Path, more: dict[str, str]) -> None:
    """Run a step of the installation; show the end of its output if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MINUTES_TO_INSTALL * 60,
        check=False,
    )
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-25:])
        missing = [name for name in ("make", "g++") if shutil.which(name) is None]
        hint = f"\nTo compile, these are missing: {', '.join(missing)}." if missing else ""
        fail(f"{' '.join(command[1:])} failed:\n{end}{hint}")


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(installed: Path, folder: Path, port: int, database: str) -> subprocess.Popen[bytes]:
    """Start the server on a database, an SQLite file or a PostgreSQL; wait until it answers."""
    log = folder / "server.log"
    environment = {
        **os.environ,
        "NODE_PATH": str(installed / "node_modules"),
        "SHOP_PORT": str(port),
        "SHOP_DATABASE": database,
        "VENDURE_DISABLE_TELEMETRY": "true",
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            [tool("node"), str(HERE / "server.js")],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    last = time.monotonic() + SECONDS_TO_START
    while b"SHOP READY" not in log.read_bytes():
        if server.poll() is not None or time.monotonic() > last:
            server.kill()
            server.wait()
            fail(f"The Vendure server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.2)  # until it ends too early, or it is time to look again
    return server


if __name__ == "__main__":
    main()
