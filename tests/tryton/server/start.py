"""Install, start and fill a Tryton on loopback; print what is needed to use it as one line of JSON.

    python tests/tryton/server/start.py          (Ctrl-C ends it)

Everything is installed by pip. The installation, with an empty database, is kept under $OMSYNC_SHOPS, or the
user's cache folder; the database of a run is a copy of it.
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
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))  # where it is when this runs as a script of its own

from servers import answers, cache, free_port, note, run, start  # noqa: E402  only found by the line above

PACKAGES = ("trytond==8.2.1", "trytond-stock==8.2.1", "trytond-product-kit==8.2.0")
MODULES = ("stock", "product_kit")
DATABASE = "om"
PASSWORD = "an-admin-of-the-tests"
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
    server = start_server(installed, folder, url)
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


def start_server(installed: Path, folder: Path, url: str) -> subprocess.Popen[bytes]:
    """Start the server on a copy of the empty database and wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(installed / "empty", folder / "databases")
    configure(folder, folder / "databases", url.removeprefix("http://"))
    body = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
    asked = urllib.request.Request(f"{url}/rpc/", body, {"content-type": "application/json"})
    return start(
        "Tryton",
        [str(installed / "venv/bin/trytond"), "-c", "trytond.conf", "-d", DATABASE],
        folder,
        folder / "server.log",
        lambda: answers(asked, any_status=True),
        seconds=SECONDS_TO_START,
    )


if __name__ == "__main__":
    main()
