"""The benchmarks still run: the figures are for people, that the carts end up right is checked by them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PUSHING = Path(__file__).parents[1] / "benchmarks" / "pushing.py"


def pushing(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PUSHING), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_pushing_brings_every_cart_to_what_was_planned_without_being_throttled() -> None:
    done = pushing("--rows", "50")
    assert done.returncode == 0, done.stderr
    head, _, *rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    assert len(rows) >= 15
    throttled = {row[0]: row[head.index("throttled")] for row in rows}
    assert set(throttled.values()) == {"0"}, throttled


def test_one_cart_can_be_asked_for_and_limits_alone_say_how_long_it_takes() -> None:
    done = pushing("--rows", "55", "--cart", "Amazon, one by one")
    assert done.returncode == 0, done.stderr
    (row,) = done.stdout.splitlines()[4:]
    # Five at once, then five a second.
    assert row.startswith("| Amazon, one by one | 1 | 55 / 55 | 10 | ")
