"""Vendors' own schemas, fetched once into the cache folder; nothing of them enters the repository."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from servers import cache

Fetch = Callable[[str, str, str], Path]
MINUTES_TO_FETCH = 10


@pytest.fixture(scope="session")
def npm_package() -> Fetch:
    """Give a function that fetches an npm package and gives the folder with its files.

    It takes the package's name, its exact version, and its checksum as ``npm view ... dist.integrity`` shows
    it. Nothing of the package is ever run.
    """
    return fetch


def fetch(name: str, version: str, integrity: str) -> Path:
    """Fetch a package unless it is there already."""
    home = cache() / f"npm-{name.strip('@').replace('/', '-')}-{version}"
    if home.is_dir():
        return home
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("Vendors' schemas come with npm packages: install Node.js with npm.")
    home.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="building-", dir=home.parent))
    try:
        done = subprocess.run(
            [npm, "pack", f"{name}@{version}", "--ignore-scripts", "--silent"],
            cwd=building,
            capture_output=True,
            text=True,
            timeout=MINUTES_TO_FETCH * 60,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"npm could not fetch {name}@{version}:\n{done.stdout}{done.stderr}")
        (archive,) = building.glob("*.tgz")
        kind, wanted = integrity.split("-", 1)
        found = base64.b64encode(hashlib.new(kind, archive.read_bytes()).digest()).decode()
        if found != wanted:
            pytest.fail(f"{name}@{version} has the checksum {kind}-{found}, not {integrity}")
        with tarfile.open(archive) as packed:
            packed.extractall(building, filter="data")
        try:
            (building / "package").rename(home)
        except OSError:  # another run was faster
            assert home.is_dir()
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return home
