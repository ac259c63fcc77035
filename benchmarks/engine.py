"""Times the engine against what one might reach for instead, on the same job, in one run.

    python benchmarks/engine.py [--job NAME ...] [--again NAME ...] [--memory] [--rounds 3] [--plot FILE.svg]

Every variant works in a process of its own. Rounds are interleaved, ratios are formed within a round, medians
are shown, and all outputs must agree. What is not installed is left out. Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from _engine_memory import SHAPES, fitted  # type: ignore[import-not-found]  # beside this file

JOBS: dict[str, tuple[int, float, bool]] = {
    "1k": (1_000, 0.15, False),
    "10k": (10_000, 0.15, False),
    "100k": (100_000, 0.15, False),
    "popular": (100_000, 0.20, True),
    "1M": (1_000_000, 0.15, False),
}
"""Products, share of bundles, and whether those share popular parts."""

VARIANTS = {
    "reference": "omsync, reference engine",
    "default": "omsync, standard library",
    "fast": "omsync[fast], numpy",
    "numpy": "numpy by hand",
    "polars": "polars",
    "duckdb": "DuckDB",
    "pandas": "pandas",
}
NEEDED = {"fast": "numpy", "numpy": "numpy", "polars": "polars", "duckdb": "duckdb", "pandas": "pandas"}
SLOW = 10_000
"""With more products, the reference engine takes minutes for every round and is left out."""

STAGES = ("from pages", "from columns", "allocate", "diff")
CPU = 1
WORKER = Path(__file__).parent / "_engine_worker.py"


def worker(*arguments: object) -> Any:
    """Let a fresh process do something and tell what it took."""
    command = [sys.executable, str(WORKER), *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def available(products: int) -> list[str]:
    """Give the variants that can take part."""
    return [
        name
        for name in VARIANTS
        if importlib.util.find_spec(NEEDED.get(name, "omsync"))
        and (name != "duckdb" or importlib.util.find_spec("pyarrow"))
        and (name != "reference" or products <= SLOW)
    ]


def seconds(told: dict[str, Any], kind: int, *stages: str) -> float:
    """Add up what stages took: wall seconds (0) or processor seconds (1)."""
    return float(sum(told["seconds"][stage][kind] for stage in stages))


def median(values: Iterable[float]) -> float:
    """Give the middle one."""
    return statistics.median(values)


def table(rounds: Sequence[dict[str, dict[str, Any]]], products: int) -> list[str]:
    """Lay the rounds out as a Markdown table."""
    head = "| variant | ingest from pages | from columns | allocate | diff | all, wall"
    head += " | all / default, from pages | from columns | peak, bytes a product |"
    lines = [head, "|---|---|---|---|---|---|---|---|---|"]
    for name in rounds[0]:
        each = [one[name] for one in rounds]
        cells = [f"{median(seconds(told, CPU, stage) for told in each):.2f}" for stage in STAGES]
        cells.append(f"{median(seconds(told, 0, 'from pages', 'allocate', 'diff') for told in each):.2f}")
        for start in ("from pages", "from columns"):
            ratios = (
                seconds(one[name], CPU, start, "allocate", "diff")
                / seconds(one["default"], CPU, start, "allocate", "diff")
                for one in rounds
            )
            cells.append(f"{median(ratios):.2f}")
        peaks = [told["peak"] for told in each if told["peak"] is not None]
        cells.append(f"{median(peaks) / products:,.0f}" if peaks else "")
        lines.append(f"| {VARIANTS[name]} | {' | '.join(cells)} |")
    return lines


def targets(rounds: Sequence[dict[str, dict[str, Any]]], products: int) -> list[str]:
    """Say where the ratios stand that are watched."""
    names = rounds[0]
    found = []
    for rival in ("duckdb", "polars"):
        if rival in names:
            pages, columns = (
                median(
                    seconds(one["default"], CPU, start, "allocate", "diff")
                    / seconds(one[rival], CPU, start, "allocate", "diff")
                    for one in rounds
                )
                for start in ("from pages", "from columns")
            )
            name = VARIANTS[rival]
            found.append(
                f"standard library / {name}, in all: {pages:.2f} from pages, {columns:.2f} from columns"
            )
    alone = [
        seconds(one["default"], CPU, "allocate") / one["default"]["seconds"]["anchor"][CPU] for one in rounds
    ]
    found.append(f"standard library's allocate / one pass of sums: {median(alone):.1f}")
    if "fast" in names:
        floor = [
            seconds(one["fast"], CPU, "allocate") / one["fast"]["seconds"]["anchor"][CPU] for one in rounds
        ]
        found.append(f"[fast] allocate / memory floor: {median(floor):.1f}")
    peaks = [one["default"]["peak"] for one in rounds if one["default"]["peak"] is not None]
    if peaks:
        found.append(f"standard library's peak: {median(peaks) / products:.0f} bytes a product")
    return [f"- {line}" for line in found]


def plot(rounds: Sequence[dict[str, dict[str, Any]]], title: str, file: Path) -> None:
    """Draw what every variant took, stage by stage."""
    import matplotlib as mpl

    mpl.use("svg")
    # Text stays text, and the same figures give the same file.
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "omsync"}
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.2))
    names = [name for name in reversed(rounds[0]) if name != "reference"]
    left = [0.0] * len(names)
    for stage in ("from pages", "allocate", "diff"):
        widths = [median(seconds(one[name], CPU, stage) for one in rounds) for name in names]
        label = "ingest, from pages" if stage == "from pages" else stage
        axes.barh([VARIANTS[name] for name in names], widths, left=left, label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel("processor seconds, all threads")
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def measure(name: str, count: int) -> list[dict[str, dict[str, Any]]]:
    """Run all rounds of one job, and compare what the variants give."""
    products, share, popular = JOBS[name]
    with tempfile.TemporaryDirectory() as folder:
        worker("draw", folder, products, share, int(popular))
        variants = available(products)
        rounds = [{one: worker("run", folder, one) for one in variants} for _ in range(count)]
    told = {(each["checksum"], each["changed"]) for one in rounds for each in one.values()}
    if len(told) != 1:
        sys.exit(
            f"{name}: the variants disagree: { {one: each['checksum'] for one, each in rounds[0].items()} }"
        )
    print(f"### {name}: {products:,} products, {share:.0%} bundles{' with popular parts' if popular else ''}")
    print()
    print(
        f"Processor seconds of all threads, medians of {count} rounds. Outputs agree:"
        f" checksum {told.pop()[0]:x}."
    )
    print()
    print("\n".join(table(rounds, products)))
    print()
    print("\n".join(targets(rounds, products)), flush=True)
    print()
    return rounds


def again(name: str, count: int) -> None:
    """Print what it takes through ``Desk`` and ``reallocate``, which know listings by their text."""
    told = worker("again", *JOBS[name][:2], count)
    print(f"### {name}: with values and text, through Desk and reallocate")
    print()
    print(
        f"Ten carts through one Desk: {told['desk']:.2f} s, {told['each'] * 1e6:.1f} microseconds a quantity."
    )
    if told["reference"] is not None:
        print(f"The reference engine takes {told['reference']:.0f} times as long for the same carts.")
    print()
    head = "| records changed | listings reached | reallocate / all anew"
    print(f"{head} | a listing reached / a listing anew | reallocate / the cheaper way |")
    print("|---|---|---|---|---|")
    for row in told["again"]:
        cells = [f"{row['share']:.2%}", f"{row['reached']:,}", f"{row['ratio']:.3f}", f"{row['each']:.1f}"]
        print(f"| {' | '.join(cells)} | {row['to better']:.2f} |")
    print()


def memory(products: int) -> None:
    """Print what several shapes of a merchant need, and the formula that fits them."""
    for name in [name for name in ("default", "fast") if name in available(products)]:
        rows = [
            (locations, *worker("memory", products, locations, carts, int(name == "fast")))
            for locations, carts in SHAPES
        ]
        a, b, c = fitted(rows)
        print(f"### Memory: {VARIANTS[name]}, {products:,} products")
        print()
        print(f"Bytes a product: {a:.1f} x locations + {b:.1f} x quantities a product + {c:.0f}.")
        print()
        print("| locations | quantities a product | measured | by the formula |")
        print("|---|---|---|---|")
        for locations, quantities, told in rows:
            print(
                f"| {locations} | {quantities:.1f} | {told:.0f} | {a * locations + b * quantities + c:.0f} |"
            )
        print()


def main() -> None:
    """Measure the jobs that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--job", nargs="*", choices=JOBS, default=["10k", "100k", "popular", "1M"])
    parser.add_argument("--again", nargs="*", choices=JOBS, default=["10k", "100k"])
    parser.add_argument(
        "--memory", type=int, nargs="?", const=100_000, metavar="PRODUCTS", help="fit a formula; needs numpy"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    wanted = parser.parse_args()
    for name in wanted.job:
        rounds = measure(name, wanted.rounds)
    for name in wanted.again:
        again(name, wanted.rounds)
    if wanted.memory:
        memory(wanted.memory)
    if wanted.plot:
        products, share, _ = JOBS[wanted.job[-1]]
        title = f"{products:,} products, 10 locations, 10 carts, {share:.0%} bundles"
        plot(rounds, title, wanted.plot)


if __name__ == "__main__":
    main()
