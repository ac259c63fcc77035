"""Times one process that works a merchant out of Parquet files, partition by partition, against DuckDB.

    python benchmarks/lake.py [--rows 10000000] [--rounds 1] [--limit 1GB] [--folder FOLDER]

Stock records of ten warehouses, nine of ten recorded, are drawn into Parquet files; 15 % of the products are
bundles of any parts. Both go from files to files, each in a process of its own, and must give the same
quantities. Prints Markdown. The files take 2.5 bytes a row; DuckDB's own table, and what it spills, more.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PLACES = 10
RECORDED = 0.9
PARTITION = 250_000
"""Products of one file."""

NEEDED = ("duckdb", "numpy", "pyarrow")
TITLES = {"ours": "omsync[fast], one process, file by file", "duckdb": "DuckDB, out of core"}


def draw(folder: Path, rows: int) -> int:
    """Write the files; give how many records there are."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(20261128)
    products = max(100, int(rows / PLACES / RECORDED))
    plain = products - products * 15 // 100
    # Which products are bundles has nothing to do with their numbers.
    order = random.permutation(products).astype(np.int32)
    is_bundle = np.zeros(products, dtype=np.bool_)
    is_bundle[order[plain:]] = True
    for kind in ("stock", "recipes"):
        (folder / kind).mkdir(parents=True)
    records = 0
    for number, first in enumerate(range(0, products, PARTITION)):
        last = min(first + PARTITION, products)
        recorded = random.random((last - first, PLACES)) < RECORDED
        recorded[:, 0] |= ~recorded.any(axis=1)
        product, place = np.nonzero(recorded)
        # One in a hundred owes more than there is.
        available = random.integers(0, 60, len(product)) - 70 * (random.random(len(product)) < 0.01)
        records += len(product)
        stock = {
            "product": (product + first).astype(np.int32),
            "place": place.astype(np.int8),
            "available": available.astype(np.int32),
        }
        pq.write_table(pa.table(stock), folder / "stock" / f"{number:04}.parquet")
        bundles = np.flatnonzero(is_bundle[first:last]).astype(np.int32) + np.int32(first)
        bundle = np.repeat(bundles, random.integers(2, 6, len(bundles)))
        part = order[random.integers(0, plain, len(bundle))]
        pairs = np.unique(bundle.astype(np.int64) * products + part)
        recipes = {
            "bundle": (pairs // products).astype(np.int32),
            "part": (pairs % products).astype(np.int32),
            "need": random.integers(1, 4, len(pairs)).astype(np.int32),
        }
        pq.write_table(pa.table(recipes), folder / "recipes" / f"{number:04}.parquet")
    return records


def worker(what: str, *arguments: object) -> Any:
    """Let a fresh process do something, and give what it tells."""
    command = [sys.executable, __file__, "--worker", what, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def done_by(what: str, folder: str, *rest: str) -> Any:
    """Do what ``worker`` asks this process for."""
    if what == "draw":
        return draw(Path(folder), int(rest[0]))
    if what == "checksum":
        return checksum(Path(folder))
    return run(rest[0], Path(folder), rest[1])


def run(name: str, folder: Path, limit: str) -> dict[str, float]:
    """Do the job in this process; give wall and processor seconds, and the largest memory of all of it."""
    import _lake_ours  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    import _lake_rival  # type: ignore[import-not-found]  # likewise

    out = folder / name
    out.mkdir(exist_ok=True)
    wall, cpu = time.perf_counter(), time.process_time()
    if name == "ours":
        _lake_ours.work_out(folder, out)
    else:
        _lake_rival.work_out(folder, out, limit)
    told = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        told["peak"] = int(line.split()[1]) * 1024
    return told


def checksum(out: Path) -> list[int]:
    """Sum up what came out, in whatever order it is."""
    import numpy as np
    import pyarrow.parquet as pq

    count = total = 0
    for file in sorted(out.glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(columns=["product", "quantity"]):
            product, quantity = (column.to_numpy().astype(np.uint64) for column in batch.columns)
            mixed = (product * np.uint64(0x9E3779B97F4A7C15)) ^ (quantity * np.uint64(0xC2B2AE3D27D4EB4F))
            total += int((mixed * (mixed >> np.uint64(29) | np.uint64(1))).sum())
            count += len(product)
    return [count, total % 2**64]


def report(rounds: list[dict[str, dict[str, float]]], rows: int) -> list[str]:
    """Lay the rounds out as a Markdown table."""
    lines = [
        "| way | wall s | CPU s | wall / DuckDB | CPU / DuckDB | peak MB | peak, bytes a row |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        each = [one[name] for one in rounds]
        cells = [f"{statistics.median(told[kind] for told in each):.1f}" for kind in ("wall", "cpu")]
        for kind in ("wall", "cpu"):
            ratio = statistics.median(one[name][kind] / one["duckdb"][kind] for one in rounds)
            cells.append(f"{ratio:.2f}")
        peaks = [told["peak"] for told in each if "peak" in told]
        peak = statistics.median(peaks) if peaks else 0
        cells += [f"{peak / 1e6:,.0f}", f"{peak / rows:.1f}"] if peaks else ["", ""]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def measure(folder: Path, rows: int, rounds: int, limit: str) -> None:
    """Draw the files, let both work them out, compare, and print."""
    records = worker("draw", folder, rows)
    told = [{name: worker("run", folder, name, limit) for name in TITLES} for _ in range(rounds)]
    sums = {name: worker("checksum", folder / name) for name in TITLES}
    if sums["ours"] != sums["duckdb"]:
        sys.exit(f"The two disagree: {sums}")
    print(f"{records:,} records, {sums['ours'][0]:,} quantities, which agree. Medians of {rounds} rounds.")
    print()
    print("\n".join(report(told, records)))


def main() -> None:
    """Measure, or do a part of it in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--limit", default="1GB", help="what DuckDB may keep in memory")
    parser.add_argument("--folder", type=Path, help="where there is room")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        sys.exit(f"Needs {', '.join(missing)}: pip install --group benchmarks")
    if wanted.worker:
        print(json.dumps(done_by(*wanted.worker)))
        return
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        measure(Path(folder), wanted.rows, wanted.rounds, wanted.limit)


if __name__ == "__main__":
    main()
