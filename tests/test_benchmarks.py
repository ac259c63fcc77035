"""The benchmarks still run: the figures are for people, that the carts end up right is checked by them."""

from __future__ import annotations

import importlib.util
import json
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
    shares = [line.split(" | ")[0].strip("| ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [one for one in shares if "%" in one] == [
        *("0.01%", "0.10%", "0.30%", "1.00%", "3.00%", "10.00%", "30.00%"),
    ]


def test_what_the_engine_needs_of_memory_is_told_for_a_product() -> None:
    done = run("_engine_worker.py", "memory", "300", "2", "5", "0")
    assert done.returncode == 0, done.stderr
    quantities, told = json.loads(done.stdout)
    assert quantities == 5 * 0.8
    assert told >= 0


def test_the_lake_is_worked_out_as_duckdb_does_or_what_it_needs_is_named() -> None:
    done = run("lake.py", "--rows", "2000")
    missing = [name for name in ("duckdb", "numpy", "pyarrow") if importlib.util.find_spec(name) is None]
    if missing:
        assert done.returncode == 1
        assert done.stderr.strip() == f"Needs {', '.join(missing)}: pip install --group benchmarks"
    else:
        assert done.returncode == 0, done.stderr
        assert "which agree" in done.stdout


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


def test_whole_syncs_bring_the_carts_to_what_was_planned_and_one_that_compares_hides_its_reading() -> None:
    done = run("overlap.py", "--listings", "60", "--source-calls", "20")
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [(row[1], row[-1]) for row in rows] == [("19.0", "0")] * 4
    # In virtual time: the shop is read within the 19 seconds, and Amazon after them.
    assert [row[5] == "19.0" for row in rows] == [True, True, True, False]
    # A shop in which everything changes is read twice, and Amazon once.
    assert [float(row[3]) > 90 for row in rows] == [False, True, False, False]
    assert rows[-1][3] == "0.0"


def test_decoding_finds_the_same_units_in_every_way() -> None:
    command = [sys.executable, str(BENCHMARKS / "decoding.py"), "--records", "1000", "--rounds", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [row[0] for row in rows] == ["totals", "stock rows", "totals, only what is read"]


def test_what_a_request_costs_is_told_for_every_way_and_each_answer_is_the_right_one() -> None:
    # It ends with an error when an answer does not hold the rows that were sent.
    done = run("requests.py", "--requests", "16", "--rounds", "1", "--rows", "2")
    assert done.returncode == 0, done.stderr
    (row,) = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert row[0] == "2"
    assert len(row) == 7


def test_what_a_listing_costs_is_told_for_every_case_and_the_cart_ends_up_right() -> None:
    # It ends with an error when the cart does not show what was planned.
    done = run("listings.py", "--products", "300", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [tuple(row[:2]) for row in rows] == [
        ("nothing to change", "no ledger"),
        ("1 % to change", "no ledger"),
        ("nothing to change", "SQLite"),
        ("1 % to change", "SQLite"),
    ]
    assert {len(row) for row in rows} == {9}
