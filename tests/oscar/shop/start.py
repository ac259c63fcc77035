"""Install, start and seed a django-oscar shop on loopback; print what is needed to use it as a line of JSON.

    python tests/oscar/shop/start.py          (Ctrl-C ends it)

Needs nothing but Python. The installation, with a database that is still empty, is kept under $OMSYNC_SHOPS,
or the user's cache folder; the shop's database is a copy of that, new each time.
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
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
SITE = (HERE / "site_settings.py", HERE / "site_urls.py")
MINUTES_TO_INSTALL = 10
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
        run([str(python(home)), str(HERE / "seed.py")], database).splitlines()[-1]
    )
    note(f"seeded after {time.monotonic() - began:.0f} s")
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for name, blocked in (("url", "no"), ("blocked_url", "yes")):
            port = free_port()
            servers.append(start(home, database, port, blocked, folder / f"{name}.log"))
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


def note(words: str) -> None:
    """Tell a person how far it is."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201  progress of a script


def fail(words: str) -> NoReturn:
    """End with a reason."""
    note(words)
    raise SystemExit(1)


def install() -> Path:
    """Give the folder with the shop's own Python and an empty database; made once for each Python version."""
    parts = [sys.version.encode(), REQUIREMENTS.read_bytes(), *(path.read_bytes() for path in SITE)]
    home = cache() / f"oscar-{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"
    if (home / "empty.sqlite3").is_file():
        return home
    shutil.rmtree(home, ignore_errors=True)
    # A virtual environment cannot be moved, so it is made in its place; its last file is the database.
    note(f"installing into {home}, once; this takes a minute")
    run([sys.executable, "-m", "venv", str(home)])
    quiet = ["--quiet", "--disable-pip-version-check"]
    run([str(python(home)), "-m", "pip", "install", *quiet, "-r", str(REQUIREMENTS)])
    building = home / "building.sqlite3"
    run([str(python(home)), "-m", "django", "migrate", "-v", "0"], building)
    building.rename(home / "empty.sqlite3")
    return home


def cache() -> Path:
    """Give the folder where installations are kept."""
    chosen = os.environ.get("OMSYNC_SHOPS")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "omsync-shops"


def python(home: Path) -> Path:
    """Give the shop's own Python."""
    return home / "bin" / "python"


def environment(database: Path, blocked: str = "no") -> dict[str, str]:
    """Give the variables by which Django finds the site and its database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "SHOP_DATABASE": str(database),
        "SHOP_BLOCKS_ADMIN_API": blocked,
    }


def run(command: list[str], database: Path | None = None) -> str:
    """Run a step; give what it prints, or show the end of that if it fails."""
    done = subprocess.run(
        command,
        env=None if database is None else environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MINUTES_TO_INSTALL * 60,
        check=False,
    )
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-25:])
        fail(f"{' '.join(command[1:])} failed:\n{end}")
    return done.stdout


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, database: Path, port: int, blocked: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    command = [str(python(home)), "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=database.parent,
            env=environment(database, blocked),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    last = time.monotonic() + SECONDS_TO_START
    while not answers(port):
        if server.poll() is not None or time.monotonic() > last:
            server.kill()
            server.wait()
            fail(f"The django-oscar server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.2)  # until it ends too early, or it is time to look again
    return server


def answers(port: int) -> bool:
    """Tell whether the shop answers by now."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/", timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
