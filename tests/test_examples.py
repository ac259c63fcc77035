"""The examples that need nothing but omsync, run as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path, **environment: str) -> str:
    """Run an example in a folder of its own and give what it prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_sync_tells_the_cart_and_the_second_finds_nothing_to_do(tmp_path: Path) -> None:
    told = run("first_sync.py", tmp_path)
    assert "GIFT-SET" in told
    assert "applied" in told


def test_one_merchant_in_trouble_stops_none_of_the_others(tmp_path: Path) -> None:
    told = run("many_merchants.py", tmp_path).splitlines()
    synced, overview = told[: told.index("")], told[told.index("") + 1 :]
    assert [line.split(":")[0] for line in synced] == [
        *("acorn", "acorn", "birch", "birch", "cedar", "What to do"),
        *("damson", "damson", "elder", "elder"),
    ]
    (trouble,) = (line for line in synced if line.startswith("cedar:"))
    assert "token" in trouble
    assert "5 merchants, 15 rows, 3 to look at" in overview[0]
    # The failed reading first, then the two carts that never ran for it, then all that is well.
    assert [line.split()[:2] for line in overview[2:5]] == [
        ["failed", "cedar"],
        ["never", "cedar"],
        ["never", "cedar"],
    ]
