"""Install, start and seed a django-oscar shop on loopback; print what is needed to use it as a line of JSON.

    python tests/oscar/shop/start.py          (Ctrl-C ends it)

Needs nothing but Python. The installation, with a database that is still empty, is kept under $OMSYNC_SHOPS,
or the user's cache folder; the shop's database is a copy of that, new each time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))  # where it is when this runs as a script of its own

from servers import answers, cache, free_port, note, run, start  # noqa: E402  only found by the line above

REQUIREMENTS = HERE / "requirements.txt"
SITE = (HERE / "site_settings.py", HERE / "site_urls.py")
SECONDS_TO_START = 60


def main() -> None:
    """Run the shop until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the database and the log go; new if not given")
    folder: Path = parser.parse_args().folder or Path(tempfile.mkdtemp(prefix="omsync-shop-"))
    began = time.monotonic()
    home = install()
    note(f"installed after {time.monotonic() - began:.0f} s")
    folder.mkdir(parents=True, exist_ok=True)
    database = Path(shutil.copy(home / "empty.sqlite3", folder / "shop.sqlite3"))
    facts: dict[str, Any] = json.loads(
        run([str(python(home)), str(HERE / "seed.py")], folder, environment(database)).splitlines()[-1]
    )
    note(f"seeded after {time.monotonic() - began:.0f} s")
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for name, blocked in (("url", "no"), ("blocked_url", "yes")):
            port = free_port()
            servers.append(start_shop(home, database, port, blocked, folder / f"{name}.log"))
            facts[name] = f"http://127.0.0.1:{port}/api"
        note(f"started after {time.monotonic() - began:.0f} s")
        print(json.dumps({**facts, "database": str(database)}), flush=True)  # noqa: T201  the caller waits for it
        servers[0].wait()
    except KeyboardInterrupt:
        note("ended")
    finally:
        for server in servers:
            server.kill()
            server.wait()


def install() -> Path:
    """Give the folder with the shop's own Python and an empty database; made once for each Python version."""
    parts = [sys.version.encode(), REQUIREMENTS.read_bytes(), *(path.read_bytes() for path in SITE)]
    home = cache() / f"oscar-{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"
    if (home / "empty.sqlite3").is_file():
        return home
    shutil.rmtree(home, ignore_errors=True)
    # A virtual environment cannot be moved, so it is made in its place; its last file is the database.
    note(f"installing into {home}, once; this takes a minute")
    home.parent.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-m", "venv", str(home)], home.parent)
    quiet = ["--quiet", "--disable-pip-version-check"]
    run([str(python(home)), "-m", "pip", "install", *quiet, "-r", str(REQUIREMENTS)], home)
    building = home / "building.sqlite3"
    run([str(python(home)), "-m", "django", "migrate", "-v", "0"], home, environment(building))
    building.rename(home / "empty.sqlite3")
    return home


def python(home: Path) -> Path:
    """Give the shop's own Python."""
    return home / "bin" / "python"


def environment(database: Path, blocked: str = "no") -> dict[str, str]:
    """Give the variables by which Django finds the site and its database."""
    return {
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "SHOP_DATABASE": str(database),
        "SHOP_BLOCKS_ADMIN_API": blocked,
    }


def start_shop(home: Path, database: Path, port: int, blocked: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    return start(
        "The django-oscar server",
        [str(python(home)), "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"],
        database.parent,
        log,
        lambda: answers(f"http://127.0.0.1:{port}/api/", any_status=True),
        seconds=SECONDS_TO_START,
        more=environment(database, blocked),
    )


if __name__ == "__main__":
    main()
