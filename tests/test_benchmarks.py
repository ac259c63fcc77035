"""The benchmarks still run: the figures are for people, that the carts end up right is checked by them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PUSHING = BENCHMARKS / "pushing.py"


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def pushing(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(PUSHING.name, *arguments)


def test_the_engine_and_whatever_rivals_are_installed_give_the_same_quantities() -> None:
    # It ends with an error when two of them disagree.
    done = run("engine.py", "--job", "1k", "--again", "1k", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    variants = [line.split(" | ")[0].strip("| ") for line in done.stdout.splitlines() if "| omsync" in line]
    assert variants == ["omsync, reference engine", "omsync, standard library", "omsync[fast], numpy"]
    assert "Outputs agree" in done.stdout


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


def test_thirty_carts_of_one_account_are_refused_no_call() -> None:
    command = [sys.executable, str(PUSHING.with_name("carts_at_once.py")), "--rows", "3"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [(row[0], row[-1]) for row in rows] == [("1", "0"), ("8", "0"), ("30", "0")]


def test_decoding_finds_the_same_units_in_every_way() -> None:
    command = [sys.executable, str(BENCHMARKS / "decoding.py"), "--records", "1000", "--rounds", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [row[0] for row in rows] == ["totals", "stock rows", "totals, only what is read"]
