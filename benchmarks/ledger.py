"""Times what the file knows of a cart's listings against a row for each of them, and against bare files.

    python benchmarks/ledger.py [--listings 1000000] [--rounds 5]

A ledger is filled by a first run, and by a second one that changes a tenth in batches, each at a time of its
own. Beside it stands a table with a row for each listing, as omsync kept it before. Every variant works in a
fresh process each round, on a copy of its file; ratios are formed within a round, medians are shown, and all
must find the same figures. CPU time counts, that of the system included. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from omsync.exchange import ListingState, RunRecord
from omsync.ledgers.sqlite import SqliteLedger

BATCH, BATCHES = 250, 40
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WHOSE = ("acme", "shop")
FIGURES = ("desired", "sent", "accepted", "observed")
LASTING = ("desired", "observed")
NAMES = (
    *("listing_sku", "location_id"),
    *(f"{figure}{part}" for figure in FIGURES for part in ("", "_at", "_run")),
    *(f"{figure}_since" for figure in LASTING),
)
TABLE = (
    f"CREATE TABLE listings (merchant TEXT NOT NULL, cart TEXT NOT NULL, {', '.join(NAMES)}, "
    "PRIMARY KEY (merchant, cart, listing_sku, location_id)) WITHOUT ROWID"
)
MERGED = [
    f"{name} = coalesce(excluded.{name}, {name}), "
    f"{name}_at = CASE WHEN excluded.{name} IS NULL THEN {name}_at ELSE excluded.{name}_at END, "
    f"{name}_run = CASE WHEN excluded.{name} IS NULL THEN {name}_run ELSE excluded.{name}_run END"
    for name in FIGURES
] + [
    f"{name}_since = CASE WHEN excluded.{name} IS NULL THEN {name}_since "
    f"WHEN excluded.{name} IS {name} THEN coalesce({name}_since, excluded.{name}_at) "
    f"ELSE excluded.{name}_at END"
    for name in LASTING
]
UPSERT = (
    f"INSERT INTO listings VALUES ({', '.join('?' * (len(NAMES) + 2))}) "  # noqa: S608  names from above
    f"ON CONFLICT (merchant, cart, listing_sku, location_id) DO UPDATE SET {', '.join(MERGED)}"
)
ROWS = (
    f"SELECT {', '.join(NAMES)} FROM listings WHERE merchant = ? AND cart = ? "  # noqa: S608  names from above
    "ORDER BY listing_sku, location_id"
)


def state(number: int, units: int, at: datetime, run: str) -> ListingState:
    """Make what is known of a listing after a push."""
    known: dict[str, Any] = {}
    for name in FIGURES:
        known |= {name: units, f"{name}_at": at, f"{name}_run": run}
    return ListingState(listing_sku=f"SKU-{number:08d}", **known)


def text(at: datetime | None) -> str | None:
    """Write a time as the table has it."""
    return None if at is None else at.isoformat(timespec="microseconds")


def row(one: ListingState) -> tuple[Any, ...]:
    """Write a state as the table has it."""
    figures: list[Any] = []
    for name in FIGURES:
        figures += [getattr(one, name), text(getattr(one, f"{name}_at")), getattr(one, f"{name}_run")]
    return (
        *WHOSE,
        one.listing_sku,
        one.location_id or "",
        *figures,
        text(one.desired_at),
        text(one.observed_at),
    )


def of_row(kept: Iterable[Any]) -> ListingState:
    """Read a state from the table."""
    known = dict(zip(NAMES, kept, strict=True))
    for name in NAMES:
        if name.endswith(("_at", "_since")) and known[name] is not None:
            known[name] = datetime.fromisoformat(known[name])
    known["location_id"] = known["location_id"] or None
    return ListingState(**known)


def table_in(path: Path) -> sqlite3.Connection:
    """Open the table's file, which waits for the disk as the ledger does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def upsert(table: sqlite3.Connection, states: Iterable[ListingState]) -> None:
    """Merge states into their rows, in one transaction."""
    rows = [row(one) for one in states]
    table.execute("BEGIN IMMEDIATE")
    table.executemany(UPSERT, rows)
    table.execute("COMMIT")


def batches(listings: int, seed: int, count: int) -> Iterable[list[ListingState]]:
    """Draw batches of listings that changed, each with a time of its own."""
    draw = random.Random(seed)
    for number in range(count):
        at = NOON + timedelta(hours=seed, seconds=number)
        some = sorted(draw.sample(range(listings), min(BATCH, listings)))
        yield [state(one, draw.randrange(200), at, f"run {seed}") for one in some]


