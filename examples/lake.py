"""A merchant in a data lake: what the examples for Dask, Ray and Spark read, and how they check themselves.

The stock is in Parquet files, a row for each product and warehouse; the recipes of bundles in one more. Needs
pyarrow and ``omsync[fast]``.
"""

from __future__ import annotations

import random
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from omsync import QuantityRules
from omsync.allocation.columnar import (
    BundleColumns,
    CartColumns,
    Components,
    Counting,
    Partition,
    Row,
    StockColumns,
    allocate_columns,
    allocate_partition,
    totals_of,
)

Recipes = dict[int, dict[int, int]]

WAREHOUSES = 4
RULES = QuantityRules(percent=90, zero_below=2)
COUNTED = Counting(locations=range(WAREHOUSES), building=range(WAREHOUSES - 1))


def make(folder: Path, *, products: int = 3000, files: int = 5) -> None:
    """Write a merchant: half of all records are there, some are debts, a product in six is a bundle."""
    draw = random.Random(5)  # noqa: S311  invented stock
    ids = [1_000_000 + 7 * number for number in range(products)]
    bundles = set(draw.sample(ids, products // 6))
    plain = [one for one in ids if one not in bundles]
    recipes = {
        one: {part: draw.randint(1, 3) for part in draw.sample(plain, draw.randint(2, 5))} for one in bundles
    }
    draw.shuffle(ids)
    (folder / "stock").mkdir(parents=True)
    for number in range(files):
        rows = [
            (one, place, draw.randint(-3, 200))
            for one in ids[number::files]
            for place in range(WAREHOUSES)
            # Every product has a record somewhere, or nobody would know of it.
            if place == one % WAREHOUSES or draw.random() < 0.5
        ]
        pq.write_table(
            _table(("product", "warehouse", "available"), rows), folder / "stock" / f"{number}.parquet"
        )
    needs = [(one, part, units) for one, parts in sorted(recipes.items()) for part, units in parts.items()]
    pq.write_table(_table(("bundle", "part", "units"), needs), folder / "recipes.parquet")


def recipes_in(folder: Path) -> Recipes:
    """Read what bundles are made of; it is small beside the stock."""
    recipes: Recipes = defaultdict(dict)
    for row in pq.read_table(folder / "recipes.parquet").to_pylist():
        recipes[row["bundle"]][row["part"]] = row["units"]
    return dict(recipes)


def partition_of(stock: pa.Table, recipes: Recipes) -> Partition:
    """Lay some products' stock records out as columns; all records of a product must be among them."""
    product, warehouse, available = (stock[name].to_numpy() for name in ("product", "warehouse", "available"))
    ids, places = np.unique(product, return_inverse=True)
    figures = np.zeros((WAREHOUSES, len(ids)), dtype=np.int32)
    records = np.zeros((WAREHOUSES, len(ids)), dtype=np.uint8)
    figures[warehouse, places] = available
    records[warehouse, places] = 1
    needed = np.fromiter({part for parts in recipes.values() for part in parts}, dtype=np.int64)
    own = {one: recipes[one] for one in ids.tolist() if one in recipes}
    return Partition(
        ids=ids,
        stock=StockColumns(products=len(ids), available=list(figures), recorded=list(map(bytes, records))),
        bundles=BundleColumns.of(own),
        needed=np.isin(ids, needed).tobytes(),
    )


def told(partition: Partition, broadcast: Components) -> pa.Table:
    """Work out what a cart that lists every product is told of one partition."""
    cart = CartColumns(products=partition.ids, counting=[COUNTED], rules=RULES)
    (row,) = allocate_partition(partition, broadcast, cart)
    return _told(partition, row)


def told_at_once(folder: Path) -> pa.Table:
    """Work the same out in this process, over everything, without partitions."""
    recipes = recipes_in(folder)
    whole = partition_of(pq.read_table(folder / "stock"), recipes)
    number = {one: place for place, one in enumerate(whole.ids)}
    bundles = BundleColumns.of(
        {
            number[one]: {number[part]: units for part, units in parts.items()}
            for one, parts in recipes.items()
        }
    )
    cart = CartColumns(products=array("q", range(len(number))), counting=[COUNTED], rules=RULES)
    (row,) = allocate_columns(totals_of(whole.stock, bundles), cart)
    return _told(whole, row)


def check(folder: Path, several: Iterable[pa.Table], engine: str) -> None:
    """Compare what the partitions gave with what one process gives."""
    together = pa.concat_tables(several).sort_by("product")
    if not together.equals(told_at_once(folder)):
        raise SystemExit(f"{engine} gave other quantities than one process")
    print(f"{engine}: {len(together):,} quantities, equal to one process")


def _told(partition: Partition, row: Row) -> pa.Table:
    """Give quantities as a table: engines send columns about quickly, and dicts slowly."""
    quantities = np.asarray(row.quantities, dtype=np.int64)
    return pa.table({"product": np.asarray(partition.ids), "quantity": quantities})


def _table(names: tuple[str, ...], rows: Sequence[tuple[int, ...]]) -> pa.Table:
    return pa.table(dict(zip(names, map(pa.array, zip(*rows, strict=True)), strict=True)))
