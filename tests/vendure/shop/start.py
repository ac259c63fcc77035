"""Install, start and seed a Vendure shop on loopback; print what is needed to use it as one line of JSON.

    python tests/vendure/shop/start.py          (Ctrl-C ends it)

Needs node and npm, and where no ready-made better-sqlite3 can be downloaded also make and a C++ compiler.
With VENDURE_DRIVER=postgres the shop is kept in a PostgreSQL: that of ``--database``, or one started for it.
The installation is kept under $OMSYNC_SHOPS, or the user's cache folder; the database is new each time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import seed

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))  # where it is when this runs as a script of its own

from postgres import running_postgres  # noqa: E402  only found by the line above
from servers import fail, free_port, node_packages, note, run, start, tool  # noqa: E402  likewise

PACKAGE = HERE / "package.json"
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
    server = start_shop(installed, folder, port, database)
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


def install() -> Path:
    """Give the folder with the shop's node_modules; its database driver is compiled."""
    return node_packages("vendure", PACKAGE, compile_driver)


def compile_driver(building: Path, node: str, npm: str) -> None:
    """Compile better-sqlite3, against the headers that came with this Node if they did."""
    root = Path(node).resolve().parent.parent
    headers = {"npm_config_nodedir": str(root)} if (root / "include/node/node.h").is_file() else {}
    run([npm, "rebuild", "better-sqlite3"], building, headers, needs=("make", "g++"))
    if not list(building.glob("node_modules/better-sqlite3/build/Release/better_sqlite3.node")):
        fail("npm rebuilt better-sqlite3 without an error, but made no better_sqlite3.node")


def start_shop(installed: Path, folder: Path, port: int, database: str) -> subprocess.Popen[bytes]:
    """Start the server on a database, an SQLite file or a PostgreSQL; wait until it answers."""
    log = folder / "server.log"
    more = {
        "NODE_PATH": str(installed / "node_modules"),
        "SHOP_PORT": str(port),
        "SHOP_DATABASE": database,
        "VENDURE_DISABLE_TELEMETRY": "true",
    }
    return start(
        "The Vendure server",
        [tool("node"), str(HERE / "server.js")],
        folder,
        log,
        lambda: b"SHOP READY" in log.read_bytes(),
        seconds=SECONDS_TO_START,
        more=more,
    )


if __name__ == "__main__":
    main()
