"""Install, start and seed a Medusa shop on loopback; print what is needed to use it as one line of JSON.

    python tests/medusa/shop/start.py          (Ctrl-C ends it)

Needs node and npm, and a PostgreSQL: the one of ``--database``, or else one that it starts itself.
The installation is kept under $OMSYNC_SHOPS, or the user's cache folder; the database is new each time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))  # where it is when this runs as a script of its own

import medusa_seed  # noqa: E402  only found by the line above
from postgres import running_postgres  # noqa: E402  the same
from servers import answers, free_port, node_packages, note, run, start, tool  # noqa: E402  the same

PACKAGE = HERE / "package.json"
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

    shop = settle(folder, node_packages("medusa", PACKAGE))
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


def settle(folder: Path, installed: Path) -> Path:
    """Make the folder of the shop itself: its settings, beside the installed packages."""
    shop = folder / "medusa"
    shop.mkdir()
    shutil.copy(PACKAGE, shop)
    shutil.copy(HERE / "medusa-config.js", shop)
    (shop / "node_modules").symlink_to(installed / "node_modules")
    return shop


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
        self._more = {
            "DATABASE_URL": database,
            "MEDUSA_DISABLE_TELEMETRY": "true",
            "NODE_ENV": "production",
        }

    def run(self, *words: str) -> None:
        """Run one of its commands to the end."""
        run([*self._command, *words], self._shop, self._more, seconds=SECONDS_TO_START)

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        return start(
            "The Medusa server",
            [*self._command, "start", "--host", "127.0.0.1", "--port", str(self._port)],
            self._shop,
            log,
            lambda: answers(f"{self.url}/health"),
            seconds=SECONDS_TO_START,
            more=self._more,
        )


if __name__ == "__main__":
    main()
