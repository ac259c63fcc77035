"""Install, start and seed a Medusa shop on loopback; print what is needed to use it as one line of JSON.

    python tests/medusa/shop/start.py          (Ctrl-C ends it)

Needs node and npm, and a PostgreSQL: the one of ``--database``, or else one that it starts itself.
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
import urllib.request
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))  # where it is when this runs as a script of its own

import medusa_seed  # noqa: E402  only found by the line above
from postgres import cache, running_postgres  # noqa: E402  the same

PACKAGE = HERE / "package.json"
MINUTES_TO_INSTALL = 10
SECONDS_TO_START = 300


def main() -> None:
    """Run the shop until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where logs go; new if not given")
    parser.add_argument("--database", help="an empty PostgreSQL database; one is started if not given")
    given = parser.parse_args()
    folder: Path = given.folder or Path(tempfile.mkdtemp(prefix="omsync-shop-"))
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        database = given.database or stack.enter_context(running_postgres(folder)).url
        run_shop(folder, database)


def run_shop(folder: Path, database: str) -> None:
    """Bring the shop up, print its facts, and wait for its end."""
    began = time.monotonic()

    def note_that(what: str) -> None:
        note(f"{what} after {time.monotonic() - began:.0f} s")

    shop = settle(folder, install())
    note_that("installed")
    medusa = Medusa(shop, database, free_port())
    medusa.run("db:migrate", "--execute-safe-links")
    medusa.run("user", "--email", medusa_seed.EMAIL, "--password", medusa_seed.PASSWORD)
    note_that("migrated")
    server = medusa.start(folder / "server.log")
    try:
        note_that("started")
        facts = medusa_seed.seed(medusa.url)
        note_that("seeded")
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
        fail(f"The Medusa shop needs {name!r}, which is not on the PATH. Install Node.js 20 with npm.")
    return found


def install() -> Path:
    """Give the folder with the shop's node_modules; install it once for each Node version."""
    node, npm = tool("node"), tool("npm")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    key = hashlib.sha256(PACKAGE.read_bytes() + version.encode()).hexdigest()[:12]
    home = cache() / f"medusa-{key}"
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="building-", dir=home.parent))
    try:
        shutil.copy(PACKAGE, building)
        # No package may run scripts of its own; none is needed.
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        run([npm, "install", *quiet], building, dict(os.environ), MINUTES_TO_INSTALL * 60)
        try:
            building.rename(home)
        except OSError:  # another run was faster
            note(f"{home} is there already")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return home


def settle(folder: Path, installed: Path) -> Path:
    """Make the folder of the shop itself: its settings, beside the installed packages."""
    shop = folder / "medusa"
    shop.mkdir()
    shutil.copy(PACKAGE, shop)
    shutil.copy(HERE / "medusa-config.js", shop)
    (shop / "node_modules").symlink_to(installed / "node_modules")
    return shop


def run(command: list[str], folder: Path, environment: dict[str, str], seconds: float) -> None:
    """Run a step; show the end of its output if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-25:])
        fail(f"{' '.join(command[1:])} failed:\n{end}")


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Medusa:
    """The medusa program of one shop.

    Args:
        shop: The shop's folder.
        database: The address of its database.
        port: Where it shall listen on loopback.
    """

    def __init__(self, shop: Path, database: str, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._shop = shop
        self._port = port
        self._command = [tool("node"), str(shop / "node_modules" / ".bin" / "medusa")]
        self._environment = {
            **os.environ,
            "DATABASE_URL": database,
            "MEDUSA_DISABLE_TELEMETRY": "true",
            "NODE_ENV": "production",
        }

    def run(self, *words: str) -> None:
        """Run one of its commands to the end."""
        run([*self._command, *words], self._shop, self._environment, SECONDS_TO_START)

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*self._command, "start", "--host", "127.0.0.1", "--port", str(self._port)],
                cwd=self._shop,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        last = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if server.poll() is not None or time.monotonic() > last:
                server.kill()
                server.wait()
                fail(f"The Medusa server did not start:\n{log.read_text(errors='replace')[-3000:]}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=0.2)  # until it ends too early, or it is time to look again
        return server

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


if __name__ == "__main__":
    main()