def fill(folder: Path, listings: int) -> dict[str, float]:
    """Fill both forms with the same; give CPU seconds for a listing of each, and bytes."""
    spent = {"rows": 0.0, "parts": 0.0, "told": 0.0}
    ledger, table = SqliteLedger(folder / "parts.db"), table_in(folder / "rows.db")
    table.execute(TABLE)

    def tell(states: list[ListingState]) -> None:
        start = time.process_time()
        ledger.record_states(*WHOSE, states)
        middle = time.process_time()
        upsert(table, states)
        spent["rows"] += time.process_time() - middle
        spent["parts"] += middle - start
        spent["told"] += len(states)

    for first in range(0, listings, 50_000):
        tell([state(one, one % 97, NOON, "run 0") for one in range(first, min(listings, first + 50_000))])
    for batch in batches(listings, 1, max(1, listings // 10 // BATCH)):
        tell(batch)
    start = time.process_time()
    ledger.finish_run(RunRecord(run_id="1", merchant="acme", cart="shop", status="success"))
    spent["parts"] += time.process_time() - start
    accepted = ledger.accepted(*WHOSE)
    (folder / "quantities").write_bytes(accepted.quantities.tobytes())
    keys = [text for sku, place in accepted.listings() for text in (sku, place or "")]
    (folder / "keys").write_text(json.dumps(keys, separators=(",", ":")))
    ledger.close()
    table.close()
    return {
        **{name: spent[name] / spent["told"] for name in ("rows", "parts")},
        **{f"{name} size": (folder / f"{name}.db").stat().st_size / listings for name in ("rows", "parts")},
    }


def bare(folder: Path) -> dict[str, float]:
    """Read the same bytes from two plain files."""
    start = time.process_time()
    quantities = (folder / "quantities").read_bytes()
    keys = (folder / "keys").read_bytes()
    spent = time.process_time() - start
    assert keys.startswith(b'["SKU-')
    return {"load": spent, "found": sum(array("i", quantities))}


def columns(folder: Path) -> dict[str, float]:
    """Load what was last accepted as columns, then take the keys apart."""
    ledger = SqliteLedger(folder / "parts.db")
    start = time.process_time()
    accepted = ledger.accepted(*WHOSE)
    loaded = time.process_time()
    keys = accepted.listings()
    spent = time.process_time() - loaded
    assert len(keys) == len(accepted)
    return {"load": loaded - start, "keys": spent, "found": sum(accepted.quantities)}


def parts(folder: Path) -> dict[str, float]:
    """Load everything, make every state, commit batches."""
    ledger = SqliteLedger(folder / "parts.db")
    start = time.process_time()
    known = ledger.states(*WHOSE)
    loaded = time.process_time()
    found = sum(one.accepted or 0 for one in known)
    made = time.process_time()
    commits = []
    for batch in batches(len(known), 2, BATCHES):
        begun, clock = time.process_time(), time.perf_counter()
        ledger.record_states(*WHOSE, batch)
        commits.append((time.process_time() - begun, time.perf_counter() - clock))
    return {"load": loaded - start, "states": made - loaded, "found": found, **medians(commits)}


def rows(folder: Path) -> dict[str, float]:
    """Do the same with a row for each listing."""
    table = table_in(folder / "rows.db")
    start = time.process_time()
    known = table.execute(ROWS, WHOSE).fetchall()
    loaded = time.process_time()
    found = sum(one.accepted or 0 for one in map(of_row, known))
    made = time.process_time()
    commits = []
    for batch in batches(len(known), 2, BATCHES):
        begun, clock = time.process_time(), time.perf_counter()
        upsert(table, batch)
        commits.append((time.process_time() - begun, time.perf_counter() - clock))
    return {"load": loaded - start, "states": made - loaded, "found": found, **medians(commits)}


def medians(commits: list[tuple[float, float]]) -> dict[str, float]:
    """Give the median of CPU seconds, and of all seconds."""
    cpu, clock = zip(*commits, strict=True)
    return {"commit": statistics.median(cpu), "commit by the clock": statistics.median(clock)}


VARIANTS = {"bare": bare, "columns": columns, "parts": parts, "rows": rows}


def in_a_fresh_process(variant: str, folder: Path) -> dict[str, float]:
    """Measure one variant on a copy of its file."""
    with tempfile.TemporaryDirectory(dir=folder) as copy:
        for name in {"parts": ["parts.db"], "columns": ["parts.db"], "rows": ["rows.db"]}.get(
            variant, ["quantities", "keys"]
        ):
            shutil.copyfile(folder / name, Path(copy) / name)
        os.sync()
        command = [sys.executable, __file__, "--one", variant, copy]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def lines(listings: int, rounds: int) -> Iterable[str]:
    """Measure everything and give the lines of a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = fill(folder, listings)
        taken = [{one: in_a_fresh_process(one, folder) for one in VARIANTS} for _ in range(rounds)]
    found = {each["found"] for one in taken for each in one.values()}
    assert len(found) == 1, found

    def shown(what: str, ours: tuple[str, str], theirs: tuple[str, str]) -> str:
        mine, its = (statistics.median(one[way][part] for one in taken) for way, part in (ours, theirs))
        ratio = statistics.median(one[ours[0]][ours[1]] / one[theirs[0]][theirs[1]] for one in taken)
        return f"| {what} | {1000 * mine:,.2f} ms | {1000 * its:,.2f} ms | {ratio:.3f} |"

    yield "| what | omsync | beside it | ratio |"
    yield "|---|---|---|---|"
    yield shown(
        "last accepted quantities, keys as text / the same bytes from files",
        ("columns", "load"),
        ("bare", "load"),
    )
    yield shown("keys of these, taken apart / the same", ("columns", "keys"), ("bare", "load"))
    yield shown("`states()` / all rows fetched", ("parts", "load"), ("rows", "load"))
    yield shown("each state made once / made of the rows", ("parts", "states"), ("rows", "states"))
    yield shown(f"commit of {BATCH} listings / of their rows, CPU", ("parts", "commit"), ("rows", "commit"))
    yield shown(
        f"commit of {BATCH} listings / of their rows, by the clock",
        ("parts", "commit by the clock"),
        ("rows", "commit by the clock"),
    )
    mine, its = filled["parts"], filled["rows"]
    fold = f"{1e6 * mine:.1f} us | {1e6 * its:.1f} us | {mine / its:.3f}"
    yield f"| two runs, folding included, for each listing told / in rows, CPU | {fold} |"
    mine, its = filled["parts size"], filled["rows size"]
    yield f"| the file, a listing / with rows | {mine:.0f} bytes | {its:.0f} bytes | {mine / its:.3f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("VARIANT", "FOLDER"))
    given = parser.parse_args()
    if given.one:
        variant, folder = given.one
        print(json.dumps(VARIANTS[variant](Path(folder))))
        return
    print(f"{given.listings:,} listings, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    print()
    for line in lines(given.listings, given.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
