"""Install, start and fill a Tryton on loopback; print what is needed to use it as one line of JSON.

    python tests/tryton/server/start.py          (Ctrl-C ends it)

Everything is installed by pip. The installation, with an empty database, is kept under $OMSYNC_SHOPS, or the
user's cache folder; the database of a run is a copy of it.
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
from typing import NoReturn

HERE = Path(__file__).resolve().parent
PACKAGES = ("trytond==8.2.1", "trytond-stock==8.2.1", "trytond-product-kit==8.2.0")
MODULES = ("stock", "product_kit")
DATABASE = "om"
PASSWORD = "an-admin-of-the-tests"
MINUTES_TO_INSTALL = 10
SECONDS_TO_START = 60


def main() -> None:
    """Run Tryton until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the database and the log go; new if not given")
    folder: Path = parser.parse_args().folder or Path(tempfile.mkdtemp(prefix="omsync-tryton-"))
    began = time.monotonic()
    installed = install()
    note(f"installed after {time.monotonic() - began:.0f} s")
    url = f"http://127.0.0.1:{free_port()}"
    server = start(installed, folder, url)
    try:
        note(f"started after {time.monotonic() - began:.0f} s")
        facts = run([sys.executable, str(HERE / "seed.py"), url, DATABASE, PASSWORD], HERE)
        note(f"filled after {time.monotonic() - began:.0f} s")
        print(json.dumps(json.loads(facts)), flush=True)  # noqa: T201  the one line that the caller waits for
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


def install() -> Path:
    """Give the folder with Tryton and an empty database; make it once for each Python version."""
    wanted = " ".join([sys.version, *PACKAGES, *MODULES])
    home = cache() / f"tryton-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if (home / "ready").is_file():
        return home
    # A virtual environment knows its own path, so it is made where it will stay.
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    run([sys.executable, "-m", "venv", str(home / "venv")], home)
    run([str(home / "venv/bin/pip"), "install", "--quiet", *PACKAGES], home)
    database = home / "empty" / f"{DATABASE}.sqlite"
    database.parent.mkdir()
    database.touch()
    password = home / "password"
    password.write_text(PASSWORD)
    configure(home, database.parent, "127.0.0.1:0")
    admin = [str(home / "venv/bin/trytond-admin"), "-c", "trytond.conf", "-d", DATABASE]
    passing = {"TRYTONPASSFILE": str(password)}
    run([*admin, "--all", "--email", "admin@example.com", "-p"], home, passing)
    run([*admin, "-u", *MODULES, "--activate-dependencies"], home, passing)
    (home / "ready").touch()
    return home


def configure(folder: Path, databases: Path, listen: str) -> None:
    """Write the server's configuration; it wants the absolute path of its databases."""
    text = f"[database]\nuri = sqlite://\npath = {databases.resolve()}\n[web]\nlisten = {listen}\n"
    (folder / "trytond.conf").write_text(text)


def cache() -> Path:
    """Give the folder where installations are kept."""
    chosen = os.environ.get("OMSYNC_SHOPS")
    if chosen:
        return Path(chosen).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "omsync-shops"


def run(command: list[str], folder: Path, more: dict[str, str] | None = None) -> str:
    """Run a step and give its output; show the end of what it says if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MINUTES_TO_INSTALL * 60,
        check=False,
    )
    if done.returncode:
        fail(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(installed: Path, folder: Path, url: str) -> subprocess.Popen[bytes]:
    """Start the server on a copy of the empty database and wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(installed / "empty", folder / "databases")
    configure(folder, folder / "databases", url.removeprefix("http://"))
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(installed / "venv/bin/trytond"), "-c", "trytond.conf", "-d", DATABASE],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    last = time.monotonic() + SECONDS_TO_START
    while not answers(url):
        if server.poll() is not None or time.monotonic() > last:
            server.kill()
            server.wait()
            fail(f"Tryton did not start:\n{log.read_text(errors='replace')[-3000:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.2)  # until it ends too early, or it is time to look again
    return server


def answers(url: str) -> bool:
    """Tell whether the server answers yet."""
    body = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
    request = urllib.request.Request(f"{url}/rpc/", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
